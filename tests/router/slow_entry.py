"""Order messages by the protocols' plain encoders: the judge of the forms."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from feedhandler.actions import BUY
from feedhandler.protocols import ouch42, ouch50
from feedhandler.protocols.cboe_boe import CBOE_BOE
from feedhandler.protocols.miax_meo import MIAX_MEO
from feedhandler.protocols.pillar_gateway import PILLAR_GATEWAY
from feedhandler.transports.esesm import wrap as unsequenced
from feedhandler.transports.pillar_stream import wrap as sequenced
from feedhandler.transports.soupbintcp import wrap
from feedhandler.wire.errors import WireError
from router import tables as t

Words = Mapping[str, int]
TIFS: dict[str, dict[int, Any]] = {
    "ouch50": {t.DAY: "0", t.IOC: "3"},
    "ouch42": {t.DAY: 99_998, t.IOC: 0},
    "boe": {t.DAY: "0", t.IOC: "3", t.FOK: "4", t.GTC: "1"},
    "pillar": {t.DAY: 1, t.IOC: 2},
    "meo": {t.DAY: "R", t.IOC: "I"},
}
MOST_TOKEN = {"ouch50": 1 << 32, "ouch42": 10**14, "boe": 10**15, "pillar": 1 << 62, "meo": 1 << 48}
MARKET = 0x7FFFFFFF


def sayable(protocol: str, words: Words) -> bool:
    """Whether a protocol has words for an order."""
    flags, tif = words["flags"], words["tif"]
    midpoint, adds = flags & t.MIDPOINT, flags & t.POST_ONLY
    hidden, market = flags & t.NOT_SHOWN and not midpoint, words["price"] == 0
    if words["side"] == BUY and flags & (t.SHORT | t.SHORT_EXEMPT):
        return False
    if tif not in TIFS[protocol] or (flags & t.ISO and midpoint):
        return False
    if adds and (tif in (t.IOC, t.FOK) or (market and not midpoint)):
        return False
    if hidden and adds and protocol != "boe":
        return False
    if hidden and protocol == "meo" and flags & t.ISO:
        return False
    return not (hidden and protocol == "pillar" and (flags & t.ISO or market))


def side_of(words: Words, letters: str) -> str:
    """The side among the letters for buy, sell, short, exempt."""
    if words["side"] == BUY:
        return letters[0]
    if words["flags"] & t.SHORT_EXEMPT:
        return letters[3]
    return letters[2] if words["flags"] & t.SHORT else letters[1]


def wire_price(protocol: str, price: int) -> int | None:
    """The price on the wire, None where there is none."""
    if protocol == "pillar":
        return price if price <= 10**14 else None
    if protocol == "meo":
        return None if price % 100 else price // 100
    if price % 10_000:
        return None
    raw = price // 10_000
    if protocol == "boe":
        return raw
    if raw == 0:
        return MARKET
    return raw if raw <= 1_999_999_900 else None


def ouch_display(flags: int) -> str:
    """OUCH's letter for how an order is shown."""
    if flags & t.MIDPOINT:
        return "W" if flags & t.POST_ONLY else "M"
    return "P" if flags & t.POST_ONLY else "N" if flags & t.NOT_SHOWN else "Y"


def ouch50_message(name: str, words: Words, price: int) -> bytes:
    """An OUCH 5.0 message."""
    if name == "cancel":
        return wrap("U", ouch50.INBOUND["X"].encode(user_ref_num=words["old_token"]))
    given: dict[str, Any] = {
        "user_ref_num": words["token"],
        "quantity": words["quantity"],
        "price": price,
        "time_in_force": TIFS["ouch50"][words["tif"]],
        "display": ouch_display(words["flags"]),
        "inter_market_sweep_eligibility": "Y" if words["flags"] & t.ISO else "N",
    }
    if name.startswith("replace"):
        given["orig_user_ref_num"], code, group = words["old_token"], "U", "replace_order"
    else:
        more = {"side": side_of(words, "BSTE"), "symbol": "AAPL", "capacity": "A"}
        given, code, group = {**given, **more, "cross_type": "N"}, "O", "enter_order"
    if name.endswith("full"):
        given[f"{group}_appendage"] = [
            {f"{group}_optional_field": 3, "min_qty": words["minimum"]},
            {f"{group}_optional_field": 5, "max_floor": words["shown"]},
        ]
    return wrap("U", ouch50.INBOUND[code].encode(given))


def ouch42_message(name: str, words: Words, price: int) -> bytes:
    """An OUCH 4.2 message."""
    if name == "cancel":
        old = ouch42.token_of(words["old_token"])
        return wrap("U", ouch42.INBOUND["X"].encode(order_token=old))
    token = ouch42.token_of(words["token"])
    given: dict[str, Any] = {
        "shares": words["quantity"],
        "price": price,
        "time_in_force": TIFS["ouch42"][words["tif"]],
        "display": ouch_display(words["flags"]),
        "intermarket_sweep_eligibility": "Y" if words["flags"] & t.ISO else "N",
        "minimum_quantity": words["minimum"],
    }
    if name.startswith("replace"):
        old = ouch42.token_of(words["old_token"])
        tokens = {"existing_order_token": old, "replacement_order_token_token_14": token}
        return wrap("U", ouch42.INBOUND["U"].encode({**given, **tokens}))
    side = side_of(words, "BSTE")
    more = {"order_token": token, "buy_sell_indicator": side, "stock": "AAPL", "firm": "FIRM"}
    return wrap(
        "U", ouch42.INBOUND["O"].encode({**given, **more, "capacity": "A", "cross_type": "N"})
    )


def boe_message(name: str, words: Words, price: int) -> bytes:
    """A BOE message."""
    token, old = (f"{words[word]:015d}" for word in ("token", "old_token"))
    place = {"sequence_number": words["sequence"]}
    if name == "cancel":
        return CBOE_BOE[0x39].encode(place, orig_cl_ord_id=old)
    flags = words["flags"]
    midpoint, kind = flags & t.MIDPOINT, "1" if words["price"] == 0 else "2"
    given: dict[str, Any] = {
        **place,
        "cl_ord_id": token,
        "order_qty": words["quantity"],
        "price": price,
        "ord_type": "P" if midpoint else kind,
        "exec_inst": "M" if midpoint else "f" if flags & t.ISO else "",
    }
    if name.endswith("full"):
        given["max_floor"] = words["shown"]
    if name.startswith("replace"):
        return CBOE_BOE[0x3A].encode(given, orig_cl_ord_id=old)
    if name.endswith("full"):
        given["min_qty"] = words["minimum"]
    return CBOE_BOE[0x38].encode(
        given,
        side=side_of(words, "1256"),
        time_in_force=TIFS["boe"][words["tif"]],
        routing_inst="P" if flags & t.POST_ONLY else "B",
        display_indicator="I" if flags & t.NOT_SHOWN else "V",
        symbol="AAPL",
        capacity="A",
        account="ACCT",
    )


def pillar_message(name: str, words: Words, price: int) -> bytes:
    """A Pillar message."""
    given: dict[str, Any] = {"symbol_id": 1, "mpid": "FIRM", "cl_ord_id": words["token"]}
    if not name.startswith("enter"):
        given["orig_cl_ord_id"] = words["old_token"]
    code, flags = 0x0280, words["flags"]
    if name != "cancel":
        code, midpoint = 0x0240, flags & t.MIDPOINT
        execution = 7 if midpoint else 4 if flags & t.ISO else 8 if flags & t.NOT_SHOWN else 0
        kind = 2 if words["price"] else 4 if midpoint else 1
        bits = int(side_of(words, "1234")) << 60 | kind << 56 | execution << 52
        bits |= (1 if flags & t.POST_ONLY else 0) << 48 | 1 << 44
        bits |= TIFS["pillar"][words["tif"]] << 31 | 2 << 28 | 1 << 22
        given |= {"bitfield_order_instructions": bits, "price": price}
        given |= {"order_qty": words["quantity"], "min_qty": words["minimum"]}
    if name.endswith("full"):
        given["optional_order_add_on"] = {"max_floor": words["shown"]}
    return sequenced(
        PILLAR_GATEWAY[code].encode(given), words["sequence"], 1000, 1, words["sent_ns"]
    )


def meo_message(name: str, words: Words, price: int) -> bytes:
    """A MEO message."""
    token, old = (f"{words[word]:015d}" for word in ("token", "old_token"))
    given: dict[str, Any] = {"mpid": "FIRM", "client_order_id": token, "symbol_id": 1}
    if name == "cancel":
        return unsequenced("U", MIAX_MEO["CO"].encode(given, original_client_order_id=old))
    given |= {"price": price, "size": words["quantity"], "min_qty": words["minimum"]}
    given["max_floor_qty"] = words["shown"]
    flags, sells = words["flags"], words["side"] != BUY
    short = 2 if flags & t.SHORT_EXEMPT else 1 if flags & t.SHORT else 0
    if name.startswith("replace"):
        more = {"original_client_order_id": old, "modify_order_instructions": short << 1}
        return unsequenced("U", MIAX_MEO["M1"].encode({**given, **more}))
    bits = int(sells) | short << 1 | (0 if flags & t.NOT_SHOWN else 8)
    bits |= (16 if flags & t.POST_ONLY else 0) | (64 if flags & t.ISO else 0)
    kind = "M" if flags & t.MIDPOINT else "1" if words["price"] else "2"
    given |= {"new_order_instructions": bits, "time_in_force": TIFS["meo"][words["tif"]]}
    return unsequenced(
        "U", MIAX_MEO["N1"].encode(given, order_type=kind, capacity="A", account="ACCT")
    )


MESSAGES = {
    "ouch50": ouch50_message,
    "ouch42": ouch42_message,
    "boe": boe_message,
    "pillar": pillar_message,
    "meo": meo_message,
}


def message(protocol: str, name: str, words: Words) -> bytes | None:
    """An order message, None where the protocol cannot say it."""
    named = {"enter": ("token",), "replac": ("token", "old_token"), "cancel": ("old_token",)}
    if any(words[word] >= MOST_TOKEN[protocol] for word in named[name[:6].strip()]):
        return None
    price: int | None = 0
    if name != "cancel":
        price = wire_price(protocol, words["price"])
        shows_a_part = protocol == "ouch42" and words["shown"]
        if price is None or shows_a_part or not sayable(protocol, words):
            return None
    try:
        return MESSAGES[protocol](name, words, price)
    except WireError:
        return None  # a number that its field does not hold
