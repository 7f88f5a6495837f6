"""What messages of auctions say, read field by field in plain Python: the judge of the records."""

from __future__ import annotations

from random import Random
from typing import Any

from feedhandler.auctions import AuctionUpdate
from feedhandler.feed import Feed, decode
from feedhandler.registry import versions
from feedhandler.transports.packets import write_packet
from feedhandler.wire.field import Role

SIDES = {"B": 1, "S": 2}
# by feed: message code, and by venue what its letters of auctions are
NYSE = {"O": "early opening", "M": "opening", "H": "halt", "C": "closing"}
NYSE |= {"P": "closing", "R": "closing"}
NASDAQ = {"O": "opening", "C": "closing", "H": "halt", "A": "extended close"}
IEX = {"O": "opening", "C": "closing", "H": "halt", "I": "ipo", "V": "volatility"}
CBOE = {**IEX, "M": "closing", "P": "periodic"}
FEEDS = {
    "nyse_integrated@2.5": (105, NYSE),
    "nyse_integrated@2.1": (105, NYSE),
    "nyse_imbalances@2.5": (105, NYSE),
    "nyse_imbalances@2.1": (105, NYSE),
    "nasdaq_itch50": ("I", NASDAQ),
    "iex_tops": ("A", IEX),
    "iex_deep": ("A", IEX),
    "cboe_pitch": (0x95, CBOE),
}


def scaled(raw: int, decimals: int) -> int | None:
    """A wire price in 1e-8 units; None where 0 says that there is none."""
    return raw * 10 ** (8 - decimals) or None


def message(name: str, chance: Random) -> tuple[Feed, bytes]:
    """A random packet with one message about an auction."""
    (feed,), (code, letters) = versions(name)[:1], FEEDS[name]
    record = feed.protocol[code]
    values: dict[str, Any] = {}
    for field in record.fields:
        if field.fixed is None and field.is_integer and field.role is Role.BODY:
            values[field.name] = min(field.high, chance.choice([0, 1, 77, 1_234_500]))
    kind = "cross_type" if "cross_type" in record.by_name else "auction_type"
    values[kind] = chance.choice([*letters, "z"])
    for side in ("imbalance_side", "imbalance_direction"):
        if side in record.by_name:
            values[side] = chance.choice("BSN" if code != 105 else "BS ")
    values |= {"symbol_index": 5} if code == 105 else {}
    values |= {"symbol": "IBM", "stock": "IBM", "symbol_extended": "IBM"}
    given = {field: value for field, value in values.items() if field in record.by_name}
    return feed, write_packet(feed.transport, [record.encode(given)], dict(feed.header))


def wanted(name: str, packet: bytes, decimals: int, key: int, time_ns: int) -> AuctionUpdate:
    """The record that the message asks for, by the venue's own names of fields."""
    feed = versions(name)[0]
    (said,) = decode(feed, packet).messages
    values: dict[str, Any] = dict(said.values)
    letters = FEEDS[name][1]
    letter = values.get("auction_type") or values.get("cross_type") or ""
    made: dict[str, Any] = {"auction": letters.get(letter, "unknown"), "letter": letter}
    made |= {"market_imbalance": 0, "indicative": None, "key": key, "time_ns": time_ns}
    made["sequence"] = said.sequence or 0
    if "buy_shares" in values:
        buys, sells = values["buy_shares"], values["sell_shares"]
        made |= {"paired": min(buys, sells), "imbalance": abs(buys - sells)}
        made["side"] = 1 if buys > sells else 2 if sells > buys else 0
        names = ("reference_price", "indicative_price", "auction_only_price")
    elif "far_price" in values:
        made |= {"paired": values["paired_shares"], "imbalance": values["imbalance_shares"]}
        made["side"] = SIDES.get(values["imbalance_direction"], 0)
        names = ("current_reference_price", "near_price", "far_price")
    elif "paired_shares" in values:
        made |= {"paired": values["paired_shares"], "imbalance": values["imbalance_shares"]}
        made["side"] = SIDES.get(values["imbalance_side"], 0)
        names = ("reference_price", "indicative_clearing_price", "auction_book_clearing_price")
    else:
        made |= {"paired": values["paired_qty"], "imbalance": values["total_imbalance_qty"]}
        made["side"] = SIDES.get(values["imbalance_side"], 0)
        made["market_imbalance"] = values["market_imbalance_qty"]
        made["indicative"] = scaled(values["indicative_match_price"], decimals)
        alone = "auction_interest_clearing_price"
        if alone not in values:
            alone = "closing_only_clearing_price"
        names = ("reference_price", "continuous_book_clearing_price", alone)
    prices = (scaled(values[field], decimals) for field in names)
    made |= dict(zip(("reference", "near", "far"), prices, strict=True))
    return AuctionUpdate(**made)
