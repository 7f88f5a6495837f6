"""Any sequence of actions, possible or not, leaves the books as the slow model has them."""

from __future__ import annotations

import numpy as np
import pytest
from book_rig import Pair
from feed_packets import BY_NAME, DATAGRAM_FEEDS, corpus
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from feedhandler import actions as a
from feedhandler.books.sizes import Sizes
from feedhandler.books.window import CENT
from feedhandler.packetactions import PacketActions

ORDER_KINDS = (
    *(a.ADD,) * 6,
    *(a.DELETE, a.REPLACE, a.MODIFY) * 2,
    *(a.REDUCE, a.EXECUTE, a.EXECUTE_PRICE),
)
OTHER_KINDS = (a.CLEAR, a.STATUS, a.RESTRICT, a.SYMBOL, a.TRADE)
KINDS = {  # a venue sends orders, or levels, or its best prices
    "orders": ORDER_KINDS,
    "levels": (a.LEVEL,) * 8,
    "tops": (a.TOP,) * 8,
}


def sizes_with(
    windows: list[int | None], chunk_bytes: list[int | None]
) -> st.SearchStrategy[Sizes]:
    """Small tables of all kinds."""
    return st.builds(
        Sizes,
        orders=st.sampled_from([3, 10, 60]),
        levels=st.sampled_from([3, 9, 60]),
        instruments=st.sampled_from([3, 7]),
        chunk_bytes=st.sampled_from(chunk_bytes),
        windows=st.sampled_from(windows),
        named=st.booleans(),
        scattered=st.booleans(),
    )


SIZES = sizes_with([0], [256, 1024, None]) | sizes_with([1, 3, None], [None])
IDS = st.integers(-1, 9) | st.sampled_from([8, 16, 24, 32, 40, 48, (1 << 63) - 1, -(1 << 63)])
ODD_PRICES = st.integers(100, 104) | st.integers(0, 60) | st.sampled_from([a.NO_PRICE, -5])
CENTS = st.integers(98, 102) | st.integers(0, 300) | st.sampled_from([-3, 64, 127, 10_000, 1 << 40])
PRICES = ODD_PRICES | CENTS.map(lambda cents: cents * CENT) | CENTS.map(lambda n: n * CENT)
QUANTITIES = st.integers(1, 9) | st.sampled_from([0, -1, 1 << 32, (1 << 32) - 1])
FLAGS = st.sampled_from([0, 0, a.KEEPS_PRIORITY, a.EVENT_OPEN])


@st.composite
def record(draw: st.DrawFn, kinds: tuple[int, ...]) -> tuple[int, ...]:
    """An action record; the unit goes with the key, as it does on every venue."""
    kind, key = draw(st.sampled_from(kinds)), draw(st.integers(-1, 5))
    flags, unit = draw(FLAGS), key & 1
    if kind in (a.CLEAR, a.STATUS) and draw(st.booleans()):
        flags, unit = a.ALL, draw(st.integers(0, 1))
    side = draw(st.sampled_from([a.BUY, a.SELL, a.BUY, a.SELL, 0]))
    number, aux = draw(IDS), draw(IDS) if kind == a.REPLACE else draw(st.integers(0, 7))
    price, quantity = draw(PRICES), draw(QUANTITIES)
    return kind, side, flags, unit, key, number, price, quantity, aux, 0, 0


def records(rows: list[tuple[int, ...]]) -> NDArray[np.void]:
    """As the kernels take them, numbered and timed in order."""
    made = np.array(rows, a.ACTION_DTYPE)
    made["sequence"] = made["time_ns"] = np.arange(1, len(made) + 1)
    return made


@pytest.mark.parametrize("kind", KINDS)
@settings(max_examples=120, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data(), sizes=SIZES)
def test_any_actions(kind: str, data: st.DataObject, sizes: Sizes) -> None:
    rows = data.draw(st.lists(record((*KINDS[kind] * 2, *OTHER_KINDS)), min_size=1, max_size=60))
    with Pair(sizes) as pair:
        pair.apply(records(rows))


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data(), sizes=SIZES, cut=st.integers(1, 40))
def test_where_a_batch_is_cut_changes_nothing(data: st.DataObject, sizes: Sizes, cut: int) -> None:
    rows = records(data.draw(st.lists(record(ORDER_KINDS), min_size=2, max_size=80)))
    with Pair(sizes) as pair:
        for start in range(0, len(rows), cut):
            some = rows[start : start + cut]
            pair.book.apply(some)
            pair.model.apply(some)
            pair.check(some, whole=True)


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data(), more=st.sampled_from([2, 5]))
def test_books_that_grow_go_on_as_larger_ones(data: st.DataObject, more: int) -> None:
    before = records(data.draw(st.lists(record(ORDER_KINDS), min_size=1, max_size=40)))
    after = records(data.draw(st.lists(record(ORDER_KINDS), min_size=1, max_size=40)))
    sizes = Sizes(orders=6, levels=6, instruments=7, scattered=data.draw(st.booleans()))
    with Pair(sizes) as pair:
        pair.apply(before)
        pair.book.grow(orders=6 * more, levels=6 * more)
        pair.model.grow(pair.book.sizes)
        pair.check(before, whole=True)
        pair.apply(after)


@pytest.mark.parametrize("name", DATAGRAM_FEEDS)
def test_what_any_feed_can_say(name: str) -> None:
    feed = BY_NAME[name]
    reader = PacketActions(feed, midnight_ns=1_700_000_000_000_000_000)
    sizes = Sizes(orders=20, levels=20, instruments=9, named=feed.keys == "text")
    with Pair(sizes) as raw, Pair(sizes) as near:
        for packet in corpus(name):
            made = reader.read(packet)
            raw.apply(made, whole=False)
            near.apply(brought_together(made), whole=False)
        raw.check(made, whole=True)
        near.check(made, whole=True)


def brought_together(made: NDArray[np.void]) -> NDArray[np.void]:
    """The same actions on a few instruments, orders and prices, so that they meet."""
    close = made.copy()
    close["key"] %= 7
    close["order_id"] %= 11
    replaced = close["kind"] == a.REPLACE
    close["aux"][replaced] %= 11
    priced = close["price"] != a.NO_PRICE
    close["price"][priced] = 100 + close["price"][priced] % 5
    close["quantity"] %= 50
    return close
