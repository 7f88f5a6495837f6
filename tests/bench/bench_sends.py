"""Nanoseconds that a send costs in the ports that write frames, up to the kernel or the NIC.

Both are played: by functions that take a frame at once, for AF_XDP and ef_vi (over the double of
its library), and by DPDK's device that goes nowhere. A whole frame is copied, a datagram gets its
headers; ef_vi fills in checksums in both. Without root.

`run(quick)` returns rows of a name and figures named with their unit, the lowest of several rounds.
"""

from __future__ import annotations

import ctypes
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from nic.build_efvi import SOURCES
from nic.build_xdp import XDP_SOURCES
from nic.port import BACKENDS, datagram_cookie, open_port

HERE = Path(__file__).resolve().parent
CSRC = HERE.parents[1] / "nic" / "csrc"
sys.path.insert(0, str(HERE.parent / "nic"))

from efvi_double import DOUBLE_SOURCES, DOUBLES  # noqa: E402
from port_rigs import udp_frame  # noqa: E402

ROUNDS = 15
PAYLOAD = bytes(range(1, 50))  # as long as an OUCH order
UNICAST, GROUP, UDP_PORT = "10.0.0.2", "239.192.7.1", 31_001
ADDRESSES = "source=10.0.0.1:4000&gateway_mac=02:00:00:00:00:09"
DPDK = f"dpdk:net_null80?eal=--no-huge --no-pci --no-shconf -m 256&ring=1024&{ADDRESSES}"
XDP, EFVI = 0, 1

Row = dict[str, Any]
Send = Callable[[bytes, int, int], int]


def send_library() -> Any:
    """The ports' own sources and the far ends, compiled as they are installed; None without gcc."""
    if shutil.which("gcc") is None or BACKENDS["xdp"].missing(Path("/")) is not None:
        return None
    path = Path(tempfile.mkdtemp()) / "sends.so"
    sources = [CSRC / name for name in dict.fromkeys((*XDP_SOURCES, *SOURCES))]
    sources += [DOUBLES / name for name in DOUBLE_SOURCES]
    command = ["gcc", "-std=gnu11", "-O3", "-shared", "-fPIC", "-fvisibility=hidden"]
    command += ["-Wl,--wrap=sendto", f"-I{CSRC}", f"-I{DOUBLES}", "-o", str(path)]
    command += [str(HERE / "send_path.c"), *map(str, sources)]
    subprocess.run(command, check=True)
    library = ctypes.CDLL(str(path))
    for name in ("bench_xdp_open", "bench_efvi_open", "bench_send"):
        getattr(library, name).restype = ctypes.c_uint64
    return library


def sender(library: Any, ops: int, handle: int, backend: int) -> Send:
    """Sends a payload to a cookie so often; gives how many were taken."""

    def send(data: bytes, cookie: int, times: int) -> int:
        ends = (ctypes.c_void_p(ops), ctypes.c_uint64(handle), backend)
        sizes = (len(data), ctypes.c_uint64(cookie), ctypes.c_uint64(times))
        return int(library.bench_send(*ends, data, *sizes))

    return send


def cost_row(name: str, send: Send, data: bytes, cookie: int, times: int) -> Row:
    """The lowest cost of a send."""
    costs = []
    for _ in range(ROUNDS):
        started = time.perf_counter_ns()
        taken = send(data, cookie, times)
        costs.append((time.perf_counter_ns() - started) / times)
        if taken != times:
            raise RuntimeError(f"{name}: {taken} of {times} sends were taken")
    return {"name": name, "ns_per_send": min(costs)}


def port_rows(name: str, send: Send, times: int) -> list[Row]:
    """One port's sends of the same datagram, whole and by its cookie."""
    frame = udp_frame(PAYLOAD)
    kinds = {
        "whole frame": (frame, 0),
        "datagram": (PAYLOAD, datagram_cookie(UNICAST, UDP_PORT)),
        "datagram to a group": (PAYLOAD, datagram_cookie(GROUP, UDP_PORT)),
    }
    return [cost_row(f"{name}, {kind}", send, *given, times) for kind, given in kinds.items()]


def run(quick: bool) -> list[Row]:
    """All rows; none without a compiler."""
    library, times = send_library(), 10_000 if quick else 200_000
    if library is None:
        return []
    rows = []
    for backend, name in ((XDP, "xdp"), (EFVI, "efvi")):
        handle = getattr(library, f"bench_{name}_open")()
        rows += port_rows(name, sender(library, 0, handle, backend), times)
    if BACKENDS["dpdk"].missing(Path("/")) is None:
        with open_port(DPDK) as port:
            port.thread_init()
            rows += port_rows("dpdk", sender(library, port.ops_address, port.handle, 0), times)
    return rows
