"""Loads and stores on plain addresses, for kernels: the one place where memory is touched.

Every function takes an address as an integer. Unsigned loads give uint64, signed ones int64; the
`be` or `le` in a name is the byte order in memory. With SWEEPWIRE_CHECKED=1 in the environment
each access is compared with the regions that `nic.regions` registered: one outside them is
recorded and sent to a scratch area, so that a wrong kernel is counted and does not crash.
"""

from __future__ import annotations

import platform
from collections.abc import Callable
from typing import Any

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

import nic.wholecompile
from nic import kernelcache  # names numba's cache folder, for every file that has kernels

CHECKED = kernelcache.checked_build()

if CHECKED:
    import nic.regions  # noqa: F401 - registers the swr_check symbol that checked kernels call

_I1 = ir.IntType(1)
_I32 = ir.IntType(32)
_I64 = ir.IntType(64)
_ON_X86 = platform.machine() in ("x86_64", "AMD64")


def emit_check(builder: Any, address: Any, width_bytes: int) -> Any:
    """The address to use for an access of `width_bytes`: itself, or a checked one."""
    if not CHECKED:
        return address
    signature = ir.FunctionType(_I64, [_I64, _I64])
    check = cgutils.get_or_insert_function(builder.module, signature, "swr_check")
    return builder.call(check, [address, _I64(width_bytes)])


def _swapped(builder: Any, value: Any) -> Any:
    return value if value.type.width == 8 else builder.bswap(value)


def _load_plain(builder: Any, address: Any, width_bytes: int, big: bool) -> Any:
    kind = ir.IntType(width_bytes * 8)
    value = builder.load(builder.inttoptr(address, kind.as_pointer()), align=1)
    return _swapped(builder, value) if big else value


def _store_plain(builder: Any, address: Any, value: Any, width_bytes: int, big: bool) -> None:
    kind = ir.IntType(width_bytes * 8)
    value = value if value.type == kind else builder.trunc(value, kind)
    value = _swapped(builder, value) if big else value
    builder.store(value, builder.inttoptr(address, kind.as_pointer()), align=1)


def emit_load(builder: Any, address: Any, width_bytes: int, signed: bool, big: bool) -> Any:
    """IR of an unaligned load of 1 to 8 bytes at an i64 address, extended to i64.

    Widths that no register has (3, 5, 6, 7) become two or three loads: never a byte is read more.
    """
    address = emit_check(builder, address, width_bytes)
    if width_bytes in (1, 2, 4, 8):
        value = _load_plain(builder, address, width_bytes, big)
        if width_bytes == 8:
            return value
        return builder.sext(value, _I64) if signed else builder.zext(value, _I64)
    total, done = _I64(0), 0
    for part in (part for part in (4, 2, 1) if width_bytes & part):
        value = _load_plain(builder, builder.add(address, _I64(done)), part, big)
        value = builder.zext(value, _I64)
        after = width_bytes - done - part
        shift = 8 * (after if big else done)
        total = builder.or_(total, builder.shl(value, _I64(shift)))
        done += part
    if signed:
        unused = _I64(64 - 8 * width_bytes)
        total = builder.ashr(builder.shl(total, unused), unused)
    return total


def emit_store(builder: Any, address: Any, value: Any, width_bytes: int, big: bool) -> None:
    """IR of an unaligned store of the low 1 to 8 bytes of an i64 value at an i64 address."""
    address = emit_check(builder, address, width_bytes)
    if width_bytes in (1, 2, 4, 8):
        _store_plain(builder, address, value, width_bytes, big)
        return
    done = 0
    for part in (part for part in (4, 2, 1) if width_bytes & part):
        after = width_bytes - done - part
        shifted = builder.lshr(value, _I64(8 * (after if big else done)))
        _store_plain(builder, builder.add(address, _I64(done)), shifted, part, big)
        done += part


def make_load(width_bytes: int, *, signed: bool, big: bool, result: Any = None) -> Any:
    """An intrinsic `load(address)` of that width and byte order.

    Its result is uint64 or int64 by `signed`, unless `result` says otherwise.
    """
    result = result or (types.int64 if signed else types.uint64)

    @intrinsic
    def load(_typing: Any, address: Any) -> Any:
        if not isinstance(address, types.Integer):
            return None

        def codegen(_context: Any, builder: Any, _signature: Any, args: Any) -> Any:
            return emit_load(builder, args[0], width_bytes, signed, big)

        return result(types.uint64), codegen

    return load


@intrinsic
def load_fixed(_typing: Any, address: Any) -> Any:
    """An int64 that no kernel changes while one runs: sizes, addresses of tables.

    The compiler may keep it in a register over stores; any other load is repeated after them.
    """
    if not isinstance(address, types.Integer):
        return None

    def codegen(_context: Any, builder: Any, _signature: Any, args: Any) -> Any:
        place = emit_check(builder, args[0], 8)
        value = builder.load(builder.inttoptr(place, _I64.as_pointer()), align=8)
        value.set_metadata("invariant.load", builder.module.add_metadata([]))
        return value

    return types.int64(types.uint64), codegen


def make_store(width_bytes: int, *, big: bool) -> Any:
    """An intrinsic `store(address, value)` of the low `width_bytes` of an integer."""

    @intrinsic
    def store(_typing: Any, address: Any, value: Any) -> Any:
        if not (isinstance(address, types.Integer) and isinstance(value, types.Integer)):
            return None

        def codegen(context: Any, builder: Any, _signature: Any, args: Any) -> Any:
            emit_store(builder, args[0], args[1], width_bytes, big)
            return context.get_dummy_value()

        return types.void(types.uint64, types.uint64), codegen

    return store


@intrinsic
def wrapping_product(_typing: Any, a: Any, b: Any) -> Any:
    """The low 64 bits of a product, as int64: for hashes.

    numba tells the compiler that its own signed products never overflow, and the compiler believes
    it.
    """
    if not (isinstance(a, types.Integer) and isinstance(b, types.Integer)):
        return None

    def codegen(_context: Any, builder: Any, _signature: Any, args: Any) -> Any:
        return builder.mul(args[0], args[1])

    return types.int64(types.int64, types.int64), codegen


def _make_one_operand(emit: Callable[[Any, Any], Any]) -> Any:
    """An intrinsic uint64 -> uint64 whose body is `emit(builder, value)`."""

    @intrinsic
    def operation(_typing: Any, value: Any) -> Any:
        if not isinstance(value, types.Integer):
            return None

        def codegen(_context: Any, builder: Any, _signature: Any, args: Any) -> Any:
            return emit(builder, args[0])

        return types.uint64(types.uint64), codegen

    return operation


def _emit_load_acquire(builder: Any, address: Any) -> Any:
    pointer = builder.inttoptr(emit_check(builder, address, 8), _I64.as_pointer())
    return builder.load_atomic(pointer, "acquire", 8)


def _make_byteswap(width_bytes: int) -> Any:
    kind = ir.IntType(width_bytes * 8)

    def emit(builder: Any, value: Any) -> Any:
        narrow = value if width_bytes == 8 else builder.trunc(value, kind)
        swapped = builder.bswap(narrow)
        return swapped if width_bytes == 8 else builder.zext(swapped, _I64)

    return _make_one_operand(emit)


load_u8 = make_load(1, signed=False, big=False)
load_u16le = make_load(2, signed=False, big=False)
load_u16be = make_load(2, signed=False, big=True)
load_u32le = make_load(4, signed=False, big=False)
load_u32be = make_load(4, signed=False, big=True)
load_u48le = make_load(6, signed=False, big=False)
load_u48be = make_load(6, signed=False, big=True)
load_u64le = make_load(8, signed=False, big=False)
load_u64be = make_load(8, signed=False, big=True)
load_i8 = make_load(1, signed=True, big=False)
load_i16le = make_load(2, signed=True, big=False)
load_i16be = make_load(2, signed=True, big=True)
load_i32le = make_load(4, signed=True, big=False)
load_i32be = make_load(4, signed=True, big=True)
load_i64le = make_load(8, signed=True, big=False)
load_i64be = make_load(8, signed=True, big=True)

# Unsigned but given as int64, for arithmetic with signed numbers: numba makes a float of a variable
# that is uint64 on one path and int64 on another.
load_n8 = make_load(1, signed=False, big=False, result=types.int64)
load_n32le = make_load(4, signed=False, big=False, result=types.int64)

store_u8 = make_store(1, big=False)
store_u16le = make_store(2, big=False)
store_u16be = make_store(2, big=True)
store_u32le = make_store(4, big=False)
store_u32be = make_store(4, big=True)
store_u48le = make_store(6, big=False)
store_u48be = make_store(6, big=True)
store_u64le = make_store(8, big=False)
store_u64be = make_store(8, big=True)

byteswap_u16 = _make_byteswap(2)
byteswap_u32 = _make_byteswap(4)
byteswap_u64 = _make_byteswap(8)
count_leading_zeros = _make_one_operand(lambda builder, value: builder.ctlz(value, _I1(0)))
load_acquire_u64 = _make_one_operand(_emit_load_acquire)


@intrinsic
def store_release_u64(_typing: Any, address: Any, value: Any) -> Any:
    """Stores an aligned u64 after every earlier access of this thread is visible."""
    if not (isinstance(address, types.Integer) and isinstance(value, types.Integer)):
        return None

    def codegen(context: Any, builder: Any, _signature: Any, args: Any) -> Any:
        pointer = builder.inttoptr(emit_check(builder, args[0], 8), _I64.as_pointer())
        builder.store_atomic(args[1], pointer, "release", 8)
        return context.get_dummy_value()

    return types.void(types.uint64, types.uint64), codegen


@intrinsic
def prefetch(_typing: Any, address: Any) -> Any:
    """Asks for the cache line at `address`; never faults, so it is not checked."""
    if not isinstance(address, types.Integer):
        return None

    def codegen(context: Any, builder: Any, _signature: Any, args: Any) -> Any:
        pointer = builder.inttoptr(args[0], ir.IntType(8).as_pointer())
        signature = ir.FunctionType(ir.VoidType(), [pointer.type, _I32, _I32, _I32])
        name = "llvm.prefetch.p0"
        function = cgutils.get_or_insert_function(builder.module, signature, name)
        builder.call(function, [pointer, _I32(0), _I32(3), _I32(1)])
        return context.get_dummy_value()

    return types.void(types.uint64), codegen


@intrinsic
def pause(_typing: Any) -> Any:
    """Tells the core that this is a waiting loop (about 25 ns; frees the sibling thread)."""

    def codegen(context: Any, builder: Any, _signature: Any, _args: Any) -> Any:
        void = ir.VoidType()
        if _ON_X86:
            signature, name, values = ir.FunctionType(void, []), "llvm.x86.sse2.pause", []
        else:
            signature, name, values = ir.FunctionType(void, [_I32]), "llvm.aarch64.hint", [_I32(1)]
        builder.call(cgutils.get_or_insert_function(builder.module, signature, name), values)
        return context.get_dummy_value()

    return types.void(), codegen


@intrinsic
def cycles(_typing: Any) -> Any:
    """The core's cycle counter, for the loop's own measurements only (about 11 ns)."""

    def codegen(_context: Any, builder: Any, _signature: Any, _args: Any) -> Any:
        name = "llvm.readcyclecounter" if _ON_X86 else "llvm.readsteadycounter"
        signature = ir.FunctionType(_I64, [])
        return builder.call(cgutils.get_or_insert_function(builder.module, signature, name), [])

    return types.uint64(), codegen
