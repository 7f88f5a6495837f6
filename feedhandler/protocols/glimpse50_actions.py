"""The compiled decoder of GLIMPSE 5.0."""

from __future__ import annotations

from numba import njit

from feedhandler.actions import ALL, REFRESH, SNAPSHOT_END, emit, head
from feedhandler.faults import UNKNOWN_VALUE
from feedhandler.protocols.glimpse50 import END_OF_SNAPSHOT
from feedhandler.protocols.glimpse50_acts import ROWS
from feedhandler.protocols.itch50 import ITCH50
from feedhandler.protocols.itch50_actions import directory
from feedhandler.transports.soupbintcp_walk import digits
from feedhandler.wire.access import loads
from feedhandler.wire.clocks import from_midnight
from feedhandler.wire.interpreter import interpreter
from nic.raw import load_u8, store_u64le

END_CODE, EVENT_CODE = ord("G"), ord("S")
SEQUENCE_AT = END_OF_SNAPSHOT.offset("sequence_number")
SEQUENCE_BYTES = END_OF_SNAPSHOT.by_name["sequence_number"].width
(locate,) = loads(ITCH50["A"], "stock_locate")


@njit(nogil=True)
def special(code, address, length, sequence, context, out):
    """The stock directory and the end of the snapshot, which is as of the message before."""
    if code != END_CODE:
        return directory(code, address, length, sequence, context, out)
    behind = digits(address + SEQUENCE_AT, SEQUENCE_BYTES)
    if behind < 0:
        return -UNKNOWN_VALUE
    first = head(SNAPSHOT_END, 0, ALL | REFRESH)
    return emit(out, first, 0, behind - 1, 0, 0, 0, 0, sequence)


rows = interpreter(ROWS, clock=from_midnight, special=special)


@njit(nogil=True, forceinline=True)
def message(address, length, sequence, context, out):
    """One message; the stock locate code, at the same place in all with rows, becomes the key."""
    made = rows(address, length, sequence, context, out)
    code = load_u8(address) if made > 0 else END_CODE
    if code != END_CODE and code != EVENT_CODE:
        store_u64le(out + 8, locate(address))
    return made
