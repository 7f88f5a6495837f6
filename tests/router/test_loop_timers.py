"""The heap of timers: the earliest first, equal times as they were set, a full one says so."""

from __future__ import annotations

import heapq
from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from loop_kernels import WHO_BITS, run_note_due, run_set_timer, run_take_timer

from nic.regions import allowed
from router.loop.timers import NEVER
from router.tables import INTENT_TIMER, PARENT_TIMER
from router.tablespace import RouterTables, Sizes

ROOM = 32
SMALL = Sizes(
    accounts=1, venues=1, instruments=1, parents=1, children=1, tokens=1, intents=1, timers=ROOM,
    executions=16, log_lines=16,
)  # fmt: skip


class Heap:
    """A table of timers and nothing else."""

    def __init__(self) -> None:
        self.tables = RouterTables(SMALL)
        self.clear()

    def clear(self) -> None:
        """No timer is set, and none ever was."""
        for name in ("timer_count", "timers_set", "full_count"):
            self.tables.head[name] = 0
        self.tables.block["timers"][:] = 0
        with allowed(self.tables.block):
            run_note_due(self.tables.address)

    def set(self, due_ns: int, who: int, kind: int = PARENT_TIMER) -> int:
        """1, or 0 where there is no room."""
        with allowed(self.tables.block):
            return int(run_set_timer(self.tables.address, due_ns, kind, who))

    def take(self) -> tuple[int, int, int]:
        """Time, kind and who of the earliest."""
        due_ns = self.due_ns
        with allowed(self.tables.block):
            both = int(run_take_timer(self.tables.address))
        return due_ns, both >> WHO_BITS, both & ((1 << WHO_BITS) - 1)

    @property
    def due_ns(self) -> int:
        """What the loop compares the time with."""
        return int(self.tables.head["due_ns"])

    def count(self, name: str) -> int:
        """One of the head's counts."""
        return int(self.tables.head[name])


@pytest.fixture(scope="module")
def kept() -> Iterator[Heap]:
    heap = Heap()
    yield heap
    heap.tables.close()


@pytest.fixture
def heap(kept: Heap) -> Heap:
    kept.clear()
    return kept


def test_nothing_is_due_without_a_timer(heap: Heap) -> None:
    assert heap.due_ns == NEVER


def test_the_earliest_comes_first(heap: Heap) -> None:
    times = (50, 20, 90, 10, 70)
    for count, due_ns in enumerate(times, 1):
        assert heap.set(due_ns, due_ns + 1) == 1
        assert heap.due_ns == min(times[:count])
    expected = [(due_ns, PARENT_TIMER, due_ns + 1) for due_ns in sorted(times)]
    assert [heap.take() for _ in times] == expected
    assert heap.due_ns == NEVER and heap.count("timer_count") == 0


def test_equal_times_come_in_the_order_they_were_set(heap: Heap) -> None:
    for who in range(1, 17):
        heap.set(1000, who)
    assert [heap.take()[2] for _ in range(16)] == list(range(1, 17))


def test_equal_times_keep_their_order_when_others_come_and_go_between(heap: Heap) -> None:
    for who in range(1, 7):
        heap.set(1000, who)
        heap.set(who, 100 + who)
    assert [heap.take()[2] for _ in range(6)] == list(range(101, 107))
    heap.set(1000, 7)
    assert [heap.take()[2] for _ in range(7)] == list(range(1, 8))


def test_a_kind_stays_with_its_timer(heap: Heap) -> None:
    heap.set(5, 8, INTENT_TIMER)
    heap.set(4, 9, PARENT_TIMER)
    assert [heap.take(), heap.take()] == [(4, PARENT_TIMER, 9), (5, INTENT_TIMER, 8)]


def test_a_full_table_refuses_counts_and_loses_nothing(heap: Heap) -> None:
    for who in range(1, ROOM + 1):
        assert heap.set(ROOM - who, who) == 1
    assert heap.set(-5, 99) == 0 and heap.set(-6, 98) == 0
    assert heap.count("full_count") == 2
    assert heap.due_ns == 0
    assert [heap.take()[2] for _ in range(ROOM)] == list(range(ROOM, 0, -1))
    assert heap.set(3, 1) == 1


OPERATIONS = st.lists(
    st.one_of(
        st.tuples(st.just("set"), st.integers(0, 12)),
        st.tuples(st.just("set"), st.integers(-(1 << 62), 1 << 62)),
        st.tuples(st.just("take"), st.just(0)),
    ),
    max_size=120,
)


@settings(max_examples=150, deadline=None)
@given(OPERATIONS)
def test_timers_are_what_heapq_says(kept: Heap, operations: list[tuple[str, int]]) -> None:
    kept.clear()
    model: list[tuple[int, int, int]] = []
    refused = 0
    for number, (what, due_ns) in enumerate(operations):
        if what == "set":
            there_is_room = len(model) < ROOM
            assert kept.set(due_ns, number) == int(there_is_room)
            refused += not there_is_room
            if there_is_room:
                heapq.heappush(model, (due_ns, number, PARENT_TIMER))
        elif model:
            due_ns, who, kind = heapq.heappop(model)
            assert kept.take() == (due_ns, kind, who)
        assert kept.due_ns == (model[0][0] if model else NEVER)
    assert kept.count("timer_count") == len(model)
    assert kept.count("full_count") == refused
