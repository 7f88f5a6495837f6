"""The whole loop with lines and books: stale while messages are missing, live right behind them."""

from __future__ import annotations

import numpy as np
import pytest
from make_samples import PORT, frame

from feedhandler import specialise
from feedhandler.books.sizes import sizes_for
from feedhandler.books.venuebook import VenueBook
from feedhandler.channelmap import ChannelAddress
from feedhandler.lines import setup as line_setup
from feedhandler.lines.layout import LIVE, RECOVERING
from feedhandler.lines.setup import LineOptions, Lines
from feedhandler.registry import versions
from feedhandler.stateblock import LoopOptions, create_state
from feedhandler.transports.packets import write_packet
from nic import regions
from nic.memoryport import MemoryPort, pack_frames

ITCH = versions("nasdaq_itch50")[0]
GROUPS = ["233.1.1.1", "233.1.1.2", "233.1.1.3"]
A, B, ASKED = 0, 1, 2
APPLE, OTHER = 1, 2


def add(sequence, locate=APPLE, session="0000000001"):
    """A packet with one buy order."""
    values = {
        "stock_locate": locate,
        "order_reference_number": sequence,
        "buy_sell_indicator": "B",
        "shares": 100,
        "price": 10_000 + sequence,
    }
    message = ITCH.protocol["A"].encode(values)
    header = {"session": session, "sequence_number": sequence}
    return write_packet(ITCH.transport, [message], header)


@pytest.fixture(scope="module")
def loop():
    """The loop that all tests of this file run."""
    return specialise.build([ITCH], books=True, lines=True)


def steps(loop, packets, options):
    """Runs one (time, line, payload) after the other; yields (stream row, books) behind each."""
    made = [(time_ns, frame(payload, GROUPS[n], 1)) for time_ns, n, payload in packets]
    descriptors, memory = pack_frames(made)
    port = MemoryPort(descriptors)
    addresses = [ChannelAddress(group, PORT) for group in GROUPS]
    lines = Lines({n: (0, n) for n in range(3)}, options)
    extra = [*specialise.sections(3, [ITCH]), *line_setup.sections(lines, [ITCH] * 3)]
    step = LoopOptions(burst_max=1, round_limit=1)
    with VenueBook(sizes_for(ITCH, orders=64, levels=64, instruments=16)) as books:
        block = create_state([port], addresses, step, handler_sections=extra)
        specialise.prepare(block, [ITCH], [0] * 3, books=dict.fromkeys(range(3), books.address))
        line_setup.prepare(block, lines, [ITCH] * 3)
        before = regions.violations().count
        with regions.allowed(block, port.row, port.descriptors, memory, *books.blocks):
            for _ in packets:
                loop(np.uint64(block.address))
                yield block["streams"][0], books
        assert regions.violations().count == before, regions.violations()


def test_books_are_stale_from_the_gap_to_the_answer_and_have_all_orders_then(loop):
    options = LineOptions(window_ns=100, recovery_ns=1_000_000)
    packets = [(10, A, add(1)), (20, B, add(1)), (30, A, add(3, OTHER)), (200, A, add(4))]
    packets += [(300, ASKED, add(2)), (400, B, add(5))]
    seen = []
    for stream, books in steps(loop, packets, options):
        trusts = books.trust(APPLE), books.trust(OTHER)
        seen.append((int(stream["state"]), trusts, books.order_count()))
    assert seen[1] == (LIVE, ("live", "live"), 1)
    assert seen[3] == (RECOVERING, ("stale", "stale"), 1)
    assert seen[4] == (LIVE, ("live", "live"), 4)
    assert seen[5] == (LIVE, ("live", "live"), 5)


def test_without_anybody_to_ask_the_books_stay_stale(loop):
    packets = [(10, A, add(1)), (30, A, add(3)), (200, A, add(4)), (300, B, add(2))]
    seen = [
        (books.trust(APPLE), books.order_count())
        for _, books in steps(loop, packets, LineOptions(window_ns=100))
    ]
    assert seen == [("live", 1), ("live", 1), ("stale", 3), ("stale", 3)]


def test_a_new_session_empties_the_books(loop):
    packets = [(10, A, add(1)), (20, A, add(2)), (30, A, add(1, session="0000000002"))]
    seen = [
        (books.trust(APPLE), books.order_count())
        for _, books in steps(loop, packets, LineOptions())
    ]
    assert seen == [("live", 1), ("live", 2), ("live", 1)]
