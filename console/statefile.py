"""Where a loop's counters lie, so that another process finds them, and whose they are."""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from console.plan import Plan
from nic.block import Block

PREFIX = "sweepwire-"
SHARED_MEMORY = Path("/dev/shm")

# Sections behind the loop's own; texts are cut to fit.
ABOUT_DTYPE = np.dtype(
    [("pid", "<i8"), ("started_ns", "<i8"), ("tick_hz", "<f8"), ("unused", "<i8")]
)
CHANNEL_NAME_DTYPE = np.dtype(
    [("name", "S48"), ("feed", "S48"), ("address", "S40"), ("line", "S8")]
)
LINK_NAME_DTYPE = np.dtype([("name", "S256")])

Sections = list[tuple[str, np.dtype[Any], int]]


def folder() -> Path:
    """Shared memory where there is some, else the folder of temporary files."""
    return SHARED_MEMORY if os.access(SHARED_MEMORY, os.W_OK) else Path(tempfile.gettempdir())


def path_of(name: str) -> Path:
    """The block of a loop by its name (its process id, if it was not given another)."""
    return folder() / f"{PREFIX}{name}"


def blocks() -> list[Path]:
    """The blocks there are, newest first."""
    found = [path for path in folder().glob(PREFIX + "*") if path.is_file()]
    return sorted(found, key=lambda path: path.stat().st_mtime_ns, reverse=True)


def sections(link_count: int, channel_count: int) -> Sections:
    """What a block holds so that a reader can name what it sees."""
    return [
        ("about", ABOUT_DTYPE, 1),
        ("channel_names", CHANNEL_NAME_DTYPE, max(1, channel_count)),
        ("link_names", LINK_NAME_DTYPE, max(1, link_count)),
    ]


def describe(block: Block, plan: Plan, link_names: Sequence[str], tick_hz: float) -> None:
    """Fills the sections."""
    about = block["about"]
    about["pid"], about["started_ns"], about["tick_hz"] = os.getpid(), time.time_ns(), tick_hz
    for row, channel in zip(block["channel_names"], plan.channels, strict=False):
        address = channel.address
        place = "any" if address is None else f"{address.group}:{address.udp_port}"
        if address is not None and address.vlan:
            place += f" vlan {address.vlan}"
        row["name"], row["address"], row["line"] = channel.name, place, channel.line
        row["feed"] = channel.feed.full_name if channel.feed is not None else ""
    for row, name in zip(block["link_names"], link_names, strict=False):
        row["name"] = name.encode("utf-8", "replace")[: LINK_NAME_DTYPE.itemsize]


def alive(pid: int) -> bool:
    """Whether a process is there."""
    return pid > 0 and Path(f"/proc/{pid}").exists()
