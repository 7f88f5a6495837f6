"""Builds `captures._capture`, the cffi extension around the cursor, the merge and the trailers.

The declarations come from capture.h itself, so that there is one description of every struct.
"""

from __future__ import annotations

import re
from pathlib import Path

import cffi

_ROOT = Path(__file__).resolve().parent.parent
_C_FOLDER = Path("captures") / "csrc"

INCLUDE_FOLDER = str(_C_FOLDER)
C_SOURCES = [
    str(_C_FOLDER / name)
    for name in ("capture.c", "pcapng.c", "erf.c", "merge.c", "trailer.c", "pack.c")
]
C_HEADERS = [str(_C_FOLDER / name) for name in ("capture.h", "bytes.h")]
COMPILE_ARGUMENTS = ["-O3", "-std=gnu11", "-Wall", "-Wextra"]


def declarations(header_text: str) -> str:
    """What stands between the two `cffi` marker comments of a header, without comments."""
    found = re.search(r"/\* cffi: begin \*/(.*)/\* cffi: end \*/", header_text, re.DOTALL)
    if found is None:
        raise ValueError("capture.h: expected the marker comments 'cffi: begin' and 'cffi: end'")
    return re.sub(r"/\*.*?\*/", "", found.group(1), flags=re.DOTALL)


ffibuilder = cffi.FFI()
ffibuilder.cdef(declarations((_ROOT / _C_FOLDER / "capture.h").read_text()))
ffibuilder.set_source(
    "captures._capture",
    '#include "capture.h"\n',
    sources=C_SOURCES,
    include_dirs=[INCLUDE_FOLDER],
    depends=C_HEADERS,
    extra_compile_args=COMPILE_ARGUMENTS,
)
