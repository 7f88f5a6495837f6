"""Calls from kernels into C functions that are known by address: the ports' tables, the clock.

An address passed as an integer is the one form of call that numba's cache keeps valid in the next
process. Every argument is an integer; results of C `int` come back as int64.
"""

from __future__ import annotations

from typing import Any

import nic.kernelcache  # noqa: F401 - must come before numba: it names the cache folder

from llvmlite import ir  # isort: skip
from numba import types  # isort: skip
from numba.extending import intrinsic  # isort: skip

_I32 = ir.IntType(32)
_I64 = ir.IntType(64)
_VOID = ir.VoidType()


def _cast_argument(context: Any, builder: Any, value: Any, kind: Any, wanted: Any) -> Any:
    """A numba integer as an i64 or i32. Narrower C parameters travel in an i32 register too."""
    wide = context.cast(builder, value, kind, types.int64 if kind.signed else types.uint64)
    return wide if wanted is _I64 else builder.trunc(wide, wanted)


def _typed(result: Any, kinds: tuple[Any, ...], native: Any, parameters: tuple[Any, ...]) -> Any:
    """(numba signature, code generator) of a call of kinds[0] with the rest of kinds as arguments.

    native, parameters: result and parameters of the C function; an int result is sign-extended.
    None, which numba takes as a type error, where an argument is no integer.
    """
    if not all(isinstance(kind, types.Integer) for kind in kinds):
        return None
    pointer = ir.FunctionType(native, list(parameters)).as_pointer()

    def codegen(context: Any, builder: Any, _signature: Any, args: Any) -> Any:
        address, *values = (
            _cast_argument(context, builder, value, kind, wanted)
            for value, kind, wanted in zip(args, kinds, (_I64, *parameters), strict=True)
        )
        returned = builder.call(builder.inttoptr(address, pointer), values)
        if native is _VOID:
            return context.get_dummy_value()
        return returned if native is _I64 else builder.sext(returned, _I64)

    return result(*kinds), codegen


@intrinsic
def call_rx_burst(_typing: Any, function: Any, port: Any, out: Any, max_frames: Any) -> Any:
    """swp_ops.rx_burst: fills descriptors at `out`; their number, RX_END or RX_ERROR (int64)."""
    kinds = (function, port, out, max_frames)
    return _typed(types.int64, kinds, _I64, (_I64, _I64, _I64))


@intrinsic
def call_release(_typing: Any, function: Any, port: Any, frames: Any, count: Any) -> Any:
    """swp_ops.release: gives `count` descriptors at `frames` back, oldest first."""
    kinds = (function, port, frames, count)
    return _typed(types.void, kinds, _VOID, (_I64, _I64, _I64))


@intrinsic
def call_tx(_typing: Any, function: Any, port: Any, data: Any, length: Any, cookie: Any) -> Any:
    """swp_ops.tx of `length` bytes: 0 or -errno (int64).

    With a cookie (IPv4 << 16 | port) data is the payload of a datagram, else a whole frame.
    """
    kinds = (function, port, data, length, cookie)
    return _typed(types.int64, kinds, _I32, (_I64, _I64, _I32, _I64))


@intrinsic
def call_thread_init(_typing: Any, function: Any, port: Any) -> Any:
    """swp_ops.thread_init, on the thread that will poll: 0 or -errno (int64)."""
    return _typed(types.int64, (function, port), _I32, (_I64,))


@intrinsic
def call_join(_typing: Any, function: Any, port: Any, group: Any, udp_port: Any, vlan: Any) -> Any:
    """swp_ops.join of an IPv4 group in host byte order: 0 or -errno (int64)."""
    kinds = (function, port, group, udp_port, vlan)
    return _typed(types.int64, kinds, _I32, (_I64, _I32, _I32, _I32))


@intrinsic
def call_stats(_typing: Any, function: Any, port: Any, out: Any) -> Any:
    """swp_ops.stats: writes one STATS_DTYPE at `out`."""
    return _typed(types.void, (function, port, out), _VOID, (_I64, _I64))


@intrinsic
def call_clock(_typing: Any, function: Any, clock: Any) -> Any:
    """swp_clock_now_ns: ns since the epoch (uint64). For the loop's edge, never inside decoding."""
    return _typed(types.uint64, (function, clock), _I64, (_I64,))


@intrinsic
def call_kernel(_typing: Any, function: Any, a: Any, b: Any, c: Any, d: Any, e: Any) -> Any:
    """A kernel of five int64 that gives one, known by the address of its `numba.cfunc`."""
    return _typed(types.int64, (function, a, b, c, d, e), _I64, (_I64,) * 5)


@intrinsic
def read_tsc(_typing: Any) -> Any:
    """The time stamp counter, read after all earlier instructions (rdtscp, about 23 ns; uint64).

    Only where `nic.clock.Clock.has_tsc` says so: elsewhere the counter may stop or not exist.
    """

    def codegen(_context: Any, builder: Any, _signature: Any, _args: Any) -> Any:
        pair = ir.LiteralStructType([_I64, _I32])
        function = builder.module.globals.get("llvm.x86.rdtscp")
        if function is None:
            function = ir.Function(builder.module, ir.FunctionType(pair, []), "llvm.x86.rdtscp")
        return builder.extract_value(builder.call(function, []), 0)

    return types.uint64(), codegen
