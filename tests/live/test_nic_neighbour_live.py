"""MACs of neighbours and routers, asked of a link between two network namespaces."""

from __future__ import annotations

import os
import uuid
from collections.abc import Iterator
from typing import Any, NamedTuple

import pytest

from nic.neighbour import NeighbourError, find_ipv4, find_mac

HERE, THERE, ROUTED, DARK = "10.78.0.1", "10.78.0.2", "198.51.100.7", "10.78.0.9"


class Link(NamedTuple):
    """The near end as netlink sees it, and the far end's MAC."""

    netlink: Any
    far_mac: bytes


def _bring_up(handle: Any, name: str, address: str) -> int:
    index = int(handle.link_lookup(ifname=name)[0])
    handle.addr("add", index=index, address=address, prefixlen=24)
    handle.link("set", index=index, state="up")
    return index


@pytest.fixture(scope="module")
def link() -> Iterator[Link]:
    pyroute2 = pytest.importorskip("pyroute2")
    if os.geteuid() != 0:
        pytest.skip("making network namespaces needs root")
    names = [f"swp-near-{uuid.uuid4().hex[:8]}", f"swp-far-{uuid.uuid4().hex[:8]}"]
    made: list[str] = []
    handles: list[Any] = []
    try:
        try:
            for name in names:
                pyroute2.netns.create(name)
                made.append(name)
                handles.append(pyroute2.NetNS(name))
            near, far = handles
            near.link(
                "add", ifname="near0", kind="veth", peer={"ifname": "far0", "net_ns_fd": names[1]}
            )
            index = _bring_up(far, "far0", THERE)
            _bring_up(near, "near0", HERE)
            near.route("add", dst="198.51.100.0/24", gateway=THERE)
        except (OSError, pyroute2.NetlinkError) as error:
            pytest.skip(f"no link between namespaces can be made here: {error}")
        text = far.get_links(index)[0].get_attr("IFLA_ADDRESS")
        yield Link(near, bytes.fromhex(text.replace(":", "")))
    finally:
        for handle in handles:
            handle.close()
        for name in made:
            pyroute2.netns.remove(name)


@pytest.mark.parametrize("address", [THERE, ROUTED], ids=["on the link", "behind a router"])
def test_the_mac_is_that_of_the_next_hop(link: Link, address: str) -> None:
    assert find_mac("near0", address, 5.0, link.netlink) == link.far_mac


def test_who_does_not_answer_is_named(link: Link) -> None:
    with pytest.raises(NeighbourError, match=f"{DARK} by near0: no answer to ARP"):
        find_mac("near0", DARK, 0.1, link.netlink)


def test_the_interfaces_own_address_is_found(link: Link) -> None:
    assert find_ipv4("near0", link.netlink) == HERE
    assert find_ipv4("nosuch0", link.netlink) is None


def test_an_interface_that_is_not_there_is_named() -> None:
    with pytest.raises(NeighbourError, match="nosuch0: no such interface"):
        find_mac("nosuch0", THERE)
