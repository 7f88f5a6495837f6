"""Compiled access to fields announced by presence bits (`wire.presence`).

The width of what a bitfield's value announces is looked up, so that neither finding a field nor
measuring a message tests bit by bit. Both kernels take messages that have their whole fixed part.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit

from feedhandler.wire.constants import constant_i32, constant_table
from feedhandler.wire.presence import Presence
from feedhandler.wire.protocol import Protocol, code_number
from feedhandler.wire.record import Record
from nic.raw import load_u8

VALUES = 256
WORD = 4


def presence_of(record: Record) -> Presence | None:
    """The presence part of a message, if it has one; its count is the fixed part's last byte."""
    parts = [tail for tail in record.tails if isinstance(tail, Presence)]
    if not parts:
        return None
    if len(record.tails) > 1 or record.fields[-1].name != parts[0].count:
        raise ValueError(f"{record.name}: the bitfields do not follow their count")
    return parts[0]


class PresenceTables:
    """The widths of all optional fields of a protocol.

    Attributes:
        most: the number of bitfields that announce anything, over all messages.
        facts: int32 [code]: (bytes of the fixed part, block); 0 bytes where nothing is optional.
        blocks: int32 [block][bitfield]: offset of the bitfield's row in `widths`, bytes.
        widths: int32 [row][value of the bitfield]: bytes of the announced fields.
    """

    def __init__(self, protocol: Protocol) -> None:
        parts = {code: presence_of(record) for code, record in protocol.by_number.items()}
        found = [part for part in parts.values() if part is not None]
        self.most = max(item.byte for part in found for item in part.fields)
        self.facts = np.zeros((max(parts) + 1, 2), np.int32)
        self._rows: list[tuple[int, ...]] = []
        blocks: list[list[int]] = []
        for code, part in parts.items():
            if part is None:
                continue
            self.facts[code] = protocol.by_number[code].size, WORD * self.most * len(blocks)
            blocks.append([self._row(part, byte) for byte in range(1, self.most + 1)])
        self.blocks = np.array(blocks, np.int32)
        self.widths = np.array(self._rows, np.int32)

    def _row(self, part: Presence, byte: int) -> int:
        widths = [(item.mask, item.field.width) for item in part.fields if item.byte == byte]
        row = tuple(sum(w for mask, w in widths if value & mask) for value in range(VALUES))
        if row not in self._rows:
            self._rows.append(row)
        return WORD * VALUES * self._rows.index(row)


def presence_kernels(protocol: Protocol) -> tuple[Any, Any]:
    """The kernels that measure messages and find their optional fields.

    Returns:
        (extent, finder). `extent(code, address, length) -> bytes`: how long the message is by its
        bits; `length` when nothing in it is optional, -1 when the bitfields reach behind it.
        `finder(code, name)` makes a kernel `place(address) -> address of the field`, 0 when it is
        not there; for messages whose extent was found to be their length.
    """
    tables = PresenceTables(protocol)
    most = tables.most
    facts_at, blocks_at, widths_at = map(
        constant_table, (tables.facts, tables.blocks, tables.widths)
    )

    @njit(nogil=True, forceinline=True)
    def load_i64(address: Any) -> Any:
        return np.int64(load_u8(address))

    @njit(nogil=True, forceinline=True)
    def announced(bitfields: Any, block: Any, count: Any) -> Any:
        """Bytes of the fields that the first `count` bitfields announce."""
        total = 0
        for number in range(min(count, most)):
            row = widths_at() + constant_i32(blocks_at() + block + WORD * number)
            total += constant_i32(row + WORD * load_u8(bitfields + number))
        return total

    @njit(nogil=True, forceinline=True)
    def extent(code: Any, address: Any, length: Any) -> Any:
        facts = facts_at() + 2 * WORD * code
        size = constant_i32(facts)
        if size == 0:
            return length
        count = load_i64(address + size - 1)
        if size + count > length:
            return -1
        return size + count + announced(address + size, constant_i32(facts + WORD), count)

    def finder(code: int | str, name: str) -> Any:
        record = protocol[code]
        part = presence_of(record)
        assert part is not None
        item = next(item for item in part.fields if item.field.name == name)
        size, block = (int(value) for value in tables.facts[code_number(code)])
        before, mask = item.byte - 1, item.mask
        row = int(tables.blocks.reshape(-1)[block // WORD + before])

        @njit(nogil=True, forceinline=True)
        def place(address: Any) -> Any:
            count = load_i64(address + size - 1)
            if count <= before:
                return 0
            bits = load_i64(address + size + before)
            if bits & mask == 0:
                return 0
            skipped = constant_i32(widths_at() + row + WORD * (bits & (mask - 1)))
            return address + size + count + announced(address + size, block, before) + skipped

        return place

    return extent, finder
