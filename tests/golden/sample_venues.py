"""Small venues that say what happens to their orders in their own wire format, for the samples."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from feedhandler.feed import Feed
from feedhandler.registry import versions
from feedhandler.transports.packets import write_packet

SYMBOLS = {"AAPL": 1, "MSFT": 2, "SPY": 3, "BRK.A": 4}
SECOND_NS = 1_000_000_000


@dataclass
class Order:
    """A resting order. Prices in 1e-4, times in epoch ns."""

    number: int
    symbol: str
    side: str
    shares: int
    price: int


Line = tuple[int | str, dict[str, Any]]
Says = Callable[[int, Order, dict[str, int]], list[Line]]


@dataclass(frozen=True)
class Venue:
    """How one venue speaks.

    Attributes:
        name: also the file's name.
        feed: its feed.
        start: messages at the start of the day, given the first time and midnight.
        words: event ("add", "execute", "reduce", "delete", "replace") -> message code and fields.
        header: header values of a packet at a time.
    """

    name: str
    feed: Feed
    start: Callable[[int, int], list[Line]]
    words: dict[str, Says]
    header: Callable[[int], dict[str, Any]]

    def packet(self, lines: list[Line], sequence: int, time_ns: int) -> bytes:
        """One packet with these messages."""
        header = self.header(time_ns)
        header[self.feed.transport.sequence] = sequence
        messages = [self.feed.protocol[code].encode(values) for code, values in lines]
        return write_packet(self.feed.transport, messages, header)


def nasdaq(midnight_ns: int) -> Venue:
    """TotalView-ITCH 5.0."""

    def stamped(code: str, time_ns: int, symbol: str, **values: Any) -> list[Line]:
        since = time_ns - midnight_ns
        return [(code, {"timestamp": since, "stock_locate": SYMBOLS.get(symbol, 0), **values})]

    def start(time_ns: int, _: int) -> list[Line]:
        lines = stamped("S", time_ns, "", event_code="Q")
        for symbol in SYMBOLS:
            given = {"stock": symbol, "round_lot_size": 100, "authenticity": "P"}
            lines += stamped("R", time_ns, symbol, **given)
            lines += stamped("H", time_ns, symbol, stock=symbol, trading_state="T")
        return lines

    def ref(order: Order) -> dict[str, int]:
        return {"order_reference_number": order.number}

    words: dict[str, Says] = {
        "add": lambda t, o, _: stamped(
            "A",
            t,
            o.symbol,
            **ref(o),
            buy_sell_indicator=o.side,
            shares=o.shares,
            stock=o.symbol,
            price=o.price,
        ),
        "execute": lambda t, o, x: stamped(
            "E", t, o.symbol, **ref(o), executed_shares=x["shares"], match_number=x["trade"]
        ),
        "reduce": lambda t, o, x: stamped("X", t, o.symbol, **ref(o), canceled_shares=x["shares"]),
        "delete": lambda t, o, _: stamped("D", t, o.symbol, **ref(o)),
        "replace": lambda t, o, x: stamped(
            "U",
            t,
            o.symbol,
            original_order_reference_number=o.number,
            new_order_reference_number=x["number"],
            shares=x["shares"],
            price=x["price"],
        ),
    }
    return Venue(
        "nasdaq", versions("nasdaq_itch50")[0], start, words, lambda t: {"session": "SAMPLE0001"}
    )


def cboe(midnight_ns: int) -> Venue:
    """PITCH: a Time message whenever the second changes, offsets in the others."""
    spoken = {"second": -1}

    def stamped(code: int, time_ns: int, **values: Any) -> list[Line]:
        second, offset = divmod(time_ns - midnight_ns, SECOND_NS)
        lines: list[Line] = [(0x20, {"time": second})] if second != spoken["second"] else []
        spoken["second"] = second
        return [*lines, (code, {"time_offset": offset, **values})]

    def start(time_ns: int, _: int) -> list[Line]:
        lines: list[Line] = []
        for symbol in SYMBOLS:
            given = {"trading_status": "T", "reg_sho_action": "0"}
            lines += stamped(0x31, time_ns, symbol_extended=symbol, **given)
        return lines

    def add(time_ns: int, order: Order, _: dict[str, int]) -> list[Line]:
        given = {"order_id": order.number, "side_indicator": order.side, "symbol": order.symbol}
        given["add_order_flags"] = 1
        if order.price % 100 == 0 and order.price < 6_553_600:
            short = {"quantity_short": order.shares, "price_short": order.price // 100}
            return stamped(0x22, time_ns, **given, **short)
        return stamped(0x21, time_ns, **given, quantity=order.shares, price=order.price)

    words: dict[str, Says] = {
        "add": add,
        "execute": lambda t, o, x: stamped(
            0x23, t, order_id=o.number, executed_quantity=x["shares"], execution_id=x["trade"]
        ),
        "reduce": lambda t, o, x: stamped(
            0x26, t, order_id=o.number, canceled_quantity_short=x["shares"]
        ),
        "delete": lambda t, o, _: stamped(0x29, t, order_id=o.number),
        "replace": lambda t, o, x: stamped(
            0x27, t, order_id=o.number, quantity=x["shares"], price=x["price"], modify_order_flags=1
        ),
    }
    return Venue("bzx", versions("cboe_pitch")[0], start, words, lambda t: {"unit": 1})


def nyse(_: int) -> Venue:
    """Pillar: symbol indexes with a price scale, the second in source time references."""
    spoken = {"second": -1}
    counts = dict.fromkeys(SYMBOLS, 0)

    def stamped(code: int, time_ns: int, symbol: str, **values: Any) -> list[Line]:
        second, part = divmod(time_ns, SECOND_NS)
        new = second != spoken["second"]
        lines: list[Line] = [(2, {"id": 1, "source_time": second})] if new else []
        spoken["second"] = second
        counts[symbol] += 1
        about = {"symbol_index": SYMBOLS[symbol], "symbol_seq_num": counts[symbol]}
        return [*lines, (code, {"source_time_ns": part, **about, **values})]

    def start(time_ns: int, _: int) -> list[Line]:
        lines: list[Line] = []
        for symbol, index in SYMBOLS.items():
            given = {"symbol": symbol, "price_scale_code": 4, "system_id": 1, "lot_size": 100}
            lines.append((3, {"symbol_index": index, **given}))
            state = {"security_status": "O", "halt_condition": "~", "market_state": "O"}
            lines += stamped(34, time_ns, symbol, source_time=time_ns // SECOND_NS, **state)
        return lines

    words: dict[str, Says] = {
        "add": lambda t, o, _: stamped(
            100, t, o.symbol, order_id=o.number, price=o.price, volume=o.shares, side=o.side
        ),
        "execute": lambda t, o, x: stamped(
            103,
            t,
            o.symbol,
            order_id=o.number,
            trade_id=x["trade"],
            price=o.price,
            volume=x["shares"],
            printable_flag=1,
        ),
        "reduce": lambda t, o, x: stamped(
            101,
            t,
            o.symbol,
            order_id=o.number,
            price=o.price,
            volume=o.shares - x["shares"],
            side=o.side,
        ),
        "delete": lambda t, o, _: stamped(102, t, o.symbol, order_id=o.number),
        "replace": lambda t, o, x: stamped(
            104,
            t,
            o.symbol,
            order_id=o.number,
            new_order_id=x["number"],
            price=x["price"],
            volume=x["shares"],
            side=o.side,
        ),
    }

    def header(time_ns: int) -> dict[str, Any]:
        seconds, nanoseconds = divmod(time_ns, SECOND_NS)
        return {"delivery_flag": 11, "seconds": seconds, "nanoseconds": nanoseconds}

    return Venue("nyse", versions("nyse_integrated@2.5")[0], start, words, header)


def memx(_: int) -> Venue:
    """MEMOIR Depth."""

    def stamped(code: int, time_ns: int, stock: str, **values: Any) -> list[Line]:
        return [(code, {"timestamp": time_ns, "security_id": SYMBOLS[stock], **values})]

    def start(time_ns: int, _: int) -> list[Line]:
        lines: list[Line] = [(5, {"timestamp": time_ns, "trading_session": "2"})]
        for symbol in SYMBOLS:
            root, _, suffix = symbol.partition(".")
            given = {"symbol": root, "symbol_sfx": suffix, "round_lot": 100, "mpv": 10_000}
            lines += stamped(1, time_ns, symbol, **given)
            lines += stamped(3, time_ns, symbol, security_trading_status="T")
        return lines

    words: dict[str, Says] = {
        "add": lambda t, o, _: stamped(
            10, t, o.symbol, order_id=o.number, side=o.side, quantity=o.shares, price=o.price * 100
        ),
        "execute": lambda t, o, x: stamped(
            13,
            t,
            o.symbol,
            order_id=o.number,
            trade_id=x["trade"],
            quantity=x["shares"],
            price=o.price * 100,
        ),
        "reduce": lambda t, o, x: stamped(12, t, o.symbol, order_id=o.number, quantity=x["shares"]),
        "delete": lambda t, o, _: stamped(11, t, o.symbol, order_id=o.number),
        "replace": lambda t, o, x: [
            *stamped(11, t, o.symbol, order_id=o.number),
            *stamped(
                10,
                t,
                o.symbol,
                order_id=x["number"],
                side=o.side,
                quantity=x["shares"],
                price=x["price"] * 100,
            ),
        ],
    }
    return Venue(
        "memx",
        versions("memx_memoir")[0],
        start,
        words,
        lambda t: {"message_type": 2, "session_id": 77},
    )


def iex(_: int) -> Venue:
    """DEEP+: orders with the symbol's text in every message."""

    def stamped(code: str, time_ns: int, symbol: str, **values: Any) -> list[Line]:
        return [(code, {"timestamp": time_ns, "symbol": symbol, **values})]

    def start(time_ns: int, _: int) -> list[Line]:
        lines: list[Line] = [("S", {"timestamp": time_ns, "system_event": "R"})]
        for symbol in SYMBOLS:
            lines += stamped("D", time_ns, symbol, round_lot_size=100)
            lines += stamped("H", time_ns, symbol, trading_status="T")
        return lines

    def ref(order: Order) -> dict[str, int]:
        return {"order_id_reference": order.number}

    words: dict[str, Says] = {
        "add": lambda t, o, _: stamped(
            "a",
            t,
            o.symbol,
            side="8" if o.side == "B" else "5",
            order_id=o.number,
            size=o.shares,
            price=o.price,
        ),
        "execute": lambda t, o, x: stamped(
            "L", t, o.symbol, **ref(o), size=x["shares"], price=o.price, trade_id=x["trade"]
        ),
        "reduce": lambda t, o, x: stamped(
            "M", t, o.symbol, **ref(o), size=o.shares - x["shares"], price=o.price
        ),
        "delete": lambda t, o, _: stamped("R", t, o.symbol, **ref(o)),
        "replace": lambda t, o, x: stamped(
            "M", t, o.symbol, **ref(o), size=x["shares"], price=x["price"]
        ),
    }

    def header(time_ns: int) -> dict[str, Any]:
        return {
            "message_protocol_id": 0x8005,
            "channel_id": 1,
            "session_id": 9,
            "send_time": time_ns,
        }

    return Venue("iex", versions("iex_deepplus")[0], start, words, header)


MAKERS: tuple[Callable[[int], Venue], ...] = (nasdaq, cboe, nyse, memx, iex)
