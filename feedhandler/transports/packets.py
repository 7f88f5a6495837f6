"""Writing packets: the encoder's side of `transport.read_packet`, for venues, tests and samples."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from feedhandler.transports.transport import Transport
from feedhandler.wire.field import Role
from feedhandler.wire.record import Record, Value


def write_packet(
    transport: Transport, messages: Sequence[bytes], header: Mapping[str, Value]
) -> bytes:
    """One packet (or stream piece) with these messages.

    Args:
        transport: how they are framed.
        messages: each as its table encodes it.
        header: values of the packet header; count, length and checksum are filled in unless given.

    Raises:
        WireError: "bad_value" naming the header field that cannot hold its value.
    """
    body = b"".join(transport.framing.wrap(message) for message in messages)
    if transport.header is None:
        return body
    given = dict(header)
    if transport.count:
        given.setdefault(transport.count, len(messages))
    if transport.even and (transport.header.size + len(body)) % 2:
        body += b"\0"
    if transport.length is not None:
        name, addend = transport.length
        given.setdefault(name, transport.header.size + len(body) - addend)
    if transport.checksum and transport.checksum not in given:
        field = transport.header.by_name[transport.checksum]
        whole = transport.header.encode({**given, field.name: 0}) + body
        given[field.name] = sum(whole) & field.high
    return transport.header.encode(given) + body


def enclose(outer: Record, inner: bytes, values: Mapping[str, Value] | None = None) -> bytes:
    """An outer message with another message behind its own fields.

    Args:
        outer: the table of the outer message; its length field will count the inner one.
        inner: the other message, encoded.
        values: the outer message's fields.
    """
    given = dict(values or {})
    for field in outer.fields:
        if field.role is Role.LENGTH:
            given.setdefault(field.name, outer.size + len(inner) - field.less)
    return outer.encode(given) + inner
