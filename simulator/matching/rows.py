"""Rows of orders: taken and given back, linked into queues, kept beside the ladders."""

from __future__ import annotations

from numba import njit

from nic.raw import load_fixed, load_i64le, load_n8, load_n32le, store_u8, store_u32le, store_u64le
from simulator.matching.layout import (
    BESIDE,
    BESIDE_FIRST,
    BESIDE_LAST,
    BESIDE_NEXT,
    BESIDE_PREVIOUS,
    FREE_ORDER,
    INSTRUMENT,
    INSTRUMENT_BYTES,
    INSTRUMENT_ROWS,
    LEAVES,
    LIVE,
    MARKS,
    NEXT,
    NEXT_ORDER,
    ORDER_BYTES,
    ORDER_ROOM,
    ORDER_ROWS,
    PREVIOUS,
    QUEUE_BYTES,
    QUEUES,
)


@njit(nogil=True, forceinline=True)
def order_at(state, number):
    """Address of an order's row."""
    return load_fixed(state + ORDER_ROWS) + ORDER_BYTES * number


@njit(nogil=True, forceinline=True)
def number_of(state, order):
    """Number of the row at an address."""
    return (order - load_fixed(state + ORDER_ROWS)) // ORDER_BYTES


@njit(nogil=True, forceinline=True)
def instrument_at(state, instrument):
    """Address of an instrument's row."""
    return load_fixed(state + INSTRUMENT_ROWS) + INSTRUMENT_BYTES * instrument


@njit(nogil=True, forceinline=True)
def instrument_of(state, order):
    """Address of the row of an order's instrument."""
    return instrument_at(state, load_n32le(order + INSTRUMENT))


@njit(nogil=True, forceinline=True)
def queue_at(state, level):
    """Address of a level's displayed queue; the hidden one is 8 bytes on."""
    return load_fixed(state + QUEUES) + QUEUE_BYTES * level


@njit(nogil=True, forceinline=True)
def marked(order, mark):
    """Whether an order has any of the marks."""
    return load_n8(order + MARKS) & mark != 0


@njit(nogil=True, forceinline=True)
def set_mark(order, mark):
    """Marks an order."""
    store_u8(order + MARKS, load_n8(order + MARKS) | mark)


@njit(nogil=True, forceinline=True)
def clear_mark(order, mark):
    """Takes a mark off an order."""
    store_u8(order + MARKS, load_n8(order + MARKS) & ~mark)


@njit(nogil=True)
def take_order(state):
    """Number of a free row; 0 when there is none."""
    number = load_i64le(state + FREE_ORDER)
    if number != 0:
        store_u64le(state + FREE_ORDER, load_n32le(order_at(state, number) + NEXT))
    else:
        number = load_i64le(state + NEXT_ORDER)
        if number > load_fixed(state + ORDER_ROOM):
            return 0
        store_u64le(state + NEXT_ORDER, number + 1)
    store_u64le(state + LIVE, load_i64le(state + LIVE) + 1)
    return number


@njit(nogil=True)
def give_order(state, order):
    """Frees a row. Its link beside the ladders stays, for who is walking there."""
    store_u64le(order + LEAVES, 0)
    store_u32le(order + NEXT, load_i64le(state + FREE_ORDER))
    store_u64le(state + FREE_ORDER, number_of(state, order))
    store_u64le(state + LIVE, load_i64le(state + LIVE) - 1)


@njit(nogil=True, forceinline=True)
def link_last(state, queue, order):
    """Puts an order at the back of a queue."""
    number, last = number_of(state, order), load_n32le(queue + 4)
    store_u32le(order + NEXT, 0)
    store_u32le(order + PREVIOUS, last)
    store_u32le(queue + 4, number)
    if last != 0:
        store_u32le(order_at(state, last) + NEXT, number)
    else:
        store_u32le(queue, number)


@njit(nogil=True)
def link_behind(state, queue, order, before):
    """Puts an order behind the one numbered `before`; 0: at the front."""
    number = number_of(state, order)
    link = order_at(state, before) + NEXT if before != 0 else queue
    after = load_n32le(link)
    store_u32le(order + NEXT, after)
    store_u32le(order + PREVIOUS, before)
    store_u32le(link, number)
    if after != 0:
        store_u32le(order_at(state, after) + PREVIOUS, number)
    else:
        store_u32le(queue + 4, number)


@njit(nogil=True, forceinline=True)
def unlink(state, queue, order):
    """Takes an order out of its queue."""
    after, before = load_n32le(order + NEXT), load_n32le(order + PREVIOUS)
    if before != 0:
        store_u32le(order_at(state, before) + NEXT, after)
    else:
        store_u32le(queue, after)
    if after != 0:
        store_u32le(order_at(state, after) + PREVIOUS, before)
    else:
        store_u32le(queue + 4, before)


@njit(nogil=True)
def put_beside(state, order):
    """Enters an order into the list of its instrument, as the last."""
    row, number = instrument_of(state, order), number_of(state, order)
    last = load_n32le(row + BESIDE_LAST)
    store_u32le(order + BESIDE_NEXT, 0)
    store_u32le(order + BESIDE_PREVIOUS, last)
    store_u32le(row + BESIDE_LAST, number)
    if last != 0:
        store_u32le(order_at(state, last) + BESIDE_NEXT, number)
    else:
        store_u32le(row + BESIDE_FIRST, number)
    set_mark(order, BESIDE)


@njit(nogil=True)
def take_beside(state, order):
    """Takes an order out of the list of its instrument, if it is there."""
    if not marked(order, BESIDE):
        return
    row = instrument_of(state, order)
    after, before = load_n32le(order + BESIDE_NEXT), load_n32le(order + BESIDE_PREVIOUS)
    if before != 0:
        store_u32le(order_at(state, before) + BESIDE_NEXT, after)
    else:
        store_u32le(row + BESIDE_FIRST, after)
    if after != 0:
        store_u32le(order_at(state, after) + BESIDE_PREVIOUS, before)
    else:
        store_u32le(row + BESIDE_LAST, before)
    clear_mark(order, BESIDE)
