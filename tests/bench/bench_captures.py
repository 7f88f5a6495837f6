"""Packets a second through our reader, dpkt, scapy and tcpdump, over the same made file.

The file lies in the page cache; opening, mapping and closing it is part of what is timed.
Repetitions of all contestants are interleaved, so that a slow moment of the machine hits them
alike, and the median counts.
"""

from __future__ import annotations

import shutil
import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import dpkt
import numpy as np
from scapy.utils import RawPcapReader

from captures import PACKET_DTYPE, PcapWriter, merge_captures, open_capture

FAST_PACKETS = 2_000_000
SLOW_PACKETS = 50_000
SHORTEST_BYTES, LONGEST_BYTES = 64, 200


def make_capture(path: Path, packet_count: int) -> None:
    """A ns pcap of random packets of SHORTEST_BYTES to LONGEST_BYTES, 500 ns apart."""
    random = np.random.default_rng(20_231_114)
    data = random.integers(0, 256, 8192, dtype=np.uint8)
    packets = np.zeros(packet_count, dtype=PACKET_DTYPE)
    packets["caplen_bytes"] = random.integers(SHORTEST_BYTES, LONGEST_BYTES + 1, packet_count)
    packets["wire_bytes"] = packets["caplen_bytes"]
    packets["offset"] = random.integers(0, len(data) - LONGEST_BYTES, packet_count)
    packets["timestamp_ns"] = 1_700_000_000 * 10**9 + np.arange(packet_count) * 500
    packets["link_type"] = 1
    with PcapWriter(path) as writer:
        writer.write_packets(packets, data)


def index(path: Path) -> int:
    with open_capture(path) as capture:
        return sum(len(chunk) for chunk in capture.packets(reuse=True))


def frames(path: Path) -> int:
    with open_capture(path) as capture:
        return sum(1 for _ in capture.frames())


def merge_four(path: Path) -> int:
    with merge_captures([path] * 4) as merge:
        return sum(len(chunk) for chunk in merge.packets(reuse=True))


def pipe(path: Path) -> int:
    with subprocess.Popen(["cat", path], stdout=subprocess.PIPE) as cat:
        assert cat.stdout is not None
        with open_capture(cat.stdout) as capture:
            return sum(len(chunk) for chunk in capture.packets(reuse=True))


def write(path: Path) -> int:
    copy = path.with_suffix(".copy")
    with open_capture(path) as capture, PcapWriter(copy) as writer:
        for chunk in capture.packets(reuse=True):
            writer.write_packets(chunk, capture.data, capture.origin)
        return writer.packet_count


def with_dpkt(path: Path) -> int:
    with path.open("rb") as file:
        return sum(1 for _ in dpkt.pcap.Reader(file))


def with_scapy(path: Path) -> int:
    with RawPcapReader(str(path)) as reader:
        return sum(1 for _ in reader)


def with_tcpdump(path: Path) -> int:
    command = ["tcpdump", "-r", "-", "-w", "/dev/null"]
    with path.open("rb") as file:  # started by root it may not open files in a private folder
        subprocess.run(command, check=True, capture_output=True, stdin=file)
    return FAST_PACKETS


Contestant = tuple[str, Callable[[Path], int], Path]


def contestants(fast: Path, slow: Path) -> list[Contestant]:
    entries: list[Contestant] = [
        ("our reader: index of a mapped file", index, fast),
        ("our reader: four files merged by time", merge_four, slow),
        ("our reader: index of a pipe", pipe, fast),
        ("our reader: one Python object a packet", frames, slow),
        ("our reader and writer: copy to disk", write, slow),
        ("dpkt", with_dpkt, slow),
        ("scapy, RawPcapReader", with_scapy, slow),
    ]
    if shutil.which("tcpdump"):
        entries.append(("tcpdump -r - -w /dev/null", with_tcpdump, fast))
    return entries


def measure(entries: list[Contestant], repetitions: int) -> dict[str, float]:
    """Median ns a packet of each contestant, by name."""
    times: dict[str, list[float]] = {name: [] for name, _, _ in entries}
    for _ in range(repetitions):
        for name, function, path in entries:
            began_ns = time.perf_counter_ns()
            packet_count = function(path)
            times[name].append((time.perf_counter_ns() - began_ns) / packet_count)
    return {name: statistics.median(values) for name, values in times.items()}


def run(quick: bool) -> list[dict[str, Any]]:
    """Rows of name, packets_per_s, ns_per_packet and speedup_over_dpkt."""
    with tempfile.TemporaryDirectory() as folder:
        fast, slow = Path(folder) / "fast.pcap", Path(folder) / "slow.pcap"
        make_capture(fast, FAST_PACKETS)
        make_capture(slow, SLOW_PACKETS // 5 if quick else SLOW_PACKETS)
        medians = measure(contestants(fast, slow), 3 if quick else 7)
    return [
        {
            "name": name,
            "ns_per_packet": round(ns, 2),
            "packets_per_s": round(1e9 / ns),
            "speedup_over_dpkt": round(medians["dpkt"] / ns, 2),
        }
        for name, ns in medians.items()
    ]
