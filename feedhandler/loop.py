"""The receive loop: poll ports, parse frames, find channels, hand datagrams to a handler.

A handler is four kernels, given as `KernelRef` so that each configuration compiles only its own:

    handle(state, channel, payload, length, timestamp_ns, burst_index) -> messages decoded, int64
    flush(state, packet_count) -> 0, or 1 to stop the loop; once after each burst, before its frames
        are released, and after each command
    command(state, record) -> 1, or 0 for a kind that it does not know; int64
    between(state) -> what it took, int64; once a round, for what comes by other ways than links

`state` is the address of the state block, `channel` the channel index, `payload` an address whose
next `length` bytes may be read until flush returns, `record` that of a COMMAND_DTYPE row.

Packets and commands are all that the loop looks at, and each has its time: what comes out depends
on their order alone. Once a round the ring of commands is looked at, one acquire load while it is
empty; at most one is taken, behind the round's packets, and for preference in a round that had
none.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from feedhandler.channels import NO_CHANNEL, find_channel
from feedhandler.frame import (
    DESTINATION_IP,
    DESTINATION_PORT,
    PAYLOAD_ADDRESS,
    PAYLOAD_BYTES,
    VLAN,
    parse_frame,
)
from feedhandler.messages import TICK, UNKNOWN_COMMAND, publish_event
from feedhandler.reasons import Reason
from feedhandler.state import (
    BURST_MAX,
    BUSY_ROUNDS,
    CHANNEL_BYTES,
    CHANNEL_MESSAGES,
    CHANNEL_PACKETS,
    CHANNEL_TABLE,
    CHANNEL_TIMESTAMP,
    CHANNEL_TOTAL_BYTES,
    CHANNELS_OFFSET,
    COMMAND_ROUNDS,
    COMMANDS,
    COMMANDS_TAKEN,
    COMMANDS_UNKNOWN,
    DESCRIPTOR_ADDRESS,
    DESCRIPTOR_BYTES,
    DESCRIPTOR_FLAGS,
    DESCRIPTOR_LENGTH,
    DESCRIPTOR_TIMESTAMP,
    DESCRIPTORS,
    FRAME,
    HEARTBEAT,
    IDLE_ROUNDS,
    LAST_TIMESTAMP,
    LINK_BURSTS,
    LINK_BYTES,
    LINK_COUNT,
    LINK_ENDED,
    LINK_FAILED,
    LINK_OPEN,
    LINK_PACKETS,
    LINK_PORT,
    LINK_REASONS,
    LINK_RELEASE,
    LINK_RX_BURST,
    LINK_STATUS,
    LINK_TIMESTAMP,
    LINK_TOTAL_BYTES,
    LINKS_OFFSET,
    MEASURE,
    NANOSLEEP,
    OPEN_LINKS,
    PACKET_CYCLES,
    PACKET_STARTED,
    PACKETS,
    ROUND_LIMIT,
    RUN_STATUS,
    RUNNING,
    SPIN_ROUNDS,
    STOP,
    STOP_FAULT,
    STOPPED,
    TIMESPEC,
    WAIT_PAUSE,
    WAIT_POLICY,
    WAIT_SLEEP,
)
from nic.call import call_release, call_rx_burst
from nic.histogram import histogram_add
from nic.kernelref import KernelRef
from nic.layout import FLAG_BAD_FRAME, LINK_TYPE_SHIFT, RX_END
from nic.raw import (
    cycles,
    load_acquire_u64,
    load_i64le,
    load_u16le,
    load_u32le,
    load_u64le,
    pause,
    prefetch,
    store_release_u64,
    store_u64le,
)
from nic.ring import ring_drop, ring_front
from nic.sleep import call_nanosleep

PREFETCH_AHEAD = 4  # frames; their headers are on the way while this one is handled
REASON_OK = int(Reason.OK)
REASON_BAD_FRAME = int(Reason.BAD_FRAME)
REASON_NO_CHANNEL = int(Reason.NO_CHANNEL)


@njit(nogil=True)
def add_u64(address, amount):
    """Adds to a counter."""
    store_u64le(address, load_u64le(address) + np.uint64(amount))


@njit(nogil=True)
def channel_row(state, channel):
    """Address of a channel's CHANNEL_DTYPE row."""
    return state + load_u64le(state + CHANNELS_OFFSET) + np.uint64(channel * CHANNEL_BYTES)


@njit(nogil=True)
def deliver(state, timestamp_ns, burst_index, handle):
    """Finds the channel of the datagram in the frame record and hands it over; a Reason."""
    frame = state + FRAME
    group = load_u32le(frame + DESTINATION_IP)
    udp_port = load_u16le(frame + DESTINATION_PORT)
    vlan = load_u16le(frame + VLAN)
    channel = find_channel(state + CHANNEL_TABLE, group, udp_port, vlan)
    if channel == NO_CHANNEL:
        return REASON_NO_CHANNEL
    payload = load_u64le(frame + PAYLOAD_ADDRESS)
    length = np.int64(load_u32le(frame + PAYLOAD_BYTES))
    messages = handle(state, channel, payload, length, timestamp_ns, burst_index)
    row = channel_row(state, channel)
    add_u64(row + CHANNEL_PACKETS, 1)
    add_u64(row + CHANNEL_MESSAGES, messages)
    add_u64(row + CHANNEL_TOTAL_BYTES, length)
    store_u64le(row + CHANNEL_TIMESTAMP, timestamp_ns)
    return REASON_OK


@njit(nogil=True)
def process_frame(state, descriptor, burst_index, handle):
    """Takes one descriptor; a Reason."""
    flags = np.int64(load_u32le(descriptor + DESCRIPTOR_FLAGS))
    if flags & FLAG_BAD_FRAME:
        return REASON_BAD_FRAME
    frame = load_u64le(descriptor + DESCRIPTOR_ADDRESS)
    length = np.int64(load_u32le(descriptor + DESCRIPTOR_LENGTH))
    reason = parse_frame(frame, length, flags >> LINK_TYPE_SHIFT, state + FRAME)
    if reason != REASON_OK:
        return reason
    timestamp_ns = load_u64le(descriptor + DESCRIPTOR_TIMESTAMP)
    return deliver(state, timestamp_ns, burst_index, handle)


@njit(nogil=True)
def process_burst(state, link, descriptors, count, handle, flush):
    """Takes `count` descriptors of a link (its row's address) and keeps the link's counters."""
    measured = load_u64le(state + MEASURE)
    started = cycles() if measured else np.uint64(0)
    total_bytes = np.int64(0)
    for index in range(count):
        descriptor = descriptors + np.uint64(index * DESCRIPTOR_BYTES)
        if index + PREFETCH_AHEAD < count:
            ahead = descriptor + np.uint64(PREFETCH_AHEAD * DESCRIPTOR_BYTES)
            prefetch(load_u64le(ahead + DESCRIPTOR_ADDRESS))
        total_bytes += np.int64(load_u32le(descriptor + DESCRIPTOR_LENGTH))
        if measured:
            store_u64le(state + PACKET_STARTED, started)
        reason = process_frame(state, descriptor, index, handle)
        add_u64(link + LINK_REASONS + np.uint64(reason * 8), 1)
        if measured:
            ended = cycles()
            histogram_add(state + PACKET_CYCLES, ended - started)
            started = ended
    if flush(state, count) != 0:
        store_release_u64(state + STOP, STOP_FAULT)
    last = descriptors + np.uint64((count - 1) * DESCRIPTOR_BYTES)
    timestamp_ns = load_u64le(last + DESCRIPTOR_TIMESTAMP)
    store_u64le(link + LINK_TIMESTAMP, timestamp_ns)
    store_u64le(state + LAST_TIMESTAMP, timestamp_ns)
    add_u64(link + LINK_PACKETS, count)
    add_u64(link + LINK_TOTAL_BYTES, total_bytes)
    add_u64(link + LINK_BURSTS, 1)


@njit(nogil=True)
def close_link(state, link, result):
    """Stops polling a port that has ended or failed."""
    store_u64le(link + LINK_STATUS, LINK_ENDED if result == RX_END else LINK_FAILED)
    store_u64le(state + OPEN_LINKS, load_u64le(state + OPEN_LINKS) - np.uint64(1))


@njit(nogil=True)
def poll_link(state, link, handle, flush):
    """One burst of one link; packets received."""
    descriptors = state + np.uint64(DESCRIPTORS)
    port = load_u64le(link + LINK_PORT)
    burst_max = load_i64le(state + BURST_MAX)
    count = call_rx_burst(load_u64le(link + LINK_RX_BURST), port, descriptors, burst_max)
    if count < 0:
        close_link(state, link, count)
    if count <= 0:
        return np.int64(0)
    process_burst(state, link, descriptors, count, handle, flush)
    call_release(load_u64le(link + LINK_RELEASE), port, descriptors, count)
    return count


@njit(nogil=True)
def poll_links(state, handle, flush):
    """One burst of every open link in turn; packets received."""
    received = np.int64(0)
    links = state + load_u64le(state + LINKS_OFFSET)
    for index in range(load_i64le(state + LINK_COUNT)):
        link = links + np.uint64(index * LINK_BYTES)
        if load_u64le(link + LINK_STATUS) == LINK_OPEN:
            received += poll_link(state, link, handle, flush)
    add_u64(state + PACKETS, received)
    return received


@njit(nogil=True)
def take_command(state, received, flush, command):
    """Takes a command if there is one and the moment is right; how many were taken."""
    ring = state + np.uint64(COMMANDS)
    record = ring_front(ring)
    if record == 0:
        return 0
    waited = load_i64le(state + BUSY_ROUNDS)
    if received != 0 and waited < load_i64le(state + COMMAND_ROUNDS):
        store_u64le(state + BUSY_ROUNDS, waited + 1)
        return 0
    store_u64le(state + BUSY_ROUNDS, 0)
    add_u64(state + COMMANDS_TAKEN, 1)
    if command(state, record) == 0:
        add_u64(state + COMMANDS_UNKNOWN, 1)
        kind, timestamp_ns = load_i64le(record), load_i64le(record + np.uint64(8))
        publish_event(np.int64(state), UNKNOWN_COMMAND, timestamp_ns, kind, 0, 0, 0)
    elif flush(state, 0) != 0:
        store_release_u64(state + STOP, STOP_FAULT)
    ring_drop(ring)
    return 1


@njit(nogil=True)
def wait(state, idle_rounds):
    """What to do when no link had anything, `idle_rounds` times in a row."""
    policy = load_u64le(state + WAIT_POLICY)
    if policy == WAIT_PAUSE:
        pause()
    elif policy == WAIT_SLEEP:
        if idle_rounds <= load_i64le(state + SPIN_ROUNDS):
            pause()
        else:
            call_nanosleep(load_u64le(state + NANOSLEEP), state + np.uint64(TIMESPEC))


@njit(nogil=True)
def run_loop(state, handle, flush, command, between):
    """Polls until told to stop, all links have ended, or the round limit; packets received."""
    store_release_u64(state + RUN_STATUS, RUNNING)
    limit = load_i64le(state + ROUND_LIMIT)
    packets, rounds, idle = np.int64(0), np.int64(0), np.int64(0)
    while load_acquire_u64(state + STOP) == 0 and load_u64le(state + OPEN_LINKS) != 0:
        received = poll_links(state, handle, flush)
        packets += received
        rounds += 1
        taken = take_command(state, received, flush, command) + between(state)
        store_release_u64(state + HEARTBEAT, load_u64le(state + HEARTBEAT) + np.uint64(1))
        if limit != 0 and rounds >= limit:
            break
        if received != 0 or taken != 0:
            idle = np.int64(0)
            continue
        idle += 1
        add_u64(state + IDLE_ROUNDS, 1)
        wait(state, idle)
    store_release_u64(state + RUN_STATUS, STOPPED)
    return packets


@njit(nogil=True)
def count_datagram(state, channel, payload, length, timestamp_ns, burst_index):
    """The handler that only counts: every datagram is one message."""
    return np.int64(1)


@njit(nogil=True)
def flush_nothing(state, packet_count):
    """The end of a burst for handlers that keep nothing back."""
    return np.int64(0)


@njit(nogil=True)
def nothing_between(state):
    """The time between two rounds for handlers that only links bring something."""
    return np.int64(0)


@njit(nogil=True)
def only_ticks(state, record):
    """The commands of handlers for which time only comes with packets."""
    return np.int64(load_i64le(record) == TICK)


COUNT_DATAGRAM = KernelRef(count_datagram)
FLUSH_NOTHING = KernelRef(flush_nothing)
ONLY_TICKS = KernelRef(only_ticks)
NOTHING_BETWEEN = KernelRef(nothing_between)


@njit(nogil=True, cache=True)
def run(state):
    """Runs the loop over the state block at `state` (uint64) with the handler that counts."""
    return run_loop(state, COUNT_DATAGRAM, FLUSH_NOTHING, ONLY_TICKS, NOTHING_BETWEEN)
