"""Order messages written again and again."""

from __future__ import annotations

from numba import njit

from nic.raw import load_i64le, store_u64le
from router.entry.encode import encode_cancel, encode_order
from router.tables import INTENT


@njit(nogil=True, cache=True)
def many_orders(router, intent, out, count):
    """As many orders, each with a token and a quantity of its own; the bytes of them."""
    made = 0
    for number in range(count):
        store_u64le(intent + INTENT.token, 4711 + number)
        store_u64le(intent + INTENT.quantity, 100 + (number & 63))
        made += encode_order(router, intent, out) + (load_i64le(out) & 1)
    return made


@njit(nogil=True, cache=True)
def many_cancels(router, child, out, count):
    """As many cancels of a child."""
    made = 0
    for _ in range(count):
        made += encode_cancel(router, child, out) + (load_i64le(out) & 1)
    return made
