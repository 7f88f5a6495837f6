"""By which key each venue in captures names a symbol."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from captures import merge_captures
from console.bookplan import venue_of
from console.packetplan import packet_actions
from console.plan import Plan
from feedhandler.consolidated.layout import NO_INSTRUMENT
from feedhandler.datagrams import datagrams
from feedhandler.symbols import SymbolMaster, convention_of


def keys_of(symbol: str, plan: Plan, files: Sequence[Path]) -> dict[str, int]:
    """The symbol's key by venue, for the venues that name it. Reads the captures once."""
    master = SymbolMaster(test_symbols=())
    venues: dict[str, int] = {}
    text_keys: set[int] = set()
    own_names: set[int] = set()  # venues whose keys are names where there is no other
    for channel in plan.channels:
        if channel.feed is not None and venue_of(channel) not in venues:
            venues[venue_of(channel)] = number = len(venues)
            master.add_venue(number, convention_of(channel.feed))
            if channel.feed.keys == "text":
                text_keys.add(number)
            elif channel.feed.named:
                own_names.add(number)
    seen: set[tuple[int, int]] = set()
    with merge_captures(list(files)) as merged:
        for _, name, made in packet_actions(datagrams(merged), plan):
            venue = venues[name]
            master.learn_actions(venue, made)
            if venue in text_keys:
                new = {(venue, key) for key in np.unique(made["key"]).tolist() if key} - seen
                seen |= new
                for _, key in new:
                    master.learn_key(venue, key)
            elif venue in own_names:
                _learn_number(master, venue, symbol, made)
    number = master.find(symbol)
    if number == NO_INSTRUMENT:
        return {}
    names = {number: name for name, number in venues.items()}
    return {names[venue]: key for venue, key in master.instrument(number).keys}


def _learn_number(master: SymbolMaster, venue: int, symbol: str, actions: NDArray[np.void]) -> None:
    """Takes a key for a name when it is asked for by number and nothing else has named it."""
    key = int(symbol) if symbol.isdigit() else 0
    if key in actions["key"] and key and master.by_key(venue, key) == NO_INSTRUMENT:
        master.learn(venue, key, symbol)
