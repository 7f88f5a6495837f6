"""The feed tells the truth: the books of its packets are those of the events."""

from __future__ import annotations

import random

import numpy as np
import pytest
from event_rig import LISTINGS, events_of
from publishing_rig import PROTOCOLS, Rig

from feedhandler import actions as a
from feedhandler.books.slow import SlowBooks
from simulator.publishing.venues import VENUES

MOMENTS = 1_000
EVENTS = 6_000


@pytest.mark.parametrize("venue", PROTOCOLS)
def test_decoded_books_equal_the_events_books_at_a_thousand_random_moments(venue: str) -> None:
    events = events_of(11, EVENTS)
    chance = random.Random(venue)
    moments = sorted(chance.sample(range(1, EVENTS), MOMENTS))
    truth, compared = SlowBooks(), 0
    with Rig(venue) as rig:
        for first, last in zip([0, *moments[:-1]], moments, strict=True):
            rig.publish(events[first:last])
            truth.apply(events[first:last])
            assert rig.differences(truth) == []
            compared += 1
            if compared % 20 == 0:
                for instrument in range(1, len(LISTINGS) + 1):
                    orders = truth.queue(instrument)
                    assert rig.queue(instrument) == [(o.side, o.price, o.quantity) for o in orders]
        assert rig.book.faults() == {}
        assert rig.book.order_count() == len(truth.orders) > 20
    assert compared == MOMENTS


@pytest.mark.parametrize("venue", sorted(set(VENUES) - set(PROTOCOLS)))
def test_the_other_venues_tell_the_truth_too(venue: str) -> None:
    events, truth = events_of(12, 2_000), SlowBooks()
    with Rig(venue) as rig:
        for part in np.array_split(events, 50):
            rig.publish(part)
            truth.apply(part)
            assert rig.differences(truth) == []


@pytest.mark.parametrize("venue", PROTOCOLS)
def test_states_of_one_instrument_and_of_all_arrive(venue: str) -> None:
    with Rig(venue) as rig:
        keys = [rig.publisher.key(number) for number in range(1, len(LISTINGS) + 1)]

        def states() -> list[int]:
            found = [rig.book.instrument(key) for key in keys]
            return [int(rig.book.tops["status"][number]) for number in found if number is not None]

        assert states() == [a.STATUS_TRADING] * len(LISTINGS)
        event = events_of(1, 1)
        event["kind"], event["aux"], event["key"] = a.STATUS, a.STATUS_HALTED, 2
        event["flags"] = 0
        rig.publish(event)
        assert states() == [2, 3, 2, 2, 2]
        event["aux"], event["key"], event["flags"] = a.STATUS_HALTED, 0, a.ALL
        event["time_ns"] += 1_000_000
        rig.publish(event)
        assert states() == [a.STATUS_HALTED] * len(LISTINGS)
        event["aux"] = a.STATUS_TRADING
        rig.publish(event)
        for number in range(1, len(LISTINGS) + 1):  # said one by one, a halt is lifted one by one
            event["key"], event["flags"] = number, 0
            event["time_ns"] += 1_000_000
            rig.publish(event)
        assert states() == [a.STATUS_TRADING] * len(LISTINGS)
