"""The same traffic over a real NIC: sent by an ordinary socket, received over ef_vi by a cable.

SWEEPWIRE_EFVI_RX names the interface of the Solarflare or AMD NIC, SWEEPWIRE_EFVI_TX one that is
cabled to it, of any make. `make efvi-check` runs the port tests so.
"""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Sequence
from pathlib import Path

from port_rigs import GROUP, HEADERS_BYTES, UDP_PORT, Rig, udp_frame

from nic.efvi import open_efvi
from nic.port import BACKENDS, Port, PortError, PortStats, open_port
from nic.uri import parse_uri

RX_VARIABLE, TX_VARIABLE = "SWEEPWIRE_EFVI_RX", "SWEEPWIRE_EFVI_TX"
PEER_OPTIONS = "source=192.0.2.1&to=127.0.0.1@02:00:00:00:00:09"
X3_PAYLOAD_BYTES = 1900
# Sent frames are on their way for microseconds; drivers tell their drops once a second.
CABLE_S, DROPS_S = 0.05, 1.5
ETH_P_ALL = 3


def is_asked_for() -> bool:
    """Whether the variables are set."""
    return bool(os.environ.get(RX_VARIABLE) and os.environ.get(TX_VARIABLE))


def _payload_bytes(device: str) -> int:
    """Largest UDP payload that an interface's MTU allows."""
    return int(Path(f"/sys/class/net/{device}/mtu").read_text()) - 28


def why_no_check() -> str | None:
    """Why the tests cannot run on this machine's NIC."""
    reason = BACKENDS["efvi"].missing(Path("/"))
    if reason is not None:
        return f"the ef_vi backend is not available: {reason}"
    if not is_asked_for():
        return (
            f"no NIC is named: set {RX_VARIABLE} to the NIC's interface and {TX_VARIABLE} to one "
            "that is cabled to it"
        )
    for variable in (RX_VARIABLE, TX_VARIABLE):
        name = os.environ[variable]
        if not Path(f"/sys/class/net/{name}").exists():
            return f"{variable}={name}: no such interface"
    if os.geteuid() != 0:
        return f"sending on {os.environ[TX_VARIABLE]} needs root"
    try:
        open_port(f"efvi:{os.environ[RX_VARIABLE]}").close()
    except PortError as error:
        return str(error)
    return None


class SlowlyToldPort(Port):
    """A port whose driver tells drops late."""

    def stats(self) -> PortStats:
        """The counters, once they are up to date."""
        time.sleep(DROPS_S)
        return super().stats()


class NicRig(Rig):
    """Sends by a raw socket on the other end of the cable."""

    scheme = "efvi"
    label = "efvi-nic"

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.device = os.environ[RX_VARIABLE]
        other = os.environ[TX_VARIABLE]
        self.wire = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ETH_P_ALL))
        self.wire.bind((other, 0))
        shorter = min(_payload_bytes(self.device), _payload_bytes(other))
        self.longest_bytes = min(9000, shorter)  # type: ignore[misc]

    @classmethod
    def why_not(cls) -> str | None:
        return why_no_check()

    def open(
        self,
        payloads: Sequence[bytes],
        *,
        ring: int = 4096,
        keep_bytes: int | None = None,
        rcvbuf_bytes: int = 1 << 22,
    ) -> Port:
        queue = 512 if rcvbuf_bytes < 1 << 20 else 2048
        kept = f"&frame={HEADERS_BYTES + keep_bytes}" if keep_bytes is not None else ""
        uri = f"efvi:{self.device}?{PEER_OPTIONS}&ring={ring}&rx_queue={queue}{kept}"
        opened = SlowlyToldPort(uri, open_efvi(parse_uri(uri)))
        opened.join(GROUP, UDP_PORT)
        for payload in payloads:
            self.send(payload)
        time.sleep(CABLE_S)
        return opened

    def send(self, payload: bytes) -> None:
        self.wire.send(udp_frame(payload))

    def sent(self, count: int, wait_s: float = 2.0) -> list[bytes]:
        """The next frames of UDP that the NIC sent to the other end."""
        frames: list[bytes] = []
        self.wire.settimeout(wait_s)
        while len(frames) < count:
            frame = self.wire.recv(65536)
            if frame[12:14] == b"\x08\x00" and frame[23] == socket.IPPROTO_UDP:
                frames.append(frame)
        return frames

    def close(self) -> None:
        self.wire.close()
