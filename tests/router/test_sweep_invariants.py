"""Sweeps over anything: every rule kept, and the cost of the best allocation there is."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from slow_sweep import Problem, best_allocation, check_orders
from sweep_rig import DOLLAR, Sweep, SweepRig, Venue

from router.routing import layout

ROUTED = 4
CENT = DOLLAR // 100
ROUND_LOT = 10
UNTAKEN = layout.DOWN | layout.NOT_LIVE | layout.NOTHING | layout.BEYOND_LIMIT | layout.OWN_ORDER
REASONS = (
    UNTAKEN | layout.IN_FLIGHT | layout.NO_ISO | layout.NO_ROUTE | layout.DEARER | layout.LOT
    | layout.THROUGH
)  # fmt: skip


@pytest.fixture(scope="module")
def rig() -> Iterator[SweepRig]:
    made = SweepRig(ROUTED)
    yield made
    made.close()


@st.composite
def ladders(draw: st.DrawFn, side: str, top: int, step: int) -> list[tuple[int, int]]:
    """Up to four levels around a price."""
    ranks = draw(st.sets(st.integers(0, 5), max_size=4))
    sign = 1 if side == "buy" else -1
    return [(top + sign * step * rank, draw(st.integers(1, 25))) for rank in sorted(ranks)]


@st.composite
def venues(draw: st.DrawFn, side: str, top: int, step: int, lots: list[int]) -> Venue:
    """A venue with every oddity that there is."""
    return Venue(
        draw(ladders(side, top, step)),
        fee=draw(st.integers(-3, 3)) * step // 2,
        small_fee=draw(st.sampled_from([0, 300_000, 100_000, -50_000])),
        lot=draw(st.sampled_from(lots)),
        least=draw(st.sampled_from([1, 1, 1, 7, 12])),
        protected=draw(st.booleans()),
        takes_iso=draw(st.sampled_from([True, True, True, False])),
        down=draw(st.sampled_from([0, 0, 0, 0, 0, 2])),
        live=draw(st.sampled_from([True, True, True, True, True, False])),
        flight=draw(st.sampled_from([0, 0, 0, 5, 20])),
        own=draw(st.sampled_from([0, 0, 0, 0, top + 2 * step, top - 2 * step])),
        latency_ns=draw(st.integers(0, 3)) * 1000,
    )


@st.composite
def scenes(draw: st.DrawFn) -> tuple[list[Venue], str, int, int]:
    """Venues (one without a way to it at times), side, quantity and limit."""
    side = draw(st.sampled_from(["buy", "sell"]))
    step = draw(st.sampled_from([CENT, CENT, CENT // 100]))
    sign = 1 if side == "buy" else -1
    top = draw(st.sampled_from([10 * DOLLAR, DOLLAR - sign * 2 * step]))  # fees change at a dollar
    lots = draw(st.sampled_from([[1], [1], [5], [1, 5, 10], [1, 2, 3], [4, 6], [2, 5]]))
    made = draw(st.lists(venues(side, top, step, lots), min_size=1, max_size=ROUTED + 1))
    for venue in made[ROUTED:]:
        venue.flight = venue.own = venue.down = 0
    limit = draw(st.sampled_from([0, 0, top + sign * 2 * step]))
    return made, side, draw(st.integers(1, 120)), limit


@st.composite
def turning_scenes(draw: st.DrawFn) -> tuple[list[Venue], str, int, int]:
    """Ladders across a dollar, where a level behind a dearer one is cheaper after fees."""
    side = draw(st.sampled_from(["buy", "sell"]))
    sign, made = 1 if side == "buy" else -1, []
    lots = draw(st.sampled_from([[1], [5], [1, 5]]))
    for _ in range(draw(st.integers(2, ROUTED))):
        venue = draw(venues(side, DOLLAR - sign * CENT, CENT, lots))
        venue.fee = -sign * CENT * draw(st.integers(0, 7)) // 4  # a rebate above, or a fee to leave
        venue.protected, venue.live, venue.down = False, True, 0
        made.append(venue)
    return made, side, draw(st.integers(10, 80)), 0


def taken_by_venue(sweep: Sweep) -> dict[int, int]:
    """Shares chosen among the candidates."""
    made: dict[int, int] = {}
    for line in sweep.candidates[sweep.candidates["chosen"] > 0]:
        made[int(line["venue"])] = made.get(int(line["venue"]), 0) + int(line["chosen"])
    return made


def check_candidates(sweep: Sweep, side: str) -> None:
    """The decision's record says what was sent, and of all else why it was not."""
    lines, sign = sweep.candidates, 1 if side == "buy" else -1
    assert taken_by_venue(sweep) == {v: row["quantity"] for v, row in sweep.orders.items()}
    assert sweep.decision.words[5] == len(lines)
    assert ((lines["chosen"] > 0) != (lines["flags"] & REASONS > 0)).all()
    assert (lines["chosen"] + lines["second"] <= lines["shares"]).all()
    for venue, row in sweep.orders.items():
        mine = lines[(lines["venue"] == venue) & (lines["chosen"] > 0)]
        assert row["price"] == sign * (sign * mine["price"]).max()
        assert ((mine["flags"] & layout.BY_ISO > 0) == (row["flags"] & 1)).all()


def check_arrival(sweep: Sweep, scene: list[Venue]) -> None:
    """All orders of a sweep arrive at the same time."""
    sent = {v: row["send_ns"] for v, row in sweep.orders.items()}
    if len(sent) == 1:
        assert set(sent.values()) == {0}
    elif sent:
        assert len({ns + scene[v].latency_ns for v, ns in sent.items()}) == 1
        assert min(sent.values()) == sweep.decision.time_ns


@settings(
    max_examples=450, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(scene=scenes())
def test_sweeps_keep_every_rule_and_cost_least(
    rig: SweepRig, scene: tuple[list[Venue], str, int, int]
) -> None:
    given_venues, side, quantity, limit = scene
    rig.set_up(given_venues, side, ROUND_LOT)
    sweep = rig.take(quantity, limit, side)
    problem = Problem(given_venues, side, limit, ROUND_LOT, ROUTED)
    assert not sweep.bounded
    assert check_orders(problem, sweep, quantity, limit) == best_allocation(problem, quantity)
    check_candidates(sweep, side)
    check_arrival(sweep, given_venues)


@settings(
    max_examples=180, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(scene=turning_scenes())
def test_fees_that_change_at_a_dollar_are_no_trap(
    rig: SweepRig, scene: tuple[list[Venue], str, int, int]
) -> None:
    given_venues, side, quantity, limit = scene
    rig.set_up(given_venues, side, ROUND_LOT)
    sweep = rig.take(quantity, limit, side)
    problem = Problem(given_venues, side, limit, ROUND_LOT, ROUTED)
    assert not sweep.bounded
    assert check_orders(problem, sweep, quantity, limit) == best_allocation(problem, quantity)


def test_the_same_books_give_the_same_record(rig: SweepRig) -> None:
    given_venues = [Venue([(10 * DOLLAR, 5), (11 * DOLLAR, 9)], fee=n) for n in range(ROUTED)]
    rig.set_up(given_venues, "buy", ROUND_LOT)
    first, second = rig.take(17), rig.take(17)
    assert np.array_equal(first.candidates, second.candidates)
    assert second.decision.words[0] == first.decision.words[0] + 1
