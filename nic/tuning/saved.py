"""What the machine was set to before it was tuned: one file of mode 0600, the first values kept.

The file is written whole before anything is changed. A value belongs to one boot, for the next one
begins with the kernel's own again; only what lies in configuration files outlives it.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
from collections.abc import Iterable, Iterator
from pathlib import Path

import msgspec

from nic.tuning.catalog import KINDS
from nic.tuning.fact import read_text
from nic.tuning.files import replace_file
from nic.tuning.knob import Knob, TuneError, writable
from nic.tuning.places import ROOT

VERSION = 1
_FILE = "tuning.json"
_FOLDER = "var/lib/sweepwire"
_LINES = ("line:etc/default/irqbalance#", "line:etc/sysconfig/irqbalance#")
PLACES = ("proc/", "sys/", *_LINES, "cpuset:sys/fs/cgroup/", "pci:", "ethtool:")


class SavedValue(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A place and what was there; `kind` is the name of the knob in the catalog."""

    place: str
    kind: str
    label: str
    value: str
    persistent: bool = False


class Saved(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The file, in the order in which the knobs were turned."""

    version: int
    boot: str
    values: tuple[SavedValue, ...]


def default_path(sysroot: Path) -> Path:
    """Where the file is: /var/lib/sweepwire for root and under a made-up root, else the user's."""
    if sysroot != ROOT or os.geteuid() == 0:
        return sysroot / _FOLDER / _FILE
    chosen = os.environ.get("XDG_STATE_HOME")
    return (Path(chosen) if chosen else Path.home() / ".local/state") / "sweepwire" / _FILE


def boot_id(sysroot: Path) -> str:
    """A text that is another after each boot."""
    return read_text(sysroot / "proc/sys/kernel/random/boot_id") or ""


@contextlib.contextmanager
def locked(path: Path) -> Iterator[None]:
    """One at a time: two that tune would save each other's values as the first ones."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    descriptor = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        _lock(descriptor, path)
        yield
    finally:
        os.close(descriptor)


def _lock(descriptor: int, path: Path) -> None:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise TuneError(f"{path.parent}: somebody else is tuning this machine") from None


def _own_bytes(path: Path) -> bytes | None:
    """What is in the file; None where there is none. Raises TuneError where it is a stranger's.

    It names places that are written as root: nobody else may have had a hand in it.
    """
    try:
        with path.open("rb") as file:
            info = os.fstat(file.fileno())
            if info.st_uid not in (0, os.geteuid()) or info.st_mode & 0o022:
                raise TuneError(f"{path}: others could have written this; move it away")
            return file.read()
    except FileNotFoundError:
        return None


def _check(path: Path, saved: Saved) -> None:
    if saved.version != VERSION:
        raise TuneError(f"{path}: version {saved.version}, expected {VERSION}; move it away")
    for value in saved.values:
        if value.kind not in KINDS:
            raise TuneError(f"{path}: {value.place}: unknown knob {value.kind!r}")
        if ".." in value.place or not value.place.startswith(PLACES):
            raise TuneError(f"{path}: {value.place}: no place that is ever tuned")


def load(path: Path, boot: str) -> tuple[SavedValue, ...]:
    """The values that still mean something in this boot. Raises TuneError, OSError."""
    raw = _own_bytes(path)
    if raw is None:
        return ()
    try:
        saved = msgspec.json.decode(raw, type=Saved)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise TuneError(f"{path}: not a file of saved settings ({error}); move it away") from None
    _check(path, saved)
    if saved.boot == boot:
        return saved.values
    return tuple(value for value in saved.values if value.persistent)


def store(path: Path, boot: str, values: Iterable[SavedValue]) -> None:
    """Writes the file, or removes it where there is nothing to remember. Raises OSError."""
    kept = tuple(values)
    if not kept:
        path.unlink(missing_ok=True)
        return
    text = msgspec.json.format(msgspec.json.encode(Saved(VERSION, boot, kept)), indent=1)
    replace_file(path, text.decode() + "\n", 0o600)


def remember(before: Iterable[SavedValue], knobs: Iterable[Knob]) -> tuple[SavedValue, ...]:
    """What is saved with these knobs in it. The first value of a place wins."""
    values = {value.place: value for value in before}
    for knob in knobs:
        kind = knob.kind
        was = writable(kind.form, knob.found)
        found = SavedValue(knob.place, kind.name, knob.label, was, kind.persistent)
        values.setdefault(knob.place, found)
    return tuple(values.values())
