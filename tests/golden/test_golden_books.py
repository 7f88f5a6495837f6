"""The books of every real capture against the slow model, action by action."""

import json

import pytest
from book_rig import Pair

from captures import merge_captures
from feedhandler.books.sizes import sizes_for
from feedhandler.datagrams import datagrams
from feedhandler.dates import session_midnight_ns
from feedhandler.packetactions import PacketActions
from feedhandler.reasons import Reason
from feedhandler.registry import FEEDS, names, versions

DATAGRAM_FEEDS = sorted({feed.name for feed in FEEDS if not feed.transport.stream})
EVERY = 20_000  # actions of the large capture between two comparisons of everything


def captures_of(folder, name):
    rows = json.loads((folder / "manifest.json").read_text())
    assert {row["venue"] for row in rows} & set(names())
    return [folder / row["file"] for row in rows if row["venue"] == name]


def follow(pair, reader, path):
    """Every action of a capture into both kinds of books; gives how many."""
    count = 0
    with merge_captures([path]) as merged:
        for datagram in datagrams(merged):
            if datagram.reason is not Reason.OK:
                continue
            made = reader.read(datagram.payload, datagram.timestamp_ns)
            pair.apply(made, whole=False)
            if count // EVERY != (count + len(made)) // EVERY:
                pair.check(made, whole=True)
            count += len(made)
    pair.check(None, whole=True)
    return count


@pytest.mark.parametrize("name", DATAGRAM_FEEDS)
def test_small_captures(name, real_captures):
    feed = versions(name)[0]
    for path in captures_of(real_captures, name):
        midnight_ns = session_midnight_ns(1_700_000_000_000_000_000, feed.zone)
        reader = PacketActions(feed, midnight_ns)
        with Pair(sizes_for(feed, orders=500, levels=500)) as pair:
            follow(pair, reader, path)


def test_the_large_capture_whole(real_captures):
    feed = versions("iex_deep")[0]
    reader = PacketActions(feed)
    with Pair(sizes_for(feed, orders=8, levels=100_000, instruments=20_000)) as pair:
        pair.with_orders = False  # a feed of levels
        count = follow(pair, reader, real_captures / "large" / "goiex_DEEP10.pcap.gz")
        assert int(reader.context["messages"]) == 391_999
        assert count == 391_940
        assert len(pair.book.active()) == 20
    assert reader.faults() == {}
