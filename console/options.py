"""What several commands read from their command line in the same way."""

from __future__ import annotations

from pathlib import Path

import typer

from feedhandler.channelfile import ChannelMap, load_channels, sample_channels_path
from feedhandler.feed import Feed
from feedhandler.registry import versions


def feed_versions(name: str) -> list[Feed]:
    """The versions that `--feed NAME[@VERSION]` means, preferred one first."""
    try:
        return versions(name)
    except ValueError as error:
        raise typer.BadParameter(str(error)) from None


def given_channels(path: Path | None) -> ChannelMap | None:
    """The channel map of `--channels FILE`."""
    return None if path is None else load_channels(path)


def shipped_channels() -> ChannelMap | None:
    """The channel map of the sample captures, where the install has it."""
    return given_channels(sample_channels_path())
