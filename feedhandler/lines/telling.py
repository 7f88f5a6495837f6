"""What arbitration tells the books, as a function with an address, in the arbiter's row.

Most kernels of arbitration tell something. Every one of them would compile the books' kernels again
if it had them inside.
"""

from __future__ import annotations

from functools import cache
from typing import Any

from numba import cfunc, types

from feedhandler.feed import load_object

BOOKS, MARKET = "feedhandler.lines.tells:tell_books", "feedhandler.consolidated.sink:tell_market"
SIGNATURE = types.int64(*(types.int64,) * 5)


@cache
def tell_function(market: bool) -> Any:
    """`function(state, channel, stream, what, timestamp_ns)`, compiled or loaded by the first call.

    Args:
        market: whether there is a consolidated book behind the books.
    """
    kernel = load_object(MARKET if market else BOOKS)
    return cfunc(SIGNATURE, nopython=True, cache=True)(kernel.py_func)
