"""Delivering messages for something else than to be applied as they come.

What is decoded waits in the batch until `tell` is called with what it is for: the parts of an
image, what was held behind images of single instruments, messages that say everything of their
instrument. The in-order packet of a stream never comes here.
"""

from __future__ import annotations

from numba import njit

from feedhandler.context import SKIP
from feedhandler.lines.fields import add, get, put
from feedhandler.lines.layout import ASIDE, DELIVERED, EXPECTED, OVERLAPS, TELL_ASIDE
from feedhandler.state import CHANNEL_BYTES, CHANNEL_HANDLER_STATE, CHANNELS_OFFSET
from nic.raw import load_i64le


@njit(nogil=True)
def set_skip(state, channel, skip):
    """Says how many messages of the next packet were seen before."""
    row = state + load_i64le(state + CHANNELS_OFFSET) + CHANNEL_BYTES * channel
    put(state + load_i64le(row + CHANNEL_HANDLER_STATE), SKIP, skip)


@njit(nogil=True)
def pass_on(state, stream, channel, sequence, count, payload, length, now, deliver, tell):
    """Delivers a packet from its first new message on; gives the messages decoded.

    What they are for at the moment is the stream's to say: mostly to be applied as they come.
    """
    skip, what = get(stream, EXPECTED) - sequence, get(stream, ASIDE)
    put(stream, EXPECTED, sequence + count)
    add(stream, DELIVERED, count - skip)
    if what != 0:
        tell(state, channel, stream, TELL_ASIDE, now)
    if skip != 0:
        add(stream, OVERLAPS, 1)
        set_skip(state, channel, skip)
    messages = deliver(state, channel, payload, length, now)
    if skip != 0:
        set_skip(state, channel, 0)
    if what != 0:
        tell(state, channel, stream, what, now)
    return messages
