"""The channel map: which feed comes on which group and port, read from a TOML file.

date = 2024-03-01            # of the session; for feeds that count from midnight

[[channels]]
name = "itch A"
feed = "nasdaq_itch50"       # or with a version: "nyse_integrated@2.5"
group = "233.54.12.111"      # for order entry: the gateway's address
port = 26477
"""

from __future__ import annotations

import datetime
from importlib.resources import files
from ipaddress import AddressValueError, IPv4Address
from pathlib import Path
from typing import Annotated, Literal

import msgspec

from feedhandler.dates import midnight_ns
from feedhandler.feed import Feed
from feedhandler.registry import versions
from nic.configfile import ConfigError, load

Port = Annotated[int, msgspec.Meta(ge=1, le=65535)]
Vlan = Annotated[int, msgspec.Meta(ge=0, le=4094)]
Unit = Annotated[int, msgspec.Meta(ge=0, le=255)]


class Channel(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One line of one channel.

    Attributes:
        name: for people; lines A and B of a channel have the same name.
        feed: as in the registry, with or without a version.
        group, port: where datagrams are sent, or where an order gateway listens.
        vlan: tag next to the IP header; 0 is any, tagged or not.
        line: which copy of the data.
        unit: the matching unit or partition, where one has the channel to itself.
        date: the session's date, where it differs from the map's.
    """

    name: str
    feed: str
    group: str
    port: Port
    vlan: Vlan = 0
    line: Literal["A", "B"] = "A"
    unit: Unit | None = None
    date: datetime.date | None = None

    def __post_init__(self) -> None:
        try:
            known = int(IPv4Address(self.group)) != 0
        except AddressValueError:
            known = False
        if not known:
            found = f'found "{self.group}"'
            raise ValueError(f"group: expected an IPv4 address other than 0.0.0.0, {found}")
        try:
            versions(self.feed)
        except ValueError as error:
            raise ValueError(f"feed: {error}") from None

    @property
    def address(self) -> tuple[int, int]:
        """Group and port as the frame parser gives them."""
        return int(IPv4Address(self.group)), self.port

    @property
    def feeds(self) -> list[Feed]:
        """The feed's versions, preferred one first."""
        return versions(self.feed)


class ChannelMap(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """All channels; `date` is the session's where a channel names none."""

    channels: list[Channel]
    date: datetime.date | None = None

    def __post_init__(self) -> None:
        seen: dict[tuple[int, int, int], int] = {}
        for index, channel in enumerate(self.channels):
            key = (*channel.address, channel.vlan)
            if key in seen:
                place = f"{channel.group}:{channel.port} vlan {channel.vlan}"
                raise ValueError(f"channels[{index}] and channels[{seen[key]}] are both {place}")
            seen[key] = index

    def find(self, address: int, port: int, vlan: int) -> Channel | None:
        """The channel of a datagram: one that names its VLAN before one for any."""
        found = None
        for channel in self.channels:
            if channel.address == (address, port) and channel.vlan in (0, vlan):
                if channel.vlan:
                    return channel
                found = channel
        return found

    def midnight_ns(self, channel: Channel) -> int:
        """The session's midnight in the venue's zone, epoch ns; 0 when no date is given."""
        day = channel.date or self.date
        return midnight_ns(day, channel.feeds[0].zone) if day is not None else 0


def load_channels(path: Path) -> ChannelMap:
    """The channel map in a file. Raises ConfigError."""
    made = load(path, ChannelMap)
    if not made.channels:
        raise ConfigError(f"{path}: channels: expected at least one [[channels]] table")
    return made


def sample_channels_path() -> Path | None:
    """The channel map of the sample captures; None in an install without them."""
    path = Path(str(files("captures") / "samples" / "channels.toml"))
    return path if path.is_file() else None
