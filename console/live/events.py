"""What a live run tells people: a line on the screen, and in a file what machines can read."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Final, Self, TextIO

import msgspec

NS_PER_S: Final = 1_000_000_000
FILE: Final = "events.jsonl"


class Events:
    """Lines of a run.

    Args:
        folder: where `events.jsonl` is appended to; None: nowhere.
        screen: where lines are shown.
        clock: ns since the epoch.
        name: of the shard, in front of its lines; empty: there is one loop.

    Attributes:
        lines: the last ones, newest last.
    """

    def __init__(
        self,
        folder: Path | None,
        screen: TextIO | None = None,
        clock: Callable[[], int] = time.time_ns,
        name: str = "",
    ) -> None:
        self._lead = f"{name}: " if name else ""
        self._screen, self._clock = screen or sys.stderr, clock
        self._file = None
        self._status = ""
        self.lines: list[str] = []
        if folder is not None:
            folder.mkdir(parents=True, exist_ok=True)
            self._file = (folder / FILE).open("ab")

    def say(self, line: str) -> None:
        """Tells a line."""
        now_ns = self._clock()
        self.lines = [*self.lines[-999:], line]
        if self._file is not None:
            self._file.write(msgspec.json.encode({"time_ns": now_ns, "text": line}) + b"\n")
            self._file.flush()
        self._clear()
        when = datetime.fromtimestamp(now_ns / NS_PER_S)
        self._screen.write(f"{when:%H:%M:%S} {self._lead}{' '.join(line.split())}\n")
        self._screen.flush()

    def show(self, status: str) -> None:
        """Shows how things are: on a terminal in place, elsewhere as a line."""
        if self._lead or not self._screen.isatty():
            self.say(status)
            return
        self._clear()
        self._status = status[:100]
        self._screen.write(self._status)
        self._screen.flush()

    def _clear(self) -> None:
        if self._status:
            self._screen.write("\r" + " " * len(self._status) + "\r")
            self._status = ""

    def close(self) -> None:
        """Ends the file."""
        self._clear()
        if self._file is not None:
            self._file.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()
