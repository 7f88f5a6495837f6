"""What routing has learnt of venues: its tables, made, looked at, kept from one day to the next.

    learning       one row: addresses, sizes, settings
    dark_slots     i8 by venue: its number among the dark ones, -1 for none
    dark_pools     [dark slot, instrument, side]: what asking a dark pool for so much has shown
    flows          [venue, instrument, side]: what executed there lately, shown and hidden
    parent_notes   by parent: dark pools that had no more, when its orders were last changed
    choices        scratch of one decision, a row a venue; see router.routing.decisions

The side of a pool is the order's, that of a flow the side of the book that was executed. Counts of
a pool are in WEIGHT a single observation, so that forgetting (halving) keeps fractions.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import msgspec
import numpy as np
from numpy.typing import NDArray

from nic.block import offsets_of
from router.routing.dark_sizes import BUCKETS
from router.tables import PART, PLACES
from router.tablespace import RouterTables, Section

WEIGHT: Final = 256
SIDES: Final = 2
MOST_MEMORY: Final = 1 << 22  # observations: counts have 31 bits

SETTINGS_FIELDS: Final = [
    ("known", "i8"),  # weight behind which the chance of a size is no longer guessed at
    ("memory", "i8"),  # weight at which a pool's counts are halved
    ("least_tail", "i8"),  # PART: no size is believed to be rarer
    ("retry_ns", "i8"),
    ("horizon_ns", "i8"),
    ("half_life_ns", "i8"),
    ("drift_ns", "i8"),
    ("prior_shares", "i8"),
    ("threshold", "i8"),
    ("pause_ns", "i8"),
]
LEARNING_DTYPE: Final = np.dtype(
    [
        ("slots", "i8"),  # addresses
        ("pools", "i8"),
        ("flows", "i8"),
        ("notes", "i8"),
        ("choices", "i8"),
        ("instrument_count", "i8"),  # room for numbers 1 ... count - 1
        ("venue_count", "i8"),
        ("parent_count", "i8"),
        *SETTINGS_FIELDS,
        # A decision about passive orders that is not in the log yet, see router.routing.posting.
        ("posted", "i8"),  # its parent; 0: there is none
        ("posted_shares", "i8"),
        ("posted_limit", "i8"),
        ("posted_count", "i8"),  # of its venues
        ("posted_block", "i8"),
        ("posted_take", "i8"),  # what taking costs; TO_WEIGH: costs are still to be found
    ]
)
POOL_DTYPE: Final = np.dtype(
    [
        ("risk", "u4", (BUCKETS,)),  # asked for more than bucket k, and that much was there
        ("short", "u4", (BUCKETS,)),  # of those: no more than that was there
    ]
)
FLOW_DTYPE: Final = np.dtype(
    [
        ("mass", "i8"),  # decayed sum of executed shares, 1/1024 of a share
        ("hidden", "i8"),  # of those from hidden orders
        ("time_ns", "i8"),  # of the sums
        ("drift", "i8"),  # mean move of the midpoint against who was executed, 1e-8 units a share
        ("drift_count", "i8"),
        ("mark", "i8"),  # midpoint at the execution that is being followed; 0: none
        ("mark_ns", "i8"),
        ("hidden_mean", "i8"),  # mean size of hidden executions, 1/1024 of a share
    ]
)
NOTE_DTYPE: Final = np.dtype(
    [
        ("short", "i8"),  # dark venues that had less than was asked for, bit v for venue v
        ("short_ns", "i8"),  # when the last of them said so
        ("changed_ns", "i8"),  # when passive orders were last moved
        ("unused", "i8", (5,)),
    ]
)
# The first eight words are a candidate's line of the log, see router.log.
CHOICE_DTYPE: Final = np.dtype(
    [
        ("venue", "i8"),
        ("price", "i8"),
        ("shares", "i8"),
        ("effective", "i8"),
        ("chosen", "i8"),
        ("flags", "i8"),
        ("first", "i8"),
        ("second", "i8"),
        ("pool", "i8"),  # dark: address of what is known
        ("bucket", "i8"),  # dark: size given so far
        ("tail", "i8"),  # dark: chance that so much is there, PART
        ("next_tail", "i8"),  # dark: chance of the next bucket too
        ("believed", "i8"),  # shares that hidden executions speak for
        ("queue", "i8"),  # post: shares ahead
        ("outflow", "i8"),  # post: shares expected to execute within the horizon, 1/1000 of a share
        ("filled", "i8"),  # post: cost of a share if it executes, against the midpoint
        ("next_cost", "i8"),  # post: expected cost of a share of the next block
    ]
)


LEARNING: Final = offsets_of(LEARNING_DTYPE)
POOL: Final = offsets_of(POOL_DTYPE)
FLOW: Final = offsets_of(FLOW_DTYPE)
NOTE: Final = offsets_of(NOTE_DTYPE)
CHOICE: Final = offsets_of(CHOICE_DTYPE)
POOL_BYTES: Final = POOL_DTYPE.itemsize
FLOW_BYTES: Final = FLOW_DTYPE.itemsize
NOTE_BYTES: Final = NOTE_DTYPE.itemsize
CHOICE_BYTES: Final = CHOICE_DTYPE.itemsize


class Settings(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """How routing learns and when it acts on it.

    Attributes:
        known_observations: answers of a pool about a size before its own frequency is believed.
        memory_observations: answers of a pool behind which the older ones count half.
        least_tail: no size is believed to be there more seldom; keeps every pool in use.
        retry_ns: a dark pool that had too little is asked again for the same parent behind it.
        horizon_ns: time that passive orders are given where the parent has none of its own.
        half_life_ns: of the executed shares that the rate of executions is made of.
        drift_ns: the midpoint is looked at again so long behind an execution.
        prior_shares: executed within the horizon where nothing was seen yet.
        threshold: what a better venue has to save a share before a working order goes there,
            1e-8 currency units.
        pause_ns: between two changes of a parent's passive orders, at least.
    """

    known_observations: int = 16
    memory_observations: int = 8192
    least_tail: float = 0.001
    retry_ns: int = 1_000_000_000
    horizon_ns: int = 10_000_000_000
    half_life_ns: int = 60_000_000_000
    drift_ns: int = 1_000_000_000
    prior_shares: int = 100
    threshold: int = 100_000
    pause_ns: int = 1_000_000


MOST_HALF_LIFE_NS: Final = 1 << 42


def check_settings(settings: Settings) -> None:
    """Raises ValueError with the setting that the kernels' arithmetic has no room for."""
    ranges = {
        "known_observations": (1, MOST_MEMORY),
        "memory_observations": (2, MOST_MEMORY),
        "least_tail": (0, 1),
        "retry_ns": (0, 1 << 60),
        "horizon_ns": (1, 1 << 50),
        "half_life_ns": (1, MOST_HALF_LIFE_NS),
        "drift_ns": (0, 1 << 60),
        "prior_shares": (0, 1_000_000),
        "threshold": (0, 1 << 50),
        "pause_ns": (0, 1 << 60),
    }
    for name, (least, most) in ranges.items():
        value = getattr(settings, name)
        if not least <= value <= most:
            raise ValueError(f"learning: {name}: expected {least} to {most}, got {value}")


def learning_sections(
    instruments: int, venues: int, parents: int, dark_venues: int = 8
) -> list[Section]:
    """What learning is in a block, for `RouterTables(more=...)`.

    Args:
        instruments, venues, parents: as in the router's `Sizes`.
        dark_venues: at most so many of the venues are dark.
    """
    rows = instruments + 1
    return [
        ("learning", LEARNING_DTYPE, 1),
        ("dark_slots", np.dtype("i8"), venues),
        ("dark_pools", POOL_DTYPE, dark_venues * rows * SIDES),
        ("flows", FLOW_DTYPE, venues * rows * SIDES),
        ("parent_notes", NOTE_DTYPE, parents + 1),
        ("choices", CHOICE_DTYPE, PLACES),
    ]


class Learning:
    """What routing has learnt, on the control side; made once the venues have been entered.

    Attributes:
        pools: POOL_DTYPE [dark slot, instrument, side - 1].
        flows: FLOW_DTYPE [venue, instrument, side - 1].
        slots: dark slot by venue; -1 for venues that are not dark.
    """

    def __init__(self, tables: RouterTables, settings: Settings | None = None) -> None:
        """Raises ValueError for settings out of range and for too many dark venues."""
        self.settings = settings or Settings()
        check_settings(self.settings)
        block, rows = tables.block, len(tables.instruments)
        self._head, self._venues = tables.head, tables.venues
        self.slots: NDArray[np.int64] = block["dark_slots"]
        self.pools: NDArray[np.void] = block["dark_pools"].reshape(-1, rows, SIDES)
        self.flows: NDArray[np.void] = block["flows"].reshape(-1, rows, SIDES)
        dark = np.flatnonzero(tables.venues["dark"] != 0)
        if len(dark) > len(self.pools):
            raise ValueError(f"{len(dark)} dark venues: learning has room for {len(self.pools)}")
        self.slots[:] = -1
        self.slots[dark] = np.arange(len(dark))
        row = block["learning"][0]
        places = {
            "slots": "dark_slots",
            "pools": "dark_pools",
            "flows": "flows",
            "notes": "parent_notes",
            "choices": "choices",
        }
        for field, section in places.items():
            row[field] = block.section_address(section)
        row["instrument_count"], row["venue_count"] = rows, len(self.flows)
        row["parent_count"] = len(block["parent_notes"])
        self._enter_settings(row)

    def _enter_settings(self, row: np.void) -> None:
        settings = self.settings
        row["known"] = settings.known_observations * WEIGHT
        row["memory"] = settings.memory_observations * WEIGHT
        row["least_tail"] = round(settings.least_tail * PART)
        for name in ("retry_ns", "horizon_ns", "half_life_ns", "drift_ns", "prior_shares"):
            row[name] = getattr(settings, name)
        row["threshold"], row["pause_ns"] = settings.threshold, settings.pause_ns

    def pool(self, venue: int, instrument: int, side: int) -> np.void:
        """What is known of a dark pool. Raises ValueError for a venue that is none."""
        slot = int(self.slots[venue])
        if slot < 0:
            raise ValueError(f"venue {venue} is not dark")
        row: np.void = self.pools[slot, instrument, side - 1]
        return row

    def tail(self, venue: int, instrument: int, side: int) -> NDArray[np.float64]:
        """Kaplan-Meier estimate of the chance that a pool has at least so much.

        Returns:
            [BUCKETS] fractions: of `dark_sizes.lots_of(k)` round lots or more at place k. Sizes
            that were never asked for are as likely as the largest that was. Without the optimism
            of `router.routing.dark_tails`.
        """
        pool = self.pool(venue, instrument, side)
        risk = np.maximum(pool["risk"].astype(np.float64), 1)
        stays = 1 - pool["short"].astype(np.float64) / risk
        return np.concatenate([[1.0], np.cumprod(stays)[:-1]])

    def save(self, path: Path, symbols: Mapping[int, str]) -> int:
        """Writes what has been learnt to a file; the number of rows.

        Args:
            path: an .npz file; replaced as a whole.
            symbols: names of instruments by number; others are left out.
        """
        numbers = sorted(n for n in symbols if 1 <= n < self.pools.shape[1])
        names = [bytes(name).decode() for name in self._venues["name"]]
        kept: dict[str, list[Any]] = {"pool": [], "pool_row": [], "flow": [], "flow_row": []}
        for venue, name in enumerate(names):
            for kind, table, place in (
                ("pool", self.pools, int(self.slots[venue])),
                ("flow", self.flows, venue),
            ):
                for number in numbers if place >= 0 and name else []:
                    for side in range(SIDES):
                        row = table[place, number, side]
                        if any(row.tobytes()):
                            kept[kind].append((name, symbols[number], str(side)))
                            kept[f"{kind}_row"].append(row.copy())
        made: dict[str, Any] = {}
        for kind, dtype in (("pool", POOL_DTYPE), ("flow", FLOW_DTYPE)):
            made[kind] = np.array(kept[kind], np.str_).reshape(-1, 3)
            made[f"{kind}_row"] = np.array(kept[f"{kind}_row"], dtype)
        unfinished = path.with_name(f".{path.name}.unfinished")
        with unfinished.open("wb") as file:
            np.savez_compressed(file, **made)
        unfinished.replace(path)
        return len(kept["pool"]) + len(kept["flow"])

    def load(self, path: Path, symbols: Mapping[int, str]) -> int:
        """Takes what a file of `save` knows of venues and symbols that are here; rows taken.

        Raises ValueError for a file of another kind, OSError where there is none.
        """
        numbers = {name: number for number, name in symbols.items()}
        venues = {bytes(n).decode(): at for at, n in enumerate(self._venues["name"]) if n}
        with np.load(path, allow_pickle=False) as file:
            try:
                pools, flows = (file["pool"], file["pool_row"]), (file["flow"], file["flow_row"])
            except KeyError as error:
                raise ValueError(f"{path}: no file of what routing has learnt") from error
        if pools[1].dtype != POOL_DTYPE or flows[1].dtype != FLOW_DTYPE:
            raise ValueError(f"{path}: laid out for another version")
        taken = 0
        for (keys, rows), table, dark in ((pools, self.pools, True), (flows, self.flows, False)):
            for (venue, symbol, side), row in zip(keys, rows, strict=True):
                at, number = venues.get(str(venue), -1), numbers.get(str(symbol), 0)
                place = int(self.slots[at]) if dark and at >= 0 else at
                if place >= 0 and 1 <= number < table.shape[1]:
                    table[place, number, int(side)] = row
                    taken += 1
        return taken
