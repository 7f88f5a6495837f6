"""Rings, channels and interrupt coalescing of a NIC, over ethtool's netlink family.

pyroute2 brings the netlink socket; its own ethtool messages end with the rings, so the layouts of
channels and coalescing are here (linux/ethtool_netlink.h). Only what is set is sent: the rest of a
section stays as it is.
"""

from __future__ import annotations

import errno
from collections.abc import Sequence
from typing import Any

from pyroute2.netlink import NLA_F_NESTED, NLM_F_ACK, NLM_F_REQUEST, genlmsg, nla
from pyroute2.netlink.exceptions import NetlinkError
from pyroute2.netlink.generic import GenericNetlinkSocket

NOT_THERE = (errno.EOPNOTSUPP, errno.ENODEV, errno.ENOENT)


class _Header(nla):  # type: ignore[misc]
    """ETHTOOL_A_HEADER_*: which device is meant."""

    nla_flags = NLA_F_NESTED
    nla_map = (
        ("UNSPEC", "none"),
        ("DEV_INDEX", "uint32"),
        ("DEV_NAME", "asciiz"),
        ("FLAGS", "uint32"),
    )


def _message(names: Sequence[str], kinds: dict[str, str]) -> Any:
    """A message class: the header, then numbers by these names in the kernel's order."""
    rows = [("UNSPEC", "none"), ("HEADER", "which")]
    rows += [(name, kinds.get(name, "uint32")) for name in names]
    return type("Message", (genlmsg,), {"nla_map": tuple(rows), "which": _Header})


_RINGS = "rx-max rx-mini-max rx-jumbo-max tx-max rx rx-mini rx-jumbo tx".split()
_CHANNELS = "rx-max tx-max other-max combined-max rx tx other combined".split()
_COALESCE = (
    "rx-usecs rx-frames rx-usecs-irq rx-frames-irq tx-usecs tx-frames tx-usecs-irq tx-frames-irq "
    "stats-block-usecs adaptive-rx adaptive-tx"
).split()
_BYTES = {"adaptive-rx": "uint8", "adaptive-tx": "uint8"}

# Section: (message to get it, message to set it, layout)
_SECTIONS = {
    "ring": (15, 16, _message(_RINGS, {})),
    "channels": (17, 18, _message(_CHANNELS, {})),
    "coalesce": (19, 20, _message(_COALESCE, _BYTES)),
}


class Ethtool:
    """Reads and writes numbers of a section of an interface. Raises OSError."""

    def read_section(self, interface: str, section: str) -> dict[str, int] | None:
        """All numbers the device has in a section; None where it has no such section."""
        get, _, layout = _SECTIONS[section]
        try:
            answers = self._ask(layout, get, interface, {}, NLM_F_REQUEST)
        except NetlinkError as error:
            if error.code in NOT_THERE:
                return None
            raise OSError(error.code, str(error.args[-1])) from None
        attributes = dict(answers[0]["attrs"])
        # Newer kernels know attributes that have no name here; they come as raw objects.
        return {name: value for name, value in attributes.items() if isinstance(value, int)}

    def read(self, interface: str, section: str, name: str) -> str | None:
        """One number as text; None where the device does not have it."""
        found = (self.read_section(interface, section) or {}).get(name)
        return None if found is None else str(found)

    def write(self, interface: str, section: str, name: str, value: str) -> None:
        """Sets one number."""
        _, put, layout = _SECTIONS[section]
        try:
            self._ask(layout, put, interface, {name: int(value)}, NLM_F_REQUEST | NLM_F_ACK)
        except NetlinkError as error:
            raise OSError(error.code, str(error.args[-1])) from None

    def _ask(
        self, layout: Any, command: int, interface: str, values: dict[str, int], flags: int
    ) -> Any:
        with GenericNetlinkSocket() as link:
            link.bind("ethtool", layout)
            message = layout()
            message["cmd"], message["version"] = command, 1
            message["attrs"] = [("HEADER", {"attrs": [("DEV_NAME", interface)]}), *values.items()]
            return list(link.nlm_request(message, msg_type=link.prid, msg_flags=flags))
