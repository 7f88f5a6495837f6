"""Nanoseconds of the receive loop's parts, and seconds until a process has its first packet.

`run(quick)` returns rows of a name and a figure named with its unit, the lowest of several rounds.
"""

import os
import struct
import subprocess
import sys
import tempfile
import threading
import time
from ipaddress import IPv4Address
from pathlib import Path

import numpy as np
from numba import njit

from feedhandler.channelmap import ChannelAddress
from feedhandler.channels import find_channel
from feedhandler.frame import DESTINATION_IP, DESTINATION_PORT, VLAN, parse_frame
from feedhandler.loop import run as run_receive_loop
from feedhandler.state import CHANNEL_TABLE, FRAME
from feedhandler.stateblock import LoopOptions, create_state
from nic.block import create
from nic.memoryport import MemoryPort, pack_frames
from nic.raw import load_u16le, load_u32le, load_u64le, pause, store_u64le
from nic.ring import ring_claim, ring_drop, ring_front, ring_publish
from nic.ringlayout import ring_dtype
from nic.ringview import Ring

ROOT = Path(__file__).resolve().parents[2]
CHANNELS = [ChannelAddress(f"233.54.12.{i + 1}", 26400 + i) for i in range(32)]
ROUNDS = 5

COUNTING = """
import numpy as np
from feedhandler.loop import run
from feedhandler.stateblock import create_state
from nic.memoryport import MemoryPort, pack_frames
descriptors, memory = pack_frames([(1, bytes(60))])
port = MemoryPort(descriptors)
block = create_state([port], [])
run(np.uint64(block.address))
assert block["links"]["packets"][0] == 1
"""
SAMPLES = """
import os, sys
from importlib.resources import files
from console.main import run
samples = files("captures") / "samples"
sources = [f"{samples}/*.pcap", "--channels", f"{samples}/channels.toml"]
sys.exit(run(["replay", *sources, "--json", os.devnull]))
"""
STARTS = {"start of the counting loop": COUNTING, "replay of the samples": SAMPLES}


@njit(nogil=True)
def parse_all(state, descriptors, count):
    """Parses every frame; the sum of the reasons, so that nothing is optimised away."""
    total = np.int64(0)
    for index in range(count):
        descriptor = descriptors + np.uint64(index * 32)
        length = np.int64(load_u32le(descriptor + 8))
        total += parse_frame(load_u64le(descriptor), length, 1, state + FRAME)
    return total


@njit(nogil=True)
def parse_and_find_all(state, descriptors, count):
    """Parses every frame and finds its channel; the sum of the channels."""
    total = np.int64(0)
    frame = state + np.uint64(FRAME)
    for index in range(count):
        descriptor = descriptors + np.uint64(index * 32)
        length = np.int64(load_u32le(descriptor + 8))
        if parse_frame(load_u64le(descriptor), length, 1, frame) == 0:
            group, vlan = load_u32le(frame + DESTINATION_IP), load_u16le(frame + VLAN)
            port = load_u16le(frame + DESTINATION_PORT)
            total += find_channel(state + CHANNEL_TABLE, group, port, vlan)
    return total


@njit(nogil=True)
def produce(ring, count):
    for number in range(count):
        slot = ring_claim(ring)
        while slot == 0:
            pause()
            slot = ring_claim(ring)
        store_u64le(slot, number)
        ring_publish(ring)


@njit(nogil=True)
def consume(ring, count):
    wrong = 0
    for number in range(count):
        slot = ring_front(ring)
        while slot == 0:
            pause()
            slot = ring_front(ring)
        wrong += load_u64le(slot) != np.uint64(number)
        ring_drop(ring)
    return wrong


def synthetic_frames(count):
    """(timestamp, frame) pairs of 64 to 200 bytes over all channels, in a fixed random order."""
    random = np.random.default_rng(7)
    frames = []
    for index in range(count):
        channel = CHANNELS[int(random.integers(len(CHANNELS)))]
        payload = bytes(int(random.integers(22, 159)))
        udp = struct.pack(">HHHH", 1, channel.udp_port, 8 + len(payload), 0) + payload
        header = struct.pack(">BBHHHBBH", 0x45, 0, 20 + len(udp), 0, 0, 9, 17, 0)
        ips = bytes([10, 0, 0, 1]) + IPv4Address(channel.group).packed
        frames.append((index, bytes(12) + b"\x08\x00" + header + ips + udp))
    return frames


def lowest_ns(work, count, repeats):
    """ns for one of `count` items, the lowest of ROUNDS rounds of `repeats` calls."""
    work()
    found = []
    for _ in range(ROUNDS):
        started = time.perf_counter_ns()
        for _ in range(repeats):
            work()
        found.append((time.perf_counter_ns() - started) / (repeats * count))
    return min(found)


def frame_rows(quick):
    """Parsing and channel look-up over frames in cache (2k) and out of it (64k)."""
    rows = []
    for label, count in (("2k frames", 2048), ("64k frames", 65536)):
        repeats = max(1, (100_000 if quick else 4_000_000) // count)
        descriptors, memory = pack_frames(synthetic_frames(count))
        port = MemoryPort(descriptors)
        block = create_state([port], CHANNELS)
        state, first = np.uint64(block.address), np.uint64(port.descriptors.ctypes.data)

        def whole_loop(block=block, port=port, state=state):
            port.rewind()
            block["control"]["open_links"], block["links"]["status"] = 1, 0
            run_receive_loop(state)

        works = {
            "frame parse": lambda s=state, f=first, n=count: parse_all(s, f, n),
            "frame parse + channel": lambda s=state, f=first, n=count: parse_and_find_all(s, f, n),
            "receive loop, counting handler": whole_loop,
        }
        for name, work in works.items():
            value = lowest_ns(work, count, repeats)
            rows.append({"name": f"{name}, {label}", "ns_per_packet": value})
        delivered = int(block["channels"]["packets"].sum())
        assert delivered == int(block["links"]["packets"][0]) == (ROUNDS * repeats + 1) * count
        del memory
    return rows


def measured_row(quick):
    """What the loop's own cycle stamps add."""
    count = 2048
    descriptors, _memory = pack_frames(synthetic_frames(count))
    port = MemoryPort(descriptors)
    block = create_state([port], CHANNELS, LoopOptions(measure=True))

    def work():
        port.rewind()
        block["control"]["open_links"], block["links"]["status"] = 1, 0
        run_receive_loop(np.uint64(block.address))

    value = lowest_ns(work, count, 20 if quick else 1000)
    name = "receive loop with latency histogram, 2k frames"
    return {"name": name, "ns_per_packet": value}


def on_core(core, work):
    os.sched_setaffinity(0, {core})  # 0 is this thread alone
    work()


def ring_rows(quick):
    """The ring between two threads on two cores, or nothing where there is only one."""
    cores = sorted(os.sched_getaffinity(0))
    if len(cores) < 2:
        return []
    count = 200_000 if quick else 5_000_000
    block = create([("ring", ring_dtype(1024), 1)])
    ring, wrong = Ring(block["ring"]).address, []
    produce(ring, 1)
    consume(ring, 1)
    produce(ring, 0)
    works = [lambda: produce(ring, count), lambda: wrong.append(consume(ring, count))]
    found = []
    for _ in range(ROUNDS):
        pairs = zip(cores, works, strict=False)
        threads = [threading.Thread(target=on_core, args=pair) for pair in pairs]
        started = time.perf_counter_ns()
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        found.append((time.perf_counter_ns() - started) / count)
    assert wrong == [0] * ROUNDS
    return [{"name": "SPSC ring between two cores", "ns_per_item": min(found)}]


def start_rows():
    """Seconds of whole processes, imports included: kernels compiled first, then from the cache."""
    rows = []
    for name, script in STARTS.items():
        with tempfile.TemporaryDirectory() as folder:
            environment = {**os.environ, "SWEEPWIRE_CACHE": folder}
            for state in ("cold", "warm"):
                started = time.perf_counter()
                command = [sys.executable, "-c", script]
                subprocess.run(command, cwd=ROOT, env=environment, check=True, capture_output=True)
                seconds = time.perf_counter() - started
                rows.append({"name": f"{name}, {state}", "seconds": seconds})
    return rows


def run(quick: bool) -> list[dict]:
    """All rows of this bench."""
    return [*frame_rows(quick), measured_row(quick), *ring_rows(quick), *start_rows()]
