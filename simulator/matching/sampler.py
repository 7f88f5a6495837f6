"""A venue's speed and troubles, drawn by a seed: the same seed gives the same day."""

from __future__ import annotations

from contextlib import nullcontext
from statistics import NormalDist
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from nic.regions import CHECKED, allowed
from simulator.matching.model import Latency, VenueModel
from simulator.matching.speed import CHANCES, QUANTILES, SPEED_DTYPE, draw_all, pass_all

LAST_QUANTILE: Final = 0.9999
MASK: Final = (1 << 64) - 1


class Way:
    """A way into or out of a venue: delays messages, keeps their order, queues beyond a capacity.

    Args:
        latency: its distribution.
        seed: of its own stream of random numbers.
        messages_per_second: capacity; 0 is none.

    Attributes:
        address: of the state, for kernels: `simulator.matching.speed.pass_through`.
    """

    def __init__(self, latency: Latency, seed: int, messages_per_second: int = 0) -> None:
        self.state = np.zeros(1, SPEED_DTYPE)
        row = self.state[0]
        row["random"] = (seed * 0x9E3779B97F4A7C15 + 1) & MASK
        row["base_ns"], row["spike_ns"] = latency.base_ns, latency.spike_ns
        row["spike_chance"] = round(latency.spike_chance * CHANCES)
        row["gap_ns_256"] = 256_000_000_000 // messages_per_second if messages_per_second else 0
        row["jitter_ns"] = _quantiles(latency)
        self.address = int(self.state.ctypes.data)

    def pass_all(self, times: NDArray[np.int64]) -> NDArray[np.int64]:
        """When messages that come at ascending times (ns) are out again."""
        given = np.ascontiguousarray(times, np.int64)
        out = np.empty(len(given), np.int64)
        self._call(pass_all, self.address, int(given.ctypes.data), len(given), out, given)
        return out

    def draw(self, chance: float, count: int) -> NDArray[np.bool_]:
        """Which of `count` messages a chance comes true for."""
        out = np.zeros(count, np.uint8)
        self._call(draw_all, self.address, round(chance * CHANCES), count, out)
        return out.view(np.bool_)

    def _call(self, kernel: Any, state: int, first: int, count: int, out: Any, *more: Any) -> None:
        with allowed(self.state, out, *more) if CHECKED else nullcontext():
            kernel(state, first, count, int(out.ctypes.data))


class Speed:
    """A venue's ways and troubles.

    Args:
        model: the venue's.
        seed: of all that is drawn.

    Attributes:
        inbound: to the matching, at most `messages_per_second`.
        outbound: from it, to the public and to owners.
    """

    def __init__(self, model: VenueModel, seed: int) -> None:
        self.model = model
        self.inbound = Way(model.inbound, 3 * seed, model.messages_per_second)
        self.outbound = Way(model.outbound, 3 * seed + 1)
        self._troubles = Way(Latency(), 3 * seed + 2)

    def rejects(self, count: int) -> NDArray[np.bool_]:
        """Which of `count` commands the venue refuses: give those the REFUSE flag."""
        return self._troubles.draw(self.model.troubles.reject_chance, count)

    def disconnects(self, count: int) -> NDArray[np.bool_]:
        """After which of `count` messages the venue drops the session."""
        return self._troubles.draw(self.model.troubles.disconnect_chance, count)


def _quantiles(latency: Latency) -> NDArray[np.int64]:
    """Jitter at evenly spaced probabilities from 0 to LAST_QUANTILE, ns."""
    if latency.jitter_ns == 0:
        return np.zeros(QUANTILES + 1, np.int64)
    normal = NormalDist()
    chances = np.linspace(0, LAST_QUANTILE, QUANTILES + 1)[1:]
    deviations = np.array([normal.inv_cdf(chance) for chance in chances.tolist()])
    values = np.rint(latency.jitter_ns * np.exp(latency.spread * deviations))
    return np.concatenate([[0], values]).astype(np.int64)
