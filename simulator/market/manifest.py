"""What stands beside made captures: from what they were made, how much there is, their hashes."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

import msgspec

from nic.configfile import ConfigError

MANIFEST: Final = "manifest.json"
VERSION: Final = 1


class LineFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One capture."""

    name: str
    line: str
    packets: int
    bytes: int
    sha256: str


class VenueMade(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What a venue sent.

    Attributes:
        messages, packets: on each line, before faults.
        unsaid: events that its protocol has no message for, by kind.
    """

    name: str
    feed: str
    messages: int
    packets: int
    unsaid: dict[str, int]
    files: list[LineFile]


class Manifest(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A made market.

    Attributes:
        seed, day, seconds, before_s, stop_s: of the plan.
        symbols: in this house's spelling; instruments are numbered by their place, from 1.
        settings: SHA-256 of what the flow and the venues were set to.
        venues: those with a feed.
        dark: names of the others.
        events: public events at all venues, by kind.
        flow: what the participants did.
    """

    version: int = VERSION
    seed: int
    day: str
    seconds: float
    before_s: float
    stop_s: float | None
    symbols: list[str]
    settings: str
    venues: list[VenueMade]
    dark: list[str]
    events: dict[str, int]
    flow: dict[str, int]

    @property
    def messages(self) -> int:
        """Messages of all feeds, each counted once though it is on two lines."""
        return sum(venue.messages for venue in self.venues)

    def unsaid_kinds(self) -> dict[str, int]:
        """Events that some venue's protocol has no message for, by kind."""
        made: dict[str, int] = {}
        for venue in self.venues:
            for kind, count in venue.unsaid.items():
                made[kind] = made.get(kind, 0) + count
        return made

    @property
    def files(self) -> list[LineFile]:
        """All captures."""
        return [file for venue in self.venues for file in venue.files]


def save_manifest(manifest: Manifest, folder: Path) -> None:
    """Writes the manifest into the folder. Raises OSError."""
    raw = msgspec.json.format(msgspec.json.encode(manifest), indent=1) + b"\n"
    (folder / MANIFEST).write_bytes(raw)


def load_manifest(folder: Path) -> Manifest:
    """Reads the manifest of a folder. Raises ConfigError with a line that names the file."""
    path = folder / MANIFEST
    try:
        raw: Any = path.read_bytes()
        found = msgspec.json.decode(raw, type=Manifest)
    except OSError as error:
        raise ConfigError(f"{path}: cannot open: {error.strerror}") from None
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: not the manifest of a market: {error}") from None
    if found.version != VERSION:
        raise ConfigError(f"{path}: version {found.version}, expected {VERSION}")
    return found
