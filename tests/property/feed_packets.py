"""Random packets of any feed, written by its own tables."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st
from wire_values import values_of

from feedhandler.feed import Feed, load_object
from feedhandler.registry import FEEDS
from feedhandler.transports.packets import write_packet
from feedhandler.wire.acts import Rows

DATAGRAM_FEEDS = {feed.full_name: feed for feed in FEEDS if not feed.transport.stream}


def rows_of(feed: Feed) -> Rows:
    """The rows that the feed's compiled decoder runs."""
    rows: Rows = load_object(feed.rows)
    return rows


def message_of(feed: Feed) -> st.SearchStrategy[bytes]:
    """The bytes of any message of the feed."""
    return st.sampled_from(feed.protocol.records).flatmap(
        lambda record: values_of(record).map(record.encode)
    )


def header_of(feed: Feed, sequence: int) -> dict[str, Any]:
    """Header values of a packet whose first message has that sequence."""
    header = dict(feed.header)
    if feed.transport.sequence:
        header[feed.transport.sequence] = sequence
    return header


def packet_of(feed: Feed, messages: list[bytes], sequence: int = 1) -> bytes:
    """A packet with these messages."""
    return write_packet(feed.transport, messages, header_of(feed, sequence))
