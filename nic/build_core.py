"""Builds `nic._core`, the compiled part of the ports that every installation has.

What Python sees of the C side is cut out of the headers themselves (between their `cffi` lines), so
there is no second description to fall behind. Run as a script it builds in place.
"""

from __future__ import annotations

from pathlib import Path

from cffi import FFI

_ROOT = Path(__file__).resolve().parent.parent
_BEGIN, _END = "/* cffi: begin */", "/* cffi: end */"

HEADERS = ("port.h", "clock.h", "checked.h", "backends.h", "tcp.h", "handoff.h", "udp_template.h")
PORT_SOURCES = (
    *(
        "clock.c",
        "checked.c",
        "udp_frame.c",
        "udp_template.c",
        "socket.c",
        "socket_join.c",
        "lines.c",
        "replay.c",
    ),
    *("tcp.c", "tcp_send.c", "tcp_open.c", "delegated.c", "handoff.c", "handoff_pump.c"),
)


def declarations(header: Path) -> str:
    """The part of a header between its `cffi` lines; ValueError where they are missing."""
    text = header.read_text(encoding="utf-8")
    begin, end = text.find(_BEGIN), text.find(_END)
    if begin < 0 or end < begin:
        raise ValueError(f"{header}: expected the lines {_BEGIN} and {_END}")
    return text[begin + len(_BEGIN) : end]


def _sources() -> list[str]:
    captures = sorted((_ROOT / "captures" / "csrc").glob("*.c"))
    ports = [_ROOT / "nic" / "csrc" / name for name in PORT_SOURCES]
    return [str(path.relative_to(_ROOT)) for path in (*ports, *captures)]


def _headers() -> list[str]:
    folders = (_ROOT / "nic" / "csrc", _ROOT / "captures" / "csrc")
    found = sorted(path for folder in folders for path in folder.glob("*.h"))
    return [str(path.relative_to(_ROOT)) for path in found]


def make_builder() -> FFI:
    """The cffi builder; paths are relative to the repository root, where the build must run."""
    builder = FFI()
    for name in HEADERS:
        builder.cdef(declarations(_ROOT / "nic" / "csrc" / name))
    builder.set_source(
        "nic._core",
        "".join(f'#include "{name}"\n' for name in HEADERS),
        sources=_sources(),
        include_dirs=["nic/csrc", "captures/csrc"],
        depends=_headers(),
        libraries=["dl"],  # dlsym, where the C library does not have it itself
        py_limited_api=True,  # one binary serves every CPython from 3.11 on
        extra_compile_args=["-std=gnu11", "-O3", "-fvisibility=hidden", "-Wall", "-Wextra"],
    )
    return builder


ffibuilder = make_builder()

if __name__ == "__main__":
    ffibuilder.compile(tmpdir=str(_ROOT), verbose=True)
