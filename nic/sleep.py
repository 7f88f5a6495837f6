"""Giving the core away from inside a kernel, where a loop has been told to sleep when idle."""

from __future__ import annotations

from typing import Any

from llvmlite import ir
from numba import types
from numba.extending import intrinsic

import nic.kernelcache  # noqa: F401 - names numba's cache folder

_I32 = ir.IntType(32)
_I64 = ir.IntType(64)


@intrinsic
def call_nanosleep(_typing: Any, function: Any, request: Any) -> Any:
    """C nanosleep at address `function` with the struct timespec at `request`; its result."""
    if not (isinstance(function, types.Integer) and isinstance(request, types.Integer)):
        return None

    def codegen(_context: Any, builder: Any, _signature: Any, args: Any) -> Any:
        signature = ir.FunctionType(_I32, [_I64, _I64])
        pointer = builder.inttoptr(args[0], signature.as_pointer())
        return builder.sext(builder.call(pointer, [args[1], _I64(0)]), _I64)

    return types.int64(types.uint64, types.uint64), codegen
