"""CME's loops: when a turn is whole, what makes an image, and what the directory says."""

from __future__ import annotations

import random
from pathlib import Path

import pytest
from real_decodes import captured

from feedhandler.feed import Feed, decode
from feedhandler.lines.cmedefinitions import CmeDirectory, instrument_of
from feedhandler.lines.cmeloop import MOST_MISSING, Report
from feedhandler.lines.image import Image
from feedhandler.lines.snapshots.cme import CmeSnapshots
from feedhandler.registry import versions
from simulator.services.cme import DISPLAY_FACTOR, FIRST_SECURITY, TICK, CmeChannel

PRICE, ORDERS = (versions(name)[0] for name in ("cme_mdp3", "cme_mdp3_orders"))
BEGIN_NS = 1_773_633_600_000_000_000


def channel(feed: Feed = PRICE, changes: int = 100, securities: int = 6) -> CmeChannel:
    """A channel on which something has happened."""
    made = CmeChannel(feed, "loops", securities=securities, time_ns=BEGIN_NS)
    for _ in range(changes):
        made.change()
    return made


def images_in(snapshots: CmeSnapshots, packets: list[bytes], top: int) -> list[Image]:
    """The images of packets, in order."""
    return [image for packet in packets for image in snapshots.take(packet, top)]


@pytest.mark.parametrize("feed", [PRICE, ORDERS], ids=["price", "orders"])
def test_a_turn_is_whole_with_its_last_packet_and_copies_count_once(feed: Feed) -> None:
    exchange, snapshots = channel(feed), CmeSnapshots(feed)
    packets = list(exchange.snapshot_turn())
    assert images_in(snapshots, packets[:-1], 101)
    assert snapshots.loop.whole is None
    images_in(snapshots, packets, 101)
    assert snapshots.loop.whole == frozenset(exchange.books)
    assert (snapshots.loop.packets, snapshots.loop.turns) == (len(packets), 1)


def test_an_image_is_of_one_security_good_up_to_its_packet() -> None:
    exchange, snapshots = channel(), CmeSnapshots(PRICE)
    (image, *_) = images_in(snapshots, list(exchange.snapshot_turn()), 5 << 32)
    assert (image.unit, image.key, image.session) == (0, FIRST_SECURITY, 0)
    assert image.sequence == (5 << 32) + 100
    (datagram,) = image.datagrams
    assert decode(PRICE, datagram).messages[0].values["rpt_seq"] > 0
    assert int.from_bytes(datagram[:4], "little") == 0


def test_one_that_is_far_ahead_is_of_another_week() -> None:
    exchange, snapshots = channel(), CmeSnapshots(PRICE)
    exchange.sequence = 1 << 21
    assert images_in(snapshots, list(exchange.snapshot_turn()), 5) == []
    assert snapshots.past == 6


def test_what_was_sent_before_a_new_week_counts_no_more() -> None:
    exchange, snapshots = channel(), CmeSnapshots(PRICE)
    packets = list(exchange.snapshot_turn())
    snapshots.begin(exchange.time_ns)
    assert len(images_in(snapshots, packets, 101)) == 1
    assert snapshots.loop.early == 5


@pytest.mark.parametrize("entered", range(6))
def test_a_turn_with_a_hole_is_not_whole_the_next_one_is(entered: int) -> None:
    exchange, snapshots = channel(), CmeSnapshots(PRICE)
    first = list(exchange.snapshot_turn())[entered:]
    images_in(snapshots, [packet for n, packet in enumerate(first) if n != 2], 101)
    whole = entered == 0 and len(first) < 3
    assert (snapshots.loop.whole is not None) == whole
    images_in(snapshots, list(exchange.snapshot_turn()), 101)
    assert snapshots.loop.whole == frozenset(exchange.books)


def test_what_one_line_lost_the_other_fills_in() -> None:
    chance = random.Random(4)
    exchange, snapshots = channel(ORDERS), CmeSnapshots(ORDERS)
    packets = list(exchange.snapshot_turn())
    mixed = [p for p in packets if chance.random() < 0.7] + packets
    images = images_in(snapshots, mixed, 101)
    assert {image.key for image in images} == set(exchange.books) == snapshots.loop.whole
    assert len(images) == 6


def test_a_loop_without_an_end_is_entered_anew_behind_a_hole() -> None:
    """Its packets are numbered on from turn to turn."""
    exchange, snapshots = channel(securities=MOST_MISSING * 2), CmeSnapshots(PRICE)
    packets = [*exchange.snapshot_turn(), *exchange.snapshot_turn(), *exchange.snapshot_turn()]
    numbered = [n.to_bytes(4, "little") + p[4:] for n, p in enumerate(packets, 1_000)]
    images_in(snapshots, numbered[:50] + numbered[51:], 101)
    assert snapshots.loop.turns == 2 and snapshots.loop.whole == frozenset(exchange.books)


def test_chunks_of_two_moments_make_no_image() -> None:
    exchange, snapshots = channel(ORDERS, 200), CmeSnapshots(ORDERS)
    book = max(exchange.books.values(), key=lambda one: len(one.orders))
    before = exchange.snapshot(book, 3, 3)
    exchange.sequence += 1
    behind = exchange.snapshot(book, 3, 3)
    mixed = [before[0], before[1], behind[2], behind[0]]
    packets = [exchange._packet(n, message) for n, message in enumerate(mixed, 1)]
    assert images_in(snapshots, packets, 201) == []
    (image,) = images_in(snapshots, [exchange._packet(9, behind[1])], 201)
    assert len(image.datagrams) == 3 and image.sequence == 201
    chunks = [decode(ORDERS, one).messages[0].values["current_chunk"] for one in image.datagrams]
    assert chunks == [1, 2, 3]


def test_bytes_that_are_nothing_are_counted() -> None:
    snapshots = CmeSnapshots(PRICE)
    assert snapshots.take(b"", 1) == [] and snapshots.take(b"x" * 40, 1) == []
    assert snapshots.loop.stray == 2


def test_the_directory_has_ids_symbols_ticks_depths_and_maturities() -> None:
    exchange, directory = channel(changes=0), CmeDirectory()
    for packet in exchange.definition_turn():
        assert not directory.is_whole
        directory.take(packet)
    assert directory.is_whole and directory.traded == set(exchange.books)
    found = directory.instruments[FIRST_SECURITY]
    assert (found.symbol, found.group, found.asset) == ("ESH0", "ES", "ES")
    assert (found.decimals, found.tick, found.display_factor) == (9, TICK, DISPLAY_FACTOR)
    assert (found.depth, found.implied_depth, found.deleted) == (10, 2, False)
    assert (found.year, found.month, found.day, found.week) == (2026, 12, None, None)
    directory.begin()
    assert directory.instruments == {} and not directory.is_whole and directory.traded is None


def test_a_captured_definition_is_an_entry_of_the_directory(real_captures: Path) -> None:
    path = real_captures / "cme_mdp3" / "Mdp3.Sbe.v1.5__MdInstrumentDefinitionSpread.pcap"
    if not path.exists():
        pytest.skip(f"{path.name} is not there")
    (datagram, *_) = captured(path)
    messages = decode(PRICE, datagram.payload).messages
    (message, *_) = [one for one in messages if one.record.code == 29]
    found = instrument_of(Report(message.record, message.values, b"", 0))
    assert found.decimals == 7 and found.symbol and found.depth > 0 and found.tick > 0
    directory = CmeDirectory()
    directory.take(datagram.payload)
    assert directory.instruments[found.security] == found
