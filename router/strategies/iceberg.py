"""Iceberg: rest in the market with all of it, and show a part."""

from __future__ import annotations

from typing import Final

from numba import njit

from router.routing.parameters import OWN_FIRST
from router.strategies.answer import NEVER, parameter
from router.strategies.post import rest

SHOWN: Final = OWN_FIRST  # parameter: shares


@njit(nogil=True)
def iceberg(row, left, now, plan):
    """Writes what such a parent with so many shares left wants."""
    rest(row, left, now, NEVER, parameter(row, SHOWN), plan)
