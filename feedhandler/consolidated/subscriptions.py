"""Who reads the stream: a ring each, entered and left while the loop runs."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from feedhandler.consolidated.entries import drain_ring
from feedhandler.consolidated.market import MarketShard
from feedhandler.consolidated.streamformat import ALL_KINDS, KINDS, STREAM_DTYPE
from nic.block import create
from nic.regions import allowed
from nic.ringlayout import ring_dtype
from nic.ringview import Ring

DEFAULT_SLOTS: Final = 65_536
CHUNK: Final = 4096  # records read at once


def kind_bits(kinds: Iterable[str]) -> int:
    """Names of KINDS as a set. Raises ValueError for a name that is none of them."""
    made = 0
    for kind in kinds:
        if kind not in KINDS[1:]:
            raise ValueError(f"no stream record {kind!r}: there are {', '.join(KINDS[1:])}")
        made |= 1 << KINDS.index(kind)
    return made


class Subscription:
    """One reader of a market's stream.

    Args:
        market: whose.
        kinds: names of the records wanted; all without.
        slots: records that may wait, a power of two.
        path: a file for the ring (section "ring"), so that another process can be the reader.

    Raises:
        ValueError: when all subscribers' places are taken, or `slots` is no power of two.
    """

    def __init__(
        self,
        market: MarketShard,
        kinds: Iterable[str] | None = None,
        slots: int = DEFAULT_SLOTS,
        path: Path | None = None,
    ) -> None:
        wanted = ALL_KINDS if kinds is None else kind_bits(kinds)
        free = [n for n, row in enumerate(market.subscribers) if not row["ring"]]
        if not free:
            raise ValueError(f"there is room for {len(market.subscribers)} subscribers")
        self._market, self.place = market, free[0]
        block = create([("ring", ring_dtype(slots, STREAM_DTYPE), 1)], path)
        before, market.rings[self.place] = market.rings[self.place], block
        if before is not None:
            before.close()
        self._ring = Ring(block["ring"])
        self._block = block
        self._records = np.zeros(min(slots, CHUNK), STREAM_DTYPE)
        row: Any = market.subscribers[self.place]
        for name in ("losing", "lost", "gaps"):
            row[name] = 0
        row["kinds"], row["sequence"] = wanted, 1
        row["ring"] = self._ring.address  # last: from here on the loop writes to it
        count = int(market.head["subscriber_count"])
        market.head["subscriber_count"] = max(count, self.place + 1)
        _tell_wanted(market)

    @property
    def lost_count(self) -> int:
        """Records that found the ring full."""
        return int(self._market.subscribers[self.place]["lost"])

    def read(self) -> NDArray[np.void]:
        """The records that wait, oldest first, at most 4096 of them; a copy of STREAM_DTYPE."""
        records = self._records
        with allowed(self._block, records):
            count = int(
                drain_ring(self._ring.address, np.uint64(records.ctypes.data), len(records))
            )
        return records[:count].copy()

    def close(self) -> None:
        """Leaves. The ring's memory stays until its place is taken or the market is closed."""
        self._market.subscribers[self.place]["ring"] = 0
        _tell_wanted(self._market)


def _tell_wanted(market: MarketShard) -> None:
    rows = market.subscribers
    market.head["wanted"] = int(np.bitwise_or.reduce(rows["kinds"][rows["ring"] != 0], initial=0))
