"""Opens `xdp:` ports: AF_XDP sockets on one interface's queues. Wants root or capabilities.

`xdp:INTERFACE`; options:

* `queue` the receive queues of the interface that are ours, as in `0` or `0-3`
* `mode` `copy`, `zerocopy` or `auto`
* `attach` where the filter sits: `native` (in the driver), `generic`, or `auto`
* `ring` frames that may be unreleased at a time, a power of two
* `depth` frames of a queue that may wait unread, a power of two
* `tx` frames that may be on their way out, a power of two
* `chunk` room of a frame in the shared memory, 2048 or 4096 bytes
* `frame` longest frame kept whole, in bytes from the Ethernet header; longer ones are cut and
  counted. A chunk has room for 256 less than its size: only with a larger `frame` do frames come in
  several chunks, and are put together; else the kernel drops and counts what is longer
* `busy_poll` microseconds; each burst drives the NIC, whose interrupts stay off
* `budget` packets that one such poll takes
* `wakeup` 0: the kernel is called at every send, also where it does not want to be
* `poison` 1: released frames are overwritten with 0xDB (the default of a checked build)
* `ttl` of multicasts sent as datagrams
* `gateway_mac` where all unicast datagrams go; else the kernel's routes and neighbours say
"""

from __future__ import annotations

import re
from typing import Any

from nic._core import lib as core
from nic.backend import OpenBackend, PortError
from nic.kernelcache import checked_build
from nic.uri import OptionReader, PortUri, choice, integer, power_of_two, read_options

_HEADROOM_BYTES = 256  # of the kernel, in each chunk
_QUEUE_LAST = 4095
_QUEUES_MAX = 64
_ENTRIES_MAX = 1 << 20


def read_queues(text: str) -> tuple[int, int]:
    """`2` or `0-3` as the first queue and their number. Raises ValueError."""
    found = re.fullmatch(r"([0-9]{1,4})(?:-([0-9]{1,4}))?", text)
    first, last = (int(found[1]), int(found[2] or found[1])) if found else (1, 0)
    count = last - first + 1
    if not 1 <= count <= _QUEUES_MAX or last > _QUEUE_LAST:
        raise ValueError(f"expected a queue or up to {_QUEUES_MAX} of them, as in 0-3")
    return first, count


def read_mac(text: str) -> int:
    """`02:00:0a:00:00:01` as an integer. Raises ValueError."""
    if not re.fullmatch(r"[0-9a-fA-F]{2}(:[0-9a-fA-F]{2}){5}", text) or int(text[:2], 16) & 1:
        raise ValueError("expected a MAC address of one station, as in 02:00:0a:00:00:01")
    return int(text.replace(":", ""), 16)


OPTIONS: dict[str, OptionReader] = {
    "queue": read_queues,
    "mode": choice({"auto": "MODE_AUTO", "copy": "MODE_COPY", "zerocopy": "MODE_ZEROCOPY"}),
    "attach": choice(
        {"auto": "ATTACH_AUTO", "generic": "ATTACH_GENERIC", "native": "ATTACH_NATIVE"}
    ),
    "ring": power_of_two(_ENTRIES_MAX),
    "depth": power_of_two(_ENTRIES_MAX),
    "tx": power_of_two(_ENTRIES_MAX),
    "chunk": choice({"2048": 2048, "4096": 4096}),
    "frame": integer(64, 65_535),
    "busy_poll": integer(0, 1_000_000),
    "budget": integer(1, 65_535),
    "wakeup": integer(0, 1),
    "poison": integer(0, 1),
    "ttl": integer(0, 255),
    "gateway_mac": read_mac,
}


def _fill(lib: Any, config: Any, values: dict[str, Any]) -> None:
    chunk_bytes = values.get("chunk", 4096)
    config.first_queue, config.queue_count = values.get("queue", (0, 1))
    config.mode = getattr(lib, "SWP_XDP_" + values.get("mode", "MODE_AUTO"))
    config.attach = getattr(lib, "SWP_XDP_" + values.get("attach", "ATTACH_AUTO"))
    config.ring_count = values.get("ring", 1024)
    config.depth_count = values.get("depth", 2048)
    config.tx_count = values.get("tx", 256)
    config.chunk_bytes = chunk_bytes
    config.frame_bytes = values.get("frame", chunk_bytes - _HEADROOM_BYTES)
    config.busy_poll_us = values.get("busy_poll", 0)
    config.busy_budget = values.get("budget", 64)
    config.need_wakeup = values.get("wakeup", 1)
    config.poison = values.get("poison", int(checked_build()))
    config.ttl = values.get("ttl", 1)
    config.gateway_mac = values.get("gateway_mac", 0)


def open_xdp(uri: PortUri) -> OpenBackend:
    """Attaches the filter and binds the sockets. Raises UriError or PortError."""
    from nic._xdp import ffi, lib  # an installation may lack it

    config, opened = ffi.new("swp_xdp_config *"), ffi.new("swp_xdp_opened *")
    _fill(lib, config, read_options(uri, OPTIONS))
    device = ffi.new("char[]", uri.target.encode())
    config.device = device
    reason = ffi.new("char[]", core.SWP_ERROR_TEXT_BYTES)
    if lib.swp_xdp_open(config, opened, reason) < 0:
        raise PortError(f"{uri.text}: {ffi.string(reason).decode(errors='replace')}")
    places = (opened.pool, opened.pool_bytes), (opened.long_pool, opened.long_pool_bytes)
    regions = tuple((int(address), int(size)) for address, size in places if size)
    return OpenBackend.at(opened.ops, opened.handle, regions)
