"""Filling the channel table from configuration."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address
from typing import Any

import numpy as np

from feedhandler.channels import HASH_MULTIPLIER, NO_CHANNEL

PORT_MAX = 0xFFFF
VLAN_MAX = 4094
_U64 = (1 << 64) - 1


@dataclass(frozen=True, slots=True)
class ChannelAddress:
    """Where one line of a channel is sent. `vlan` 0 means any, tagged or not."""

    group: str
    udp_port: int
    vlan: int = 0

    def key(self) -> int:
        """Key in the table. Raises ValueError naming the field that is wrong."""
        group = int(IPv4Address(self.group))
        if group == 0:
            raise ValueError(f"group {self.group}: expected an IPv4 address other than 0.0.0.0")
        if not 0 < self.udp_port <= PORT_MAX:
            raise ValueError(f"{self.group}: udp_port {self.udp_port}: expected 1 to {PORT_MAX}")
        if not 0 <= self.vlan <= VLAN_MAX:
            raise ValueError(f"{self.group}: vlan {self.vlan}: expected 0 to {VLAN_MAX}")
        return group << 32 | self.udp_port << 16 | self.vlan


def slot_count(channel_count: int) -> int:
    """Slots for that many channels: a power of two, at most half of them used."""
    return max(2, 1 << (2 * channel_count - 1).bit_length())


def fill(
    table: np.ndarray[Any, Any],
    slots: np.ndarray[Any, Any],
    addresses: Sequence[ChannelAddress],
    *,
    default_channel: int = NO_CHANNEL,
) -> None:
    """Writes the table so that `addresses[i]` finds channel i. Both arrays lie in one block.

    `table` is one row of TABLE_DTYPE, `slots` slot_count(len(addresses)) rows of SLOT_DTYPE.
    `default_channel` receives every datagram that finds nothing, as when looking into a capture
    without a configuration. Raises ValueError on a repeated address or too few slots.
    """
    if slots.size < slot_count(len(addresses)) or slots.size & (slots.size - 1):
        raise ValueError(f"{slots.size} slots: expected {slot_count(len(addresses))} or more")
    slots[:] = np.zeros((), slots.dtype)
    shift = 64 - (slots.size.bit_length() - 1)
    for channel, address in enumerate(addresses):
        key = address.key()
        index = (key * int(HASH_MULTIPLIER) & _U64) >> shift
        while slots["key"][index]:
            if slots["key"][index] == key:
                first = int(slots["channel"][index])
                raise ValueError(f"channels {first} and {channel} have the same address {address}")
            index = (index + 1) % slots.size
        slots[index] = (key, channel)
    row = table.reshape(1)
    row["slot_mask"] = slots.size - 1
    row["hash_shift"] = shift
    row["vlan_mask"] = 0xFFF if any(address.vlan for address in addresses) else 0
    row["default_channel"] = default_channel
    row["slots_offset"] = slots.ctypes.data - table.ctypes.data
