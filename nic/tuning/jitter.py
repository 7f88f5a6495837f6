"""The hiccup meter: how often, when and for how long a core does something else than its loop."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from nic import regions
from nic.clock import NOW_NS_FUNCTION, Clock
from nic.percentiles import bucket_bounds, percentiles
from nic.thread import PinnedThread
from nic.tuning.hiccups import METER_DTYPE, spin

NS_PER_S = 1_000_000_000
BANDS_NS = (100, 1_000, 10_000, 100_000, 1_000_000, 10_000_000)
RANKS = (50.0, 90.0, 99.0, 99.9, 100.0)


@dataclass(frozen=True, slots=True)
class Band:
    """Hiccups of at least `least_ns` (and less than the next band), within 3.2 %."""

    least_ns: int
    count: int


@dataclass(frozen=True, slots=True)
class Jitter:
    """What a meter saw. `lost_share` is the part of the time that went in hiccups.

    percentiles_ns: by rank, of hiccups. longest: (gap in ns, time of its end), longest first.
    backwards: how often the clock was set back meanwhile.
    """

    core: int | None
    seconds: float
    threshold_ns: int
    reads: int
    shortest_ns: int
    hiccups: int
    lost_ns: int
    lost_share: float
    percentiles_ns: dict[float, int]
    bands: tuple[Band, ...]
    longest: tuple[tuple[int, int], ...]
    backwards: int


class Meter:
    """One measurement on one core; `stop` may be called from anywhere."""

    def __init__(self, core: int | None, duration_ns: int, threshold_ns: int) -> None:
        self.core, self.clock = core, Clock()
        self.table = np.zeros(1, METER_DTYPE)
        row = self.table[0]
        row["clock_function"], row["clock"] = NOW_NS_FUNCTION, self.clock.address
        row["duration_ns"], row["threshold_ns"] = duration_ns, threshold_ns
        self.thread = PinnedThread(
            spin, (np.uint64(self.table.ctypes.data),), core=core, name="jitter"
        )

    def stop(self) -> None:
        """Ends the measurement early."""
        self.table["stop"] = 1

    def run(self) -> Jitter:
        """Measures; what was seen until then where it is stopped."""
        with regions.allowed(self.table):
            self.thread.start().join()
        return summary(self.table, self.core)


def summary(table: np.ndarray[Any, Any], core: int | None) -> Jitter:
    """What is in the one row of METER_DTYPE."""
    row = table[0]
    elapsed_ns = int(row["last_ns"]) - int(row["first_ns"])
    found = row["histogram"]
    ranked = percentiles(found, RANKS)
    gaps = sorted(((int(g), int(at)) for g, at in row["longest"] if g), reverse=True)
    return Jitter(
        core=core,
        seconds=elapsed_ns / NS_PER_S,
        threshold_ns=int(row["threshold_ns"]),
        reads=int(row["reads"]),
        shortest_ns=int(row["shortest_ns"]) if row["reads"] else 0,
        hiccups=int(found["count"]),
        lost_ns=int(row["lost_ns"]),
        lost_share=int(row["lost_ns"]) / elapsed_ns if elapsed_ns > 0 else 0.0,
        percentiles_ns=dict(zip(RANKS, ranked, strict=True)),
        bands=_bands(found["buckets"]),
        longest=tuple(gaps),
        backwards=int(row["backwards"]),
    )


def _bands(buckets: np.ndarray[Any, Any]) -> tuple[Band, ...]:
    counts = [0] * len(BANDS_NS)
    for index in np.flatnonzero(buckets):
        _, most_ns = bucket_bounds(int(index))
        band = max((i for i, least in enumerate(BANDS_NS) if least <= most_ns), default=0)
        counts[band] += int(buckets[index])
    return tuple(Band(least, n) for least, n in zip(BANDS_NS, counts, strict=True))
