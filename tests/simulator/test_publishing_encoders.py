"""The encoders are the inverse of the decoder, and refuse what cannot be said."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from event_rig import LISTINGS, START_NS, events_of
from numpy.typing import NDArray
from publishing_rig import PROTOCOLS, Rig
from slow_feed import Heard, SlowFeed

from feedhandler import actions as a
from feedhandler.registry import versions
from simulator.publishing.forms import Forms
from simulator.publishing.layout import ALL_SLOT
from simulator.publishing.publisher import Publisher
from simulator.publishing.shown import wire_id
from simulator.publishing.unit import PublishError
from simulator.publishing.venues import VENUES

QUIET = (a.CLOCK, a.SYMBOL, a.END, a.SESSION)


def heard(actions: NDArray[np.void]) -> list[tuple[Heard, int]]:
    """What the slow feed says of actions, and their times."""
    made = []
    for row in actions.tolist():
        kind, _, flags, _, key, order, price, quantity, aux, time_ns, _ = row
        if kind not in QUIET and not flags & a.ALL:
            order = 0 if kind == a.STATUS else order
            made.append(((a.KINDS[kind], key, order, price, quantity, aux), time_ns))
    return made


@pytest.mark.parametrize("seed", [1, 2])
@pytest.mark.parametrize("venue", PROTOCOLS)
def test_the_decoder_hears_what_happened(venue: str, seed: int) -> None:
    events = events_of(seed, 3_000)
    with Rig(venue, seed=seed) as rig:
        rig.keep = True
        publisher = rig.publisher
        state = publisher.units[0].state.base.ctypes.data  # type: ignore[union-attr]
        slow = SlowFeed(
            publisher.feed.protocol.name,
            lambda reference: int(wire_id.py_func(state, reference)) if False else ids(reference),
            publisher.key,
        )
        ids = {}
