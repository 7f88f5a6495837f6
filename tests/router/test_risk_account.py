"""Sentences about what an account may hold, owe and lose, and about its own other orders."""

from __future__ import annotations

import pytest
from risk_rig import CENT, DOLLAR, PLAIN, Rig, changed

from feedhandler.actions import BUY, SELL
from router.risk.layout import GROSS
from router.tables import CLOSES, LOCATED, MIDPOINT, SHORT, SHORT_EXEMPT

TEN = 10 * DOLLAR
FOUND = SHORT | LOCATED


@pytest.fixture
def rig(tmp_path):
    made = Rig(tmp_path, PLAIN)
    yield made
    made.close()


def position(rig, account=1, instrument=1, **fields):
    for name, value in fields.items():
        rig.tables.positions[account, instrument][name] = value


def account(rig, number=1, **fields):
    for name, value in fields.items():
        rig.tables.accounts[number][name] = value


def sale(rig, quantity=100, **fields):
    return rig.says(side=SELL, quantity=quantity, **{"price": TEN + CENT, **fields})


def test_what_is_held_and_not_on_offer_already_may_be_sold(rig):
    position(rig, shares=300, open_sell=100)
    assert (sale(rig, 200), sale(rig, 201)) == ("passed", "short not flagged")


def test_a_short_sale_needs_a_locate(rig):
    rig.limits(changed(locates={"ALFA": 100}))
    assert (sale(rig, flags=SHORT), sale(rig, flags=FOUND)) == ("not located", "passed")
    assert sale(rig, 101, flags=FOUND) == "no locates left"


def test_short_sales_use_locates_up_and_what_they_left_unsold_comes_back(rig):
    rig.limits(changed(locates={"ALFA": 250}))
    order = {"side": SELL, "price": TEN + CENT, "flags": FOUND}
    assert [rig.send(quantity=n, **order) for n in (200, 100, 50)] == [
        "passed", "no locates left", "passed",
    ]  # fmt: skip
    rig.child(1, side=SELL, flags=FOUND, quantity=180, located=200, cum=140, leaves=0)
    rig.ends(1)
    assert int(rig.tables.instruments[1]["locates_used"]) == 190
    rig.child(2, side=SELL, quantity=200)  # no short sale
    rig.ends(2)
    assert int(rig.tables.instruments[1]["locates_used"]) == 190


def test_a_replace_needs_locates_for_what_it_adds(rig):
    rig.limits(changed(locates={"ALFA": 150}))
    rig.tables.instruments[1]["locates_used"] = 100
    rig.child(side=SELL, flags=FOUND)
    position(rig, open_sell=100)
    assert (rig.replaces(quantity=150), rig.replaces(quantity=151)) == ("passed", "no locates left")
    rig.tables.instruments[1]["locates_used"] = 200  # fewer are left than none
    assert (rig.replaces(quantity=100), rig.replaces(quantity=101)) == ("passed", "no locates left")
    rig.tables.instruments[1]["locates_used"] = 100
    before = int(rig.tables.children[1]["located"])
    rig.send(kind=2, child=1, quantity=150, price=TEN)
    assert int(rig.tables.instruments[1]["locates_used"]) == 150
    assert int(rig.tables.children[1]["located"]) == before + 50


def test_under_the_price_test_short_sales_stand_above_the_national_bid(rig):
    rig.limits(changed(locates={"ALFA": 100}))
    rig.tables.instruments[1]["price_test"] = 1
    assert sale(rig, flags=FOUND, price=TEN + CENT) == "passed"
    assert sale(rig, flags=FOUND, price=TEN) == "short sale price test"
    assert sale(rig, flags=FOUND, price=0) == "short sale price test"
    assert sale(rig, flags=FOUND | SHORT_EXEMPT, price=TEN) == "passed"
    rig.national(1, 0, TEN + CENT)
    assert sale(rig, flags=FOUND, price=TEN + CENT) == "short sale price test"


def test_midpoint_short_sales_stand_above_the_bid_unless_the_market_is_locked(rig):
    rig.limits(changed(locates={"ALFA": 100}))
    rig.tables.instruments[1]["price_test"] = 1
    assert sale(rig, flags=FOUND | MIDPOINT, price=0) == "passed"
    rig.national(1, TEN, TEN + 1)  # no price is between
    assert sale(rig, flags=FOUND | MIDPOINT, price=0) == "short sale price test"
    rig.national(1, TEN, 0)
    assert sale(rig, flags=FOUND | MIDPOINT, price=0) == "short sale price test"
    rig.national(1, TEN, TEN)
    assert sale(rig, flags=FOUND | MIDPOINT, price=0) == "short sale price test"


def test_a_long_sale_is_free_of_the_price_test(rig):
    rig.tables.instruments[1]["price_test"] = 1
    position(rig, shares=100)
    assert sale(rig, price=TEN) == "passed"


def test_position_limit_counts_open_orders_on_both_sides(rig):
    rig.limits(changed(overall={"position_shares": 1000}, locates={"ALFA": 10_000}))
    position(rig, shares=600, open_buy=300, open_sell=500)
    assert (rig.says(quantity=100), rig.says(quantity=101)) == ("passed", "position limit")
    assert sale(rig, 1100, flags=FOUND) == "passed"
    assert sale(rig, 1101, flags=FOUND) == "position limit"


def test_the_tightest_of_all_position_limits_holds(rig):
    rows = [
        {"symbol": "ALFA", "position_shares": 500},
        {"symbol": "ALFA", "account": "beta", "position_shares": 200},
    ]
    rig.limits(changed(symbols=rows, alpha={"position_shares": 800}))
    assert (rig.says(quantity=500), rig.says(quantity=501)) == ("passed", "position limit")
    assert rig.says(account=2, quantity=200) == "passed"
    assert rig.says(account=2, quantity=201) == "position limit"
    assert rig.says(instrument=2, quantity=800) == "passed"
    assert rig.says(instrument=2, quantity=801) == "position limit"


def test_gross_exposure_with_open_orders(rig):
    rig.limits(changed(alpha={"gross": 10_000}, locates={"ALFA": 1000}))
    account(rig, gross=4000 * DOLLAR, open_buy=3000 * DOLLAR, open_sell=2000 * DOLLAR)
    assert rig.says(quantity=100) == "passed"
    assert rig.judged(quantity=101) == (GROSS, 10_010 * DOLLAR, 10_000 * DOLLAR)
    position(rig, shares=101)
    assert sale(rig, 101) == "passed"  # it only reduces
    position(rig, open_sell=1)
    assert sale(rig, 101, flags=FOUND) == "gross exposure"


def test_net_exposure_on_the_side_that_an_order_adds_to(rig):
    rig.limits(changed(alpha={"net": 10_000}, locates={"ALFA": 10_000}))
    account(rig, net=6000 * DOLLAR, open_buy=3000 * DOLLAR)
    assert (rig.says(quantity=100), rig.says(quantity=101)) == ("passed", "net exposure")
    account(rig, net=-6000 * DOLLAR, open_buy=0, open_sell=3000 * DOLLAR)
    assert sale(rig, 100, price=TEN, flags=FOUND) == "passed"
    assert sale(rig, 101, price=TEN, flags=FOUND) == "net exposure"


def test_buying_power_is_money_spent_and_in_open_buys(rig):
    rig.limits(changed(alpha={"capital": 10_000}))
    account(rig, spent=6000 * DOLLAR, open_buy=3000 * DOLLAR)
    assert (rig.says(quantity=100), rig.says(quantity=101)) == ("passed", "buying power")
    account(rig, spent=-6000 * DOLLAR, open_buy=9000 * DOLLAR)  # sales first give no power to buy
    assert (rig.says(quantity=100), rig.says(quantity=101)) == ("passed", "buying power")


def test_credit_is_money_moved_either_way_and_all_open_orders(rig):
    rig.limits(changed(alpha={"credit": 10_000}))
    account(rig, spent=-4000 * DOLLAR, open_buy=3000 * DOLLAR, open_sell=2000 * DOLLAR)
    assert (rig.says(quantity=100), rig.says(quantity=101)) == ("passed", "credit")


def test_the_days_loss(rig):
    rig.limits(changed(alpha={"loss": 1000}))
    account(rig, spent=5000 * DOLLAR, net=4000 * DOLLAR)
    assert rig.says() == "passed"
    account(rig, net=4000 * DOLLAR - 1)
    assert rig.says() == "daily loss"


def test_all_accounts_together(rig):
    rig.limits(changed(overall={"gross": 10_000, "loss": 1000}))
    account(rig, 2, gross=9000 * DOLLAR)
    assert (rig.says(quantity=100), rig.says(quantity=101)) == ("passed", "gross exposure of all")
    account(rig, 2, gross=0, spent=1000 * DOLLAR)
    assert rig.says() == "passed"
    account(rig, 1, spent=1)
    assert rig.says() == "daily loss of all"


def test_closing_orders_pass_exposure_and_loss_where_they_really_reduce(rig):
    zeros = dict.fromkeys(("gross", "net", "capital", "credit", "loss"), 0)
    rig.limits(changed(alpha=zeros, overall={"position_shares": 0, "gross": 0, "loss": 0}))
    account(rig, gross=3000 * DOLLAR, net=3000 * DOLLAR, spent=9000 * DOLLAR)
    position(rig, shares=300, open_sell=100)
    assert sale(rig, 200, flags=CLOSES) == "passed"
    assert sale(rig, 200) == "credit"
    assert rig.says(flags=CLOSES) == "position limit"
    rig.limits(changed(alpha=zeros, locates={"ALFA": 1000}))
    assert sale(rig, 201, flags=CLOSES | FOUND) == "gross exposure"
    position(rig, shares=-300, open_buy=100)
    assert rig.says(quantity=200, flags=CLOSES) == "passed"
    assert rig.says(quantity=201, flags=CLOSES) == "gross exposure"


def test_a_replace_counts_only_what_it_adds(rig):
    values = {"gross": 10_000, "net": 10_000, "capital": 10_000, "credit": 10_000}
    rig.limits(changed(alpha=values, overall={"position_shares": 1000}))
    rig.child(quantity=900, leaves=800, cum=100)
    account(rig, open_buy=8000 * DOLLAR, gross=1000 * DOLLAR)
    position(rig, shares=100, open_buy=800)
    assert (rig.replaces(quantity=1000), rig.replaces(quantity=1001)) == (
        "passed", "position limit",
    )  # fmt: skip
    assert rig.replaces(quantity=1000, price=TEN + CENT) == "gross exposure"


def test_a_replace_that_adds_nothing_passes_whatever_is_over_its_limit(rig):
    zeros = dict.fromkeys(("gross", "net", "capital", "credit", "loss", "open_orders"), 0)
    rig.limits(changed(alpha=zeros, overall={"position_shares": 0, "loss": 0, "gross": 0}))
    rig.child()
    account(rig, open_buy=9000 * DOLLAR, spent=9000 * DOLLAR, open_orders=9)
    position(rig, open_buy=900)
    assert rig.replaces(quantity=100) == rig.replaces(quantity=50) == "passed"
    assert rig.replaces(quantity=101) == "position limit"


def test_an_order_that_would_meet_an_own_one_on_the_other_side(rig):
    rig.child(price=TEN - CENT)
    position(rig, shares=1000)
    assert (sale(rig, price=TEN), sale(rig, price=TEN - CENT)) == ("passed", "self-trade")
    assert sale(rig, price=0) == "self-trade"
    assert sale(rig, price=TEN - CENT, venue=1) == "self-trade"  # wherever
    assert rig.says(price=TEN - CENT) == "passed"
    rig.tables.children[1]["new_token"], rig.tables.children[1]["new_price"] = 5, TEN
    assert sale(rig, price=TEN) == "self-trade"
    rig.tables.children[1]["leaves"] = 0
    assert sale(rig, price=TEN) == "passed"


def test_orders_behind_others_in_the_chain_are_met_too(rig):
    rig.child(1, price=TEN, side=BUY)
    rig.child(2, price=TEN - 5 * CENT, side=BUY)
    rig.child(3, price=TEN + 5 * CENT, side=SELL)
    position(rig, shares=1000)
    assert (sale(rig, price=TEN), sale(rig, price=TEN + CENT)) == ("self-trade", "passed")


def test_accounts_of_a_group_do_not_trade_with_each_other(rig):
    rig.child(account=2, price=TEN)
    position(rig, shares=1000)
    assert sale(rig, price=TEN) == "passed"
    rig.limits(changed(alpha={"group": "house"}, beta={"group": "house"}))
    assert sale(rig, price=TEN) == "self-trade"
    rig.limits(changed(alpha={"group": "house"}, beta={"group": "other"}))
    assert sale(rig, price=TEN) == "passed"


def test_a_chain_that_runs_in_a_circle_ends(rig):
    rig.child(1, price=TEN - 9 * CENT)
    rig.tables.children[1]["next_open"] = 1
    position(rig, shares=1000)
    assert sale(rig) == "passed"


@pytest.mark.parametrize("shares", [2**31 - 1, 2**31 - 2, 2**30, 2**30 - 7, 10**9 + 9])
def test_money_of_a_replaced_child_that_would_wrap_counts_nothing(rig, shares):
    rig.limits(changed(alpha={"gross": 0}))
    rig.child(quantity=shares, leaves=shares, price=4_000_000 * DOLLAR)
    assert rig.replaces(quantity=100) == "gross exposure"


def test_figures_of_a_replaced_child_must_be_possible(rig):
    child = rig.child()
    child["price"] = 2**62
    assert rig.replaces() == "figures out of range"
