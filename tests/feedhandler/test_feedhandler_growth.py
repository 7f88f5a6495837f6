"""Tables that grow while the loop runs: the same books as large ones, whole for every reader."""

from __future__ import annotations

import random
import subprocess
import sys
import threading
import time
from contextlib import ExitStack

import numpy as np
import pytest
from loop_rig import ITCH, LINE_A, Crowd, Running, contents, entered, packet, running

from feedhandler import specialise
from feedhandler.actions import BUY
from feedhandler.books import venuebook
from feedhandler.books.grower import RETRY_POLLS, Grower, fullness
from feedhandler.books.readers import MOVED, read_ladder
from feedhandler.books.sizes import Sizes, sizes_for
from feedhandler.books.venuebook import VenueBook
from feedhandler.commands import Commands
from feedhandler.messages import GROW, GROW_REFUSED, GROWN
from feedhandler.stateblock import LoopOptions, create_state
from nic.regions import allowed

LARGE = {"orders": 40_000, "levels": 40_000, "instruments": 32}
SMALL = {"orders": 128, "levels": 128, "instruments": 32}
KEPT_SHARES = 100 * Crowd.KEPT
LONG_S = 60.0


@pytest.fixture(scope="module")
def loop():
    """The loop that all tests of this file run."""
    return specialise.build([ITCH], books=True, lines=True)


def wanted(loop, packets):
    """What books say that were large from the start."""
    with VenueBook(sizes_for(ITCH, **LARGE)) as book:
        with running(loop, packets, book) as run:
            run.run()
        assert book.faults() == {}
        return contents(book), book.order_count(), int(book.head["live_levels"])


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("scattered", [True, False])
def test_growth_at_random_moments_changes_nothing(loop, seed, scattered):
    chance = random.Random(seed)
    packets = Crowd(seed).packets(250)
    moments = set(chance.sample(range(250), 5))
    sizes = sizes_for(ITCH, **LARGE | {"orders": 1000, "levels": 1000}, scattered=scattered)
    with VenueBook(sizes) as book:
        options = LoopOptions(command_rounds=0)
        with ExitStack() as stack, running(loop, packets, book, options=options) as run:
            for number in range(250):
                if number in moments:
                    orders = int(book.sizes.orders * chance.uniform(1, 2.5))
                    levels = int(book.sizes.levels * chance.uniform(1, 2.5))
                    growth = book.prepare_growth(orders=orders, levels=levels)
                    stack.enter_context(allowed(growth.tables))
                    assert run.commands.send(GROW, number, growth.words)
                    run.round()
                    assert growth.done
                    book.finish_growth(growth)
                else:
                    run.round()
            kinds = [(kind, words[1:4]) for kind, _, words in run.events() if kind >= GROWN]
        assert [kind for kind, _ in kinds] == [GROWN] * 5
        assert kinds[-1][1] == [5, book.sizes.orders, book.sizes.levels]
        found = contents(book), book.order_count(), int(book.head["live_levels"])
        assert book.faults() == {}
    assert found == wanted(loop, packets)


def test_a_growth_for_other_tables_is_refused_and_touches_nothing(loop):
    packets = Crowd(1).packets(40)
    with VenueBook(sizes_for(ITCH, **LARGE)) as book:
        options = LoopOptions(command_rounds=0)
        with running(loop, packets, book, options=options, end_code=0) as run:
            late = book.prepare_growth(orders=50_000)
            book.drop_growth(late)
            book.grow(orders=60_000)
            with allowed(*book.blocks):
                run.commands.send(GROW, 7, late.words)
                for _ in packets:
                    run.round()
            assert [(kind, time_ns) for kind, time_ns, _ in run.events()] == [(GROW_REFUSED, 7)]
        found = contents(book), book.order_count(), int(book.head["live_levels"])
        assert book.generation == 1
    assert found == wanted(loop, packets)


READER = """
import sys
from pathlib import Path
from feedhandler.books.views import BookReader, TornError
book = BookReader(Path(sys.argv[1]))
shares, kept = int(sys.argv[2]), int(sys.argv[3])
generation, reads = -1, 0
while int(book.tops["key"][31]) == 0:
    ladder = book.ladder(1, 1)
    if len(ladder):
        prices = ladder["price"].tolist()
        assert prices == sorted(set(prices), reverse=True), prices
        assert int(ladder["quantity"].sum()) == shares, ladder
        assert int(ladder["orders"].sum()) == kept, ladder
    if reads % 16 == 0:
        for number in (2, 3):
            orders = book.orders(number)
            assert (orders["quantity"] == 100).all(), orders
    if book._seat.generation != generation:
        generation = book._seat.generation
        print(generation, flush=True)
    reads += 1
print(book.order_count())
"""


def paced(run: Running, book: VenueBook, seen: list[int]) -> None:
    """Runs the loop; the port has nothing while tables are nearly full or the reader is behind."""
    head = book.head
    while run.block["control"]["open_links"][0]:
        nearly = 0.8 * np.array([head["most_orders"], head["most_levels"]])
        full = int(head["live_orders"]) > nearly[0] or int(head["live_levels"]) > nearly[1]
        chunks_left = int(head["end_chunk"]) - int(head["next_chunk"])
        behind = seen[-1] < book.generation - 1
        if full or behind or chunks_left < 0.2 * book.sizes.chunk_room:
            run.port.row["idle_left"] = 20
        run.block["control"]["round_limit"] = 3  # a burst of two packets at most
        run.loop(np.uint64(run.block.address))


def read_on(book: VenueBook, stop: threading.Event, found: list) -> None:
    """Reads until it is told to stop; a failure is found."""
    try:
        while not stop.is_set():
            ladder = book.ladder(1, BUY)
            if len(ladder):
                assert int(ladder["quantity"].sum()) == KEPT_SHARES
                assert (np.diff(ladder["price"]) < 0).all()
                assert (book.orders(2)["quantity"] == 100).all()
    except BaseException as failure:
        found.append(failure)


def test_a_grower_keeps_up_while_threads_and_processes_read(loop, tmp_path):
    packets = Crowd(7, growing=0.65).packets(6_000)
    path, stop, found = tmp_path / "venue", threading.Event(), []
    with VenueBook(sizes_for(ITCH, **SMALL), path=path) as book:
        # The orders that are never fewer are there before anybody looks.
        options = LoopOptions(command_rounds=1, burst_max=2)
        with running(loop, packets, book, options=options, burst_max=2, idle_polls=2) as run:
            while book.order_count() < Crowd.KEPT:
                run.round(1)
            run.block["control"]["burst_max"] = 2
            command = [sys.executable, "-c", READER, str(path), str(KEPT_SHARES), str(Crowd.KEPT)]
            reader = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
            lines = iter(reader.stdout)
            seen = [int(next(lines))]
            threads = [
                threading.Thread(target=read_on, args=(book, stop, found)),
                threading.Thread(target=paced, args=(run, book, seen)),
                threading.Thread(target=lambda: seen.extend(map(int, lines))),
            ]
            with Grower(run.commands, {"venue": book}, time.time_ns) as grower:
                for thread in threads:
                    thread.start()
                threads[1].join(LONG_S)
                stop.set()
                threads[0].join(LONG_S)
            book.tops["key"][31] = 1  # ends the reader
            threads[2].join(LONG_S)
            assert reader.wait(LONG_S) == 0
        assert found == []
        *generations, orders = seen
        assert orders == book.order_count()
        assert len(generations) >= book.generation - 1
        assert grower.grown == {"venue": book.generation}
        assert book.generation >= 5
        assert grower.failed == {}
        book.tops["key"][31] = 0
        result = contents(book), book.order_count(), int(book.head["live_levels"])
        assert book.faults() == {}
        assert max(fullness(book)) <= 0.9
    assert result == wanted(loop, packets)
    assert list(tmp_path.iterdir()) == []


def test_a_reader_by_the_old_places_is_told_and_reads_nothing_that_is_gone():
    with VenueBook(Sizes(orders=64, levels=64, instruments=4)) as book:
        seat, out = book._seat, np.zeros(64, np.int64)
        book.grow(orders=1000)
        with allowed(*book.blocks, seat.tables, seat.places, out):
            found = read_ladder(int(seat.places.ctypes.data), 2, out.ctypes.data, 4)
        assert found == MOVED
        assert seat.tables["growth"]["done"][0] == 0  # its memory is there for as long as the seat
        assert book.ladder(1, BUY).tolist() == []
        assert book._seat is not seat


def test_books_that_a_full_table_made_stale_stay_so(loop):
    packets = [(n, LINE_A, packet(n, [entered(n, 10_000 + n)])) for n in range(1, 9)]
    with VenueBook(Sizes(orders=4, levels=64, instruments=4)) as book:
        with running(loop, packets, book) as run:
            for _ in range(6):
                run.round()
            assert (book.trust(1), book.faults()) == ("stale", {"orders_full": 2})
            with Grower(run.commands, {"venue": book}, lambda: 6) as grower:
                while grower.grown["venue"] == 0:
                    run.silent_round()
                for _ in range(2):
                    run.round()
        assert (book.trust(1), book.faults()) == ("stale", {"orders_full": 2})
        assert book.order_count() == 6


def test_without_memory_the_books_stay_as_they_are_and_it_is_tried_again(monkeypatch):
    tables, tries = venuebook.make_tables, []

    def none_left(*given):
        tries.append(given)
        raise OSError("no room")

    block = create_state([], [])
    assert not Commands(block).loop_runs
    with VenueBook(Sizes(orders=4, levels=64, instruments=4)) as book:
        grower = Grower(Commands(block), {"venue": book}, lambda: 1)
        book.head["live_orders"] = 4
        monkeypatch.setattr(venuebook, "make_tables", none_left)
        for _ in range(RETRY_POLLS + 2):
            assert grower.poll() == []
        assert (len(tries), grower.failed, book.generation) == (2, {"venue": "no room"}, 0)
        monkeypatch.setattr(venuebook, "make_tables", tables)
        for _ in range(RETRY_POLLS + 1):
            grower.poll()
        assert grower.failed == {}
        block["control"]["running"] = 1
        grower.settle()
        assert book.generation == 0  # a running loop's books are not touched
        block["control"]["running"] = 0
        grower.settle()  # the loop never came: done here
        assert (book.generation, book.sizes.orders) == (1, 8)


def test_a_second_growth_waits_for_the_first():
    with VenueBook(Sizes(orders=4, levels=64, instruments=4)) as book:
        growth = book.prepare_growth(orders=8)
        with pytest.raises(ValueError, match="already growing"):
            book.prepare_growth(orders=16)
        book.move(growth)
        book.finish_growth(growth)
        assert book.sizes.orders == 8


def test_a_grower_wants_a_share():
    with pytest.raises(ValueError, match="between 0 and 1"):
        Grower(Commands(create_state([], [])), {}, lambda: 0, full=1.0)
