"""The compiled walk over a BOE stream."""

from __future__ import annotations

from numba import njit

from feedhandler.context import CLOCK_NS, NEXT_SEQUENCE, UNIT, put
from feedhandler.protocols.cboe_boe import CBOE_BOE
from feedhandler.transports.boe import TRANSPORT
from feedhandler.wire.access import loads
from feedhandler.wire.streamwalk import stream_walker

HEARTBEAT = CBOE_BOE[0x03]
HEADER_BYTES = HEARTBEAT.size
UNIT_SEQUENCES = CLOCK_NS  # by unit the last sequence: BOE's units announce no time
matching_unit, sequence_number = loads(HEARTBEAT, "matching_unit", "sequence_number")


@njit(nogil=True, forceinline=True)
def take(address, length, context, out, message):
    """One whole message; its sequence counts within its matching unit, 0 is none."""
    sequence = 0
    if length >= HEADER_BYTES:
        sequence = sequence_number(address)
        unit = matching_unit(address)
        put(context, UNIT, unit)
        put(context, NEXT_SEQUENCE, sequence + 1 if sequence != 0 else 0)
        if sequence != 0:
            put(context, UNIT_SEQUENCES + 8 * unit, sequence)
    return message(address, length, sequence, context, out)


walk = stream_walker(TRANSPORT.framing, take)
