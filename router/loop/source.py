"""The router's part of a loop's entry module: text, for `feedhandler.specialise`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from feedhandler.specialise import Sink
from router.entry.specialise import source_for

IMPORTS: Final = """
from feedhandler.books.growcommand import grow
from feedhandler.strict import flush_strict
from router.loop.commands import obey
from router.loop.sink import arrive_at, route_packet, router_of, time_comes
"""
AROUND: Final = """
RECEIVE = KernelRef(receive)


@njit(nogil=True)
def routed(state, channel, payload, length, timestamp_ns, burst_index):
    arrive_at(np.int64(state), np.int64(timestamp_ns), RECEIVE)
    return handle(state, channel, payload, length, timestamp_ns, burst_index)

"""


def routing_sink(protocols: Sequence[str]) -> Sink:
    """The router behind the books, for order sessions of these protocols.

    Raises ValueError naming a protocol that there is not.
    """
    imports, receive = source_for(protocols)
    return Sink(
        imports=IMPORTS + imports,
        keep="route_packet(np.int64(state), context, out, made)",
        flush="KernelRef(flush_strict)",
        around=receive + AROUND,
        handle="routed",
        other="obey(router_of(np.int64(state)), np.int64(record), RECEIVE)",
        ticked="time_comes(np.int64(state), timestamp_ns, RECEIVE)",
    )
