"""Midpoint pools without a feed."""

from __future__ import annotations

import numpy as np
from replayvenue_rig import CENT, B, Floor, S, dark, line

from router.tables import AT_MIDPOINT, FOK, IOC
from simulator.replay.models import Hidden

ALWAYS = Hidden(empty=0.0, mean_lots=1.0, renew_ns=1_000_000)


def quoted(floor: Floor) -> None:
    """A market of 10.00 to 10.01."""
    floor.add(0, B, 1000, 500)
    floor.add(0, S, 1001, 500)


def test_what_waits_is_met_at_the_midpoint_once() -> None:
    with Floor([dark(hidden=ALWAYS)]) as floor:
        quoted(floor)
        first = floor.enter(B, 300, 1001, IOC)
        second = floor.enter(B, 300, 1001, IOC)
        assert floor.said(first)[1:] == [
            "executed 100 at 1000.5, 200 left",
            "canceled 200: ioc remainder",
        ]
        assert floor.said(second)[1:] == ["canceled 300: ioc remainder"]
        assert floor.heard[1][2]["liquidity"] == AT_MIDPOINT


def test_a_minimum_beyond_what_waits_is_not_met() -> None:
    with Floor([dark(hidden=ALWAYS)]) as floor:
        quoted(floor)
        token = floor.enter(S, 300, 1000, IOC, minimum=200)
        assert floor.said(token)[1:] == ["canceled 300: ioc remainder"]
        whole = floor.enter(S, 300, 1000, FOK)
        assert floor.said(whole)[1:] == ["canceled 300: fok not filled"]
        enough = floor.enter(S, 300, 1000, IOC, minimum=100)
        assert floor.said(enough)[1] == "executed 100 at 1000.5, 200 left"


def test_the_limit_holds_at_the_midpoint() -> None:
    with Floor([dark(hidden=ALWAYS)]) as floor:
        quoted(floor)
        assert floor.said(floor.enter(B, 100, 1000, IOC))[1:] == ["canceled 100: ioc remainder"]
        assert floor.said(floor.enter(S, 100, 1001, IOC))[1:] == ["canceled 100: ioc remainder"]
        assert floor.said(floor.enter(S, 100, 0, IOC))[1:] == ["executed 100 at 1000.5, 0 left"]


def test_without_two_sides_there_is_no_midpoint() -> None:
    with Floor([dark(hidden=ALWAYS)]) as floor:
        floor.add(0, B, 1000, 500)
        assert floor.said(floor.enter(B, 100, 1001, IOC))[1:] == ["canceled 100: no reference"]


def test_a_resting_order_meets_what_comes_later() -> None:
    with Floor([dark(hidden=ALWAYS)]) as floor:
        quoted(floor)
        token = floor.enter(B, 250, 1001)
        assert floor.said(token)[1:] == ["executed 100 at 1000.5, 150 left"]
        floor.wait(50_000_000)
        assert floor.said(token)[2:] == [
            "executed 100 at 1000.5, 50 left",
            "executed 50 at 1000.5, 0 left",
        ]


def test_sizes_follow_what_was_asked_for() -> None:
    some = Hidden(empty=0.25, mean_lots=4.0, lot=100, renew_ns=1_000)
    table = some.size_table()
    assert np.mean(table == 0) == 0.25
    assert abs(float(np.mean(table[table > 0])) - 400) < 10
    assert abs(float(np.mean(some.wait_table())) - 1_000) < 10
    heavy = Hidden(empty=0.0, sizes="zipf", exponent=2.0).size_table()
    assert heavy.max() > 100 * np.median(heavy)


def test_the_same_seed_finds_the_same_and_another_seed_does_not() -> None:
    told = []
    for seed in (1, 1, 2):
        with Floor([dark(hidden=Hidden(renew_ns=10_000))], seed=seed) as floor:
            quoted(floor)
            for _ in range(20):
                floor.enter(B, 1000, 1001, IOC)
                floor.wait(20_000)
            told.append([line(words) for _, _, words in floor.heard])
    assert told[0] == told[1] != told[2]
    assert all(
        words["price"] in (1001 * CENT, 1000 * CENT + CENT // 2)
        for _, _, words in floor.heard
        if words["price"]
    )
