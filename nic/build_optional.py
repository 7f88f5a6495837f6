"""Builders of backends that want something of their machine: a library, or a header of its kernel.

Each is an extension of its own, built where what it wants is found, so that none of them keeps the
package from being installed. Their C side gives addresses as integers: the types of `port.h` belong
to `nic._core` alone, and `OpenBackend.at` makes them of the addresses again.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from cffi import FFI

from nic.build_core import _ROOT, _headers, declarations

FLAGS = ("-std=gnu11", "-O3", "-fvisibility=hidden", "-Wall", "-Wextra")


def optional_builder(
    module: str, headers: Sequence[str], sources: Sequence[str], **build: Any
) -> FFI:
    """A cffi builder of `module` from files in nic/csrc.

    Args:
        headers: included, and their parts between the `cffi` lines declared to Python.
        sources: C files.
        build: as of setuptools' Extension: libraries, include_dirs, extra_compile_args …
    """
    builder = FFI()
    for name in headers:
        builder.cdef(declarations(_ROOT / "nic" / "csrc" / name))
    flags = [*FLAGS, *build.pop("extra_compile_args", ())]
    folders = ["nic/csrc", "captures/csrc", *build.pop("include_dirs", ())]
    builder.set_source(
        module,
        "".join(f'#include "{name}"\n' for name in headers),
        sources=[f"nic/csrc/{name}" for name in sources],
        include_dirs=folders,
        depends=_headers(),
        py_limited_api=True,
        optional=True,
        extra_compile_args=flags,
        **build,
    )
    return builder
