"""Frames of datagrams as the ports shall send them, put together from nothing and slowly; and the
sends that try them: every kind of length, destinations in turns and more of them than are kept.
"""

from __future__ import annotations

import socket
import struct
from collections.abc import Sequence
from dataclasses import dataclass

from port_rigs import GROUP, UDP_PORT

LENGTHS = (1, 2, 3, 5, 6, 7, 17, 18, 19, 20, 49, 64, 101, 1401, 1472)
SHORTEST_BYTES = 60
UDP = 17


def checksum_of(data: bytes) -> int:
    """RFC 1071, the slow way."""
    data += bytes(len(data) % 2)
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def group_mac(address: str) -> bytes:
    """RFC 1112."""
    number = int.from_bytes(socket.inet_aton(address), "big")
    return b"\x01\x00\x5e" + (number & 0x7FFFFF).to_bytes(3, "big")


def is_group(address: str) -> bool:
    """Whether an address is one of multicast."""
    return 224 <= int(address.partition(".")[0]) < 240


@dataclass(frozen=True, slots=True)
class Sender:
    """What all datagrams of a port have in common.

    next_hop: the MAC of unicast ones; summed: with UDP checksum; padded: to Ethernet's least.
    """

    address: str
    udp_port: int
    mac: bytes
    next_hop: bytes
    ttl: int = 1
    unicast_ttl: int = 64
    summed: bool = False
    padded: bool = True

    def frame(self, payload: bytes, to: str, udp_port: int, *, tags: bytes = b"") -> bytes:
        """The whole frame."""
        group = is_group(to)
        ends = socket.inet_aton(self.address) + socket.inet_aton(to)
        udp_bytes, ttl = 8 + len(payload), self.ttl if group else self.unicast_ttl
        udp = struct.pack("!HHH", self.udp_port, udp_port, udp_bytes)
        total = 0
        if self.summed:
            pseudo = ends + struct.pack("!HH", UDP, udp_bytes)
            total = checksum_of(pseudo + udp + bytes(2) + payload) or 0xFFFF
        ip = struct.pack("!BBHHHBB", 0x45, 0, 20 + udp_bytes, 0, 0x4000, ttl, UDP)
        ip += struct.pack("!H", checksum_of(ip + bytes(2) + ends)) + ends
        ethernet = (group_mac(to) if group else self.next_hop) + self.mac + tags + b"\x08\x00"
        frame = ethernet + ip + udp + struct.pack("!H", total) + payload
        return frame.ljust(SHORTEST_BYTES, b"\0") if self.padded else frame


def zero_sum_payload(sender: Sender, to: str, udp_port: int, size_bytes: int) -> bytes:
    """A payload of an even size whose UDP checksum would be 0."""
    plain = sender.frame(bytes(size_bytes), to, udp_port)[40:42]
    return plain + bytes(size_bytes - 2)


def tried_sends(sender: Sender, unicast: str, longest: int = 1472) -> list[tuple[bytes, str, int]]:
    """(payload, address, UDP port) of sends."""
    sends = []
    for size in (length for length in LENGTHS if length <= longest):
        payload = bytes((7 * at + size) & 0xFF for at in range(size))
        sends += [(payload, GROUP, UDP_PORT), (payload, unicast, 9), (bytes(size), unicast, 65_535)]
        sends += [(b"\xff" * size, GROUP, UDP_PORT)]
    for size in (2, 18, 64):
        for to, udp_port in ((GROUP, UDP_PORT), (unicast, 9)):
            sends.append((zero_sum_payload(sender, to, udp_port, size), to, udp_port))
    many = [(b"order %d" % at, f"239.{at % 7}.200.{at % 251}", 1 + 97 * at) for at in range(400)]
    return [*sends, *many, *many[:3], *sends[:4]]


def expected_frames(sender: Sender, sends: Sequence[tuple[bytes, str, int]]) -> list[bytes]:
    """What is on the wire after them."""
    return [sender.frame(*send) for send in sends]
