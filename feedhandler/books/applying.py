"""The kernels that apply actions and that move the books, as functions with an address.

The loop calls the one by the address that stands in the head of the books, the other by that in the
command. Every kernel that had them inside would compile the books' kernels again, the loop a dozen
times over.
"""

from __future__ import annotations

from functools import cache
from typing import Any

from numba import cfunc, types

from feedhandler.books.growing import grow_books
from feedhandler.books.staged import apply_staged

SIGNATURE = types.void(types.int64, types.int64, types.int64)
GROW_SIGNATURE = types.int64(types.int64, types.int64, types.int64)


@cache
def apply_function() -> Any:
    """`function(book, actions, count)`, compiled or loaded by the first call.

    Its `address` is for kernels, its `ctypes` for Python, where it leaves the interpreter free.
    """
    return cfunc(SIGNATURE, nopython=True, cache=True)(apply_staged.py_func)


@cache
def grow_function() -> Any:
    """`function(book, growth, generation)`, compiled or loaded by the first call."""
    return cfunc(GROW_SIGNATURE, nopython=True, cache=True)(grow_books.py_func)


class ApplyKernel:
    """Stands for those functions among the kernels that are compiled before a start."""

    @staticmethod
    def compile(_signature: object = None) -> None:
        """Compiles them or loads them from the cache."""
        apply_function()
        grow_function()
