"""Where CME's templates have what kernels read, taken from the tables: rows of offsets.

Entries of the same meaning differ in width and place from version to version.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from feedhandler.protocols import cme_definitions
from feedhandler.protocols.cme_fields import LEGACY_BELOW
from feedhandler.protocols.cme_mdp3 import CME_MDP3
from feedhandler.wire.record import Record
from feedhandler.wire.sbe import groups_of

ABSENT: Final = -1
LOW, HIGH = "low_limit_price", "high_limit_price"
NAMES: Final = (
    "md_entry_px",
    "md_entry_size",
    "security_id",
    "md_price_level",
    "md_update_action",
    "md_entry_type",
    "aggressor_side",
    "md_trade_entry_id",
    "order_id",
    "md_display_qty",
    "md_order_priority",
)
WIDE: Final = len(NAMES)  # 1 where the size has 8 bytes
NINE: Final = WIDE + 1  # 1 where prices have 9 decimals
COLUMNS: Final = NINE + 1
LOWEST: Final = 30
HIGHEST: Final = 70
OLDER_NAMES: Final = {"md_trade_entry_id": "trade_id"}  # of the oldest trades
DEFINITIONS: Final = cme_definitions.RECORDS
LOWEST_DEFINITION: Final = min(int(record.code) for record in DEFINITIONS)
HIGHEST_DEFINITION: Final = max(int(record.code) for record in DEFINITIONS)
SHARED = ("security_id", "symbol", "security_group", "asset", "md_security_trading_status")


def columns_of(record: Record) -> list[int]:
    """The row of a template: offsets in an entry of its first group."""
    groups = groups_of(record)
    known = groups[0].entry.by_name if groups else {}
    fields = [known.get(name) or known.get(OLDER_NAMES.get(name, "")) for name in NAMES]
    size = known.get("md_entry_size")
    wide = int(size is not None and size.width == 8)
    nine = int(int(record.code) >= LEGACY_BELOW)
    return [*(field.offset if field is not None else ABSENT for field in fields), wide, nine]


def columns() -> NDArray[np.int32]:
    """The rows of all templates from LOWEST on."""
    rows = np.full((HIGHEST - LOWEST, COLUMNS), ABSENT, np.int32)
    for record in CME_MDP3.records:
        if LOWEST <= int(record.code) < HIGHEST:
            rows[int(record.code) - LOWEST] = columns_of(record)
    return rows


def ticks() -> NDArray[np.int32]:
    """Where a definition has its tick, by template; 0: the template is no definition."""
    made = np.zeros(HIGHEST_DEFINITION - LOWEST_DEFINITION + 1, np.int32)
    first = DEFINITIONS[0]
    for record in DEFINITIONS:
        made[int(record.code) - LOWEST_DEFINITION] = record.offset("min_price_increment")
        if any(record.offset(name) != first.offset(name) for name in SHARED):
            raise ValueError(f"{record.name}: its head is not that of the other definitions")
    return made


def limits() -> NDArray[np.int32]:
    """Where a definition has the low and high limit of the day, by template; ABSENT: nowhere."""
    made = np.full((HIGHEST_DEFINITION - LOWEST_DEFINITION + 1, 2), ABSENT, np.int32)
    for record in DEFINITIONS:
        if LOW in record.by_name and HIGH in record.by_name:
            places = record.offset(LOW), record.offset(HIGH)
            made[int(record.code) - LOWEST_DEFINITION] = places
    return made
