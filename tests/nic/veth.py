"""Two network namespaces of a test's own, joined by veth pairs; and work done inside of them."""

from __future__ import annotations

import ctypes
import fcntl
import os
import socket
import struct
import threading
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from nic.port import Port, open_port

SENDER_IP, RECEIVER_IP = "10.77.0.1", "10.77.0.2"
SENDER_MAC, RECEIVER_MAC = "02:00:0a:4d:00:01", "02:00:0a:4d:00:02"
VLAN = 77
_CLONE_NEWNET = 0x4000_0000
_ETH_P_IP = 0x0800
_SIOCETHTOOL, _ETHTOOL_GFLAGS, _ETHTOOL_SFLAGS, _ETH_FLAG_RXVLAN = 0x8946, 0x25, 0x26, 1 << 8


def inside(namespace: str, work: Callable[[], Any]) -> Any:
    """Runs `work` on a thread that has moved into a network namespace (sockets stay there)."""
    outcome: list[Any] = []

    def run() -> None:
        try:
            with Path("/var/run/netns", namespace).open("rb") as handle:
                libc = ctypes.CDLL(None, use_errno=True)
                if libc.setns(handle.fileno(), _CLONE_NEWNET):
                    raise OSError(ctypes.get_errno(), "setns")
            outcome.append((work(), None))
        except BaseException as error:
            outcome.append((None, error))

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    result, error = outcome[0]
    if error is not None:
        raise error
    return result


@dataclass(frozen=True, slots=True)
class Link:
    """Two namespaces joined by veth pairs: `tx0` in the sender's, `rx0` in the receiver's.

    The `.77` pair stands for the VLAN: the kernel gives a VLAN's traffic out of an interface called
    `rx0.77`, and a second pair of that name does the same without the kernel's VLAN module, which
    small kernels lack.
    """

    sender: str
    receiver: str
    handles: tuple[Any, Any]

    def open(self, namespace: str, uri: str, *joins: tuple[str, int, int]) -> Port:
        """A port in a namespace, joined to (group, UDP port, VLAN)s."""

        def work() -> Port:
            port = open_port(uri)
            try:
                for group, udp_port, vlan in joins:
                    port.join(group, udp_port, vlan)
            except BaseException:
                port.close()
                raise
            return port

        return inside(namespace, work)  # type: ignore[no-any-return]

    def packet_socket(self, *, listen: bool = False) -> socket.socket:
        """A socket at the sender's end that sends whole frames, and gets the IPv4 ones to it."""

        def work() -> socket.socket:
            made = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
            made.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1 << 22)
            made.bind(("tx0", _ETH_P_IP if listen else 0))
            made.settimeout(5)
            return made

        return inside(self.sender, work)  # type: ignore[no-any-return]

    def set_state(self, state: str) -> None:
        """Sets the receiver's interface `up` or `down`."""
        handle = self.handles[1]
        handle.link("set", index=handle.link_lookup(ifname="rx0")[0], state=state)

    def set_mtu(self, mtu: int) -> None:
        """Sets the largest IP packet of both ends, in bytes."""
        for handle, name in zip(self.handles, ("tx0", "rx0"), strict=True):
            handle.link("set", index=handle.link_lookup(ifname=name)[0], mtu=mtu)

    def know_neighbours(self) -> None:
        """Tells both kernels each other's MAC, so that nobody has to ask the network."""
        known = (("tx0", RECEIVER_IP, RECEIVER_MAC), ("rx0", SENDER_IP, SENDER_MAC))
        for handle, (name, address, mac) in zip(self.handles, known, strict=True):
            index = handle.link_lookup(ifname=name)[0]
            handle.neigh("replace", dst=address, lladdr=mac, ifindex=index, state="permanent")

    def forget_neighbours(self) -> None:
        """Has both kernels ask the network again who is there."""
        for handle, name in zip(self.handles, ("tx0", "rx0"), strict=True):
            index = handle.link_lookup(ifname=name)[0]
            for found in list(handle.get_neighbours(ifindex=index)):
                handle.neigh("del", dst=found.get_attr("NDA_DST"), ifindex=index)

    def set_tags_kept(self, kept: bool) -> None:
        """Whether the receiver's interface leaves VLAN tags in the frames."""
        inside(self.receiver, lambda: _set_flag("rx0", _ETH_FLAG_RXVLAN, not kept))


def _set_flag(name: str, flag: int, on: bool) -> None:
    """Sets a feature of an interface as `ethtool -K` does."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as control:
        value = bytearray(struct.pack("II", _ETHTOOL_GFLAGS, 0))
        pointer = (ctypes.c_char * len(value)).from_buffer(value)
        request = struct.pack("16sQ", name.encode(), ctypes.addressof(pointer)) + bytes(16)
        fcntl.ioctl(control, _SIOCETHTOOL, request)
        flags = struct.unpack("II", value)[1]
        value[:] = struct.pack("II", _ETHTOOL_SFLAGS, flags | flag if on else flags & ~flag)
        fcntl.ioctl(control, _SIOCETHTOOL, request)


def _bring_up(handle: Any, name: str, address: str, mac: str, mtu: int) -> None:
    index = handle.link_lookup(ifname=name)[0]
    handle.addr("add", index=index, address=address, prefixlen=24)
    handle.link("set", index=handle.link_lookup(ifname="lo")[0], state="up")
    handle.link("set", index=index, state="up", address=mac, mtu=mtu)


def _connect(sender: Any, receiver: Any, receiver_namespace: str, queues: int, mtu: int) -> None:
    counts = {"num_tx_queues": queues, "num_rx_queues": queues}
    for suffix, subnet in (("", "10.77.0"), (f".{VLAN}", "10.77.1")):
        peer = {"ifname": f"rx0{suffix}", "net_ns_fd": receiver_namespace, **counts}
        sender.link("add", ifname=f"tx0{suffix}", kind="veth", peer=peer, **counts)
        _bring_up(sender, f"tx0{suffix}", f"{subnet}.1", SENDER_MAC, mtu)
        _bring_up(receiver, f"rx0{suffix}", f"{subnet}.2", RECEIVER_MAC, mtu)


@contextmanager
def veth_link(*, queues: int = 1, mtu: int = 1500) -> Iterator[Link]:
    """Makes the namespaces and the pairs, and removes them. Skips the test where it may not."""
    pyroute2 = pytest.importorskip("pyroute2")
    if os.geteuid() != 0:
        pytest.skip("making network namespaces needs root")
    names = [f"swp-{side}-{uuid.uuid4().hex[:8]}" for side in ("tx", "rx")]
    handles: list[Any] = []
    made: list[str] = []
    try:
        for name in names:
            try:
                pyroute2.netns.create(name)
            except (OSError, pyroute2.NetlinkError) as error:
                pytest.skip(f"network namespaces cannot be made here: {error}")
            made.append(name)
            handles.append(pyroute2.NetNS(name))
        try:
            _connect(handles[0], handles[1], names[1], queues, mtu)
        except pyroute2.NetlinkError as error:
            pytest.skip(f"veth cannot be made here: {error}")
        yield Link(names[0], names[1], (handles[0], handles[1]))
    finally:
        for handle in handles:
            handle.close()
        for name in made:
            pyroute2.netns.remove(name)
