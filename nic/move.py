"""Moving a run of bytes in memory, also where source and target overlap."""

from __future__ import annotations

from typing import Any

from nic.raw import CHECKED, load_u8, store_u8

from llvmlite import ir  # isort: skip
from numba import njit, types  # isort: skip
from numba.core import cgutils  # isort: skip
from numba.extending import intrinsic  # isort: skip

_I1, _I8, _I64 = ir.IntType(1), ir.IntType(8), ir.IntType(64)


@njit(nogil=True)
def move_each(target, source, length):
    """As `move_bytes`, a byte at a time: for the build that checks every access."""
    if target < source:
        for at in range(length):
            store_u8(target + at, load_u8(source + at))
    else:
        for at in range(length - 1, -1, -1):
            store_u8(target + at, load_u8(source + at))


@intrinsic
def _move(_typing: Any, target: Any, source: Any, length: Any) -> Any:
    if not all(isinstance(kind, types.Integer) for kind in (target, source, length)):
        return None

    def codegen(context: Any, builder: Any, _signature: Any, args: Any) -> Any:
        places = [builder.inttoptr(place, _I8.as_pointer()) for place in args[:2]]
        kinds = [places[0].type, places[1].type, _I64, _I1]
        kind = ir.FunctionType(ir.VoidType(), kinds)
        function = cgutils.get_or_insert_function(builder.module, kind, "llvm.memmove.p0.p0.i64")
        builder.call(function, [*places, args[2], _I1(0)])
        return context.get_dummy_value()

    return types.void(types.int64, types.int64, types.int64), codegen


move_bytes = move_each if CHECKED else _move
