"""What all protocols have in common in choosing an order's letters."""

from __future__ import annotations

from feedhandler.actions import BUY
from router import tables as t
from router.entry.forms import Choice


def side_of(given: Choice, sides: tuple[str, str, str, str]) -> str | None:
    """The side among those for buy, sell, sell short, sell short exempt; None for a short buy."""
    short, exempt = given.has(t.SHORT), given.has(t.SHORT_EXEMPT)
    if given.side == BUY:
        return None if short or exempt else sides[0]
    return sides[3] if exempt else sides[2] if short else sides[1]


def contradicts(given: Choice) -> bool:
    """Whether an order wants what no venue does: to add and to be done at once."""
    adds = given.has(t.POST_ONLY)
    done_at_once = given.tif in (t.IOC, t.FOK)
    to_market = given.market and not given.has(t.MIDPOINT)
    sweeps_hidden = given.has(t.ISO) and given.has(t.MIDPOINT)
    return (adds and (done_at_once or to_market)) or sweeps_hidden
