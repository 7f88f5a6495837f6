"""Two loops with their own symbols, sessions and limits against five venues, losses on one line.

At the end the merged report, each loop's own and the venues tell the same of every order.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pyarrow.parquet
import pytest
from agreement import Venues, check_agreement, rows_of
from live_rig import Desk, two_namespaces, why_no_namespaces
from routed_rig import PROTOCOLS, the_day

from console.compiling import compile_all
from console.routed.replaying import routed_kernels

SHARDS = ("east", "west")
OWN = {"east": {"KOZ"}, "west": {"NEV", "SAT", "VUS"}}
SESSIONS = {"east": {"nasdaq", "bzx", "nyse"}, "west": {"nasdaq", "nyse", "memx", "iex"}}
ACCOUNTS = {"east": "ALFA", "west": "BETA"}
COUNT = sum(map(len, SESSIONS.values()))
CAPITAL = 60_000  # of the account, in whole currency units: half of it is each loop's
VENUE = """
[[accounts]]
username = "ALFA"
password_env = "ALFA_PASSWORD"
cancel_on_disconnect = false

[[accounts]]
username = "BETA"
password_env = "ALFA_PASSWORD"
cancel_on_disconnect = false

[[faults]]
kind = "loss"
line = "A"
rate = 0.05
"""
PARENT = """
[[parents]]
name = "{name}"
symbol = "{symbol}"
side = "buy"
quantity = {quantity}
strategy = "{strategy}"
account = "desk"
start = "{start}"
end = "{end}"
{more}
"""
WANTED = (
    ("sweep", "KOZ", 4_000, "sweep", ""),
    ("twap", "KOZ", 3_000, "twap", "slices = 30"),
    ("iceberg", "SAT", 4_000, "iceberg", "shown = 100"),
    ("slices", "VUS", 3_000, "twap", "slices = 30"),
    ("take", "NEV", 4_000, "sweep", ""),
)


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    """Both sides' files in two namespaces; the kernels are compiled."""
    reason = why_no_namespaces()
    if not reason and len(os.sched_getaffinity(0)) < len(SHARDS):
        reason = "each loop wants a core of its own"
    if reason:
        pytest.skip(reason)
    compile_all(routed_kernels(the_day().plan, PROTOCOLS, lines=True, owned=True))
    with two_namespaces() as place:
        made = Desk(tmp_path, place, VENUE, before_s=3.0, shards=SHARDS)
        limits = (tmp_path / "limits.toml").read_text()
        (tmp_path / "limits.toml").write_text(
            limits.replace("capital = 1_000_000", f"capital = {CAPITAL}")
        )
        cores = dict(zip(SHARDS, sorted(os.sched_getaffinity(0)), strict=False))
        settings = (tmp_path / "sharded.toml").read_text()
        for name, core in cores.items():
            settings = re.sub(rf'(name = "{name}"\ncore = )\d+', rf"\g<1>{core}", settings)
        (tmp_path / "sharded.toml").write_text(settings)
        yield made
        made.close()


def parents() -> str:
    """Parents that begin in a moment and want more than the limits let them have."""
    now = datetime.now(UTC)
    start, end = (
        (now + timedelta(seconds=later)).isoformat(timespec="seconds") for later in (1, 120)
    )
    keys = ("name", "symbol", "quantity", "strategy", "more")
    rows = (dict(zip(keys, row, strict=True)) for row in WANTED)
    return "".join(PARENT.format(**row, start=start, end=end) for row in rows)


def fills(desk: Desk, shard: str) -> int:
    """Executions of a loop, as its last line of state says."""
    found = [re.search(r"fills (\d+)", line) for line in desk.events(shard)]
    return max((int(match[1]) for match in found if match is not None), default=0)


def test_both_loops_and_the_venues_agree_on_every_order(desk: Desk) -> None:
    run = desk.start_run()
    desk.wait(lambda: desk.count("the loop runs") == len(SHARDS), "both loops run")
    venues = desk.start_venues()
    desk.wait(lambda: desk.count("logged in as") == COUNT, "all sessions are up")
    (desk.folder / "more.toml").write_text(parents())
    assert desk.parent("send", str(desk.folder / "more.toml")) == 0
    desk.wait(lambda: desk.count("parent", "is parent") == len(WANTED), "the parents are known")
    desk.wait(lambda: all(fills(desk, shard) for shard in SHARDS), "both loops traded")
    assert run.stop() == 0, desk.said()
    assert desk.count("stopping") == len(SHARDS) and desk.count("logged out") == COUNT
    assert venues.stop() == 0, desk.said()
    found = check_agreement(desk.results, desk.folder / "venues")
    assert [order for order in found.orders.values() if order["state"] == "open"] == []
    check_each(desk)
    check_limits(desk, found)
    check_report(desk)


def check_each(desk: Desk) -> None:
    """Each loop traded its own symbols, where it has sessions; each venue's accounts say so too."""
    said = json.loads((desk.folder / "venues" / "orders.json").read_text())["venues"]
    for shard in SHARDS:
        orders = rows_of(desk.results / shard / "orders.parquet", ["symbol", "venue", "executed"])
        assert {order["symbol"] for order in orders} <= OWN[shard]
        assert {order["venue"] for order in orders} <= SESSIONS[shard]
        assert sum(order["executed"] for order in orders) > 0
        account = ACCOUNTS[shard]
        theirs = {venue: accounts.get(account, []) for venue, accounts in said.items()}
        assert {venue for venue, rows in theirs.items() if rows} <= SESSIONS[shard]
        assert {order["symbol"] for rows in theirs.values() for order in rows} <= OWN[shard]


def check_limits(desk: Desk, found: Venues) -> None:
    """No loop spent more than its part, and each wanted to."""
    symbols = {number: order["symbol"] for (_, number), order in found.orders.items()}
    for shard in SHARDS:
        spent = sum(
            shares * price
            for shares, price, number in found.executions.values()
            if symbols[number] in OWN[shard]
        )
        assert 0 < spent <= CAPITAL / 2, (shard, spent)
        stopped = rows_of(desk.results / shard / "rejects.parquet", ["reason"])
        assert "buying power" in {row["reason"] for row in stopped}, (shard, spent)


def check_report(desk: Desk) -> None:
    """The report of both is the sum of each."""
    for table in ("orders", "fills", "decisions", "rejects"):
        rows = [
            pyarrow.parquet.read_metadata(desk.results / name / f"{table}.parquet").num_rows
            for name in (*SHARDS, ".")
        ]
        assert rows[0] + rows[1] == rows[2] > 0, table
    said = json.loads((desk.results / "summary.json").read_text())
    assert sorted(row["name"] for row in said["parents"]) == sorted(row[0] for row in WANTED)
    assert "2 loops" in (desk.results / "report.html").read_text()
