"""A consolidated book behind streams that lose messages: it says what the venue's books say."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import Any

import numpy as np
import pytest
from make_samples import PORT, frame
from splice_rig import FEEDS, GROUPS, MIDNIGHT_NS, ROOM, SPLICE, TOPS, A, Server, SpliceRig
from test_property_splice_keys import Quotes, key_of

from feedhandler import specialise
from feedhandler.books.sizes import sizes_for
from feedhandler.books.venuebook import VenueBook
from feedhandler.channelmap import ChannelAddress
from feedhandler.consolidated.market import Market
from feedhandler.lines import setup as line_setup
from feedhandler.lines.layout import LIVE, STALE
from feedhandler.lines.setup import LineOptions, Lines
from feedhandler.lines.splice import hold, splice_packets
from feedhandler.stateblock import LoopOptions, create_state
from nic import regions
from nic.memoryport import MemoryPort, pack_frames

LATER_NS = 1_000_000
PAIR = [FEEDS[0], TOPS]


@cache
def the_loop() -> Any:
    """Books and a consolidated book behind lines, for two feeds."""
    return specialise.build(PAIR, books=True, market=True, lines=True)


class MarketRig(SpliceRig):
    """One stream of one venue with a market behind it; instrument n of the venue is n there."""

    def __init__(self, number: int) -> None:
        self.feed, feeds = PAIR[number], [PAIR[number]] * 4
        self.books = VenueBook(sizes_for(self.feed, **ROOM))
        self.market = Market(8, 8, 1, unknown_trades=True)
        self.market.add_venue("venue", self.books)
        for instrument in range(1, 6):
            self.market.map(0, instrument, instrument)
            self.market.set_instrument(instrument, f"I{instrument}", lot=1)
        lines = Lines({n: (0, n) for n in range(4)}, LineOptions(window_ns=50_000))
        extra = [*specialise.sections(4, PAIR), *line_setup.sections(lines, feeds)]
        addresses = [ChannelAddress(group, PORT) for group in GROUPS]
        step = LoopOptions(burst_max=1, round_limit=1)
        port = MemoryPort(pack_frames([])[0])
        self.block = create_state([port], addresses, step, handler_sections=extra)
        given = [dict.fromkeys(range(4), n) for n in (MIDNIGHT_NS, self.books.address)]
        venues = dict.fromkeys(range(4), self.market.venue_address(0))
        specialise.prepare(self.block, PAIR, [number] * 4, *given, venues)
        line_setup.prepare(self.block, lines, feeds)
        self.unit, self.time_ns, self.drained = 0, 0, 0

    def send(self, line: int, payload: bytes, later_ns: int = 10_000) -> None:
        """One packet; then the market and the books have to agree on what can be taken."""
        self.time_ns += later_ns
        descriptors, memory = pack_frames([(self.time_ns, frame(payload, GROUPS[line], 1))])
        port = MemoryPort(descriptors)
        link, control = self.block["links"][0], self.block["control"][0]
        link["port"], link["status"], control["open_links"] = port.handle, 0, 1
        blocks = [*self.books.blocks, *self.market.blocks]
        with regions.allowed(self.block, port.row, port.descriptors, memory, *blocks):
            the_loop()(np.uint64(self.block.address))
        self.agree()

    def agree(self) -> None:
        """What the market shows of the venue is its top, or nothing while it is stale."""
        for instrument in range(1, 6):
            top, record = self.books.tops[instrument], self.market.record(instrument)
            live = self.books.trust(instrument) == "live"
            wanted = (int(top["bid"]), int(top["offer"])) if live else (0, 0)
            assert (int(record["bid"]), int(record["offer"])) == wanted, instrument

    def shown(self) -> list[int]:
        """The instruments with a bid in the market."""
        return [n for n in range(1, 6) if self.market.record(n)["bid"]]

    def __exit__(self, *exception: object) -> None:
        self.market.close()
        super().__exit__(*exception)


@pytest.fixture
def orders() -> Iterator[MarketRig]:
    """A market behind a venue that sends orders."""
    with MarketRig(0) as rig:
        yield rig


def test_a_venue_is_back_in_the_market_when_an_image_has_been_spliced_in(orders):
    server = Server(PAIR[0].name, 5, count=60)
    packets = [payload for *_, payload in server.truth.packets]
    for number in range(20):
        orders.send(A, packets[number])
    assert len(orders.shown()) >= 3
    orders.send(A, packets[23])
    orders.send(A, packets[24], LATER_NS)
    assert orders.state == STALE and orders.shown() == []
    first, count, _ = server.truth.packets[26]
    for payload in [hold(0, 1), *splice_packets(server.image(first + count - 1), 1)]:
        orders.send(SPLICE, payload)
        assert orders.state == LIVE or orders.shown() == []
    assert orders.state == LIVE and len(orders.shown()) >= 3
    for number in range(25, 60):
        orders.send(A, packets[number])
    assert orders.state == LIVE


def test_a_symbol_is_back_in_the_market_with_its_first_quote_behind_a_loss():
    with MarketRig(1) as rig:
        quotes = Quotes(rig)
        for symbol in "ABC":
            quotes.say(symbol, 100)
        numbers = {symbol: rig.books.instrument(key_of(symbol)) for symbol in "ABC"}
        assert rig.shown() == sorted(numbers.values())
        quotes.say("B", 110, lost=True)
        quotes.say("A", 120)
        quotes.say("A", 130, code="T", later_ns=LATER_NS)
        assert rig.state == STALE and rig.shown() == [numbers["A"]]
        quotes.say("C", 100)
        assert rig.shown() == sorted((numbers["A"], numbers["C"]))
        assert quotes.live() == "AC"
