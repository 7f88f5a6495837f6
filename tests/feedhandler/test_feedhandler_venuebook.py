"""Readers in other threads and processes, growth under way, memory."""

import subprocess
import sys
import threading
from dataclasses import replace

import numpy as np
import pytest
from book_rig import B, Pair, S, act, add

from feedhandler import actions as a
from feedhandler.books.sizes import Sizes, sizes_for
from feedhandler.books.tables import bytes_per_million_orders, mapped_bytes
from feedhandler.books.venuebook import VenueBook
from feedhandler.books.views import BookReader, TornError
from feedhandler.registry import versions

MEGA = 1_000_000


def filled(count: int) -> np.ndarray:
    """Orders on both sides of one instrument, `count` price levels a side."""
    rows = [add(n, B, 1000 - n, 10, sequence=n) for n in range(1, count + 1)]
    rows += [add(1000 + n, S, 1000 + n, 10, sequence=1000 + n) for n in range(1, count + 1)]
    return np.concatenate(rows)


def test_readers_see_whole_levels_while_another_thread_writes():
    # Every batch moves one order between two levels: their total never changes.
    with Pair(Sizes(orders=64, levels=64, instruments=4)) as pair:
        pair.book.apply(np.concatenate([add(1, B, 100, 5), add(2, B, 99, 7), add(3, B, 98, 9)]))
        there = act(a.MODIFY, order_id=1, price=97, quantity=5, key=1)
        back = act(a.MODIFY, order_id=1, price=100, quantity=5, key=1)
        moves = np.concatenate([there, back] * 16)
        stop = threading.Event()

        def write() -> None:
            while not stop.is_set():
                pair.book.apply(moves)

        thread = threading.Thread(target=write)
        thread.start()
        try:
            for _ in range(300):
                levels = pair.book.ladder(1, B)
                assert int(levels["quantity"].sum()) == 21
                assert (np.diff(levels["price"]) < 0).all()
                top = pair.book.best(1)
                assert (int(top["bid"]), int(top["bid_quantity"])) in ((100, 5), (99, 7))
        finally:
            stop.set()
            thread.join()


def test_a_writer_that_stands_still_inside_a_batch_is_told_apart():
    with Pair() as pair:
        pair.apply(add(1, B, 100, 5))
        pair.book.head["batches"] += 1
        with pytest.raises(TornError):
            pair.book.ladder(1, B)
        with pytest.raises(TornError):
            pair.book.orders(1)
        pair.book.head["batches"] += 1
        assert pair.side(B) == [(100, 5, 1)]


READER = """
import sys
from pathlib import Path
from feedhandler.books.views import BookReader
book = BookReader(Path(sys.argv[1]))
print(book.ladder(1, 1).tolist(), book.orders(1)["id"].tolist(), book.best(1)["offer"])
"""


def test_another_process_reads_the_books_from_their_file(tmp_path):
    path = tmp_path / "venue"
    with VenueBook(Sizes(orders=64, levels=64, instruments=4), path=path) as book:
        book.apply(filled(3))
        done = subprocess.run(
            [sys.executable, "-c", READER, str(path)], capture_output=True, text=True, check=True
        )
        levels = [(999, 10, 1), (998, 10, 1), (997, 10, 1)]
        assert done.stdout.strip() == f"{levels} [1, 2, 3, 1001, 1002, 1003] 1001"
        reader = BookReader(path)
        book.grow(orders=500, levels=500)
        book.apply(add(9, B, 5000, 1))
        assert reader.ladder(1, B)["price"].tolist() == [5000, 999, 998, 997]
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_holds_no_books_is_refused(tmp_path):
    path = tmp_path / "venue"
    with VenueBook(Sizes(orders=8, levels=8, instruments=2), path=path):
        tables = tmp_path / "venue.0"
        with pytest.raises(ValueError, match="not one of books"):
            BookReader(tables)


def test_a_full_table_grows_and_takes_what_comes_next():
    with Pair(Sizes(orders=4, levels=4, instruments=4)) as pair:
        pair.apply(*(add(n, B, 100 + n, 1, sequence=n) for n in range(6)))
        assert pair.book.faults() == {"orders_full": 2}
        pair.book.grow(orders=100, levels=100)
        pair.model.grow(pair.book.sizes)
        pair.apply(*(add(n, S, 200 + n, 1, sequence=n) for n in range(10, 60)))
        assert pair.book.order_count() == 54
        assert pair.book.trust(1) == "stale"


def test_sizes_never_shrink():
    with Pair() as pair, pytest.raises(ValueError, match="no less than before"):
        pair.book.grow(orders=1)


def test_sizes_are_checked():
    with pytest.raises(ValueError, match="expected 1 or more"):
        Sizes(orders=0)


def test_memory_of_a_million_orders():
    sizes = Sizes(orders=MEGA, levels=200_000, instruments=100)
    stated = bytes_per_million_orders(replace(sizes, orders=5))
    slots, levels = 67_108_864, 32 * 200_001  # orders with arrivals; levels
    with VenueBook(sizes) as book:
        assert book.size_bytes == stated
        assert (
            slots + levels + sizes.chunk_room < stated < 1.01 * (slots + levels) + sizes.chunk_room
        )
        book.grow(orders=2 * MEGA)
        assert book.size_bytes == mapped_bytes(book.sizes) == stated + slots


def test_order_ids_of_nasdaq_are_dense_and_symbols_of_iex_are_text():
    itch, deep = sizes_for(versions("nasdaq_itch50")[0]), sizes_for(versions("iex_deep")[0])
    assert (itch.scattered, itch.named) == (False, False)
    assert (deep.scattered, deep.named) == (True, True)
    with pytest.raises(ValueError, match="no ladder"), VenueBook(deep) as book:
        book.ladder(deep.instruments, B)
