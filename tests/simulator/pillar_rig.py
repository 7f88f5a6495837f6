"""A Pillar client in few words."""

from __future__ import annotations

from typing import Any

from gateway_rig import CENT, Venue, Wire

from feedhandler.protocols.pillar_gateway import ORDER_INSTRUCTIONS, PILLAR_GATEWAY
from feedhandler.transports.pillar_stream import PILLAR_STREAM, SEQ_MSG, TRANSPORT, wrap
from feedhandler.transports.transport import read_message, read_packet, select_record
from simulator.gateways.pillar import FROM_TRADER, READ, SEQ_BYTES, WRITE, PillarGateway
from simulator.gateways.pillarsession import TO_TRADER

LOGIN, BEAT, OPEN, CLOSE = 0x0201, 0x0204, 0x0205, 0x0207
NEW, CANCEL, MODIFY, BULK = 0x0240, 0x0280, 0x0270, 0x0281
OWNERS = {"ALFA": 1000, "BETA": 1001}
PLAIN = {"side": 1, "ord_type": 2, "time_in_force": 1, "trading_session_id": 2, "order_capacity": 1}


def instructions(**parts: int) -> int:
    """Order instructions; of a plain limit order to buy where nothing else is said."""
    given = {**PLAIN, **parts}
    return sum(given.get(part.name, 0) << part.shift for part in ORDER_INSTRUCTIONS)


def login_of(name: str, password: str, **more: Any) -> bytes:
    """The bytes of a login."""
    given = {"username": name, "password": password, "mic": "XNYS", "version": "5.8", **more}
    return PILLAR_STREAM[LOGIN].encode(given)


def open_of(name: str, stream: int, start: int = 0, **more: Any) -> bytes:
    """The bytes that open a stream."""
    access = WRITE if stream == FROM_TRADER else READ
    given = {"sess": OWNERS[name], "value": stream, "start_seq": start, "access": access}
    return PILLAR_STREAM[OPEN].encode({**given, **more})


def terms(number: int, side: int, shares: int, cents: int, **more: Any) -> dict[str, Any]:
    """The values of a new order."""
    parts = more.pop("parts", {})
    given = {"symbol_id": 1, "mpid": "MPID", "cl_ord_id": number, "price": cents * CENT}
    given["bitfield_order_instructions"] = instructions(side=side, **parts)
    return {**given, "order_qty": shares, **more}


class Client:
    """One connection."""

    def __init__(self, venue: Venue) -> None:
        self.venue, self.wire = venue, Wire()
        self.peer = venue.gateway.peer(self.wire, venue.now_ns)
        self.number = self.sequence = 0
        self.name = "ALFA"
        self.packets: list[bytes] = []

    def raw(self, data: bytes) -> Any:
        """Sends bytes; gives what comes."""
        self.peer.on_bytes(data, self.venue.step())
        return self.came()

    def login(self, name: str = "ALFA", password: str = "secret", **more: Any) -> Any:
        """Logs in; gives what comes."""
        self.name = name
        came = self.raw(login_of(name, password, **more))
        if len(came) > 1:
            self.sequence = came[1][1]["next_seq"] - 1
        return came

    def open(self, stream: int, start: int = 0, **more: Any) -> Any:
        """Opens a stream; gives what comes."""
        return self.raw(open_of(self.name, stream, start, **more))

    def send(self, code: int, **values: Any) -> Any:
        """Sends a message with the next sequence number; gives what comes."""
        self.sequence += 1
        message = PILLAR_GATEWAY[code].encode(values)
        return self.raw(wrap(message, self.sequence, OWNERS[self.name], FROM_TRADER))

    def order(self, side: int, shares: int, cents: int, **more: Any) -> Any:
        """A new order; its id is `number`."""
        self.number += 1
        return self.send(NEW, **terms(self.number, side, shares, cents, **more))

    def replace(self, orig: int, shares: int, cents: int, side: int = 1, **more: Any) -> Any:
        """A cancel/replace; the new id is `number`."""
        return self.order(side, shares, cents, orig_cl_ord_id=orig, **more)

    def cancel(self, orig: int) -> Any:
        """A cancel; its id is `number`."""
        self.number += 1
        return self.send(CANCEL, symbol_id=1, cl_ord_id=self.number, orig_cl_ord_id=orig)

    def modify(self, orig: int, shares: int, side: int = 0) -> Any:
        """A modify; its id is `number`."""
        self.number += 1
        given = {"symbol_id": 1, "cl_ord_id": self.number, "orig_cl_ord_id": orig}
        return self.send(MODIFY, **given, order_qty=shares, side=side)

    def came(self) -> list[tuple[int, dict[str, Any]]]:
        """(code, values) of what came since the last time; sequenced ones as what they carry."""
        data = self.wire.taken()
        packet = read_packet(TRANSPORT, data)
        assert packet.consumed == len(data) and not packet.faults
        made = []
        for start, end in packet.spans:
            if select_record(PILLAR_STREAM, data, start, end).code == SEQ_MSG:
                outer = PILLAR_STREAM[SEQ_MSG].decode(data, start, end)
                record, values = read_message(PILLAR_GATEWAY, data, start + SEQ_BYTES, end)
                values["seq"] = outer["seq"]
                self.packets.append(data[start:end])
            else:
                record, values = read_message(PILLAR_STREAM, data, start, end)
            made.append((int(record.code), values))
        return made

    def codes(self) -> list[int]:
        """The codes of what came."""
        return [code for code, _ in self.came()]


def pillar(**more: Any) -> Venue:
    """A venue with a Pillar gateway."""
    return Venue(PillarGateway, **more)


def entered(venue: Venue, name: str = "ALFA", password: str = "secret") -> Client:
    """A client that is logged in with both its streams open."""
    client = Client(venue)
    client.login(name, password)
    client.open(FROM_TRADER)
    client.open(TO_TRADER)
    return client
