"""Calls from kernels to C by address, in this process and from the cache in the next."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from port_kernels import drain_port, join_and_count, read_clock, read_ticks, send_times
from port_rigs import GROUP, UDP_PORT, numbered, pcap, udp_frame

from nic.clock import NOW_NS_FUNCTION, Clock, ticks_now
from nic.layout import DESCRIPTOR_DTYPE, STATS_DTYPE
from nic.port import datagram_cookie, ipv4_number, open_port
from nic.regions import allowed

REPOSITORY = Path(__file__).parents[2]
COUNT = 1000


@pytest.fixture
def capture(tmp_path: Path) -> Path:
    path = tmp_path / "a.pcap"
    path.write_bytes(pcap([udp_frame(payload) for payload in numbered(COUNT)]))
    return path


@pytest.mark.parametrize("burst", [1, 7, 64])
def test_a_kernel_drains_a_port(capture: Path, burst: int) -> None:
    descriptors = np.zeros(64, DESCRIPTOR_DTYPE)
    with open_port(f"replay:{capture}?ring=64") as port, allowed(descriptors):
        ops = port.ops
        frames, total_bytes = drain_port(
            ops["rx_burst"], ops["release"], port.handle, descriptors.ctypes.data, burst
        )
        assert port.stats()[:2] == (frames, total_bytes) == (COUNT, COUNT * (42 + 64))


def test_the_next_process_takes_the_kernel_from_the_cache(capture: Path, tmp_path: Path) -> None:
    environment = os.environ | {
        "PYTHONPATH": str(REPOSITORY),
        "SWEEPWIRE_CACHE": str(tmp_path / "cache"),
    }
    environment.pop("NUMBA_CACHE_DIR", None)
    command = [
        sys.executable,
        str(Path(__file__).with_name("port_kernels.py")),
        f"replay:{capture}",
    ]
    runs = [
        subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout
        for _ in range(2)
    ]
    assert runs == [f"{COUNT} {COUNT * 106} 0 1", f"{COUNT} {COUNT * 106} 1 0"]


def test_a_kernel_sends_and_sees_failures() -> None:
    payload = np.frombuffer(b"order", np.uint8)
    cookie = datagram_cookie("127.0.0.1", 9)
    with open_port("socket:lo") as port:
        tx, handle, data = port.ops["tx"], port.handle, payload.ctypes.data
        assert send_times(tx, handle, data, 5, cookie, 3) == 0
        assert send_times(tx, handle, data, 5, 0, 2) == -2 * errno.EINVAL
        assert port.stats()[5:] == (3, 15, 2)


def test_a_kernel_joins_and_reads_counters() -> None:
    out = np.zeros(1, STATS_DTYPE)
    out["rx_packets"] = 99
    with open_port("socket:lo") as port:
        ops = port.ops
        functions = (ops["thread_init"], ops["join"], ops["stats"], port.handle)
        target = out.ctypes.data
        assert join_and_count(*functions, ipv4_number(GROUP), UDP_PORT, 0, target) == (0, 0)
        assert int(out["rx_packets"][0]) == 0
        ready, joined = join_and_count(*functions, ipv4_number(GROUP), UDP_PORT, 77, target)
        assert (ready, joined) == (0, -errno.ENODEV)


def test_a_kernel_reads_the_clock() -> None:
    clock = Clock()
    before_ns = clock.now_ns()
    now_ns = read_clock(NOW_NS_FUNCTION, clock.address)
    assert before_ns <= now_ns <= clock.now_ns()


def test_a_kernel_reads_the_counter() -> None:
    if not Clock().has_tsc:
        pytest.skip("no invariant time stamp counter on this machine")
    before = ticks_now()
    ticks = read_ticks()
    assert before <= ticks <= ticks_now()
