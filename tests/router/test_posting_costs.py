"""What posting is expected to cost: against floats, and the choice of venues with it."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import pytest
from dark_rig import CENT, DOLLAR, ONE
from hypothesis import given, settings
from hypothesis import strategies as st
from posting_rig import PostRig, enter_fill_chance, enter_halved
from slow_posting import SlowPosting, SlowVenue, chance

from feedhandler.actions import BUY, SELL
from router.routing.learning import Settings
from router.routing.parameters import HORIZON_NS, OFFSET_TICKS, PEG, PEG_IMPROVE, PEG_JOIN
from router.tables import PART

SECOND = 1_000_000_000
HALF_LIFE = 60 * SECOND
BASE = 1000  # ten dollars, in ticks


@pytest.fixture(scope="module")
def rig() -> Iterator[PostRig]:
    """Three lit venues."""
    with PostRig(3, 0, Settings(half_life_ns=HALF_LIFE, prior_shares=1, drift_ns=0)) as rig:
        yield rig


@settings(deadline=None)
@given(st.integers(0, 1 << 42), st.integers(0, 1 << 45), st.integers(1, 1 << 42))
def test_halving_is_the_power_of_two(value: int, elapsed: int, half_life: int) -> None:
    wanted = value * 2.0 ** -(elapsed / half_life)
    assert enter_halved(value, elapsed, half_life) == pytest.approx(wanted, abs=7e-4 * wanted + 2)


@settings(deadline=None, max_examples=80)
@given(st.integers(1, 10**9), st.integers(0, 100_000), st.integers(1, 100_000))
def test_the_chance_to_execute_is_that_of_the_float_model(
    outflow: int, queue: int, size: int
) -> None:
    made = enter_fill_chance(outflow, queue, size) / PART
    assert 0 <= made <= 1
    assert made == pytest.approx(chance(outflow / 1000, queue, size), abs=0.012)


def set_venue(rig: PostRig, number: int, venue: SlowVenue, side: int) -> None:
    """Makes a venue what the float model says it is."""
    levels = [(price * CENT, shares) for price, shares in (venue.near, venue.far)]
    bid, offer = levels if side == BUY else reversed(levels)
    rig.quote(number, bid, offer)
    tier = rig.tables.venues[number]["tiers"][0]
    tier["added"]["per_share"] = round(venue.adds * CENT)
    tier["removed"]["per_share"] = round(venue.removes * CENT)
    flow = rig.learning.flows[number, ONE, side - 1]
    flow["mass"] = round(venue.outflow / math.log(2) * 1024)
    flow["time_ns"], flow["drift"] = rig.now, round(venue.drift * CENT)


@st.composite
def markets(draw: Any) -> tuple[list[SlowVenue], int]:
    """Three venues around ten dollars and a sign."""
    sign = draw(st.sampled_from([1, -1]))
    width = draw(st.integers(1, 5))
    sizes = st.integers(1, 30).map(lambda lots: 100 * lots)
    venues = []
    for _ in range(3):
        away, beyond = draw(st.integers(0, 2)), draw(st.integers(0, 2))
        venues.append(
            SlowVenue(
                near=(BASE - sign * away, draw(sizes)),
                far=(BASE + sign * (width + beyond), draw(sizes)),
                outflow=draw(st.floats(5, 20_000)),
                adds=draw(st.floats(-0.4, 0.4)),
                removes=draw(st.floats(0, 0.4)),
                drift=draw(st.floats(-0.5, 1)),
            )
        )
    return venues, sign


@settings(deadline=None, max_examples=80)
@given(
    markets(),
    st.integers(1, 5000),
    st.sampled_from([PEG_JOIN, PEG_IMPROVE]),
    st.integers(1, 3),
    st.one_of(st.none(), st.integers(-3, 3)),
)
def test_shares_go_where_the_float_model_sends_them(
    rig: PostRig,
    market: tuple[list[SlowVenue], int],
    quantity: int,
    peg: int,
    offset: int,
    limit_ticks: int | None,
) -> None:
    venues, sign = market
    side = BUY if sign == 1 else SELL
    rig.parent(side)
    rig.parameters({PEG: peg, OFFSET_TICKS: offset, HORIZON_NS: HALF_LIFE})
    for number, venue in enumerate(venues):
        set_venue(rig, number, venue, side)
    slow = SlowPosting(venues, sign)
    limit = None if limit_ticks is None else BASE + limit_ticks
    price = slow.price(peg, offset, limit)
    rig.post(quantity, 0 if limit is None else limit * CENT)
    intents = rig.intents()
    assert {intent["price"] for intent in intents} == {price * CENT}
    split = [0] * 3
    for intent in intents:
        split[intent["venue"]] += intent["quantity"]
        assert intent["ahead"] == slow.queue(venues[intent["venue"]], price)
    assert sum(split) == quantity
    wanted = slow.split(quantity, price)
    worst = 0.02 * (slow.take() + 2)  # ticks a share: what rounded chances may cost
    assert slow.total(split, price) <= slow.total(wanted, price) + worst * quantity
    ((_, lines),) = rig.decisions()
    for number, line in enumerate(lines):
        size = split[number] or max(100, math.ceil(math.ceil(quantity / 16) / 100) * 100)
        cost = slow.cost(venues[number], price, 0, size)
        assert line["effective"] / CENT == pytest.approx(cost, abs=worst)
        assert line["chosen"] == split[number]


def test_a_shorter_queue_is_better(rig: PostRig) -> None:
    plain = {"far": (BASE + 2, 100), "outflow": 400.0}
    for number, shares in enumerate((900, 300, 600)):
        set_venue(rig, number, SlowVenue(near=(BASE, shares), **plain), BUY)
    rig.parent()
    rig.post(100)
    assert [intent["venue"] for intent in rig.intents()] == [1]
    rig.decisions()


def test_so_are_more_executions_a_rebate_and_less_drift(rig: PostRig) -> None:
    alike = {"near": (BASE, 300), "far": (BASE + 2, 100)}
    for better in ({"outflow": 800.0}, {"adds": -0.3}, {"drift": -0.5}):
        for number in range(3):
            given = {"outflow": 400.0} | (better if number == 2 else {})
            set_venue(rig, number, SlowVenue(**alike, **given), BUY)
        rig.parent()
        rig.post(100)
        assert [intent["venue"] for intent in rig.intents()] == [2]
    rig.decisions()


def test_below_a_dollar_rates_are_of_the_notional(rig: PostRig) -> None:
    for number in range(3):
        set_venue(rig, number, SlowVenue((50, 300), (52, 100), 1e6), BUY)
        rates = rig.tables.venues[number]["tiers"][0]
        rates["added"]["per_notional"], rates["added"]["per_share"] = 300_000, 5 * CENT
    rig.parent()
    rig.post(100)
    rig.intents()
    ((_, lines),) = rig.decisions()
    assert list(lines["second"]) == [-CENT + DOLLAR // 2 * 3 // 1000] * 3
