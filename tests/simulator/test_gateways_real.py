"""Gateways take the bytes that real clients sent, and answer with the fields that venues did."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import boe_rig
import ouch_rig
import pillar_rig
from gateway_rig import START, Venue, Wire
from real_decodes import captured

from feedhandler.protocols.cboe_boe import CBOE_BOE
from feedhandler.protocols.ouch50 import OUTBOUND
from feedhandler.protocols.pillar_gateway import PILLAR_GATEWAY
from feedhandler.transports.pillar_stream import wrap
from feedhandler.transports.soupbintcp import HEADER_BYTES
from feedhandler.transports.transport import read_message
from simulator.gateways.accounts import Account
from simulator.gateways.boe import BoeGateway
from simulator.gateways.ouch import OuchGateway
from simulator.gateways.pillar import FROM_TRADER, SEQ_BYTES, PillarGateway


def payload(folder: Path, feed: str, name: str) -> bytes:
    """The first payload of a small capture."""
    (path,) = (folder / feed).glob(f"*__{name}.pcap")
    return bytes(next(iter(captured(path))).payload)


def with_symbols(gateway: Any, *symbols: str) -> None:
    """Renames the venue's instruments."""
    gateway.symbols = symbols
    gateway.numbers = {symbol: number for number, symbol in enumerate(symbols, 1)}


def test_a_real_ouch_order_is_accepted_as_nasdaq_accepts_one(real_captures: Path) -> None:
    def real(name: str) -> bytes:
        return payload(real_captures, "nasdaq_ouch50", name)

    with Venue(OuchGateway) as venue:
        with_symbols(venue.gateway, "CVLT", "CELT")
        client = ouch_rig.entered(venue)
        client.raw(real("EnterOrderMessage") + real("CancelOrderMessage"))
        (code, said), *rest = client.came()
        theirs = real("OrderAcceptedMessage")
        _, real_values = read_message(OUTBOUND, theirs, HEADER_BYTES, len(theirs))
        assert (code, rest) == ("SA", [])
        assert said.keys() == real_values.keys()
        assert (said["user_ref_num"], said["side"], said["price"]) == (113, "T", 630_200)
        firm = said["order_accepted_appendage"][0]
        assert (firm["order_accepted_optional_field"], firm["firm"]) == (2, "LIME")
        came = client.cancel(113)
        theirs = real("CanceledMessage")
        _, real_values = read_message(OUTBOUND, theirs, HEADER_BYTES, len(theirs))
        assert came[0][1].keys() == real_values.keys()
        assert came[0][1]["cancel_order_reason"] == real_values["cancel_order_reason"] == "U"


def test_real_boe_messages_are_answered_with_the_fields_that_cboe_returned(
    real_captures: Path,
) -> None:
    def real(name: str) -> bytes:
        return payload(real_captures, "cboe_boe", name)

    def fields(data: bytes, code: int) -> list[str]:
        """The fields of the first message of a type."""
        at = data.find(bytes([0xBA, 0xBA]))
        while data[at + 4] != code:
            at = data.index(b"\xba\xba", at + 2)
        end = at + 2 + int.from_bytes(data[at + 2 : at + 4], "little")
        return list(read_message(CBOE_BOE, data, at, end)[1])

    accounts = {"BATS": Account("test", 1000)}
    with Venue(BoeGateway, accounts, units=3, sub_id="0010") as venue:
        with_symbols(venue.gateway, "A", "B")
        session: Any = venue.gateway.sessions["BATS"]
        session.streams[0].extend([b""] * 40)
        wire = Wire()
        peer = venue.gateway.peer(wire, START)
        names = "LoginRequest ClientHeartbeat NewOrder CancelOrder".split()
        sent = b"".join(real(f"{name}Message") for name in names)
        peer.on_bytes(sent, START)
        came = wire.taken()
        assert not wire.closed
        assert fields(came, 0x24) == fields(real("LoginResponseMessage"), 0x24)
        assert fields(came, 0x25) == fields(real("OrderAcknowledgementMessage"), 0x25)
        (order,) = session.orders.open_orders()
        values = {"cl_ord_id": "2", "orig_cl_ord_id": order.wire, "price": 200_100}
        peer.on_bytes(CBOE_BOE[boe_rig.MODIFY].encode(values), START + 1)
        assert fields(wire.taken(), 0x27) == fields(real("OrderModifiedMessage"), 0x27)
        peer.on_bytes(CBOE_BOE[boe_rig.CANCEL].encode(orig_cl_ord_id="2"), START + 2)
        assert fields(wire.taken(), 0x2A) == fields(real("OrderCancelledMessage"), 0x2A)
        bad = CBOE_BOE[boe_rig.NEW].encode(cl_ord_id="3", symbol="A", price=5, side="9")
        peer.on_bytes(bad, START + 3)
        assert fields(wire.taken(), 0x26) == fields(real("OrderRejectedMessage"), 0x26)


def test_a_real_pillar_order_is_taken(real_captures: Path) -> None:
    data = payload(real_captures, "nyse_gateway", "NewOrderSingleAndCancelReplaceRequestMessage")
    inner = data[SEQ_BYTES:]
    _, values = read_message(PILLAR_GATEWAY, inner, 0, len(inner))
    with Venue(PillarGateway) as venue:
        client = pillar_rig.entered(venue)
        with_symbols(venue.gateway, *map(str, range(60_000)))
        came = client.raw(wrap(inner, 1, 1000, FROM_TRADER))
        # The symbol's number is beyond this small venue's instruments: the matching refuses it.
        assert [code for code, _ in came] == [0x0263]
        assert came[0][1]["cl_ord_id"] == values["cl_ord_id"] == 3_410_836
        again = PILLAR_GATEWAY[pillar_rig.NEW].encode({**values, "symbol_id": 1})
        codes = [code for code, _ in client.raw(wrap(again, 2, 1000, FROM_TRADER))]
        assert codes == [0x0260, 0x0271]
