"""The books of one venue on the control side: made, sized, prefaulted, grown.

Two blocks: one with the head, the tops, the ladders and the keys, whose place never changes, and
one with the tables that can grow: orders, arrivals, levels, and the chunks of the ladders.
"""

from __future__ import annotations

from contextlib import nullcontext, suppress
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from feedhandler.books import layout
from feedhandler.books.applying import apply_function, grow_function
from feedhandler.books.filterlayout import ANOTHERS, Owner, make_filter
from feedhandler.books.sizes import LEVEL_CHUNK_BYTES, Sizes
from feedhandler.books.tables import main_sections, make_tables, use_tables
from feedhandler.books.views import BookViews, make_seat, tables_path
from nic.block import Block, create
from nic.regions import CHECKED, allowed


@dataclass(frozen=True)
class Growth:
    """Larger tables that wait for the books.

    Attributes:
        sizes: what they have room for.
        generation: of the tables, one above that of those in use.
        tables: their memory.
        words: of the GROW command that moves the books into them.
    """

    sizes: Sizes
    generation: int
    tables: Block
    words: tuple[int, ...]

    @property
    def done(self) -> bool:
        """Whether the books stand in these tables, and no kernel uses those before."""
        return bool(self.tables["growth"]["done"][0])


class VenueBook(BookViews):
    """A venue's books.

    Args:
        sizes: what they have room for.
        path: a file (say in /dev/shm) that other processes can read with `BookReader`.
        owner: whose symbols are kept; None keeps all. The loop has to be built with `owned`.

    Attributes:
        address: of the head, for kernels. It stays when the books grow.

    Raises OSError when there is no room.
    """

    def __init__(
        self, sizes: Sizes | None = None, *, path: Path | None = None, owner: Owner | None = None
    ) -> None:
        self.sizes = sizes or Sizes()
        self._path, self._owner = path, owner
        main = create(main_sections(self.sizes), path, hugepages=True)
        self.address = main.section_address("head")
        _fill_head(main, self.sizes)
        self._filter = make_filter(owner, self.sizes) if owner is not None else None
        if self._filter is not None:
            main["head"][0]["filter"] = self._filter.section_address("filter")
        tables = make_tables(self.sizes, self._place(0))
        use_tables(main["head"][0], tables)
        self._made = {0: tables}  # by generation: in use, about to be, or just left
        super().__init__(main, make_seat(main, tables, 0))

    def __enter__(self) -> VenueBook:
        return self

    def __exit__(self, *_exception: object) -> None:
        self.close()

    @property
    def blocks(self) -> tuple[Block, ...]:
        """The memory, for `nic.regions.allowed`."""
        blocks = (self._main, *self._made.values())
        if self._owner is None or self._filter is None:
            return blocks
        return (*blocks, self._filter, self._owner.rule.block)

    @property
    def left_out(self) -> int:
        """Actions on symbols that are another's, and on orders that are not there because of it."""
        return int(self._filter["filter"]["left_out"][0]) if self._filter is not None else 0

    @property
    def size_bytes(self) -> int:
        """Memory of the books."""
        return sum(block.size_bytes for block in self.blocks)

    def apply(self, actions: NDArray[np.void]) -> None:
        """Applies ACTION_DTYPE records in order, as the loop does."""
        with allowed(*self.blocks, actions) if CHECKED else nullcontext():
            apply_function().ctypes(self.address, int(actions.ctypes.data), len(actions))

    def owns(self, instrument: int) -> bool:
        """Whether the books keep an instrument, as far as they know whose it is."""
        if self._filter is None:
            return True
        return int(self._filter["owners"][instrument]) != ANOTHERS

    def know_keys(self, other: VenueBook) -> None:
        """Numbers instruments as other books of the same venue have done so far.

        For books that have met nothing yet. Raises ValueError where they have, or there is another
        room for instruments.
        """
        if int(self.head["known_keys"]) or self.sizes.instruments != other.sizes.instruments:
            raise ValueError("keys can be taken over by new books of the same size only")
        self._main["keys"][:] = other._main["keys"]
        self.head["known_keys"] = other.head["known_keys"]

    def prepare_growth(
        self,
        *,
        orders: int | None = None,
        levels: int | None = None,
        chunk_bytes: int | None = None,
    ) -> Growth:
        """Makes larger tables, beside a loop that goes on with those it has.

        Give the growth to the loop (`feedhandler.books.grower`) or to `move`; what came of it goes
        to `finish_growth` or `drop_growth`, before the next is prepared. Raises ValueError when a
        size would shrink, OSError when there is no room.
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
        generation = self.generation + 1
        if generation in self._made:
            raise ValueError("the books are already growing")
        tables = make_tables(grown, self._place(generation))
        growth = tables["growth"][0]
        growth["old_chunks"] = self._made[generation - 1].section_address("chunks")
        self._made[generation] = tables
        function, row = grow_function().address, tables.section_address("growth")
        words = function, self.address, row, generation, grown.orders, grown.levels
        return Growth(grown, generation, tables, words)

    def move(self, growth: Growth) -> None:
        """Moves the books here and now. The loop must stand still."""
        given = growth.words[1:4]
        with allowed(*self.blocks) if CHECKED else nullcontext():
            grow_function().ctypes(*given)

    def finish_growth(self, growth: Growth) -> None:
        """Gives the tables back that were left for a growth that is done.

        Readers of this process that are just inside them keep them until they are out.
        """
        assert growth.done
        self.sizes = growth.sizes
        self._follow()
        self._drop(growth.generation - 1)

    def drop_growth(self, growth: Growth) -> None:
        """Gives the tables of a growth back that no loop will take any more."""
        self._drop(growth.generation)

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
        growth = self.prepare_growth(orders=orders, levels=levels, chunk_bytes=chunk_bytes)
        self.move(growth)
        self.finish_growth(growth)

    def _place(self, generation: int) -> Path | None:
        return tables_path(self._path, generation) if self._path is not None else None

    def _tables_of(self, generation: int) -> Block | None:
        return self._made.get(generation)

    def _drop(self, generation: int) -> None:
        place = self._place(generation)
        if place is not None:
            place.unlink(missing_ok=True)
        del self._made[generation]  # unmapped with the last seat

    def close(self) -> None:
        """Gives the memory back and removes the files. No kernel may use the books any more."""
        self._follow()
        if self._path is not None:
            with suppress(OSError):
                self._path.unlink(missing_ok=True)
        for generation, tables in list(self._made.items()):
            self._drop(generation)
            tables.close()
        self.tops, self.head = self.tops[:0].copy(), self.head.copy()
        self.notes = self.notes[:0].copy()
        self._venue = self._venue.copy()
        self._main.close()
        if self._filter is not None:
            self._filter.close()
            self._filter = None


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


def _more_chunks(old: Sizes, levels: int | None) -> int:
    """Chunk memory that goes with a new number of levels."""
    return old.chunk_room + LEVEL_CHUNK_BYTES * max(0, (levels or old.levels) - old.levels)
