"""Random packets and stream pieces of any feed, written by its own tables."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from wire_values import values_of

from feedhandler.feed import Feed, load_object
from feedhandler.registry import FEEDS
from feedhandler.transports.packets import enclose, write_packet
from feedhandler.wire.acts import Rows
from feedhandler.wire.record import Record

BY_NAME = {feed.full_name: feed for feed in FEEDS}
DATAGRAM_FEEDS = [name for name, feed in BY_NAME.items() if not feed.transport.stream]
STREAM_FEEDS = [name for name, feed in BY_NAME.items() if feed.transport.stream]


def rows_of(feed: Feed) -> Rows:
    """The rows that the feed's compiled decoder runs."""
    rows: Rows = load_object(feed.rows)
    return rows


def carrier_of(feed: Feed) -> Record | None:
    """The outer message that carries what the rows are for; None when they are for all messages."""
    rows = rows_of(feed)
    found = [code for code, inner in feed.inner.items() if inner is rows.protocol]
    return feed.protocol[found[0]] if found else None


def carried(feed: Feed, message: bytes, sequence: int) -> bytes:
    """A message of the rows' protocol as it stands in a packet of the feed."""
    carrier = carrier_of(feed)
    if carrier is None:
        return message
    named = {"seq", "sequence_number"} & set(carrier.by_name)
    return enclose(carrier, message, dict.fromkeys(named, sequence) or None)


def message_of(feed: Feed) -> st.SearchStrategy[bytes]:
    """The bytes of any message of the feed, of an outer one with any that it can carry."""
    empty = {code for code, inner in feed.inner.items() if not inner.records}
    outer = st.sampled_from([r for r in feed.protocol.records if r.code not in empty])
    return outer.flatmap(lambda record: _whole(feed, record))


def _whole(feed: Feed, outer: Record) -> st.SearchStrategy[bytes]:
    inner = feed.inner.get(outer.code)
    if inner is None:
        return values_of(outer).map(outer.encode)
    inside = st.sampled_from(inner.records).flatmap(lambda r: values_of(r).map(r.encode))
    return st.builds(lambda values, raw: enclose(outer, raw, values), values_of(outer), inside)


def header_of(feed: Feed, sequence: int, **more: Any) -> dict[str, Any]:
    """Header values of a packet whose first message has that sequence."""
    header = {**feed.header, **more}
    if feed.transport.sequence:
        header[feed.transport.sequence] = sequence
    return header


def packet_of(feed: Feed, messages: list[bytes], sequence: int = 1, **header: Any) -> bytes:
    """A packet, or a piece of a stream, with these messages."""
    given = header_of(feed, sequence, **header) if feed.transport.header else {}
    return write_packet(feed.transport, messages, given)


@cache
def corpus(name: str, count: int = 60, most: int = 4) -> list[bytes]:
    """Valid packets of a feed, of up to `most` messages each; always the same ones.

    Behind them one blank message of every table, in a packet of its own.
    """
    feed = BY_NAME[name]
    made: list[bytes] = []

    @settings(
        max_examples=count,
        derandomize=True,
        database=None,
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(st.lists(message_of(feed), max_size=most), st.integers(0, 1 << 31))
    def collect(messages: list[bytes], sequence: int) -> None:
        made.append(packet_of(feed, messages, sequence))

    collect()
    return made + [packet_of(feed, [message]) for message in blanks(feed)]


def blanks(feed: Feed) -> Iterator[bytes]:
    """One message of every table, all its fields blank."""
    for outer in feed.protocol.records:
        inner = feed.inner.get(outer.code)
        if inner is None:
            yield outer.encode()
        else:
            yield from (enclose(outer, record.encode()) for record in inner.records)
