"""The control side of recovery: asks for what is missing, then for an image, then hands it over.

    idle --- a gap ---> asking --- all has come -----------------------------> idle
      |                   | refused, too much, in vain                          ^
      +- messages lost -> wanted --- held, the venue was asked ---> imaging     |
                            ^                                         |         |
                            |  refused, failed, overflowed, too late  v         |
                            +------------------------------------- splicing ----+ recovered
                            | too often
                            +---> given up, until the next loss

One recoverer a stream number, with all its units. Time is an argument everywhere, there are no
sockets in it: the venue is asked through a callback, images come in through a method, and whoever
owns the port of line S injects the splice packets that `step` gives.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np

from feedhandler.lines.image import Image
from feedhandler.lines.layout import (
    BEGUN,
    FAILED,
    GAP,
    LOST,
    NOT_WANTED,
    OVERFLOWED,
    RECOVERED,
    REFUSED,
)
from feedhandler.lines.recovery import GapClient
from feedhandler.lines.splice import abort, hold, release, splice_packets

IDLE: Final = "idle"
ASKING: Final = "asking"
WANTED: Final = "wanted"
IMAGING: Final = "imaging"
SPLICING: Final = "splicing"
GIVEN_UP: Final = "given up"

RETRY_NS: Final = 100_000_000
MOST_RETRY_NS: Final = 30_000_000_000
IMAGE_NS: Final = 60_000_000_000
TRIES: Final = 20
MOST_MISSING: Final = 100_000


@dataclass
class Unit:
    """How far the recovery of a unit has got.

    Attributes:
        state: one of the states above.
        serial: of the attempt in work; 0 when none is.
        tries: attempts since the unit was last whole.
        due_ns: in the state wanted, when to try; in imaging and splicing, when it has failed.
        failures: what ended attempts, words of `layout.EVENTS` or "late".
    """

    state: str = IDLE
    serial: int = 0
    tries: int = 0
    due_ns: int = 0
    failures: list[str] = field(default_factory=list)


class Recoverer:
    """Recovery of the units of one stream.

    Args:
        ask: `ask(unit, now_ns)` asks the venue for an image; it comes through `image` or `images`.
        gaps: who asks for messages; None: no service does that.
        most_missing: messages; of a longer gap an image is asked for at once.
        by_key: the venue answers with an image of each instrument.
        image_ns: how long the venue may take, and how long the loop may take with its answer.
        retry_ns: between attempts, twice as long after each, up to `most_retry_ns`.
        tries: attempts for one loss.

    Attributes:
        units: by number, those that something was heard of.
    """

    def __init__(
        self,
        ask: Callable[[int, int], None],
        gaps: GapClient | None = None,
        *,
        most_missing: int = MOST_MISSING,
        by_key: bool = False,
        image_ns: int = IMAGE_NS,
        retry_ns: int = RETRY_NS,
        most_retry_ns: int = MOST_RETRY_NS,
        tries: int = TRIES,
    ) -> None:
        self._ask, self.gaps, self.by_key = ask, gaps, by_key
        self.most_missing, self.image_ns = most_missing, image_ns
        self.retry_ns, self.most_retry_ns, self.tries = retry_ns, most_retry_ns, tries
        self.units: dict[int, Unit] = {}
        self._packets: list[bytes] = []
        self._serial = 0

    def on_event(self, event: np.void) -> None:
        """An EVENT_DTYPE record of the loop's event ring that is of this stream."""
        kind, now_ns = int(event["kind"]), int(event["timestamp_ns"])
        number, begin, end = (int(event["words"][n]) for n in (1, 3, 4))
        unit = self.units.setdefault(number, Unit())
        if kind == GAP and unit.state not in (WANTED, IMAGING):
            self._on_gap(unit, event, end - begin, now_ns)
        elif kind == LOST:
            self._forget_gap(event)
            if unit.state not in (WANTED, IMAGING):
                self._want(unit, now_ns)
        elif kind in (RECOVERED, BEGUN):
            self._forget_gap(event)
            self.units[number] = Unit()
        elif kind in (REFUSED, FAILED, OVERFLOWED) and end == unit.serial != 0:
            self._on_failure(unit, kind, begin, now_ns)

    def _on_gap(self, unit: Unit, event: np.void, missing: int, now_ns: int) -> None:
        if self.gaps is None or missing > self.most_missing:
            self._want(unit, now_ns)
            return
        unit.state, unit.serial = ASKING, 0
        self.gaps.on_event(event)

    def _forget_gap(self, event: np.void) -> None:
        if self.gaps is not None:
            self.gaps.on_event(event)

    def _on_failure(self, unit: Unit, kind: int, why: int, now_ns: int) -> None:
        if kind == REFUSED and why == NOT_WANTED:
            unit.state, unit.serial = IDLE, 0
            return
        self._again(unit, {REFUSED: "refused", FAILED: "failed"}.get(kind, "overflowed"), now_ns)

    def _want(self, unit: Unit, now_ns: int) -> None:
        unit.state, unit.serial, unit.tries, unit.due_ns = WANTED, 0, 0, now_ns

    def _again(self, unit: Unit, why: str, now_ns: int) -> None:
        """An attempt has come to nothing: the next one later, or none."""
        unit.failures.append(why)
        unit.serial = 0
        unit.state = WANTED if unit.tries < self.tries else GIVEN_UP
        wait_ns = self.retry_ns << min(unit.tries - 1, 32)
        unit.due_ns = now_ns + min(wait_ns, self.most_retry_ns)

    def image(self, image: Image, now_ns: int) -> bool:
        """The venue's answer, an image of a whole unit; whether anybody wanted it."""
        return self.images([image], now_ns)

    def images(self, images: Sequence[Image], now_ns: int, *, complete: bool = True) -> bool:
        """The venue's answer for one unit: one image, or one of each instrument.

        Args:
            images: all of the same unit.
            now_ns: the time.
            complete: there are images of all instruments. When some are missing, the others are
                live for now, and the whole is asked for again.

        Returns:
            Whether the unit waited for it.
        """
        unit = self.units.get(images[0].unit) if images else None
        if unit is None or unit.state != IMAGING:
            return False
        for one in images:
            self._packets += splice_packets(one, unit.serial)
        if images[0].key is not None:
            self._packets.append(release(images[0].unit, unit.serial, complete=complete))
        unit.state, unit.due_ns = SPLICING, now_ns + self.image_ns
        if not complete:
            self._again(unit, "incomplete", now_ns)
        return True

    def failed(self, unit: int, now_ns: int) -> None:
        """The venue refused to give an image, or what it gave is not one."""
        found = self.units.get(unit)
        if found is not None and found.state == IMAGING:
            self._packets.append(abort(unit, found.serial))
            self._again(found, "no image", now_ns)

    def step(self, now_ns: int) -> list[bytes]:
        """The splice packets to inject now, in order."""
        if self.gaps is not None:
            for gap in self.gaps.failed:
                unit = self.units.setdefault(gap.unit, Unit())
                if unit.state in (IDLE, ASKING):
                    self._want(unit, now_ns)
            self.gaps.failed.clear()
        for number, unit in self.units.items():
            if unit.state in (WANTED, IMAGING, SPLICING) and now_ns >= unit.due_ns:
                self._on_time(number, unit, now_ns)
        made, self._packets = self._packets, []
        return made

    def _on_time(self, number: int, unit: Unit, now_ns: int) -> None:
        if unit.state != WANTED:
            self._packets.append(abort(number, unit.serial))
            self._again(unit, "late", now_ns)
            return
        self._serial += 1
        unit.serial, unit.tries = self._serial, unit.tries + 1
        unit.state, unit.due_ns = IMAGING, now_ns + self.image_ns
        self._packets.append(hold(number, unit.serial, empty=self.by_key))
        self._ask(number, now_ns)
