"""What a person may tell a running loop about parents: commands, and who sends them.

Commands are records of the loop's ring (feedhandler/commands.py); its own kinds are below 32.

    kind            words
    NEW_PARENT      row of the parents' table, written before
    CANCEL_PARENT   row
    REPLACE_PARENT  row, quantity, limit, what changes: REPLACE_QUANTITY | REPLACE_LIMIT
    SUSPEND_PARENT  row: nothing new is sent for it
    RESUME_PARENT   row
    KILL            scope, number of the account, symbol or venue, 1 on or 0 off
    VENUE_UP        venue: orders may go there again
    VENUE_DOWN      venue
    END_DAY         none: every parent that works is done for the day, what is open is cancelled

Another process needs the tables' file and the ring: rows are given out and written here, the loop
reads a row only when a command has told it to.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import numpy as np

from feedhandler.commands import Commands
from nic.block import Block
from router.parentfile import Numbers, load_parents
from router.strategies.curves import MOST_SHARES
from router.strategies.exact import MOST_PRICE, check_whole
from router.strategies.parent import ParentOrder
from router.tablespace import RouterTables

FIRST_COMMAND: Final = 32
NEW_PARENT: Final = 32
CANCEL_PARENT: Final = 33
REPLACE_PARENT: Final = 34
SUSPEND_PARENT: Final = 35
RESUME_PARENT: Final = 36
KILL: Final = 37
VENUE_UP: Final = 38
VENUE_DOWN: Final = 39
END_DAY: Final = 40
COMMANDS: Final = (
    "new parent", "cancel parent", "replace parent", "suspend parent", "resume parent", "kill",
    "venue up", "venue down", "end day",
)  # fmt: skip

# What a REPLACE_PARENT changes.
REPLACE_QUANTITY: Final = 1
REPLACE_LIMIT: Final = 2

# What a KILL stops.
KILL_ALL: Final = 0
KILL_ACCOUNT: Final = 1
KILL_SYMBOL: Final = 2
KILL_VENUE: Final = 3
SCOPES: Final = ("all", "account", "symbol", "venue")


class ParentCommands:
    """Tells a loop about parents. One such object a loop, as the ring has one producer.

    Every sender gives False when the ring is full: nothing is waited for.

    Args:
        commands: of the loop.
        tables: the router's, or the block of them that this process attached, writable.
        clock: ns since the epoch, by the clock that the loop's other times are from.
    """

    def __init__(
        self, commands: Commands, tables: RouterTables | Block, clock: Callable[[], int]
    ) -> None:
        self._commands, self._clock = commands, clock
        self._block = tables.block if isinstance(tables, RouterTables) else tables

    def _send(self, kind: int, *words: int) -> bool:
        return self._commands.send(kind, self._clock(), words)

    def new_parent(self, order: ParentOrder, instruments: Numbers, accounts: Numbers) -> int:
        """Writes a parent into a fresh row and tells the loop; its number, 0: the ring is full.

        Raises ValueError as `load_parents` does.
        """
        before = self._block["curves"][0].copy()
        (number,) = load_parents([order], self._block, instruments, accounts)
        if self._send(NEW_PARENT, number):
            return number
        self._take_back(number, before)
        return 0

    def _take_back(self, number: int, before: Any) -> None:
        """Frees a row that the loop was never told of."""
        self._block["parents"][number] = np.zeros((), self._block["parents"].dtype)
        self._block["curves"][0] = before

    def start(self, number: int) -> bool:
        """Tells the loop of a row that `load_parents` has written."""
        return self._send(NEW_PARENT, self._known(number))

    def number_of(self, name: str) -> int:
        """The row of a parent by its name. Raises KeyError."""
        used = int(self._block["curves"][0]["used_parents"])
        found = np.flatnonzero(self._block["parents"]["name"][1 : used + 1] == name.encode())
        if not len(found):
            raise KeyError(f"no parent is named {name!r}")
        return int(found[0]) + 1

    def _known(self, number: int) -> int:
        used = int(self._block["curves"][0]["used_parents"])
        if not 1 <= number <= used:
            raise ValueError(f"parent {number}: expected 1 to {used}")
        return number

    def cancel_parent(self, number: int) -> bool:
        """Cancels what is left of a parent. Raises ValueError for a row that is none."""
        return self._send(CANCEL_PARENT, self._known(number))

    def replace_parent(
        self, number: int, *, quantity: int | None = None, limit: int | None = None
    ) -> bool:
        """Changes the whole quantity (executed shares included), the limit (0: none), or both.

        Raises ValueError for values that no parent can have.
        """
        changes = 0
        if quantity is not None:
            check_whole("quantity", quantity, 1, MOST_SHARES)
            changes |= REPLACE_QUANTITY
        if limit is not None:
            check_whole("limit", limit, 0, MOST_PRICE)
            changes |= REPLACE_LIMIT
        if not changes:
            raise ValueError("replace: expected a quantity, a limit or both")
        return self._send(REPLACE_PARENT, self._known(number), quantity or 0, limit or 0, changes)

    def suspend_parent(self, number: int) -> bool:
        """Holds a parent back: nothing new is sent for it."""
        return self._send(SUSPEND_PARENT, self._known(number))

    def resume_parent(self, number: int) -> bool:
        """Lets a suspended parent go on."""
        return self._send(RESUME_PARENT, self._known(number))

    def kill(self, scope: int = KILL_ALL, number: int = 0, *, on: bool = True) -> bool:
        """Throws a kill switch, or lets it go: KILL_ALL, or an account's, symbol's or venue's."""
        check_whole("scope", scope, KILL_ALL, KILL_VENUE)
        section = (None, "accounts", "instruments", "venues")[scope]
        if section is not None:
            least = 0 if scope == KILL_VENUE else 1
            check_whole(SCOPES[scope], number, least, len(self._block[section]) - 1)
        return self._send(KILL, scope, number, int(on))

    def venue_up(self, venue: int) -> bool:
        """Lets orders go to a venue again."""
        check_whole("venue", venue, 0, len(self._block["venues"]) - 1)
        return self._send(VENUE_UP, venue)

    def venue_down(self, venue: int) -> bool:
        """Lets no orders go to a venue."""
        check_whole("venue", venue, 0, len(self._block["venues"]) - 1)
        return self._send(VENUE_DOWN, venue)

    def end_day(self) -> bool:
        """Ends every parent that still works, as done for the day."""
        return self._send(END_DAY)
