"""Asking for missing messages: state machines of the control side, without sockets.

A client hears the loop's gap events and says what to send to the venue's request service; whoever
owns the socket sends it. The answers are ordinary packets: they come into the loop on line R of the
stream, and the loop puts them in their place.

Time is an argument everywhere. A range is asked for again when nothing has moved for `retry_ns`,
from where the loop has got to, in pieces of at most `most` messages.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from feedhandler.lines.layout import BEGUN, GAP, LOST, RECOVERED

RETRY_NS = 50_000_000
TRIES = 20


@dataclass
class Gap:
    """A range that is missing.

    Attributes:
        unit: of the stream, as in the packet header; 0 where there is none.
        begin, end: first missing sequence, and the first behind the range.
        asked_ns: when it was last asked for; None before the first time.
        tries: how often it was asked for without anything coming.
    """

    unit: int
    begin: int
    end: int
    asked_ns: int | None = None
    tries: int = 0


class GapClient:
    """What is missing of one stream and when to ask for it; how to ask is the venue's.

    Args:
        encode: makes the packet that asks for (unit, first sequence, count).
        most: messages that one request may ask for.
        retry_ns: how long to wait for an answer.
        tries: how often to ask in vain before the range is left to the snapshot.

    Attributes:
        gaps: by unit, each of which counts on its own.
        failed: ranges that were given up here, for who knows another way.
    """

    def __init__(
        self,
        encode: Callable[[int, int, int], bytes],
        *,
        most: int,
        retry_ns: int = RETRY_NS,
        tries: int = TRIES,
    ) -> None:
        self._encode = encode
        self.most, self.retry_ns, self.tries = most, retry_ns, tries
        self.gaps: dict[int, Gap] = {}
        self.failed: list[Gap] = []

    def on_event(self, event: np.void) -> None:
        """An EVENT_DTYPE record of the loop's event ring; others than of lines are not for it."""
        kind = int(event["kind"])
        _, unit, _, begin, end, _ = (int(word) for word in event["words"])
        if kind == GAP:
            self.gaps[unit] = Gap(unit, begin, end)
        elif kind in (LOST, RECOVERED, BEGUN):
            self.gaps.pop(unit, None)

    def moved(self, unit: int, expected: int) -> None:
        """The loop has got to a sequence: what is before it need not be asked for any more."""
        gap = self.gaps.get(unit)
        if gap is None or expected <= gap.begin:
            return
        gap.begin, gap.tries = expected, 0
        if gap.begin >= gap.end:
            del self.gaps[unit]

    def requests(self, now_ns: int) -> list[bytes]:
        """The packets to send now."""
        made = []
        for unit, gap in list(self.gaps.items()):
            if gap.asked_ns is not None and now_ns - gap.asked_ns < self.retry_ns:
                continue
            if gap.tries >= self.tries:
                self.fail(unit)
                continue
            gap.asked_ns, gap.tries = now_ns, gap.tries + 1
            for begin in range(gap.begin, gap.end, self.most):
                count = min(self.most, gap.end - begin)
                made.append(self._encode(gap.unit, begin, count))
        return made

    def fail(self, unit: int) -> None:
        """Gives up a unit's range: the service refused it or never answered."""
        gap = self.gaps.pop(unit, None)
        if gap is not None:
            self.failed.append(gap)

    def fail_range(self, unit: int, begin: int) -> None:
        """Gives up the range of a unit that has this sequence."""
        for key, gap in list(self.gaps.items()):
            if gap.unit == unit and begin < gap.end:
                self.fail(key)
