"""Telling the books by the address of the function that does it, see `lines.telling`."""

from __future__ import annotations

from numba import njit

from feedhandler.lines.fields import get
from feedhandler.lines.layout import ARBITER, TELL
from nic.call import call_kernel


@njit(nogil=True)
def tell(state, channel, stream, what, timestamp_ns):
    """Tells the books, where there are some; see `lines.tells`."""
    function = get(state + get(stream, ARBITER), TELL)
    if function == 0:
        return 0
    return call_kernel(function, state, channel, stream, what, timestamp_ns)
