"""The compiled decoder of IEX SNAP: how the service answers, not the image itself."""

from __future__ import annotations

from numba import njit

from feedhandler.actions import SESSION, emit, head
from feedhandler.protocols.iex_snap import IEX_SNAP
from feedhandler.protocols.iex_snap_acts import ROWS
from feedhandler.wire.access import loads
from feedhandler.wire.interpreter import interpreter

ERROR_RESPONSE = ord("e")
(reason,) = loads(IEX_SNAP["e"], "reject_reason_code")


@njit(nogil=True)
def refused(code, address, length, sequence, context, out):
    """The error response, which is too short for a row to read."""
    if code != ERROR_RESPONSE:
        return 0
    first, why = head(SESSION, 0, 0), reason(address)
    return emit(out, first, 0, why, 0, 0, ERROR_RESPONSE, 0, sequence)


message = interpreter(ROWS, special=refused)
