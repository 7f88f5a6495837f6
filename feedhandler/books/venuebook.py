"""The books of one venue on the control side: made, sized, prefaulted, grown.

Two blocks: one with the head, the tops, the ladders and the keys, whose place never changes, and
one with the tables that can grow: orders, arrivals, levels, and the chunks of the ladders.
"""

from __future__ import annotations

from contextlib import nullcontext, suppress
from dataclasses import replace
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from feedhandler.actions import NO_PRICE
from feedhandler.books import layout
from feedhandler.books.applying import apply_function
from feedhandler.books.rehash import move_orders
from feedhandler.books.sizes import LEVEL_CHUNK_BYTES, Sizes
from feedhandler.books.views import VENUE_DTYPE, BookViews, tables_path
from nic.block import Block, create
from nic.regions import CHECKED, allowed

SCATTER: Final = 0x9E3779B97F4A7C15 - (1 << 64)
SCATTER_SHIFT: Final = 32  # the upper half of the product is the well mixed one
DENSE_SHIFT: Final = 2  # four orders of a bucket beside each other


class VenueBook(BookViews):
    """A venue's books.

    Args:
        sizes: what they have room for.
        path: a file (say in /dev/shm) that other processes can read with `BookReader`.

    Attributes:
        address: of the head, for kernels. It stays when the books grow.

    Raises OSError when there is no room.
    """

    def __init__(self, sizes: Sizes | None = None, *, path: Path | None = None) -> None:
        self.sizes = sizes or Sizes()
        self._path = path
        main = create(_main_sections(self.sizes), path, hugepages=True)
        self.address = main.section_address("head")
        _fill_head(main, self.sizes)
        tables = _make_tables(self.sizes, path, 0)
        _point(main["head"][0], tables, self.sizes)
        super().__init__(main, tables)

    def __enter__(self) -> VenueBook:
        return self

    def __exit__(self, *_exception: object) -> None:
        self.close()

    @property
    def blocks(self) -> tuple[Block, Block]:
        """The memory, for `nic.regions.allowed`."""
        return self._main, self._tables

    @property
    def size_bytes(self) -> int:
        """Memory of the books."""
        return self._main.size_bytes + self._tables.size_bytes

    def apply(self, actions: NDArray[np.void]) -> None:
        """Applies ACTION_DTYPE records in order, as the loop does."""
        with allowed(*self.blocks, actions) if CHECKED else nullcontext():
            apply_function().ctypes(self.address, int(actions.ctypes.data), len(actions))

    def grow(
        self,
        *,
        orders: int | None = None,
        levels: int | None = None,
        chunk_bytes: int | None = None,
    ) -> None:
        """Moves the books into larger tables. The loop must stand still: stop it, grow, go on.

        Books that a full table made stale stay so until they are recovered. Raises ValueError when
        a size would shrink, OSError when there is no room (the books stay as they were).
        """
        old = self.sizes
        grown = replace(
            old,
            orders=orders or old.orders,
            levels=levels or old.levels,
            windows=old.window_count,
            chunk_bytes=chunk_bytes or _more_chunks(old, levels),
        )
        shrunk = grown.orders < old.orders or grown.levels < old.levels
        if shrunk or grown.chunk_room < old.chunk_room:
            raise ValueError("orders, levels, chunk_bytes: expected no less than before")
        generation = int(self._main["venue"]["generation"][0]) + 1
        tables = _make_tables(grown, self._path, generation)
        self._move(tables, grown)
        self._main["venue"]["generation"] = generation
        self._drop_tables(generation - 1)
        self.sizes = grown
        self._use(tables)

    def _move(self, tables: Block, sizes: Sizes) -> None:
        old, head = self._tables, self.head
        for name in ("levels", "chunks"):
            tables[name][: len(old[name])] = old[name]
        first = old.section_address("chunks")
        moved = tables.section_address("chunks") - first
        for name in ("keys", "levels"):
            places = self._main["ladders"]["far"][name]
            places[places != 0] += moved
        words = tables["chunks"]
        for size_class, address in enumerate(head["free_chunks"].tolist()):
            chunk, head["free_chunks"][size_class] = address, address + moved if address else 0
            while chunk:
                at = (chunk - first) // words.itemsize
                chunk = int(words[at])
                words[at] = chunk + moved if chunk else 0
        next_chunk = int(head["next_chunk"]) + moved
        _point(head, tables, sizes)
        head["next_chunk"] = next_chunk
        with allowed(*self.blocks, tables):
            sources = old.section_address("orders"), old.section_address("arrivals")
            move_orders(self.address, *sources, len(old["orders"]))

    def _drop_tables(self, generation: int) -> None:
        if self._path is not None:
            tables_path(self._path, generation).unlink(missing_ok=True)
        self._tables.close()

    def close(self) -> None:
        """Gives the memory back and removes the files. No kernel may use the books any more."""
        generation = int(self._main["venue"]["generation"][0])
        if self._path is not None:
            with suppress(OSError):
                self._path.unlink(missing_ok=True)
        self._drop_tables(generation)
        self.tops, self.head = self.tops[:0].copy(), self.head.copy()
        self.notes = self.notes[:0].copy()
        self._main.close()


def _main_sections(sizes: Sizes) -> list[tuple[str, np.dtype[np.void], int]]:
    keys = 1 << (2 * sizes.instruments - 1).bit_length() if sizes.named else 1
    return [
        ("head", layout.HEAD_DTYPE, 1),
        ("venue", VENUE_DTYPE, 1),
        ("tops", layout.TOP_DTYPE, sizes.instruments),
        ("notes", layout.NOTE_DTYPE, sizes.instruments),
        ("ladders", layout.LADDERS_DTYPE, sizes.instruments),
        ("keys", layout.KEY_DTYPE, keys),
    ]


def _make_tables(sizes: Sizes, path: Path | None, generation: int) -> Block:
    sections = [
        ("orders", layout.ORDER_DTYPE, sizes.slots),
        ("arrivals", layout.ARRIVAL_DTYPE, sizes.slots),
        ("levels", layout.LEVEL_DTYPE, sizes.level_rows),  # the first window stands for none
        ("chunks", np.dtype("i8"), sizes.chunk_room // 8),
    ]
    place = tables_path(path, generation) if path is not None else None
    tables = create(sections, place, hugepages=True)
    tables["orders"]["id"] = layout.NO_ORDER
    tables["levels"]["price"] = NO_PRICE
    return tables


def _fill_head(main: Block, sizes: Sizes) -> None:
    head = main["head"][0]
    head["instruments"] = sizes.instruments
    head["no_order"] = layout.NO_ORDER
    head["next_window"] = layout.WINDOW
    head["next_level"] = head["first_single"] = layout.WINDOW * (sizes.window_count + 1)
    main["ladders"]["near"]["best_key"] = layout.NO_KEY
    head["apply"] = apply_function().address
    for name in ("tops", "notes", "ladders"):
        head[name] = main.section_address(name)
    if sizes.named:
        head["keys"] = main.section_address("keys")
        head["key_mask"] = main.sections["keys"].count - 1


def _point(head: np.void, tables: Block, sizes: Sizes) -> None:
    """Writes where the tables are and how large."""
    for name in ("orders", "arrivals", "levels"):
        head[name] = tables.section_address(name)
    head["bucket_mask"] = sizes.slots // layout.BUCKET_ORDERS - 1
    head["order_factor"] = SCATTER if sizes.scattered else 1
    head["order_shift"] = SCATTER_SHIFT if sizes.scattered else DENSE_SHIFT
    head["most_orders"], head["most_levels"] = sizes.orders, sizes.levels
    head["next_chunk"] = tables.section_address("chunks")
    head["end_chunk"] = head["next_chunk"] + sizes.chunk_room


def _more_chunks(old: Sizes, levels: int | None) -> int:
    """Chunk memory that goes with a new number of levels."""
    return old.chunk_room + LEVEL_CHUNK_BYTES * max(0, (levels or old.levels) - old.levels)
