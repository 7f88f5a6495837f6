"""Everything over real sockets: the lines and recovery groups are multicast on loopback."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from typing import Any

import dpkt
import pytest
from make_samples import PORT
from recovery_rig import Rig, play
from splice_rig import ASKED, GROUPS, SPLICE, A, B

from nic.port import open_port

LOOPBACK = "127.0.0.1"
REFRESH_GROUP = "233.1.1.9"
WAIT_S = 5


@pytest.fixture
def sender() -> Iterator[socket.socket]:
    """A socket whose multicast comes back on loopback; skips where it does not."""
    with (
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as out,
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as back,
    ):
        out.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, socket.inet_aton(LOOPBACK))
        try:
            back.bind((REFRESH_GROUP, PORT))
            joined = socket.inet_aton(REFRESH_GROUP) + socket.inet_aton(LOOPBACK)
            back.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, joined)
            back.settimeout(WAIT_S)
            out.sendto(b"?", (REFRESH_GROUP, PORT))
            back.recv(10)
        except OSError as error:
            pytest.skip(f"no multicast on loopback: {error}")
        back.close()
        yield out


class MulticastRig(Rig):
    """A rig whose packets go over multicast groups and the nic's socket port."""

    def __init__(self, sender: socket.socket, *given: Any, **more: Any) -> None:
        heard = {"refresh": (REFRESH_GROUP, PORT), "interface": LOOPBACK}
        super().__init__(*given, settings=heard, **more)
        self.sender, self.port = sender, open_port("socket:lo?rcvbuf=4MiB")
        self.by_group = {group: line for line, group in enumerate(GROUPS)}
        self.brought = 0
        for line in (A, B, ASKED):
            self.port.join(GROUPS[line], PORT)

    def __exit__(self, *exception: object) -> None:
        self.port.close()
        super().__exit__(*exception)

    def give(self, line: int, payload: bytes, later_ns: int = 1_000) -> None:
        """A packet leaves on a group, and comes in by the port."""
        if line == SPLICE:
            super().give(line, payload, later_ns)
            return
        self.sender.sendto(payload, (GROUPS[line], PORT))
        (frame,) = self.port.receive(1, idle_s=WAIT_S)
        packet = dpkt.ethernet.Ethernet(frame.data).data
        self.brought += 1
        super().give(self.by_group[socket.inet_ntoa(packet.dst)], packet.data.data, later_ns)

    def refresh(self, payload: bytes) -> None:
        """The driver hears the refresh group with a socket of its own."""
        self.sender.sendto(payload, (REFRESH_GROUP, PORT))


@pytest.mark.parametrize("venue", ["nyse", "bzx", "nasdaq"])
def test_gaps_and_images_come_over_the_real_groups(venue: str, sender: socket.socket) -> None:
    lost = {*range(40, 43), *range(70, 73), *range(100, 160)}
    with MulticastRig(sender, venue, most_missing=20) as rig:
        play(rig, f"groups {venue}", 220, lambda number: number in lost)
        assert rig.total("recovered") >= 1 and rig.total("images") >= 1
        assert rig.brought > 300 and rig.driver.refused == []
