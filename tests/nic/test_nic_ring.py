"""The ring between one producer and one consumer."""

import threading

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numba import njit

from nic.block import create
from nic.raw import load_u64le, pause, store_u64le
from nic.regions import allowed
from nic.ring import ring_claim, ring_drop, ring_front, ring_publish
from nic.ringlayout import ring_dtype
from nic.ringview import Ring

RECORD = np.dtype([("kind", "<u8"), ("value", "<i8"), ("rest", "<u8", (6,))])


@njit(nogil=True)
def produce(ring, count):
    for number in range(count):
        slot = ring_claim(ring)
        while slot == 0:
            pause()
            slot = ring_claim(ring)
        for word in range(0, 64, 8):
            store_u64le(slot + word, number)
        ring_publish(ring)


@njit(nogil=True)
def consume(ring, count):
    """The number of records that were not the expected ones, whole."""
    wrong = 0
    for number in range(count):
        slot = ring_front(ring)
        while slot == 0:
            pause()
            slot = ring_front(ring)
        for word in range(0, 64, 8):
            wrong += load_u64le(slot + word) != np.uint64(number)
        ring_drop(ring)
    return wrong


def new_ring(slots):
    block = create([("ring", ring_dtype(slots, RECORD), 1)])
    return block, Ring(block["ring"])


@settings(max_examples=60, deadline=None)
@given(st.lists(st.one_of(st.none(), st.integers(-(2**63), 2**63 - 1)), max_size=60))
def test_ring_behaves_as_a_bounded_queue(steps):
    block, ring = new_ring(4)
    model, refused = [], 0
    for step in steps:
        if step is None:
            record = ring.pop()
            assert (None if record is None else int(record["value"][0])) == (
                model.pop(0) if model else None
            )
        elif ring.push(kind=1, value=step):
            model.append(step)
        else:
            refused += 1
            assert len(model) == 4
        assert len(ring) == len(model)
    assert ring.refused_count == refused
    assert [int(record["value"][0]) for record in ring.drain()] == model
    block.close()


def test_two_threads_see_every_record_whole_and_in_order():
    block, ring = new_ring(64)
    count, wrong = 200_000, []
    with allowed(block):
        produce(ring.address, 0)
        consume(ring.address, 0)
        consumer = threading.Thread(target=lambda: wrong.append(consume(ring.address, count)))
        consumer.start()
        produce(ring.address, count)
        consumer.join()
    assert wrong == [0]
    assert len(ring) == 0
    block.close()


def test_head_and_tail_are_on_cache_lines_of_their_own():
    dtype = ring_dtype(8)
    starts = [dtype.fields[name][1] for name in ("config", "consumer", "producer", "records")]
    assert starts == [0, 64, 128, 192]


@pytest.mark.parametrize("slots", [0, 3, 100])
def test_slot_count_must_be_a_power_of_two(slots):
    with pytest.raises(ValueError, match="power of two"):
        ring_dtype(slots)


def test_record_must_be_a_cache_line():
    with pytest.raises(ValueError, match="expected 64"):
        ring_dtype(4, np.dtype([("kind", "<u8")]))


def test_ring_wants_one_row_of_a_ring():
    with pytest.raises(ValueError, match="ring dtype"):
        Ring(np.zeros(2, ring_dtype(2)))
