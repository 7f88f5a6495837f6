"""The limit that keeps sweeps inside the collars: what it allows passes, a step more does not."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st
from loop_kernels import run_within_collars
from risk_rig import CENT, DOLLAR, Rig, changed

from feedhandler.actions import BUY, SELL
from nic.regions import allowed

STEP = 10_000
COLLARS = {"price collar", "last trade collar"}


@pytest.fixture(scope="module")
def rig(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rig]:
    made = Rig(tmp_path_factory.mktemp("collar"), changed(overall={"order_notional": 100_000_000}))
    made.tables.venues["tick"] = made.tables.venues["small_tick"] = 1
    yield made
    made.close()


def limit_of(rig: Rig, side: int, limit: int = 0, account: int = 1) -> int:
    """The limit that sweeps get."""
    with allowed(rig.tables.block, *rig.market.blocks):
        return int(run_within_collars(rig.tables.address, account, 1, side, limit))


def show(rig: Rig, bid: int, offer: int, last: int) -> None:
    """What the market is."""
    rig.national(1, bid, offer)
    rig.tables.instruments[1]["last"] = last


@given(
    bid=st.one_of(st.just(0), st.integers(200 * STEP, 10**11)),
    spread=st.one_of(st.just(0), st.integers(200 * STEP, 10**9)),
    last=st.one_of(st.just(0), st.integers(200 * STEP, 10**11)),
    side=st.sampled_from([BUY, SELL]),
)
def test_the_limit_is_where_the_gate_begins_to_refuse(
    rig: Rig, bid: int, spread: int, last: int, side: int
) -> None:
    show(rig, bid, bid + spread if spread else 0, last)
    limit = limit_of(rig, side)
    if limit == 0:
        assert bid == spread == last == 0
        return
    assert rig.says(side=side, price=limit, quantity=1) not in COLLARS
    worse = limit + 1 if side == BUY else limit - 1
    assert rig.says(side=side, price=worse, quantity=1) in COLLARS


def test_the_tighter_of_limit_and_collar_holds(rig: Rig) -> None:
    show(rig, 10 * DOLLAR, 10 * DOLLAR + CENT, 0)
    assert limit_of(rig, BUY) == (10 * DOLLAR + CENT) * 105 // 100
    assert limit_of(rig, BUY, 10 * DOLLAR) == 10 * DOLLAR
    assert limit_of(rig, BUY, 20 * DOLLAR) == (10 * DOLLAR + CENT) * 105 // 100
    assert limit_of(rig, SELL) == 10 * DOLLAR * 95 // 100
    assert limit_of(rig, SELL, 9 * DOLLAR) == 10 * DOLLAR * 95 // 100
    assert limit_of(rig, SELL, 10 * DOLLAR) == 10 * DOLLAR


def test_without_a_market_the_limit_stays_as_it_is(rig: Rig) -> None:
    show(rig, 0, 0, 0)
    assert limit_of(rig, BUY, 7 * DOLLAR) == 7 * DOLLAR
    assert limit_of(rig, SELL) == 0
