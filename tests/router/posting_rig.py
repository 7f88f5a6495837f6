"""Passive orders of a parent in a small market; kernels as tests enter them."""

from __future__ import annotations

from dark_rig import ONE, Rig
from numba import njit

from nic.regions import allowed
from router.routing.hidden import halved
from router.routing.posting import post, record_post
from router.routing.posting_costs import fill_chance


@njit(nogil=True, cache=True)
def enter_post(router, parent, quantity, limit, shown, now):
    """`post` for Python."""
    made = post(router, parent, quantity, limit, shown, now)
    record_post(router, now)
    return made


@njit(nogil=True, cache=True)
def enter_halved(value, elapsed, half_life):
    """`halved` for Python."""
    return halved(value, elapsed, half_life)


@njit(nogil=True, cache=True)
def enter_fill_chance(outflow, queue, size):
    """`fill_chance` for Python."""
    return fill_chance(outflow, queue, size)


class PostRig(Rig):
    """Lit venues, no dark ones, and a parent that posts."""

    def post(self, quantity: int, limit: int = 0, shown: int = 0) -> int:
        """`post` of the parent."""
        with allowed(*self.blocks):
            made = int(enter_post(self.tables.address, ONE, quantity, limit, shown, self.now))
        assert made == int(self.tables.head["intent_count"])
        return made

    def stand(self, number: int, venue: int, quantity: int, price: int, **fields: int) -> None:
        """A passive child of the parent."""
        self.child(number, venue, quantity, price=price, **fields)
        self.tables.parents[ONE]["open"] += int(self.tables.children[number]["leaves"])

    def gone(self) -> None:
        """Forgets all children of the parent."""
        self.tables.parents[ONE]["first_open"] = self.tables.parents[ONE]["open"] = 0
