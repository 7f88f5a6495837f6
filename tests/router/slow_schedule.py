"""Schedules in plain Python: fractions where the kernel has integers, a search where it inverts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

PART = 1_000_000_000


@dataclass(frozen=True, kw_only=True)
class SlowSchedule:
    """A parent on a curve, without jitter; times are ns from its start."""

    points: Sequence[tuple[int, int]]
    slices: int
    quantity: int
    tolerance: int
    lot: int
    finish_ns: int
    arrived: int = 0

    @property
    def span(self) -> int:
        return self.points[-1][0]

    def part_by(self, at: int) -> int:
        """1e-9 done by a time."""
        if at <= 0:
            return 0
        if at >= self.span:
            return PART
        for (t0, p0), (t1, p1) in zip(self.points, self.points[1:], strict=False):
            if t0 <= at < t1:
                return p0 + int(Fraction((p1 - p0) * (at - t0), t1 - t0))
        raise AssertionError(at)

    def due_by(self, at: int) -> int:
        """Shares due by a time."""
        missed = self.part_by(self.arrived)
        if missed == PART:
            return self.quantity
        part = Fraction(max(self.part_by(at) - missed, 0), PART - missed)
        return int(part * self.quantity)

    def in_lots(self, shares: int) -> int:
        return shares if shares == self.quantity else shares // self.lot * self.lot

    def is_behind(self, at: int, cum: int) -> bool:
        """Whether something is to be taken."""
        allowed = self.quantity * self.tolerance // PART
        due = self.due_by(at)
        return due - cum > allowed and self.in_lots(due) > cum

    def edge(self, number: int) -> int:
        return int(Fraction(self.span * number, self.slices))

    def says(self, at: int, cum: int) -> tuple[str, int, int]:
        """Style, quantity and the next look."""
        until = self.span - self.finish_ns if self.finish_ns else self.span
        if self.finish_ns and at >= until:
            return "take", self.quantity - cum, self.span
        number = max(k for k in range(self.slices) if self.edge(k) <= at)
        looks = [self.edge(number + 1), until]
        if self.is_behind(at, cum):
            return "take", self.in_lots(self.due_by(at)) - cum, min(looks)
        if self.is_behind(self.span, cum):
            first, last = at, self.span
            while last - first > 1:
                middle = (first + last) // 2
                first, last = (first, middle) if self.is_behind(middle, cum) else (middle, last)
            looks.append(last)
        wanted = max(self.in_lots(self.due_by(self.edge(number + 1))) - cum, 0)
        return "passive" if wanted else "wait", wanted, min(looks)
