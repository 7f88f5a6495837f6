"""A wire protocol: its messages by code, and the sizes every message is checked against."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from feedhandler.wire.record import Record

MAX_CODE = 4095  # the highest integer message code a size table is made for


def code_number(code: int | str) -> int:
    """The integer that stands for a message code on the wire (a letter's ASCII number).

    Codes of two letters (a category and a type) are read big-endian.
    """
    return int.from_bytes(code.encode("latin-1"), "big") if isinstance(code, str) else code


class Protocol:
    """The table of one protocol.

    Args:
        name: short name, as in the registry.
        title: what it is, for the documentation page.
        records: the messages; ValueError when two share a code.
        code_offset, code_width: where the message code stands in every message, bytes.
        code_big: byte order of the code.
        extensible: a message may be longer than its table (newer versions append fields); else a
            longer message is a fault.
        source: specification and version the table follows.
    """

    def __init__(
        self,
        name: str,
        title: str,
        records: Iterable[Record],
        *,
        code_offset: int = 0,
        code_width: int = 1,
        code_big: bool = False,
        extensible: bool = False,
        source: str = "",
    ) -> None:
        self.name, self.title, self.source = name, title, source
        self.records = tuple(records)
        self.code_offset, self.code_width, self.code_big = code_offset, code_width, code_big
        self.extensible = extensible
        self.by_number = {code_number(record.code): record for record in self.records}
        if len(self.by_number) != len(self.records):
            raise ValueError(f"{name}: two messages share a code")

    def __getitem__(self, code: int | str) -> Record:
        return self.by_number[code_number(code)]

    def longer_allowed(self, record: Record) -> bool:
        """Whether a message may have more bytes than the fixed part of its table."""
        return self.extensible or bool(record.tails)

    def sizes(self) -> NDArray[np.int32]:
        """Least length by message code, bytes; 0 where no message has that code."""
        made = np.zeros(max(self.by_number) + 1, np.int32)
        for number, record in self.by_number.items():
            made[number] = record.size
        return made

    def limits(self) -> NDArray[np.int32]:
        """Greatest length by message code, bytes."""
        made = np.zeros(max(self.by_number) + 1, np.int32)
        for number, record in self.by_number.items():
            made[number] = 65535 if self.longer_allowed(record) else record.size
        return made
