"""A venue's end of a TCP session on the loopback interface, for the tests of ports over TCP."""

from __future__ import annotations

import socket
import struct
import time
from types import TracebackType
from typing import Any

import numpy as np

from nic.layout import DESCRIPTOR_DTYPE
from nic.port import Frame, Port, copy_frame, open_port

LOOPBACK = "127.0.0.1"
WAIT_S = 10.0


class Venue:
    """Listens on a port that the kernel picked; `connect` opens a port to it and takes the call."""

    def __init__(self, rcvbuf_bytes: int = 0) -> None:
        self.listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        if rcvbuf_bytes:
            self.listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, rcvbuf_bytes)
        self.listener.bind((LOOPBACK, 0))
        self.listener.listen()
        self.number = int(self.listener.getsockname()[1])
        self.far: socket.socket | None = None

    def __enter__(self) -> Venue:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.hang_up()
        self.listener.close()

    def uri(self, **options: Any) -> str:
        query = "&".join(f"{name}={value}" for name, value in options.items())
        return f"tcp:{LOOPBACK}:{self.number}" + (f"?{query}" if query else "")

    def connect(self, **options: Any) -> Port:
        """The port; the venue's side of it is `far`."""
        port = open_port(self.uri(**options))
        self.hang_up()
        self.far = self.listener.accept()[0]
        self.far.settimeout(WAIT_S)
        return port

    @property
    def peer(self) -> socket.socket:
        assert self.far is not None
        return self.far

    def read(self, count: int) -> bytes:
        """Exactly so many bytes."""
        taken = bytearray()
        while len(taken) < count:
            piece = self.peer.recv(count - len(taken))
            assert piece, "the port closed"
            taken += piece
        return bytes(taken)

    def hang_up(self) -> None:
        """Closes the connection in order."""
        if self.far is not None:
            self.far.close()
            self.far = None

    def reset(self) -> None:
        """Breaks the connection off: the port's kernel gets a RST."""
        self.peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.hang_up()


def burst(port: Port, most: int = 16) -> tuple[int, list[Frame]]:
    """What one poll gave, and its chunks, copied and released."""
    descriptors = np.zeros(most, DESCRIPTOR_DTYPE)
    count = port.rx_burst(descriptors)
    taken = descriptors[: max(count, 0)]
    frames = [copy_frame(descriptor) for descriptor in taken]
    port.release(taken)
    return count, frames


def read_port(port: Port, count: int) -> bytes:
    """Exactly so many bytes of the port's stream."""
    taken, limit_s = bytearray(), time.monotonic() + WAIT_S
    while len(taken) < count:
        got, frames = burst(port)
        assert got >= 0, port.last_error
        assert time.monotonic() < limit_s, f"{len(taken)} of {count} bytes"
        taken += b"".join(frame.data for frame in frames)
        if not got:
            time.sleep(0.0002)
    return bytes(taken)


def poll_until_over(port: Port) -> tuple[int, bytes]:
    """The code of the end, and all bytes before it."""
    taken, limit_s = bytearray(), time.monotonic() + WAIT_S
    while time.monotonic() < limit_s:
        got, frames = burst(port)
        if got < 0:
            return got, bytes(taken)
        taken += b"".join(frame.data for frame in frames)
        time.sleep(0.0002)
    raise AssertionError("the port is not over")
