"""A live run in several loops: what each of them is told, and that it writes its own rows only."""

from __future__ import annotations

import json
import signal
import threading
import time
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from live_loop_rig import ENVIRONMENT, START, rehearsal
from routed_rig import the_day
from sharded_rig import SYMBOLS, owned_loop

from console.live.books import SymbolLearner
from console.live.command import Came
from console.live.going import Ended
from console.live.run import LiveRun
from console.live.sent import LiveCollector
from console.live.setup import LiveSetup, read_live
from console.live.shards import Crew, settings_of, setup_of, shards_in, write_together
from console.plan import replay_uri
from console.routed.facts import facts_of
from console.routed.replaying import names_of
from console.routed.run import RoutedRun
from console.sharded.pieces import parts_of
from nic.configfile import ConfigError

SHARD = '[[shards]]\nname = "{}"\ncore = {}\nsymbols = {}\nshare = 0.5\n'
SHARDS = SHARD.format("east", 0, '["A-M"]') + SHARD.format("west", 1, '["rest"]')
LAST = "stop_at_close = false\n"


def sharded(folder: Path, shards: str = SHARDS, owner: str = "east", **changes: str) -> LiveSetup:
    """The rehearsal's settings with shards; all its sessions but the last are one shard's."""
    session, last = "[[sessions]]\n", 'venue = "iex"'
    more = {
        LAST: f"{LAST}\n{shards}\n",
        session: f'{session}shard = "{owner}"\n',
        f'shard = "{owner}"\n{last}': f'shard = "west"\n{last}',
    }
    return rehearsal(folder, **{**more, **changes})


WRONG = [
    ({"shards": ""}, 'sessions[0].shard: expected a shard (there are none), found "east"'),
    ({"owner": "north"}, 'sessions[0].shard: expected a shard (east, west), found "north"'),
    ({"shards": SHARDS.replace('"rest"', '"O-Z"')}, "nobody has N"),
    ({"owner": "west"}, "shards: shard east has no [[sessions]] table"),
    ({"[[ports]]\n": '[[ports]]\nshard = "west"\n'}, "shards: shard east has no [[ports]] table"),
    ({'wait = "sleep"': 'core = 0\nwait = "sleep"'}, "core: each of the shards has its own"),
    ({"[[ports]]\n": '[[ports]]\nshard = "up"\n'}, "ports[0].shard: expected a shard (east, west)"),
    ({"share = 0.5": "share = 0.6"}, "share: expected 1 at most in all"),
]


@pytest.mark.parametrize(("changes", "line"), WRONG)
def test_what_does_not_fit(tmp_path: Path, changes: dict[str, str], line: str) -> None:
    given = dict(changes)
    if "share = 0.5" in given:
        given = {"shards": SHARDS.replace("share = 0.5", given["share = 0.5"])}
    with pytest.raises(ConfigError) as caught:
        sharded(tmp_path, **given)
    assert line in str(caught.value) and "\n" not in str(caught.value)


def parts(setup: LiveSetup, stack: ExitStack) -> Sequence[Any]:
    """The loops of a setup."""
    plan, shards = setup.plan(START), shards_in(setup.live)
    _, made = parts_of(plan, shards, setup.path, stack, unknown_trades=True, pinned=False)
    return made


def test_the_example_divides_all_that_the_rehearsal_has(tmp_path: Path) -> None:
    whole = rehearsal(tmp_path)
    setup = read_live(tmp_path / "sharded.toml", START, ENVIRONMENT)
    assert setup.symbols == whole.symbols and setup.recoveries.keys() == whole.recoveries.keys()
    assert {one.venue for one in setup.live.sessions} == {one.venue for one in whole.live.sessions}
    both = [one for one in setup.live.sessions if one.venue in ("nasdaq", "nyse")]
    assert len({(one.venue, one.username) for one in both}) == len(both) == 4
    assert len({one.stream for one in both if one.venue == "nyse"}) == 2
    with ExitStack() as stack:
        told = [setup_of(setup, part, n, ENVIRONMENT) for n, part in enumerate(parts(setup, stack))]
    owned = [{name for name in setup.symbols if one.owner.owns(name)} for one in told if one.owner]
    assert all(owned) and set.union(*owned) == set(setup.symbols) and not owned[0] & owned[1]


def test_each_loop_is_told_its_own(tmp_path: Path) -> None:
    setup = sharded(tmp_path)
    one, other = (settings_of(setup.live, number) for number in range(2))
    assert [one.core, other.core] == [0, 1] and not one.shards and not other.shards
    assert [session.venue for session in other.sessions] == ["iex"]
    assert len(one.sessions) + 1 == len(setup.live.sessions)
    assert all(session.shard == "" for session in one.sessions)
    assert [port.uri for port in one.ports] == [port.uri for port in other.ports] != []
    assert other.first_token - one.first_token >= 2 * setup.live.children
    assert one.results != other.results and one.state != other.state and one.name != other.name
    with ExitStack() as stack:
        made = parts(setup, stack)
        told = [setup_of(setup, part, n, ENVIRONMENT) for n, part in enumerate(made)]
    assert list(told[1].credentials) == ["iex"] and "iex" not in told[0].credentials
    assert told[0].owner is not None and told[0].owner.owns("KOZ") and not told[0].owner.owns("VUS")


def test_parents_go_to_the_loop_that_has_their_symbol(tmp_path: Path) -> None:
    setup = sharded(tmp_path)
    (tmp_path / "parents.toml").write_text(
        "".join(
            f'[[parents]]\nname = "{symbol}"\nsymbol = "{symbol}"\nside = "buy"\nquantity = 1\n'
            'strategy = "sweep"\naccount = "desk"\n'
            for symbol in SYMBOLS
        )
    )
    with ExitStack() as stack:
        made = parts(setup, stack)
        told = [setup_of(setup, part, n, ENVIRONMENT) for n, part in enumerate(made)]
    found = [[order.name for order in each.read_new_parents()] for each in told]
    assert found == [["KOZ"], ["NEV", "SAT", "VUS"]]


def test_a_signal_is_for_all_loops() -> None:
    came = Came()
    copies = [came.copy(), came.copy()]
    came.take(signal.SIGHUP, None)
    copies[0].reload = False
    came.take(signal.SIGTERM, None)
    assert [copy.stops for copy in copies] == [1, 1] and copies[1].reload
    assert came.copy().stops == 1


def test_who_cannot_end_lets_the_others_end_first() -> None:
    came = Came()
    crew = Crew([came.copy() for _ in range(3)])
    crew.ended(0)

    def other() -> None:
        while not crew.came[2].stops:
            time.sleep(0.001)
        crew.ended(2)

    thread = threading.Thread(target=other)
    thread.start()
    crew.came[1].before_exit()
    assert [one.stops for one in crew.came] == [1, 0, 1]
    thread.join()


PRICES = [f"{kind}{side}{part}" for kind in ("", "national_", "odd_") for side in ("bid", "offer")
          for part in ("", "_quantity", "_venues")]  # fmt: skip


def test_each_loop_learns_and_writes_its_own_symbols_only(tmp_path: Path) -> None:
    setup, day, ended = sharded(tmp_path), the_day(), list[Ended]()
    uri = replay_uri(day.captures)
    with ExitStack() as stack:
        made = parts(setup, stack)
        for number, part in enumerate(made):
            told = setup_of(setup, part, number, ENVIRONMENT)
            run = stack.enter_context(LiveRun(told, part.plan, part))
            learner = SymbolLearner(run)
            learner.learn_numbers("nyse", {name: n for n, name in enumerate(SYMBOLS, 1)})
            with run.opened(owned_loop(), uri, burst=1) as step:
                while step(16):
                    learner.step()
                names = names_of(run, told.venues)
                collector = LiveCollector(run.tables, names, len(told.venues))
                facts = facts_of(run, run.block, told.live.name, 1.0)
                ended.append(Ended(number, collector.finish(facts)))
            learner.step()
            run.market.refresh(run.last_ns)
            own = {n for n, name in enumerate(setup.symbols, 1) if told.owner.owns(name)}
            mapped = set(np.unique(run.market.maps[run.market.maps > 0]).tolist())
            assert mapped == own
            assert all(not book.faults() for book in run.books.values())
        market = made[0].market
        with RoutedRun(day.plan, day.orders, unknown_trades=True) as single:
            single.adopt(day.scout)
            with single.opened(day.kernels[0], uri, burst=64) as step:
                while step(64):
                    pass
            for number, name in enumerate(setup.symbols, 1):
                row = single.market.records[single.master.number_of(name)]
                found = market.record(number)
                assert found[PRICES].item() == row[PRICES].item() and int(found["bid"]) > 0
    write_together(setup, shards_in(setup.live), ended)
    said = json.loads((tmp_path / "results" / "summary.json").read_text())
    assert said["name"] == "rehearsal" and "2 loops" in said["notes"][0]
    assert said["packets"] == max(one.results.facts.packets for one in ended) > 0
    assert (tmp_path / "results" / "report.html").exists()
