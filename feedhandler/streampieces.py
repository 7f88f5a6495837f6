"""A piece of a byte stream, read by the feeds that may have written it, in plain Python.

A piece starts at a message and may end inside one. Whether the last, cut message can be one at all
is judged as early as its bytes allow: reading on from garbage would swallow what comes after it.
"""

from __future__ import annotations

from dataclasses import dataclass

from feedhandler.feed import Decoded, Fault, Feed, decode
from feedhandler.transports.transport import Packet, select_record
from feedhandler.wire.errors import WireError
from feedhandler.wire.protocol import Protocol
from feedhandler.wire.record import Buffer, Record


@dataclass
class Piece:
    """What a stream piece holds.

    Attributes:
        decoded: its whole messages; `packet.consumed` bytes need not come again.
        dropped: how many of those bytes nothing can be found in.
    """

    decoded: Decoded
    dropped: int = 0

    @property
    def clean(self) -> bool:
        """Whether there was nothing that did not fit."""
        return not self.decoded.faults


def empty_piece() -> Piece:
    """What a piece without a byte holds."""
    return Piece(Decoded(Packet({}), [], []))


def limit(protocol: Protocol, record: Record) -> int | None:
    """The length that a message cannot exceed; None when its table sets no end."""
    return None if protocol.longer_allowed(record) else record.size


def judge(feed: Feed, data: Buffer, start: int) -> None:
    """Raises WireError when no message of the feed can start like this and have that length.

    Args:
        data: the piece, which ends before the message does.
        start: of the message in the piece.
    """
    protocol, framing = feed.protocol, feed.transport.framing
    body = start + framing.body
    if len(data) < max(start + framing.least, body + protocol.code_offset + protocol.code_width):
        return
    stated = start + framing.step(data, start) - body
    outer = select_record(protocol, data, body, len(data))
    most = limit(protocol, outer)
    table = feed.inner.get(outer.code)
    if table is not None:
        inside = body + outer.size
        if len(data) < inside + table.code_offset + table.code_width:
            return
        room = limit(table, select_record(table, data, inside, len(data)))
        most = None if room is None else outer.size + room
    if most is not None and stated > most:
        raise WireError("long_message", f"{outer.name} states {stated} bytes, the table {most}")


def decode_piece(feed: Feed, data: bytes) -> Piece:
    """The whole messages of a stream piece; never raises, what does not fit is in the faults."""
    decoded = decode(feed, data)
    packet = decoded.packet
    read = packet.spans[-1][1] if packet.spans else 0
    if packet.consumed < len(data) and feed.transport.header is None:
        read = packet.consumed
        try:
            judge(feed, data, read)
        except WireError as error:
            decoded.faults.append(Fault(error.reason, read + error.offset, str(error)))
            packet.consumed = len(data)
    lost = packet.consumed == len(data) and bool(decoded.faults)
    return Piece(decoded, len(data) - read if lost else 0)


def decode_best_piece(feeds: list[Feed], data: bytes) -> tuple[Feed, Piece]:
    """The piece by the first feed that reads all of it; else by the one with the fewest faults.

    Args:
        feeds: candidates, preferred one first; at least one.
        data: the piece.
    """
    tried: list[tuple[int, int, Feed, Piece]] = []
    for order, feed in enumerate(feeds):
        piece = decode_piece(feed, data)
        if piece.clean and piece.decoded.messages:
            return feed, piece
        tried.append((len(piece.decoded.faults), order, feed, piece))
    _, _, feed, piece = min(tried, key=lambda item: item[:2])
    return feed, piece
