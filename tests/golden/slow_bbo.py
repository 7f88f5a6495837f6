"""Best bids and offers of the sample captures from their decoded messages alone, the slow way."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any

from captures import merge_captures
from feedhandler.actions import STATUS_HALTED, STATUS_TRADING
from feedhandler.channelfile import ChannelMap
from feedhandler.consolidated.slow import SlowInstrument, SlowQuote, SlowVenue
from feedhandler.datagrams import datagrams
from feedhandler.feed import decode
from feedhandler.reasons import Reason

SIDES = {"B": True, "S": False, "8": True, "5": False}
UNIT = 10**8  # of a price


@dataclass
class SlowOrder:
    """An order that rests."""

    symbol: str
    buy: bool
    price: int
    shares: int


@dataclass
class SlowVenueBook:
    """One venue's orders, told in words that its messages are put into."""

    orders: dict[int, SlowOrder] = field(default_factory=dict)
    names: dict[int, str] = field(default_factory=dict)
    status: dict[str, int] = field(default_factory=dict)
    lots: dict[str, int] = field(default_factory=dict)

    def add(self, number: int, order: SlowOrder) -> str:
        """A new order; the symbol that it concerns."""
        self.orders[number] = order
        return order.symbol

    def take(self, number: int, shares: int | None = None) -> str:
        """Shares leave an order; all of them without a number."""
        order = self.orders[number]
        order.shares -= order.shares if shares is None else shares
        if order.shares == 0:
            del self.orders[number]
        return order.symbol

    def replace(self, number: int, new: int, shares: int, price: int) -> str:
        """Another price and size, perhaps under another number."""
        order = self.orders.pop(number)
        return self.add(new, SlowOrder(order.symbol, order.buy, price, shares))

    def quote(self, symbol: str) -> SlowQuote:
        """The venue's levels of a symbol."""
        made = SlowQuote(status=self.status.get(symbol, 0))
        for order in self.orders.values():
            if order.symbol == symbol:
                levels = made.bids if order.buy else made.offers
                levels[order.price] = levels.get(order.price, 0) + order.shares
        return made


def nasdaq(book: SlowVenueBook, code: Any, v: dict[str, Any]) -> str | None:
    """One ITCH message; the symbol that it concerns."""
    ref = v.get("order_reference_number")
    if code in ("R", "H"):
        symbol = v["stock"]
        book.names[v["stock_locate"]] = symbol
        if code == "R":
            book.lots[symbol] = v["round_lot_size"]
        else:
            book.status[symbol] = status_of(v["trading_state"])
        return symbol
    if code == "A":
        symbol, buy = book.names[v["stock_locate"]], SIDES[v["buy_sell_indicator"]]
        return book.add(ref, SlowOrder(symbol, buy, v["price"] * 10**4, v["shares"]))
    if code in ("E", "X"):
        return book.take(ref, v["executed_shares" if code == "E" else "canceled_shares"])
    if code == "D":
        return book.take(ref)
    if code == "U":
        new, old = v["new_order_reference_number"], v["original_order_reference_number"]
        return book.replace(old, new, v["shares"], v["price"] * 10**4)
    return None


def cboe(book: SlowVenueBook, code: Any, v: dict[str, Any]) -> str | None:
    """One PITCH message."""
    number = v.get("order_id")
    if code == 0x31:
        symbol: str = v["symbol_extended"]
        book.status[symbol] = status_of(v["trading_status"])
        return symbol
    if code in (0x21, 0x22):
        short = "_short" if code == 0x22 else ""
        price = v[f"price{short}"] * (10**6 if short else 10**4)
        order = SlowOrder(v["symbol"], SIDES[v["side_indicator"]], price, v[f"quantity{short}"])
        return book.add(number, order)
    if code == 0x23:
        return book.take(number, v["executed_quantity"])
    if code == 0x26:
        return book.take(number, v["canceled_quantity_short"])
    if code == 0x29:
        return book.take(number)
    if code == 0x27:
        return book.replace(number, number, v["quantity"], v["price"] * 10**4)
    return None


def nyse(book: SlowVenueBook, code: Any, v: dict[str, Any]) -> str | None:
    """One XDP message; the samples' prices have 4 decimals."""
    if code == 3:
        book.names[v["symbol_index"]] = v["symbol"]
        book.lots[v["symbol"]] = v["lot_size"]
        return v["symbol"]  # type: ignore[no-any-return]
    if code == 34:
        symbol = book.names[v["symbol_index"]]
        book.status[symbol] = STATUS_TRADING if v["market_state"] == "O" else STATUS_HALTED
        return symbol
    number = v.get("order_id")
    if code == 100:
        order = (SIDES[v["side"]], v["price"] * 10**4, v["volume"])
        return book.add(number, SlowOrder(book.names[v["symbol_index"]], *order))
    if code == 101:
        return book.replace(number, number, v["volume"], v["price"] * 10**4)
    if code == 102:
        return book.take(number)
    if code == 103:
        return book.take(number, v["volume"])
    if code == 104:
        return book.replace(number, v["new_order_id"], v["volume"], v["price"] * 10**4)
    return None


def memx(book: SlowVenueBook, code: Any, v: dict[str, Any]) -> str | None:
    """One MEMOIR message: root and suffix are joined the way the others spell it."""
    if code == 1:
        symbol = ".".join(filter(None, (v["symbol"], v["symbol_sfx"])))
        book.names[v["security_id"]] = symbol
        book.lots[symbol] = v["round_lot"]
        return symbol
    if code == 3:
        symbol = book.names[v["security_id"]]
        book.status[symbol] = status_of(v["security_trading_status"])
        return symbol
    number = v.get("order_id")
    if code == 10:
        order = (SIDES[v["side"]], v["price"] * 10**2, v["quantity"])
        return book.add(number, SlowOrder(book.names[v["security_id"]], *order))
    if code in (12, 13):
        return book.take(number, v["quantity"])
    if code == 11:
        return book.take(number)
    return None


def iex(book: SlowVenueBook, code: Any, v: dict[str, Any]) -> str | None:
    """One DEEP+ message."""
    symbol = v.get("symbol")
    if code == "D":
        book.lots[symbol] = v["round_lot_size"]
        return symbol
    if code == "H":
        book.status[symbol] = status_of(v["trading_status"])
        return symbol
    if code == "a":
        order = SlowOrder(symbol, SIDES[v["side"]], v["price"] * 10**4, v["size"])
        return book.add(v["order_id"], order)
    number = v.get("order_id_reference")
    if code == "L":
        return book.take(number, v["size"])
    if code == "M":
        return book.replace(number, number, v["size"], v["price"] * 10**4)
    if code == "R":
        return book.take(number)
    return None


def status_of(letter: str) -> int:
    """The samples' two states."""
    return STATUS_TRADING if letter == "T" else STATUS_HALTED


READERS = {"nasdaq": nasdaq, "bzx": cboe, "nyse": nyse, "memx": memx, "iex": iex}


class SlowMarket:
    """All venues and what they show together."""

    def __init__(self, venues: list[str]) -> None:
        self.venues = venues
        self.books = {name: SlowVenueBook() for name in venues}
        self.last: dict[tuple[str, str], Any] = {}

    def packet(self, venue: str, messages: list[Any], time_ns: int) -> Iterator[dict[str, Any]]:
        """The changes that a packet's messages make, in no particular order."""
        touched = [
            READERS[venue](self.books[venue], message.record.code, message.values)
            for message in messages
        ]
        for symbol in {name for name in touched if name is not None}:
            instrument = self.instrument(symbol)
            for kind, slow in (("best", "shown"), ("national", "protected"), ("odd_lot", "odd")):
                made = self.row(instrument, slow)
                state = instrument.state()
                about = (made, state) if kind == "national" else made
                before = self.last.get((symbol, kind))
                self.last[symbol, kind] = about
                nothing = before is None and not made["bid"] and not made["offer"]
                if about != before and not nothing:
                    yield {"ts_ns": time_ns, "symbol": symbol, "kind": kind, **made, "state": state}

    def instrument(self, symbol: str) -> SlowInstrument:
        """A symbol at all venues."""
        lots = [book.lots[symbol] for book in self.books.values() if symbol in book.lots]
        quotes = [self.books[name].quote(symbol) for name in self.venues]
        venues = [SlowVenue() for _ in self.venues]
        return SlowInstrument(venues, lot=lots[0] if lots else 100, quotes=quotes)

    def row(self, instrument: SlowInstrument, kind: str) -> dict[str, Any]:
        """One kind of best, as the rows have it but with prices as decimals."""
        made: dict[str, Any] = {}
        for side in ("bid", "offer"):
            price, quantity, venues = instrument.best(kind, side == "bid")
            made[side] = Decimal(price) / UNIT if quantity else None
            made[f"{side}_quantity"] = quantity
            made[f"{side}_venues"] = [self.venues[number] for number in venues]
        return made


def slow_changes(files: list[Path], channels: ChannelMap) -> list[dict[str, Any]]:
    """All changes in captures, lines A only."""
    market = SlowMarket(list(dict.fromkeys(c.name for c in channels.channels)))
    known = {(c.group, c.port): c for c in channels.channels if c.line == "A"}
    made = []
    with merge_captures(files) as merged:
        for datagram in datagrams(merged):
            group, _, port = datagram.to.partition(":")
            channel = known.get((group, int(port)))
            if channel is None or datagram.reason is not Reason.OK:
                continue
            messages = decode(channel.feeds[0], datagram.payload).messages
            made += market.packet(channel.name, messages, datagram.timestamp_ns)
    return made
