"""Opens `tcp:` ports: a TCP connection to a venue's order entry, as a port.

`tcp:HOST:PORT`, where a name is resolved once, here; options:

* `bind` our own address, as in `10.1.2.3` or `10.1.2.3:40001`
* `device` the interface that the connection keeps to
* `connect_ms` how long the connect may take
* `ring` buffers of the port, a power of two, and `frame` bytes of each: the longest chunk
* `pending` bytes kept where the kernel takes only part of a message, so the longest message
* `rcvbuf`, `sndbuf` kernel buffers, as in `1MiB`; refused where the kernel grants less
* `busy_poll` microseconds that the kernel polls the NIC in a read (SO_BUSY_POLL)
* `quickack` 0 leaves acknowledgements to the kernel's delay, 1 sends them at once
* `user_timeout_ms` how long sent bytes may stay unacknowledged (TCP_USER_TIMEOUT)
* `keepalive_s` idle seconds before the kernel probes the venue, and between three probes
* `linger_ms` how long close waits for unsent bytes and for the venue's end
* `delegated` under Onload, the port that messages leave by as frames of our own: an address as
  `efvi:eth0`, or 1 for `efvi:` and the `device`; without Onload sends are plain

A send's 0 means that the message was handed over whole, to the kernel or to the pending buffer,
which leaves first at the next send or poll. -EAGAIN means that nothing of it was taken. One thread
at a time may poll and send.
"""

from __future__ import annotations

import socket
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import unquote

from nic._core import ffi, lib
from nic.backend import OpenBackend, PortError
from nic.uri import (
    OptionReader,
    PortUri,
    integer,
    parse_uri,
    power_of_two,
    read_options,
    size_bytes,
)

Endpoint = tuple[str, int]


def _split_endpoint(text: str) -> Endpoint:
    host, colon, port = text.rpartition(":")
    number = int(port) if port.isascii() and port.isdigit() else 0
    if not (host and colon and 0 < number < 65536):
        raise ValueError("expected an address and a port from 1 to 65535, as in 10.1.2.3:4001")
    return host, number


def _read_bind(text: str) -> Endpoint:
    host, number = _split_endpoint(text) if ":" in text else (text, 0)
    try:
        socket.inet_pton(socket.AF_INET, host)
    except OSError:
        raise ValueError("expected an IPv4 address, as in 10.1.2.3 or 10.1.2.3:40001") from None
    return host, number


def _read_delegated(text: str) -> str:
    if text not in ("0", "1"):
        parse_uri(text)
    return text


OPTIONS: dict[str, OptionReader] = {
    "bind": _read_bind,
    "device": str,
    "connect_ms": integer(1, 600_000),
    "ring": power_of_two(2**20),
    "frame": integer(64, 2**20),
    "pending": size_bytes(2**30),
    "rcvbuf": size_bytes(2**30),
    "sndbuf": size_bytes(2**30),
    "busy_poll": integer(0, 1_000_000),
    "quickack": integer(0, 1),
    "user_timeout_ms": integer(0, 3_600_000),
    "keepalive_s": integer(0, 32_767),
    "linger_ms": integer(0, 60_000),
    "delegated": _read_delegated,
}
_DEFAULTS: dict[str, int] = {
    "connect_ms": 3000,
    "ring": 128,
    "frame": 8192,
    "pending": 16_384,
    "quickack": 1,
}
# Options that are a field of swp_tcp_config under another name.
_FIELDS: dict[str, str] = {
    "frame": "frame_bytes",
    "ring": "ring_count",
    "pending": "pending_bytes",
    "rcvbuf": "rcvbuf_bytes",
    "sndbuf": "sndbuf_bytes",
    "busy_poll": "busy_poll_us",
}


def _address(host: str) -> int:
    """An IPv4 address in host byte order. Raises OSError where the name has none."""
    found = socket.getaddrinfo(host, None, socket.AF_INET, socket.SOCK_STREAM)
    return int.from_bytes(socket.inet_aton(str(found[0][4][0])), "big")


def _venue(uri: PortUri) -> tuple[int, int]:
    """The venue's address and port. Raises UriError or PortError."""
    try:
        host, number = _split_endpoint(unquote(uri.target))
    except ValueError as error:
        raise uri.fail(str(error)) from None
    try:
        return _address(host), number
    except (OSError, UnicodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "not a host's name"
        raise PortError(f"{uri.text}: {host}: {reason}") from None


def _fill_config(config: Any, values: dict[str, Any]) -> None:
    host, config.source_port = values.pop("bind", ("0.0.0.0", 0))
    config.source_ip = _address(host)
    for name, value in {**_DEFAULTS, **values}.items():
        setattr(config, _FIELDS.get(name, name), value)


def _open_frames(uri: PortUri, wanted: str, device: str) -> OpenBackend:
    """The port that delegated sends leave by. Raises UriError or PortError."""
    from nic.port import BACKENDS

    if wanted == "1" and not device:
        raise uri.fail("option delegated=1 needs a device; or name a port, as in efvi:eth0")
    way_out = parse_uri(f"efvi:{device}" if wanted == "1" else wanted)
    backend = BACKENDS.get(way_out.scheme)
    if backend is None:
        raise uri.fail(f"option delegated={wanted}: unknown scheme {way_out.scheme}")
    reason = backend.missing(Path("/"))
    if backend.open is None or reason is not None:
        raise PortError(f"{uri.text}: delegated sends: {way_out.scheme} is not available: {reason}")
    return backend.open(way_out)


def _open(uri: PortUri, config: Any) -> Any:
    """The handle of the connected port. Raises PortError."""
    handle, reason = ffi.new("void **"), ffi.new("char[]", lib.SWP_ERROR_TEXT_BYTES)
    if lib.swp_tcp_open(config, handle, reason) < 0:
        raise PortError(f"{uri.text}: {ffi.string(reason).decode(errors='replace')}")
    return handle[0]


def open_tcp(uri: PortUri) -> OpenBackend:
    """Connects to the venue. Raises UriError or PortError."""
    values = read_options(uri, OPTIONS)
    config = ffi.new("swp_tcp_config *")
    config.venue_ip, config.venue_port = _venue(uri)
    device, delegated = values.pop("device", ""), values.pop("delegated", "0")
    name = ffi.new("char[]", device.encode())
    _fill_config(config, values)
    config.device = name
    frames = None
    if delegated != "0" and lib.swp_onload_present():
        frames = _open_frames(uri, delegated, device)
    try:
        handle = _open(uri, config)
    except PortError:
        if frames is not None:
            frames.ops.close(frames.handle)
        raise
    if frames is not None:
        lib.swp_tcp_delegate(handle, frames.ops, frames.handle, 1)
    elif delegated != "0":
        lib.swp_tcp_delegate(handle, ffi.NULL, ffi.NULL, 0)  # notes why sends are plain
    address, size = ffi.new("uint64_t *"), ffi.new("uint64_t *")
    lib.swp_tcp_memory(handle, address, size)
    regions = ((int(address[0]), int(size[0])),)
    return OpenBackend(lib.swp_tcp_ops(), handle, regions, [] if frames is None else frames.keep)


class DelegatedSends(NamedTuple):
    """What became of messages that were to leave as frames (swp_delegated_counts).

    active: False where sends are plain altogether: not asked for, or not under Onload.
    """

    active: bool
    delegated: int
    not_prepared: int
    short_window: int
    frame_refused: int


def delegated_sends(handle: int) -> DelegatedSends:
    """The counts of an open `tcp:` port's `handle`."""
    out = ffi.new("swp_delegated_counts *")
    active = bool(lib.swp_tcp_delegated(ffi.cast("void *", handle), out))
    names = DelegatedSends._fields[1:]
    return DelegatedSends(active, *(int(getattr(out, name)) for name in names))


def duplicate_socket(handle: int) -> socket.socket:
    """A second socket object on the connection of an open `tcp:` port's `handle`.

    For looking at addresses and options, not for reading or sending. The caller closes it.
    """
    number = int(lib.swp_tcp_socket(ffi.cast("void *", handle)))
    with socket.socket(fileno=number) as own:
        try:
            return own.dup()
        finally:
            own.detach()
