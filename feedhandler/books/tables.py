"""The memory of a venue's books: what is in its two blocks, and the making of the second."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import numpy as np

from feedhandler.actions import NO_PRICE
from feedhandler.books import layout
from feedhandler.books.growing import GENERATION, GROWTH_DTYPE, TABLE_FIELDS, VENUE_DTYPE
from feedhandler.books.sizes import Sizes
from nic.block import HEADER_BYTES, Block, Layout, create

MILLION: Final = 1_000_000
SCATTER: Final = 0x9E3779B97F4A7C15 - (1 << 64)
SCATTER_SHIFT: Final = 32  # the upper half of the product is the well mixed one
DENSE_SHIFT: Final = 2  # four orders of a bucket beside each other

Sections = list[tuple[str, np.dtype[Any], int]]


def main_sections(sizes: Sizes) -> Sections:
    """What stays where it is: the head, the generation, the tops, the ladders, the keys."""
    keys = 1 << (2 * sizes.instruments - 1).bit_length() if sizes.named else 1
    return [
        ("head", layout.HEAD_DTYPE, 1),
        ("venue", VENUE_DTYPE, 1),
        ("tops", layout.TOP_DTYPE, sizes.instruments),
        ("notes", layout.NOTE_DTYPE, sizes.instruments),
        ("ladders", layout.LADDERS_DTYPE, sizes.instruments),
        ("keys", layout.KEY_DTYPE, keys),
    ]


def table_sections(sizes: Sizes) -> Sections:
    """What can grow: orders, arrivals, levels, and the chunks of the ladders."""
    return [
        ("growth", GROWTH_DTYPE, 1),
        ("orders", layout.ORDER_DTYPE, sizes.slots),
        ("arrivals", layout.ARRIVAL_DTYPE, sizes.slots),
        ("levels", layout.LEVEL_DTYPE, sizes.level_rows),  # the first window stands for none
        ("chunks", np.dtype("i8"), sizes.chunk_room // 8),
    ]


assert Layout(main_sections(Sizes())).offset("venue") == HEADER_BYTES + GENERATION


def mapped_bytes(sizes: Sizes) -> int:
    """Memory of books of these sizes, to the byte."""
    both = main_sections(sizes), table_sections(sizes)
    return sum(Layout(sections).size_bytes for sections in both)


def bytes_per_million_orders(sizes: Sizes) -> int:
    """Memory of books like these, but with room for a million orders: all that is mapped."""
    return mapped_bytes(replace(sizes, orders=MILLION))


def make_tables(sizes: Sizes, path: Path | None) -> Block:
    """Empty tables, every page present, with a GROWTH_DTYPE row that says where they are.

    Raises OSError when there is no room.
    """
    tables = create(table_sections(sizes), path, hugepages=True)
    tables["orders"]["id"] = layout.NO_ORDER
    tables["levels"]["price"] = NO_PRICE
    growth = tables["growth"][0]
    head = growth["head"]
    for name in ("orders", "arrivals", "levels"):
        head[name] = tables.section_address(name)
    head["bucket_mask"] = sizes.slots // layout.BUCKET_ORDERS - 1
    head["order_factor"] = SCATTER if sizes.scattered else 1
    head["order_shift"] = SCATTER_SHIFT if sizes.scattered else DENSE_SHIFT
    head["most_orders"], head["most_levels"] = sizes.orders, sizes.levels
    growth["chunks"] = tables.section_address("chunks")
    head["end_chunk"] = growth["chunks"] + sizes.chunk_room
    return tables


def use_tables(head: np.void, tables: Block) -> None:
    """Points the head of new books at their first tables."""
    growth = tables["growth"][0]
    for name in TABLE_FIELDS:
        head[name] = growth["head"][name]
    head["next_chunk"] = growth["chunks"]
