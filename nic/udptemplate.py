"""Frames of datagrams whose headers are written once: `csrc/udp_template.h` from Python.

Backends call the inline functions of that header. Here they are for tests, tools and kernels that
build a frame themselves: `nic.call.call_kernel(FILL_FUNCTION, …)`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from nic._core import ffi, lib
from nic.clock import function_address

FILL_FUNCTION: Final = function_address("swp_udp_template_fill")
SUMMED: Final = int(lib.SWP_UDP_SUMMED)
PAYLOAD_MOST_BYTES: Final = 65_507
_ROOM_LEAST_BYTES: Final = int(lib.SWP_UDP_ROOM_LEAST_BYTES)


@dataclass(frozen=True, slots=True)
class UdpEnds:
    """Both ends of a datagram's way: integers in host byte order, MACs of 6 bytes.

    vlan: the 802.1Q tag, priority bits and all; 0 for none.
    """

    source_ip: int
    destination_ip: int
    source_port: int
    destination_port: int
    source_mac: bytes
    destination_mac: bytes
    vlan: int = 0
    ttl: int = 64
    service_class: int = 0


class UdpTemplate:
    """A frame to one destination, with room for a payload of up to `payload_most` bytes.

    address: of the template; frame_address: of the frame in `memory`, headers_bytes of its headers.
    """

    def __init__(self, ends: UdpEnds, payload_most: int = PAYLOAD_MOST_BYTES) -> None:
        for mac in (ends.source_mac, ends.destination_mac):
            if len(mac) != 6:
                raise ValueError(f"a MAC has 6 bytes, not {len(mac)}: {mac!r}")
        if not 0 <= payload_most <= PAYLOAD_MOST_BYTES:
            raise ValueError(f"payloads are at most {PAYLOAD_MOST_BYTES} bytes")
        given = ffi.new("swp_udp_ends *")
        for name in UdpEnds.__slots__:
            setattr(given, name, getattr(ends, name))
        self.payload_most = payload_most
        self._template = ffi.new("swp_udp_template *")
        lib.swp_udp_template_make(self._template, given)
        self.address = int(ffi.cast("uintptr_t", self._template))
        self.headers_bytes = int(self._template.headers_bytes)
        self.memory = np.zeros(_ROOM_LEAST_BYTES + payload_most, np.uint8)
        self.frame_address = int(self.memory.ctypes.data)

    def frame(self, payload: bytes, identification: int = 0, *, summed: bool = True) -> bytes:
        """The frame around a payload, with a UDP checksum or without. Raises ValueError."""
        if len(payload) > self.payload_most:
            raise ValueError(f"{len(payload)} bytes do not fit in {self.payload_most}")
        source = ffi.from_buffer(payload)
        numbered = (SUMMED if summed else 0) + (identification & 0xFFFF)
        length = lib.swp_udp_template_fill(
            self.address,
            self.frame_address,
            numbered,
            int(ffi.cast("uintptr_t", source)),
            len(payload),
        )
        return self.memory[:length].tobytes()
