"""A port that one thread of this process feeds with datagrams, and a loop polls on another."""

from __future__ import annotations

import struct
from collections import deque
from collections.abc import Callable
from typing import Final

import numpy as np

from nic.injectburst import INJECT_DTYPE, SLOTS, inject_release, inject_rx_burst
from nic.layout import DESCRIPTOR_DTYPE, LINK_TYPE_SHIFT
from nic.ringview import Ring

LINK_ETHERNET: Final = 1
HEADERS_BYTES: Final = 42
SLOT_BYTES: Final = 1 << 16
MOST_PAYLOAD_BYTES: Final = 65_507 - 14  # of UDP, and the frame fits its slot
IP: Final = struct.Struct(">BBHHHBBHII")
SOURCE: Final = 0x7F000001  # 127.0.0.1
TTL, UDP = 1, 17
ETHERNET: Final = bytes(12) + b"\x08\x00"


def ip_header(group: int, length_bytes: int) -> bytes:
    """An IPv4 header with its checksum, for a UDP payload of a length."""
    total = IP.size + 8 + length_bytes
    raw = IP.pack(0x45, 0, total, 0, 0x4000, TTL, UDP, 0, SOURCE, group)
    words = sum(struct.unpack(">10H", raw))
    words = (words & 0xFFFF) + (words >> 16)
    checksum = ~((words & 0xFFFF) + (words >> 16)) & 0xFFFF
    return raw[:10] + struct.pack(">H", checksum) + raw[12:]


class InjectPort:
    """Hands datagrams to a loop in order; where its ring is full they wait here.

    `handle`, `ops` and `regions` are what `nic.port.Port` has. The port never ends. One thread
    feeds it. It is closed by nobody: keep it for as long as the loop runs.

    Args:
        clock: ns since the epoch, for the frames' times.
    """

    uri: Final = "inject:"

    def __init__(self, clock: Callable[[], int]) -> None:
        self._clock = clock
        self._row = np.zeros(1, INJECT_DTYPE)
        self._memory = np.zeros((SLOTS, SLOT_BYTES), np.uint8)
        self._ring = Ring(self._row["ring"])
        self._next = 0
        self._waiting: deque[tuple[bytes, int, int]] = deque()
        self._descriptor = np.zeros(1, DESCRIPTOR_DTYPE)
        self.handle = int(self._row.ctypes.data)
        self.ops = {"rx_burst": inject_rx_burst.address, "release": inject_release.address}
        self.regions = (
            (self.handle, self._row.nbytes),
            (int(self._memory.ctypes.data), self._memory.nbytes),
        )

    @property
    def waiting_count(self) -> int:
        """Datagrams that the loop has no room for yet."""
        return len(self._waiting)

    def send(self, payload: bytes, group: int, udp_port: int) -> None:
        """A datagram to a group and port, as numbers. Raises ValueError for one that is too long.

        What waits goes first; call `flush` from time to time.
        """
        if len(payload) > MOST_PAYLOAD_BYTES:
            raise ValueError(f"a datagram of {len(payload)} bytes: at most {MOST_PAYLOAD_BYTES}")
        self._waiting.append((payload, group, udp_port))
        self.flush()

    def flush(self) -> None:
        """Hands over what waits, as far as there is room."""
        while self._waiting and len(self._ring) < SLOTS:
            self._push(*self._waiting.popleft())

    def _push(self, payload: bytes, group: int, udp_port: int) -> None:
        udp = struct.pack(">HHHH", udp_port, udp_port, 8 + len(payload), 0)
        frame = ETHERNET + ip_header(group, len(payload)) + udp + payload
        slot = self._memory[self._next % SLOTS]
        slot[: len(frame)] = np.frombuffer(frame, np.uint8)
        row = self._descriptor[0]
        row["address"], row["length_bytes"] = slot.ctypes.data, len(frame)
        row["flags"], row["timestamp_ns"] = LINK_ETHERNET << LINK_TYPE_SHIFT, self._clock()
        self._ring.push(descriptor=self._descriptor.view(np.uint64))
        self._next += 1

    def thread_init(self) -> None:
        """As `nic.port.Port.thread_init`."""
