"""The calibrated clock against exact arithmetic and against the system's own."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nic.clock import Clock
from nic.layout import CLOCK_REALTIME, CLOCK_TSC

NS_BASE = 1_700_000_000_000_000_000
DAY_NS = 86_400 * 10**9


def made_clock(source: int = CLOCK_TSC, multiplier: int = 0, tick_base: int = 10**15) -> Clock:
    clock = Clock(1_000_000)
    clock.table["source"] = source
    clock.table["tick_base"] = tick_base
    clock.table["ns_base"] = NS_BASE
    clock.table["multiplier"] = multiplier
    clock.table["shift"] = 40
    return clock


@given(ticks=st.integers(-(10**14), 10**17), hz=st.floats(1e8, 6e9, allow_nan=False))
def test_ticks_convert_as_exact_arithmetic_does(ticks: int, hz: float) -> None:
    multiplier = int(1e9 / hz * 2**40)
    clock = made_clock(multiplier=multiplier)
    moved_ns = abs(ticks) * multiplier >> 40
    expected = NS_BASE + moved_ns if ticks >= 0 else NS_BASE - moved_ns
    assert clock.convert_ns(10**15 + ticks) == expected


def test_the_clock_stays_near_the_system_s() -> None:
    clock = Clock()
    for _ in range(5):
        before_ns, now_ns, after_ns = time.time_ns(), clock.now_ns(), time.time_ns()
        assert before_ns - 10**7 <= now_ns <= after_ns + 10**7
    assert abs(clock.offset_ns()) < 10**7
    clock.recalibrate()
    assert abs(clock.offset_ns()) < 10**7


def test_time_goes_forward() -> None:
    clock = Clock()
    times = [clock.now_ns() for _ in range(1000)]
    assert times == sorted(times)


def test_the_pace_is_that_of_a_processor() -> None:
    clock = Clock()
    if not clock.has_tsc:
        pytest.skip("no invariant time stamp counter on this machine")
    assert 1e8 < clock.tick_hz < 1e10
    second = clock.convert_ns(10**15 + round(clock.tick_hz)) - clock.convert_ns(10**15)
    assert abs(second - 10**9) <= 2
    assert clock.uncertainty_ns > 0


def test_a_clock_that_runs_fast_shows_as_drift() -> None:
    clock = Clock()
    if not clock.has_tsc:
        pytest.skip("no invariant time stamp counter on this machine")
    clock.table["multiplier"] += clock.table["multiplier"] // 1000  # 1000 ppm
    clock.table["ns_base"] -= 10 * 10**9  # as if calibrated ten seconds ago
    clock.table["tick_base"] -= int(clock.tick_hz * 1.001 * 10)
    assert 900 < clock.drift_ppm() < 1100


def test_without_a_counter_the_system_s_clock_is_read() -> None:
    clock = made_clock(source=CLOCK_REALTIME)
    before_ns, now_ns, after_ns = time.time_ns(), clock.now_ns(), time.time_ns()
    assert before_ns <= now_ns <= after_ns
    assert (clock.offset_ns(), clock.drift_ppm(), clock.convert_ns(123)) == (0, 0.0, 123)
    clock.recalibrate()
    assert not clock.has_tsc


def test_a_step_of_the_system_s_clock_is_refused() -> None:
    clock = Clock()
    if not clock.has_tsc:
        pytest.skip("no invariant time stamp counter on this machine")
    clock.table["first_ns"] += DAY_NS  # as if the time had been set back by a day since
    with pytest.raises(OSError, match="was stepped"):
        clock.recalibrate()
