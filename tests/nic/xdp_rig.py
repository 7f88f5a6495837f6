"""The shared suite's traffic over AF_XDP: a veth pair in namespaces of its own."""

from __future__ import annotations

import atexit
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from functools import cache
from pathlib import Path
from typing import ClassVar

import pytest
from port_rigs import GROUP, HEADERS_BYTES, UDP_PORT, Rig, udp_frame
from veth import SENDER_IP, Link, veth_link

from nic.port import BACKENDS, Port, PortError
from nic.tuning.backends import kernel_version

FRAME_ROOM_BYTES = 4096
# The first kernels whose frames may lie in several chunks.
JUMBO_KERNELS = {"generic": (6, 9), "native": (6, 6)}
# The softirq behind a veth takes some hundred frames at a time and loses what comes meanwhile.
PACE_FRAMES, PACE_S = 128, 0.001
PLAIN_MTU_BYTES, JUMBO_MTU_BYTES, IP_AND_UDP_BYTES = 1500, 9216, 28


def skip_without_jumbo(attach: str) -> None:
    """Skips a test whose frames need more than a chunk."""
    if kernel_version(Path("/")) < JUMBO_KERNELS[attach]:
        pytest.skip("this kernel has no frames of several chunks")


@contextmanager
def xdp_link(*, queues: int = 1) -> Iterator[Link]:
    """A link over which AF_XDP ports can be opened. Skips where the machine does not let us."""
    reason = BACKENDS["xdp"].missing(Path("/"))
    if reason is not None:
        pytest.skip(f"xdp: {reason}")
    with veth_link(queues=queues, mtu=PLAIN_MTU_BYTES) as link:
        try:
            link.open(link.receiver, "xdp:rx0?attach=generic&mode=copy").close()
        except PortError as error:
            if "not permitted" in str(error) or "not supported" in str(error):
                pytest.skip(str(error))
            raise
        yield link


def open_xdp(link: Link, options: str = "queue=0-1", *joins: tuple[str, int, int]) -> Port:
    """A port at the receiver's end, joined to (group, UDP port, VLAN)s: the suite's, if none."""
    return link.open(link.receiver, f"xdp:rx0?{options}", *(joins or ((GROUP, UDP_PORT, 0),)))


@cache
def shared_link() -> Link:
    """One link for all the tests of a run."""
    stack = ExitStack()
    atexit.register(stack.close)
    link = stack.enter_context(xdp_link())
    link.know_neighbours()
    return link


class XdpRig(Rig):
    """Sends whole frames into one end of the pair and opens the other."""

    scheme = "xdp"
    sink_ip = SENDER_IP
    poisons = True
    label = "xdp-generic"
    attach: ClassVar[str] = "generic"

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.link = shared_link()
        self.sender = self.link.packet_socket()
        self.jumbo = False
        if kernel_version(Path("/")) < JUMBO_KERNELS[self.attach]:
            self.longest_bytes = PLAIN_MTU_BYTES - IP_AND_UDP_BYTES

    def open(
        self,
        payloads: Sequence[bytes],
        *,
        ring: int = 4096,
        keep_bytes: int | None = None,
        rcvbuf_bytes: int = 1 << 22,
        poison: bool = False,
    ) -> Port:
        depth = rcvbuf_bytes // FRAME_ROOM_BYTES
        uri = f"xdp:rx0?attach={self.attach}&mode=copy&ring={ring}&depth={depth}&poison={poison:d}"
        if keep_bytes is not None:
            uri += f"&frame={HEADERS_BYTES + keep_bytes}"
            self.set_jumbo(keep_bytes + IP_AND_UDP_BYTES > PLAIN_MTU_BYTES)
        port = self.link.open(self.link.receiver, uri, (GROUP, UDP_PORT, 0))
        for number, payload in enumerate(payloads):
            self.send(payload)
            if number % PACE_FRAMES == PACE_FRAMES - 1:
                time.sleep(PACE_S)
        return port

    def set_jumbo(self, wanted: bool) -> None:
        """Sets what both interfaces take, where that is to change."""
        if wanted != self.jumbo:
            self.link.set_mtu(JUMBO_MTU_BYTES if wanted else PLAIN_MTU_BYTES)
            self.jumbo = wanted

    def send(self, payload: bytes) -> None:
        self.sender.send(udp_frame(payload))

    def close(self) -> None:
        self.sender.close()
        self.set_jumbo(False)


class NativeXdpRig(XdpRig):
    """As in a driver that knows XDP."""

    label = "xdp-native"
    attach = "native"
