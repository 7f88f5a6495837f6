"""A/B arbitration: every message of a stream is delivered once and in order, whichever line has it.

Three kernels are given as `KernelRef`, so that the loop compiles its own feeds and no others:

    peek(state, channel, payload, length) -> what `lines.peek` makes of the packet's header
    deliver(state, channel, payload, length, timestamp_ns) -> messages decoded
    tell(state, channel, stream, what, timestamp_ns): TELL_ of `lines.layout`, for the books;
        `stream` is the address of its row

All take int64. Time is that of the packets and ticks: a window runs out with the first packet of
any channel, or the first tick, that comes behind its end.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from feedhandler.lines.aside import pass_on
from feedhandler.lines.fields import add, get, put
from feedhandler.lines.gaps import begin_life, closed, holds_all, release
from feedhandler.lines.held import covered, fill_slot, insert, place_behind, take_slot
from feedhandler.lines.layout import (
    ARBITER,
    CHANNEL,
    DEADLINE,
    DELIVERED,
    DUPLICATES,
    EARLIEST,
    ENDED,
    EXPECTED,
    FULL,
    HEAD,
    LATE,
    LIFE,
    LIFE_SENT,
    LINE_NEXT,
    LINES,
    LOST_BEGIN,
    LOST_END,
    NEWEST_SENT,
    NEWEST_SEQUENCE,
    OLD,
    PACKETS,
    PREVIOUS_SESSION,
    RECOVERY_LINE,
    REFRESHES,
    RESTARTS,
    SESSION,
    SNAPSHOT_LINE,
    STARTED,
    STATE,
    STREAM_BYTES,
    TELL_CLEAR,
    TOLD,
    TOP,
    UNIT,
    UNIT_MASK,
    UNKNOWN,
    WRAPS,
)
from feedhandler.lines.linestats import line_row, note_duplicate, note_first, note_packet
from feedhandler.lines.settle import expire, make_room, settle
from feedhandler.lines.spliced import spliced
from feedhandler.lines.wide import wide_sequence
from feedhandler.state import CHANNEL_BYTES, CHANNEL_LINE, CHANNEL_STREAMS, CHANNELS_OFFSET
from feedhandler.transports.kinds import (
    END_OF_SESSION,
    HEARTBEAT,
    REFRESH,
    RESET,
    RETRANSMISSION,
    UNSEQUENCED,
)
from nic.raw import load_i64le, load_u32le

RESET_COPY_NS = 1_000_000_000  # a reset so soon after another is its copy on the other line


@njit(nogil=True)
def new_session(state, stream, session, now, tell):
    """Takes the first session as it is; behind another one everything starts again."""
    if get(stream, STARTED) == 0:
        put(stream, SESSION, session)
        return
    put(stream, PREVIOUS_SESSION, get(stream, SESSION))
    put(stream, SESSION, session)
    for line in range(LINES):
        put(line_row(stream, line), LINE_NEXT, 0)
    put(stream, ENDED, 0)
    tell(state, get(stream, CHANNEL), stream, TELL_CLEAR, now)
    begin_life(state, stream, 1, now)
    closed(state, stream, now, tell)


@njit(nogil=True)
def restart(state, stream, expected, sent, now, tell):
    """The sequence starts again within the session."""
    put(stream, LIFE_SENT, sent)
    put(stream, NEWEST_SENT, sent)
    put(stream, NEWEST_SEQUENCE, expected)
    for line in range(LINES):
        put(line_row(stream, line), LINE_NEXT, 0)
    begin_life(state, stream, expected, now)
    closed(state, stream, now, tell)


@njit(nogil=True)
def of_this_life(state, stream, line, kind, session, sequence, sent, now, tell):
    """Whether a packet counts; sees to sessions, resets and restarts."""
    if session != get(stream, SESSION):
        known = get(stream, STARTED) != 0
        if known and (session == get(stream, PREVIOUS_SESSION) or line >= RECOVERY_LINE):
            return False
        new_session(state, stream, session, now, tell)
    if kind == RETRANSMISSION or line >= RECOVERY_LINE:
        return True
    if sent != 0 and sent < get(stream, LIFE_SENT):
        return False
    if kind == RESET:
        if get(stream, LIFE) == 0 or now - get(stream, LIFE) > RESET_COPY_NS:
            if get(stream, TOLD) != 0:  # the packet may not say itself that orders are gone
                tell(state, get(stream, CHANNEL), stream, TELL_CLEAR, now)
            restart(state, stream, sequence, sent, now, tell)
    elif get(stream, RESTARTS) != 0:
        newer = sent > get(stream, NEWEST_SENT)
        if newer and sequence < get(stream, NEWEST_SEQUENCE):
            tell(state, get(stream, CHANNEL), stream, TELL_CLEAR, now)
            restart(state, stream, 1, sent, now, tell)
    if sent >= get(stream, NEWEST_SENT):
        put(stream, NEWEST_SENT, sent)
        put(stream, NEWEST_SEQUENCE, sequence)
    return True


@njit(nogil=True)
def seen_before(stream, row, line, sequence, now):
    """Counts a packet with nothing new."""
    add(stream, DUPLICATES, 1)
    if get(stream, LOST_BEGIN) <= sequence < get(stream, LOST_END):
        add(stream, LATE, 1)
    note_duplicate(stream, row, line, sequence, now)


@njit(nogil=True)
def take_in(
    state, stream, row, line, channel, sequence, count, payload, length, now, deliver, tell
):
    """Delivers a packet that is next, keeps one that is not; gives the messages decoded."""
    arbiter = state + get(stream, ARBITER)
    waits = sequence > get(stream, EXPECTED) or holds_all(stream)
    if waits and covered(place_behind(stream, sequence), sequence, count):
        seen_before(stream, row, line, sequence, now)
        return 0
    note_first(stream, row, line, sequence, now)
    messages = 0
    while waits:
        slot = take_slot(arbiter, length)
        if slot != 0:
            fill_slot(slot, sequence, count, payload, length, now, line, channel)
            insert(stream, slot, place_behind(stream, sequence))
            return messages
        add(stream, FULL, 1)
        make_room(state, stream, sequence, now, tell)
        messages += release(state, stream, deliver, tell)
        waits = sequence > get(stream, EXPECTED) or holds_all(stream)
    if sequence + count > get(stream, EXPECTED):
        messages += pass_on(
            state, stream, channel, sequence, count, payload, length, now, deliver, tell
        )
        messages += release(state, stream, deliver, tell)
    return messages


@njit(nogil=True)
def slow_path(
    state, stream, row, line, channel, sequence, count, payload, length, now, deliver, tell
):
    """A packet that is not simply the next one."""
    if count == 0:
        messages = deliver(state, channel, payload, length, now)
    elif sequence + count <= get(stream, EXPECTED):
        seen_before(stream, row, line, sequence, now)
        messages = 0
    else:
        messages = take_in(
            state, stream, row, line, channel, sequence, count, payload, length, now, deliver, tell
        )
    return messages + settle(state, stream, now, deliver, tell)


@njit(nogil=True)
def arrive(state, channel, payload, length, timestamp_ns, peek, deliver, tell):
    """Takes a packet of a channel with lines; gives the messages decoded because of it."""
    now = np.int64(timestamp_ns)
    channel_row = state + load_i64le(state + CHANNELS_OFFSET) + CHANNEL_BYTES * channel
    first = state + load_i64le(channel_row + CHANNEL_STREAMS)
    messages = 0
    arbiter = state + get(first, ARBITER)
    if now >= get(arbiter, EARLIEST):
        messages = expire(state, arbiter, now, deliver, tell)
    line = np.int64(load_u32le(channel_row + CHANNEL_LINE))
    if line == SNAPSHOT_LINE:
        return messages + spliced(state, channel, first, payload, length, now, deliver, tell)
    kind, session, unit, sequence, count, sent = peek(state, channel, payload, length)
    stream = first + STREAM_BYTES * (unit & get(first, UNIT_MASK))
    if kind >= UNSEQUENCED:
        if kind == REFRESH:  # the control side makes images of them
            add(stream, REFRESHES, 1)
            return messages
        return messages + deliver(state, channel, payload, length, now)
    add(stream, PACKETS, 1)
    put(stream, CHANNEL, channel)
    put(stream, UNIT, unit)
    if not of_this_life(state, stream, line, kind, session, sequence, sent, now, tell):
        add(stream, OLD, 1)
        return messages
    if get(stream, WRAPS) != 0 and get(stream, STARTED) != 0:
        sequence = wide_sequence(get(stream, TOP), sequence)
    put(stream, STARTED, 1)
    if kind == END_OF_SESSION:
        put(stream, ENDED, 1)
    end = sequence + count
    row = line_row(stream, line)
    note_packet(row, sequence, end)
    if end > get(stream, TOP):
        put(stream, TOP, end)
    simple = sequence == get(stream, EXPECTED) and get(stream, HEAD) == 0 and kind < HEARTBEAT
    if simple and get(stream, DEADLINE) == 0 and get(stream, STATE) != UNKNOWN:
        note_first(stream, row, line, sequence, now)
        put(stream, EXPECTED, end)
        add(stream, DELIVERED, count)
        return messages + deliver(state, channel, payload, length, now)
    return messages + slow_path(
        state, stream, row, line, channel, sequence, count, payload, length, now, deliver, tell
    )
