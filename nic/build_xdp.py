"""Builds `nic._xdp`, the port over AF_XDP, where the kernel's own headers are found."""

from __future__ import annotations

from nic.build_core import _ROOT
from nic.build_optional import optional_builder

XDP_SOURCES = (
    "xdp.c",
    "xdp_filter.c",
    "xdp_join.c",
    "xdp_neighbour.c",
    "xdp_queues.c",
    "xdp_rx.c",
    "xdp_tx.c",
    "clock.c",
    "lines.c",
    "udp_destinations.c",
    "udp_frame.c",
    "udp_template.c",
)

ffibuilder = optional_builder("nic._xdp", ["xdp.h"], XDP_SOURCES)

if __name__ == "__main__":
    ffibuilder.compile(tmpdir=str(_ROOT), verbose=True)
