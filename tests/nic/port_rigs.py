"""The same traffic offered through each backend, for the tests that all of them must pass."""

from __future__ import annotations

import socket
import struct
from abc import ABC, abstractmethod
from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar

from nic.port import BACKENDS, Port, open_port

GROUP = "239.192.7.1"
UDP_PORT = 31_001
HEADERS_BYTES = 42
FIRST_NS = 1_700_000_000_000_000_000


def udp_frame(payload: bytes, group: str = GROUP, udp_port: int = UDP_PORT) -> bytes:
    """An Ethernet frame with a datagram from 10.0.0.1:4000 (checksums 0)."""
    addresses = socket.inet_aton("10.0.0.1") + socket.inet_aton(group)
    udp = struct.pack("!HHHH", 4000, udp_port, 8 + len(payload), 0)
    ip = struct.pack("!BBHHHBBH", 0x45, 0, 28 + len(payload), 0, 0, 1, 17, 0) + addresses
    return bytes.fromhex("01005e400701020a000000010800") + ip + udp + payload


def pcap(
    frames: Sequence[bytes],
    times_ns: Sequence[int] | None = None,
    snaplen: int = 262_144,
    link_type: int = 1,
) -> bytes:
    """A nanosecond pcap; frames are 1000 ns apart where no times are given."""
    times = times_ns or [FIRST_NS + 1000 * index for index in range(len(frames))]
    out = [struct.pack("<IHHiIII", 0xA1B23C4D, 2, 4, 0, 0, snaplen, link_type)]
    for time_ns, frame in zip(times, frames, strict=True):
        kept = frame[:snaplen]
        head = (time_ns // 10**9, time_ns % 10**9, len(kept), len(frame))
        out += [struct.pack("<IIII", *head), kept]
    return b"".join(out)


def numbered(count: int, size_bytes: int = 64) -> list[bytes]:
    """Payloads that begin with their number and differ in every byte after it."""
    return [
        struct.pack("!I", number) + bytes((number + at) & 0xFF for at in range(size_bytes - 4))
        for number in range(count)
    ]


def payload_of(frame: bytes) -> bytes:
    """What is behind the headers that all rigs have; Ethernet pads short frames."""
    udp_bytes = int.from_bytes(frame[38:40], "big")
    return frame[HEADERS_BYTES : HEADERS_BYTES - 8 + udp_bytes]


class Rig(ABC):
    """Traffic for one backend.

    Attributes:
        scheme: of the backend.
        label: name of the rig in test names, where a backend has several.
        ends: whether the port says when all of the traffic was there.
        loses: whether frames that find no room are lost; else they wait.
        longest_bytes: largest payload that it takes whole.
    """

    scheme: ClassVar[str]
    label: ClassVar[str] = ""
    ends: ClassVar[bool] = False
    loses: ClassVar[bool] = True
    longest_bytes: ClassVar[int] = 9000

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @classmethod
    def why_not(cls) -> str | None:
        """Why this machine cannot run it."""
        return BACKENDS[cls.scheme].missing(Path("/"))

    @abstractmethod
    def open(
        self,
        payloads: Sequence[bytes],
        *,
        ring: int = 4096,
        keep_bytes: int | None = None,
        rcvbuf_bytes: int = 1 << 22,
    ) -> Port:
        """A port that was joined to GROUP:UDP_PORT, and to which the payloads were sent.

        Frames are cut behind `keep_bytes` of payload.
        """

    def send(self, payload: bytes) -> None:
        """Sends one more to the group, where there is somebody to send."""
        raise NotImplementedError

    def close(self) -> None:  # noqa: B027
        """Removes what was made for it."""


class ReplayRig(Rig):
    """Writes the traffic into a capture and opens that."""

    scheme = "replay"
    ends = True
    loses = False

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.count = 0

    def open(
        self,
        payloads: Sequence[bytes],
        *,
        ring: int = 4096,
        keep_bytes: int | None = None,
        rcvbuf_bytes: int = 0,
    ) -> Port:
        del rcvbuf_bytes  # a capture waits for its reader
        self.count += 1
        path = self.folder / f"traffic-{self.count}.pcap"
        snaplen = 262_144 if keep_bytes is None else HEADERS_BYTES + keep_bytes
        path.write_bytes(pcap([udp_frame(payload) for payload in payloads], snaplen=snaplen))
        port = open_port(f"replay:{path}?ring={ring}")
        port.join(GROUP, UDP_PORT)
        return port


class SocketRig(Rig):
    """Joins a group on the loopback interface and sends the traffic to it."""

    scheme = "socket"

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.sender = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        loopback = struct.pack("4s4si", b"", b"", socket.if_nametoindex("lo"))
        self.sender.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, loopback)

    def open(
        self,
        payloads: Sequence[bytes],
        *,
        ring: int = 4096,
        keep_bytes: int | None = None,
        rcvbuf_bytes: int = 1 << 22,
    ) -> Port:
        frame_bytes = 2048 if keep_bytes is None else keep_bytes
        options = f"ring={ring}&frame={frame_bytes}&rcvbuf={rcvbuf_bytes}"
        port = open_port(f"socket:lo?{options}")
        port.join(GROUP, UDP_PORT)
        for payload in payloads:
            self.send(payload)
        return port

    def send(self, payload: bytes) -> None:
        self.sender.sendto(payload, (GROUP, UDP_PORT))

    def close(self) -> None:
        self.sender.close()
