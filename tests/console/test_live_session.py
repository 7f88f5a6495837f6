"""A session's desk against a venue's real gateway over TCP, the compiled loop between them."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import msgspec
import pytest
from gateway_rig import ACCOUNTS, PLAIN, Records
from live_loop_rig import MS, SECOND, LoopRig
from test_live_loop import leaves_at

from console.live.sent import LiveCollector, SentMessages
from console.live.session import STOPPED, UP, SessionDesk
from console.routed.replaying import names_of
from feedhandler.lines.secret import Secret
from router.tables import CANCEL, ENTER, REPLACE
from simulator.gateways.boe import BoeGateway
from simulator.gateways.gateway import Pace
from simulator.gateways.meo import MeoGateway
from simulator.gateways.ouch import OuchGateway
from simulator.gateways.pillar import PillarGateway
from simulator.matching.venue import Exchange
from simulator.serving.reactor import Reactor

ENGINES = 2
GATEWAYS: dict[str, Callable[..., Any]] = {
    "nasdaq": OuchGateway,
    "bzx": BoeGateway,
    "nyse": PillarGateway,
    "memx": partial(MeoGateway, engines=ENGINES),
}
SPEAKS = {"memx": "meo"}
DEADLINE_S = 60
HOUR = 3_600 * SECOND
PATIENT = Pace(silence_ns=HOUR, login_ns=HOUR)  # kernels may be compiled meanwhile


class TcpVenue:
    """A matching with a gateway in front of it that listens on loopback."""

    def __init__(self, make: Callable[..., Any], symbols: tuple[str, ...]) -> None:
        self.exchange = Exchange(PLAIN, len(symbols), orders=512)
        self.reactor = Reactor(time.time_ns)
        self.gateway = make(ACCOUNTS, symbols, self._submit, pace=PATIENT)
        self.address = self.reactor.listen(("127.0.0.1", 0), self.gateway.peer)

    def _submit(self, commands: Records) -> None:
        _public, reports = self.exchange.submit(commands.copy())
        self.gateway.hear(reports.copy())

    def close(self) -> None:
        """Gives all back."""
        self.reactor.close()
        self.exchange.close()


class DeskRig:
    """A desk, its loop and its venue, in turns."""

    def __init__(self, folder: Path, venue: str) -> None:
        engines = {'venue = "memx"': f'venue = "memx"\nengines = {ENGINES}'}
        self.loop = LoopRig(folder, SPEAKS if venue in SPEAKS else {}, **engines)
        self.loop.now_ns = time.time_ns()
        self.name, run = venue, self.loop.run
        self.venue = TcpVenue(GATEWAYS[venue], run.setup.symbols)
        self.collector = LiveCollector(
            run.tables, names_of(run, run.setup.venues), len(run.venue_numbers)
        )
        self.lines: list[str] = []
        self.desk = self.make()

    def make(self, username: str = "ALFA", password: str = "secret", **more: Any) -> SessionDesk:
        """A desk for the venue."""
        run, loop = self.loop.run, self.loop
        (given,) = (one for one in run.setup.live.sessions if one.venue == self.name)
        usual = {"port": self.venue.address[1], "retry_ms": 1, "silence_ms": 600_000}
        given = msgspec.structs.replace(given, **usual, **more)
        who = msgspec.structs.replace(
            run.setup.credentials[self.name], username=username, password=Secret(password, 64)
        )
        number = run.venue_numbers[self.name]
        return SessionDesk(
            number,
            given,
            who,
            run.sessions,
            run.tables,
            loop.commands,
            self.collector.sent[number],
            self.lines.append,
        )

    def turn(self) -> None:
        """Everybody has a turn."""
        self.loop.now_ns = time.time_ns()
        self.venue.reactor.run_once(0)
        self.loop.step(2)
        for record in self.loop.records:
            take = self.collector._take.get(record.kind)
            if take is not None:
                take(record)
        self.loop.records.clear()
        self.desk.step(self.loop.now_ns)

    def until(self, wanted: Callable[[], bool]) -> None:
        """Turns until something is so."""
        deadline_s = time.monotonic() + DEADLINE_S
        while not wanted():
            assert time.monotonic() < deadline_s, (self.lines, self.desk.state)
            self.turn()

    def close(self) -> None:
        """The end."""
        self.loop.commands.down(self.desk.number)
        self.loop.step()
        self.desk.stop()
        self.venue.close()
        self.loop.__exit__()


@pytest.fixture(params=list(GATEWAYS))
def rig(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[DeskRig]:
    made = DeskRig(tmp_path, request.param)
    yield made
    made.close()


@pytest.fixture
def ouch(tmp_path: Path) -> Iterator[DeskRig]:
    made = DeskRig(tmp_path, "nasdaq")
    yield made
    made.close()


def entered(rig: DeskRig) -> int:
    """An order that the venue has accepted."""
    child = rig.loop.waiting(rig.name)
    leaves_at(rig.loop, child, MS)
    rig.until(lambda: rig.loop.state(child) == "new")
    return child


def cut(rig: DeskRig) -> None:
    """The connection breaks, and the session comes back."""
    before = len(rig.lines)
    rig.venue.reactor.abort_at(rig.venue.address)
    rig.until(lambda: len(rig.lines) > before + 1 and rig.desk.is_up)


def test_a_session_comes_up_and_orders_are_answered(rig: DeskRig) -> None:
    rig.until(lambda: rig.desk.is_up)
    assert rig.lines == [f"session {rig.name}: logged in as ALFA"]
    child = entered(rig)
    assert int(rig.loop.tables.children[child]["heard_ns"]) > 0
    if rig.name in ("nyse", "memx"):
        assert rig.desk.names == {name: n for n, name in enumerate(rig.loop.run.setup.symbols, 1)}


def test_what_happened_while_it_was_cut_is_heard_at_the_next_login(rig: DeskRig) -> None:
    rig.until(lambda: rig.desk.is_up)
    first = entered(rig)
    cut(rig)  # the venue cancels what ALFA has when its connection goes
    assert rig.loop.state(first) == "canceled"
    second = entered(rig)
    cut(rig)
    assert [rig.loop.state(n) for n in (first, second)] == ["canceled"] * 2
    assert int(rig.loop.tables.head["impossible_count"]) == 0
    assert int(rig.loop.tables.head["repeated_count"]) == 0


@pytest.mark.parametrize("rig", ["nasdaq", "bzx", "memx"], indirect=True)
def test_orders_that_outlive_the_connection_stand_as_before(rig: DeskRig) -> None:
    rig.desk = rig.make("BETA", "hush")
    number = rig.desk.number
    rig.until(lambda: rig.desk.is_up)
    child = entered(rig)
    cut(rig)
    assert rig.loop.state(child) == "new"
    assert int(rig.loop.tables.venues[number]["open_orders"]) == 1


def test_an_order_on_its_way_when_the_connection_breaks_is_not_forgotten(rig: DeskRig) -> None:
    rig.until(lambda: rig.desk.is_up)
    child = rig.loop.waiting(rig.name)
    leaves_at(rig.loop, child, MS)  # the venue has not read it
    cut(rig)
    rig.until(lambda: rig.loop.state(child) != "pending new")
    assert rig.loop.state(child) in ("rejected", "canceled", "new")
    known = {"rejected": 0, "canceled": 0, "new": 1}[rig.loop.state(child)]
    assert int(rig.loop.tables.head["open_count"]) == known


def test_a_refused_login_is_tried_later_each_time(rig: DeskRig) -> None:
    rig.desk = rig.make(password="wrong", most_retry_ms=4)
    rig.until(lambda: len(rig.lines) >= 4)
    waits = [line.rpartition("next try in ")[2] for line in rig.lines]
    assert waits[:4] == ["0.001 s", "0.002 s", "0.004 s", "0.004 s"]
    assert not any("wrong" in line for line in rig.lines) and not rig.desk.is_up


def test_a_venue_that_answers_nothing_is_not_waited_for(ouch: DeskRig) -> None:
    ouch.desk = ouch.make(login_ms=10)
    desk = ouch.desk
    deadline_s = time.monotonic() + DEADLINE_S
    while not ouch.lines and time.monotonic() < deadline_s:  # the venue has no turn
        desk.step(time.time_ns())
        ouch.loop.step(2)
    assert "the login took too long" in ouch.lines[0]


def test_order_names_that_the_venue_has_had_keep_the_session_down(ouch: DeskRig) -> None:
    ouch.venue.gateway.sessions["ALFA"].last = 41
    ouch.until(lambda: ouch.desk.state == STOPPED)
    assert "it has had orders up to 41: set first_token; it stays down" in ouch.lines[-1]


def test_a_steady_session_starts_its_tries_anew(ouch: DeskRig) -> None:
    ouch.desk.tries = 7
    ouch.until(lambda: ouch.desk.is_up)
    assert ouch.desk.state == UP
    ouch.desk._began_ns -= 10 * SECOND
    ouch.venue.reactor.abort_at(ouch.venue.address)
    ouch.until(lambda: len(ouch.lines) >= 2)
    assert ouch.lines[1].endswith("next try in 0.001 s")


def test_what_a_venue_never_had_is_told_by_sequence_or_by_name() -> None:
    sent = SentMessages()
    sent.begin(10)
    for kind, token in ((ENTER, 1), (REPLACE, 2), (CANCEL, 2), (ENTER, 3)):
        sent.note(kind, token, child=token)
    assert [m.token for m in sent.behind(11)] == [2, 3]
    assert [m.token for m in sent.from_token(3)] == [3]
    assert [m.token for m in sent.others(sent.behind(11))] == [1]
    sent.begin(14)
    assert sent.behind(0) == []
