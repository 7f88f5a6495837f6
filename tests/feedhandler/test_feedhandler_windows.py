"""The window of a ladder: prices that drift, jump and come back, and what it leaves behind."""

from __future__ import annotations

import random

import numpy as np
import pytest
from book_rig import B, Pair, S, act, add

from feedhandler import actions as a
from feedhandler.books.sizes import Sizes
from feedhandler.books.window import CENT, HEADROOM, PLACES

ROOMY = Sizes(orders=4096, levels=4096, instruments=4)


def bids(*cents: float, first: int = 1):
    """Orders to buy ten shares each, at these prices in cents."""
    rows = [add(first + n, B, int(c * CENT), 10) for n, c in enumerate(cents)]
    return np.concatenate(rows)


def window_of(pair: Pair, side: int = B):
    """The window's row of instrument 1 and its number of levels."""
    row = pair.book._main["ladders"]["near"][1][side - 1]
    return row, int(row["bits"]).bit_count() if row["bits"] >= 0 else 64 - (
        ~row["bits"]
    ).bit_count()


def test_prices_close_to_the_best_need_no_sorted_keys():
    with Pair(ROOMY) as pair:
        pair.apply(bids(1000, 1001, 999, 960))
        row, levels = window_of(pair)
        assert levels == 4
        assert pair.book._main["ladders"]["far"][1][0]["count"] == 0
        assert row["low"] == 1000 - (PLACES - HEADROOM)


def test_a_price_between_cents_and_one_far_away_stand_in_the_sorted_keys():
    with Pair(ROOMY) as pair:
        pair.apply(bids(1000, 1000.5, 100, 999))
        assert window_of(pair)[1] == 2
        assert [price / CENT for price, *_ in pair.side(B)] == [1000.5, 1000, 999, 100]


def test_a_price_that_only_the_first_shift_divides_is_between_cents():
    with Pair(ROOMY) as pair:
        pair.apply(bids(1000, 50.04, 1000 + 64 / CENT, 999, 1001))  # 64 units are 2**6
        assert window_of(pair)[1] == 3
        assert pair.book._main["ladders"]["far"][1][0]["count"] == 2
        assert [price for price, *_ in pair.side(B)][:2] == [1001 * CENT, 1000 * CENT + 64]


def test_a_rising_market_leaves_levels_behind_in_their_places():
    with Pair(ROOMY) as pair:
        pair.apply(bids(1000, 990, 1100, 1101))
        assert window_of(pair)[1] == 2  # 1000 and 990 are behind
        pair.apply(bids(1000 + 128, first=10))  # the place of 1000, which is not free
        assert [price / CENT for price, *_ in pair.side(B)] == [1128, 1101, 1100, 1000, 990]
        pair.apply(act(a.DELETE, order_id=1), act(a.DELETE, order_id=10))
        pair.apply(bids(1128, first=20))
        assert pair.top()[0] == 1128 * CENT


def test_a_falling_market_takes_the_window_down_when_the_best_allows():
    with Pair(ROOMY) as pair:
        pair.apply(bids(1000, 1010))
        pair.apply(act(a.DELETE, order_id=2))
        pair.apply(bids(940, first=10))  # 60 below the best
        assert window_of(pair)[1] == 2
        pair.apply(bids(930, first=11))  # 70 below
        assert window_of(pair)[1] == 2


def test_offers_are_the_mirror_of_bids():
    with Pair(ROOMY) as pair:
        pair.apply(add(1, S, 1000 * CENT, 5), add(2, S, 1001 * CENT, 5), add(3, S, 900 * CENT, 5))
        assert pair.top()[2] == 900 * CENT
        pair.apply(act(a.DELETE, order_id=3))
        assert pair.top()[2] == 1000 * CENT
        assert [price // CENT for price, *_ in pair.side(S)] == [1000, 1001]


def test_without_windows_all_is_as_before():
    with Pair(Sizes(orders=64, levels=64, instruments=4, windows=0)) as pair:
        pair.apply(bids(1000, 1001, 999))
        assert int(pair.book.head["next_window"]) == int(pair.book.head["first_single"])
        assert pair.top()[0] == 1001 * CENT


def test_levels_that_find_no_room_to_be_left_behind_in_stay_and_the_book_is_stale():
    with Pair(Sizes(orders=64, levels=64, instruments=4, chunk_bytes=64)) as pair:
        pair.apply(bids(1000, 1001))
        pair.book.apply(bids(1100, first=10))
        assert pair.book.faults() == {"chunks_full": 1}
        assert pair.book.trust(1) == "stale"
        assert [price // CENT for price, *_ in pair.side(B)] == [1001, 1000]
        pair.book.apply(bids(1002, first=11))
        assert pair.top()[0] == 1002 * CENT


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("windows", [None, 2])
def test_a_drifting_market(seed, windows):
    chance = random.Random(seed)
    sizes = Sizes(orders=4096, levels=512, instruments=4, windows=windows, scattered=seed % 2 == 1)
    middle, alive, number = 5000.0, [], 0
    with Pair(sizes) as pair:
        pair.with_orders = False
        for _ in range(1500):
            middle = max(200.0, middle + chance.gauss(0, 6) + (seed - 1.5) / 2)
            if chance.random() < 0.01:
                middle = chance.choice((300.0, 5000.0, 9000.0))
            if alive and (chance.random() < 0.48 or len(alive) > 200):
                order = alive.pop(chance.randrange(len(alive)))
                pair.apply(act(a.DELETE, order_id=order), whole=False)
                continue
            number += 1
            side, key = chance.choice((B, S)), chance.choice((1, 2))
            away = chance.expovariate(1 / (8 if chance.random() < 0.9 else 300))
            cents = int(middle - away if side == B else middle + 1 + away)
            price = max(1, cents) * CENT + (5000 if chance.random() < 0.05 else 0)
            pair.apply(add(number, side, price, chance.randint(1, 500), key), whole=False)
            alive.append(number)
        pair.check(act(a.CLEAR), whole=True)
