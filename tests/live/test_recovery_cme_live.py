"""CME's loops over real multicast on loopback: the driver hears them with sockets of its own."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator

import pytest
from cme_recovery_rig import ORDERS, PACKET_NS, PRICE, Rig, nothing
from make_samples import PORT

from console.recoveryclients import RecoverySettings
from simulator.services.cme import DEFINITIONS, SNAPSHOTS, CmeLoops

LOOPBACK = "127.0.0.1"
GROUPS = {SNAPSHOTS: "233.1.2.1", DEFINITIONS: "233.1.2.2"}
WAIT_S = 5


@pytest.fixture
def sender() -> Iterator[socket.socket]:
    """A socket whose multicast comes back on loopback; skips where it does not."""
    with (
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as out,
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as back,
    ):
        out.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, socket.inet_aton(LOOPBACK))
        group = GROUPS[SNAPSHOTS]
        try:
            back.bind((group, PORT))
            joined = socket.inet_aton(group) + socket.inet_aton(LOOPBACK)
            back.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, joined)
            back.settimeout(WAIT_S)
            out.sendto(b"?", (group, PORT))
            back.recv(10)
        except OSError as error:
            pytest.skip(f"no multicast on loopback: {error}")
        back.close()
        yield out


@pytest.mark.parametrize("name", [PRICE, ORDERS])
def test_who_joins_late_hears_both_loops(name: str, sender: socket.socket) -> None:
    heard = RecoverySettings(
        refresh=(GROUPS[SNAPSHOTS], PORT),
        refresh_b=(GROUPS[DEFINITIONS], PORT + 1),  # nobody sends there
        definitions=(GROUPS[DEFINITIONS], PORT),
        interface=LOOPBACK,
    )
    with Rig(name, f"heard {name}", settings=heard) as rig:
        loops = CmeLoops(
            rig.channel, lambda group, data: sender.sendto(data, (GROUPS[group], PORT)), PACKET_NS
        )
        for _ in range(100):
            rig.channel.change()
        rig.change()
        rig.time_ns += 5 * PACKET_NS
        until = time.monotonic() + WAIT_S
        while not rig.well and time.monotonic() < until:
            loops.step(rig.time_ns)
            rig.change()
        rig.play(60, nothing)
        rig.check_whole()
        recoverer = rig.driver.recoverer
        assert recoverer.directory.is_whole and recoverer.undefined == set()
        assert rig.stream["images"] >= 5 and recoverer.snapshots.loop.stray == 0
