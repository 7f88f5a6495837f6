"""Builds `nic._efvi`, ports over ef_vi, where Onload's headers and its libciul are installed.

The library is linked statically where it is there as an archive, as its makers advise: it then fits
the headers for ever, and the driver is what must be as new as it.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from cffi import FFI

from nic.build_core import _ROOT
from nic.build_optional import optional_builder
from nic.tuning.backends import CIUL_LIBRARIES, find_header, find_library

MODULE = "nic._efvi"
HEADERS = ("efvi.h",)
SOURCES = (
    "efvi_open.c",
    "efvi_memory.c",
    "efvi_join.c",
    "efvi_rx.c",
    "efvi_rx_classic.c",
    "efvi_rx_efct.c",
    "efvi_tx.c",
    "frame_checksum.c",
    "lines.c",
    "udp_destinations.c",
    "udp_frame.c",
    "udp_template.c",
)


def onload_paths(sysroot: Path) -> dict[str, Any]:
    """Compiler and linker arguments for Onload's installation; FileNotFoundError without one."""
    header = find_header(sysroot, "etherfabric/vi.h")
    library = find_library(sysroot, *CIUL_LIBRARIES)
    if header is None or library is None:
        raise FileNotFoundError("etherfabric/vi.h and libciul (onload-devel)")
    arguments: dict[str, Any] = {
        "include_dirs": [str(header.parent.parent)],
        "extra_link_args": [str(library)],
    }
    if library.suffix != ".a":
        arguments["runtime_library_dirs"] = [str(library.parent)]
    return arguments


def ffibuilder() -> FFI:
    """The cffi builder; paths are relative to the repository root, where the build must run.

    A function, which cffi calls: tests want the lists above where there is no Onload.
    """
    return optional_builder(MODULE, HEADERS, SOURCES, **onload_paths(Path("/")))


if __name__ == "__main__":
    ffibuilder().compile(tmpdir=str(_ROOT), verbose=True)
