"""Builds packets with a Sequenced Unit Header for tests."""

from __future__ import annotations

from feedhandler.transports.suh import HEADER
from feedhandler.wire.protocol import Protocol
from feedhandler.wire.record import Value

UNIT = 3


def packet(*messages: bytes, sequence: int = 100, unit: int = UNIT, **header: int) -> bytes:
    """A packet around messages; length and count are right unless given."""
    body = b"".join(messages)
    given = {"length": HEADER.size + len(body), "count": len(messages)}
    given |= {"unit": unit, "sequence": sequence, **header}
    return HEADER.encode(given) + body


def one(protocol: Protocol, code: int, **values: Value) -> bytes:
    """One message."""
    return protocol[code].encode(values)
