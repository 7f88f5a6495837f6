"""The one compiled decoder of all protocols: runs the rows of `wire.acts` over a message."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit

from feedhandler.actions import ACTION_BYTES
from feedhandler.faults import LONG_MESSAGE, SHORT_MESSAGE, UNKNOWN_MESSAGE, UNKNOWN_VALUE
from feedhandler.wire import lanes
from feedhandler.wire.access import code_loader
from feedhandler.wire.acts import COLUMN, Rows
from feedhandler.wire.clocks import absolute, nothing, own_scale
from feedhandler.wire.constants import constant_i32, constant_i64, constant_table
from feedhandler.wire.scalar import scalar_writer

NEXT = 8 * COLUMN["next"]
FACTS_BYTES = 12  # least length, greatest length, first row of a message code


def writer(rows: Rows, clock: Any, scale: Any) -> Any:
    """The kernel that writes one record, the quickest this machine can run for these rows."""
    fast = lanes.available() and not rows.by_symbol
    return (lanes.lane_writer if fast else scalar_writer)(rows, clock, scale)


def interpreter(
    rows: Rows,
    clock: Any = absolute,
    scale: Any = own_scale,
    special: Any = nothing,
    make_writer: Any = writer,
) -> Any:
    """The compiled handling of one message by its protocol's table and rows.

    Args:
        rows: what the messages mean.
        clock: kernel `(context, key, wire time) -> epoch ns` (0 unknown).
        scale: kernel `(context, key, factor of the row) -> factor`; the row's factor is 0 for a
            price whose scale comes with the symbol, and a result of 0 makes NO_PRICE of it.
        special: kernel `(code, address, length, sequence, context, out) -> records, or minus a
            fault` for the codes without rows: what needs more than moving fields.
        make_writer: makes the kernel for one record; the tests hold the two kinds together.

    Raises:
        ValueError: a price's scale comes with the symbol and there is no kernel that knows it.

    Returns:
        A kernel `(address, length, sequence, context, out) -> records written, or minus a fault`.
        `length` is the message's length, which the transport has bounded by the datagram.
    """
    protocol = rows.protocol
    if rows.by_symbol and scale is own_scale:
        raise ValueError(f"{protocol.name}: the scale of its prices comes with the symbol")
    load_code = code_loader(protocol)
    code_end = protocol.code_offset + protocol.code_width
    lowest = min(protocol.by_number) if protocol.code_width > 1 else 0
    facts = np.stack([protocol.sizes(), protocol.limits(), rows.first * rows.row_bytes], axis=1)
    codes = len(facts) - lowest
    facts_at, rows_at = constant_table(facts[lowest:]), constant_table(rows.rows)
    write = make_writer(rows, clock, scale)

    @njit(nogil=True, forceinline=True)
    def run_rows(row: Any, address: Any, length: Any, sequence: Any, context: Any, out: Any) -> Any:
        made = 0
        while True:
            here = rows_at() + row
            if write(address, length, here, sequence, context, out + made * ACTION_BYTES) < 0:
                return -UNKNOWN_VALUE
            made += 1
            row = constant_i64(here + NEXT)
            if row == 0:
                return made

    @njit(nogil=True, forceinline=True)
    def message(address: Any, length: Any, sequence: Any, context: Any, out: Any) -> Any:
        if length < code_end:
            return -SHORT_MESSAGE
        code = load_code(address)
        if code < lowest or code - lowest >= codes:
            return -UNKNOWN_MESSAGE
        fact = facts_at() + FACTS_BYTES * (code - lowest)
        size, row = constant_i32(fact), constant_i32(fact + 8)
        if size == 0:
            return -UNKNOWN_MESSAGE
        if length < size:
            return -SHORT_MESSAGE
        if length > constant_i32(fact + 4):
            return -LONG_MESSAGE
        if row == 0:
            return special(code, address, length, sequence, context, out)
        return run_rows(row, address, length, sequence, context, out)

    return message
