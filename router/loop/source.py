"""The router's part of a loop's entry module: text, for `feedhandler.specialise`."""

from __future__ import annotations

from typing import Final

from feedhandler.specialise import Sink

ROUTING: Final = Sink(
    imports="""
from feedhandler.books.growcommand import grow
from feedhandler.strict import flush_strict
from router.loop.advance import advance
from router.loop.commands import obey
from router.loop.sink import arrive_at, route_packet, router_of, time_comes
""",
    keep="route_packet(state, context, out, made)",
    flush="KernelRef(flush_strict)",
    around="""

@njit(nogil=True)
def routed(state, channel, payload, length, timestamp_ns, burst_index):
    arrive_at(np.int64(state), np.int64(timestamp_ns))
    return handle(state, channel, payload, length, timestamp_ns, burst_index)

""",
    handle="routed",
    other="obey(router_of(state), np.int64(record))",
    ticked="time_comes(np.int64(state), timestamp_ns)",
)
