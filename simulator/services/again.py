"""Messages that have left already, to be sent again as they were."""

from __future__ import annotations

from feedhandler.lines.repack import datagrams_of
from feedhandler.transports.packets import write_packet
from feedhandler.transports.transport import Transport
from feedhandler.wire.record import Values
from simulator.publishing.publisher import Publisher
from simulator.publishing.unit import UnitStream

BILLION = 1_000_000_000


def is_there(unit: UnitStream, first: int, count: int) -> bool:
    """Whether messages have left and are still kept, all of them."""
    retained = unit.retained
    return count > 0 and retained.first <= first and first + count <= unit.next_sequence


def sent_from(unit: UnitStream, first: int, most: int) -> list[bytes]:
    """Messages from a sequence on that have left and are still kept."""
    return unit.retained.messages(first, max(0, min(most, unit.next_sequence - first)))


def packets_again(
    publisher: Publisher, unit: UnitStream, first: int, count: int, **more: int
) -> list[bytes]:
    """The datagrams that bring messages again; see `sent_from`.

    Args:
        publisher: whose.
        unit: whose stream.
        first, count: which.
        more: values of the packet header beside the feed's own.
    """
    messages = sent_from(unit, first, count)
    if not messages:
        return []
    header: Values = {**publisher.header, **more}
    transport = publisher.feed.transport
    if transport.unit:
        header[transport.unit] = unit.number
    times = _times(transport, unit.retained.made_ns(first))
    return list(datagrams_of(publisher.feed, messages, {**header, **times}, first))


def _times(transport: Transport, time_ns: int) -> Values:
    """The send time: that at which the first message was made."""
    if len(transport.sent) == 2:
        return dict(zip(transport.sent, divmod(time_ns, BILLION), strict=True))
    return dict.fromkeys(transport.sent, time_ns)


def packet(transport: Transport, *messages: bytes, **header: int) -> bytes:
    """A packet of a service."""
    return write_packet(transport, messages, dict(header))
