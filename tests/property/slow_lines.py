"""The slow judge of arbitration: one stream, plain Python, every rule said as it is meant."""

from __future__ import annotations

from dataclasses import dataclass, field

from feedhandler.lines.layout import LIVE, RECOVERING, STALE, UNKNOWN, WAITING
from feedhandler.lines.setup import LineOptions

SECOND_NS = 1_000_000_000


@dataclass(frozen=True)
class Seen:
    """A packet as its header tells: `kind` is "messages", "asked", "heartbeat" or "reset"."""

    time_ns: int
    line: int
    sequence: int
    count: int
    kind: str = "messages"
    session: int = 0
    sent: int = 0

    @property
    def end(self) -> int:
        """Behind its last message."""
        return self.sequence + self.count


@dataclass
class SlowStream:
    """What a stream does with packets.

    Attributes:
        said: (sequence, state, life) of each message delivered.
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

    def arrive(self, seen: Seen) -> None:
        """One packet."""
        if self.deadline is not None and seen.time_ns >= self.deadline:
            self._settle(seen.time_ns)
        if not self._counts(seen):
            return
        self.highest = max(self.highest, seen.end)
        if seen.count and seen.end > self.expected and not self._known(seen):
            self._take(seen)
        self._settle(seen.time_ns)

    def _known(self, seen: Seen) -> bool:
        before = [w for w in self.waiting if w.sequence <= seen.sequence]
        return bool(before) and seen.sequence > self.expected and before[-1].end >= seen.end

    def _take(self, seen: Seen) -> None:
        while seen.sequence > self.expected and len(self.waiting) >= self.options.slots:
            self._give_up(min([seen.sequence, *(w.sequence for w in self.waiting)]))
        self.waiting = sorted([*self.waiting, seen], key=lambda w: w.sequence)
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
        if any(life == self.life for *_, life in self.said) or self.life:
            self.lost += end - self.expected
        self.damaged, self.state, self.deadline, self.expected = True, STALE, None, end
        self._release()

    def _settle(self, now: int) -> None:
        while True:
            if self.deadline is not None and self.expected >= self.hole_end:
                self.deadline = None
            if self.highest <= self.expected:
                self.deadline = None
                self.state = STALE if self.damaged else LIVE
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
                self.state, self.hole_end = RECOVERING, hole_end
                self.deadline = now + self.options.recovery_ns
                continue
            self._give_up(hole_end)

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
        self.expected = self.highest = expected
        self.state, self.life, self.life_began = LIVE, self.life + 1, now
