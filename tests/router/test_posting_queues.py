"""Queues of real books: what is ahead behind the best, and a best that is only our own."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from dark_rig import CENT, DOLLAR, ONE
from market_rig import Rig as MarketRig
from posting_rig import PostRig

from feedhandler.actions import BUY, SELL, STATUS_TRADING
from feedhandler.consolidated.slow import SlowVenue
from nic.regions import violations
from router.routing.learning import Settings
from router.routing.parameters import OFFSET_TICKS, PEG, PEG_BEHIND, PEG_IMPROVE

BID = 10 * DOLLAR


class BookRig(PostRig):
    """A parent over venues with books."""

    def __init__(self, venues: int) -> None:
        self.made = MarketRig([SlowVenue()] * venues, 4)
        super().__init__(venues, 0, Settings(pause_ns=1), self.made.market)
        for venue in range(venues):
            self.made.status(venue, ONE, STATUS_TRADING)
            self.made.level(venue, ONE, SELL, BID + 4 * CENT, 300)

    def close(self) -> None:
        """Gives the memory back; nothing outside of it may have been touched."""
        assert violations().count == 0
        self.tables.close()
        self.made.close()

    @property
    def blocks(self) -> list[object]:
        """All memory that kernels may touch."""
        return [*super().blocks, *self.made.market.book_blocks()]

    def bids(self, venue: int, *shares: int) -> None:
        """Bids a cent apart, the best at BID."""
        for place, each in enumerate(shares):
            self.made.level(venue, ONE, BUY, BID - place * CENT, each)


@pytest.fixture
def rig() -> Iterator[BookRig]:
    """Two venues."""
    with BookRig(2) as rig:
        yield rig


def test_behind_the_best_all_better_levels_are_ahead(rig: BookRig) -> None:
    rig.bids(0, 300, 200, 700, 100)
    rig.parameters({PEG: PEG_BEHIND, OFFSET_TICKS: 2})
    rig.post(100)
    ahead = {intent["venue"]: intent["ahead"] for intent in rig.intents()}
    assert ahead == {1: 0}
    rig.tables.venues[1]["down"] = 1
    rig.post(100)
    assert [(i["ahead"], i["price"]) for i in rig.intents()] == [(1200, BID - 2 * CENT)]


def test_a_price_between_levels_has_the_better_ones_ahead(rig: BookRig) -> None:
    rig.tables.venues[1]["down"] = 1
    rig.bids(0, 300, 0, 700)
    rig.parameters({PEG: PEG_BEHIND})
    rig.post(100)
    assert [(i["ahead"], i["price"]) for i in rig.intents()] == [(300, BID - CENT)]


def test_alone_at_the_best_the_peg_looks_at_the_next_level(rig: BookRig) -> None:
    rig.bids(0, 200, 0, 500)
    rig.parameters({PEG: PEG_IMPROVE})
    rig.stand(1, 0, 200, BID)
    assert rig.post(200) == 1
    (intent,) = rig.intents()
    assert intent["price"] == BID - CENT
    rig.bids(1, 100)
    rig.now += 1
    assert rig.post(200) == 1
    (intent,) = rig.intents()
    assert intent["price"] == BID + CENT


def test_alone_in_the_market_an_order_stays(rig: BookRig) -> None:
    rig.bids(0, 200)
    rig.stand(1, 0, 200, BID)
    assert rig.post(200) == 0


def test_our_own_shares_are_not_ahead_of_us(rig: BookRig) -> None:
    rig.bids(0, 500)
    rig.bids(1, 400)
    rig.stand(1, 0, 500, BID, ahead=10_000)
    for _ in range(5):
        rig.trade(1, BUY, BID, 1000)
        rig.trade(0, BUY, BID, 1000)
    assert rig.post(500) == 0
