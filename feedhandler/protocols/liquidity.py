"""How an execution came about, alike for all order protocols: in `unit` of EXECUTED actions."""

from __future__ import annotations

from typing import Any, Final

from feedhandler.wire.access import loads
from feedhandler.wire.constants import by_letter, constant_i32, constant_table
from feedhandler.wire.record import Record
from nic.raw import store_u32le

from numba import njit  # isort: skip

UNKNOWN, ADDED, REMOVED, ADDED_HIDDEN, MIDPOINT, AUCTION = range(6)
UNIT_AT: Final = 4  # in an action


def liquidity_writer(record: Record, name: str, codes: dict[str, int]) -> Any:
    """A kernel `write(message, out)`: the code of a message's one-letter flag, into the action.

    Args:
        record: the message.
        name: of the flag; of a longer text the first letter counts.
        codes: by letter; any other is UNKNOWN.
    """
    table = constant_table(by_letter(codes, UNKNOWN))
    (load,) = loads(record, name)

    @njit(nogil=True, forceinline=True)
    def write(address: Any, out: Any) -> Any:
        store_u32le(out + UNIT_AT, constant_i32(table() + 4 * (load(address) & 0xFF)))

    return write
