"""Turning knobs, and turning them back: save, write, read back, say what came of it."""

from __future__ import annotations

import errno
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from nic.tuning import saved
from nic.tuning.catalog import KINDS
from nic.tuning.knob import Kind, Knob, canonical, same
from nic.tuning.places import Places
from nic.tuning.saved import SavedValue


class State(StrEnum):
    """done; already so; gone: no such place any more; stays: the kernel keeps it, rightly.

    refused: writing failed. ignored: writing went well and changed nothing.
    """

    DONE = "done"
    ALREADY = "already"
    GONE = "gone"
    STAYS = "stays"
    REFUSED = "refused"
    IGNORED = "ignored"


FAILED = (State.REFUSED, State.IGNORED)
_MANAGED = (errno.EIO, errno.EINVAL, errno.ENOSPC)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one knob; `why` is a line that names it."""

    name: str
    place: str
    value: str
    state: State
    why: str = ""


def apply(knobs: Iterable[Knob], places: Places, path: Path) -> list[Outcome]:
    """Turns the knobs, after what was there is safe in the file at `path`.

    A knob that fails does not keep the others from being turned. Raises TuneError, OSError where
    nothing can be saved: then nothing was written.
    """
    turned = tuple(knobs)
    if not turned:
        return []
    boot = saved.boot_id(places.sysroot)
    with saved.locked(path):
        before = saved.load(path, boot)
        after = saved.remember(before, turned)
        saved.store(path, boot, after)
        outcomes = [
            _turn(knob.kind, knob.label, knob.place, knob.wanted, places) for knob in turned
        ]
        known = {value.place for value in before}
        untouched = {
            outcome.place
            for outcome, knob in zip(outcomes, turned, strict=True)
            if outcome.state != State.DONE and _still(knob, places)
        }
        kept = tuple(v for v in after if v.place in known or v.place not in untouched)
        if kept != after:
            saved.store(path, boot, kept)
    return outcomes


def _still(knob: Knob, places: Places) -> bool:
    """Whether a knob that failed is as it was found."""
    try:
        now = places.read(knob.place)
    except OSError:
        return False
    return now is None or same(knob.kind.form, now, knob.found)


def restore(places: Places, path: Path) -> list[Outcome]:
    """Turns everything back, last turned first. What fails stays in the file for another try."""
    boot = saved.boot_id(places.sysroot)
    if not path.exists():
        return []
    with saved.locked(path):
        values = saved.load(path, boot)
        outcomes = [_turn_back(value, places) for value in reversed(values)]
        left = {outcome.place for outcome in outcomes if outcome.state in FAILED}
        saved.store(path, boot, [value for value in values if value.place in left])
    return outcomes


def would_restore(places: Places, path: Path) -> tuple[SavedValue, ...]:
    """What `restore` would write, in its order."""
    return tuple(reversed(saved.load(path, saved.boot_id(places.sysroot))))


def _turn_back(value: SavedValue, places: Places) -> Outcome:
    return _turn(KINDS[value.kind], value.label, value.place, value.value, places)


def _turn(kind: Kind, label: str, place: str, wanted: str, places: Places) -> Outcome:
    name = f"{kind.name} {label}".rstrip()
    try:
        found = places.read(place)
        if found is None:
            return Outcome(name, place, wanted, State.GONE, f"{name}: {place} is gone")
        if same(kind.form, found, wanted):
            return Outcome(name, place, wanted, State.ALREADY)
        places.write(place, wanted)
        now = places.read(place)
    except OSError as error:
        return _failed(kind, name, place, wanted, error)
    if now is not None and same(kind.form, now, wanted):
        return Outcome(name, place, wanted, State.DONE)
    shown = "nothing" if now is None else canonical_text(kind, now)
    why = f"{name}: {place}: the kernel took {wanted} and has {shown}"
    return Outcome(name, place, wanted, State.IGNORED, why)


def canonical_text(kind: Kind, text: str) -> str:
    """A value for people: of a choice the word that is chosen."""
    meaning = canonical(kind.form, text)
    return meaning if isinstance(meaning, str) else text


def _failed(kind: Kind, name: str, place: str, wanted: str, error: OSError) -> Outcome:
    why = f"{name}: {place}: {wanted} refused: {error.strerror or error}"
    if kind.may_stay and error.errno in _MANAGED:
        return Outcome(name, place, wanted, State.STAYS, f"{why} (its driver manages it)")
    if error.errno in (errno.EACCES, errno.EPERM):
        why += " (run as root)"
    return Outcome(name, place, wanted, State.REFUSED, why)
