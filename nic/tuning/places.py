"""Where settings are read and written: one door for files, file lines, cgroups, PCI and NICs.

A place is a text. Without a known word before its first colon it is a file, relative to the root;
`line:FILE#NAME`, `cpuset:FOLDER`, `pci:ADDRESS` and `ethtool:INTERFACE/SECTION/NAME` are the
others.
"""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

from nic.tuning import cpuset, files, pcibind

ROOT = Path("/")


class NicSettings(Protocol):
    """What `nic.tuning.ethtool.Ethtool` offers; tests have one without a device."""

    def read_section(self, interface: str, section: str) -> dict[str, int] | None:
        """All numbers of a section."""

    def read(self, interface: str, section: str, name: str) -> str | None:
        """One number."""

    def write(self, interface: str, section: str, name: str, value: str) -> None:
        """Sets one number."""


class Places:
    """Settings under `sysroot`. NICs are asked over netlink, so only at the real root."""

    def __init__(self, sysroot: Path = ROOT, nics: NicSettings | None = None) -> None:
        self.sysroot = sysroot
        self._nics = nics

    @property
    def nics(self) -> NicSettings | None:
        """Whom to ask about NICs; None under a made-up root."""
        if self._nics is None and self.sysroot == ROOT:
            from nic.tuning.ethtool import Ethtool  # netlink takes a while to import

            self._nics = Ethtool()
        return self._nics

    def read(self, place: str) -> str | None:
        """The value now; None where there is no such place. Raises OSError."""
        scheme, _, rest = place.partition(":")
        if scheme == "line":
            path, _, name = rest.partition("#")
            return files.read_assignment(self.sysroot / path, name)
        if scheme == "cpuset":
            folder = self.sysroot / rest
            return cpuset.read_partition(folder) if folder.parent.is_dir() else None
        if scheme == "pci":
            return pcibind.read_driver(self.sysroot, rest)
        if scheme == "ethtool":
            nics = self.nics
            return None if nics is None else nics.read(*_nic_place(rest))
        return files.read_file(self.sysroot / place)

    def write(self, place: str, value: str) -> None:
        """Sets the value. Raises OSError."""
        scheme, _, rest = place.partition(":")
        if scheme == "line":
            path, _, name = rest.partition("#")
            files.write_assignment(self.sysroot / path, name, value)
        elif scheme == "cpuset":
            cpuset.write_partition(self.sysroot / rest, value)
        elif scheme == "pci":
            pcibind.write_driver(self.sysroot, rest, value)
        elif scheme == "ethtool":
            nics = self.nics
            if nics is None:
                raise FileNotFoundError(f"{place}: no NIC is looked at under {self.sysroot}")
            nics.write(*_nic_place(rest), value)
        else:
            files.write_file(self.sysroot / place, value)


def _nic_place(rest: str) -> tuple[str, str, str]:
    interface, section, name = rest.split("/")
    return interface, section, name
