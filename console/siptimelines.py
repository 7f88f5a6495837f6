"""Reads what direct feeds and tapes say of national bests: from a run's stream, from captures."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Container, Sequence
from ipaddress import IPv4Address
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from captures import merge_captures
from console.marketrun import RING_SLOTS
from console.plan import Plan
from console.sipsaid import SIDES, Said, Timelines
from feedhandler.consolidated.layout import NO_INSTRUMENT
from feedhandler.consolidated.market import MarketShard
from feedhandler.consolidated.streamformat import NATIONAL
from feedhandler.consolidated.subscriptions import Subscription
from feedhandler.datagrams import datagrams
from feedhandler.feed import Feed, decode
from feedhandler.reasons import Reason
from feedhandler.sipquotes import READERS

FOREVER_NS: Final = 1 << 62
VENUE_SHIFT: Final = 32  # the offer's venues in the word that has those of both sides
VENUE_MASK: Final = (1 << VENUE_SHIFT) - 1


class DirectWatch:
    """The national best of a run's consolidated book; to be drained while the run goes on."""

    def __init__(self, market: MarketShard) -> None:
        wanted = int(market.head["wanted"])
        self._subscription = Subscription(market, ["national"], RING_SLOTS)
        market.head["wanted"] |= wanted  # what others want without a ring; entering forgot it
        self._records: list[NDArray[np.void]] = []

    def drain(self) -> int:
        """Takes what has been said since; how much it was."""
        count = 0
        while len(records := self._subscription.read()):
            self._records.append(records[records["kind"] == NATIONAL])
            count += len(records)
        return count

    @property
    def lost_count(self) -> int:
        """Changes that found no room."""
        return self._subscription.lost_count

    def timelines(self, instruments: Container[int] | None = None) -> Timelines:
        """What was said, of some instruments or of all."""
        made: Timelines = defaultdict(list)
        for records in self._records:
            columns = (records[name].tolist() for name in ("time_ns", "instrument", "words"))
            for time_ns, instrument, words in zip(*columns, strict=True):
                if instruments is not None and instrument not in instruments:
                    continue
                bid, offer, bid_size, offer_size, venues = words
                of = (venues & VENUE_MASK, (venues >> VENUE_SHIFT) & VENUE_MASK)
                pairs = ((bid, bid_size), (offer, offer_size))
                for side, (price, size), bits in zip(SIDES, pairs, of, strict=True):
                    said = Said(time_ns, price if size else 0, size, bits.bit_count())
                    made[instrument, side].append(said)
        return made


def tape_feeds(plan: Plan) -> dict[tuple[int, int], Feed]:
    """Line A of the plan's tapes, by address (as a number) and port."""
    places: dict[tuple[int, int], Feed] = {}
    for channel in plan.channels:
        feed, address = channel.feed, channel.address
        if feed is None or address is None or channel.line != "A" or feed.name not in READERS:
            continue
        places[int(IPv4Address(address.group)), address.udp_port] = feed
    return places


def tapes_said(
    plan: Plan, files: Sequence[Path], find: Callable[[str], int], until_ns: int = FOREVER_NS
) -> tuple[dict[str, Timelines], int]:
    """The timelines of each tape, and the time of the last packet.

    Args:
        plan: which channel a tape comes on.
        files: captures, merged.
        find: an instrument's number by the tape's spelling; NO_INSTRUMENT for others.
        until_ns: what comes later is not read.
    """
    places = tape_feeds(plan)
    made: dict[str, Timelines] = {feed.name: defaultdict(list) for feed in places.values()}
    numbers: dict[str, int] = {}
    end_ns = 0
    with merge_captures(list(files)) as merged:
        for datagram in datagrams(merged):
            if datagram.timestamp_ns > until_ns:
                break
            end_ns = datagram.timestamp_ns
            found = places.get((datagram.destination_ip, datagram.destination_port))
            if found is None or datagram.reason is not Reason.OK:
                continue
            for message in decode(found, datagram.payload).messages:
                for side in READERS[found.name](message):
                    if side.symbol not in numbers:
                        numbers[side.symbol] = find(side.symbol)
                    number = numbers[side.symbol]
                    if number != NO_INSTRUMENT:
                        said = Said(end_ns, side.price, side.size)
                        made[found.name][number, side.side].append(said)
    return made, end_ns
