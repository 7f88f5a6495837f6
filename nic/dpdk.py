"""Opens `dpdk:` ports: devices that DPDK drives, PCI or virtual, polled without the kernel.

`dpdk:0` (a port of the EAL by number), `dpdk:0000:01:00.0` (a PCI device) or
`dpdk:net_pcap0,rx_pcap=FILE` (a virtual device with its arguments). A device that the EAL does not
have yet is attached when the port is opened and gone when it is closed. The options are told in the
table of nic/README.md.
"""

from __future__ import annotations

import re
from functools import cache
from typing import Any
from urllib.parse import unquote

from nic._core import lib as core
from nic.backend import OpenBackend, PortError
from nic.clock import Clock
from nic.eal import read_arguments, start_once
from nic.kernelcache import checked_build
from nic.uri import OptionReader, PortUri, choice, integer, power_of_two, read_options

_REGIONS_MAX = 1024
_FRAME_LONGEST_BYTES = 65_535
_SEGMENT_LARGEST_BYTES = 65_407  # a buffer has 128 bytes of headroom, and a 16-bit length
_SEGMENT_LEAST_BYTES = 2048
_OVERHEAD_BYTES = 26  # Ethernet, two VLAN tags and the checksum
# SWP_DPDK_STAMP_*
_STAMPS = {"auto": 0, "off": 1, "us": 2, "ns": 3}


def _read_source(text: str) -> tuple[int, int]:
    """A sender's address and port."""
    from nic.port import ipv4_number

    address, _, udp_port = text.rpartition(":")
    if not (udp_port.isascii() and udp_port.isdigit()) or not 0 < int(udp_port) < 65_536:
        raise ValueError("expected IPV4:PORT, as in 10.0.0.1:4000")
    return ipv4_number(address), int(udp_port)


def _read_mac(text: str) -> bytes:
    """The six octets of a station."""
    if not re.fullmatch(r"[0-9a-fA-F]{2}(:[0-9a-fA-F]{2}){5}", text) or int(text[:2], 16) & 1:
        raise ValueError("expected a MAC address of one station, as in 02:00:0a:00:00:01")
    return bytes.fromhex(text.replace(":", ""))


def _read_interface(text: str) -> str:
    """A name that an interface can have."""
    if not 0 < len(text.encode()) < 16:
        raise ValueError("expected the name of an interface")
    return text


OPTIONS: dict[str, OptionReader] = {
    "eal": read_arguments,
    "ring": power_of_two(2**20),
    "queues": integer(1, 1024),
    "descriptors": integer(1, 65_535),
    "mtu": integer(68, 65_535),
    "frame": integer(60, _FRAME_LONGEST_BYTES),
    "segment": integer(128, _SEGMENT_LARGEST_BYTES),
    "filter": integer(0, 1),
    "promisc": integer(0, 1),
    "flow": integer(0, 1),
    "poison": integer(0, 1),
    "stamp": choice(_STAMPS),
    "iface": _read_interface,
    "source": _read_source,
    "gateway_mac": _read_mac,
}


def _sizes(values: dict[str, Any]) -> tuple[int, int, int]:
    """(MTU, longest frame kept whole, segment), each in bytes."""
    mtu = values.get("mtu", 1500)
    frame = values.get("frame", min(max(2048, mtu + _OVERHEAD_BYTES), _FRAME_LONGEST_BYTES))
    usual = min(max(frame, _SEGMENT_LEAST_BYTES), _SEGMENT_LARGEST_BYTES)
    return mtu, frame, values.get("segment", usual)


@cache
def _clock() -> Clock:
    """Where the clocks of the ports start from; its first reading is the long arm of them all."""
    return Clock()


def _fill(ffi: Any, config: Any, values: dict[str, Any]) -> None:
    config.ring_count = values.get("ring", 4096)
    config.queue_count = values.get("queues", 1)
    config.descriptor_count = values.get("descriptors", 1024)
    config.mtu_bytes, config.frame_bytes, config.segment_bytes = _sizes(values)
    config.stamp = values.get("stamp", _STAMPS["auto"])
    config.filter = values.get("filter", 1)
    config.promiscuous = values.get("promisc", 0)
    config.flow = values.get("flow", 0)
    config.poison = values.get("poison", checked_build())
    config.source_ip, config.source_port = values.get("source", (0, 0))
    if "gateway_mac" in values:
        ffi.memmove(config.gateway_mac, values["gateway_mac"] + b"\1", 7)


def _regions(ffi: Any, lib: Any, handle: int) -> tuple[tuple[int, int], ...]:
    pairs = ffi.new("uint64_t[]", 2 * _REGIONS_MAX)
    count = min(lib.swp_dpdk_regions(handle, pairs, _REGIONS_MAX), _REGIONS_MAX)
    return tuple((pairs[2 * index], pairs[2 * index + 1]) for index in range(count))


def open_dpdk(uri: PortUri) -> OpenBackend:
    """Starts the EAL if need be, and the device. Raises UriError or PortError."""
    values = read_options(uri, OPTIONS)
    try:
        from nic._dpdk import ffi, lib
    except ImportError as error:
        raise PortError(f"{uri.text}: nic._dpdk cannot be loaded: {error}") from None
    try:
        start_once(ffi, lib, values.get("eal"))
    except PortError as error:
        raise PortError(f"{uri.text}: {error}") from None
    device = ffi.new("char[]", unquote(uri.target).encode())
    iface = ffi.new("char[]", values.get("iface", "").encode())
    config = ffi.new("swp_dpdk_config *")
    config.device, config.iface = device, iface
    config.clock = ffi.cast("void *", _clock().address)
    _fill(ffi, config, values)
    handle, reason = ffi.new("uint64_t *"), ffi.new("char[]", core.SWP_ERROR_TEXT_BYTES)
    if lib.swp_dpdk_open(config, handle, reason) < 0:
        raise PortError(f"{uri.text}: {ffi.string(reason).decode(errors='replace')}")
    regions = _regions(ffi, lib, handle[0])
    return OpenBackend.at(lib.swp_dpdk_ops(), handle[0], regions)
