"""Opens `efvi:` ports: ef_vi, the queues of a Solarflare or AMD NIC in this process.

`efvi:INTERFACE`; options:

* `ring` frames that may be unreleased at a time, a power of two
* `frame` largest frame kept whole, in bytes; longer ones are cut and counted (unset: as long as the
  interface's MTU allows)
* `rx_queue`, `tx_queue` descriptors of the NIC's queues
* `timestamps` 0: the system's time in place of the NIC's
* `bad_frames` 1: give out what the NIC calls bad, flagged; it counts in either case
* `igmp` 0: no ordinary socket joins the groups, for switches that forward them anyway
* `copy` 1: X3: copy frames, so that the shared buffers go back at once
* `exclusive` 1: X3: a receive queue that no other program shares
* `poison` 1: overwrite released buffers, to find who reads them; on an X3 with `copy` only
* `ctpio` 0: send by DMA although the NIC has CTPIO
* `cut_through` bytes on the NIC before it starts to send; 0: all of them
* `ttl` of multicasts sent
* `source` IPv4 address that datagrams come from (unset: the interface's); `source_port` its port
* `to` unicast addresses that datagrams are sent to, with commas, each with its MAC where the kernel
  cannot find it: `10.1.2.3,10.1.9.9@00:0f:53:01:02:03`
"""

from __future__ import annotations

import importlib
import ipaddress
from typing import Any

from nic.backend import OpenBackend, PortError
from nic.neighbour import NeighbourError, find_ipv4, find_mac
from nic.uri import OptionReader, PortUri, choice, integer, power_of_two, read_options

_SWITCH = choice({"0": 0, "1": 1})
_MAC_BYTES = 6


def _read_ipv4(text: str) -> int:
    try:
        return int(ipaddress.IPv4Address(text))
    except ValueError:
        raise ValueError(f"expected an IPv4 address, not {text}") from None


def _read_mac(text: str) -> bytes:
    parts = text.split(":")
    try:
        mac = bytes(int(part, 16) for part in parts if 1 <= len(part) <= 2)
    except ValueError:
        mac = b""
    if len(parts) != _MAC_BYTES or len(mac) != _MAC_BYTES:
        raise ValueError(f"expected a MAC like 00:0f:53:01:02:03, not {text}")
    return mac


def _read_peers(text: str) -> tuple[tuple[int, bytes | None], ...]:
    """(IPv4 address, MAC or None) of each place."""
    peers = []
    for part in text.split(","):
        address, at, mac = part.partition("@")
        peers.append((_read_ipv4(address), _read_mac(mac) if at else None))
    return tuple(peers)


OPTIONS: dict[str, OptionReader] = {
    "ring": power_of_two(2**20),
    "frame": integer(64, 16384),
    "rx_queue": choice({str(count): count for count in (512, 1024, 2048, 4096)}),
    "tx_queue": choice({str(count): count for count in (512, 1024, 2048)}),
    "timestamps": _SWITCH,
    "bad_frames": _SWITCH,
    "igmp": _SWITCH,
    "copy": _SWITCH,
    "exclusive": _SWITCH,
    "poison": _SWITCH,
    "ctpio": _SWITCH,
    "cut_through": integer(0, 9000),
    "ttl": integer(0, 255),
    "source": _read_ipv4,
    "source_port": integer(1, 65535),
    "to": _read_peers,
}


def _fill_peers(uri: PortUri, peers: tuple[tuple[int, bytes | None], ...], ffi: Any) -> Any:
    out = ffi.new("swp_efvi_peer[]", len(peers) + 1)
    for peer, (address, mac) in zip(out, peers, strict=False):
        try:
            found = mac or find_mac(uri.target, str(ipaddress.IPv4Address(address)))
        except NeighbourError as error:
            raise PortError(
                f"{uri.text}: option to: no MAC of {error}; name it: ADDRESS@MAC"
            ) from None
        peer.ipv4 = address
        peer.mac = list(found)
    return out


def _source(uri: PortUri, values: dict[str, Any]) -> int:
    if "source" in values:
        return int(values["source"])
    address = find_ipv4(uri.target)
    return 0 if address is None else int(ipaddress.IPv4Address(address))


def _fill_config(uri: PortUri, values: dict[str, Any], ffi: Any) -> Any:
    config = ffi.new("swp_efvi_config *")
    config.peer_count = len(values.get("to", ()))
    config.ring_count = values.get("ring", 1024)
    config.frame_bytes = values.get("frame", 0)
    config.rx_queue_count = values.get("rx_queue", 2048)
    config.tx_queue_count = values.get("tx_queue", 512)
    config.cut_through_bytes = values.get("cut_through", 0)
    config.source_ipv4 = _source(uri, values)
    config.source_port = values.get("source_port", 49152)
    config.ttl = values.get("ttl", 1)
    for name, default in (("ctpio", 1), ("timestamps", 1), ("igmp", 1)):
        setattr(config, name, values.get(name, default))
    for name in ("bad_frames", "copy", "exclusive", "poison"):
        setattr(config, name, values.get(name, 0))
    return config


def open_efvi(uri: PortUri, extension: Any = None, drops_path: str | None = None) -> OpenBackend:
    """Opens the NIC's queues. Raises UriError or PortError.

    Args:
        extension: the compiled module, for tests; `nic._efvi` where it is None.
        drops_path: file with the interface's count of frames for which it had no buffer.
    """
    values = read_options(uri, OPTIONS)
    module = extension or importlib.import_module("nic._efvi")
    ffi, lib = module.ffi, module.lib
    drops = drops_path or f"/sys/class/net/{uri.target}/statistics/rx_dropped"
    device, path = ffi.new("char[]", uri.target.encode()), ffi.new("char[]", drops.encode())
    peers = _fill_peers(uri, values.get("to", ()), ffi)
    config = _fill_config(uri, values, ffi)
    config.device, config.drops_path, config.peers = device, path, peers
    handle, reason = ffi.new("uint64_t *"), ffi.new("char[]", lib.SWP_EFVI_TEXT_BYTES)
    if lib.swp_efvi_open(config, handle, reason) < 0:
        raise PortError(f"{uri.text}: {ffi.string(reason).decode(errors='replace')}")
    size = ffi.new("uint64_t *")
    base = int(lib.swp_efvi_pool(handle[0], size))
    regions = ((base, int(size[0])),) if size[0] else ()
    return OpenBackend.at(lib.swp_efvi_ops(), handle[0], regions)
