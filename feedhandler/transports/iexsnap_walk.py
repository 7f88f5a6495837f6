"""The compiled walk over a stream of IEX's snapshot service."""

from __future__ import annotations

from numba import njit

from feedhandler.transports.iexsnap import TRANSPORT
from feedhandler.wire.streamwalk import stream_walker

BODY = TRANSPORT.framing.body


@njit(nogil=True, forceinline=True)
def take(address, length, context, out, message):
    """One whole message; none has a sequence."""
    return message(address + BODY, length - BODY, 0, context, out)


walk = stream_walker(TRANSPORT.framing, take)
