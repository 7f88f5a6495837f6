"""Whose MAC a frame to an address must carry: the host's own, or that of the router before it.

Asked once, when a port is opened that writes its own Ethernet headers.
"""

from __future__ import annotations

import socket
import time
from contextlib import nullcontext
from typing import Any

# linux/neighbour.h: states in which an entry's MAC may be used, and "resolve it, as for a packet"
_NUD_VALID = 0x02 | 0x04 | 0x08 | 0x10 | 0x40 | 0x80  # reachable, stale, delay, probe, no ARP, own
_NTF_USE = 0x01
_PAUSE_S = 0.02


class NeighbourError(OSError):
    """No MAC for an address; the message says for which and why."""


def _netlink_error() -> type[Exception]:
    import pyroute2

    error: type[Exception] = pyroute2.NetlinkError
    return error


def _next_hop(netlink: Any, index: int, address: str) -> str:
    """The router before an address, or the address itself where it is on the link."""
    for route in netlink.route("get", dst=address, oif=index):
        gateway = route.get_attr("RTA_GATEWAY")
        if gateway is not None:
            return str(gateway)
    return address


def _known_mac(netlink: Any, index: int, address: str) -> bytes | None:
    for entry in netlink.get_neighbours(socket.AF_INET, ifindex=index):
        if entry.get_attr("NDA_DST") != address or not entry["state"] & _NUD_VALID:
            continue
        text = entry.get_attr("NDA_LLADDR")
        if text is not None:
            return bytes.fromhex(str(text).replace(":", ""))
    return None


def _resolve(netlink: Any, index: int, address: str, wait_s: float) -> bytes | None:
    """Has the kernel ask the link, and waits for the answer."""
    netlink.neigh("replace", dst=address, ifindex=index, flags=_NTF_USE, state=0)
    limit_s = time.monotonic() + wait_s
    while True:
        mac = _known_mac(netlink, index, address)
        if mac is not None or time.monotonic() > limit_s:
            return mac
        time.sleep(_PAUSE_S)


def find_mac(device: str, address: str, wait_s: float = 1.0, netlink: Any = None) -> bytes:
    """The MAC (6 bytes) to which frames for an IPv4 address leave by an interface.

    Args:
        wait_s: how long to wait for an answer where the kernel does not know it yet; asking wants
            CAP_NET_ADMIN.
        netlink: a pyroute2 socket, as of another network namespace.

    Raises NeighbourError.
    """
    from pyroute2 import IPRoute

    with IPRoute() if netlink is None else nullcontext(netlink) as link:
        indices = link.link_lookup(ifname=device)
        if not indices:
            raise NeighbourError(f"{device}: no such interface")
        try:
            hop = _next_hop(link, indices[0], address)
            mac = _known_mac(link, indices[0], hop) or _resolve(link, indices[0], hop, wait_s)
        except _netlink_error() as error:
            raise NeighbourError(f"{address} by {device}: {error.args[-1]}") from None
    if mac is None:
        raise NeighbourError(f"{hop} by {device}: no answer to ARP")
    return mac


def find_ipv4(device: str, netlink: Any = None) -> str | None:
    """The first IPv4 address of an interface, None where it has none or is not there."""
    from pyroute2 import IPRoute

    with IPRoute() if netlink is None else nullcontext(netlink) as link:
        for index in link.link_lookup(ifname=device):
            for entry in link.get_addr(socket.AF_INET, index=index):
                address = entry.get_attr("IFA_LOCAL") or entry.get_attr("IFA_ADDRESS")
                if address is not None:
                    return str(address)
    return None
