"""Sentences about single orders: just inside passes, just outside is refused by its name."""

from __future__ import annotations

import pytest
from risk_rig import CENT, DOLLAR, PLAIN, Rig, changed

from feedhandler.actions import BUY, SELL, STATUS_HALTED, STATUS_UNKNOWN
from router import tables as t
from router.risk.layout import NOTIONAL, ORDER_SIZE, REASONS

TEN = 10 * DOLLAR
MOST = (1 << 63) - 1


@pytest.fixture
def rig(tmp_path):
    made = Rig(tmp_path, PLAIN)
    yield made
    made.close()


def test_without_limits_there_is_no_trading_but_cancels_pass(tmp_path):
    rig = Rig(tmp_path)
    rig.child()
    assert rig.says() == rig.replaces(quantity=200) == "no limits, no trading"
    assert rig.cancels() == "passed"
    rig.close()


def test_a_plain_order_passes(rig):
    assert rig.judged() == (0, 0, 0)
    assert REASONS[0] == "passed"


@pytest.mark.parametrize(
    ("field", "inside", "outside", "reason"),
    [
        ("kind", t.ENTER, 7, "unknown kind"),
        ("account", 2, 0, "unknown account"),
        ("account", 2, 4, "unknown account"),
        ("account", 2, -MOST, "unknown account"),
        ("account", 2, 3, "account has no limits"),
        ("instrument", 2, 0, "unknown instrument"),
        ("instrument", 3, 4, "unknown instrument"),
        ("venue", 2, 3, "unknown venue"),
        ("venue", 0, -1, "unknown venue"),
        ("side", BUY, 0, "unknown side"),
        ("quantity", 1, 0, "quantity not positive"),
        ("quantity", 1, -100, "quantity not positive"),
        ("quantity", 1, -MOST - 1, "quantity not positive"),
        ("quantity", 10_000, 10_001, "order size"),
        ("quantity", 10_000, 2**31 - 1, "order size"),
        ("quantity", 10_000, 2**31, "quantity too large"),
        ("quantity", 10_000, MOST, "quantity too large"),
        ("price", TEN, -CENT, "price out of range"),
        ("price", TEN, 4_000_000 * DOLLAR + CENT, "price out of range"),
        ("price", TEN, MOST, "price out of range"),
        ("price", TEN, TEN + 1, "tick"),
        ("price", 99_990_000, 99_995_000, "tick"),
    ],
)
def test_what_an_order_says_of_itself(rig, field, inside, outside, reason):
    assert rig.says(**{field: inside}) == "passed"
    assert rig.says(**{field: outside}) == reason


def test_the_size_and_its_limit_are_told_with_the_reason(rig):
    assert rig.judged(quantity=10_001) == (ORDER_SIZE, 10_001, 10_000)
    rig.limits(changed(overall={"order_notional": 1000}))
    assert rig.judged(quantity=101) == (NOTIONAL, 101, 100)


def test_lots_of_the_venue(rig):
    rig.tables.venues[0]["lot"], rig.tables.venues[0]["least"] = 100, 200
    assert rig.says(quantity=300) == "passed"
    assert rig.says(quantity=350) == "lot"
    assert rig.says(quantity=100) == "lot"
    rig.tables.venues[0]["lot"] = 0
    assert rig.says(quantity=300) == "lot"


def test_a_venue_without_ticks_takes_market_orders_alone(rig):
    rig.tables.venues[0]["tick"] = rig.tables.venues[0]["small_tick"] = 0
    assert rig.says() == "tick"
    assert rig.says(price=0) == "passed"


def test_buys_may_be_priced_so_far_above_the_national_offer(rig):
    rig.limits(changed(overall={"collar_bps": 100, "last_bps": 10_000}))
    rig.national(1, TEN - CENT, TEN)
    assert rig.says(price=TEN + 10 * CENT) == "passed"
    assert rig.says(price=TEN + 11 * CENT) == "price collar"
    assert rig.says(price=DOLLAR) == "passed"


def test_sales_may_be_priced_so_far_below_the_national_bid(rig):
    rig.limits(changed(overall={"collar_bps": 100, "last_bps": 10_000}))
    rig.tables.positions[1, 1]["shares"] = 1000
    assert rig.says(side=SELL, price=TEN - 10 * CENT) == "passed"
    assert rig.says(side=SELL, price=TEN - 11 * CENT) == "price collar"
    assert rig.says(side=SELL, price=20 * DOLLAR) == "passed"


def test_where_the_far_side_is_empty_the_own_side_is_the_reference(rig):
    rig.limits(changed(overall={"collar_bps": 100, "last_bps": 10_000}))
    rig.national(1, TEN, 0)
    assert rig.says(price=TEN + 10 * CENT) == "passed"
    assert rig.says(price=TEN + 11 * CENT) == "price collar"


def test_prices_are_compared_with_the_last_trade_too(rig):
    rig.limits(changed(overall={"last_bps": 200}))
    rig.tables.instruments[1]["last"] = 9 * DOLLAR
    assert rig.says(price=918 * CENT) == "passed"
    assert rig.says(price=919 * CENT) == "last trade collar"


def test_no_quote_and_no_trade_is_no_reference(rig):
    rig.national(1, 0, 0)
    assert rig.says(price=0) == rig.says() == "passed"
    rig.tables.instruments[1]["last"] = 0
    assert rig.says(price=0) == rig.says() == "no reference price"
    rig.tables.instruments[1]["last"] = MOST  # nothing that can be true
    assert rig.says() == "no reference price"


def test_nobody_buys_above_the_upper_band_or_sells_below_the_lower_one(rig):
    rig.tables.positions[1, 1]["shares"] = 1000
    bands = rig.market.instruments[1]
    bands["lower_band"], bands["upper_band"] = TEN - 5 * CENT, TEN + 5 * CENT
    assert rig.says(price=TEN + 5 * CENT) == rig.says(price=TEN - 9 * CENT) == "passed"
    assert rig.says(price=TEN + 6 * CENT) == "price band"
    assert rig.says(side=SELL, price=TEN - 5 * CENT) == "passed"
    assert rig.says(side=SELL, price=TEN - 6 * CENT) == "price band"


def test_money_of_an_order(rig):
    rig.limits(changed(overall={"order_notional": 1000}))
    assert rig.says(quantity=100, price=TEN) == "passed"
    assert rig.says(quantity=100, price=TEN + CENT) == "order notional"


def test_a_market_order_costs_the_far_side_and_the_collar(rig):
    rig.national(1, TEN - CENT, TEN)
    rig.limits(changed(overall={"order_notional": 1050, "collar_bps": 500}))
    assert rig.says(quantity=100, price=0) == "passed"
    rig.limits(changed(overall={"order_notional": 1049, "collar_bps": 500}))
    assert rig.says(quantity=100, price=0) == "order notional"
    rig.national(1, TEN, 0)  # then the last trade stands for it
    rig.tables.instruments[1]["last"] = 9 * DOLLAR
    assert rig.says(quantity=100, price=0) == "passed"


def test_the_price_of_a_market_order_is_rounded_up(rig):
    rig.limits(changed(overall={"order_notional": 10, "collar_bps": 500}))
    rig.national(1, 0, 952_380_952)  # and the collar: 9.999 999 999 6
    assert rig.says(quantity=1, price=0) == "passed"
    rig.national(1, 0, 952_380_953)  # 10.000 000 006 5
    assert rig.says(quantity=1, price=0) == "order notional"


@pytest.mark.parametrize("quantity", [1, 100, 2**31 - 1, 2**40, MOST, -MOST - 1])
@pytest.mark.parametrize("price", [0, 4_000_000 * DOLLAR, MOST, -MOST - 1])
def test_extreme_orders_never_pass(rig, quantity, price):
    rig.national(1, 3_900_000 * DOLLAR, 3_999_999 * DOLLAR)
    rig.tables.instruments[1]["last"] = 3_999_999 * DOLLAR
    for side in (BUY, SELL):
        assert rig.says(quantity=quantity, price=price, side=side, flags=t.SHORT) != "passed"


@pytest.mark.parametrize(
    ("table", "name", "value", "reason"),
    [
        ("head", "killed", 1, "killed"),
        ("accounts", "killed", 1, "account killed"),
        ("instruments", "killed", 1, "instrument killed"),
        ("venues", "down", t.DOWN_KILLED | t.DOWN_BREAKER, "venue killed"),
        ("venues", "down", t.DOWN_SESSION, "venue down"),
        ("instruments", "restricted", 1, "restricted"),
    ],
)
def test_switches_stop_orders_and_changes_but_no_cancel(rig, table, name, value, reason):
    rig.child()
    row = {
        "head": rig.tables.head,
        "accounts": rig.tables.accounts[1],
        "instruments": rig.tables.instruments[1],
        "venues": rig.tables.venues[0],
    }[table]
    row[name] = value
    assert rig.says() == rig.says(flags=t.CLOSES) == rig.replaces(quantity=50) == reason
    assert rig.cancels() == "passed"
    row[name] = 0
    assert rig.says() == "passed"


def test_a_venue_that_does_not_trade_or_whose_book_is_stale_gets_no_orders(rig):
    quote = rig.market.quotes[1, 0]
    quote["status"] = STATUS_HALTED
    assert (rig.says(), rig.says(venue=1)) == ("venue not trading", "passed")
    quote["status"] = STATUS_UNKNOWN
    assert rig.says() == "venue not trading"
    rig.market.head["unknown_trades"] = 1
    assert rig.says() == "passed"
    quote["trust"] = 1
    assert (rig.says(), rig.says(venue=1)) == ("book not live", "passed")


def test_a_venue_that_quotes_nothing_needs_only_a_market_that_trades(rig):
    rig.market.quotes[1]["status"] = STATUS_HALTED
    assert (rig.says(venue=2), rig.says(venue=1)) == ("passed", "venue not trading")
    rig.market.records[1]["flags"] = 16
    assert (rig.says(venue=2), rig.says(instrument=2)) == ("market halted", "passed")


def test_no_market_is_no_market_data(rig):
    rig.tables.venues[0]["quotes"] = 2  # the market has two
    assert rig.says() == "no market data"
    rig.tables.venues[0]["quotes"] = 0
    rig.tables.head["market"] = 0
    assert rig.says() == "no market data"


@pytest.mark.parametrize(
    ("name", "good", "bad"),
    [
        ("gross", 0, -1), ("gross", 0, 2**60 + 1), ("open_buy", 0, -1), ("open_sell", 0, MOST),
        ("net", -(2**40), -MOST - 1), ("spent", 2**40, MOST),
    ],
)  # fmt: skip
def test_figures_that_cannot_be_true_stop_the_account(rig, name, good, bad):
    rig.tables.accounts[1][name] = good
    assert rig.says() == "passed"
    rig.tables.accounts[1][name] = bad
    assert rig.says() == "figures out of range"


def test_a_venue_without_limits_gets_no_orders(rig):
    values = changed()
    del values["venues"]["POOL"]
    rig.limits(values)
    assert (rig.says(venue=2), rig.says(venue=1)) == ("venue has no limits", "passed")


def test_unknown_or_ended_orders_cannot_be_cancelled_or_changed(rig):
    child = rig.child()
    assert rig.cancels() == rig.replaces() == "passed"
    assert rig.cancels(2) == rig.replaces(2) == rig.cancels(0) == rig.cancels(-1) == "unknown order"
    child["leaves"] = 0
    assert rig.cancels() == rig.replaces() == "unknown order"


def test_one_replace_at_a_time(rig):
    child = rig.child()
    child["new_token"] = 9
    assert (rig.replaces(), rig.cancels()) == ("replace under way", "passed")


def test_a_replace_must_leave_something_to_execute(rig):
    rig.child(cum=60, leaves=40)
    assert (rig.replaces(quantity=61), rig.replaces(quantity=60)) == (
        "passed", "quantity not positive",
    )  # fmt: skip
    assert rig.replaces(quantity=10_000) == "passed"
    assert rig.replaces(quantity=10_001) == "order size"
