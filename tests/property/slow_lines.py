"""The slow judge of arbitration: one stream, plain Python, every rule said as it is meant."""

from __future__ import annotations

from dataclasses import dataclass, field

from feedhandler.lines.layout import LIVE, RECOVERING, SNAPSHOT, STALE, UNKNOWN, WAITING
from feedhandler.lines.setup import LineOptions

SECOND_NS = 1_000_000_000
SPLICES = 3  # the line of splice packets


@dataclass(frozen=True)
class Seen:
    """A packet as its header tells: `kind` is "messages", "asked", "heartbeat" or "reset".

    Splice packets are "hold", "begin", "part", "end" and "abort": `sequence` is the last one of the
    image, or the first number in a part, `count` the messages of a part, `number` that of a part or
    of all parts.
    """

    time_ns: int
    line: int
    sequence: int
    count: int
    kind: str = "messages"
    session: int = 0
    sent: int = 0
    serial: int = 0
    number: int = 0

    @property
    def end(self) -> int:
        """Behind its last message."""
        return self.sequence + self.count


@dataclass
class SlowStream:
    """What a stream does with packets.

    Attributes:
        said: (sequence, state, life) of each message delivered; of an image, the life is -1.
        restarts: whether going back in the sequence at a later send time is a restart.
    """

    options: LineOptions
    restarts: bool = False
    said: list[tuple[int, int, int]] = field(default_factory=list)
    state: int = UNKNOWN
    expected: int = 1
    highest: int = 1
    waiting: list[Seen] = field(default_factory=list)
    deadline: int | None = None
    hole_end: int = 0
    damaged: bool = False
    session: int | None = None
    former: int | None = None
    life: int = 0
    life_sent: int = 0
    life_began: int = 0
    newest: tuple[int, int] = (0, 0)
    gaps: int = 0
    lost: int = 0
    told: bool = False
    serial: int | None = None
    imaging: bool = False
    image_next: int = 0
    parts: int = 0
    images: int = 0
    refused: int = 0
    failed: int = 0
    overflows: int = 0

    def arrive(self, seen: Seen) -> None:
        """One packet."""
        if self.deadline is not None and seen.time_ns >= self.deadline:
            self._settle(seen.time_ns)
        if seen.line == SPLICES:
            self._splice(seen)
            return
        if not self._counts(seen):
            return
        self.highest = max(self.highest, seen.end)
        if seen.count and seen.end > self.expected and not self._known(seen):
            self._take(seen)
        self._settle(seen.time_ns)

    def _known(self, seen: Seen) -> bool:
        before = [w for w in self.waiting if w.sequence <= seen.sequence]
        return bool(before) and self._waits(seen) and before[-1].end >= seen.end

    def _waits(self, seen: Seen) -> bool:
        return seen.sequence > self.expected or (self.state == SNAPSHOT and self.damaged)

    def _take(self, seen: Seen) -> None:
        while self._waits(seen) and len(self.waiting) >= self.options.slots:
            end = min([seen.sequence, *(w.sequence for w in self.waiting)])
            if self.state == SNAPSHOT:
                self._overflow(end)
            else:
                self._give_up(end)
        waits = self._waits(seen)
        self.waiting = sorted([*self.waiting, seen], key=lambda w: w.sequence)
        if not waits:
            self._release()

    def _release(self) -> None:
        while self.waiting and self.waiting[0].sequence <= self.expected:
            first = self.waiting.pop(0)
            for sequence in range(max(first.sequence, self.expected), first.end):
                self.said.append((sequence, self.state, self.life))
            self.expected = max(self.expected, first.end)

    def _give_up(self, end: int) -> None:
        if self.state != RECOVERING:
            self.gaps += 1
        self.told = True
        self._jump(end)

    def _jump(self, end: int) -> None:
        if any(life == self.life for *_, life in self.said) or self.life:
            self.lost += end - self.expected
        self.damaged, self.state, self.deadline, self.expected = True, STALE, None, end
        self._release()

    def _settle(self, now: int) -> None:
        while True:
            if self.state == SNAPSHOT and not self._hold_is_over():
                return
            if self.deadline is not None and self.expected >= self.hole_end:
                self.deadline = None
            if self.highest <= self.expected:
                self._closed()
                return
            hole_end = min([self.highest, *(w.sequence for w in self.waiting)])
            if self.deadline is None:
                since = self.waiting[0].time_ns if self.waiting else now
                self.deadline, self.hole_end = since + self.options.window_ns, hole_end
                self.state = UNKNOWN if self.state == UNKNOWN else WAITING
            asked = self.state == RECOVERING
            room = self.options.buffer_packets if asked else self.options.window_packets
            if now < self.deadline and len(self.waiting) <= room:
                return
            if not asked and self.options.recovery_ns:
                self.gaps += 1
                self.told = True
                self.state, self.hole_end = RECOVERING, hole_end
                self.deadline = now + self.options.recovery_ns
                continue
            self._give_up(hole_end)

    def _closed(self) -> None:
        self.deadline = None
        self.state = STALE if self.damaged else LIVE
        self.told = self.told and self.damaged

    def _hold_is_over(self) -> bool:
        if not self.damaged and self.highest <= self.expected:
            self._closed()
        elif len(self.waiting) > self.options.buffer_packets:
            self._overflow(min([self.highest, *(w.sequence for w in self.waiting)]))
        return self.state != SNAPSHOT

    def _overflow(self, end: int) -> None:
        self.overflows += 1
        self._let_go()
        if not self.damaged:
            self._jump(end)

    def _let_go(self) -> None:
        self.imaging, self.serial, self.deadline = False, None, None
        if self.session is None:
            self.state = UNKNOWN
            return
        self.state = STALE if self.damaged else WAITING
        self._release()

    def _fail(self, now: int) -> None:
        self.failed += 1
        self._let_go()
        if self.session is not None:
            self._settle(now)

    def _splice(self, seen: Seen) -> None:
        if seen.kind in ("hold", "begin"):
            late = seen.kind == "begin" and seen.sequence + 1 < self.expected
            unheard = seen.kind == "begin" and self.session is None
            wanted = self.state in (UNKNOWN, SNAPSHOT) or (self.state != LIVE and self.told)
            other = seen.kind == "begin" and seen.session not in (0, self.session)
            if late or unheard or not wanted or other:
                self.refused += 1
                return
            self.state, self.told, self.deadline = SNAPSHOT, True, None
            self.serial, self.imaging = seen.serial, seen.kind == "begin"
            self.damaged = self.damaged or self.imaging
            self.image_next, self.parts = seen.sequence + 1, 0
        elif self.state != SNAPSHOT or seen.serial != self.serial:
            return
        elif seen.kind == "abort":
            self._fail(seen.time_ns)
        elif self.imaging and seen.kind == "part" and seen.number >= self.parts:
            self._part(seen)
        elif self.imaging and seen.kind == "end":
            self._image_ends(seen)

    def _part(self, seen: Seen) -> None:
        if seen.number > self.parts:
            self._fail(seen.time_ns)
            return
        self.parts += 1
        for number in range(seen.sequence, seen.end):
            self.said.append((number, self.state, -1))

    def _image_ends(self, seen: Seen) -> None:
        if seen.number != self.parts:
            self._fail(seen.time_ns)
            return
        self.images += 1
        self.imaging, self.serial, self.damaged = False, None, False
        self.expected = self.image_next
        self.highest = max(self.highest, self.expected)
        self.state = WAITING
        self._release()
        self._settle(seen.time_ns)

    def _counts(self, seen: Seen) -> bool:
        if seen.session != self.session:
            if self.session is not None:
                if seen.session == self.former or seen.line >= 2:
                    return False
                self.former = self.session
                self._begin(1, seen.time_ns)
            self.session = seen.session
        if seen.kind == "asked" or seen.line >= 2:
            return True
        if seen.sent and seen.sent < self.life_sent:
            return False
        if seen.kind == "reset":
            if not self.life_began or seen.time_ns - self.life_began > SECOND_NS:
                self._restart(seen, seen.sequence)
        elif self.restarts and seen.sent > self.newest[0] and seen.sequence < self.newest[1]:
            self._restart(seen, 1)
        if seen.sent >= self.newest[0]:
            self.newest = seen.sent, seen.sequence
        return True

    def _restart(self, seen: Seen, expected: int) -> None:
        self.life_sent, self.newest = seen.sent, (seen.sent, expected)
        self._begin(expected, seen.time_ns)

    def _begin(self, expected: int, now: int) -> None:
        self.waiting, self.deadline, self.damaged = [], None, False
        self.serial, self.imaging, self.told = None, False, False
        self.expected = self.highest = expected
        self.state, self.life, self.life_began = LIVE, self.life + 1, now
