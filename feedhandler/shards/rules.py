"""Which symbols are whose, as one writes it, and what is wrong with it.

"AAPL"  the security AAPL, with all its classes and issues; "BRK.A" says the same of all of BRK
"A-M"   all whose letters are from A… to M…
"0/2"   half of those that no name and no range has, spread evenly; "1/2" is the other half
"rest"  all that nobody else has
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import Final, NamedTuple

import numpy as np

from feedhandler.shards.owning import (
    FIRST,
    INTERVAL_DTYPE,
    LETTERS,
    NOBODY,
    RULE_DTYPE,
    SCATTER,
    SCATTER_MASK,
    SCATTER_SHIFT,
)
from nic.block import Block, create

REST: Final = "rest"
MOST_CLASSES: Final = 4096
_RANGE: Final = re.compile(r"([A-Z]{1,8})-([A-Z]{1,8})")
_CLASS: Final = re.compile(r"([0-9]{1,4})/([0-9]{1,4})")
_ROOT: Final = re.compile("[A-Z]+")


class Interval(NamedTuple):
    """Roots from `low` to `high`, both included, and who has them.

    Attributes:
        follows: the lowest root above.
        rule: as it was written.
    """

    low: int
    high: int
    follows: int
    shard: int
    rule: str


class Class(NamedTuple):
    """One of some even parts of what no interval has."""

    number: int
    parts: int
    shard: int
    rule: str


def word_of(text: str, fill: str = "\0") -> int:
    """Letters as a word that compares as they do."""
    return int.from_bytes(text[:LETTERS].ljust(LETTERS, fill).encode("latin-1"), "big")


def root_text(symbol: str) -> str:
    """The letters that a symbol begins with, the first eight at most."""
    found = _ROOT.match(symbol)
    return found[0][:LETTERS] if found is not None else ""


def letters_of(word: int) -> str:
    """A root as text."""
    return word.to_bytes(LETTERS, "big").rstrip(b"\0").decode("latin-1")


def scattered(root: int) -> int:
    """What classes are made from, as `owning.owner_of` has it."""
    folded = root ^ (root >> SCATTER_SHIFT)
    return ((folded * SCATTER) >> SCATTER_SHIFT) & SCATTER_MASK


def _behind(prefix: str) -> int:
    """The lowest root above all that begin with a prefix."""
    kept = prefix.rstrip("Z")
    return word_of(kept[:-1] + chr(ord(kept[-1]) + 1)) if kept else 1 << 63


def parse_rule(text: str, shard: int) -> Interval | Class | None:
    """A rule; None for "rest". Raises ValueError for what is none."""
    if text == REST:
        return None
    found = _CLASS.fullmatch(text)
    if found is not None:
        number, count = int(found[1]), int(found[2])
        if not 1 <= count <= MOST_CLASSES or number >= count:
            raise ValueError(f'"{text}": expected n/m with n below m, m at most {MOST_CLASSES}')
        return Class(number, count, shard, text)
    found = _RANGE.fullmatch(text)
    if found is not None and word_of(found[1]) <= word_of(found[2], "\x7f"):
        follows = _behind(found[2])
        return Interval(word_of(found[1]), word_of(found[2], "\x7f"), follows, shard, text)
    root = root_text(text)
    if found is not None or not root:
        raise ValueError(f'"{text}": expected a symbol, a range as A-M, a part as 0/2, or rest')
    low = word_of(root)
    return Interval(low, low, word_of(root + "A") if len(root) < LETTERS else low + 1, shard, text)


@dataclass(frozen=True)
class Ownership:
    """Who has which symbols.

    Attributes:
        intervals: ascending, none within another.
        classes: by remainder; NOBODY where the rest has them.
        rest: who has all others; NOBODY where there are none.
    """

    intervals: tuple[Interval, ...]
    classes: tuple[int, ...]
    rest: int

    def owner(self, symbol: str) -> int:
        """The number of the shard that a symbol belongs to, in whatever spelling."""
        root = word_of(root_text(symbol))
        for interval in self.intervals:
            if interval.low <= root <= interval.high:
                return interval.shard
        if root == 0:
            return FIRST
        owner = self.classes[scattered(root) % len(self.classes)]
        return owner if owner != NOBODY else self.rest

    @cached_property
    def block(self) -> Block:
        """The tables of `feedhandler.shards.owning`; section "rule" is what kernels are given."""
        block = create(
            [
                ("rule", RULE_DTYPE, 1),
                ("intervals", INTERVAL_DTYPE, max(1, len(self.intervals))),
                ("classes", np.dtype("i8"), len(self.classes)),
            ]
        )
        for row, given in zip(block["intervals"], self.intervals, strict=False):
            row["low"], row["high"], row["shard"] = given.low, given.high, given.shard
        block["classes"][:] = self.classes
        rule = block["rule"][0]
        rule["intervals"] = block.section_address("intervals")
        rule["classes"] = block.section_address("classes")
        rule["interval_count"], rule["class_count"] = len(self.intervals), len(self.classes)
        rule["rest"] = max(self.rest, FIRST)
        return block


def ownership(names: Sequence[str], rules: Sequence[Sequence[str]]) -> Ownership:
    """Who has what, from the rules of each shard.

    Raises ValueError, a line that names the shards and their rules, where a symbol has two owners
    or none.
    """
    intervals, classes, rest = list[Interval](), list[Class](), list[int]()
    for shard, texts in enumerate(rules):
        for text in texts:
            try:
                rule = parse_rule(text, shard)
            except ValueError as error:
                raise ValueError(f"shard {names[shard]}: symbols: {error}") from None
            if isinstance(rule, Interval):
                intervals.append(rule)
            elif isinstance(rule, Class):
                classes.append(rule)
            else:
                rest.append(shard)
    intervals.sort()
    for line in (*_overlaps(names, intervals), *_shared(names, classes), *_two_rests(names, rest)):
        raise ValueError(line)
    parts = _by_remainder(classes)
    everything = NOBODY not in parts
    if rest and everything:
        who = " and ".join(f'{names[one.shard]} ("{one.rule}")' for one in classes)
        raise ValueError(f"shard {names[rest[0]]}: there is no rest: {who} leave nothing")
    hole = "" if rest or everything else _hole(names, intervals, classes)
    if hole:
        raise ValueError(hole)
    return Ownership(tuple(intervals), tuple(parts), rest[0] if rest else NOBODY)


def _who(names: Sequence[str], rule: Interval | Class) -> str:
    return f'{names[rule.shard]} ("{rule.rule}")'


def _overlaps(names: Sequence[str], intervals: list[Interval]) -> Iterator[str]:
    for one, other in pairwise(intervals):
        if other.low <= one.high:
            both = f"{_who(names, one)} and {_who(names, other)}"
            yield f"symbols: {letters_of(other.low)} would belong to both {both}"


def _shared(names: Sequence[str], classes: list[Class]) -> Iterator[str]:
    for place, one in enumerate(classes):
        for other in classes[:place]:
            if (one.number - other.number) % math.gcd(one.parts, other.parts) == 0:
                yield f"symbols: {_who(names, other)} and {_who(names, one)} have some in common"


def _two_rests(names: Sequence[str], rest: list[int]) -> Iterator[str]:
    if len(rest) > 1:
        yield f'symbols: both {names[rest[0]]} and {names[rest[1]]} have "{REST}"'


def _by_remainder(classes: list[Class]) -> list[int]:
    count = math.lcm(*(one.parts for one in classes)) if classes else 1
    if count > MOST_CLASSES:
        raise ValueError(f"symbols: parts of {count}: expected at most {MOST_CLASSES} together")
    parts = [NOBODY] * count
    for one in classes:
        for place in range(one.number, count, one.parts):
            parts[place] = one.shard
    return parts


def _hole(names: Sequence[str], intervals: list[Interval], classes: list[Class]) -> str:
    """A line about symbols that no interval has; empty where there are none."""
    expected, before = word_of("A"), None
    for one in [*intervals, None]:
        low = one.low if one is not None else 1 << 63
        if low > expected:
            return f"symbols: {_left(names, expected, before, one, classes)}"
        if one is not None:
            expected, before = max(expected, one.follows), one
    return ""


def _left(
    names: Sequence[str],
    word: int,
    before: Interval | None,
    behind: Interval | None,
    classes: list[Class],
) -> str:
    """What is to be said of symbols from a word on that have no owner."""
    wanted = f'expected a shard with "{REST}"'
    if classes:
        parts = " and ".join(_who(names, one) for one in classes)
        return f"{parts} do not have all that is left: {wanted} or more parts"
    sides = [f"behind {_who(names, before)}"] if before is not None else []
    sides += [f"before {_who(names, behind)}"] if behind is not None else []
    return f"nobody has {letters_of(word)}, {' and '.join(sides)}: {wanted}"
