"""The log's ring: records across its end, pads, and what found no room is told."""

from __future__ import annotations

import struct
from collections import deque
from collections.abc import Iterator

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from loop_kernels import run_write, run_write_lines

from nic.block import Block, create
from nic.regions import allowed
from router import log
from router.logreader import LogReader, Record, log_sections, open_log

LINES = 16


class Log:
    """A log of a few lines, and its reader."""

    def __init__(self, lines: int = LINES) -> None:
        self.block: Block = create(log_sections(lines))
        self.address = open_log(self.block)
        self.reader = LogReader(self.block)

    def clear(self) -> None:
        """As it was made."""
        row = self.block["log"]
        for name in ("read", "written", "read_seen", "lost", "told", "records"):
            row[name] = 0
        self.block["lines"].view(np.uint8)[:] = 0xAA
        self.reader.lost = 0

    def write(self, first: int, lines: int = 1, kind: int = log.CHILD) -> None:
        """A record at the time `first`, with numbers from `first` on."""
        with allowed(self.block):
            if lines == 1:
                run_write(self.address, kind, first, first)
            else:
                run_write_lines(self.address, kind, first, lines, first)

    def read(self) -> list[Record]:
        """What came since."""
        return list(self.reader.read())

    def count(self, name: str) -> int:
        """A word of the log's row."""
        return int(self.block["log"][0][name])


def expected(first: int, lines: int = 1, kind: int = log.CHILD) -> Record:
    """The record that `Log.write` makes."""
    words = tuple(range(first, first + 6))
    more = range(first + 6, first + 6 + 8 * (lines - 1))
    return Record(kind, first, words, struct.pack(f"<{len(more)}q", *more))


@pytest.fixture(scope="module")
def kept() -> Iterator[Log]:
    made = Log()
    yield made
    made.block.close()


@pytest.fixture
def ring(kept: Log) -> Log:
    kept.clear()
    return kept


def test_records_come_as_they_were_written(ring: Log) -> None:
    ring.write(10)
    ring.write(20, 3, log.SENT)
    ring.write(30, 2, log.GATE)
    assert ring.read() == [expected(10), expected(20, 3, log.SENT), expected(30, 2, log.GATE)]
    assert ring.read() == []
    assert ring.count("records") == 3


def test_the_ring_goes_on_behind_its_end(ring: Log) -> None:
    for first in range(0, 1000, 10):
        ring.write(first)
        assert ring.read() == [expected(first)]
    assert ring.count("written") == 100 and ring.count("lost") == 0


def test_a_record_that_does_not_fit_before_the_end_stands_behind_a_pad(ring: Log) -> None:
    ring.write(0, 14)
    assert ring.read() == [expected(0, 14)]
    ring.write(50, 3)
    assert ring.read() == [expected(50, 3)]
    assert ring.count("written") == 16 + 3
    assert ring.block["lines"][14]["kind"] == log.PAD and ring.block["lines"][14]["lines"] == 2


def test_a_record_that_fits_to_the_end_needs_no_pad(ring: Log) -> None:
    ring.write(0, 13)
    ring.read()
    ring.write(50, 3)
    assert ring.count("written") == 16
    assert ring.read() == [expected(50, 3)]


def test_a_full_log_loses_and_tells(ring: Log) -> None:
    for first in range(0, 10 * LINES, 10):
        ring.write(first)
    for first in (1000, 1010, 1020):
        ring.write(first)
    assert ring.count("lost") == 3 and ring.count("told") == 0
    assert ring.read() == [expected(first) for first in range(0, 10 * LINES, 10)]
    ring.write(2000)
    told, after = ring.read()
    assert (told.kind, told.words) == (log.LOST, (3, 0, 0, 0, 0, 0)) and told.time_ns == 2000
    assert after == expected(2000)
    assert ring.reader.lost == 3 and ring.count("told") == 3


def test_what_is_lost_later_is_told_beside_what_was_told_before(ring: Log) -> None:
    for _ in range(2):
        for first in range(LINES + 2):
            ring.write(first)
        ring.read()
    ring.write(7)
    ring.read()
    assert ring.reader.lost == ring.count("lost") == ring.count("told")


def test_a_record_longer_than_the_ring_is_lost(ring: Log) -> None:
    ring.write(5, LINES + 1)
    assert ring.count("lost") == 1
    ring.write(6, LINES - 1)
    assert [record.kind for record in ring.read()] == [log.LOST, log.CHILD]


def test_the_bytes_of_a_record_may_fill_the_ring(ring: Log) -> None:
    ring.write(5, LINES)
    assert ring.read() == [expected(5, LINES)]
    assert ring.count("lost") == 0


@pytest.mark.parametrize("count", [0, 1, 3, 24])
def test_a_count_of_lines_is_a_power_of_two(count: int) -> None:
    with pytest.raises(ValueError, match=f"log of {count} lines: expected a power of two"):
        log_sections(count)


class SlowLog:
    """The same as a list: counts of lines, what waits, what was lost."""

    def __init__(self) -> None:
        self.waiting: deque[tuple[int, Record]] = deque()
        self.written = self.read = self.lost = self.told = 0

    def room(self, lines: int) -> bool:
        """Whether so many lines are free."""
        return self.written + lines - self.read <= LINES

    def put(self, record: Record, lines: int) -> None:
        """A record is there."""
        self.written += lines
        self.waiting.append((self.written, record))

    def write(self, first: int, lines: int) -> None:
        """What a producer does."""
        if self.lost != self.told and self.room(1):
            words = (self.lost - self.told, 0, 0, 0, 0, 0)
            self.put(Record(log.LOST, first, words, b""), 1)
            self.told = self.lost
        left = LINES - self.written % LINES
        pad = left if left < lines else 0
        if lines > LINES or not self.room(pad + lines):
            self.lost += 1
            return
        self.written += pad
        self.put(expected(first, lines), lines)

    def take(self) -> list[Record]:
        """What a consumer is given."""
        records = [record for _, record in self.waiting]
        self.waiting.clear()
        self.read = self.written
        return records


@settings(max_examples=150, deadline=None)
@given(st.lists(st.integers(0, LINES + 1), max_size=80))
def test_the_log_is_what_a_list_says(kept: Log, steps: list[int]) -> None:
    """0 reads; other numbers write a record of so many lines."""
    kept.clear()
    model = SlowLog()
    for number, lines in enumerate(steps):
        if lines == 0:
            assert kept.read() == model.take()
        else:
            kept.write(100 * number, lines)
            model.write(100 * number, lines)
        assert kept.count("written") == model.written
        assert (kept.count("lost"), kept.count("told")) == (model.lost, model.told)
    assert kept.read() == model.take()
    assert kept.reader.lost == model.told
