"""CME's market recovery: snapshots of all instruments of a channel, sent in a loop by multicast.

Nobody is asked: who has lost messages hears the loop. A snapshot by price is one message, one by
order comes in chunks, all of the same moment. Each is good up to a packet of the incremental
channel. A snapshot is an image as it is: the loop's decoder reads it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from feedhandler.feed import Feed
from feedhandler.lines.cmeloop import ID, CmeLoop, Report
from feedhandler.lines.image import Image
from feedhandler.lines.session import widened
from feedhandler.transports.cme import TRANSPORT
from feedhandler.transports.packets import write_packet

BY_PRICE: Final = frozenset((38, 52, 69))
BY_ORDER: Final = frozenset((44, 53))
MOST_AHEAD: Final = 1 << 20  # packets that a snapshot can be ahead of the lines; else of the past
LAST: Final = "last_msg_seq_num_processed"


def codes_of(feed: Feed) -> frozenset[int]:
    """The templates of snapshots that a feed's books are made of."""
    return BY_ORDER if feed.name.endswith("orders") else BY_PRICE


def alone(message: bytes, sent_ns: int) -> bytes:
    """A message in a packet of its own that is no part of the live stream: its sequence is 0."""
    return write_packet(TRANSPORT, [message], {TRANSPORT.sequence: 0, "sending_time": sent_ns})


@dataclass
class Chunks:
    """What has come of a snapshot by order: chunks by their number."""

    sequence: int
    total: int
    parts: dict[int, bytes] = field(default_factory=dict)


class CmeSnapshots:
    """The images that a snapshot loop makes.

    Args:
        feed: whose books; it says which of the snapshots count.

    Attributes:
        loop: of the packets; `loop.whole` has the keys of a whole turn.
        heard: the keys in the datagram that was taken last.
        past: snapshots that are too far ahead to be of this week's sequence.
        broken: chunks that say what cannot be.
    """

    def __init__(self, feed: Feed) -> None:
        self.loop = CmeLoop(feed.protocol, codes_of(feed))
        self.past = self.broken = 0
        self.heard: list[int] = []
        self._chunks: dict[int, Chunks] = {}

    def begin(self, since_ns: int = 0) -> None:
        """A whole turn from now on is wanted; what was sent before counts no more."""
        self.loop.begin(since_ns)
        self._chunks.clear()

    def take(self, payload: bytes, top: int) -> list[Image]:
        """The images that a datagram of the loop makes whole.

        Args:
            payload: of either line.
            top: the highest sequence of the incremental channel so far, in its 64-bit count.
        """
        made, reports = [], self.loop.take(payload)
        self.heard = [report.number(ID) for report in reports]
        for report in reports:
            sequence = widened(report.number(LAST), top)
            if sequence > top + MOST_AHEAD:
                self.past += 1
                continue
            parts = self._parts(report)
            if parts:
                made.append(Image(0, sequence, parts, key=report.number(ID)))
        return made

    def _parts(self, report: Report) -> tuple[bytes, ...]:
        """The datagrams of the snapshot that a report makes whole; none when it does not."""
        datagram = alone(report.data, report.sent_ns)
        if report.record.code in BY_PRICE:
            return (datagram,)
        key, sequence, total = (report.number(name) for name in (ID, LAST, "no_chunks"))
        number = report.number("current_chunk")
        if not 1 <= number <= total:
            self.broken += 1
            return ()
        chunks = self._chunks.get(key)
        if chunks is None or (chunks.sequence, chunks.total) != (sequence, total):
            chunks = self._chunks[key] = Chunks(sequence, total)
        chunks.parts[number] = datagram
        if len(chunks.parts) < total:
            return ()
        del self._chunks[key]
        return tuple(chunks.parts[n] for n in range(1, total + 1))
