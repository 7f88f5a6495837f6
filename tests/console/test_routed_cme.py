"""Futures with orders: a made channel whose session begins on Sunday evening, and a real one."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from cme_rig import CHANGE, DELETE, FEED, NEW, entry, message
from console_made import udp_frame
from routed_rig import Desk, limits_text
from test_routed_tapes import verdicts

from captures import PcapWriter
from console.book import contract_text
from console.main import run
from console.plan import mapped_plan, replay_uri
from console.routed.replaying import WORDS, How, protocols_of, replay_with_orders, routed_kernels
from console.routed.run import RoutedRun
from console.routed.setup import read_setup
from console.runreport.results import Results
from console.runreport.summary import summary_of
from feedhandler.actions import BUY, SELL
from feedhandler.calendars import CMES
from feedhandler.channelfile import load_channels
from feedhandler.dates import midnight_ns
from feedhandler.transports.packets import write_packet
from nic.configfile import ConfigError
from nic.kernelref import address_of

ROOT = Path(__file__).resolve().parents[2]
FUTURES = ROOT / "router" / "futures.toml"
LARGE = "omi_Cme.Mdp3.Sbe.v1.8.pcap.gz"
SECOND = 1_000_000_000
SUNDAY_NS = midnight_ns(date(2026, 3, 15), "America/Chicago")
OPEN_NS = SUNDAY_NS + 17 * 3600 * SECOND
ES, NQ, TICK = 101, 102, 250_000_000  # a quarter, of 9 decimals
NAMES = {ES: "ESM6", NQ: "NQM6"}
MIDDLES = {ES: 5_800_000_000_000, NQ: 20_000_000_000_000}
DEPTH, MOVES = 5, 60
PORTS = (14_310, 15_310)
GROUPS = ("224.0.31.1", "224.0.32.1")
CHANNELS = "".join(
    f'[[channels]]\nname = "cme equity"\nfeed = "cme_mdp3"\ngroup = "{group}"\nport = {port}\n'
    f'line = "{line}"\n'
    for group, port, line in zip(GROUPS, PORTS, "AB", strict=True)
)
LOCATES = "ESM6 = 1000\nNQM6 = 1000\n"
LIMITS = limits_text(("cme",), ("desk",)).replace("NEV = 10000\nVUS = 10000\n", LOCATES)
LIMITS = LIMITS.replace("order_notional = 2000000", "order_notional = 20000000")
PARENTS = """
[[parents]]
name = "takes"
symbol = "ESM6"
side = "buy"
quantity = 12
limit = "5801.00"
strategy = "sweep"
account = "desk"
start = 2

[[parents]]
name = "rests"
symbol = "NQM6"
side = "sell_short"
located = true
quantity = 4
strategy = "post"
take_after_ms = 15000
account = "desk"
start = "17:00:05"
end = "17:00:50"

[[parents]]
name = "slices"
symbol = "ESM6"
side = "buy"
quantity = 9
limit = "5805.00"
strategy = "twap"
slices = 3
account = "desk"
start = "2026-03-15T17:00:10"
end = 40
"""
Level = tuple[int, int]


def definition(security: int) -> bytes:
    """A future's, with its limits of the day."""
    middle = MIDDLES[security]
    return message(
        54,
        security_id=security,
        symbol=NAMES[security],
        security_group="EQ",
        asset=NAMES[security][:2],
        min_price_increment=TICK,
        md_security_trading_status=21,
        security_update_action="A",
        last_update_time=OPEN_NS,
        low_limit_price=middle - 400 * TICK,
        high_limit_price=middle + 400 * TICK,
    )


class Book:
    """Five levels a side, and the entries of what happens to them."""

    def __init__(self, security: int) -> None:
        self.security, self.middle, self.number = security, MIDDLES[security], 0

    def _level(self, kind: str, level: int, action: int, size: int) -> Any:
        away = level * TICK
        price = self.middle - away if kind == "0" else self.middle + away
        return entry(kind, action, level, price, size, self.security)

    def first(self) -> list[Any]:
        """All levels; sizes grow with the distance."""
        return [self._level(kind, n, NEW, 3 + n) for kind in "01" for n in range(1, DEPTH + 1)]

    def next(self) -> list[Any]:
        """A size changes; each fifth time the market goes a tick up."""
        self.number += 1
        if self.number % 5:
            kind, size = "01"[self.number % 2], 3 + self.number % 7
            return [self._level(kind, 1 + self.number % 3, CHANGE, size)]
        gone = self._level("1", 1, DELETE, 0)
        self.middle += TICK
        lowest = [self._level("0", 1, NEW, 4), self._level("1", DEPTH, NEW, 9)]
        return [gone, *lowest]


def packets() -> Iterator[tuple[int, list[bytes]]]:
    """Time and messages: definitions, books, the opening, a minute of it."""
    yield OPEN_NS - 10 * SECOND, [definition(ES), definition(NQ)]
    books = [Book(ES), Book(NQ)]
    for book in books:
        yield OPEN_NS - 9 * SECOND, [message(46, *book.first(), transact_time=OPEN_NS)]
    for security in NAMES:
        opened = {"security_id": security, "security_trading_status": 17}
        yield OPEN_NS, [message(30, **opened, transact_time=OPEN_NS)]
    for number in range(MOVES):
        time_ns = OPEN_NS + (number + 1) * SECOND
        for book in books:
            yield time_ns, [message(46, *book.next(), transact_time=time_ns)]


def write_capture(path: Path, first: int = 1) -> Path:
    """Both lines, B a microsecond behind A; `first`: of the sequence."""
    with PcapWriter(path) as out:
        for number, (time_ns, messages) in enumerate(packets()):
            header = {"packet_sequence_number": first + number, "sending_time": time_ns}
            payload = write_packet(FEED.transport, messages, header)
            for line, (group, port) in enumerate(zip(GROUPS, PORTS, strict=True)):
                out.write(time_ns + 1000 * line, udp_frame(payload, group, port))
    return path


def files_in(folder: Path, parents: str = PARENTS, limits: str = LIMITS) -> tuple[Path, Path, Path]:
    """Venues, limits and parents."""
    (folder / "limits.toml").write_text(limits)
    (folder / "parents.toml").write_text(parents)
    (folder / "channels.toml").write_text(CHANNELS)
    return FUTURES, folder / "limits.toml", folder / "parents.toml"


def replay(folder: Path, capture: Path, burst: int = 64, whole: bool = False) -> Results:
    """The capture with the folder's parents."""
    setup = read_setup(*files_in(folder), OPEN_NS - 10 * SECOND, 1, CMES)
    plan = mapped_plan(load_channels(folder / "channels.toml"), OPEN_NS)
    how = How("cme", [capture], plan, 1024, burst=burst, joined_whole=whole)
    return replay_with_orders(how, setup)


@pytest.fixture(scope="module")
def capture(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_capture(tmp_path_factory.mktemp("cme") / "cme.pcap")


@pytest.fixture(scope="module")
def found(capture: Path, tmp_path_factory: pytest.TempPathFactory) -> Results:
    return replay(tmp_path_factory.mktemp("first"), capture)


def shown_at(time_ns: int, security: int, side: str) -> dict[int, int]:
    """Levels of a side as all messages up to a time left them, from the made book alone."""
    book, levels = Book(security), dict[int, int]()
    for number in range(1 + max(0, min(MOVES, (time_ns - OPEN_NS) // SECOND))):
        for row in book.first() if number == 0 else book.next():
            if row["md_entry_type"] == side:
                levels[row["md_entry_px"] // 10] = row["md_entry_size"]
                if row["md_update_action"] == DELETE:
                    del levels[row["md_entry_px"] // 10]
    return levels


def test_parents_in_futures_fill_from_the_book_within_their_limits(found: Results) -> None:
    said = summary_of(found)
    takes, rests, slices = said["parents"]
    assert [row["executed"] for row in (takes, rests, slices)] == [12, 4, 9]
    assert takes["average_price"] <= 5801.0 and slices["average_price"] <= 5805.0
    assert said["order_messages"]["bytes"] > 0 and found.counts.fills == len(found.fills)
    rows = found.fill_children
    for fill, child in zip(found.fills, rows, strict=True):
        name = found.names.instrument(int(child["instrument"]))
        security = {n: s for s, n in NAMES.items()}[name]
        buys = child["side"] == BUY
        worse = fill["price"] > child["price"] if buys else fill["price"] < child["price"]
        assert not worse or child["price"] == 0
        if child["made_ns"] == child["sent_ns"] and name == "ESM6":
            levels = shown_at(int(child["made_ns"]), security, "1")
            assert 0 < fill["shares"] <= levels[int(fill["price"])]
    first = found.fills[rows["parent"] == 1]
    levels = shown_at(OPEN_NS + 2 * SECOND, ES, "1")
    best = sorted(levels)
    wanted, left = [], 12
    for price in best:
        wanted.append((price, min(left, levels[price])))
        left -= wanted[-1][1]
        if not left:
            break
    assert sorted(zip(first["price"].tolist(), first["shares"].tolist(), strict=True)) == wanted


def test_times_are_those_of_the_evening_before(found: Results) -> None:
    starts = (found.parents["start_ns"] - OPEN_NS) // SECOND
    assert starts.tolist() == [2, 5, 10]
    assert ((found.parents["end_ns"][1:] - OPEN_NS) // SECOND).tolist() == [50, 40]


@pytest.mark.parametrize("burst", [1, 7])
def test_the_order_stream_is_the_same(
    found: Results, capture: Path, tmp_path: Path, burst: int
) -> None:
    again = replay(tmp_path, capture, burst)
    assert again.counts.sha256 == found.counts.sha256 and found.counts.messages > 5


def test_a_stream_that_begins_in_its_middle_trades_when_it_is_taken_as_whole(
    found: Results, tmp_path: Path
) -> None:
    late = write_capture(tmp_path / "late.pcap", first=5000)
    stale = replay(tmp_path, late)
    assert stale.counts.orders == 0
    assert any("--assume-whole" in note for note in stale.facts.notes)
    whole = replay(tmp_path, late, whole=True)
    assert whole.counts.sha256 == found.counts.sha256
    assert any("taken as whole" in note for note in whole.facts.notes)


def test_the_limits_of_the_day_are_bands_in_the_gate(capture: Path, tmp_path: Path) -> None:
    (tmp_path / "channels.toml").write_text(CHANNELS)
    plan, uri = (
        mapped_plan(load_channels(tmp_path / "channels.toml"), OPEN_NS),
        replay_uri([capture]),
    )
    late = PARENTS.replace("start = 2", "start = 59").split("[[parents]]")[1]
    wide = LIMITS.replace("collar_bps = 300", "collar_bps = 5000")
    wide = wide.replace("last_bps = 500", "last_bps = 5000")
    setup = read_setup(*files_in(tmp_path, f"[[parents]]{late}", wide), OPEN_NS, 1, CMES)
    kernels = routed_kernels(plan, protocols_of(setup.venues))
    with RoutedRun(plan, 1024) as scout:
        scout.learn(kernels[0], uri)
        run = RoutedRun(plan, 1024, setup, scout)
    with run:
        run.connect(*(address_of(kernel.dispatcher, WORDS) for kernel in kernels[1:]))
        with run.opened(kernels[0], uri, burst=1) as step:
            desk = Desk(run, step)
            desk.until(10)
            top = (MIDDLES[ES] + 400 * TICK) // 10
            tick = TICK // 10
            assert verdicts(desk, "ESM6", BUY, top) == {"cme": "passed"}
            assert verdicts(desk, "ESM6", BUY, top + tick) == {"cme": "price band"}
            bottom = (MIDDLES[ES] - 400 * TICK) // 10
            assert verdicts(desk, "ESM6", SELL, bottom) == {"cme": "passed"}
            assert verdicts(desk, "ESM6", SELL, bottom - tick) == {"cme": "price band"}


def test_an_expired_contract_is_a_line_that_names_it(tmp_path: Path) -> None:
    for symbol, said in (
        ("ESZ5", "ESZ5: its last trading day was 2025-12-19; ESH6 is the front contract"),
        ("6EF6", "6EF6: its month, 2026-01, is over on 2026-03-16"),
    ):
        files = files_in(tmp_path, PARENTS.replace("ESM6", symbol))
        with pytest.raises(ConfigError) as caught:
            read_setup(*files, OPEN_NS, 1, CMES)
        assert str(caught.value) == f"{files[2]}: parents[0] (takes): symbol: {said}"


def test_the_command_on_the_made_capture(
    capture: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    venues, limits, parents = files_in(tmp_path)
    given = ["--channels", str(tmp_path / "channels.toml"), "--venues", str(venues)]
    given += ["--limits", str(limits), "--parents", str(parents)]
    assert run(["replay", str(capture), *given]) == 0
    shown = capsys.readouterr().out
    assert "buy ESM6" in shown and "sell NQM6" in shown and "2026-06-19" in shown


def test_a_book_says_when_its_contract_ends(
    capture: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "channels.toml").write_text(CHANNELS)
    given = ["--channels", str(tmp_path / "channels.toml")]
    assert run(["book", "ESM6", str(capture), *given]) == 0
    first = capsys.readouterr().out.splitlines()[0]
    assert first.startswith("ESM6 (ES 2026-06, until 2026-06-19) at 2026-03-15 17:01:00")
    plan = mapped_plan(load_channels(tmp_path / "channels.toml"), OPEN_NS)
    texts = {
        name: contract_text(name, plan, OPEN_NS) for name in ("ESZ5", "6EF6", "CLM6", "174969")
    }
    assert texts == {
        "ESZ5": " (ES 2025-12, until 2025-12-19, expired)",
        "6EF6": " (6E 2026-01, expired)",
        "CLM6": " (CL 2026-06)",
        "174969": "",
    }


REAL = """
[[parents]]
name = "takes"
symbol = "174969"
side = "buy"
quantity = 5
limit = 7590
strategy = "sweep"
account = "desk"
start = 5

[[parents]]
name = "rests"
symbol = "174969"
side = "sell_short"
located = true
quantity = 3
strategy = "post"
account = "desk"
start = 6
end = 25
"""


def test_the_real_channel_with_orders(real_captures: Path, tmp_path: Path) -> None:
    capture = real_captures / "large" / LARGE
    if not capture.exists():
        pytest.skip(f"{LARGE} is not there")
    opened_ns = 1_475_013_600 * SECOND  # 17:00 in Chicago
    files = files_in(tmp_path, REAL, LIMITS.replace(LOCATES, "174969 = 1000\n"))
    lines = (("224.0.31.11", 14_320, "A"), ("224.0.32.11", 15_320, "B"))
    (tmp_path / "channels.toml").write_text(
        "".join(
            f'[[channels]]\nname = "cme fx"\nfeed = "cme_mdp3"\ngroup = "{group}"\n'
            f'port = {port}\nline = "{line}"\n'
            for group, port, line in lines
        )
    )
    setup = read_setup(*files, opened_ns - 800 * SECOND, 1, CMES)
    assert (setup.hours.open_ns, str(setup.hours.day)) == (opened_ns, "2016-09-28")
    plan = mapped_plan(load_channels(tmp_path / "channels.toml"), opened_ns)
    results = []
    for burst in (64, 7):
        how = How("fx", [capture], plan, 1024, burst=burst, unknown_trades=True, joined_whole=True)
        results.append(replay_with_orders(how, setup))
    found, again = results
    assert found.counts.sha256 == again.counts.sha256
    takes, rests = summary_of(found)["parents"]
    assert (takes["executed"], rests["executed"]) == (5, 3)
    assert takes["average_price"] <= 7590
    assert found.facts.messages == 5_299
