"""The venues at the other end of a replay, by the names that the router has for them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from feedhandler.actions import PRICE_DECIMALS
from router.entry.protocols import PROTOCOLS
from router.tablespace import RouterTables
from router.venuefile import RoutedVenue
from simulator.gateways.pillarterms import REASON_WORDS
from simulator.matching.model import Tick, VenueModel, shipped_models
from simulator.replay.models import ReplayVenue
from simulator.replay.venues import ReplayVenues

ONE: Final = 10**PRICE_DECIMALS  # ticks are others below a currency unit
DARK_MODEL: Final = "dark_midpoint"


def model_of(venue: RoutedVenue, models: Mapping[str, VenueModel]) -> VenueModel:
    """The rules and the speed of a venue: those of the model with its name, else the usual ones."""
    found = models.get(venue.name) or models.get(venue.quotes)
    if found is not None and found.dark == venue.dark:
        return found
    if venue.dark:
        return models[DARK_MODEL]
    ticks = Tick(venue.small_tick), Tick(venue.tick, from_price=ONE)
    return VenueModel(name=venue.name, ticks=ticks)


def far_venues(
    venues: Sequence[RoutedVenue],
    tables: RouterTables,
    symbols: Mapping[int, str],
    seed: int,
    midnight_ns: int,
) -> ReplayVenues:
    """The far ends of all venues, a session each.

    Args:
        venues: as they are numbered in the tables.
        tables: with the venues' rows filled.
        symbols: by instrument, of all that can be traded.
        seed: of their latencies, troubles and what is hidden there.
        midnight_ns: that times on the wire count from, as the router's sessions have it.
    """
    models = shipped_models()
    made = [
        ReplayVenue(
            name=venue.name,
            model=model_of(venue, models),
            quotes=int(tables.venues[number]["quotes"]),
            protocol=venue.protocol,
        )
        for number, venue in enumerate(venues)
    ]
    market = int(tables.head["market"])
    return ReplayVenues(made, market, symbols, seed=seed, midnight_ns=midnight_ns)


def reject_words(venues: Sequence[RoutedVenue]) -> dict[tuple[int, int], str]:
    """What the codes of rejects mean, by number of the venue and code.

    Where a protocol does not say so, by those who stand at the other end.
    """
    return {
        (number, code): words
        for number, venue in enumerate(venues)
        for code, words in (PROTOCOLS[venue.protocol].reject_words or REASON_WORDS).items()
    }


def install_far(tables: RouterTables, far: ReplayVenues) -> None:
    """Tells the loop who stands there."""
    head = tables.head
    head["far"], head["far_due"], head["far_now"] = far.address, far.due_address, far.now_address
    head["far_step"], head["far_note"] = far.step_address, far.note_address
    head["far_wants"] = far.watched_address
