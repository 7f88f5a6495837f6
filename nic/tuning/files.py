"""Settings that are files: those of /sys and /proc, and lines of configuration files."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

UNSET = "(unset)"


def read_file(path: Path) -> str | None:
    """The text of a kernel file, stripped; None where there is none. Raises OSError."""
    try:
        return path.read_text("utf-8", "replace").strip()
    except (FileNotFoundError, NotADirectoryError):
        return None


def write_file(path: Path, text: str) -> None:
    """Writes a kernel file in one go. Raises OSError; makes no file that is not there."""
    descriptor = os.open(path, os.O_WRONLY | os.O_TRUNC | os.O_CLOEXEC)
    try:
        os.write(descriptor, text.encode() + b"\n")
    finally:
        os.close(descriptor)


def replace_file(path: Path, text: str, mode: int) -> None:
    """Puts a whole new file in the place of `path`: all of it is there, or the old one is."""
    target = path.resolve()
    descriptor, unfinished = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.")
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(text.encode("utf-8", "surrogateescape"))
            file.flush()
            os.fchmod(file.fileno(), mode)
            os.fsync(file.fileno())
        Path(unfinished).replace(target)
    except BaseException:
        Path(unfinished).unlink(missing_ok=True)
        raise
    _sync_folder(target.parent)


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _assignment(lines: list[str], name: str) -> int | None:
    """Index of the line that counts: the last `NAME=value`."""
    found = [i for i, line in enumerate(lines) if line.strip().startswith(f"{name}=")]
    return found[-1] if found else None


def read_assignment(path: Path, name: str) -> str | None:
    """The value of `NAME=value` in a shell-like file, without quotes; UNSET where no line sets it.

    None where there is no such file.
    """
    text = _whole(path)
    if text is None:
        return None
    lines = text.split("\n")
    index = _assignment(lines, name)
    return UNSET if index is None else lines[index].partition("=")[2].strip().strip("\"'")


def write_assignment(path: Path, name: str, value: str) -> None:
    """Sets `NAME="value"` in the file, all other lines kept; UNSET takes the line away."""
    lines = (_whole(path) or "").split("\n")
    index = _assignment(lines, name)
    if value == UNSET:
        if index is not None:
            del lines[index]
    elif index is not None:
        lines[index] = f'{name}="{value}"'
    else:
        lines.insert(len(lines) - (lines[-1] == ""), f'{name}="{value}"')
    replace_file(path, "\n".join(lines), path.stat().st_mode & 0o777)


def _whole(path: Path) -> str | None:
    try:
        return path.read_bytes().decode("utf-8", "surrogateescape")
    except FileNotFoundError:
        return None
