"""Which driver has a PCI device, and giving it to another (vfio-pci for DPDK).

As a setting it reads `DRIVER OVERRIDE`: `ixgbe -` is a device with the driver that claims it,
`vfio-pci vfio-pci` one that was told whom to take, `none -` one without a driver.
"""

from __future__ import annotations

import re
from pathlib import Path

from nic.tuning.files import read_file, write_file
from nic.tuning.knob import TuneError

PCI = "sys/bus/pci"
NO_DRIVER = "none"
NO_OVERRIDE = "-"
_ADDRESS = re.compile(r"[0-9a-f]{4}:[0-9a-f]{2}:[0-9a-f]{2}\.[0-7]")


def read_driver(sysroot: Path, address: str) -> str | None:
    """Driver and override; None where there is no such device."""
    device = sysroot / PCI / "devices" / address
    if not device.exists():
        return None
    link = device / "driver"
    driver = link.resolve().name if link.is_symlink() else NO_DRIVER
    override = read_file(device / "driver_override")
    return f"{driver} {NO_OVERRIDE if override in (None, '', '(null)') else override}"


def write_driver(sysroot: Path, address: str, value: str) -> None:
    """Sets the override, takes the device from its driver, lets the kernel look anew.

    Raises OSError.
    """
    driver, _, override = value.partition(" ")
    device = sysroot / PCI / "devices" / address
    write_file(device / "driver_override", "" if override == NO_OVERRIDE else override)
    held = device / "driver"
    if held.is_symlink() and held.resolve().name != driver:
        write_file(held / "unbind", address)
    if driver != NO_DRIVER and not held.is_symlink():
        write_file(sysroot / PCI / "drivers_probe", address)


def check_bind(sysroot: Path, address: str, driver: str, *, risky: bool) -> str:
    """The whole address of a device that may be bound. Raises TuneError where it may not."""
    whole = address.lower() if address.count(":") > 1 else f"0000:{address.lower()}"
    if not _ADDRESS.fullmatch(whole):
        raise TuneError(f"PCI address {address!r}: expected one like 0000:03:00.0")
    device = sysroot / PCI / "devices" / whole
    if not device.exists():
        raise TuneError(f"PCI device {whole} is not there")
    if not (sysroot / PCI / "drivers" / driver).is_dir():
        raise TuneError(f"driver {driver} is not loaded: modprobe {driver}")
    if driver == "vfio-pci" and not any((sysroot / "sys/kernel/iommu_groups").glob("*")):
        raise TuneError("vfio-pci wants an IOMMU: boot with intel_iommu=on iommu=pt")
    up = [path.name for path in sorted(device.glob("net/*")) if _is_up(path)]
    if up and not risky:
        raise TuneError(f"{whole} is {up[0]}, which is up: take it down first, or --risky")
    return whole


def _is_up(interface: Path) -> bool:
    flags = read_file(interface / "flags") or "0"
    return bool(int(flags, 16) & 1)
