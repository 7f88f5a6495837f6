"""The loop keeps books: the same wherever bursts are cut, without page faults once it is warm."""

import resource
import threading
from pathlib import Path

import numpy as np
import pytest
from book_rig import B, Pair, add

from captures import merge_captures
from feedhandler import specialise
from feedhandler.actions import DELETE
from feedhandler.books.compare import everything
from feedhandler.books.sizes import sizes_for
from feedhandler.books.slow import SlowBooks
from feedhandler.books.venuebook import VenueBook
from feedhandler.channelfile import load_channels
from feedhandler.channelmap import ChannelAddress
from feedhandler.datagrams import datagrams
from feedhandler.packetactions import PacketActions
from feedhandler.stateblock import LoopOptions, create_state
from nic import regions
from nic.port import open_port

SAMPLES = Path(__file__).resolve().parents[2] / "captures" / "samples"
CHANNELS = [c for c in load_channels(SAMPLES / "channels.toml").channels if c.line == "A"]
NAMES = [channel.name for channel in CHANNELS]
MAP = load_channels(SAMPLES / "channels.toml")
VENUES_FEEDS = [channel.feeds[0] for channel in CHANNELS]
ROOM = {"orders": 2000, "levels": 2000}


def packets(name: str) -> list[tuple[bytes, int]]:
    """Payloads of a sample's line A with their times."""
    with merge_captures([SAMPLES / f"{name}-a.pcap"]) as merged:
        return [(bytes(d.payload), d.timestamp_ns) for d in datagrams(merged)]


def model_of(name: str) -> SlowBooks:
    """The slow books of a sample."""
    channel = CHANNELS[NAMES.index(name)]
    reader = PacketActions(channel.feeds[0], MAP.midnight_ns(channel))
    model = SlowBooks(sizes_for(channel.feeds[0], **ROOM))
    for payload, time_ns in packets(name):
        model.apply(reader.read(payload, time_ns))
    return model


def run_samples(books: list[VenueBook], burst: int) -> int:
    """All samples merged by time through one loop that keeps all their books."""
    feeds = list({f.full_name: f for f in VENUES_FEEDS}.values())
    files = ",".join(str(SAMPLES / f"{name}-a.pcap") for name in NAMES)
    addresses = [ChannelAddress(c.group, c.port, c.vlan) for c in CHANNELS]
    sections = specialise.sections(len(CHANNELS), feeds)
    with open_port(f"replay:{files}") as port:
        options = LoopOptions(burst_max=burst)
        block = create_state([port], addresses, options, handler_sections=sections)
        midnights = {i: MAP.midnight_ns(c) for i, c in enumerate(CHANNELS)}
        of_book = {i: book.address for i, book in enumerate(books)}
        numbers = [feeds.index(feed) for feed in VENUES_FEEDS]
        specialise.prepare(block, feeds, numbers, midnights, of_book)
        run = specialise.build(feeds, books=True)
        memory = [part for book in books for part in book.blocks]
        with regions.allowed(block, *memory, *port.regions):
            run(np.uint64(block.address))
        assert block["sink"]["waiting"][0] == 0
        return int(block["sink"]["applied"][0])


@pytest.mark.parametrize("name", NAMES)
def test_samples_action_by_action(name):
    channel = CHANNELS[NAMES.index(name)]
    reader = PacketActions(channel.feeds[0], MAP.midnight_ns(channel))
    with Pair(sizes_for(channel.feeds[0], **ROOM)) as pair:
        for payload, time_ns in packets(name):
            pair.apply(reader.read(payload, time_ns), whole=False)
        pair.check(None, whole=True)
        assert pair.book.faults() == {}
        assert pair.book.order_count() > 0
    assert reader.faults() == {}


def test_bursts_of_any_length_give_the_same_books():
    models = [model_of(name) for name in NAMES]
    before = regions.violations().count
    applied = set()
    for burst in (1, 7, 64):
        books = [VenueBook(sizes_for(feed, **ROOM)) for feed in VENUES_FEEDS]
        applied.add(run_samples(books, burst))
        for book, model in zip(books, models, strict=True):
            assert everything(book, model) == []
            book.close()
    assert len(applied) == 1
    assert regions.violations().count == before


def test_a_channel_without_books_is_only_decoded():
    books = [VenueBook(sizes_for(VENUES_FEEDS[0], **ROOM))]
    run_samples(books, 64)
    assert everything(books[0], model_of(NAMES[0])) == []
    books[0].close()


def faults_of_a_day():
    """Page faults of a thread that fills a book and empties it."""
    count, faults = 60_000, []
    adds = np.repeat(add(1, B, 100, 10), count)
    adds["order_id"] = np.arange(1, count + 1) * 1_000_003
    adds["key"] = 1 + np.arange(count) % 2000
    adds["price"] = 10_000 + np.arange(count) % 20_000
    leave = adds.copy()
    leave["kind"] = DELETE

    def work() -> None:
        book.apply(adds[:1])  # the thread's stack and the call itself are warm then
        before = resource.getrusage(resource.RUSAGE_THREAD).ru_minflt
        book.apply(adds[1:])
        live.append(book.order_count())
        book.apply(leave)
        faults.append(resource.getrusage(resource.RUSAGE_THREAD).ru_minflt - before)

    live: list[int] = []
    with VenueBook(sizes_for(VENUES_FEEDS[0], orders=100_000, levels=50_000)) as book:
        thread = threading.Thread(target=work)
        thread.start()
        thread.join()
        assert (live, book.order_count(), book.faults()) == ([count], 0, {})
    return faults[0]


def test_no_page_fault_while_books_are_kept():
    """The kernel may move pages for other processes, which counts: but not each time."""
    assert 0 in (faults_of_a_day() for _ in range(4))
