"""Order state from Python: for tools, recovery and tests."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from nic.regions import allowed
from router.orders import entries as e
from router.tables import ENTER, INTENT_DTYPE
from router.tablespace import RouterTables


class Orders:
    """The kernels of router.orders on one router's tables; times in ns, prices in 1e-8 units.

    Args:
        tables: made with `more=order_sections(sizes)`.
        memories: what else kernels may touch in a checked build: the consolidated book's blocks.
    """

    def __init__(self, tables: RouterTables, *memories: Any) -> None:
        self.tables = tables
        self._memories = memories

    def _act(self, what: int, *words: int, now: int = 0, memory: tuple[Any, ...] = ()) -> int:
        filled = (*words, 0, 0, 0, 0)[:4]
        with allowed(self.tables.block, *self._memories, *memory):
            return int(e.act(self.tables.address, what, *filled, now))

    def enter(self, intent: NDArray[np.void], now: int) -> int:
        """Makes the child of an intent, one row; its number, 0 where a table is full."""
        return self._act(e.ENTER, intent.ctypes.data, now=now, memory=(intent,))

    def order(self, now: int, **fields: int) -> int:
        """Makes a child of an intent with these fields, as `enter`."""
        intent = np.zeros(1, INTENT_DTYPE)
        intent["kind"] = ENTER
        for name, value in fields.items():
            intent[name] = value
        return self.enter(intent, now)

    def ask_replace(self, child: int, quantity: int, price: int, now: int) -> int:
        """The new token of the replace; 0 where it cannot be asked."""
        return self._act(e.ASK_REPLACE, child, quantity, price, now=now)

    def ask_cancel(self, child: int, now: int) -> int:
        """1, or 0 where it cannot be asked."""
        return self._act(e.ASK_CANCEL, child, now=now)

    def hear(self, action: NDArray[np.void], now: int) -> int:
        """Applies one action record; the child's number, 0: not ours."""
        return self._act(e.HEAR, action.ctypes.data, now=now, memory=(action,))

    def child_event(self, child: int, event: int, reason: int, now: int) -> int:
        """What is known of a child from elsewhere; 1, or 0 where it is impossible."""
        return self._act(e.CHILD_EVENT, child, event, reason, now=now)

    def start_parent(self, parent: int, now: int) -> int:
        """1 where it works now, else 0."""
        return self._act(e.START, parent, now=now)

    def parent_event(self, parent: int, event: int, reason: int, now: int) -> int:
        """1, or 0 where it is impossible."""
        return self._act(e.PARENT_EVENT, parent, event, reason, now=now)

    def suspend_parent(self, parent: int, reason: int, now: int) -> int:
        """1, or 0 where it does not work."""
        return self._act(e.SUSPEND, parent, reason, now=now)

    def resume_parent(self, parent: int, now: int) -> int:
        """1, or 0 where it was not suspended."""
        return self._act(e.RESUME, parent, now=now)

    def cancel_parent(self, parent: int, reason: int, now: int) -> int:
        """1, or 0 where it is over or being ended."""
        return self._act(e.CANCEL, parent, reason, now=now)

    def replace_parent(self, parent: int, quantity: int, limit: int, now: int) -> int:
        """1, or 0 where that cannot be."""
        return self._act(e.REPLACE, parent, quantity, limit, now=now)

    def want_cancels(self, parent: int, decision: int) -> int:
        """How many intents to cancel children of a parent were written."""
        return self._act(e.WANT_CANCELS, parent, decision)

    def mark(self, account: int, instrument: int, price: int) -> int:
        """Values a position; its unrealised profit and loss."""
        return self._act(e.MARK, account, instrument, price)

    def mark_all(self, instrument: int, price: int) -> None:
        """Values the positions of all accounts in an instrument."""
        self._act(e.MARK_ALL, instrument, price)

    def unrealised_of(self, account: int) -> int:
        """Unrealised profit and loss of an account."""
        return self._act(e.UNREALISED, account)

    def fee_of(self, venue: int, liquidity: int, shares: int, price: int) -> int:
        """What an execution would cost at a venue now."""
        return self._act(e.FEE, venue, liquidity, shares, price)

    def child_after(self, state: int, event: int) -> int:
        """What the children's table says."""
        return self._act(e.CHILD_AFTER, state, event)

    def parent_after(self, state: int, event: int) -> int:
        """What the parents' table says."""
        return self._act(e.PARENT_AFTER, state, event)
