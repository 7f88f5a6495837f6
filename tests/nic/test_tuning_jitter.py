"""The hiccup meter's accounting, on made-up clock values; that it runs, on the real clock."""

from __future__ import annotations

import os
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nic import regions
from nic.tuning.hiccups import LONGEST_COUNT, METER_DTYPE, account_all
from nic.tuning.jitter import BANDS_NS, Band, Jitter, Meter, summary

START_NS = 1_700_000_000_000_000_000
NO_BANDS = dict.fromkeys(BANDS_NS, 0)


def accounted(clock_ns: Sequence[int], threshold_ns: int) -> Jitter:
    """What the meter makes of a sequence of clock values."""
    table: np.ndarray[Any, Any] = np.zeros(1, METER_DTYPE)
    values = np.array(clock_ns, np.uint64)
    table["threshold_ns"] = threshold_ns
    before = regions.violations().count
    with regions.allowed(table, values):
        account_all(*(np.uint64(n) for n in (table.ctypes.data, values.ctypes.data, len(values))))
    assert regions.violations().count == before
    return summary(table, 3)


def test_gaps_are_counted_from_the_threshold_on() -> None:
    steps = (20, 25, 99, 100, 20, 2_500, 30, 1_000_000)
    clock_ns = [START_NS + sum(steps[:i]) for i in range(len(steps) + 1)]
    found = accounted(clock_ns, 100)
    assert (found.core, found.reads, found.shortest_ns) == (3, 8, 20)
    assert found.hiccups == 3 and found.lost_ns == 100 + 2_500 + 1_000_000
    assert found.seconds == sum(steps) / 1e9
    assert found.lost_share == found.lost_ns / sum(steps)
    assert found.longest == (
        (1_000_000, clock_ns[8]), (2_500, clock_ns[6]), (100, clock_ns[4]),
    )  # fmt: skip
    assert found.percentiles_ns[100.0] == 1_000_000
    counts = {band.least_ns: band.count for band in found.bands}
    assert counts == NO_BANDS | {100: 1, 1_000: 1, 1_000_000: 1}


def test_a_clock_set_back_is_no_gap() -> None:
    found = accounted([START_NS, START_NS + 50, START_NS - 10_000, START_NS - 9_900], 100)
    assert (found.backwards, found.reads, found.hiccups, found.lost_ns) == (1, 2, 1, 100)
    assert found.longest == ((100, START_NS - 9_900),)
    assert found.lost_share == 0.0  # no time has gone by that could be shared


def test_one_look_is_no_measurement() -> None:
    found = accounted([START_NS], 1)
    assert (found.reads, found.shortest_ns, found.hiccups, found.lost_share) == (0, 0, 0, 0.0)
    assert found.longest == () and found.bands == tuple(Band(least, 0) for least in BANDS_NS)


@given(st.lists(st.integers(0, 1 << 34), min_size=1, max_size=80), st.integers(1, 1 << 20))
def test_the_account_is_the_one_of_a_slow_model(steps: list[int], threshold_ns: int) -> None:
    clock_ns = [START_NS]
    for step in steps:
        clock_ns.append(clock_ns[-1] + step)
    found = accounted(clock_ns, threshold_ns)
    gaps = [step for step in steps if step >= threshold_ns]
    assert found.reads == len(steps) and found.shortest_ns == min(steps)
    assert (found.hiccups, found.lost_ns) == (len(gaps), sum(gaps))
    kept = sorted((gap for gap in gaps if gap), reverse=True)[:LONGEST_COUNT]
    assert [gap for gap, _ in found.longest] == kept
    ends = {(after - before, after) for before, after in pairwise(clock_ns)}
    assert set(found.longest) <= ends
    assert sum(band.count for band in found.bands) == len(gaps)
    assert found.percentiles_ns[100.0] == max(gaps, default=0)


def test_the_meter_runs_on_a_core() -> None:
    core = min(os.sched_getaffinity(0))
    meter = Meter(core, 5_000_000, 1)
    found = meter.run()
    assert found.core == core and found.reads > 0
    assert found.hiccups <= found.reads and found.lost_share <= 1.0


def test_a_meter_is_stopped() -> None:
    meter = Meter(None, 3_600_000_000_000, 1_000)
    meter.stop()
    assert meter.run().reads <= 1


def test_a_core_that_is_not_there_is_refused() -> None:
    with pytest.raises(ValueError, match="core 4000 is not online"):
        Meter(4000, 1, 1)
