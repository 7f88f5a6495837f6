"""Where a loop's counters lie, so that another process finds them, and whose they are.

The folder is everybody's (/dev/shm): only plain files of this user are listed or removed.
"""

from __future__ import annotations

import os
import stat
import tempfile
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np

from console.plan import Plan
from nic.block import Block, attach

PREFIX = "sweepwire-"
SHARED_MEMORY = Path("/dev/shm")

# Sections behind the loop's own; texts are cut to fit.
ABOUT_DTYPE = np.dtype(
    [("pid", "<i8"), ("started_ns", "<i8"), ("tick_hz", "<f8"), ("namespace", "<i8")]
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
    """This user's blocks, newest first."""
    found = []
    for path in folder().glob(PREFIX + "*"):
        with suppress(OSError):  # it may just have gone
            info = path.lstat()
            if stat.S_ISREG(info.st_mode) and info.st_uid == os.getuid():
                found.append((info.st_mtime_ns, path))
    return [path for _, path in sorted(found, reverse=True)]


def remove_stale() -> list[Path]:
    """Removes the blocks of loops that were killed; returns what went.

    Only those that bear their process id as their name: one that was named by --state is kept.
    Process ids mean nothing in another namespace (a container that shares /dev/shm).
    """
    gone = []
    for path in blocks():
        number = path.name.removeprefix(PREFIX)
        if not (number.isascii() and number.isdigit()) or alive(int(number)):
            continue
        with suppress(OSError, ValueError, KeyError), attach(path) as block:
            about = block["about"]
            owner = int(about["pid"][0]), int(about["namespace"][0])
            if owner == (int(number), pid_namespace()):
                path.unlink()
                gone.append(path)
    return gone


def pid_namespace() -> int:
    """What the process ids of this process count in; 0 where the system does not say."""
    with suppress(OSError):
        return Path("/proc/self/ns/pid").stat().st_ino
    return 0


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
    about["pid"], about["namespace"] = os.getpid(), pid_namespace()
    about["started_ns"], about["tick_hz"] = time.time_ns(), tick_hz
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
