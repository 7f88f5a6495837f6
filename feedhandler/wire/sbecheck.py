"""The compiled check of SBE messages: everything a message states fits its table and its bytes.

One small table by message code says how long the root block and the entries have to be. A message
that passes can be read by its stated lengths without another look at the bounds.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from feedhandler.faults import BAD_COUNT, BAD_LENGTH, SHORT_MESSAGE, UNKNOWN_MESSAGE
from feedhandler.wire.access import code_loader, loader
from feedhandler.wire.constants import constant_i32, constant_table
from feedhandler.wire.protocol import Protocol
from feedhandler.wire.record import Record
from feedhandler.wire.sbe import groups_of, root_offset
from nic.raw import load_n8

MOST_GROUPS = 8
ROW = 2 + 2 * MOST_GROUPS  # root block, groups, then of each group: dimensions, entry
load_n16 = loader(0, 2, False, False)
LATER = 1 << 16  # added to the dimensions of a group that older versions have not


def row_of(record: Record) -> list[int]:
    """What a message has to have, for the table."""
    groups = groups_of(record)
    made = [record.size - root_offset(record), len(groups)]
    for group in groups:
        made += [group.dimension_bytes + LATER * group.later, group.entry.size]
    return made + [0] * (ROW - len(made))


def requirements(protocol: Protocol) -> tuple[int, NDArray[np.int32]]:
    """The lowest message code and the rows from it on; -1 in front where there is no message."""
    lowest, highest = min(protocol.by_number), max(protocol.by_number)
    rows = np.full((highest - lowest + 1, ROW), -1, np.int32)
    for number, record in protocol.by_number.items():
        rows[number - lowest] = row_of(record)
    return lowest, rows


def checker(protocol: Protocol) -> Any:
    """The check of a protocol's messages.

    Returns:
        A kernel `(address, length) -> message code, or minus a fault`; `length` is the message's
        as the transport has bounded it. Faults are those of the plain decoder, in its order.
    """
    lowest, rows = requirements(protocol)
    codes, rows_at = len(rows), constant_table(rows)
    load_code = code_loader(protocol)
    code_end = protocol.code_offset + protocol.code_width
    first = protocol.records[0]
    root_at = root_offset(first)
    load_block = loader(first.offset("block_length"), 2, False, False)

    @njit(nogil=True)
    def groups_fit(address: Any, at: Any, length: Any, row: Any) -> Any:
        for number in range(constant_i32(row + 4)):
            about = row + 8 + 8 * number
            dimensions = constant_i32(about) & (LATER - 1)
            if at == length and constant_i32(about) >= LATER:
                continue
            first_entry = at + dimensions
            if first_entry > length:
                return False
            stride, count = load_n16(address + at), load_n8(address + first_entry - 1)
            at = first_entry + stride * count
            if count != 0 and (stride < constant_i32(about + 4) or at > length):
                return False
        return True

    @njit(nogil=True)
    def check(address: Any, length: Any) -> Any:
        if length < code_end:
            return -SHORT_MESSAGE
        code = load_code(address)
        if code < lowest or code - lowest >= codes:
            return -UNKNOWN_MESSAGE
        row = rows_at() + 4 * ROW * (code - lowest)
        least = constant_i32(row)
        if least < 0:
            return -UNKNOWN_MESSAGE
        if length < root_at + least:
            return -SHORT_MESSAGE
        block = load_block(address)
        if block < least:
            return -SHORT_MESSAGE
        if root_at + block > length:
            return -BAD_LENGTH
        return code if groups_fit(address, root_at + block, length, row) else -BAD_COUNT

    return check


def group_checker(row: list[int], number: int) -> Any:
    """A kernel `(address, at, length) -> whether the groups from one on fit`, of one message."""

    @njit(nogil=True, forceinline=True)
    def nothing_left(_address: Any, _at: Any, _length: Any) -> Any:
        return True

    if number == row[1]:
        return nothing_left
    dimensions, least = row[2 + 2 * number] & (LATER - 1), row[3 + 2 * number]
    later, others = row[2 + 2 * number] >= LATER, group_checker(row, number + 1)

    @njit(nogil=True, forceinline=True)
    def fit(address: Any, at: Any, length: Any) -> Any:
        if later and at == length:
            return True
        first_entry = at + dimensions
        if first_entry > length:
            return False
        stride, count = load_n16(address + at), load_n8(address + first_entry - 1)
        end = first_entry + stride * count
        if count != 0 and (stride < least or end > length):
            return False
        return others(address, end, length)

    return fit


def message_checker(protocol: Protocol, code: int) -> Any:
    """The check of messages of one code: as `checker`, with the table's row in the compiled code.

    Returns:
        A kernel `(address, length) -> 0 or minus a fault`, for a message long enough for its code.
    """
    record = protocol.by_number[code]
    row, root_at = row_of(record), root_offset(record)
    least, fits = row[0], group_checker(row, 0)
    load_block = loader(record.offset("block_length"), 2, False, False)

    @njit(nogil=True, forceinline=True)
    def check(address: Any, length: Any) -> Any:
        if length < root_at + least:
            return -SHORT_MESSAGE
        block = load_block(address)
        if block < least:
            return -SHORT_MESSAGE
        if root_at + block > length:
            return -BAD_LENGTH
        return 0 if fits(address, root_at + block, length) else -BAD_COUNT

    return check
