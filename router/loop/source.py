"""The parts of a loop that hang on a configuration: texts of modules, for the kernel cache."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from feedhandler.specialise import Sink
from nic import kernelcache
from router.entry.specialise import source_for

ROUTING: Final = Sink(
    imports="""
from feedhandler.books.growcommand import grow
from feedhandler.strict import flush_strict
from router.loop.sessions import between_rounds, tick_comes
from router.loop.sink import arrive_at, command_comes, route_packet
""",
    keep="route_packet(np.int64(state), context, out, made)",
    flush="KernelRef(flush_strict)",
    around="""
@njit(nogil=True)
def routed(state, channel, payload, length, timestamp_ns, burst_index):
    arrive_at(np.int64(state), np.int64(timestamp_ns))
    return handle(state, channel, payload, length, timestamp_ns, burst_index)

""",
    handle="routed",
    other="command_comes(np.int64(state), np.int64(record))",
    ticked="tick_comes(np.int64(state), timestamp_ns)",
    between="KernelRef(between_rounds)",
)
ANSWERS: Final = '''

RECEIVE = KernelRef(receive)


@njit(nogil=True, cache=True)
def take_answers(router, session, data, length, now):
    """A piece of a session's stream, see `router.loop.answers`."""
    return take_piece(router, session, data, length, now, RECEIVE)
'''


def answers_kernel(protocols: Sequence[str]) -> Any:
    """The kernel `(router, session, data, length, now)` that takes answers in these protocols.

    Raises ValueError naming a protocol that there is not.
    """
    imports, receive = source_for(protocols)
    head = f'"""Answers in {", ".join(protocols)}. Written by router.loop.source."""\n'
    more = "\nfrom router.loop.answers import take_piece\n"
    text = head + imports + more + receive + ANSWERS
    return kernelcache.generated_module("answers", text).take_answers
