"""The control side's way into a running loop: commands, and ticks that say how late it is."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from typing import Final

import numpy as np

from feedhandler.messages import TICK
from feedhandler.polling import Poller
from feedhandler.state import RUNNING
from nic.block import Block
from nic.ringview import Ring

WORDS: Final = 6
NS_PER_S: Final = 1_000_000_000
PERIOD_NS: Final = 1_000_000


class Commands:
    """The producer of a loop's ring of commands; several threads may use the one object.

    Only one such object a loop: the ring has one producer.
    """

    def __init__(self, block: Block) -> None:
        self._ring, self._control = Ring(block["commands"]), block["control"]
        self._lock = threading.Lock()

    def send(self, kind: int, timestamp_ns: int, words: Sequence[int] = ()) -> bool:
        """Hands a command over. False when the ring is full: nothing is waited for."""
        row = np.zeros(WORDS, np.uint64)
        row[: len(words)] = words
        with self._lock:
            return self._ring.push(kind=kind, timestamp_ns=timestamp_ns, words=row)

    @property
    def loop_runs(self) -> bool:
        """Whether the loop has been started and has not returned yet."""
        return int(self._control["running"][0]) == RUNNING

    @property
    def waiting_count(self) -> int:
        """Commands that the loop has not taken yet."""
        return len(self._ring)

    @property
    def sent_count(self) -> int:
        """Commands that went into the ring, in all."""
        return self._ring.pushed_count

    @property
    def taken_count(self) -> int:
        """Commands that the loop has done, in all."""
        return self._ring.popped_count

    @property
    def refused_count(self) -> int:
        """Commands that found the ring full."""
        return self._ring.refused_count


class Ticker(Poller):
    """Tells a live loop the time, so that reorder windows and deadlines run out in silence.

    A tick that the ring has no room for is dropped: a later one says more. A replay needs none, the
    packets' own times are enough.

    Args:
        commands: of the loop.
        clock: ns since the epoch, by the clock that the packets' times are from.
        period_ns: between ticks, of wall time.

    Attributes:
        sent_count, dropped_count: ticks.
    """

    def __init__(
        self, commands: Commands, clock: Callable[[], int], period_ns: int = PERIOD_NS
    ) -> None:
        super().__init__("ticker", period_ns / NS_PER_S)
        self._commands, self._clock = commands, clock
        self.sent_count = self.dropped_count = 0

    def __enter__(self) -> Ticker:
        self.start()
        return self

    def poll(self) -> bool:
        """Sends a tick; false where it was dropped."""
        sent = self._commands.send(TICK, self._clock())
        if sent:
            self.sent_count += 1
        else:
            self.dropped_count += 1
        return sent
