"""Opens ports by address and looks after them from Python: joining, counters, closing.

Kernels poll a port through the addresses in `Port.ops`; `Port.receive` is for tests and tools.
"""

from __future__ import annotations

import os
import socket
import struct
import time
from pathlib import Path
from types import MappingProxyType, TracebackType
from typing import Any, NamedTuple

import numpy as np

from nic._core import ffi
from nic.backend import Backend, OpenBackend, PortError
from nic.dpdk import OPTIONS as DPDK_OPTIONS
from nic.dpdk import open_dpdk
from nic.efvi import OPTIONS as EFVI_OPTIONS
from nic.efvi import open_efvi
from nic.layout import DESCRIPTOR_DTYPE, LINK_TYPE_SHIFT, RX_END, RX_ERROR, STATS_DTYPE
from nic.replay import OPTIONS as REPLAY_OPTIONS
from nic.replay import open_replay
from nic.sockets import OPTIONS as SOCKET_OPTIONS
from nic.sockets import open_socket
from nic.tcp import OPTIONS as TCP_OPTIONS
from nic.tcp import open_tcp
from nic.tuning.backends import always_there, why_no_dpdk, why_no_efvi, why_no_xdp
from nic.uri import UriError, parse_uri

__all__ = [
    "BACKENDS",
    "DESCRIPTOR_DTYPE",
    "STATS_DTYPE",
    "Frame",
    "Port",
    "PortError",
    "PortStats",
    "UriError",
    "open_port",
]

_OPS = ("join", "thread_init", "rx_burst", "release", "tx", "stats", "close", "last_error")
_FLAGS_MASK = (1 << LINK_TYPE_SHIFT) - 1
_IDLE_PAUSE_S = 0.0002

# Every backend there can be. One that this machine or this build lacks has no opener to call.
BACKENDS = MappingProxyType(
    {
        row.scheme: row
        for row in (
            Backend("replay", "capture files", always_there, open_replay, REPLAY_OPTIONS),
            Backend("socket", "UDP sockets", always_there, open_socket, SOCKET_OPTIONS),
            Backend("tcp", "TCP order sessions", always_there, open_tcp, TCP_OPTIONS),
            Backend("xdp", "AF_XDP", why_no_xdp),
            Backend("dpdk", "DPDK", why_no_dpdk, open_dpdk, DPDK_OPTIONS),
            Backend("efvi", "ef_vi (Solarflare, AMD)", why_no_efvi, open_efvi, EFVI_OPTIONS),
        )
    }
)


class Frame(NamedTuple):
    """One received frame, copied. `flags` are FLAG_*, `link_type` a LINKTYPE_ number."""

    timestamp_ns: int
    data: bytes
    flags: int
    link_type: int


class PortStats(NamedTuple):
    """A port's counters since it was opened (swp_stats)."""

    rx_packets: int
    rx_bytes: int
    rx_dropped: int
    rx_truncated: int
    rx_errors: int
    tx_packets: int
    tx_bytes: int
    tx_failed: int


def ipv4_number(group: str | int) -> int:
    """An IPv4 address as the integer that kernels and C use. ValueError where it is none."""
    if isinstance(group, int):
        return group
    try:
        return int(struct.unpack("!I", socket.inet_pton(socket.AF_INET, group))[0])
    except OSError:
        raise ValueError(f"{group!r}: expected an IPv4 address") from None


def datagram_cookie(address: str | int, udp_port: int) -> int:
    """The tx cookie that sends plain payloads to an address (SWP_DATAGRAM)."""
    return ipv4_number(address) << 16 | udp_port


class Port:
    """An open port. `handle` and `ops` are what kernels need; close it when they have returned.

    handle: address of the port, the first argument of every function.
    ops: name to address of each function of `swp_ops`.
    ops_address: address of the table itself.
    regions: (address, size in bytes) of the memory in which received frames lie, where it is known.
    over: True once a poll from Python has seen the end.
    """

    def __init__(self, uri: str, backend: OpenBackend) -> None:
        self.uri = uri
        self.regions = backend.regions
        self.over = False
        self._backend: OpenBackend | None = backend
        self._table = backend.ops
        self.handle = int(ffi.cast("uintptr_t", backend.handle))
        self.ops_address = int(ffi.cast("uintptr_t", backend.ops))
        self.ops = MappingProxyType(
            {name: int(ffi.cast("uintptr_t", getattr(backend.ops, name))) for name in _OPS}
        )

    def __enter__(self) -> Port:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"Port({self.uri!r}{', closed' if self._backend is None else ''})"

    @property
    def _open(self) -> Any:
        """The C handle. Raises PortError once the port is closed."""
        if self._backend is None:
            raise PortError(f"{self.uri}: the port is closed")
        return self._backend.handle

    def close(self) -> None:
        """Ends the port and frees its memory. Twice does no harm."""
        if self._backend is not None:
            handle, self._backend = self._backend.handle, None
            self.handle = 0
            self._table.close(handle)

    @property
    def last_error(self) -> str:
        """The latest failure in words, empty where there was none."""
        return str(ffi.string(self._table.last_error(self._open)).decode(errors="replace"))

    def _check(self, result: int, what: str) -> None:
        if result < 0:
            reason = self.last_error or os.strerror(-result)
            raise PortError(-result, f"{self.uri}: {what}: {reason}")

    def join(self, group: str | int, udp_port: int, vlan: int = 0) -> None:
        """Joins an IPv4 group (or listens on an address of ours). Raises PortError."""
        address = ipv4_number(group)
        result = self._table.join(self._open, address, udp_port, vlan)
        self._check(result, f"join {group}:{udp_port} vlan {vlan}")

    def thread_init(self) -> None:
        """To be called once on the thread that will poll. Raises PortError."""
        self._check(self._table.thread_init(self._open), "thread_init")

    def stats(self) -> PortStats:
        """The counters now; other threads may be polling."""
        out = ffi.new("swp_stats *")
        self._table.stats(self._open, out)
        return PortStats(*(getattr(out, name) for name in PortStats._fields))

    def send(self, data: bytes, cookie: int = 0) -> int:
        """Sends a frame, or with a `datagram_cookie` a payload. 0, or -errno (counted)."""
        return int(self._table.tx(self._open, ffi.from_buffer(data), len(data), cookie))

    def rx_burst(self, descriptors: np.ndarray) -> int:
        """Polls into an array of DESCRIPTOR_DTYPE. A count, RX_END or RX_ERROR."""
        out = ffi.cast("swp_descriptor *", descriptors.ctypes.data)
        return int(self._table.rx_burst(self._open, out, len(descriptors)))

    def release(self, descriptors: np.ndarray) -> None:
        """Gives the frames of an array of DESCRIPTOR_DTYPE back, oldest first."""
        frames = ffi.cast("swp_descriptor *", descriptors.ctypes.data)
        self._table.release(self._open, frames, len(descriptors))

    def poll(self, max_frames: int = 64) -> list[Frame]:
        """One burst, copied and released. Raises PortError where the port is broken."""
        descriptors = np.zeros(max_frames, DESCRIPTOR_DTYPE)
        count = self.rx_burst(descriptors)
        if count == RX_ERROR:
            raise PortError(f"{self.uri}: {self.last_error}")
        self.over = self.over or count == RX_END
        taken = descriptors[: max(count, 0)]
        frames = [copy_frame(descriptor) for descriptor in taken]
        self.release(taken)
        return frames

    def receive(self, count: int | None = None, idle_s: float = 1.0) -> list[Frame]:
        """Polls until `count` frames came, the port is over, or nothing came for `idle_s`."""
        frames: list[Frame] = []
        limit_s = time.monotonic() + idle_s
        while not self.over and (count is None or len(frames) < count):
            burst = self.poll(64 if count is None else min(64, count - len(frames)))
            frames += burst
            if burst:
                limit_s = time.monotonic() + idle_s
            elif time.monotonic() > limit_s:
                break
            else:
                time.sleep(_IDLE_PAUSE_S)
        return frames


def copy_frame(descriptor: Any) -> Frame:
    """The frame that one DESCRIPTOR_DTYPE record points to."""
    length = int(descriptor["length_bytes"])
    source = ffi.cast("char *", int(descriptor["address"]))
    flags = int(descriptor["flags"])
    return Frame(
        timestamp_ns=int(descriptor["timestamp_ns"]),
        data=bytes(ffi.buffer(source, length)),
        flags=flags & _FLAGS_MASK,
        link_type=flags >> LINK_TYPE_SHIFT,
    )


def open_port(uri: str) -> Port:
    """Opens `scheme:target?options`. Raises UriError or PortError, each one clear line."""
    parsed = parse_uri(uri)
    backend = BACKENDS.get(parsed.scheme)
    if backend is None:
        known = ", ".join(BACKENDS)
        raise parsed.fail(f"unknown scheme {parsed.scheme}; known are {known}")
    reason = backend.missing(Path("/"))
    if backend.open is None or reason is not None:
        raise PortError(f"{uri}: {parsed.scheme} is not available: {reason}")
    return Port(uri, backend.open(parsed))
