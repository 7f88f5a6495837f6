"""Order sessions in captures: TCP segments put back into streams, for tools that look at captures.

Each direction of a connection is a flow of its own. Segments are read in the order of their
sequence numbers: what was read before is trimmed, what comes early is held until the hole fills.
A hole that stays open is a gap: the message cut by it is dropped and reading goes on at the next
segment, which most often starts a message, as gateways write message by message.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from feedhandler.datagrams import Datagram
from feedhandler.feed import Decoded, Fault, Feed
from feedhandler.streampieces import Piece, decode_best_piece, empty_piece

WINDOW_BYTES = 1 << 24  # a sequence number further away than this is another connection's
HOLD_SEGMENTS = 8  # early segments that wait for a hole to fill before it counts as a gap
PENDING_BYTES = 1 << 18  # of one cut message; more than any framing can state
SEQUENCE_SPACE = 1 << 32

Flow = tuple[int, int, int, int]


@dataclass
class StreamCounts:
    """What happened to the segments of one flow.

    Attributes:
        segments: with payload.
        repeated_bytes: that had been read before and were trimmed away.
        held: segments that came before their turn.
        gaps: holes that were never filled.
        gap_bytes: missing in them.
        resets: jumps to another connection's sequence numbers.
        dropped_bytes: received but part of no message.
    """

    segments: int = 0
    repeated_bytes: int = 0
    held: int = 0
    gaps: int = 0
    gap_bytes: int = 0
    resets: int = 0
    dropped_bytes: int = 0


def ahead(sequence: int, expected: int) -> int:
    """How far a sequence number is ahead of the expected one; negative when behind."""
    half = SEQUENCE_SPACE // 2
    return (sequence - expected + half) % SEQUENCE_SPACE - half


@dataclass
class Stream:
    """One flow as far as it was read.

    Attributes:
        expected: sequence number of the byte behind `pending`.
        pending: the start of a message whose rest has not come yet.
        early: segments behind a hole, by sequence number.
        feed: the feed whose tables read the flow so far; None until one does.
    """

    expected: int
    pending: bytes = b""
    early: dict[int, bytes] = field(default_factory=dict)
    feed: Feed | None = None
    counts: StreamCounts = field(default_factory=StreamCounts)

    def add(self, sequence: int, payload: bytes, hold_segments: int) -> None:
        """Takes one segment; what follows in order is appended to `pending`."""
        self.counts.segments += 1
        distance = ahead(sequence, self.expected)
        if abs(distance) > WINDOW_BYTES:
            self._reset(sequence)
        elif distance > 0:
            self.counts.held += 1
            self.early[sequence] = max(self.early.get(sequence, b""), payload, key=len)
            if len(self.early) > hold_segments:
                self.skip_gap()
            return
        self._append(sequence, payload)
        self._append_early()

    def skip_gap(self) -> None:
        """Gives up the hole before the held segments and the message it cuts."""
        first = min(self.early, key=lambda sequence: ahead(sequence, self.expected))
        self.counts.gaps += 1
        self.counts.gap_bytes += ahead(first, self.expected)
        self.drop_pending()
        self.expected = first
        self._append_early()

    def drop_pending(self) -> None:
        """Gives up the cut message."""
        self.counts.dropped_bytes += len(self.pending)
        self.pending = b""

    def take(self, piece: Piece) -> None:
        """Notes what was read of `pending`."""
        self.pending = self.pending[piece.decoded.packet.consumed :]
        self.counts.dropped_bytes += piece.dropped

    def _reset(self, sequence: int) -> None:
        self.counts.resets += 1
        self.drop_pending()
        self.counts.dropped_bytes += sum(map(len, self.early.values()))
        self.early.clear()
        self.expected = sequence

    def _append(self, sequence: int, payload: bytes) -> None:
        known = min(-ahead(sequence, self.expected), len(payload))
        self.counts.repeated_bytes += known
        self.pending += payload[known:]
        self.expected = (self.expected + len(payload) - known) % SEQUENCE_SPACE

    def _append_early(self) -> None:
        for sequence in sorted(self.early, key=lambda number: ahead(number, self.expected)):
            if ahead(sequence, self.expected) > 0:
                return
            self._append(sequence, self.early.pop(sequence))


class StreamDecoder:
    """Decodes the TCP flows of a capture, segment by segment.

    Args:
        feeds: candidates, preferred one first; only those that come by TCP are used. A flow keeps
            the feed that reads it until another one alone reads it without a fault.
        hold_segments: early segments of a flow that wait for a hole to fill.

    Raises:
        ValueError: when none of the feeds comes by TCP.
    """

    def __init__(self, feeds: Sequence[Feed], hold_segments: int = HOLD_SEGMENTS) -> None:
        self._feeds = [feed for feed in feeds if feed.transport.stream]
        if not self._feeds:
            names = ", ".join(feed.full_name for feed in feeds) or "no feed given"
            raise ValueError(f"expected a feed that comes by TCP, got: {names}")
        self._hold_segments = hold_segments
        self._streams: dict[Flow, Stream] = {}

    def segment(self, datagram: Datagram) -> Decoded:
        """The messages that this segment completes, with what did not fit.

        Offsets count from the start of the oldest byte not yet read, which may have come in an
        earlier segment.
        """
        payload = bytes(datagram.payload)
        if not payload:
            return empty_piece().decoded
        stream = self._streams.setdefault(datagram.flow, Stream(datagram.tcp_sequence))
        stream.add(datagram.tcp_sequence, payload, self._hold_segments)
        return self._read(stream)

    def finish(self) -> dict[Flow, Decoded]:
        """At the end of the capture: what was still held behind holes, by flow."""
        made: dict[Flow, Decoded] = {}
        for flow, stream in self._streams.items():
            while stream.early:
                stream.skip_gap()
                part = self._read(stream)
                whole = made.setdefault(flow, part)
                if whole is not part:
                    whole.messages.extend(part.messages)
                    whole.faults.extend(part.faults)
            stream.drop_pending()
        return made

    def feed_of(self, flow: Flow) -> Feed | None:
        """The feed that reads a flow; None until one has read a message of it."""
        stream = self._streams.get(flow)
        return stream.feed if stream is not None else None

    @property
    def counts(self) -> dict[Flow, StreamCounts]:
        """What happened to the segments, by flow."""
        return {flow: stream.counts for flow, stream in self._streams.items()}

    def _read(self, stream: Stream) -> Decoded:
        if not stream.pending:
            return empty_piece().decoded
        others = [feed for feed in self._feeds if feed is not stream.feed]
        known = [stream.feed] if stream.feed is not None else []
        feed, piece = decode_best_piece(known + others, stream.pending)
        if piece.clean and piece.decoded.messages:
            stream.feed = feed
        stream.take(piece)
        if len(stream.pending) > PENDING_BYTES:
            detail = f"a message longer than {PENDING_BYTES} bytes"
            piece.decoded.faults.append(Fault("bad_length", 0, detail))
            stream.drop_pending()
        return piece.decoded
