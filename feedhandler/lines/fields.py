"""Fields of a row, as 64-bit integers at an offset: intrinsics, so that each use costs no compile.

A kernel called with constants is compiled for each of them anew; an intrinsic is not.
"""

from __future__ import annotations

from typing import Any

from nic.raw import emit_load, emit_store

from numba import types  # isort: skip
from numba.extending import intrinsic  # isort: skip


@intrinsic
def get(_typing: Any, row: Any, offset: Any) -> Any:
    """A field."""

    def codegen(_context: Any, builder: Any, _signature: Any, args: Any) -> Any:
        return emit_load(builder, builder.add(args[0], args[1]), 8, True, False)

    return types.int64(types.int64, types.int64), codegen


@intrinsic
def put(_typing: Any, row: Any, offset: Any, value: Any) -> Any:
    """Sets a field."""

    def codegen(context: Any, builder: Any, _signature: Any, args: Any) -> Any:
        emit_store(builder, builder.add(args[0], args[1]), args[2], 8, False)
        return context.get_dummy_value()

    return types.void(types.int64, types.int64, types.int64), codegen


@intrinsic
def add(_typing: Any, row: Any, offset: Any, value: Any) -> Any:
    """Adds to a field."""

    def codegen(context: Any, builder: Any, _signature: Any, args: Any) -> Any:
        place = builder.add(args[0], args[1])
        total = builder.add(emit_load(builder, place, 8, True, False), args[2])
        emit_store(builder, place, total, 8, False)
        return context.get_dummy_value()

    return types.void(types.int64, types.int64, types.int64), codegen
