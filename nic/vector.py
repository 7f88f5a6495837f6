"""Comparing several integers in memory at once; LLVM makes of it what the CPU has."""

from __future__ import annotations

from typing import Any

from nic.raw import emit_check, emit_load

from llvmlite import ir  # isort: skip
from numba import types  # isort: skip
from numba.extending import intrinsic  # isort: skip

_I64 = ir.IntType(64)


def _mask_of(compare: str, lanes: int) -> Any:
    """An intrinsic `mask(address, value)`: bit i says whether word i at the address compares so."""
    vector, bits = ir.VectorType(_I64, lanes), ir.IntType(lanes)

    @intrinsic
    def mask(_typing: Any, address: Any, value: Any) -> Any:
        if not (isinstance(address, types.Integer) and isinstance(value, types.Integer)):
            return None

        def codegen(_context: Any, builder: Any, _signature: Any, args: Any) -> Any:
            place = emit_check(builder, args[0], 8 * lanes)
            words = builder.load(builder.inttoptr(place, vector.as_pointer()), align=8)
            blank = ir.Constant(vector, ir.Undefined)
            one = builder.insert_element(
                ir.Constant(vector, ir.Undefined), args[1], ir.IntType(32)(0)
            )
            order = ir.Constant(ir.VectorType(ir.IntType(32), lanes), [0] * lanes)
            same = builder.shuffle_vector(one, blank, order)
            found = builder.bitcast(builder.icmp_signed(compare, words, same), bits)
            return builder.zext(found, _I64)

        return types.int64(types.int64, types.int64), codegen

    return mask


def _strided_mask(lanes: int, stride_bytes: int) -> Any:
    """An intrinsic `mask(address, value)`: bit i says whether the word at i strides equals it.

    Each word is a load of its own: the processor hands on a word just stored to a load of that word
    at once, but makes a load of the whole line wait. No branch is made of it.
    """
    vector, bits, word = ir.VectorType(_I64, lanes), ir.IntType(lanes), ir.IntType(32)

    @intrinsic
    def mask(_typing: Any, address: Any, value: Any) -> Any:
        if not (isinstance(address, types.Integer) and isinstance(value, types.Integer)):
            return None

        def codegen(_context: Any, builder: Any, _signature: Any, args: Any) -> Any:
            words = same = ir.Constant(vector, ir.Undefined)
            for lane in range(lanes):
                place = builder.add(args[0], _I64(stride_bytes * lane))
                found = emit_load(builder, place, 8, True, False)
                words = builder.insert_element(words, found, word(lane))
                same = builder.insert_element(same, args[1], word(lane))
            equal = builder.bitcast(builder.icmp_signed("==", words, same), bits)
            return builder.zext(equal, _I64)

        return types.int64(types.int64, types.int64), codegen

    return mask


def _unary(name: str) -> Any:
    @intrinsic
    def operation(_typing: Any, value: Any) -> Any:
        if not isinstance(value, types.Integer):
            return None

        def codegen(_context: Any, builder: Any, _signature: Any, args: Any) -> Any:
            if name == "ctpop":
                return builder.ctpop(args[0])
            return builder.cttz(args[0], ir.IntType(1)(0))

        return types.int64(types.int64), codegen

    return operation


equal_mask_4_of_16 = _strided_mask(4, 16)
not_below_mask_16 = _mask_of(">=", 16)
count_ones = _unary("ctpop")
count_trailing_zeros = _unary("cttz")
