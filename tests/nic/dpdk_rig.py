"""Traffic through DPDK with neither NIC nor hugepages: captures that its net_pcap device plays.

The EAL starts once in a process, so all tests of a process share its arguments. Devices are
attached when a port is opened and go when it is closed; their names are used once.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from pathlib import Path

from port_rigs import GROUP, HEADERS_BYTES, UDP_PORT, Rig, pcap, udp_frame

from nic.port import Port, open_port

# Nothing is shared with other processes, nothing lies in the file system, no device is touched.
EAL = "--no-huge --no-pci --no-shconf -m 256"
_numbers = itertools.count()


def device(driver: str) -> str:
    """A name for a virtual device that no other has had."""
    return f"{driver}{next(_numbers)}"


def dpdk_uri(target: str, **options: object) -> str:
    """The address of a port over a device."""
    given = "".join(f"&{name}={value}" for name, value in options.items())
    return f"dpdk:{target}?eal={EAL}{given}"


def pcap_target(path: Path) -> str:
    """A new device that plays a capture once."""
    return f"{device('net_pcap')},rx_pcap={path}"


class DpdkRig(Rig):
    """Writes the traffic into a capture and has DPDK play that."""

    scheme = "dpdk"
    loses = False
    poisons = True

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.count = 0

    def open(
        self,
        payloads: Sequence[bytes],
        *,
        ring: int = 4096,
        keep_bytes: int | None = None,
        rcvbuf_bytes: int = 0,
        poison: bool = False,
    ) -> Port:
        del rcvbuf_bytes  # a capture waits for its reader
        self.count += 1
        path = self.folder / f"traffic-{self.count}.pcap"
        path.write_bytes(pcap([udp_frame(payload) for payload in payloads]))
        options = {"ring": ring, "source": "10.0.0.1:4000", "poison": int(poison)}
        if keep_bytes is not None:
            options["frame"] = HEADERS_BYTES + keep_bytes
        port = open_port(dpdk_uri(pcap_target(path), **options))
        port.join(GROUP, UDP_PORT)
        return port
