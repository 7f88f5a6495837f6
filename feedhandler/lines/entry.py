"""The part of a loop's entry module that arbitrates: text, for `feedhandler.specialise`."""

from __future__ import annotations

from collections.abc import Sequence

IMPORTS = """
from feedhandler.context import FEED, get
from feedhandler.lines.arbiter import arrive
from feedhandler.lines.tell import tell
from feedhandler.lines.ticks import expire_due
from feedhandler.loop import channel_row
from feedhandler.state import CHANNEL_STREAMS
from nic.raw import load_i64le
"""
HANDLE = """
@njit(nogil=True)
def peek(state, channel, payload, length):
    feed = get(context_of(np.uint64(state), channel), FEED)
{peeks}


@njit(nogil=True)
def pass_on(state, channel, payload, length, timestamp_ns):
    return deliver(np.uint64(state), channel, payload, length, timestamp_ns)


PEEK, PASS_ON, TELL = KernelRef(peek), KernelRef(pass_on), KernelRef(tell)


@njit(nogil=True)
def handle(state, channel, payload, length, timestamp_ns, burst_index):
    place, number = np.int64(state), np.int64(channel)
    start, size, now = np.int64(payload), np.int64(length), np.int64(timestamp_ns)
    if load_i64le(np.int64(channel_row(state, channel)) + CHANNEL_STREAMS) == 0:
        messages = expire_due(place, now, PASS_ON, TELL)
        return messages + pass_on(place, number, start, size, now)
    return arrive(place, number, start, size, now, PEEK, PASS_ON, TELL)


@njit(nogil=True)
def tick(state, timestamp_ns):
    expire_due(state, timestamp_ns, PASS_ON, TELL)
"""


def lines_source(transports: Sequence[str]) -> tuple[str, str]:
    """Imports, and the handler behind `deliver` with what a tick does.

    `transports` has the name of the transport of each feed number.
    """
    peeks = []
    for number, name in enumerate(transports):
        test = f"if feed == {number}:\n        " if number < len(transports) - 1 else ""
        peeks.append(f"    {test}return peek_{name}(payload, length)")
    imports = [f"from feedhandler.lines.peeks import peek_{n}\n" for n in sorted(set(transports))]
    return IMPORTS + "".join(imports), HANDLE.format(peeks="\n".join(peeks))
