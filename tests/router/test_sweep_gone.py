"""Shares that are shown and not there: taken by us, or gone before our order came."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from sweep_rig import DOLLAR, SweepRig, Venue

from router.routing import layout
from router.routing.gonetable import GONE_NS

TEN, CENT = 10 * DOLLAR, DOLLAR // 100
START_NS = 5_000_000


@pytest.fixture
def rig() -> Iterator[SweepRig]:
    made = SweepRig(2)
    made.set_up([Venue([(TEN, 300), (TEN + CENT, 200)]), Venue([(TEN + CENT, 400)])], "buy")
    yield made
    made.close()


def asked(rig: SweepRig, quantity: int) -> dict[int, int]:
    """Shares by venue of a sweep."""
    return {venue: row["quantity"] for venue, row in rig.take(quantity).orders.items()}


def test_what_an_order_asked_for_is_left_alone_while_the_quote_stands(rig: SweepRig) -> None:
    rig.over(0, "buy", 300, START_NS)
    assert asked(rig, 300) == {0: 200, 1: 100}
    sweep = rig.take(300)
    first = sweep.candidates[sweep.candidates["venue"] == 0][0]
    assert first["flags"] & layout.IN_FLIGHT
    assert first["second"] == 300


def test_a_part_that_was_asked_for_leaves_the_rest_of_the_level(rig: SweepRig) -> None:
    rig.over(0, "buy", 120, START_NS)
    assert asked(rig, 180) == {0: 180}


def test_two_orders_add_up(rig: SweepRig) -> None:
    rig.over(0, "buy", 120, START_NS)
    rig.over(0, "buy", 80, START_NS)
    assert asked(rig, 300)[0] >= 100
    sweep = rig.take(300)
    assert sweep.candidates[sweep.candidates["venue"] == 0]["second"][0] == 200


def test_a_changed_quote_is_believed_again(rig: SweepRig) -> None:
    rig.over(0, "buy", 300, START_NS)
    rig.set_up([Venue([(TEN, 310), (TEN + CENT, 200)]), Venue([(TEN + CENT, 400)])], "buy")
    assert asked(rig, 300) == {0: 300}


def test_a_quote_that_changed_before_the_order_was_over_is_believed(rig: SweepRig) -> None:
    def feed() -> None:
        rig.set_up([Venue([(TEN, 90), (TEN + CENT, 200)]), Venue([(TEN + CENT, 400)])], "buy")

    rig.after_seen = feed  # type: ignore[method-assign]
    rig.over(0, "buy", 300, START_NS)
    assert asked(rig, 90) == {0: 90}


def test_after_a_while_what_is_shown_is_believed_again(rig: SweepRig) -> None:
    rig.over(0, "buy", 300, START_NS)
    rig.tables.head["now_ns"] = START_NS + GONE_NS - 1
    assert rig.take(100, limit=TEN).asked == 0
    rig.tables.head["now_ns"] = START_NS + GONE_NS
    assert rig.take(100, limit=TEN).asked == 100


def test_the_other_side_and_orders_that_never_arrived_say_nothing(rig: SweepRig) -> None:
    rig.over(0, "sell", 300, START_NS)
    rig.over(0, "buy", 300, START_NS, heard=False)
    assert asked(rig, 300) == {0: 300}


def test_a_sweep_that_finds_nothing_again_is_told_once(rig: SweepRig) -> None:
    beyond = TEN - CENT
    assert rig.take(100, limit=beyond).asked == 0
    told = int(rig.tables.head["decision_count"])
    rig.tables.parents["idle"][1] = 1
    rig.take_quietly(100, beyond)
    assert int(rig.tables.head["decision_count"]) == told
    assert list(rig.tables.log.read()) == []
