"""The router's tables on the control side: made, named, looked at."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

import msgspec
import numpy as np
from numpy.typing import NDArray

from feedhandler.actions import ACTION_DTYPE
from feedhandler.consolidated.layout import MOST_VENUES
from nic.block import Block, create
from nic.dueheap import DUE_DTYPE
from nic.layout import DESCRIPTOR_DTYPE
from router import tables
from router.logreader import LogReader, log_sections, open_log

Section = tuple[str, np.dtype[Any], int]
NAME_BYTES: Final = 16
MOST_ANSWERS: Final = 1024  # actions that one piece of a session's bytes can mean
MOST_PIECES: Final = 64  # that a session gives at a time


class Sizes(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Room for rows; each table is full at that many and counts what it refuses."""

    accounts: int = 16
    venues: int = 32
    instruments: int = 1024
    parents: int = 4096
    children: int = 65_536
    tokens: int = 131_072
    intents: int = 1024
    timers: int = 8192
    executions: int = 262_144  # a power of two
    log_lines: int = 1 << 17  # a power of two


class RouterTables:
    """All tables of a router in one block.

    Args:
        sizes: room for rows.
        more: sections of the parts with tables of their own; a head field of the same name gets
            the section's address.
        market: address of the consolidated book; 0 in tests without one.
        path: a file (say in /dev/shm) that other processes can attach.

    Attributes:
        address: of the head, for kernels.
        block: the memory.
        head, venues, instruments, accounts, positions, parents, children: the tables; positions are
            [account, instrument].
        log: its reader.
    """

    def __init__(
        self,
        sizes: Sizes | None = None,
        more: Sequence[Section] = (),
        *,
        market: int = 0,
        path: Path | None = None,
    ) -> None:
        self.sizes = sizes = sizes or Sizes()
        if sizes.executions & (sizes.executions - 1):
            raise ValueError(f"executions: expected a power of two, got {sizes.executions}")
        instruments, accounts = sizes.instruments + 1, sizes.accounts + 1
        sections: list[Section] = [
            ("head", tables.HEAD_DTYPE, 1),
            ("venues", tables.VENUE_DTYPE, sizes.venues),
            ("instruments", tables.INSTRUMENT_DTYPE, instruments),
            ("accounts", tables.ACCOUNT_DTYPE, accounts),
            ("positions", tables.POSITION_DTYPE, accounts * instruments),
            ("parents", tables.PARENT_DTYPE, sizes.parents + 1),
            ("children", tables.CHILD_DTYPE, sizes.children + 1),
            ("tokens", np.dtype("i8"), sizes.tokens + 1),
            ("intents", tables.INTENT_DTYPE, sizes.intents),
            ("timers", DUE_DTYPE, sizes.timers),
            ("executions", np.dtype("i8"), 2 * sizes.executions),
            ("active", np.dtype("i4"), instruments),
            ("plan", tables.PLAN_DTYPE, 1),
            ("routed", np.dtype("i8"), MOST_VENUES),
            ("local", ACTION_DTYPE, 1),
            ("held_intent", tables.INTENT_DTYPE, 1),
            ("answers", ACTION_DTYPE, MOST_ANSWERS),
            ("descriptors", DESCRIPTOR_DTYPE, MOST_PIECES),
            *log_sections(sizes.log_lines),
            *more,
        ]
        self.block: Block = create(sections, path, hugepages=True)
        self.address = self.block.section_address("head")
        self.head: np.void = self.block["head"][0]
        for name, _, _ in sections:
            if name in (tables.HEAD_DTYPE.names or ()) and name != "log":
                self.head[name] = self.block.section_address(name)
        self.head["log"], self.head["market"] = open_log(self.block), market
        self.block["routed"][:] = -1
        self._set_room()
        self.venues: NDArray[np.void] = self.block["venues"]
        self.instruments: NDArray[np.void] = self.block["instruments"]
        self.accounts: NDArray[np.void] = self.block["accounts"]
        self.positions: NDArray[np.void] = self.block["positions"].reshape(accounts, instruments)
        self.parents: NDArray[np.void] = self.block["parents"]
        self.children: NDArray[np.void] = self.block["children"]
        self.log = LogReader(self.block)

    def _set_room(self) -> None:
        sizes, head = self.sizes, self.head
        head["instrument_count"], head["account_count"] = sizes.instruments + 1, sizes.accounts + 1
        head["most_parents"], head["most_children"] = sizes.parents + 1, sizes.children + 1
        head["most_tokens"], head["most_intents"] = sizes.tokens + 1, sizes.intents
        head["most_timers"], head["execution_mask"] = sizes.timers, sizes.executions - 1

    @property
    def used_parents(self) -> NDArray[np.void]:
        """The parents there are: numbers 1 and up."""
        return self.parents[1 : int(self.head["parent_count"]) + 1]

    @property
    def used_children(self) -> NDArray[np.void]:
        """The children there are: numbers 1 and up."""
        return self.children[1 : int(self.head["child_count"]) + 1]

    def close(self) -> None:
        """Gives the memory back. No kernel may use it any more."""
        for name in ("venues", "instruments", "accounts", "positions", "parents", "children"):
            setattr(self, name, getattr(self, name)[:0].copy())
        self.head = self.head.copy()
        self.block.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()
