"""Opens `socket:` ports: UDP sockets on one interface, no privilege needed.

`socket:INTERFACE`; options:

* `rcvbuf` kernel buffer of each joined line, as in `8MiB`; refused where the kernel grants less
  (unset: the system's default)
* `ring` buffers of the port, a power of two
* `frame` largest UDP payload kept whole, in bytes; longer ones are cut and counted
* `busy_poll` microseconds that the kernel polls the NIC in a read (SO_BUSY_POLL)
* `ttl` of multicasts sent
* `poison` 1: released frames are overwritten with 0xDB (the default of a checked build)
"""

from __future__ import annotations

from nic._core import ffi, lib
from nic.backend import OpenBackend, PortError
from nic.kernelcache import checked_build
from nic.uri import OptionReader, PortUri, integer, power_of_two, read_options, size_bytes

OPTIONS: dict[str, OptionReader] = {
    "rcvbuf": size_bytes(2**30),
    "ring": power_of_two(2**20),
    "frame": integer(1, 65507),
    "busy_poll": integer(0, 1_000_000),
    "ttl": integer(0, 255),
    "poison": integer(0, 1),
}


def open_socket(uri: PortUri) -> OpenBackend:
    """Opens the port's ring and its sending socket. Raises UriError or PortError."""
    values = read_options(uri, OPTIONS)
    device = ffi.new("char[]", uri.target.encode())
    config = ffi.new("swp_socket_config *")
    config.device = device
    config.ring_count = values.get("ring", 1024)
    config.frame_bytes = values.get("frame", 2048)
    config.rcvbuf_bytes = values.get("rcvbuf", 0)
    config.busy_poll_us = values.get("busy_poll", 0)
    config.ttl = values.get("ttl", 1)
    config.poison = values.get("poison", int(checked_build()))
    handle, reason = ffi.new("void **"), ffi.new("char[]", lib.SWP_ERROR_TEXT_BYTES)
    if lib.swp_socket_open(config, handle, reason) < 0:
        raise PortError(f"{uri.text}: {ffi.string(reason).decode(errors='replace')}")
    return OpenBackend(lib.swp_socket_ops(), handle[0])
