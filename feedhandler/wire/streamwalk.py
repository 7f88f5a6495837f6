"""The compiled walk over a piece of a byte stream (TCP), made from a framing.

A stream piece is the bytes received so far that no walk has consumed: it starts at a message, and
its last message may be cut. The convention of every stream feed's walk, `walk(payload, length,
context, out, message)`, is:

* It handles the whole messages and says in the context's `consumed` how many bytes they took. What
  remains starts a message: the caller keeps it, appends what arrives next, and calls again.
* It also stops, with whole messages left, before the batch is full: the caller drains the batch and
  calls again. It always consumes something unless the first message is cut.
* A message that does not fit its table is counted as a fault and stepped over.
* An impossible length leaves nothing to go on from: it is counted as BAD_LENGTH and the whole piece
  as consumed. An order session has to be closed when that counter moves.
"""

from __future__ import annotations

from typing import Any

from numba import njit

from feedhandler.actions import ACTION_BYTES
from feedhandler.context import CONSUMED, MESSAGES, PACKETS, add, count_fault, put
from feedhandler.faults import BAD_LENGTH
from feedhandler.wire.access import loader
from feedhandler.wire.framing import Framing
from feedhandler.wire.walk import BATCH, ROOM


def stream_walker(framing: Framing, packet: Any, room: int = ROOM) -> Any:
    """The compiled walk over a stream piece.

    Args:
        framing: where each message's length stands.
        packet: kernel `(address, length, context, out, message) -> actions, or minus a fault` that
            handles one whole framed message, given from the start of its frame (`framing.body` is
            for it to add): it finds the sequence and calls `message` of the feed where it applies.
        room: actions that one message makes at most.

    Returns:
        A kernel `walk(payload, length, context, out, message) -> actions emitted`.
    """
    load_length = loader(framing.offset, framing.width, False, framing.big)
    least, plus = framing.least, framing.plus
    smallest = max(framing.body, least)
    marker = int.from_bytes(framing.marker, "little")
    load_marker = loader(0, len(framing.marker), False, False)

    @njit(nogil=True, forceinline=True)
    def walk(payload: Any, length: Any, context: Any, out: Any, message: Any) -> Any:
        emitted = 0
        seen = 0
        at = 0
        while length - at >= least and emitted <= BATCH - room:
            step = load_length(payload + at) + plus
            if step < smallest or load_marker(payload + at) != marker:
                count_fault(context, BAD_LENGTH)
                at = length
                break
            if step > length - at:
                break
            made = packet(payload + at, step, context, out + ACTION_BYTES * emitted, message)
            if made < 0:
                count_fault(context, -made)
            else:
                emitted += made
            seen += 1
            at += step
        add(context, PACKETS, 1)
        add(context, MESSAGES, seen)
        put(context, CONSUMED, at)
        return emitted

    return walk
