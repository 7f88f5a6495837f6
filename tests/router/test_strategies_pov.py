"""POV against fractions: its part of the volume is never more than its rate."""

from __future__ import annotations

from fractions import Fraction

from hypothesis import given, settings
from hypothesis import strategies as st
from strategy_rig import OPEN_NS, SECOND, a_desk, an_order

from router.strategies.settings import MOST_RATE, Pov
from router.tables import PART

RATES = st.one_of(
    st.sampled_from([1, 100_000_000, PART // 3, MOST_RATE]), st.integers(1, MOST_RATE)
)


@settings(max_examples=150, deadline=None)
@given(
    rate=RATES,
    quantity=st.integers(1, 100_000),
    lot=st.sampled_from([1, 100]),
    most=st.sampled_from([0, 250]),
    tolerance=st.sampled_from([0, PART // 100, PART]),
    trades=st.lists(st.tuples(st.integers(0, 20_000), st.fractions(0, 1)), max_size=20),
)
def test_it_never_has_more_than_its_part_and_wants_what_the_model_wants(
    rate: int,
    quantity: int,
    lot: int,
    most: int,
    tolerance: int,
    trades: list[tuple[int, Fraction]],
) -> None:
    strategy = Pov(rate=rate, lot=lot, most=most, tolerance=tolerance)
    with a_desk(an_order(strategy, quantity=quantity)) as desk:
        desk.instrument["volume"] = desk.row["arrival_volume"] = 12_345
        others = 0
        for number, (shares, filled) in enumerate(trades):
            others += shares
            desk.instrument["volume"] += shares
            cum = int(desk.row["cum"])
            if cum == quantity:
                return
            said = desk.says(OPEN_NS + number * SECOND)
            target = min(int(Fraction(rate, PART - rate) * others), quantity)
            if target < quantity:
                target -= target % lot
            due = max(target - cum, 0)
            style = "take" if due > quantity * tolerance // PART else "passive"
            assert said.style == (style if due else "wait")
            assert said.quantity == (min(due, most) if most else due)
            assert said.next_ns == OPEN_NS + (number + 1) * SECOND and not said.done
            desk.fills(int(said.quantity * filled))
            assert int(desk.row["cum"]) * PART <= rate * (others + int(desk.row["cum"]))


def test_its_own_executions_are_no_volume_to_follow() -> None:
    with a_desk(an_order(Pov(rate=500_000_000, lot=1), quantity=10_000)) as desk:
        desk.instrument["volume"] = 100
        for _ in range(5):
            desk.fills(desk.says().quantity)
        assert desk.row["cum"] == 100


def test_executions_that_the_market_has_not_seen_yet_ask_for_nothing_more() -> None:
    with a_desk(an_order(Pov(rate=500_000_000, lot=1), quantity=10_000)) as desk:
        desk.instrument["volume"] = 100
        desk.row["cum"] = 100  # heard from the venue, not yet in the volume
        assert (desk.says().style, desk.says().quantity) == ("wait", 0)
        desk.row["cum"] = 300
        assert (desk.says().style, desk.says().quantity) == ("wait", 0)


def test_the_volume_of_a_long_day_fits() -> None:
    with a_desk(an_order(Pov(rate=MOST_RATE, lot=1), quantity=(1 << 31) - 1)) as desk:
        desk.instrument["volume"] = 1 << 60
        assert desk.says().quantity == (1 << 31) - 1
