"""An OUCH client in few words."""

from __future__ import annotations

from typing import Any

from gateway_rig import Venue, Wire

from feedhandler.protocols.ouch50 import INBOUND, OUTBOUND
from feedhandler.transports.soupbintcp import HEADER_BYTES, SOUPBINTCP, TRANSPORT, wrap
from feedhandler.transports.transport import read_message, read_packet, select_record
from simulator.gateways.ouch import OuchGateway

TERMS = {
    "symbol": "AAPL",
    "time_in_force": "0",
    "display": "Y",
    "capacity": "P",
    "inter_market_sweep_eligibility": "N",
    "cross_type": "N",
}


class Client:
    """One connection; `seen` is all that came in it, as (code, values)."""

    def __init__(self, venue: Venue) -> None:
        self.venue, self.wire = venue, Wire()
        self.peer = venue.gateway.peer(self.wire, venue.now_ns)
        self.number = 0
        self.messages: list[bytes] = []

    def raw(self, data: bytes) -> None:
        """Sends bytes."""
        self.peer.on_bytes(data, self.venue.step())

    def login(
        self, name: str = "ALFA", password: str = "secret", start: Any = 1, **more: Any
    ) -> Any:
        """Logs in; gives what comes."""
        given = {"username": name, "password": password, "requested_sequence_number": start}
        self.raw(SOUPBINTCP["L"].encode({**given, **more}))
        return self.came()

    def send(self, code: str, **values: Any) -> Any:
        """Sends a message; gives what comes."""
        self.raw(wrap("U", INBOUND[code].encode(values)))
        return self.came()

    def order(self, side: str, shares: int, cents: int, **more: Any) -> Any:
        """A new order; its number is `number`."""
        self.number += 1
        return self.send("O", **self.terms(side, shares, cents, **more))

    def terms(self, side: str, shares: int, cents: int, **more: Any) -> dict[str, Any]:
        """The values of a new order."""
        given = {"side": side, "quantity": shares, "price": cents * 100, **TERMS}
        return {"user_ref_num": self.number, **given, **more}

    def replace(self, orig: int, shares: int, cents: int, **more: Any) -> Any:
        """A replace; its number is `number`."""
        self.number += 1
        given = {"orig_user_ref_num": orig, "user_ref_num": self.number, "quantity": shares}
        same = {name: TERMS[name] for name in ("time_in_force", "display")}
        same["inter_market_sweep_eligibility"] = "N"
        return self.send("U", price=cents * 100, **{**given, **same, **more})

    def cancel(self, number: int, shares: int = 0) -> Any:
        """A cancel."""
        return self.send("X", user_ref_num=number, quantity=shares)

    def came(self) -> list[tuple[str, dict[str, Any]]]:
        """(code, values) of what came since the last time; of OUCH messages two-letter codes."""
        data = self.wire.taken()
        packet = read_packet(TRANSPORT, data)
        assert packet.consumed == len(data) and not packet.faults
        made = []
        for start, end in packet.spans:
            if select_record(SOUPBINTCP, data, start, end).code == "S":
                record, values = read_message(OUTBOUND, data, start + HEADER_BYTES, end)
                made.append((f"S{record.code}", values))
                self.messages.append(data[start + HEADER_BYTES : end])
            else:
                record, values = read_message(SOUPBINTCP, data, start, end)
                made.append((str(record.code), values))
        return made

    def codes(self) -> str:
        """The codes of what came, in one text."""
        return " ".join(code for code, _ in self.came())


def ouch(**more: Any) -> Venue:
    """A venue with an OUCH gateway."""
    return Venue(OuchGateway, **more)


def entered(venue: Venue, name: str = "ALFA", password: str = "secret") -> Client:
    """A client that is logged in."""
    client = Client(venue)
    client.login(name, password)
    return client
