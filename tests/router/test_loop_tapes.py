"""A consolidated tape among the venues: its trades are the venues' own, told again."""

from __future__ import annotations

import numpy as np
import pytest
from market_rig import SMALL
from numba import njit

from feedhandler.books.venuebook import VenueBook
from feedhandler.consolidated.market import Market
from feedhandler.consolidated.quotes import is_tape
from nic.regions import allowed


@njit(nogil=True)
def tape_at(market, venue):
    return is_tape(np.int64(market), np.int64(venue))


@pytest.mark.parametrize(
    ("protected", "halts_all", "tape"),
    [(True, False, False), (True, True, False), (False, False, False), (False, True, True)],
)
def test_a_tape_is_a_venue_that_speaks_for_all_and_is_not_protected(protected, halts_all, tape):
    market = Market(1, 8, 2)
    with VenueBook(SMALL) as book, VenueBook(SMALL) as other:
        market.add_venue("first", other)
        number = market.add_venue("second", book, protected=protected, halts_all=halts_all)
        with allowed(*market.blocks):
            assert bool(tape_at(market.address, number)) is tape
            assert not tape_at(market.address, 0)
    market.close()
