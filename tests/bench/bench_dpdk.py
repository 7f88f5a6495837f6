"""Nanoseconds that a packet costs at a port over DPDK, beside a socket; devices without a NIC.

`run(quick)` returns rows of a name and a figure named with its unit, the lowest of several rounds;
none where DPDK is not there. A port's thread_init registers its thread; one that is not has no
buffers at hand and goes to the shared pool for each burst.
"""

from __future__ import annotations

import struct
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from bench_ports import BURST, GROUP, UDP_PORT, drain, drain_reading, socket_row

from captures import PcapWriter
from nic.layout import DESCRIPTOR_DTYPE
from nic.port import BACKENDS, Port, ipv4_number, open_port
from nic.thread import PinnedThread

ROUNDS, QUICK_ROUNDS = 60, 7
DRAIN_COUNT = 100_000  # a few ms: some of the rounds nothing else takes the core from
OPTIONS = "eal=--no-huge --no-pci --no-shconf -m 256&ring=1024"
CAPTURE_COUNT = 1000  # the device holds them all
RING_COUNT = 1000

Row = dict[str, Any]


def write_datagrams(path: Path) -> None:
    """A capture of 106-byte frames to GROUP:UDP_PORT."""
    udp = struct.pack(">HHHH", 1, UDP_PORT, 72, 0) + bytes(64)
    ip = struct.pack(">BBHHHBBHII", 0x45, 0, 92, 0, 0, 1, 17, 0, 1, ipv4_number(GROUP))
    with PcapWriter(path) as writer:
        for number in range(CAPTURE_COUNT):
            writer.write(10**18 + 700 * number, bytes(12) + b"\x08\x00" + ip + udp)


def timed(kernel: Any, port: Port, wanted: int) -> float:
    """ns a frame of one drain, in the calling thread."""
    descriptors = np.zeros(BURST, DESCRIPTOR_DTYPE)
    functions = (port.ops["rx_burst"], port.ops["release"], port.handle)
    started = time.perf_counter_ns()
    frames = kernel(*functions, descriptors.ctypes.data, np.uint64(wanted))
    return (time.perf_counter_ns() - started) / int(frames)


def lowest_on_threads(work: Callable[[], float], rounds: int, *ports: Port) -> float:
    """The least that `work` gives on threads of its own, after the ports' thread_init."""
    work()  # compiles
    return min(float(PinnedThread(work, ports=ports).start().join()) for _ in range(rounds))


def endless_row(
    name: str, target: str, rounds: int, *, kernel: Any = drain, bare: bool = False
) -> Row:
    """Draining a device that always has frames; `bare` on threads that are not registered."""
    with open_port(f"dpdk:{target}") as port:
        port.join(GROUP, UDP_PORT)
        ports = () if bare else (port,)
        value = lowest_on_threads(lambda: timed(kernel, port, DRAIN_COUNT), rounds, *ports)
    return {"name": f"dpdk {name}", "ns_per_packet": value}


def ring_row(rounds: int) -> Row:
    """Draining a ring that was filled with 64-byte frames."""
    with open_port(f"dpdk:net_ring90?{OPTIONS}&filter=0") as port:

        def work() -> float:
            for _ in range(RING_COUNT):
                port.send(bytes(64))
            return timed(drain, port, RING_COUNT)

        return {"name": "dpdk net_ring", "ns_per_packet": lowest_on_threads(work, rounds, port)}


def run(quick: bool) -> list[Row]:
    """All rows; nothing where DPDK is missing."""
    if BACKENDS["dpdk"].missing(Path("/")) is not None:
        return []
    rounds = QUICK_ROUNDS if quick else ROUNDS
    null, every = f"net_null91?{OPTIONS}", "&filter=0"
    with tempfile.TemporaryDirectory() as folder:
        write_datagrams(Path(folder, "a.pcap"))
        pcap = f"net_pcap92,rx_pcap={folder}/a.pcap,infinite_rx=1?{OPTIONS}"
        rows = [
            endless_row("net_null", null + every, rounds),
            endless_row("net_null, thread not registered", null + every, rounds, bare=True),
            endless_row("net_pcap in memory", pcap + every, rounds),
            endless_row("net_pcap in memory, filtered", pcap, rounds),
            endless_row(
                "net_pcap in memory, filtered, first bytes read", pcap, rounds, kernel=drain_reading
            ),
            endless_row(
                "net_pcap in memory, thread not registered", pcap + every, rounds, bare=True
            ),
        ]
    socket = socket_row(quick)
    rows += [ring_row(rounds), socket]
    for row in rows:
        row["ratio_to_socket"] = row["ns_per_packet"] / socket["ns_per_packet"]
    return rows
