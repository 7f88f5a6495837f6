"""The live loop against five venues over real multicast and TCP, with losses and broken sessions.

They speak OUCH, BOE, Pillar and MEO. At the end both sides' accounts of every order have to be the
same.
"""

from __future__ import annotations

import os
import re
import signal
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pyarrow.parquet
import pytest
from agreement import check_agreement
from live_loop_rig import venues_speaking
from live_rig import Desk, Place, two_namespaces, why_no_loopback, why_no_namespaces
from routed_rig import PROTOCOLS, the_day

from console.compiling import compile_all
from console.routed.replaying import routed_kernels

VENUES = ("nasdaq", "bzx", "nyse", "memx", "iex")
SPEAKS = {"memx": "meo"}
MESSAGES = 40  # that have left before the first connection breaks
STRATEGIES, PLACES = 3, 3  # that have had something to do, at least: it is a market
CUTS = 5  # at most so many, until one meets an open order
VENUE = """
[protocols]
memx = "meo"

[[accounts]]
username = "ALFA"
password_env = "ALFA_PASSWORD"
cancel_on_disconnect = false

[[faults]]
kind = "loss"
line = "A"
rate = 0.05

[[faults]]
kind = "gap"
rate = 0.002
"""
APART = f"""
session_core = {min(os.sched_getaffinity(0))}
session_wait = "sleep"
"""
PARENT = """
[[parents]]
name = "{name}"
symbol = "{symbol}"
side = "{side}"
quantity = {quantity}
strategy = "{strategy}"
account = "desk"
start = "{start}"
end = "{end}"
{more}
"""
SPARE = """
[[parents]]
name = "spare"
symbol = "KOZ"
side = "buy"
quantity = 100
limit = "1.00"
strategy = "sweep"
account = "desk"
"""
WANTED = (
    ("sweep", "KOZ", "buy", 300, "sweep", ""),
    ("iceberg", "SAT", "buy", 4_000, "iceberg", "shown = 100"),
    ("twap", "VUS", "buy", 3_000, "twap", "slices = 30"),
    ("post", "NEV", "buy", 2_000, "post", ""),
    ("pov", "KOZ", "buy", 3_000, "pov", "rate = 0.2\ninterval_ms = 250"),
)


@pytest.fixture
def place() -> Iterator[Place]:
    """Two namespaces; without them loopback; without that the test is skipped."""
    reason = why_no_namespaces()
    if not reason:
        with two_namespaces() as made:
            yield made
        return
    other = why_no_loopback()
    if other:
        pytest.skip(f"{reason}; {other}")
    yield Place()


@pytest.fixture(params=["", APART], ids=["one core", "sessions apart"])
def desk(request: pytest.FixtureRequest, tmp_path: Path, place: Place) -> Iterator[Desk]:
    """Both sides' files; the kernels are compiled, and shared with the replays' tests."""
    protocols = sorted({*PROTOCOLS, *SPEAKS.values()})
    compile_all(routed_kernels(the_day().plan, protocols, lines=True))
    made = Desk(tmp_path, place, VENUE, before_s=3.0)
    settings = tmp_path / "live.toml"
    (tmp_path / "venues.toml").write_text(venues_speaking(SPEAKS))
    settings.write_text('venues = "venues.toml"\n' + request.param + settings.read_text())
    yield made
    made.close()


def parents(wanted: Sequence[tuple[object, ...]]) -> str:
    """Parents that begin in a moment and work longer than the test lasts."""
    now = datetime.now(UTC)
    times = {"start": iso(now + timedelta(seconds=1)), "end": iso(now + timedelta(seconds=120))}
    keys = ("name", "symbol", "side", "quantity", "strategy", "more")
    return "".join(PARENT.format(**dict(zip(keys, row, strict=True)), **times) for row in wanted)


def iso(when: datetime) -> str:
    """A time as files have it."""
    return when.isoformat(timespec="seconds")


def test_both_sides_agree_on_every_order_when_sessions_break_and_a_signal_ends_it(
    desk: Desk,
) -> None:
    run = desk.start_run()
    desk.wait(lambda: desk.count("the loop runs") == 1, "the loop runs")
    venues = desk.start_venues()
    desk.wait(lambda: desk.count("logged in as") == len(VENUES), "all sessions are up")
    (desk.folder / "parents.toml").write_text(parents(WANTED[:-1]))
    (desk.folder / "more.toml").write_text(parents(WANTED[-1:]) + SPARE)
    assert desk.parent("send", str(desk.folder / "more.toml")) == 0
    known = len(WANTED) + 1
    desk.wait(lambda: desk.count("parent", "is parent") == known, "the parents are known")
    assert desk.parent("suspend", "spare") == desk.parent("resume", "spare") == 0
    desk.wait(lambda: sent(desk) >= MESSAGES, "orders were sent")
    cuts = 0
    while cuts < CUTS and not desk.count("open orders are unknown"):
        cuts += 1
        venues.send(signal.SIGUSR1)
        logins = len(VENUES) * (1 + cuts)
        desk.wait(lambda n=logins: desk.count("logged in as") == n, "all are logged in again")
    assert desk.parent("cancel", "spare") == 0
    assert desk.parent("cancel", "nobody") == 1
    assert desk.count("says cancel parent") == 1
    assert run.stop() == 0, desk.said()
    assert not (desk.folder / "control.sock").exists()
    assert desk.count("stopping") == 1 and desk.count("logged out") == len(VENUES)
    assert venues.stop() == 0, desk.said()
    found = check_agreement(desk.results, desk.folder / "venues")
    assert [order for order in found.orders.values() if order["state"] == "open"] == []
    places = {venue for venue, _ in found.orders}
    assert len(places) >= PLACES and places & set(SPEAKS), places
    assert len(found.executions) > 5 and len(found.orders) > 20
    decided = pyarrow.parquet.read_table(desk.results / "decisions.parquet", columns=["parent"])
    assert len(set(decided["parent"].to_pylist())) >= STRATEGIES
    assert desk.count("open orders are unknown") >= 1
    assert no_password_in(desk), "a password was written"


def sent(desk: Desk) -> int:
    """Messages that the run has sent, as its last line of state says."""
    found = [re.search(r"sent (\d+), fills [1-9]", line) for line in desk.events()]
    return max((int(match[1]) for match in found if match is not None), default=0)


def no_password_in(desk: Desk) -> bool:
    """Whether no file that was written has the password in it."""
    from live_rig import PASSWORD

    files = [path for path in desk.folder.rglob("*") if path.is_file()]
    return not any(PASSWORD.encode() in path.read_bytes() for path in files)
