"""Books of some symbols only: what is kept is what all books have of those symbols, no more."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from functools import cache

import numpy as np
import pytest
from book_rig import add
from numpy.typing import NDArray
from routed_rig import SAMPLES, the_day
from sharded_rig import owned_loop

from console.plan import replay_uri
from console.routed.run import RoutedRun
from console.venuerun import Piece
from feedhandler import actions as a
from feedhandler.books.filterlayout import Owner
from feedhandler.books.owned import keep_owned
from feedhandler.books.sizes import Sizes
from feedhandler.books.venuebook import VenueBook
from feedhandler.context import CONTEXT_DTYPE
from feedhandler.shards.rules import Ownership, ownership, word_of
from nic.regions import allowed, reset, violations
from simulator.market.truth import load_books

SPLITS = {
    "by letters": [["A-M"], ["N-Z"]],
    "by parts": [["0/3"], ["1/3"], ["2/3"]],
    "one name": [["KOZ"], ["rest"]],
    "all and nothing": [["A-Z"], ["rest"]],
}


@contextmanager
def replayed(owner: Owner | None, burst: int = 64) -> Iterator[RoutedRun]:
    """The books at the end of the sample."""
    day = the_day()
    piece = Piece(day.plan, owner) if owner is not None else None
    kernel = day.kernels[0] if owner is None else owned_loop()
    reset()
    with RoutedRun(day.plan, day.orders, piece=piece) as run:
        with run.opened(kernel, replay_uri(day.captures), burst=burst) as step:
            while step(64):
                pass
        yield run
    assert violations().count == 0, violations()


Content = dict[tuple[str, int], tuple[bytes, ...]]


def content(run: RoutedRun) -> Content:
    """All that a book says, by venue and key: top, ladders and orders."""
    made: Content = {}
    for venue, book in run.books.items():
        for number in np.flatnonzero(book.tops["key"]).tolist():
            top = book.best(number).copy()
            top["version"] = 0
            ladders = [book.ladder(number, side).tobytes() for side in (a.BUY, a.SELL)]
            orders = np.sort(book.orders(number), order="id").tobytes()
            made[venue, int(top["key"])] = (top.tobytes(), *ladders, orders)
    return made


@pytest.fixture(scope="module")
def whole() -> Iterator[tuple[Content, dict[tuple[str, int], str], int]]:
    """All books, the symbol of each key, and how many orders are alive."""
    symbols = sorted({symbol for books in load_books(SAMPLES).values() for symbol in books})
    with replayed(None) as run:
        kept = content(run)
        names: dict[tuple[str, int], str] = {}
        for venue, key in kept:
            text = key.to_bytes(8, "little", signed=True).rstrip(b" \0").decode("latin-1")
            names[venue, key] = text if run.feeds[venue].keys == "text" else ""
        for venue in {venue for venue, _ in kept}:
            if run.feeds[venue].keys != "text":  # venues number them as the plan does
                keys = sorted(key for name, key in kept if name == venue)
                assert len(keys) == len(symbols)
                names |= {(venue, key): symbol_of(venue, key) for key in keys}
        orders = sum(int(book.head["live_orders"]) for book in run.books.values())
        assert all(book.left_out == 0 and not book.faults() for book in run.books.values())
        yield kept, names, orders


@cache
def symbols_by_key() -> dict[tuple[str, int], str]:
    """Symbols by venue and key, as the market's maker gave them."""
    import make_market_sample

    from simulator.market.outlets import publisher_of

    plan = make_market_sample.plan()
    return {
        (venue, publisher_of(plan, venue).key(number)): symbol
        for venue in make_market_sample.VENUES
        for number, symbol in enumerate(plan.symbols, 1)
    }


def symbol_of(venue: str, key: int) -> str:
    """The symbol of a venue's key."""
    return symbols_by_key()[venue, key]


@pytest.mark.parametrize("split", SPLITS)
def test_each_owner_has_what_all_books_have_of_its_symbols(
    split: str, whole: tuple[Content, dict[tuple[str, int], str], int]
) -> None:
    kept, names, orders = whole
    rule = ownership([f"s{n}" for n in range(len(SPLITS[split]))], SPLITS[split])
    found: Content = {}
    alive = 0
    for shard in range(len(SPLITS[split])):
        with replayed(Owner(rule, shard), burst=7 if shard else 64) as run:
            mine = content(run)
            wanted = {at for at, name in names.items() if rule.owner(name) == shard}
            assert set(mine) == wanted
            assert all(not book.faults() for book in run.books.values())
            alone = len(wanted) == len(names)
            assert all((book.left_out == 0) == alone for book in run.books.values())
            alive += sum(int(book.head["live_orders"]) for book in run.books.values())
            found |= mine
    assert found == kept and alive == orders


def half(letters: str = "A-M") -> Ownership:
    """Two shards; the first has some letters."""
    return ownership(["mine", "others"], [[letters], ["rest"]])


class Filter:
    """Books with a filter and packets in front of them."""

    def __init__(self, *, named: bool) -> None:
        self.book = VenueBook(Sizes(16, 16, 8, named=named), owner=Owner(half(), 0))
        self._context = np.zeros(1, CONTEXT_DTYPE)
        self._context["filtered"] = self.book.address

    def packet(self, *rows: NDArray[np.void]) -> int:
        """A packet's actions; how many went into the books."""
        batch = np.concatenate(rows)
        with allowed(*self.book.blocks, self._context, batch):
            kept = int(keep_owned(self._context.ctypes.data, batch.ctypes.data, len(batch)))
        self.book.apply(batch[:kept])
        return kept


@pytest.fixture
def numbered() -> Iterator[Filter]:
    """Books of a venue whose keys are numbers."""
    made = Filter(named=False)
    yield made
    made.book.close()


def row(kind: int, **fields: int) -> NDArray[np.void]:
    """One action."""
    made = np.zeros(1, a.ACTION_DTYPE)
    made["kind"] = kind
    for name, value in fields.items():
        made[name] = value
    return made


def said(key: int, symbol: str) -> NDArray[np.void]:
    """A directory message."""
    return row(a.SYMBOL, key=key, order_id=text_word(symbol))


def text_word(symbol: str) -> int:
    """The first eight bytes of a symbol."""
    return int.from_bytes(symbol.encode()[:8].ljust(8), "little")


def test_a_key_that_turns_out_to_be_anothers_is_emptied(numbered: Filter) -> None:
    rows = [add(1, a.BUY, 100, 5, 3), add(2, a.SELL, 110, 5, 4)]
    assert numbered.packet(*rows) == 2  # nobody knows yet whose they are
    assert numbered.packet(said(3, "ZZZ"), add(3, a.BUY, 90, 1, 3), said(4, "ABC")) == 2
    assert numbered.book.head["live_orders"] == 1
    assert numbered.book.ladder(4, a.SELL).tolist() == [(110, 5, 1)]
    assert numbered.packet(add(4, a.BUY, 1, 1, 3), row(a.STATUS, key=3, aux=2)) == 0
    assert numbered.book.left_out == 3 and not numbered.book.faults()


def test_orders_named_by_their_id_alone_are_left_out_and_no_fault(numbered: Filter) -> None:
    numbered.packet(said(3, "ZZZ"), said(4, "ABC"), add(1, a.BUY, 100, 5, 3))
    numbered.packet(add(2, a.BUY, 100, 5, 4))
    gone = [row(a.DELETE, order_id=1), row(a.EXECUTE, order_id=1, quantity=1)]
    gone += [row(a.REPLACE, order_id=1, aux=9, price=1, quantity=1)]
    before = numbered.book.left_out
    assert numbered.packet(*gone) == 3
    assert numbered.book.left_out == before + 3 and not numbered.book.faults()
    numbered.packet(row(a.DELETE, order_id=77, key=4))  # of ours: that is a fault
    assert numbered.book.faults() == {"unknown_order": 1}


def test_what_concerns_all_stays(numbered: Filter) -> None:
    numbered.packet(said(3, "ZZZ"))
    every = [row(a.STATUS, key=3, flags=a.ALL), row(a.CLEAR, flags=a.ALL), row(a.CLOCK)]
    assert numbered.packet(*every) == 3


def test_text_keys_say_it_themselves_but_for_folded_ones() -> None:
    made = Filter(named=True)
    mine, other = text_word("BRK.A"), text_word("ZZ")
    assert made.packet(add(1, a.BUY, 5, 5, mine), add(2, a.BUY, 5, 5, other)) == 1
    assert made.packet(add(3, a.BUY, 5, 5, -9)) == 1
    assert made.packet(said(-9, "ZZZZZZZZZZ")) == 1
    assert made.book.head["live_orders"] == 1
    assert made.packet(add(4, a.BUY, 5, 5, -9)) == 0
    made.book.close()


def test_books_without_an_owner_keep_all() -> None:
    with VenueBook(Sizes(16, 16, 8)) as book:
        context = np.zeros(1, CONTEXT_DTYPE)
        context["filtered"] = book.address
        batch = np.concatenate([said(3, "ZZZ"), add(1, a.BUY, 5, 5, 3)])
        with allowed(*book.blocks, context, batch) if book.blocks else nullcontext():
            assert keep_owned(context.ctypes.data, batch.ctypes.data, 2) == 2


def test_words_of_symbols_are_the_kernels() -> None:
    assert word_of("AB") == 0x4142 << 48
