"""Random numbers: the compiled stream against the plain one, and what tables make of it."""

from __future__ import annotations

import math

import numpy as np
import pytest
from flow_rig import changed, times
from numba import njit

from nic.regions import allowed, reset, violations
from simulator.flow import draws, hawkes, layout
from simulator.flow.flow import OrderFlow
from simulator.flow.seeds import Stream, signed
from simulator.flow.tables import day_shape

ONE_S = 1_000_000_000


@njit(nogil=True)
def fill(place, out, count):
    """The next draws of a stream."""
    for number in range(count):
        out[number] = draws.draw(place)


@njit(nogil=True)
def fill_exponential(flow, place, out, count):
    """The next exponential numbers of a stream."""
    for number in range(count):
        out[number] = draws.exponential(flow, draws.draw(place))


@njit(nogil=True)
def fill_below(place, limit, out, count):
    """The next integers below a limit."""
    for number in range(count):
        out[number] = draws.below(draws.draw(place), limit)


@njit(nogil=True)
def excite_at(flow, row, now_ns):
    """Lets the excitement decay to a time, raises it by one order; the rate before that."""
    hawkes.let_decay(flow, row, now_ns)
    rate = hawkes.order_rate(flow, row)
    hawkes.excite(flow, row, layout.ONE)
    return rate


@pytest.fixture
def flow():
    reset()
    with OrderFlow(3, times(60), 5, changed(news={"per_session": 0})) as made:
        with allowed(*made.blocks):
            yield made
        assert violations().count == 0


def test_the_compiled_stream_is_the_plain_one():
    plain = Stream(99, 3)
    state = np.array([signed(plain.state)])
    out = np.zeros(1000, np.int64)
    with allowed(state):
        fill(state.ctypes.data, out, len(out))
    assert out.tolist() == [signed(plain.bits()) for _ in range(len(out))]


def test_streams_of_other_names_and_seeds_differ():
    firsts = {Stream(seed, name).bits() for seed in range(50) for name in range(-20, 20)}
    assert len(firsts) == 50 * 40


def test_plain_integers_below_a_limit_cover_all_of_them():
    stream = Stream(1)
    counts = np.bincount([stream.below(7) for _ in range(7000)], minlength=7)
    assert counts.min() > 850 and counts.max() < 1150


@pytest.mark.parametrize("limit", [1, 7, 1000, (1 << 31) - 1, 1 << 31, 1 << 40])
def test_integers_below_a_limit(limit):
    state, out = np.array([limit]), np.zeros(20_000, np.int64)
    with allowed(state):
        fill_below(state.ctypes.data, limit, out, len(out))
    assert out.min() >= 0 and out.max() < limit
    assert out.mean() == pytest.approx((limit - 1) / 2, rel=0.03, abs=1e-9)


def test_exponential_numbers_have_their_mean_and_their_tail(flow):
    out = np.zeros(200_000, np.int64)
    row = flow._block.section_address("instruments", 1)
    fill_exponential(flow.address, row + layout.I_RANDOM, out, len(out))
    values = out / (1 << 24)
    assert values.min() >= 0
    assert values.mean() == pytest.approx(1, abs=0.01)
    for limit in (0.01, 0.1, 1, 3, 6):
        assert (values > limit).mean() == pytest.approx(math.exp(-limit), abs=0.005)


def test_excitement_is_a_sum_of_exponentials(flow):
    """The plain twin keeps every event and adds up what each has left."""
    kernels = flow.settings.activity.kernels
    row = flow._block.section_address("instruments", 1)
    scale = 1 << layout.RATE_BITS
    base = int(flow.instruments[1]["base_rate"]) / scale * int(flow.head["day_shape"])
    start_ns = int(flow.instruments[1]["time_ns"])
    started = flow.instruments[1]["excitement"][: len(kernels)] / scale
    stream, now_ns, events = Stream(4), start_ns, []
    for number in range(400):
        now_ns += stream.below(50_000 if number % 20 else 2 * ONE_S) + 1
        rate = excite_at(flow.address, row, now_ns) / scale
        wanted = base / layout.ONE
        for kernel, first in zip(kernels, started, strict=True):
            wanted += first * math.exp(-(now_ns - start_ns) / 1e9 / kernel.time_s)
            kick = kernel.branching / kernel.time_s
            for event_ns in events:
                wanted += kick * math.exp(-(now_ns - event_ns) / 1e9 / kernel.time_s)
        assert rate == pytest.approx(wanted, rel=0.001, abs=0.001)
        events.append(now_ns)


def test_the_shape_of_a_day_keeps_the_mean():
    shape = day_shape([2.0, 1.0, 0.5, 1.0, 3.0])
    assert len(shape) == layout.DAY_SLOTS
    assert sum(shape) / len(shape) == pytest.approx(layout.ONE, rel=0.001)
    assert shape[0] > shape[32] < shape[-1]
