"""Messages that came by one transport as datagrams of another: those the loop's decoder reads."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from feedhandler.feed import Feed
from feedhandler.transports.packets import write_packet
from feedhandler.transports.transport import select_record
from feedhandler.wire.errors import WireError
from feedhandler.wire.protocol import Protocol
from feedhandler.wire.record import Buffer, Record, Value

MOST_BYTES = 1400  # of a datagram with its header; a longer message goes alone
MOST_MESSAGES = 255  # what the narrowest count of any transport holds


def checked(protocol: Protocol, data: Buffer, start: int, end: int) -> Record:
    """The table of a message that fits it, without reading more of it than that takes.

    Raises:
        WireError: with the fault's name.
    """
    record = select_record(protocol, data, start, end)
    if end - start > record.size and not protocol.longer_allowed(record):
        raise WireError("long_message", f"{record.name} has {end - start} bytes", record.size)
    if end - start < record.size or record.tails or record.block is not None:
        record.decode(data, start, end)
    return record


def datagrams_of(
    feed: Feed, messages: Iterable[bytes], header: Mapping[str, Value], first: int = 0
) -> tuple[bytes, ...]:
    """Datagrams of a feed's own transport with these messages, in their order.

    Args:
        feed: whose transport.
        messages: as their tables encode them.
        header: values of the packet headers beside the feed's own; not the sequence.
        first: sequence of the first message; 0: they have none, and all headers say 0.
    """
    transport = feed.transport
    head = transport.header.size + 2 if transport.header is not None else 0
    made: list[bytes] = []
    batch: list[bytes] = []
    room, number = MOST_BYTES - head, first

    def flush() -> None:
        nonlocal room, number
        if batch:
            values = {**feed.header, transport.sequence: number, **header}
            made.append(write_packet(transport, batch, values))
        number += len(batch) if first else 0
        batch.clear()
        room = MOST_BYTES - head

    for message in messages:
        size = len(message) + transport.framing.body
        if size > room or len(batch) == MOST_MESSAGES:
            flush()
        batch.append(message)
        room -= size
    flush()
    return tuple(made)
