"""Tables that kernels read: constants of the compiled code, without an array's bounds work."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

import nic.raw  # noqa: F401 - names the kernel cache before numba is loaded

from llvmlite import ir  # isort: skip
from numba import types  # isort: skip
from numba.extending import intrinsic  # isort: skip

_I64 = ir.IntType(64)


def by_letter(values: Mapping[str, int], default: int) -> NDArray[np.int32]:
    """A table of 256 values by the one-letter codes of a field."""
    made = np.full(256, default, np.int32)
    for letter, value in values.items():
        made[ord(letter)] = value
    return made


def constant_table(values: NDArray[np.integer[Any]]) -> Any:
    """An intrinsic `address() -> int64` of a read-only copy of the values in the compiled code."""
    raw = np.ascontiguousarray(values).tobytes()
    name = f"sweepwire.table.{hashlib.sha256(raw).hexdigest()[:24]}"
    kind = ir.ArrayType(ir.IntType(8), len(raw))

    @intrinsic
    def address(_typing: Any) -> Any:
        def codegen(_context: Any, builder: Any, _signature: Any, _args: Any) -> Any:
            table = builder.module.globals.get(name)
            if table is None:
                table = ir.GlobalVariable(builder.module, kind, name=name)
                table.linkage, table.global_constant = "linkonce_odr", True
                table.initializer, table.align = ir.Constant(kind, bytearray(raw)), 64
            return builder.ptrtoint(table, _I64)

        return types.int64(), codegen

    return address


def _constant_load(width_bits: int) -> Any:
    """An intrinsic `load(address) -> int64` from a constant table, sign-extended."""

    @intrinsic
    def load(_typing: Any, address: Any) -> Any:
        if not isinstance(address, types.Integer):
            return None

        def codegen(_context: Any, builder: Any, _signature: Any, args: Any) -> Any:
            kind = ir.IntType(width_bits)
            value = builder.load(builder.inttoptr(args[0], kind.as_pointer()))
            value.set_metadata("invariant.load", builder.module.add_metadata([]))
            return value if value.type == _I64 else builder.sext(value, _I64)

        return types.int64(types.int64), codegen

    return load


constant_i64 = _constant_load(64)
constant_i32 = _constant_load(32)
