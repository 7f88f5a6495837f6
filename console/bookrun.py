"""Captures through the loop with books, up to a moment."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Final

import numpy as np

from captures import merge_captures
from console.bookplan import order_room
from console.compiling import compile_all
from console.linestats import lines_of
from console.loops import loop_kernel
from console.plan import Plan, replay_uri
from console.venuerun import VenueRun
from feedhandler.lines.setup import Lines

BURST: Final = 64
ROUNDS: Final = 256  # between two looks at how full the tables are


class BookRun(VenueRun):
    """The books of all venues of a plan: every channel in order and without repeats."""

    def __init__(self, plan: Plan, files: Sequence[Path], *, strict: bool = False) -> None:
        super().__init__(plan, order_room(files), strict=strict)
        self._files = files

    def __enter__(self) -> BookRun:
        return self

    @property
    def lines(self) -> Lines | None:
        """Channels without a second line too: a gap makes their books stale."""
        return lines_of(self.plan, alone=True)

    def run(self, until_ns: int | None = None) -> None:
        """Replays the captures, to the last packet that was received by then."""
        packets = None if until_ns is None else self._packets_until(until_ns)
        if packets == 0:
            return
        kernel = loop_kernel(self.plan.feeds, books=True, lines=True)
        compile_all([kernel])
        burst = BURST if packets is None else 1
        with self.opened(kernel, replay_uri(self._files), burst=burst) as step:
            left = packets
            while step(ROUNDS if left is None else min(left, ROUNDS)):
                left = None if left is None else left - ROUNDS
                if left is not None and left <= 0:
                    return

    def _packets_until(self, until_ns: int) -> int:
        """How many packets of the captures, merged by time, are not later."""
        count = 0
        with merge_captures(self._files) as merged:
            for chunk in merged.packets(4096):
                early = chunk["packet"]["timestamp_ns"] <= until_ns
                if not early.all():
                    return count + int(np.argmin(early))
                count += len(chunk)
        return count
