"""Writing one action record by its row in a few vector instructions, where the CPU has them.

A record has eight 64-bit lanes and a message's interesting part fits a 64-byte register, so one
byte permutation (AVX-512 VBMI) puts every field into its lane, its byte order turned, in one
instruction; one multiplication scales prices and one addition brings in the constants. Bytes behind
the message are masked off before the load: they are not read. CPUs without it use `wire.scalar`,
and the tests hold the two to the same results.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from feedhandler.actions import NO_PRICE
from feedhandler.context import UNIT, get
from feedhandler.faults import UNKNOWN_VALUE
from feedhandler.wire.acts import COLUMN, Rows
from feedhandler.wire.constants import constant_i64, constant_table
from feedhandler.wire.scalar import (
    EXTRA,
    FLAG_AT,
    HEAD,
    SIDE_AT,
    TIME,
    chooser,
    cutter,
    extra_writer,
    scalar_writer,
)
from nic.raw import CHECKED, load_i64le, store_u64le

from llvmlite import binding, ir  # isort: skip
from numba import config, njit, types  # isort: skip
from numba.core import cgutils  # isort: skip
from numba.extending import intrinsic  # isort: skip

REGISTER_BYTES = 64
LANES = ("", "key", "order", "price", "quantity", "aux", "time", "")
TABLE_BYTES = 5 * REGISTER_BYTES + 64  # permutation, factors, constants, lows, highs; mask and use
MASK_AT = 5 * REGISTER_BYTES
USABLE_AT = MASK_AT + 8
NUMBER = 8 * COLUMN["number"]
NEEDED = ("avx512f", "avx512bw", "avx512dq", "avx512vl", "avx512vbmi")

_I1, _I8, _I32, _I64 = (ir.IntType(bits) for bits in (1, 8, 32, 64))
_BYTES, _WORDS = ir.VectorType(_I8, 64), ir.VectorType(_I64, 8)
_NO_BYTES = ir.Constant(_BYTES, [0] * 64)
_NO_WORDS = ir.Constant(_WORDS, [0] * 8)


def available() -> bool:
    """Whether kernels are compiled for a CPU with these instructions, and without access checks."""
    if CHECKED or config.CPU_NAME or config.CPU_FEATURES:
        return False
    features = binding.get_host_cpu_features()
    return all(features.get(name, False) for name in NEEDED)


def lane_table(rows: Rows) -> NDArray[np.uint8]:
    """For each row the permutation, the factors, the constants, the limits and the lane mask."""
    made = np.zeros((len(rows.rows), TABLE_BYTES), np.uint8)
    for number in range(1, len(rows.rows)):
        _fill(made[number], rows, dict(zip(COLUMN, map(int, rows.rows[number]), strict=True)))
    return made


def _fill(table: NDArray[np.uint8], rows: Rows, row: dict[str, int]) -> None:
    words = table[REGISTER_BYTES:MASK_AT].view(np.int64).reshape(4, 8)
    factors, constants, lows, highs = words
    factors[:], lows[:], highs[:] = 1, -(1 << 63), (1 << 63) - 1
    constants[1] = row["key_fill"]
    mask, usable = 0, True
    for lane, part in enumerate(LANES):
        if not part:
            continue
        if part in ("price", "quantity", "aux"):
            factors[lane] = row[f"{part}_factor"]
            lows[lane], highs[lane] = row[f"{part}_low"], row[f"{part}_high"]
        field_mask = row[f"{part}_mask"]
        if field_mask == 0:
            continue
        end = row[f"{part}_end"]
        width = (64 - row[f"{part}_shift"]) // 8 if not rows.big else field_mask_bytes(field_mask)
        usable &= end <= REGISTER_BYTES and (field_mask != -1 or width == 8)
        for byte in range(width):
            at = end - 1 - byte if rows.big else end - width + byte
            table[8 * lane + byte] = at & 63
            mask |= 1 << (8 * lane + byte)
    table[MASK_AT : MASK_AT + 8] = np.array([mask], np.uint64).view(np.uint8)
    table[USABLE_AT] = usable


def field_mask_bytes(mask: int) -> int:
    """How many bytes a field mask keeps."""
    return 8 if mask == -1 else mask.bit_length() // 8


def _vector(builder: Any, address: Any, offset: int, kind: Any) -> Any:
    place = builder.inttoptr(builder.add(address, _I64(offset)), kind.as_pointer())
    return builder.load(place, align=64)


def _masked_load(builder: Any, address: Any, length: Any) -> Any:
    """The first 64 bytes of a message; those at and behind its end are zero and not touched."""
    whole = builder.icmp_unsigned(">=", length, _I64(REGISTER_BYTES))
    part = builder.sub(builder.shl(_I64(1), length), _I64(1))
    mask = builder.bitcast(builder.select(whole, _I64(-1), part), ir.VectorType(_I1, 64))
    pointer = builder.inttoptr(address, _BYTES.as_pointer())
    kind = ir.FunctionType(_BYTES, [pointer.type, _I32, mask.type, _BYTES])
    load = cgutils.get_or_insert_function(builder.module, kind, "llvm.masked.load.v64i8.p0")
    return builder.call(load, [pointer, _I32(1), mask, _NO_BYTES])


def _permuted(builder: Any, data: Any, table: Any) -> Any:
    kind = ir.FunctionType(_BYTES, [_BYTES, _BYTES])
    name = "llvm.x86.avx512.permvar.qi.512"
    permute = cgutils.get_or_insert_function(builder.module, kind, name)
    moved = builder.call(permute, [data, _vector(builder, table, 0, _BYTES)])
    place = builder.inttoptr(builder.add(table, _I64(MASK_AT)), _I64.as_pointer())
    keep = builder.bitcast(builder.load(place), ir.VectorType(_I1, 64))
    return builder.bitcast(builder.select(keep, moved, _NO_BYTES), _WORDS)


def lane_mover(wide: bool) -> Any:
    """An intrinsic `move(message, length, table, out)` that writes all lanes of a record.

    Lanes 0 (head), 6 (time) and 7 (sequence) are for the caller to write over.
    """

    @intrinsic
    def move(_typing: Any, address: Any, length: Any, table: Any, out: Any) -> Any:
        if not all(isinstance(kind, types.Integer) for kind in (address, length, table, out)):
            return None

        def codegen(context: Any, builder: Any, _signature: Any, args: Any) -> Any:
            address, length, table, out = args
            raw = _permuted(builder, _masked_load(builder, address, length), table)
            made = builder.mul(raw, _vector(builder, table, REGISTER_BYTES, _WORDS))
            made = builder.add(made, _vector(builder, table, 2 * REGISTER_BYTES, _WORDS))
            if wide:
                low = _vector(builder, table, 3 * REGISTER_BYTES, _WORDS)
                high = _vector(builder, table, 4 * REGISTER_BYTES, _WORDS)
                below = builder.icmp_signed("<", raw, low)
                outside = builder.or_(below, builder.icmp_signed(">", raw, high))
                made = builder.select(outside, ir.Constant(_WORDS, [NO_PRICE] * 8), made)
            builder.store(made, builder.inttoptr(out, _WORDS.as_pointer()), align=8)
            return context.get_dummy_value()

        return types.void(*[types.int64] * 4), codegen

    return move


def lane_writer(rows: Rows, clock: Any, scale: Any) -> Any:
    """A kernel `write(message, length, row, sequence, context, out)`, as `scalar_writer` makes it.

    Rows whose fields lie beyond the 64th byte are written by the scalar kernel.
    """
    move, choice, cut = lane_mover(rows.wide), chooser(rows), cutter(rows)
    by_field, extras = scalar_writer(rows, clock, scale), extra_writer(cut, choice)
    lanes_at = constant_table(lane_table(rows))

    @njit(nogil=True, forceinline=True)
    def write(address: Any, length: Any, row: Any, sequence: Any, context: Any, out: Any) -> Any:
        table = lanes_at() + constant_i64(row + NUMBER) * TABLE_BYTES
        if constant_i64(table + USABLE_AT) == 0:
            return by_field(address, length, row, sequence, context, out)
        side = choice(address, row + SIDE_AT)
        if side < 0:
            return -UNKNOWN_VALUE
        move(address, length, table, out)
        head = constant_i64(row + HEAD) + side + choice(address, row + FLAG_AT)
        store_u64le(out, head | (get(context, UNIT) << 32))
        store_u64le(out + 48, clock(context, load_i64le(out + 8), cut(address, row + TIME)))
        store_u64le(out + 56, sequence)
        if constant_i64(row + EXTRA) != 0:
            extras(address, row, out)
        return 0

    return write
