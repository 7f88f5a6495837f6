"""Nanoseconds that a packet costs at a port, and that a call through a port's table costs.

`run(quick)` returns rows of a name and a figure named with its unit, the lowest of several rounds.
"""

from __future__ import annotations

import socket
import struct
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
from bench_loop import CHANNELS, synthetic_frames
from numba import njit

from captures import PcapWriter
from feedhandler.channels import find_channel
from feedhandler.frame import DESTINATION_IP, DESTINATION_PORT, VLAN, parse_frame
from feedhandler.state import CHANNEL_TABLE, FRAME
from feedhandler.stateblock import create_state
from nic.call import call_clock, call_release, call_rx_burst, call_thread_init, read_tsc
from nic.clock import NOW_NS_FUNCTION, Clock
from nic.layout import DESCRIPTOR_BYTES, DESCRIPTOR_DTYPE, RX_END
from nic.port import Port, datagram_cookie, open_port
from nic.raw import load_u16le, load_u32le, load_u64be, load_u64le

ROUNDS = 5
BURST = 64
GROUP, UDP_PORT = "239.192.11.1", 33_001

Row = dict[str, Any]


@njit(nogil=True)
def drain(rx_burst, release, port, descriptors, wanted):
    """Frames received until the end, or until `wanted` came; nothing is read of them."""
    frames = 0
    while frames < wanted:
        count = call_rx_burst(rx_burst, port, descriptors, BURST)
        if count == RX_END:
            break
        call_release(release, port, descriptors, count)
        frames += count
    return frames


@njit(nogil=True)
def drain_reading(rx_burst, release, port, descriptors, wanted):
    """As `drain`, and loads eight bytes of each frame, as the first look of a parser does."""
    frames = 0
    total = np.uint64(0)
    while frames < wanted:
        count = call_rx_burst(rx_burst, port, descriptors, BURST)
        if count == RX_END:
            break
        for index in range(count):
            total ^= load_u64be(load_u64le(descriptors + DESCRIPTOR_BYTES * index) + 12)
        call_release(release, port, descriptors, count)
        frames += count
    return frames + np.int64(total & np.uint64(0))


@njit(nogil=True)
def call_often(thread_init, port, times):
    """Calls the shortest function of a port."""
    total = 0
    for _ in range(times):
        total += call_thread_init(thread_init, port)
    return total


@njit(nogil=True)
def read_clock_often(now_ns, clock, times):
    total = np.uint64(0)
    for _ in range(times):
        total ^= call_clock(now_ns, clock)
    return total


@njit(nogil=True)
def read_ticks_often(times):
    total = np.uint64(0)
    for _ in range(times):
        total ^= read_tsc()
    return total


@njit(nogil=True)
def drain_parsing(rx_burst, release, port, descriptors, state):
    """As `drain`, and parses each frame and finds its channel; the frames that had one."""
    found = 0
    frame = state + np.uint64(FRAME)
    while True:
        count = call_rx_burst(rx_burst, port, descriptors, BURST)
        if count == RX_END:
            return found
        for index in range(count):
            descriptor = descriptors + DESCRIPTOR_BYTES * index
            length = np.int64(load_u32le(descriptor + 8))
            if parse_frame(load_u64le(descriptor), length, 1, frame) == 0:
                group, vlan = load_u32le(frame + DESTINATION_IP), load_u16le(frame + VLAN)
                udp_port = load_u16le(frame + DESTINATION_PORT)
                found += find_channel(state + CHANNEL_TABLE, group, udp_port, vlan) >= 0
        call_release(release, port, descriptors, count)


def write_capture(path: Path, count: int, start_ns: int) -> None:
    """A nanosecond pcap of `count` 106-byte frames, 700 ns apart."""
    frame = bytes(12) + b"\x08\x00" + bytes(92)
    with path.open("wb") as file:
        file.write(struct.pack("<IHHiIII", 0xA1B23C4D, 2, 4, 0, 0, 65_535, 1))
        for index in range(count):
            time_ns = start_ns + 700 * index
            head = (time_ns // 10**9, time_ns % 10**9, len(frame), len(frame))
            file.write(struct.pack("<IIII", *head) + frame)


def time_drain(kernel: Any, port: Port, last: int) -> tuple[int, int]:
    """(ns, frames) of draining a port; `last` is the kernel's last argument."""
    descriptors = np.zeros(BURST, DESCRIPTOR_DTYPE)
    functions = (port.ops["rx_burst"], port.ops["release"], port.handle)
    started = time.perf_counter_ns()
    frames = kernel(*functions, descriptors.ctypes.data, np.uint64(last))
    return time.perf_counter_ns() - started, int(frames)


def replay_row(name: str, kernel: Any, uri: str, count: int) -> Row:
    """The lowest cost of a frame over several replays of a capture in memory."""
    costs = []
    for turn in range(ROUNDS + 1):
        with open_port(uri) as port:
            elapsed_ns, frames = time_drain(kernel, port, sys.maxsize)
        if frames != count:
            raise RuntimeError(f"{uri}: {frames} frames, expected {count}")
        if turn:  # the first one compiles
            costs.append(elapsed_ns / count)
    return {"name": name, "ns_per_packet": min(costs)}


def replay_rows(quick: bool) -> list[Row]:
    """Replays of one capture and of eight merged."""
    count = 20_000 if quick else 1_000_000
    with tempfile.TemporaryDirectory() as folder:
        write_capture(Path(folder, "one.pcap"), count, 10**18)
        for index in range(8):
            write_capture(Path(folder, f"part{index}.pcap"), count // 8, 10**18 + 90 * index)
        one, parts = f"replay:{folder}/one.pcap?preload=1", f"replay:{folder}/part*.pcap?preload=1"
        return [
            replay_row("replay into an empty kernel", drain, one, count),
            replay_row("replay, first bytes read", drain_reading, one, count),
            replay_row("replay of 8 merged captures", drain, parts, count // 8 * 8),
            parsed_row(Path(folder), count),
        ]


def parsed_row(folder: Path, count: int) -> Row:
    """A replay of 64 to 200-byte frames of 32 channels into the frame parser and the look-up."""
    made = [frame for _, frame in synthetic_frames(min(count, 20_000))]
    count = len(made) * max(1, count // len(made))
    with PcapWriter(folder / "frames.pcap") as writer:
        for number in range(count):
            writer.write(10**18 + 700 * number, made[number % len(made)])
    costs, uri = [], f"replay:{folder}/frames.pcap?preload=1"
    for turn in range(ROUNDS + 1):
        with open_port(uri) as port, create_state([port], CHANNELS) as block:
            elapsed_ns, frames = time_drain(drain_parsing, port, block.address)
        if frames != count:
            raise RuntimeError(f"{frames} frames found their channel, expected {count}")
        if turn:
            costs.append(elapsed_ns / count)
    return {"name": "replay into frame parse + channel look-up", "ns_per_packet": min(costs)}


def socket_row(quick: bool) -> Row:
    """Draining a full socket buffer of 64-byte datagrams on the loopback interface."""
    count = 1000
    payload, costs = bytes(64), []
    with open_port("socket:lo?rcvbuf=4MiB") as port, open_port("socket:lo") as sender:
        port.join(GROUP, UDP_PORT)
        for turn in range(ROUNDS + 1 if quick else 10 * ROUNDS + 1):
            for _ in range(count):
                sender.send(payload, datagram_cookie(GROUP, UDP_PORT))
            elapsed_ns, frames = time_drain(drain, port, count)
            if turn:
                costs.append(elapsed_ns / frames)
    return {"name": "socket drain, recvmmsg", "ns_per_packet": min(costs)}


def send_row(quick: bool) -> Row:
    """One datagram out of a socket port, to a loopback port that nobody listens to."""
    times = 2_000 if quick else 50_000
    with open_port("socket:lo") as port, socket.socket(type=socket.SOCK_DGRAM) as listener:
        listener.bind(("127.0.0.1", 0))
        cookie = datagram_cookie("127.0.0.1", listener.getsockname()[1])
        started = time.perf_counter_ns()
        for _ in range(times):
            port.send(b"order", cookie)
        value = (time.perf_counter_ns() - started) / times
    return {"name": "socket send from Python", "ns_per_packet": value}


def lowest_ns(work: Any, times: int) -> float:
    """ns for one of `times` turns of `work(times)`."""
    work(times)
    costs = []
    for _ in range(ROUNDS):
        started = time.perf_counter_ns()
        work(times)
        costs.append((time.perf_counter_ns() - started) / times)
    return min(costs)


def call_rows(quick: bool) -> list[Row]:
    """A call through the table, and what reading time costs."""
    times = 100_000 if quick else 20_000_000
    clock = Clock()
    with open_port("socket:lo") as port:
        function, handle = port.ops["thread_init"], port.handle
        works = {
            "call through the port's table": lambda n: call_often(function, handle, n),
            "clock read": lambda n: read_clock_often(NOW_NS_FUNCTION, clock.address, n),
        }
        if clock.has_tsc:
            works["rdtscp"] = read_ticks_often
        return [
            {"name": name, "ns_per_call": lowest_ns(work, times)} for name, work in works.items()
        ]


def run(quick: bool) -> list[Row]:
    """All rows. Quick takes a few seconds, most of it compiling."""
    return [*replay_rows(quick), socket_row(quick), send_row(quick), *call_rows(quick)]
