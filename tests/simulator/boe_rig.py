"""A BOE client in few words."""

from __future__ import annotations

from typing import Any

from gateway_rig import Venue, Wire

from feedhandler.protocols.cboe_boe import CBOE_BOE
from feedhandler.transports.boe import TRANSPORT
from feedhandler.transports.transport import read_message, read_packet
from simulator.gateways.boe import BoeGateway

LOGIN, LOGOUT, HEARTBEAT, NEW, CANCEL, MODIFY, PURGE = 0x37, 0x02, 0x03, 0x38, 0x39, 0x3A, 0x47
TERMS: dict[str, Any] = {"symbol": "AAPL", "ord_type": "2", "time_in_force": "0", "capacity": "P"}
BITS = [0x05 | 0x30, 0x01, 0x48, 0, 0x03, 0, 0, 0x03]
RETURNS = [
    {"type": 0x81, "message_type": code, "bitfield_count": len(BITS), "bitfields": BITS}
    for code in (0x25, 0x26, 0x27, 0x28, 0x2A, 0x2C)
]


def units(*sequences: tuple[int, int], only_these: int = 0) -> dict[str, Any]:
    """The parameter group with what the client has of each unit."""
    listed = [{"unit": unit, "sequence": sequence} for unit, sequence in sequences]
    return {"type": 0x80, "no_unspecified_unit_replay": only_these, "units": listed}


class Client:
    """One connection; `streams` is by unit what came sequenced, as (code, values)."""

    def __init__(self, venue: Venue) -> None:
        self.venue, self.wire = venue, Wire()
        self.peer = venue.gateway.peer(self.wire, venue.now_ns)
        self.number = self.sent = 0
        self.raws: dict[int, list[bytes]] = {}

    def raw(self, data: bytes) -> None:
        """Sends bytes."""
        self.peer.on_bytes(data, self.venue.step())

    def login(self, name: str = "ALFA", password: str = "secret", **more: Any) -> Any:
        """Logs in; gives what comes."""
        groups = more.pop("groups", [units(), *RETURNS])
        given = {"session_sub_id": "0001", "username": name, "password": password, **more}
        self.raw(CBOE_BOE[LOGIN].encode(given, param_group=groups))
        return self.came()

    def send(self, code: int, **values: Any) -> Any:
        """Sends a message with the next sequence number; gives what comes."""
        self.sent += 1
        self.raw(CBOE_BOE[code].encode(values, sequence_number=self.sent))
        return self.came()

    def order(self, side: str, shares: int, cents: int, **more: Any) -> Any:
        """A new order; its id is C and its number."""
        self.number += 1
        return self.send(NEW, **self.terms(side, shares, cents, **more))

    def terms(self, side: str, shares: int, cents: int, **more: Any) -> dict[str, Any]:
        """The values of a new order."""
        given = {"cl_ord_id": f"C{self.number}", "side": side, "order_qty": shares}
        return {**given, "price": cents * 100, **TERMS, **more}

    def modify(self, number: int, shares: int, cents: int, **more: Any) -> Any:
        """A modify; the new id is C and its number."""
        self.number += 1
        given = {"cl_ord_id": f"C{self.number}", "orig_cl_ord_id": f"C{number}"}
        return self.send(MODIFY, **{**given, "order_qty": shares, "price": cents * 100, **more})

    def cancel(self, number: int) -> Any:
        """A cancel."""
        return self.send(CANCEL, orig_cl_ord_id=f"C{number}")

    def came(self) -> list[tuple[int, dict[str, Any]]]:
        """(code, values) of what came since the last time."""
        data = self.wire.taken()
        packet = read_packet(TRANSPORT, data)
        assert packet.consumed == len(data) and not packet.faults
        made = []
        for start, end in packet.spans:
            record, values = read_message(CBOE_BOE, data, start, end)
            made.append((int(record.code), values))
            if values["sequence_number"]:
                unit: Any = values["matching_unit"]
                self.raws.setdefault(unit, []).append(data[start:end])
        return made

    def codes(self) -> list[int]:
        """The codes of what came."""
        return [code for code, _ in self.came()]


def boe(**more: Any) -> Venue:
    """A venue with a BOE gateway of two units, so that each symbol has its own."""
    return Venue(BoeGateway, **{"units": 2, **more})


def entered(venue: Venue, name: str = "ALFA", password: str = "secret") -> Client:
    """A client that is logged in."""
    client = Client(venue)
    client.login(name, password)
    return client
