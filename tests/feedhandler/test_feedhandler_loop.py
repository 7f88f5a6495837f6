"""The receive loop over ports in memory: counters, handlers, waiting, stopping."""

import os
import struct
import subprocess
import sys
import threading
import time
from ipaddress import IPv4Address
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numba import njit

from feedhandler import state
from feedhandler.channelmap import ChannelAddress
from feedhandler.loop import NOTHING_BETWEEN, ONLY_TICKS, run, run_loop
from feedhandler.reasons import Reason
from feedhandler.stateblock import LoopOptions, Wait, create_state, reason_counts, stop
from nic import regions
from nic.block import attach
from nic.kernelref import KernelRef
from nic.layout import FLAG_BAD_FRAME, RX_ERROR
from nic.memoryport import MemoryPort, pack_frames
from nic.percentiles import percentiles
from nic.raw import load_u8, load_u64le, store_u64le

ROOT = Path(__file__).resolve().parents[2]
CHANNELS = [ChannelAddress("233.54.12.1", 26400), ChannelAddress("233.54.12.2", 26401, 7)]


def datagram(channel, payload, vlan=0, group=None):
    target = CHANNELS[channel]
    destination = IPv4Address(group or target.group).packed
    udp = struct.pack(">HHHH", 1, target.udp_port, 8 + len(payload), 0) + payload
    header = struct.pack(">BBHHHBBH", 0x45, 0, 20 + len(udp), 0, 0, 9, 17, 0)
    tag = struct.pack(">HH", 0x8100, vlan) if vlan else b""
    ethernet = bytes(12) + tag + b"\x08\x00"
    return ethernet + header + bytes([10, 0, 0, 1]) + destination + udp


CHANGES = st.tuples(st.integers(0, 80), st.integers(0, 255), st.integers(0, 80))


def frames_of(count):
    """A mix of datagrams on both channels and frames that are dropped for various reasons."""
    kinds = [
        datagram(0, b"abc"),
        datagram(1, b"defgh", vlan=7),
        datagram(1, b"wrong vlan", vlan=8),
        datagram(0, b"unknown", group="233.54.12.9"),
        bytes(60),
        datagram(0, b"cut")[:30],
        datagram(0, b""),
    ]
    return [(1000 + 10 * i, kinds[(i * i + i // 5) % len(kinds)]) for i in range(count)]


def run_frames(frames, options=None, kernel=run, sections=(), **port_options):
    """(block, port) after a run over the frames; kernels may touch nothing but what they need."""
    descriptors, memory = pack_frames(frames)
    port = MemoryPort(descriptors, **port_options)
    block = create_state([port], CHANNELS, options, handler_sections=sections)
    with regions.allowed(block, port.row, port.descriptors, memory):
        before = regions.violations().count
        block["links"]["status"] = 0
        kernel(np.uint64(block.address))
        assert regions.violations().count == before
    return block, port


def results(block):
    """All that may not depend on where bursts were cut."""
    names = ("status", "packets", "bytes", "last_timestamp_ns", "reasons")
    links = [block["links"][name].tolist() for name in names]
    return links, block["channels"].tobytes(), int(block["control"]["packets"][0])


def test_counters_of_a_small_mix():
    block, port = run_frames(frames_of(7))
    counts = reason_counts(block, 0)
    assert sum(counts.values()) == 7 == port.released_count
    kinds = [(i * i + i // 5) % 7 for i in range(7)]
    assert counts.get(Reason.OK, 0) == sum(kind in (0, 1, 6) for kind in kinds)
    assert counts.get(Reason.NO_CHANNEL, 0) == sum(kind in (2, 3) for kind in kinds)
    assert block["links"]["packets"][0] == 7
    assert block["links"]["bytes"][0] == sum(len(data) for _, data in frames_of(7))
    assert block["links"]["status"][0] == state.LINK_ENDED


def test_channels_count_their_own():
    frames = [(5, datagram(0, b"abc")), (6, datagram(1, b"de", vlan=7)), (9, datagram(0, b""))]
    block, _ = run_frames(frames)
    rows = block["channels"]
    assert rows["packets"].tolist() == [2, 1]
    assert rows["messages"].tolist() == [2, 1]
    assert rows["bytes"].tolist() == [3, 2]
    assert rows["last_timestamp_ns"].tolist() == [9, 6]
    assert block["control"]["last_timestamp_ns"][0] == 9


@pytest.mark.parametrize("burst_max", [1, 7, 64])
@pytest.mark.parametrize("given_at_once", [1, 5, 1000])
def test_counters_do_not_depend_on_where_bursts_are_cut(burst_max, given_at_once):
    frames = frames_of(200)
    reference, _ = run_frames(frames, LoopOptions(burst_max=256))
    block, port = run_frames(
        frames, LoopOptions(burst_max=burst_max), burst_max=given_at_once, idle_polls=2
    )
    assert results(block) == results(reference)
    assert port.released_count == 200
    assert block["links"]["bursts"][0] == -(-200 // min(burst_max, given_at_once))


@settings(max_examples=60, deadline=None)
@given(st.lists(CHANGES, max_size=30))
def test_a_good_packet_after_bad_ones_is_delivered_and_every_drop_is_counted(changes):
    frames = []
    for place, value, length in changes:
        data = bytearray(datagram(0, b"some payload of a feed"))
        data[min(place, len(data) - 1)] = value
        frames += [(1, bytes(data[: max(1, length)])), (2, datagram(1, b"good", vlan=7))]
    block, _ = run_frames(frames)
    counts = reason_counts(block, 0)
    assert sum(counts.values()) == len(frames)
    assert block["channels"]["packets"][1] >= len(changes)
    assert block["channels"]["packets"].sum() == counts.get(Reason.OK, 0)


def test_frames_that_the_device_calls_bad_are_not_looked_at():
    descriptors, memory = pack_frames([(1, datagram(0, b"x")), (2, datagram(0, b"y"))])
    descriptors["flags"][0] |= FLAG_BAD_FRAME
    port = MemoryPort(descriptors)
    block = create_state([port], CHANNELS)
    with regions.allowed(block, port.row, port.descriptors, memory):
        run(np.uint64(block.address))
    assert reason_counts(block, 0) == {Reason.BAD_FRAME: 1, Reason.OK: 1}


@njit(nogil=True)
def sum_bytes(state_address, channel, payload, length, timestamp_ns, burst_index):
    """Adds payload bytes to the handler's own section; two messages for each datagram."""
    own = state_address + load_u64le(state_address + np.uint64(state.HANDLER_OFFSET))
    for index in range(length):
        value = load_u8(payload + np.uint64(index))
        store_u64le(own, load_u64le(own) + value)
    store_u64le(own + 8, load_u64le(own + 8) + timestamp_ns)
    return np.int64(2)


@njit(nogil=True)
def count_flushed(state_address, packet_count):
    own = state_address + load_u64le(state_address + np.uint64(state.HANDLER_OFFSET))
    store_u64le(own + 16, load_u64le(own + 16) + np.uint64(packet_count))
    return np.int64(0)


SUM_BYTES = KernelRef(sum_bytes)
COUNT_FLUSHED = KernelRef(count_flushed)


@njit(nogil=True)
def run_sums(state_address):
    return run_loop(state_address, SUM_BYTES, COUNT_FLUSHED, ONLY_TICKS, NOTHING_BETWEEN)


@pytest.mark.parametrize("burst_max", [1, 7, 64])
def test_a_handler_sees_each_payload_with_its_time_and_keeps_its_own_section(burst_max):
    frames = [(100 + i, datagram(0, bytes([i, 1]))) for i in range(50)]
    sections = [("sums", np.dtype("<u8"), 3)]
    block, _ = run_frames(frames, LoopOptions(burst_max=burst_max), run_sums, sections)
    times = sum(100 + i for i in range(50))
    assert block["sums"].tolist() == [sum(range(50)) + 50, times, 50]
    assert block["channels"]["messages"][0] == 100


def test_links_are_polled_in_turn_and_end_one_by_one():
    short, first = pack_frames(frames_of(3))
    long, second = pack_frames(frames_of(40))
    broken = MemoryPort(short, end_code=RX_ERROR)
    ports = [MemoryPort(short), MemoryPort(long, idle_polls=1), broken]
    block = create_state(ports, CHANNELS, LoopOptions(burst_max=4))
    with regions.allowed(block, first, second, short, long, *(port.row for port in ports)):
        received = run(np.uint64(block.address))
    assert received == 46 == block["control"]["packets"][0]
    assert block["links"]["packets"].tolist() == [3, 40, 3]
    ended, failed = state.LINK_ENDED, state.LINK_FAILED
    assert block["links"]["status"].tolist() == [ended, ended, failed]
    assert block["control"]["open_links"][0] == 0


@pytest.mark.parametrize("wait", Wait)
def test_the_stop_flag_ends_a_waiting_loop(wait, tmp_path):
    descriptors, memory = pack_frames(frames_of(5))
    port = MemoryPort(descriptors, end_code=0)
    options = LoopOptions(wait=wait, spin_rounds=3, sleep_ns=100_000)
    block = create_state([port], CHANNELS, options, path=tmp_path / "state")
    with regions.allowed(block, port.row, port.descriptors, memory):
        thread = threading.Thread(target=run, args=(np.uint64(block.address),))
        thread.start()
        with attach(tmp_path / "state") as seen:
            while seen["control"]["heartbeat"][0] < 20:
                time.sleep(0.001)
            assert seen["control"]["running"][0] == state.RUNNING
            assert seen["links"]["packets"][0] == 5
            stop(block)
            thread.join()
            assert seen["control"]["running"][0] == state.STOPPED
            assert seen["control"]["idle_rounds"][0] > 0


def test_round_limit_steps_the_loop():
    descriptors, memory = pack_frames(frames_of(10))
    port = MemoryPort(descriptors)
    block = create_state([port], CHANNELS, LoopOptions(burst_max=4, round_limit=1))
    with regions.allowed(block, port.row, port.descriptors, memory):
        received = [run(np.uint64(block.address)) for _ in range(5)]
    assert received == [4, 4, 2, 0, 0]


def test_measuring_fills_the_histogram_and_changes_nothing_else():
    frames = frames_of(100)
    plain, _ = run_frames(frames)
    measured, _ = run_frames(frames, LoopOptions(measure=True))
    assert plain["packet_cycles"]["count"][0] == 0
    assert measured["packet_cycles"]["count"][0] == 100
    assert percentiles(measured["packet_cycles"], [50])[0] > 0
    assert results(measured) == results(plain)


def test_a_default_channel_takes_what_no_channel_does():
    frames = [(1, datagram(0, b"abc", group="239.1.1.1")), (2, datagram(0, b"abc"))]
    block, _ = run_frames(frames, LoopOptions(default_channel=2))
    assert block["channels"]["packets"].tolist() == [1, 0, 1]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"burst_max": 0}, "burst_max 0"),
        ({"burst_max": 257}, "1 to 256"),
        ({"sleep_ns": 0}, "sleep_ns"),
        ({"round_limit": -1}, "round_limit"),
    ],
)
def test_options_out_of_range_are_named(options, message):
    with pytest.raises(ValueError, match=message):
        LoopOptions(**options)


def test_all_of_this_holds_in_the_checked_build():
    if regions.CHECKED:
        pytest.skip("this is the checked build")
    environment = {**os.environ, "SWEEPWIRE_CHECKED": "1"}
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", __file__]
    done = subprocess.run(
        command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "1 skipped" in done.stdout


START_SCRIPT = """
import warnings
warnings.simplefilter("error")
import numpy as np
from nic import kernelcache
from feedhandler.loop import run
from feedhandler.stateblock import create_state
compiled = []
with kernelcache.compiling(lambda name, seconds: compiled.append(name)):
    block = create_state([], [])
    run(np.uint64(block.address))
print(len(compiled), kernelcache.folder())
"""


def test_the_second_process_finds_the_whole_loop_in_the_cache(tmp_path):
    environment = {**os.environ, "SWEEPWIRE_CACHE": str(tmp_path), "SWEEPWIRE_CHECKED": "0"}
    command = [sys.executable, "-c", START_SCRIPT]
    counts, folders = [], []
    for _ in range(2):
        done = subprocess.run(
            command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
        count, folder = done.stdout.split()
        counts.append(int(count))
        folders.append(folder)
    assert folders[0] == folders[1], "a kernel source was edited while the test ran"
    assert counts[0] > 0
    assert counts[1] == 0
