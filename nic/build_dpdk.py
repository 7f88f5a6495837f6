"""Builds `nic._dpdk`, ports over DPDK, with the flags that pkg-config has for libdpdk."""

from __future__ import annotations

import shlex
import subprocess

from cffi import FFI

from nic.build_core import _ROOT
from nic.build_optional import optional_builder

SOURCES = (
    *("dpdk.c", "dpdk_device.c", "dpdk_eal.c", "dpdk_join.c"),
    *("dpdk_leftover.c", "dpdk_namespace.c"),
    *("clock.c", "lines.c", "udp_destinations.c", "udp_frame.c", "udp_template.c"),
)


def pkg_config(flag: str) -> list[str]:
    """What pkg-config says of libdpdk; nothing where it cannot be asked (the build then fails)."""
    command = ["pkg-config", flag, "libdpdk"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    except OSError:
        return []
    return shlex.split(done.stdout) if done.returncode == 0 else []


def compiler_flags() -> list[str]:
    """DPDK's own headers as those of a system: their warnings are not ours."""
    return [flag.replace("-I", "-isystem", 1) for flag in pkg_config("--cflags")]


def make_builder() -> FFI:
    """The cffi builder; to be run in the repository's root."""
    return optional_builder(
        "nic._dpdk",
        ["dpdk.h"],
        SOURCES,
        extra_compile_args=compiler_flags(),
        extra_link_args=pkg_config("--libs"),
    )


ffibuilder = make_builder()

if __name__ == "__main__":
    ffibuilder.compile(tmpdir=str(_ROOT), verbose=True)
