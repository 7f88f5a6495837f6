"""A cpuset partition (cgroup v2): a cgroup that has its cores for itself, without load balancing.

The controller, once given to the root's children, stays given: others may have come to use it.
As a setting it reads `absent` or `CORES KIND`, with the kernel's kinds: member, root, isolated.
"""

from __future__ import annotations

import errno
from pathlib import Path

from nic.tuning.files import read_file, write_file

ABSENT = "absent"
GROUP = "sweepwire"
ROOT = "sys/fs/cgroup"
_FILES = ("cpuset.cpus", "cpuset.cpus.partition")


def offered(sysroot: Path) -> bool:
    """Whether the kernel's unified hierarchy has the cpuset controller."""
    return "cpuset" in (read_file(sysroot / ROOT / "cgroup.controllers") or "").split()


def read_partition(folder: Path) -> str:
    """What the partition is now."""
    kind = read_file(folder / "cpuset.cpus.partition")
    if kind is None:
        return ABSENT
    return f"{read_file(folder / 'cpuset.cpus') or ''} {kind}"


def write_partition(folder: Path, value: str) -> None:
    """Makes, changes or (`absent`) removes the partition. Raises OSError."""
    if value == ABSENT:
        if folder.is_dir():
            _remove(folder)
        return
    cores, _, kind = value.partition(" ")
    controllers = folder.parent / "cgroup.subtree_control"
    if "cpuset" not in (read_file(controllers) or "").split():
        write_file(controllers, "+cpuset")
    folder.mkdir(exist_ok=True)
    for name, text in zip(_FILES, (cores, kind), strict=True):
        _write_or_make(folder / name, text)


def _write_or_make(path: Path, text: str) -> None:
    try:
        write_file(path, text)
    except FileNotFoundError:  # a cgroup has its files at once; a made-up tree has not
        path.write_text(text + "\n", "utf-8")


def _remove(folder: Path) -> None:
    if (folder / "cpuset.cpus.partition").exists():
        write_file(folder / "cpuset.cpus.partition", "member")
    try:
        folder.rmdir()
    except OSError as error:
        if error.errno != errno.ENOTEMPTY:
            raise
        for name in _FILES:
            (folder / name).unlink(missing_ok=True)
        folder.rmdir()
