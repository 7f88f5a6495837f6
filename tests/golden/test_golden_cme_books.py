"""The books of the large CME capture: against the slow model, and against levels kept by place.

The capture is half an hour around the opening of the currency futures: orders are entered into
books that may cross until they open, and from then on no event leaves one crossed.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from book_rig import Pair
from real_decodes import captured, expected_packets

from feedhandler.actions import BUY, EVENT_OPEN, LEVEL, SELL
from feedhandler.books.sizes import sizes_for
from feedhandler.packetactions import PacketActions
from feedhandler.prices import multiplier
from feedhandler.registry import versions

LARGE = "omi_Cme.Mdp3.Sbe.v1.8.pcap.gz"
LINE_A = 14_320
OPENED_NS = 1_475_013_600_000_000_000  # 17:00 in Chicago
DEPTH, DECIMALS = 10, 7
RECORDS, SECURITIES = 6_589, 39
NEW, CHANGE, DELETE = 0, 1, 2
Place = tuple[int, int] | None


def price_of(text: str) -> int:
    """A price in units of 1e-8."""
    whole, _, part = text.partition(".")
    return int(whole + part.ljust(DECIMALS, "0")) * multiplier(DECIMALS)


class Places:
    """The levels of every side by their place, as the exchange says them; None is not known."""

    def __init__(self) -> None:
        self.sides: defaultdict[tuple[int, int], list[Place]] = defaultdict(lambda: [None] * DEPTH)

    def take(self, message: dict[str, Any]) -> set[int]:
        """Applies one book message; the securities it changed."""
        group = message["fields"]["incremental_refresh_book_groups"]
        touched = set()
        for row in group.get("incremental_refresh_book_group", []):
            security = row["security_id"]
            touched.add(security)
            levels = self.sides[security, BUY if row["md_entry_type_book"] == "0" else SELL]
            place, action = row["md_price_level"] - 1, row["md_update_action"]
            level = price_of(row["md_entry_px_optional"]), row["md_entry_size_optional"]
            if action == DELETE:
                known = levels.pop(place)
                assert known is None or known[0] == level[0]
                levels.append(None)
            elif action == NEW:
                levels.insert(place, level)
                levels.pop()
            else:
                assert action == CHANGE
                levels[place] = level
        return touched

    def side(self, security: int, side: int) -> list[tuple[int, int]]:
        """The known levels of a side."""
        return [level for level in self.sides[security, side] if level is not None]

    def crossed(self, security: int) -> bool:
        """Whether the best bid is at or above the best offer."""
        bids, offers = self.side(security, BUY), self.side(security, SELL)
        return bool(bids and offers) and bids[0][0] >= offers[0][0]


def packets_of(capture: Path) -> Iterator[tuple[Any, dict[str, Any]]]:
    """The packets of line A with the other decoder's reading."""
    if not capture.exists():
        pytest.skip(f"{capture.name} is not there")
    for datagram, packet in zip(captured(capture), expected_packets(capture), strict=True):
        if packet["l4"]["dport"] == LINE_A:
            yield datagram, packet


def test_books_are_the_slow_model_s_and_the_exchange_s_at_every_packet(real_captures: Path) -> None:
    (feed,) = versions("cme_mdp3")
    reader, places, records = PacketActions(feed), Places(), 0
    with Pair(sizes_for(feed, orders=8, levels=4_000, instruments=64)) as pair:
        pair.with_orders = False
        for datagram, packet in packets_of(real_captures / "large" / LARGE):
            made = reader.read(datagram.payload, datagram.timestamp_ns)
            records += len(made)
            pair.apply(made, whole=False)
            touched = set()
            for message in packet["messages"]:
                if message["header"]["template_id"] == 32:
                    touched |= places.take(message)
            for security in touched:
                number = pair.book.instrument(security)
                assert number is not None
                for side in (BUY, SELL):
                    shown = [(price, size) for price, size, _ in pair.side(side, number)]
                    assert shown == places.side(security, side), packet["frame"]
        pair.check(None, whole=True)
        assert len(pair.book.active()) == SECURITIES
        assert pair.book.faults() == {}
    assert (records, reader.faults()) == (RECORDS, {})


def test_no_book_is_crossed_behind_an_event_once_it_is_open(real_captures: Path) -> None:
    (feed,) = versions("cme_mdp3")
    reader, places, before, after = PacketActions(feed), Places(), 0, 0
    for datagram, packet in packets_of(real_captures / "large" / LARGE):
        made = reader.read(datagram.payload, datagram.timestamp_ns)
        levels = made[made["kind"] == LEVEL]
        closed = len(levels) and not levels[-1]["flags"] & EVENT_OPEN
        for message in packet["messages"]:
            if message["header"]["template_id"] != 32:
                continue
            touched = places.take(message)
            event = message["fields"]["match_event_indicator"]
            if event["end_of_event"]:
                assert closed or not touched
                crossed = sum(map(places.crossed, touched))
                opened = packet["ts_ns"] >= OPENED_NS
                before, after = before + crossed * (not opened), after + crossed * opened
    assert (before, after) == (229, 0)
