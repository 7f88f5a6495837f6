"""The kernel that applies actions, as a function with an address.

The loop calls it by the address that stands in the head of the books. Every kernel that has it
inside would compile the books' kernels again, the loop a dozen times over.
"""

from __future__ import annotations

from functools import cache
from typing import Any

from numba import cfunc, types

from feedhandler.books.staged import apply_staged

SIGNATURE = types.void(types.int64, types.int64, types.int64)


@cache
def apply_function() -> Any:
    """`function(book, actions, count)`, compiled or loaded by the first call.

    Its `address` is for kernels, its `ctypes` for Python, where it leaves the interpreter free.
    """
    return cfunc(SIGNATURE, nopython=True, cache=True)(apply_staged.py_func)


class ApplyKernel:
    """Stands for that function among the kernels that are compiled before a start."""

    @staticmethod
    def compile(_signature: object = None) -> None:
        """Compiles it or loads it from the cache."""
        apply_function()
