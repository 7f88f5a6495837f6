"""The clock of the machine: time since the epoch from the CPU's time stamp counter."""

from __future__ import annotations

import numpy as np

from nic._core import ffi, lib
from nic.layout import CLOCK_DTYPE, CLOCK_TSC

_NS_PER_SECOND = 1_000_000_000


def function_address(name: str) -> int:
    """The address of a function of `nic._core`, as kernels take it. Raises AttributeError."""
    return int(ffi.cast("uintptr_t", ffi.addressof(lib, name)))


class Clock:
    """A calibrated clock. Its struct lives at `address` for as long as this object does.

    The pace comes from two readings `window_ns` apart, and better from `recalibrate` later, as the
    arm since the first reading grows. Where the counter is not invariant every reading is
    CLOCK_REALTIME itself. Recalibrate only while no other thread reads the clock.
    """

    def __init__(self, window_ns: int = 20_000_000) -> None:
        self.table = np.zeros(1, CLOCK_DTYPE)
        self.address = int(self.table.ctypes.data)
        self._clock = ffi.cast("swp_clock *", self.address)
        if lib.swp_clock_calibrate(self._clock, window_ns) < 0:
            raise OSError("the clock cannot be calibrated: CLOCK_REALTIME was stepped meanwhile")

    @property
    def has_tsc(self) -> bool:
        """Whether the time comes from the counter (else from CLOCK_REALTIME)."""
        return int(self.table["source"][0]) == CLOCK_TSC

    @property
    def tick_hz(self) -> float:
        """Ticks a second."""
        return _NS_PER_SECOND * 2.0 ** int(self._clock.shift) / int(self._clock.multiplier)

    @property
    def uncertainty_ns(self) -> int:
        """How far the base may be off: half the time that the best pair of readings took."""
        return int(self._clock.uncertainty_ns)

    def now_ns(self) -> int:
        """Time since the epoch."""
        return int(lib.swp_clock_now_ns(self._clock))

    def convert_ns(self, ticks: int) -> int:
        """The time since the epoch at which the counter showed `ticks`."""
        return int(lib.swp_clock_convert_ns(self._clock, ticks))

    def offset_ns(self) -> int:
        """This clock less CLOCK_REALTIME, now."""
        return int(lib.swp_clock_offset_ns(self._clock))

    def drift_ppm(self) -> float:
        """How fast this clock walks away from CLOCK_REALTIME since it was last calibrated.

        Positive when it runs ahead. Means little before a second or so has gone by: the offset is
        only known to `uncertainty_ns`. 0.0 without a counter.
        """
        if not self.has_tsc:
            return 0.0
        offset_ns = self.offset_ns()
        elapsed_ns = self.now_ns() - int(self._clock.ns_base)
        return offset_ns / max(elapsed_ns, 1) * 1e6

    def recalibrate(self) -> None:
        """Moves the base to now. Raises OSError where CLOCK_REALTIME was stepped backwards."""
        if lib.swp_clock_recalibrate(self._clock) < 0:
            raise OSError("the clock cannot be recalibrated: CLOCK_REALTIME was stepped meanwhile")


def ticks_now() -> int:
    """The counter now: a time stamp counter on x86, else ns of CLOCK_REALTIME."""
    return int(lib.swp_tsc())


NOW_NS_FUNCTION = function_address("swp_clock_now_ns")
