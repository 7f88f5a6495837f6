"""Shards as a TOML file says them.

[[shards]]
name = "east"
core = 2                     # where its loop runs
channels = ["nasdaq*", "nyse"]  # names of the channel map; * stands for anything
symbols = ["A-M"]            # see feedhandler.shards.rules
share = 0.5                  # of the limits of accounts and of all together
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from fnmatch import fnmatchcase
from fractions import Fraction
from functools import cached_property
from pathlib import Path
from typing import Annotated, Final

import msgspec

from feedhandler.consolidated.layout import MOST_SHARDS
from feedhandler.shards.rules import Ownership, ownership
from nic.configfile import ConfigError, load
from nic.thread import CoreError, check_cores

EVERYTHING: Final = ("*",)
Core = Annotated[int, msgspec.Meta(ge=0, le=4095)]
Share = Annotated[float, msgspec.Meta(ge=0, le=1)]
Name = Annotated[str, msgspec.Meta(min_length=1, max_length=16)]


class Shard(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One loop.

    Attributes:
        name: for people.
        core: where it runs, alone.
        channels: patterns of channel names; several shards may read a channel.
        symbols: rules; see `feedhandler.shards.rules`.
        share: of each limit that is not of one symbol; 0 trades nothing.
    """

    name: Name
    core: Core
    symbols: tuple[str, ...]
    channels: tuple[str, ...] = EVERYTHING
    share: Share = 0.0

    def __post_init__(self) -> None:
        for key in ("symbols", "channels"):
            if not getattr(self, key):
                raise ValueError(f"{key}: expected at least one")

    def reads(self, channel: str) -> bool:
        """Whether it reads a channel."""
        return any(fnmatchcase(channel, pattern) for pattern in self.channels)

    @property
    def part(self) -> Fraction:
        """Its share, as it was written."""
        return Fraction(str(self.share))


class Shards(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, dict=True):
    """All loops of a process. Cores are distinct, symbols have one owner each, shares sum up to 1
    at most: else ValueError, one line.
    """

    shards: tuple[Shard, ...]

    def __post_init__(self) -> None:
        check_shards(self.shards)

    @cached_property
    def owners(self) -> Ownership:
        """Who has which symbols, by number of the shard."""
        return ownership(*_rules_of(self.shards))

    @property
    def names(self) -> list[str]:
        """By number."""
        return [shard.name for shard in self.shards]


def _rules_of(shards: Sequence[Shard]) -> tuple[list[str], list[tuple[str, ...]]]:
    return [shard.name for shard in shards], [shard.symbols for shard in shards]


def check_shards(shards: Sequence[Shard]) -> None:
    """Raises ValueError for shards that do not fit together, naming both. Cores are not asked for
    here: the file may be written for another machine.
    """
    if not 1 <= len(shards) <= MOST_SHARDS:
        raise ValueError(f"shards: expected 1 to {MOST_SHARDS}, found {len(shards)}")
    for what in ("name", "core"):
        seen: dict[object, int] = {}
        for number, shard in enumerate(shards):
            value = getattr(shard, what)
            other = seen.setdefault(value, number)
            if other != number:
                first, second = f"shards[{other}]", f"shards[{number}]"
                if what == "core":
                    first += f" ({shards[other].name})"
                    second += f" ({shard.name})"
                raise ValueError(f"{first} and {second} have the same {what}, {value}")
    total = sum((shard.part for shard in shards), Fraction())
    if total > 1:
        parts = " + ".join(f"{shard.share} ({shard.name})" for shard in shards)
        raise ValueError(f"share: expected 1 at most in all, found {parts} = {float(total):.6g}")
    ownership(*_rules_of(shards))


def load_shards(path: Path) -> Shards:
    """The shards in a file. Raises ConfigError."""
    return load(path, Shards)


def check_channels(shards: Shards, channels: Iterable[str], place: object) -> None:
    """Raises ConfigError where a channel is nobody's, or a pattern names none.

    `place` is the file, for the message.
    """
    known = list(dict.fromkeys(channels))
    for number, shard in enumerate(shards.shards):
        for pattern in shard.channels:
            if not any(fnmatchcase(channel, pattern) for channel in known):
                raise ConfigError(
                    f'{place}: shards[{number}].channels: shard {shard.name}: "{pattern}" is none '
                    f"of the channels {', '.join(known)}"
                )
    for channel in known:
        if not any(shard.reads(channel) for shard in shards.shards):
            readers = ", ".join(shards.names)
            raise ConfigError(
                f"{place}: channels: channel {channel!r} is read by none of the shards {readers}"
            )


def check_machine(shards: Shards, place: object) -> None:
    """Raises ConfigError for a core that this machine does not have."""
    try:
        check_cores([shard.core for shard in shards.shards])
    except CoreError as error:
        raise ConfigError(f"{place}: shards: {error}") from None
