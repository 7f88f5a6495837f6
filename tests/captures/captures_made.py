"""Captures made byte by byte, from the formats' specifications and nothing of the package."""

from __future__ import annotations

import struct
from collections.abc import Iterable

Record = tuple[int, bytes]
"""(time in the file's units, frame)"""

START_S = 1_700_000_000


def frame(size_bytes: int, fill: int = 0) -> bytes:
    return bytes((fill + i) & 0xFF for i in range(size_bytes))


def pcap(
    records: Iterable[Record],
    *,
    order: str = "<",
    nanoseconds: bool = True,
    link: int = 1,
    snaplen: int = 65535,
    version: tuple[int, int] = (2, 4),
) -> bytes:
    magic, units = (0xA1B23C4D, 10**9) if nanoseconds else (0xA1B2C3D4, 10**6)
    out = struct.pack(order + "IHHiIII", magic, *version, 0, 0, snaplen, link)
    for time, data in records:
        out += struct.pack(order + "IIII", time // units, time % units, len(data), len(data))
        out += data
    return out


def padded(data: bytes) -> bytes:
    return data + bytes(-len(data) % 4)


def block(order: str, kind: int, body: bytes) -> bytes:
    size = struct.pack(order + "I", len(body) + 12)
    return struct.pack(order + "I", kind) + size + body + size


def options(order: str, *pairs: tuple[int, bytes]) -> bytes:
    out = b"".join(struct.pack(order + "HH", code, len(v)) + padded(v) for code, v in pairs)
    return out + struct.pack(order + "HH", 0, 0) if pairs else b""


def section(order: str = "<", version: int = 1) -> bytes:
    return block(order, 0x0A0D0D0A, struct.pack(order + "IHHq", 0x1A2B3C4D, version, 0, -1))


def interface(
    order: str = "<", link: int = 1, snaplen: int = 0, *pairs: tuple[int, bytes]
) -> bytes:
    body = struct.pack(order + "HHI", link, 0, snaplen) + options(order, *pairs)
    return block(order, 1, body)


def enhanced(
    order: str,
    number: int,
    ticks: int,
    data: bytes,
    wire: int | None = None,
    *pairs: tuple[int, bytes],
) -> bytes:
    wire = len(data) if wire is None else wire
    head = struct.pack(order + "IIIII", number, ticks >> 32, ticks & 0xFFFFFFFF, len(data), wire)
    return block(order, 6, head + padded(data) + options(order, *pairs))


def obsolete(order: str, number: int, ticks: int, data: bytes) -> bytes:
    head = struct.pack(
        order + "HHIIII", number, 0, ticks >> 32, ticks & 0xFFFFFFFF, len(data), len(data)
    )
    return block(order, 2, head + padded(data))


def simple(order: str, data: bytes, wire: int | None = None) -> bytes:
    wire = len(data) if wire is None else wire
    return block(order, 3, struct.pack(order + "I", wire) + padded(data))


def erf(
    time_ns: int,
    data: bytes,
    *,
    kind: int = 2,
    extensions: int = 0,
    flags: int = 4,
    wire: int | None = None,
) -> bytes:
    seconds, nanoseconds = divmod(time_ns, 10**9)
    fraction = round(nanoseconds * 2**32 / 10**9)
    pad = b"\0\0" if kind in (2, 11, 16, 20) else b""
    more = b"".join(
        bytes([0x80 if i + 1 < extensions else 0]) + bytes(7) for i in range(extensions)
    )
    body = more + pad + data
    head = struct.pack("<II", fraction, seconds) + struct.pack(
        ">BBHHH",
        kind | (0x80 if extensions else 0),
        flags,
        16 + len(body),
        0,
        len(data) if wire is None else wire,
    )
    return head + body


def ipv4(payload: bytes, *, vlans: int = 0, protocol: int = 17) -> bytes:
    """An Ethernet frame without padding around an IPv4 datagram."""
    ip = struct.pack(">BBHHHBBH", 0x45, 0, 20 + len(payload), 0, 0, 64, protocol, 0)
    tags = b"\x81\x00\x00\x07" * vlans
    return bytes(12) + tags + b"\x08\x00" + ip + bytes([10, 0, 0, 1, 233, 0, 0, 1]) + payload


def every_format() -> dict[str, bytes]:
    """One small capture of two packets in every format."""
    a, b = frame(61, 1), frame(90, 7)
    at = START_S * 10**9
    out = {}
    for order, end in (("<", "LE"), (">", "BE")):
        out[f"pcap-nsec-{end}"] = pcap([(at, a), (at + 1, b)], order=order)
        us = at // 1000
        out[f"pcap-usec-{end}"] = pcap([(us, a), (us + 1, b)], order=order, nanoseconds=False)
        out[f"pcapng-{end}"] = (
            section(order)
            + interface(order, 1, 0, (9, b"\x09"))
            + block(order, 5, bytes(12))
            + enhanced(order, 0, at, a)
            + obsolete(order, 0, at + 1, b)
        )
    out["erf"] = erf(at, a) + erf(at + 10**9, b, extensions=2)
    return out


def with_trailers() -> dict[str, bytes]:
    """Captures whose frames end in hardware trailers, with a key frame for the counter form."""
    at = START_S * 10**9
    datagram = ipv4(bytes(40), vlans=1)
    metawatch = b"\1\2\3\4" + struct.pack(">IIBHB", START_S, 5, 1, 2, 3)
    extended = b"\1\2\3\4\0\0\0\x21" + struct.pack(">IIBHB", START_S, 5, 3, 2, 3)
    hpt = b"\1\2\3\4" + struct.pack(">BBI", 1, 2, START_S) + b"\x80\0\0\0\0\0"
    key = b"EXKF\1\0\0\0" + struct.pack(">QQQQ", at, 1000, 350_000_000, 0)
    key_frame = b"\xff" * 12 + b"\x88\xb5" + key
    return {
        "metawatch": pcap([(at, datagram + metawatch), (at, datagram + extended)]),
        "exablaze": pcap([(at, datagram + hpt), (at, datagram + hpt + b"\5\6\7\x08")]),
        "counter": pcap([(at, key_frame), (at + 1000, datagram + struct.pack(">I", 1350))]),
    }
