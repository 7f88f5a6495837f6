"""Nothing is allocated and no page is met for the first time once the whole loop is warm."""

from __future__ import annotations

import random
import resource
import threading
from dataclasses import replace

import numpy as np
import pytest
from lines_traffic import STEP_NS, Sent, on_lines
from loop_rig import ITCH, Arrived, Crowd, contents, running

from feedhandler import specialise
from feedhandler.books.sizes import sizes_for
from feedhandler.books.venuebook import VenueBook
from feedhandler.consolidated.market import Market
from feedhandler.consolidated.subscriptions import Subscription
from feedhandler.lines.setup import LineOptions
from feedhandler.messages import GROW, GROWN, TICK
from feedhandler.stateblock import LoopOptions
from nic.regions import allowed

INSTRUMENTS = 2_000
ROOM = {"orders": 60_000, "levels": 60_000, "instruments": INSTRUMENTS + 1}
PACKETS = 8_000
WINDOW_NS = 400 * STEP_NS


def traffic() -> list[Arrived]:
    """Two lines, late and with losses: holes that close, and some that do not."""
    chance = random.Random(11)
    made = Crowd(11, instruments=INSTRUMENTS, growing=0.8).packets(PACKETS)
    sent = [Sent(STEP_NS * (n + 1), 0, 0, payload) for n, (*_, payload) in enumerate(made)]
    arrivals = on_lines(sent, chance, (0.05, 0.02), bursts=True, complete=False)
    return [(a.time_ns, a.line, a.payload) for a in arrivals]


@pytest.fixture(scope="module")
def loop():
    """Lines, books and the consolidated book."""
    return specialise.build([ITCH], market=True, lines=True)


def faults() -> int:
    """Page faults of this thread so far."""
    used = resource.getrusage(resource.RUSAGE_THREAD)
    return used.ru_minflt + used.ru_majflt


def faults_of_a_run(loop, packets):
    """Page faults of a warm loop, with what it does checked."""
    options = LoopOptions(command_rounds=0)
    lines = LineOptions(window_ns=WINDOW_NS, window_packets=256)
    counts, rows, seen = [], 64, {}
    sizes = replace(sizes_for(ITCH, **ROOM), scattered=True)
    with (
        VenueBook(sizes) as book,
        Market(INSTRUMENTS, INSTRUMENTS + 1, 1, unknown_trades=True) as market,
    ):
        market.add_venue("nasdaq", book)
        for number in range(1, INSTRUMENTS + 1):
            market.map(0, number, number)
        subscription = Subscription(market, slots=1 << 8)
        growth = book.prepare_growth(orders=100_000, levels=100_000)

        def work() -> None:
            block, control = run.block, run.block["control"]
            control["round_limit"] = rows  # the first part warms the loop up
            loop(np.uint64(block.address))
            seen["early"] = int(control["packets"][0])
            control["round_limit"] = 0
            run.commands.send(TICK, 1)
            run.commands.send(GROW, 2, growth.words)
            before = faults()
            loop(np.uint64(block.address))
            counts.append(faults() - before)

        given = {"lines": lines, "options": options, "market": market}
        with running(loop, packets, book, **given) as run, allowed(growth.tables):
            thread = threading.Thread(target=work)
            thread.start()
            thread.join()
            assert [kind for kind, *_ in run.events() if kind == GROWN] == [GROWN]
            assert run.stream["holes"] > run.stream["gaps"] > 0
            assert 0 < seen["early"] < run.block["control"]["packets"][0] / 2
        book.finish_growth(growth)
        assert book.order_count() > 10_000
        assert market.head["record_changes"] > 500
        assert subscription.lost_count > 0  # nobody reads: a full ring is met as well
        assert len(contents(book)) > INSTRUMENTS / 2
    return counts[0]


def test_no_page_fault_in_the_whole_loop(loop):
    """The kernel may move pages for other processes, which counts: but not each time."""
    packets = traffic()
    assert 0 in (faults_of_a_run(loop, packets) for _ in range(4))
