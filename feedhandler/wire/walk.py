"""The compiled walk over the messages of a packet, made from a framing."""

from __future__ import annotations

from typing import Any

from numba import njit

from feedhandler.actions import ACTION_BYTES
from feedhandler.context import MESSAGES, SKIP, add, count_fault, get
from feedhandler.faults import BAD_COUNT, BAD_LENGTH, NO_ROOM, TRAILING_BYTES
from feedhandler.wire.access import loader
from feedhandler.wire.framing import Framing

ROOM = 4  # actions that one message emits at most
BATCH = 16384  # actions that a batch holds: a 64 KiB datagram of the smallest messages fits


def walker(framing: Framing, padded: int = 0) -> Any:
    """The compiled walk over the messages of one packet.

    Args:
        framing: how they follow one another.
        padded: bytes that may stand behind the last message and mean nothing.

    Returns:
        A kernel `(start, end, count, sequence, context, out, message) -> actions emitted`, where
        start and end are addresses, `message` a kernel of `wire.interpreter.interpreter`, and the
        messages are numbered from `sequence` on. As many as the context's `skip` says are passed
        over, for they came in another packet. Every fault is counted in the context; an impossible
        length ends the packet, any other fault only its message.
    """
    load_length = loader(framing.offset, framing.width, False, framing.big)
    least, plus, body = framing.least, framing.plus, framing.body
    smallest = max(body, least)

    @njit(nogil=True, forceinline=True)
    def walk(
        start: Any, end: Any, count: Any, sequence: Any, context: Any, out: Any, message: Any
    ) -> Any:
        emitted = 0
        seen = 0
        skip = get(context, SKIP)
        while seen < count:
            if end - start < least:
                count_fault(context, BAD_COUNT)
                break
            step = load_length(start) + plus
            if step < smallest or step > end - start:
                count_fault(context, BAD_LENGTH)
                break
            if emitted > BATCH - ROOM:
                count_fault(context, NO_ROOM)
                break
            place = out + ACTION_BYTES * emitted
            made = 0
            if seen >= skip:
                made = message(start + body, step - body, sequence + seen, context, place)
            if made < 0:
                count_fault(context, -made)
            else:
                emitted += made
            seen += 1
            start += step
        if seen == count and end - start > padded:
            count_fault(context, TRAILING_BYTES)
        add(context, MESSAGES, max(0, seen - skip))
        return emitted

    return walk
