"""A port that another thread of the process feeds."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import pytest
from numba import njit

from nic.call import call_release, call_rx_burst
from nic.injectburst import SLOTS
from nic.injectport import HEADERS_BYTES, MOST_PAYLOAD_BYTES, InjectPort
from nic.layout import DESCRIPTOR_DTYPE
from nic.port import copy_frame, ipv4_number
from nic.regions import allow, allowed, forbid

GROUP, PORT = "127.88.0.2", 3001


@njit(nogil=True, cache=True)
def poll(function, port, out, most):
    return call_rx_burst(function, port, out, most)


@njit(nogil=True, cache=True)
def release(function, port, frames, count):
    call_release(function, port, frames, count)


class Reader:
    """Polls as a loop does."""

    def __init__(self, port: InjectPort) -> None:
        self.port, self.out = port, np.zeros(4, DESCRIPTOR_DTYPE)

    def poll(self) -> int:
        """Frames that came."""
        out = self.out.ctypes.data
        with self.memory():
            return int(poll(self.port.ops["rx_burst"], self.port.handle, out, len(self.out)))

    @contextmanager
    def memory(self) -> Iterator[None]:
        """What the port's kernels may touch, as a loop that has it says."""
        places = [allow(*region) for region in self.port.regions]
        try:
            with allowed(self.out):
                yield
        finally:
            for place in places:
                forbid(place)

    def release(self) -> None:
        """Gives the one frame back."""
        with self.memory():
            release(self.port.ops["release"], self.port.handle, self.out.ctypes.data, 1)


def test_datagrams_come_out_in_order_one_at_a_time_with_right_headers() -> None:
    port = InjectPort(lambda: 77)
    reader = Reader(port)
    assert reader.poll() == 0
    port.send(b"first", ipv4_number(GROUP), PORT)
    port.send(b"second", ipv4_number(GROUP), PORT)
    for payload in (b"first", b"second"):
        assert reader.poll() == 1
        assert reader.poll() == 0, "it is handed out"
        frame = copy_frame(reader.out[0])
        assert (frame.data[HEADERS_BYTES:], frame.timestamp_ns, frame.link_type) == (payload, 77, 1)
        (seen,) = datagrams_of(frame.data)
        assert seen == (f"{GROUP}:{PORT}", payload)
        reader.release()
    assert reader.poll() == 0


def datagrams_of(raw: bytes) -> list[tuple[str, bytes]]:
    """What an independent reader makes of a frame."""
    import dpkt

    packet = dpkt.ethernet.Ethernet(raw).data
    words = sum(int.from_bytes(raw[at : at + 2], "big") for at in range(14, 34, 2))
    assert words % 0xFFFF == 0, "the checksum of the IP header"
    place = ".".join(map(str, packet.dst))
    return [(f"{place}:{packet.data.dport}", bytes(packet.data.data))]


def test_what_finds_no_room_waits_and_nothing_is_lost() -> None:
    port, got = InjectPort(lambda: 1), []
    reader, count = Reader(port), 3 * SLOTS
    for number in range(count):
        port.send(number.to_bytes(4, "big"), 1, 1)
    assert port.waiting_count == count - SLOTS
    while reader.poll():
        got.append(int.from_bytes(copy_frame(reader.out[0]).data[HEADERS_BYTES:], "big"))
        reader.release()
        port.flush()
    assert got == list(range(count))


def test_a_payload_that_has_no_room_is_refused() -> None:
    port = InjectPort(lambda: 1)
    port.send(bytes(MOST_PAYLOAD_BYTES - 8), 1, 1)
    with pytest.raises(ValueError, match="at most"):
        port.send(bytes(MOST_PAYLOAD_BYTES + 1), 1, 1)
