"""A live run in two loops against venues over real multicast and TCP: each trades its symbols."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from live_rig import Desk, Place, two_namespaces, why_no_namespaces
from routed_rig import the_day
from sharded_rig import owned_loop

from console.compiling import compile_all
from nic.thread import online_cores

VENUES = 5
CORES = sorted(online_cores())
ACCOUNT = '[[accounts]]\nusername = "{}"\npassword_env = "ALFA_PASSWORD"\n'
SHARD = '[[shards]]\nname = "{}"\ncore = {}\nsymbols = {}\nshare = 0.5\n\n'
PARENT = (
    '[[parents]]\nname = "{0}"\nsymbol = "{0}"\nside = "buy"\nquantity = 200\n'
    'strategy = "sweep"\naccount = "desk"\n'
)


@pytest.fixture
def place() -> Iterator[Place]:
    """Two namespaces."""
    reason = why_no_namespaces()
    if reason:
        pytest.skip(reason)
    if len(CORES) < 2:
        pytest.skip("wants two cores")
    with two_namespaces() as made:
        yield made


@pytest.fixture
def desk(tmp_path: Path, place: Place) -> Iterator[Desk]:
    """Both sides' files, with an account a shard; the kernels are those of other tests."""
    compile_all([owned_loop(), *the_day().kernels[1:]])
    made = Desk(tmp_path, place, ACCOUNT.format("ALFA") + ACCOUNT.format("BETA"), before_s=3.0)
    path = made.folder / "live.toml"
    head, *sessions = path.read_text().split("[[sessions]]\n")
    last, mark, recovery = sessions[-1].partition("[[recovery]]")
    sessions[-1] = last
    shards = SHARD.format("east", CORES[0], '["KOZ"]') + SHARD.format("west", CORES[1], '["rest"]')
    east = "".join(f'[[sessions]]\nshard = "east"\n{text}' for text in sessions)
    west = east.replace('"east"', '"west"').replace('"ALFA"', '"BETA"')
    path.write_text(head + shards + east + west + mark + recovery)
    yield made
    made.close()


def test_each_loop_logs_in_trades_its_symbols_and_ends(desk: Desk) -> None:
    run = desk.start_run()
    desk.wait(lambda: run.text().count("the loop runs") == 2, "both loops run")
    venues = desk.start_venues()
    logins = 2 * VENUES
    desk.wait(lambda: run.text().count("logged in as") >= logins, "all sessions are up")
    (desk.folder / "parents.toml").write_text("".join(map(PARENT.format, ("KOZ", "VUS"))))
    desk.wait(lambda: run.text().count(" is parent 1") == 2, "each has its parent")
    desk.wait(lambda: has_filled(run.text()), "both have executions")
    assert run.stop() == 0, desk.said()
    assert venues.stop() == 0, desk.said()
    for shard, symbol in (("east", "KOZ"), ("west", "VUS")):
        said = json.loads((desk.results / shard / "summary.json").read_text())
        assert [(row["name"], row["symbol"]) for row in said["parents"]] == [(symbol, symbol)]
        assert said["parents"][0]["executed"] > 0
    orders = json.loads((desk.folder / "venues" / "orders.json").read_text())
    assert {"ALFA", "BETA"} <= set(json.dumps(orders).split('"'))


def has_filled(text: str) -> bool:
    """Whether the last line of state of both loops has executions."""
    lines = [line for line in text.splitlines() if "sessions up" in line]
    last = {name: [x for x in lines if f" {name}: " in x][-1:] for name in ("east", "west")}
    return all(line and not line[0].endswith("fills 0") for line in last.values())
