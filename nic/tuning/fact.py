"""One thing known about the machine, and the small readers of /sys and /proc behind it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path


class Grade(StrEnum):
    """ok: as it should be; warn: works, at a cost; missing: not there."""

    OK = "ok"
    WARN = "warn"
    MISSING = "missing"


@dataclass(frozen=True, slots=True)
class Fact:
    """One row of `sweepwire doctor`. `advice` is empty where there is nothing to do."""

    name: str
    value: str
    grade: Grade
    advice: str = ""


def read_text(path: Path) -> str | None:
    """The file's text, stripped; None where it is absent or may not be read."""
    try:
        return path.read_text(encoding="utf-8", errors="replace").strip()
    except OSError:
        return None


def read_integer(path: Path) -> int | None:
    """The file as one integer; None where it is absent or holds something else."""
    text = read_text(path)
    try:
        return int(text) if text else None
    except ValueError:
        return None


def chosen_word(text: str) -> str:
    """The bracketed word of a /sys choice (`always [madvise] never`), or the whole text."""
    begin, end = text.find("["), text.find("]")
    return text[begin + 1 : end] if 0 <= begin < end else text
