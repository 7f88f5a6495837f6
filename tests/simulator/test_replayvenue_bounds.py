"""Replayed venues at their bounds: full tables, seeds, and the same bytes however they are cut."""

from __future__ import annotations

import re
from itertools import pairwise
from pathlib import Path
from random import Random
from typing import Any, Final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from replayvenue_rig import SMALL, B, Floor, S, dark, lit, model

from nic.layout import DESCRIPTOR_DTYPE
from router.tables import DAY, IOC
from simulator.matching.model import Latency, Troubles, VenueModel, shipped_models
from simulator.replay import layout
from simulator.replay.models import ReplayVenue
from simulator.replay.venues import Sizes

README: Final = Path(__file__).resolve().parents[2] / "simulator" / "replay" / "README.md"


def jittery(**more: object) -> VenueModel:
    """A venue whose latency is drawn."""
    way = Latency(base_ns=100, jitter_ns=300, spread=1.0, spike_chance=0.05, spike_ns=5_000)
    return model(inbound=way, outbound=way, **more)


def bytes_of_day(seed: int, cut_ns: int) -> list[tuple[int, int, bytes]]:
    """The answers of a day of random orders, time going on by at most `cut_ns` a step."""
    dice = Random(3)
    refuses = jittery(troubles=Troubles(reject_chance=0.2))
    venues = [lit(0, model=refuses), lit(1, model=jittery()), dark()]
    with Floor(venues, seed=seed) as floor:
        for _ in range(40):
            do, port = dice.randrange(4), dice.randrange(3)
            if do == 0:
                floor.add(dice.randrange(2), *dice.choice([(B, 1000), (S, 1001)]), 300)
            elif do == 1:
                floor.trade(dice.randrange(2), dice.choice((1000, 1001)), 200)
            else:
                side, tif = dice.choice((B, S)), dice.choice((DAY, IOC))
                floor.enter(side, 200, 1001 if side == B else 1000, port=port, tif=tif)
            for _ in range(2_000 // cut_ns):
                floor.wait(cut_ns)
        floor.wait(50_000)
        return floor.raw


@settings(max_examples=8, deadline=None)
@given(st.sampled_from([10, 40, 100, 250, 500]))
def test_any_cut_of_time_gives_the_same_bytes(cut_ns: int) -> None:
    whole = bytes_of_day(1, 2_000)
    assert len(whole) > 40
    assert bytes_of_day(1, cut_ns) == whole


def test_another_seed_gives_other_times() -> None:
    first, second = bytes_of_day(1, 2_000), bytes_of_day(2, 2_000)
    assert [time_ns for time_ns, _, _ in first] != [time_ns for time_ns, _, _ in second]


def test_answers_of_a_session_are_in_the_order_of_their_times() -> None:
    for port in range(3):
        times = [time_ns for time_ns, at, _ in bytes_of_day(4, 500) if at == port]
        assert times == sorted(times)


def test_a_venue_takes_no_more_messages_a_second_than_it_can() -> None:
    with Floor([lit(0, model=model(messages_per_second=1_000_000))]) as floor:
        for _ in range(5):
            floor.enter(B, 100, 1000)
        floor.said()
        floor.wait(10_000)
        times = [words["time_ns"] for _, _, words in floor.heard]
        assert [b - a for a, b in pairwise(times)] == [1_000] * 4


def test_too_many_messages_on_their_way_are_told_to_the_sender() -> None:
    with Floor(sizes=Sizes(orders=64, events=4, answers=64)) as floor:
        assert [floor.request(0, kind=9) for _ in range(5)] == [0, 0, 0, 0, -105]
        assert floor.sim.counters["unsent"] == 1
        assert floor.sim.send(0, b"x" * 1000, floor.now_ns) == -90
        floor.wait(1_000)
        assert floor.request(0, kind=9) == 0
        assert floor.sim.counters["unread"] == 4


def test_orders_beyond_the_table_are_refused() -> None:
    with Floor(sizes=Sizes(orders=2, events=16, answers=64)) as floor:
        tokens = [floor.enter(B, 100, 1000) for _ in range(3)]
        assert [floor.said(token) for token in tokens] == [
            ["accepted 100 at 1000"],
            ["accepted 100 at 1000"],
            ["rejected: full"],
        ]
        assert floor.sim.counters["full"] == 1


def test_replaces_beyond_the_room_for_tokens_are_refused() -> None:
    with Floor(sizes=Sizes(orders=2, events=16, answers=64)) as floor:
        token = floor.enter(B, 100, 1000)
        for price in (999, 998, 997):
            token = floor.replace(token, 100, price)
            floor.wait(300)
        last = floor.replace(token, 100, 996)
        assert floor.said(last) == ["cancel rejected: full"]


def test_an_order_takes_no_more_levels_than_there_is_room_for_answers() -> None:
    with Floor(sizes=Sizes(orders=8, events=16, answers=4)) as floor:
        for price in range(1001, 1006):
            floor.add(0, S, price, 100)
        token = floor.enter(B, 500, 1005, IOC)
        assert floor.said(token) == [
            "accepted 500 at 1005",
            "executed 100 at 1001, 400 left",
            "executed 100 at 1002, 300 left",
            "canceled 300: ioc remainder",
        ]


def test_fills_that_find_no_room_for_their_answers_come_with_the_next_trade() -> None:
    with Floor(sizes=Sizes(orders=8, events=16, answers=4)) as floor:
        tokens = []
        for _ in range(4):
            tokens.append(floor.enter(B, 100, 1000))
            floor.wait(500)
        floor.trade(0, 999, 1)
        assert floor.sim.counters["untaken"] == 1
        assert floor.said(tokens[2])[1:] == ["executed 100 at 1000, 0 left"]
        assert floor.said(tokens[3])[1:] == []
        floor.trade(0, 999, 1)
        assert floor.said(tokens[3])[1:] == ["executed 100 at 1000, 0 left"]


def test_troubles_of_a_model_come_as_often_as_it_says() -> None:
    always = lit(0, model=model(troubles=Troubles(reject_chance=1.0)))
    with Floor([always]) as floor:
        assert floor.said(floor.enter(B, 100, 1000)) == ["rejected: refused"]


def test_trade_through_protection_stops_at_the_national_best() -> None:
    with Floor([lit(0, model=model(protect=True)), lit(1)]) as floor:
        floor.add(0, S, 1001, 100)
        floor.add(0, S, 1003, 100)
        floor.add(1, S, 1001, 100)
        taker = floor.enter(B, 200, 1003, IOC)
        assert floor.said(taker)[1:] == [
            "executed 100 at 1001, 100 left",
            "canceled 100: ioc remainder",
        ]
        sweep = floor.enter(B, 100, 1003, IOC, flags=1)
        assert floor.said(sweep)[1:] == ["executed 100 at 1003, 0 left"]


def test_all_shipped_models_stand_at_the_end_of_a_replay() -> None:
    plans = [
        ReplayVenue(name=name[:16], model=each, quotes=-1 if each.dark else number)
        for number, (name, each) in enumerate(sorted(shipped_models().items()))
    ]
    with Floor(plans, feeds=16, sizes=SMALL) as floor:
        for number, plan in enumerate(plans):
            if plan.quotes >= 0:
                floor.add(plan.quotes, S, 1001, 100)
                floor.add(plan.quotes, B, 1000, 100)
            floor.enter(B, 200, 1001, IOC, port=number)
        floor.wait(1_000_000)
        floor.said()
        ends = [words["leaves"] for _, _, words in floor.heard if words["kind"] in (21, 22)]
        assert len({port for _, port, _ in floor.heard}) == len(plans)
        assert ends.count(0) == len(plans)


def test_the_example_of_the_readme_runs() -> None:
    block = re.search(r"```python\n(.*?)```", README.read_text(), re.DOTALL)
    assert block is not None
    with Floor() as floor:
        names: dict[str, Any] = {"market": floor.market}
        exec(compile(block[1], "README", "exec"), names)
        with names["sim"] as sim:
            assert [port.name for port in sim.ports] == ["nasdaq", "bzx", "pool"]
            assert sim.due_ns == layout.NEVER


def test_impossible_plans_are_refused() -> None:
    for venues, words in (
        ([lit(0), lit(0)], "same number"),
        ([lit(0, sessions=8)] + [dark(sessions=8)] * 7, "sessions"),
    ):
        with pytest.raises(ValueError, match=words):
            Floor(venues)
    with pytest.raises(ValueError, match="power of two"):
        Floor(sizes=Sizes(answers=5))


def test_descriptors_say_when_an_answer_is_at_the_router() -> None:
    assert DESCRIPTOR_DTYPE.itemsize == 32
    with Floor() as floor:
        floor.enter(B, 100, 1000)
        assert floor.sim.answers(0) == []  # nothing before the step
        arrival = floor.sim.due_ns
        assert floor.sim.step(arrival, floor.memory) == 0
        assert floor.sim.due_ns == arrival + 50
        assert floor.sim.step(arrival + 50, floor.memory) == 1
        assert [answer.time_ns for answer in floor.sim.answers(0)] == [arrival + 50]
        assert floor.sim.due_ns == layout.NEVER
