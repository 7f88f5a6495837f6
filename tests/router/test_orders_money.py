"""Positions, profit and loss, exposure and fees."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from order_rig import BUY, DOLLAR, SELL, OrderRig

from router.tables import LIQUIDITY


@pytest.fixture
def rig() -> Iterator[OrderRig]:
    """A small router."""
    with OrderRig() as made:
        yield made


def trade(rig: OrderRig, side: int, shares: int, price: int) -> None:
    """An order that is filled at once."""
    rig.fill(rig.enter(shares, price, side=side), shares, price)


def position(rig: OrderRig, *names: str) -> tuple[int, ...]:
    """Fields of the position of account 1 in instrument 1."""
    return tuple(int(rig.tables.positions[1, 1][name]) for name in names)


def account(rig: OrderRig, *names: str) -> tuple[int, ...]:
    """Fields of account 1."""
    return tuple(int(rig.tables.accounts[1][name]) for name in names)


def test_a_sale_takes_its_part_of_the_average_cost(rig: OrderRig) -> None:
    trade(rig, BUY, 100, 10 * DOLLAR)
    trade(rig, BUY, 100, 12 * DOLLAR)
    assert position(rig, "shares", "cost") == (200, 2200 * DOLLAR)
    trade(rig, SELL, 50, 13 * DOLLAR)
    assert position(rig, "shares", "cost", "realised") == (150, 1650 * DOLLAR, 100 * DOLLAR)


def test_a_short_sale_has_a_cost_below_zero_and_gains_when_bought_back_lower(rig: OrderRig) -> None:
    trade(rig, SELL, 100, 10 * DOLLAR)
    assert position(rig, "shares", "cost") == (-100, -1000 * DOLLAR)
    trade(rig, BUY, 40, 9 * DOLLAR)
    assert position(rig, "shares", "cost", "realised") == (-60, -600 * DOLLAR, 40 * DOLLAR)


def test_a_trade_through_zero_closes_one_side_and_opens_the_other(rig: OrderRig) -> None:
    trade(rig, BUY, 100, 10 * DOLLAR)
    trade(rig, SELL, 150, 11 * DOLLAR)
    assert position(rig, "shares", "cost", "realised") == (-50, -550 * DOLLAR, 100 * DOLLAR)


def test_what_divides_badly_is_not_lost(rig: OrderRig) -> None:
    trade(rig, BUY, 1, 100)
    trade(rig, BUY, 2, 101)
    trade(rig, SELL, 1, 100)
    assert position(rig, "cost", "realised") == (202, 0)
    trade(rig, SELL, 2, 101)
    assert position(rig, "shares", "cost", "realised") == (0, 0, 0)


def test_large_positions_divide_without_a_product_that_does_not_fit(rig: OrderRig) -> None:
    price = 700_000 * DOLLAR
    trade(rig, BUY, 60_000, price)
    trade(rig, SELL, 59_999, price)
    assert position(rig, "shares", "cost", "realised") == (1, price, 0)


def test_a_mark_moves_gross_net_and_unrealised_profit(rig: OrderRig) -> None:
    trade(rig, BUY, 100, 10 * DOLLAR)
    assert account(rig, "gross", "net") == (1000 * DOLLAR, 1000 * DOLLAR)
    assert rig.orders.mark(1, 1, 12 * DOLLAR) == 200 * DOLLAR
    assert account(rig, "gross", "net") == (1200 * DOLLAR, 1200 * DOLLAR)
    trade(rig, SELL, 150, 11 * DOLLAR)
    assert account(rig, "gross", "net") == (600 * DOLLAR, -600 * DOLLAR)
    assert rig.orders.unrealised_of(1) == -50 * DOLLAR
    assert rig.orders.mark(1, 1, 0) == -50 * DOLLAR
    assert position(rig, "mark") == (12 * DOLLAR,)


def test_a_trade_marks_every_account(rig: OrderRig) -> None:
    for number in (1, 2):
        child = rig.enter(100, account=number)
        rig.fill(child, 100)
    rig.orders.mark_all(1, 11 * DOLLAR)
    for number in (1, 2):
        assert int(rig.tables.accounts[number]["net"]) == 1100 * DOLLAR


def test_what_an_account_has_spent_has_fees_in_it(rig: OrderRig) -> None:
    rig.tier(1, 0, 0, removed=(300_000, 0))
    trade(rig, BUY, 100, 10 * DOLLAR)
    trade(rig, SELL, 40, 10 * DOLLAR)
    assert account(rig, "fees", "bought", "sold", "fills") == (42_000_000, 100, 40, 2)
    assert account(rig, "spent") == (600 * DOLLAR + 42_000_000,)


trades = st.lists(
    st.tuples(
        st.sampled_from([BUY, SELL]),
        st.integers(1, 500),
        st.integers(1, 30 * DOLLAR),
        st.booleans(),
    ),
    max_size=10,
)


@settings(max_examples=60, deadline=None)
@given(trades, st.integers(1, 30 * DOLLAR))
def test_realised_and_unrealised_are_cash_and_value(
    done: list[tuple[int, int, int, bool]], mark: int
) -> None:
    """Busts included; beside exact averages the realised part is off by a unit or two a trade."""
    with OrderRig() as rig:
        cash, shares, cost, realised = 0, 0, Fraction(0), Fraction(0)
        for side, count, price, bust in done:
            child = rig.enter(count, price, side=side)
            execution = rig.fill(child, count, price)
            for sign in (1, -1) if bust else (1,):
                moved = sign * (count if side == BUY else -count)
                cash -= moved * price
                closed = min(abs(moved), abs(shares)) if moved * shares < 0 else 0
                average = cost / shares if shares else Fraction(0)
                way = 1 if moved > 0 else -1
                realised += way * closed * (average - price)
                cost += way * (closed * average + (abs(moved) - closed) * price)
                shares += moved
            if bust:
                rig.say("break", rig.token(child), aux=execution)
        unrealised = rig.orders.mark(1, 1, mark)
        held, gain = position(rig, "shares", "realised")
        assert held == shares
        assert gain + unrealised == cash + shares * mark
        assert abs(gain - realised) <= 2 * len(done)
        assert account(rig, "net")[0] - account(rig, "spent")[0] == gain + unrealised


def test_fees_are_by_the_share_from_a_dollar_on_and_by_the_notional_below(rig: OrderRig) -> None:
    rig.tier(1, 0, 0, removed=(300_000, 300_000), added=(-200_000, -150_000))
    fee = rig.orders.fee_of
    removed, added = LIQUIDITY.index("removed"), LIQUIDITY.index("added")
    assert fee(1, removed, 100, DOLLAR) == 30_000_000
    assert fee(1, added, 100, 50 * DOLLAR) == -20_000_000
    assert fee(1, removed, 100, DOLLAR - 1) == 100 * (DOLLAR - 1) * 300_000 // 10**8
    assert fee(1, added, 3, 1) == -1  # rounded down
    assert fee(1, removed, 3, 1) == 0


def test_every_liquidity_has_its_rate_and_the_unknown_pays_as_removing(rig: OrderRig) -> None:
    rig.tier(1, 0, 0, added=(1, 0), removed=(2, 0), added_hidden=(3, 0), midpoint=(4, 0),
             crossed=(5, 0))  # fmt: skip
    fees = [rig.orders.fee_of(1, code, 10, DOLLAR) for code in range(-1, 8)]
    assert fees == [20, 20, 10, 20, 30, 40, 50, 20, 20]
    assert rig.orders.fee_of(2, 2, 10, DOLLAR) == 0


def test_a_tier_reached_counts_from_the_next_execution(rig: OrderRig) -> None:
    rig.tier(1, 0, 0, removed=(3, 0))
    rig.tier(1, 1, 100, removed=(2, 0))
    rig.tier(1, 2, 200, removed=(1, 0))
    venue, child = rig.tables.venues[1], rig.accepted(quantity=500)
    assert rig.fill(child, 150) and int(venue["fees"]) == 450
    assert int(venue["tier"]) == 1
    execution = rig.fill(child, 100)
    assert (int(venue["fees"]), int(venue["tier"])) == (650, 2)
    rig.say("break", rig.token(child), aux=execution)
    assert (int(venue["fees"]), int(venue["tier"]), int(venue["executed"])) == (450, 1, 150)


def test_fees_are_the_same_wherever_they_are_added_up(rig: OrderRig) -> None:
    rig.tier(1, 0, 0, added=(-200_000, 0), removed=(300_000, 0))
    rig.start(1, 200)
    child = rig.accepted(parent=1)
    rig.fill(child, 60)
    rig.fill(child, 40, liquidity="added")
    fee = 60 * 300_000 - 40 * 200_000
    tables = rig.tables
    rows = (tables.children[child], tables.parents[1], tables.positions[1, 1], tables.accounts[1])
    assert [int(row["fees"]) for row in (*rows, tables.venues[1])] == [fee] * 5
