"""Order messages read by the protocols' plain decoders: what a venue would be told."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from feedhandler.actions import BUY, SELL
from feedhandler.protocols import ouch50
from feedhandler.protocols.cboe_boe import CBOE_BOE
from feedhandler.protocols.pillar_gateway import PILLAR_GATEWAY
from feedhandler.transports.pillar_stream import PILLAR_STREAM, SEQ_MSG
from router.tables import CANCEL, DAY, ENTER, IOC, REPLACE

OUCH_PRICE = 10_000  # 1e-8 in its unit
BOE_PRICE = 10_000
SOUP_HEAD = 3
OUCH_KINDS = {"O": ENTER, "U": REPLACE, "X": CANCEL}
BOE_KINDS = {0x38: ENTER, 0x3A: REPLACE, 0x39: CANCEL}
BOE_CODE_AT = 4
PILLAR_SIDES = {1: BUY, 2: SELL, 3: SELL, 4: SELL}
PILLAR_TIFS = {1: DAY, 2: IOC}


@dataclass(frozen=True)
class Said:
    """An order message. 0, or None of `old`, where a message does not say it.

    Attributes:
        token, old: of the order, and of the one that it replaces or cancels.
        symbol: text, or a number in Pillar.
        sequence: of the message in its session; None in OUCH.
    """

    kind: int
    token: int = 0
    old: int | None = None
    side: int = 0
    quantity: int = 0
    price: int = 0
    tif: int = 0
    symbol: str | int = ""
    sequence: int | None = None


def ouch(data: bytes) -> Said:
    """An OUCH 5.0 message in a SoupBinTCP packet."""
    assert int.from_bytes(data[:2], "big") == len(data) - 2 and data[2:3] == b"U"
    code = chr(data[SOUP_HEAD])
    words: dict[str, Any] = ouch50.INBOUND[code].decode(data, SOUP_HEAD)
    kind = OUCH_KINDS[code]
    if kind == CANCEL:
        return Said(kind, old=words["user_ref_num"], quantity=words["quantity"])
    return Said(
        kind,
        token=words["user_ref_num"],
        old=words.get("orig_user_ref_num"),
        side={"B": BUY, "": 0}.get(words.get("side", ""), SELL),
        quantity=words["quantity"],
        price=words["price"] * OUCH_PRICE,
        tif={"0": DAY, "3": IOC}[words["time_in_force"]],
        symbol=words.get("symbol", ""),
    )


def boe(data: bytes) -> Said:
    """A BOE message."""
    words: dict[str, Any] = CBOE_BOE[data[BOE_CODE_AT]].decode(data)
    assert words["message_length"] == len(data) - 2
    kind = BOE_KINDS[words["message_type"]]
    return Said(
        kind,
        token=int(words.get("cl_ord_id", 0)),
        old=int(words["orig_cl_ord_id"]) if "orig_cl_ord_id" in words else None,
        side={"1": BUY, "": 0}.get(words.get("side", ""), SELL),
        quantity=words.get("order_qty", 0),
        price=words.get("price", 0) * BOE_PRICE,
        tif={"0": DAY, "3": IOC, "": 0}[words.get("time_in_force", "")],
        symbol=words.get("symbol", ""),
        sequence=words["sequence_number"],
    )


def pillar(data: bytes) -> Said:
    """A Pillar message in its stream."""
    outer: dict[str, Any] = PILLAR_STREAM[SEQ_MSG].decode(data)
    at = PILLAR_STREAM[SEQ_MSG].size
    code = int.from_bytes(data[at : at + 2], "little")
    words: dict[str, Any] = PILLAR_GATEWAY[code].decode(data, at)
    old = words["orig_cl_ord_id"] or None
    if code == 0x0280:
        symbol = words["symbol_id"]
        return Said(CANCEL, old=old, symbol=symbol, sequence=outer["seq"])
    bits = words["bitfield_order_instructions"]
    return Said(
        REPLACE if old else ENTER,
        token=words["cl_ord_id"],
        old=old,
        side=PILLAR_SIDES[bits >> 60 & 15],
        quantity=words["order_qty"],
        price=words["price"],
        tif=PILLAR_TIFS[bits >> 31 & 31],
        symbol=words["symbol_id"],
        sequence=outer["seq"],
    )


READERS = {"ouch50": ouch, "boe": boe, "pillar": pillar}
