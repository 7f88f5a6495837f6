"""Schedules against plain models: curves, what is due when, days from start to end."""

from __future__ import annotations

import math
from fractions import Fraction
from itertools import cycle, pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from slow_schedule import SlowSchedule
from strategy_rig import (
    HOURS,
    OPEN_NS,
    SECOND,
    Said,
    a_day,
    a_desk,
    all_of_it,
    an_order,
    takes_only,
)

from nic.regions import allowed
from router.strategies import profiles
from router.strategies.curves import CURVE_DTYPE, MOST_SPAN_NS
from router.strategies.interpolate import part_by, scaled, time_of
from router.strategies.settings import Scheduled, Shortfall, Twap, Vwap
from router.tables import PART

DAY_NS = HOURS.close_ns - OPEN_NS
FILLED = (Fraction(0), Fraction(1, 5), Fraction(1, 2), Fraction(1))
LARGE = 1_000_000_000  # shares, so that a share is a part of 1e-9
NEVER_TAKES = {"tolerance": PART, "lot": 1, "finish": "cancel"}


def due_at_slices(strategy: Scheduled, span_ns: int, start_ns: int = OPEN_NS) -> list[float]:
    """The part due by the end of each slice, as the kernel says it."""
    order = an_order(strategy, quantity=LARGE, start_ns=start_ns, end_ns=start_ns + span_ns)
    with a_desk(order, arrived_ns=start_ns) as desk:
        edges = (-(-span_ns * number // strategy.slices) for number in range(strategy.slices))
        return [desk.says(start_ns + edge).quantity / LARGE for edge in edges]


def test_a_twap_is_a_straight_line() -> None:
    due = due_at_slices(Twap(slices=30, **NEVER_TAKES), DAY_NS)
    assert due == pytest.approx([(k + 1) / 30 for k in range(30)], abs=1e-6)


@pytest.mark.parametrize("volumes", [profiles.USUAL_VOLUMES, (1,), (5, 0, 0, 7), tuple(range(125))])
def test_a_vwap_follows_the_volumes(volumes: tuple[int, ...]) -> None:
    slices = len(volumes)
    due = due_at_slices(Vwap(slices=slices, volumes=volumes, **NEVER_TAKES), DAY_NS)
    total = sum(volumes)
    model = [sum(volumes[: number + 1]) / total for number in range(slices)]
    assert due == pytest.approx(model, abs=1e-6)


def test_a_vwap_over_a_part_of_the_day_has_that_part_of_the_profile() -> None:
    volumes = profiles.USUAL_VOLUMES
    start, end = OPEN_NS + DAY_NS * 3 // 10, OPEN_NS + DAY_NS * 8 // 10
    strategy = Vwap(slices=10, volumes_from_ns=OPEN_NS, volumes_to_ns=HOURS.close_ns, **NEVER_TAKES)

    def volume_by(part: float) -> float:
        bins = part * len(volumes)
        whole = int(bins)
        return sum(volumes[:whole]) + (bins - whole) * volumes[min(whole, len(volumes) - 1)]

    due = due_at_slices(strategy, end - start, start)
    times = [0.3 + 0.05 * (number + 1) for number in range(10)]
    whole = volume_by(0.8) - volume_by(0.3)
    model = [(volume_by(time) - volume_by(0.3)) / whole for time in times]
    assert due == pytest.approx(model, abs=1e-6)


def test_the_usual_volumes_are_a_u() -> None:
    volumes = profiles.USUAL_VOLUMES
    assert len(volumes) == 13 and sum(volumes) == 1000
    low = volumes.index(min(volumes))
    assert list(volumes[: low + 1]) == sorted(volumes[: low + 1], reverse=True)
    assert list(volumes[low:]) == sorted(volumes[low:])
    assert max(volumes) == volumes[-1]


@pytest.mark.parametrize("risk_aversion", [0.0, 1e-6, 2.5e-5, 1e-3, 0.5])
@pytest.mark.parametrize("slices", [5, 40, 127])
def test_a_shortfall_curve_is_almgrens_and_chriss_trajectory(
    risk_aversion: float, slices: int
) -> None:
    strategy = Shortfall(slices=slices, risk_aversion=risk_aversion, **NEVER_TAKES)
    left = [1.0, *(1 - part for part in due_at_slices(strategy, DAY_NS))]
    step = 1 / slices  # of a trading day
    adjusted = strategy.temporary_impact - strategy.permanent_impact * step / 2
    squared = risk_aversion * strategy.volatility**2 / adjusted
    kappa = math.acosh(1 + squared * step * step / 2) / step
    if 0 < kappa < 300:
        model = [math.sinh(kappa * (1 - k * step)) / math.sinh(kappa) for k in range(slices + 1)]
        assert left == pytest.approx(model, abs=1e-6)
    growth = squared * step * step
    # The paper's own condition: the second difference of what is left is kappa~^2 times it.
    for before, here, after in zip(left, left[1:], left[2:], strict=False):
        assert before - 2 * here + after == pytest.approx(growth * here, abs=1e-8 * (1 + growth))
    assert left[-1] == 0


def test_more_risk_aversion_trades_earlier() -> None:
    halves = [
        due_at_slices(Shortfall(slices=10, risk_aversion=aversion, **NEVER_TAKES), DAY_NS)[4]
        for aversion in (0.0, 2.5e-5, 1e-3)
    ]
    assert halves[0] == pytest.approx(0.5, abs=1e-6)
    assert halves == sorted(halves) and halves[2] > 0.9


def test_an_impact_that_outweighs_the_trade_is_refused() -> None:
    strategy = Shortfall(slices=1, permanent_impact=1e-4)
    with pytest.raises(ValueError, match=r"^temporary_impact: expected more"):
        an_order(strategy, start_ns=OPEN_NS, end_ns=HOURS.close_ns)


@settings(deadline=None)
@given(part=st.integers(0, PART), whole=st.integers(1, MOST_SPAN_NS), share=st.fractions(0, 1))
def test_products_lose_nothing(part: int, whole: int, share: Fraction) -> None:
    value = int(whole * share)
    assert scaled(part, value, whole) == part * value // whole


@st.composite
def curves(draw: st.DrawFn) -> list[tuple[int, int]]:
    """Rising points from (0, 0) to (span, PART)."""
    span = draw(st.integers(1000, MOST_SPAN_NS))
    times = draw(st.lists(st.integers(1, span - 1), max_size=6, unique=True))
    parts = draw(st.lists(st.integers(0, PART), min_size=len(times), max_size=len(times)))
    return [(0, 0), *zip(sorted(times), sorted(parts), strict=True), (span, PART)]


@settings(max_examples=200, deadline=None)
@given(points=curves(), data=st.data())
def test_interpolation_and_its_inverse_are_exact(
    points: list[tuple[int, int]], data: st.DataObject
) -> None:
    row = np.zeros(1, CURVE_DTYPE)
    row["points"] = len(points)
    row["times"][0, : len(points)], row["parts"][0, : len(points)] = zip(*points, strict=True)
    model = SlowSchedule(
        points=points, slices=1, quantity=1, tolerance=0, lot=1, finish_ns=0
    )  # fmt: skip
    span, curve = points[-1][0], int(row.ctypes.data)
    at = data.draw(st.integers(-5, span + 5))
    wanted = data.draw(st.integers(0, PART))
    with allowed(row):
        assert part_by(curve, at) == model.part_by(at)
        first = time_of(curve, wanted)
    assert model.part_by(first) >= wanted
    assert first == 0 or model.part_by(first - 1) < wanted


@st.composite
def schedules(draw: st.DrawFn) -> Scheduled:
    """Schedules of all kinds; without jitter."""
    kind = draw(st.sampled_from([Twap, Vwap, Shortfall]))
    more = {}
    if kind is Vwap:
        volumes = draw(st.lists(st.integers(0, 9), min_size=1, max_size=8).filter(any))
        more["volumes"] = tuple(volumes)
    return kind(
        slices=draw(st.integers(1, 12)),
        tolerance=draw(st.sampled_from([0, PART // 100, PART // 10, PART])),
        lot=draw(st.sampled_from([1, 7, 100])),
        finish=draw(st.sampled_from(["take", "cancel"])),
        finish_ns=draw(st.sampled_from([0, SECOND])),
        **more,
    )


@settings(max_examples=150, deadline=None)
@given(strategy=schedules(), data=st.data())
def test_plans_are_those_of_the_plain_model(strategy: Scheduled, data: st.DataObject) -> None:
    quantity = data.draw(st.integers(1, 1_000_000))
    span = data.draw(st.integers(3600, 23_400)) * SECOND + data.draw(st.integers(0, 999))
    order = an_order(strategy, quantity=quantity, start_ns=OPEN_NS, end_ns=OPEN_NS + span)
    arrived = data.draw(st.sampled_from([0, 0, span // 3, span - 1]))
    assert order.curve is not None
    model = SlowSchedule(
        points=order.curve.points,
        slices=strategy.slices,
        quantity=quantity,
        tolerance=strategy.tolerance,
        lot=strategy.lot,
        finish_ns=order.words[7],
        arrived=arrived,
    )
    with a_desk(order, arrived_ns=OPEN_NS + arrived) as desk:
        for _ in range(8):
            at = data.draw(st.integers(arrived, span - 1))
            cum = data.draw(st.integers(0, quantity - 1))
            desk.row["cum"] = cum
            said = desk.says(OPEN_NS + at)
            assert (said.style, said.quantity, said.next_ns - OPEN_NS) == model.says(at, cum)


@settings(max_examples=100, deadline=None)
@given(
    strategy=schedules(),
    quantity=st.integers(1, 2000),
    jitter=st.sampled_from([0, PART // 2, PART]),
    filled=st.lists(st.sampled_from(FILLED), min_size=1, max_size=6),
)
def test_a_day_ends_at_its_end_with_never_more_than_the_quantity(
    strategy: Scheduled, quantity: int, jitter: int, filled: list[Fraction]
) -> None:
    kind = type(strategy)
    fields = {name: getattr(strategy, name) for name in strategy.__struct_fields__}
    strategy = kind(**{**fields, "jitter": jitter})
    end = OPEN_NS + 3600 * SECOND
    order = an_order(strategy, quantity=quantity, start_ns=OPEN_NS, end_ns=end)
    parts = cycle(filled)

    def some(said: Said) -> int:
        if said.style == "take":
            return said.quantity
        return int(said.quantity * next(parts)) if said.style == "passive" else 0

    with a_desk(order) as desk:
        steps = a_day(desk, some, end)
        cum = int(desk.row["cum"])
    assert all(step.cum + step.said.quantity <= quantity for step in steps)
    assert all(a.at_ns < b.at_ns for a, b in pairwise(steps))
    assert not any(step.said.done for step in steps[:-1])
    if strategy.finish == "take":
        assert cum == quantity
    if cum < quantity:
        assert steps[-1].said.done and steps[-1].at_ns == end


@pytest.mark.parametrize("strategy", [Twap, Vwap, Shortfall])
def test_what_is_wanted_never_falls_when_all_of_it_is_executed(strategy: type[Scheduled]) -> None:
    end = OPEN_NS + 3600 * SECOND
    order = an_order(strategy(jitter=PART), quantity=33_333, start_ns=OPEN_NS, end_ns=end)
    with a_desk(order) as desk:
        targets = [step.cum + step.said.quantity for step in a_day(desk, all_of_it, end)]
    assert targets == sorted(targets) and targets[-1] == 33_333


def test_a_market_in_which_nothing_that_rests_is_executed_is_taken_from_on_schedule() -> None:
    end = OPEN_NS + 3600 * SECOND
    order = an_order(
        Twap(tolerance=PART // 100, lot=1), quantity=100_000, start_ns=OPEN_NS, end_ns=end
    )
    with a_desk(order) as desk:
        steps = a_day(desk, takes_only, end)
        assert desk.row["cum"] == 100_000
    for step in steps:
        on_schedule = 100_000 * (step.at_ns - OPEN_NS) / (end - OPEN_NS)
        assert step.cum >= on_schedule - 1000 - 1 or step.said.style == "take"


def edges_of(seed: int, jitter: int, slices: int, name: str = "one") -> list[int]:
    """Where slices begin, ns from the start, as the looks say it."""
    end = OPEN_NS + 600 * SECOND
    strategy = Twap(slices=slices, jitter=jitter, **NEVER_TAKES)
    with a_desk(an_order(strategy, start_ns=OPEN_NS, end_ns=end, name=name), seed=seed) as desk:
        return [step.at_ns - OPEN_NS for step in a_day(desk, takes_only, end)]


@given(seed=st.integers(0, (1 << 63) - 1), jitter=st.integers(0, PART))
@settings(max_examples=40, deadline=None)
def test_jitter_stays_within_its_bounds_and_is_the_same_every_time(seed: int, jitter: int) -> None:
    slices, length = 20, 30 * SECOND
    edges = edges_of(seed, jitter, slices)
    assert len(edges) == slices + 1
    assert edges[0] == 0 and edges[-1] == 600 * SECOND
    for number, edge in enumerate(edges[1:-1], 1):
        assert abs(edge - number * length) <= length * jitter // PART // 2 + 1
    assert edges == edges_of(seed, jitter, slices)


def test_jitter_uses_all_of_its_room_and_differs_by_seed() -> None:
    moved = [
        (edge - number * 30 * SECOND) / (30 * SECOND)
        for seed in range(40)
        for number, edge in enumerate(edges_of(seed, PART, 20)[1:-1], 1)
    ]
    assert min(moved) < -0.45 and max(moved) > 0.45
    assert abs(sum(moved) / len(moved)) < 0.05
    assert edges_of(1, PART, 20) != edges_of(2, PART, 20)
