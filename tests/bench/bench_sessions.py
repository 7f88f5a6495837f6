"""Nanoseconds that a message costs at the ports of order sessions: TCP, hand-offs, UDP frames.

`run(quick)` returns rows of a name and figures named with their unit, the lowest of several rounds.
The venue of the round trips is a process that spins: what differs is our own side alone.
"""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from bench_ports import BURST, ROUNDS, drain, time_drain, write_capture
from numba import njit

from nic.call import call_kernel, call_release, call_rx_burst, call_tx
from nic.handoff import Handoff, SessionLoop
from nic.layout import DESCRIPTOR_DTYPE
from nic.port import Port, open_port
from nic.raw import load_u32le, pause
from nic.udptemplate import FILL_FUNCTION, SUMMED, UdpEnds, UdpTemplate

MESSAGE = bytes(range(49))  # as long as an OUCH order
LENGTH_AT = 8  # in a descriptor
CORES = sorted(os.sched_getaffinity(0))
NEAR_CORE, FAR_CORE = CORES[0], CORES[-1]  # of what is measured, and of the other end
AGAIN = -11

Row = dict[str, Any]


@njit(nogil=True)
def round_trips(tx, rx_burst, release, port, data, length, descriptors, times):
    """Sends and polls until as many bytes came back, so many times; the trips made."""
    for trip in range(times):
        if call_tx(tx, port, data, length, 0) != 0:
            return trip
        missing = np.int64(length)
        while missing > 0:
            count = call_rx_burst(rx_burst, port, descriptors, BURST)
            if count < 0:
                return trip
            for index in range(count):
                missing -= np.int64(load_u32le(descriptors + 32 * index + LENGTH_AT))
            if count > 0:
                call_release(release, port, descriptors, count)
    return times


@njit(nogil=True)
def send_all(tx, port, data, length, times):
    """Sends so many messages, again where the port takes none now; how often it took none."""
    refused = 0
    for _ in range(times):
        result = call_tx(tx, port, data, length, 0)
        while result == AGAIN:
            refused += 1
            pause()
            result = call_tx(tx, port, data, length, 0)
    return refused


@contextmanager
def echoing_venue(callers: int) -> Iterator[int]:
    """The port number of a process that gives so many callers back what they say, spinning."""
    script = Path(__file__).with_name("echo_venue.py")
    command = [sys.executable, str(script), str(FAR_CORE), str(callers)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as venue:
        assert venue.stdout is not None
        try:
            yield int(venue.stdout.readline())
        finally:
            venue.kill()


def port_trips_ns(port: Port, times: int) -> float:
    """ns a round trip of a kernel over a port."""
    payload = np.frombuffer(MESSAGE, np.uint8)
    descriptors = np.zeros(BURST, DESCRIPTOR_DTYPE)
    functions = (port.ops["tx"], port.ops["rx_burst"], port.ops["release"], port.handle)
    started = time.perf_counter_ns()
    made = round_trips(
        *functions, payload.ctypes.data, len(MESSAGE), descriptors.ctypes.data, times
    )
    elapsed_ns = time.perf_counter_ns() - started
    if made != times:
        raise RuntimeError(f"{port.uri}: {port.last_error}")
    return elapsed_ns / times


def blocking_trips_ns(caller: socket.socket, times: int) -> float:
    """ns a round trip of blocking sockets."""
    started = time.perf_counter_ns()
    for _ in range(times):
        caller.sendall(MESSAGE)
        missing = len(MESSAGE)
        while missing:
            missing -= len(caller.recv(missing))
    return (time.perf_counter_ns() - started) / times


def round_trip_rows(quick: bool) -> list[Row]:
    """The port's round trip beside that of blocking sockets, to one venue, in turns; idle polls."""
    times, polled, blocking, idle = 500 if quick else 5000, [], [], []
    with (
        echoing_venue(2) as number,
        open_port(f"tcp:127.0.0.1:{number}") as port,
        socket.create_connection(("127.0.0.1", number)) as caller,
    ):
        caller.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        port_trips_ns(port, 1)  # compiles
        for _ in range(ROUNDS):
            polled.append(port_trips_ns(port, times))
            blocking.append(blocking_trips_ns(caller, times))
            idle.append(idle_poll_ns(port, 10 * times))
    ratio = min(polled) / min(blocking)
    return [
        {"name": "tcp round trip, blocking sockets", "ns_per_message": min(blocking)},
        {
            "name": "tcp round trip, polled port",
            "ns_per_message": min(polled),
            "ratio_to_blocking": ratio,
        },
        {"name": "tcp poll, nothing there", "ns_per_call": min(idle)},
    ]


def idle_poll_ns(port: Port, times: int) -> float:
    """ns a poll that finds nothing."""
    descriptors = np.zeros(BURST, DESCRIPTOR_DTYPE)
    arguments = (port.ops["rx_burst"], port.handle, descriptors.ctypes.data)
    poll_often(*arguments, 1)
    started = time.perf_counter_ns()
    poll_often(*arguments, times)
    return (time.perf_counter_ns() - started) / times


@njit(nogil=True)
def poll_often(rx_burst, port, descriptors, times):
    """Polls so often; the chunks that came."""
    count = 0
    for _ in range(times):
        count += call_rx_burst(rx_burst, port, descriptors, BURST)
    return count


def send_row(real: Port, name: str, times: int, *, session_loop: bool) -> Row:
    """Messages from a kernel into a hand-off, with its loop on the other core or without."""
    payload, costs = np.frombuffer(MESSAGE, np.uint8), []
    for turn in range(ROUNDS + 1):
        with Handoff(real, out_bytes=1 << 25) as pair:
            loop = SessionLoop([pair], core=FAR_CORE, idle="pause")
            if session_loop:
                loop.start()
            arguments = (pair.hot.ops["tx"], pair.hot.handle, payload.ctypes.data, len(MESSAGE))
            started = time.perf_counter_ns()
            send_all(*arguments, times if turn else 1)
            if session_loop:
                loop.stop()
            elapsed_ns = time.perf_counter_ns() - started
        if turn:  # the first one compiles
            costs.append(elapsed_ns / times)
    return {"name": name, "ns_per_message": min(costs)}


def receive_row(uri: str, count: int) -> Row:
    """Frames of a capture in memory through the session loop into a kernel."""
    costs = []
    for turn in range(ROUNDS + 1):
        with (
            open_port(uri) as real,
            Handoff(real) as pair,
            SessionLoop([pair], core=FAR_CORE, idle="pause"),
        ):
            elapsed_ns, frames = time_drain(drain, pair.hot, count)
        if frames != count:
            raise RuntimeError(f"{frames} frames came through, expected {count}")
        if turn:
            costs.append(elapsed_ns / count)
    return {"name": "hand-off, 106-byte frames from the session side", "ns_per_message": min(costs)}


def handoff_rows(quick: bool) -> list[Row]:
    """What the two rings cost, over a port that costs next to nothing: a replay."""
    count = 10_000 if quick else 200_000
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "one.pcap")
        write_capture(path, count, 10**18)
        uri = f"replay:{path}?preload=1"
        with open_port(f"{uri}&ring=1&speed=0.0001") as real:  # gives nothing while we send
            hot = send_row(real, "hand-off send, hot side", count, session_loop=False)
            both = send_row(real, "hand-off send, through the pair", count, session_loop=True)
        return [hot, both, receive_row(uri, count)]


@njit(nogil=True)
def fill_often(function, template, frame, numbered, payload, length, times):
    """Writes one frame so often."""
    total = 0
    for number in range(times):
        total += call_kernel(function, template, frame, numbered + number, payload, length)
    return total


def frame_rows(quick: bool) -> list[Row]:
    """A datagram's frame from its template: copies, lengths, checksums."""
    times = 10_000 if quick else 60_000  # identifications have 16 bits
    ends = UdpEnds(0x0A000001, 0x0A000002, 4000, 4001, bytes(6), bytes(6))
    template, payload = UdpTemplate(ends, 100), np.frombuffer(MESSAGE, np.uint8)
    rows = []
    for name, numbered in (("", 0), (", UDP checksum", SUMMED)):
        arguments = (template.address, template.frame_address, numbered, payload.ctypes.data)
        costs = []
        for _ in range(ROUNDS + 1):
            started = time.perf_counter_ns()
            fill_often(FILL_FUNCTION, *arguments, len(MESSAGE), times)
            costs.append((time.perf_counter_ns() - started) / times)
        rows.append({"name": f"udp frame written{name}", "ns_per_message": min(costs)})
    return rows


def run(quick: bool) -> list[Row]:
    """All rows. Quick takes a few seconds, most of it compiling."""
    os.sched_setaffinity(0, {NEAR_CORE})
    try:
        return [*round_trip_rows(quick), *handoff_rows(quick), *frame_rows(quick)]
    finally:
        os.sched_setaffinity(0, CORES)
