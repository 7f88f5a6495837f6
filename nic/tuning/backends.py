"""Why a backend cannot be used on this machine: None where it can."""

from __future__ import annotations

import importlib.util
import os
import re
from collections.abc import Callable
from pathlib import Path

from nic.tuning.fact import read_text

_XDP_FIRST_KERNEL = (5, 4)
_CAP_NET_ADMIN, _CAP_NET_RAW, _CAP_SYS_ADMIN, _CAP_BPF = 12, 13, 21, 39
_LIBRARY_FOLDERS = (
    "usr/lib",
    "usr/lib64",
    "usr/local/lib",
    "usr/local/lib64",
    "usr/lib/x86_64-linux-gnu",
    "usr/lib/aarch64-linux-gnu",
    "usr/local/lib/x86_64-linux-gnu",
    "opt/onload/lib",
)
# An archive comes first: ef_vi is best linked statically.
CIUL_LIBRARIES = ("libciul1.a", "libciul.a", "libciul.so", "libciul.so.1")
_INCLUDE_FOLDERS = ("usr/include", "usr/local/include", "opt/onload/include")


def always_there(_sysroot: Path) -> None:
    """For backends that need nothing but the kernel."""


def kernel_version(sysroot: Path) -> tuple[int, int]:
    """(major, minor) of the running kernel; (0, 0) where it is not told."""
    text = read_text(sysroot / "proc/sys/kernel/osrelease") or ""
    numbers = re.match(r"(\d+)\.(\d+)", text)
    return (int(numbers[1]), int(numbers[2])) if numbers else (0, 0)


def has_capability(sysroot: Path, number: int) -> bool:
    """Whether this process holds a capability now."""
    for line in (read_text(sysroot / "proc/self/status") or "").splitlines():
        if line.startswith("CapEff:"):
            return bool(int(line.split()[1], 16) >> number & 1)
    return False


def find_header(sysroot: Path, name: str) -> Path | None:
    """A C header in the usual folders."""
    candidates = (sysroot / folder / name for folder in _INCLUDE_FOLDERS)
    return next((path for path in candidates if path.is_file()), None)


def find_library(sysroot: Path, *names: str) -> Path | None:
    """The first library file of one of these names in the usual folders."""
    candidates = (sysroot / folder / name for folder in _LIBRARY_FOLDERS for name in names)
    return next((path for path in candidates if path.is_file()), None)


def find_pkg_config(sysroot: Path, name: str) -> Path | None:
    """The .pc file that pkg-config would find: its search path, then the usual folders."""
    listed = os.environ.get("PKG_CONFIG_PATH", "").split(":")
    folders = [sysroot / folder.lstrip("/") for folder in listed if folder]
    folders += [sysroot / folder / "pkgconfig" for folder in _LIBRARY_FOLDERS]
    folders += [sysroot / "usr/share/pkgconfig"]
    candidates = (folder / f"{name}.pc" for folder in folders)
    return next((path for path in candidates if path.is_file()), None)


def _not_built(module: str) -> str | None:
    if importlib.util.find_spec(module) is not None:
        return None
    return f"the extension {module} is not built"


def unbuildable_xdp(sysroot: Path) -> str | None:
    """AF_XDP is built with the kernel's own header."""
    if find_header(sysroot, "linux/if_xdp.h") is None:
        return "linux/if_xdp.h is missing (Debian: linux-libc-dev)"
    return None


def unbuildable_dpdk(sysroot: Path) -> str | None:
    """DPDK is found by pkg-config."""
    if find_pkg_config(sysroot, "libdpdk") is None:
        return "pkg-config does not know libdpdk (Debian: libdpdk-dev)"
    return None


def unbuildable_efvi(sysroot: Path) -> str | None:
    """ef_vi comes with Onload and has no pkg-config file: its header and library are looked for."""
    if find_header(sysroot, "etherfabric/vi.h") is None:
        return "etherfabric/vi.h is missing (onload-devel)"
    if find_library(sysroot, *CIUL_LIBRARIES) is None:
        return "libciul is missing (onload-devel)"
    return None


def why_no_xdp(sysroot: Path) -> str | None:
    """AF_XDP wants a kernel, and capabilities to load its filter."""
    version = kernel_version(sysroot)
    if version < _XDP_FIRST_KERNEL:
        return f"kernel {version[0]}.{version[1]} is older than 5.4"
    if (reason := unbuildable_xdp(sysroot)) is not None:
        return reason
    may_load = has_capability(sysroot, _CAP_BPF) or has_capability(sysroot, _CAP_SYS_ADMIN)
    if not (may_load and has_capability(sysroot, _CAP_NET_ADMIN)):
        return "CAP_NET_ADMIN and CAP_BPF are missing (run as root or setcap)"
    if not has_capability(sysroot, _CAP_NET_RAW):
        return "CAP_NET_RAW is missing (run as root or setcap)"
    return _not_built("nic._xdp")


def why_no_dpdk(sysroot: Path) -> str | None:
    """DPDK wants its library, and the extension that is built where that is found."""
    return unbuildable_dpdk(sysroot) or _not_built("nic._dpdk")


def why_no_efvi(sysroot: Path) -> str | None:
    """ef_vi wants Onload's headers and library, and the extension that is built with them."""
    return unbuildable_efvi(sysroot) or _not_built("nic._efvi")


# What setup.py builds where it can: nic/build_NAME.py makes nic._NAME.
OPTIONAL_BACKENDS: dict[str, Callable[[Path], str | None]] = {
    "dpdk": unbuildable_dpdk,
    "efvi": unbuildable_efvi,
}
