"""Measures of execution quality, against values worked out by hand."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from console.runreport.measures import (
    average_price,
    fill_rate,
    implementation_shortfall,
    optional,
    vwap_slippage,
)
from feedhandler.actions import BUY, SELL


def test_a_buy_that_was_executed_in_part():
    # 600 of 1000 bought for 6007 and 0.90 of fees; 10.00 at arrival, 10.10 at the end.
    found = implementation_shortfall(BUY, 1000, 600, 6007.0, 0.9, 10.0, 10.1)
    assert found.execution == pytest.approx([7.0])
    assert found.fees == pytest.approx([0.9])
    assert found.opportunity == pytest.approx([40.0])  # 400 shares, 0.10 each
    assert found.total == pytest.approx([47.9])
    assert found.total_bps == pytest.approx([47.9])  # of 1000 x 10.00


def test_a_sale_costs_where_prices_fall():
    found = implementation_shortfall(SELL, 500, 200, 3996.0, 0.4, 20.0, 19.9)
    assert found.execution == pytest.approx([4.0])  # 200 x 0.02 less than at arrival
    assert found.opportunity == pytest.approx([30.0])
    assert found.total_bps == pytest.approx([34.4])


def test_prices_that_ran_our_way_are_savings():
    buy = implementation_shortfall(BUY, 100, 100, 990.0, -0.2, 10.0, np.nan)
    assert buy.total == pytest.approx([-10.2]) and buy.total_bps == pytest.approx([-102])


def test_the_closing_price_matters_only_for_what_is_left():
    both = implementation_shortfall(
        [BUY, BUY], [10, 10], [10, 9], [100.0, 90.0], [0, 0], [10.0, 10.0], [np.nan, np.nan]
    )
    assert both.opportunity[0] == 0 and both.total[0] == 0
    assert np.isnan(both.opportunity[1]) and np.isnan(both.total_bps[1])


def test_without_an_arrival_price_nothing_is_said():
    found = implementation_shortfall(BUY, 10, 10, 100.0, 1.0, np.nan, 10.0)
    assert np.isnan(found.execution[0]) and np.isnan(found.total[0]) and found.fees[0] == 1


def test_the_interval_vwap_and_how_far_off_it_is():
    # The market: 2000 shares for 20,060; ours: 600 for 6007.
    found = vwap_slippage([BUY, SELL], 600, 6007.0, 2000, 20_060.0)
    assert found.vwap == pytest.approx([10.03])
    assert found.money == pytest.approx([-11.0, 11.0])
    assert found.bps == pytest.approx([-18.27850, 18.27850], abs=1e-4)


def test_no_volume_no_vwap():
    found = vwap_slippage(BUY, [600, 0], [6007.0, 0.0], [0, 10], [0.0, 100.0])
    assert np.isnan(found.vwap[0]) and np.isnan(found.money[0])
    assert found.vwap[1] == 10 and np.isnan(found.bps[1])


def test_rates_and_averages_of_nothing_are_not_known():
    assert fill_rate([3, 0, 0], [4, 5, 0])[:2].tolist() == [0.75, 0.0]
    assert np.isnan(fill_rate(0, 0)[0]) and np.isnan(average_price(0, 0.0)[0])
    assert average_price(4, 41.0) == pytest.approx([10.25])
    assert optional(np.float64("nan")) is None and optional(0.1 + 0.2) == 0.3


PRICES = st.floats(0.01, 1000)


@given(st.integers(1, 10**6), st.floats(0, 1), PRICES, PRICES, PRICES, st.floats(-10, 10))
def test_shortfall_is_the_paper_portfolio_less_the_real_one(
    quantity, part, paid, arrival, closing, fees
):
    done = int(quantity * part)
    paper = quantity * (closing - arrival)
    real = done * (closing - paid) - fees
    found = implementation_shortfall(BUY, quantity, done, done * paid, fees, arrival, closing)
    assert found.total[0] == pytest.approx(paper - real, rel=1e-6, abs=1e-5)
    mirrored = implementation_shortfall(SELL, quantity, done, done * paid, fees, arrival, closing)
    assert mirrored.total[0] - fees == pytest.approx(fees - found.total[0], rel=1e-6, abs=1e-5)
