"""What the venues themselves say that their books are, to hold against what others make of it."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

import msgspec

from feedhandler.actions import BUY, SELL
from nic.configfile import ConfigError
from simulator.market.market import Market

BOOKS: Final = "books.json"
Levels = list[tuple[int, int, int]]


class InstrumentBook(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Displayed levels of an instrument, best first: price (1e-8), shares, orders."""

    bids: Levels
    offers: Levels


Books = dict[str, dict[str, InstrumentBook]]
"""By venue and symbol."""


def books_of(market: Market) -> Books:
    """The books of all venues that display one, as they are now; empty ones are left out."""
    made: Books = {}
    for name, exchange in zip(market.names, market.exchanges, strict=True):
        if exchange.model.dark:
            continue
        books = made[name] = {}
        for number, symbol in enumerate(market.plan.symbols, 1):
            bids = exchange.levels(number, BUY).tolist()
            offers = exchange.levels(number, SELL).tolist()
            if bids or offers:
                books[symbol] = InstrumentBook(bids, offers)
    return made


def save_books(books: Books, folder: Path) -> None:
    """Writes books into the folder. Raises OSError."""
    (folder / BOOKS).write_bytes(msgspec.json.encode(books) + b"\n")


def load_books(folder: Path) -> Books:
    """Reads what `save_books` wrote. Raises ConfigError with a line that names the file."""
    path = folder / BOOKS
    try:
        raw: Any = path.read_bytes()
        return msgspec.json.decode(raw, type=Books)
    except OSError as error:
        raise ConfigError(f"{path}: cannot open: {error.strerror}") from None
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: not the books of a market: {error}") from None
