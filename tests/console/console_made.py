"""Captures made with the tables' own encoders, and the command run in this process or another."""

from __future__ import annotations

import struct
import subprocess
import sys
from collections.abc import Iterable, Sequence
from ipaddress import IPv4Address
from pathlib import Path

from captures import PcapWriter
from feedhandler.protocols.itch50 import ITCH50
from feedhandler.transports.moldudp64 import HEADER, TRANSPORT

ROOT = Path(__file__).resolve().parents[2]
GROUP, PORT = "233.54.12.111", 26477
START_NS = 1_709_303_400_000_000_123  # 2024-03-01 09:30:00.000000123 in New York
COMMAND = [sys.executable, "-c", "from console.main import main; main()"]


def ethernet(ip_packet: bytes, ether_type: int = 0x0800) -> bytes:
    return bytes(12) + struct.pack(">H", ether_type) + ip_packet


def ip(protocol: int, segment: bytes, source: str, destination: str) -> bytes:
    size = 20 + len(segment)
    head = struct.pack(">BBHHHBBH", 0x45, 0, size, 0, 0, 64, protocol, 0)
    return head + IPv4Address(source).packed + IPv4Address(destination).packed + segment


def udp_frame(payload: bytes, group: str = GROUP, port: int = PORT) -> bytes:
    segment = struct.pack(">HHHH", 4000, port, 8 + len(payload), 0) + payload
    return ethernet(ip(17, segment, "10.0.0.1", group))


def tcp_frame(payload: bytes, sequence: int, ports: tuple[int, int] = (5000, 8003)) -> bytes:
    segment = struct.pack(">HHIIBBHHH", *ports, sequence, 0, 0x50, 0x18, 512, 0, 0) + payload
    return ethernet(ip(6, segment, "10.0.0.1", "10.0.0.2"))


def mold(sequence: int, messages: Sequence[bytes], count: int | None = None) -> bytes:
    header = HEADER.encode(
        session="SESSION001",
        sequence_number=sequence,
        message_count=len(messages) if count is None else count,
    )
    return header + b"".join(TRANSPORT.framing.wrap(message) for message in messages)


def add_order(reference: int = 7, price: int = 1_234_500, stock: str = "AAPL") -> bytes:
    return ITCH50["A"].encode(
        stock_locate=5,
        timestamp=34_200_000_000_001,
        order_reference_number=reference,
        buy_sell_indicator="B",
        shares=100,
        stock=stock,
        price=price,
    )


def delete_order(reference: int = 7) -> bytes:
    return ITCH50["D"].encode(
        stock_locate=5, timestamp=34_200_000_000_002, order_reference_number=reference
    )


def write(path: Path, frames: Iterable[bytes], *, step_ns: int = 1000) -> Path:
    with PcapWriter(path) as out:
        for index, frame in enumerate(frames):
            out.write(START_NS + index * step_ns, frame)
    return path


def channel_map(path: Path, **more: object) -> Path:
    lines = "".join(f"{key} = {value!r}\n" for key, value in more.items())
    path.write_text(
        f'[[channels]]\nname = "itch"\nfeed = "nasdaq_itch50"\ngroup = "{GROUP}"\n'
        f"port = {PORT}\n{lines}"
    )
    return path


def sweepwire(
    *arguments: str | Path, stdin: bytes = b"", timeout_s: float = 120
) -> subprocess.CompletedProcess[bytes]:
    """The command in a process of its own."""
    return subprocess.run(
        [*COMMAND, *map(str, arguments)],
        input=stdin,
        capture_output=True,
        timeout=timeout_s,
        cwd=ROOT,
        check=False,
    )
