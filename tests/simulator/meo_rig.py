"""A MEO client in few words."""

from __future__ import annotations

from typing import Any

from gateway_rig import CENT, Venue, Wire

from feedhandler.protocols.miax_meo import INSTRUCTIONS, MIAX_MEO
from feedhandler.transports.esesm import ESESM, HEADER_BYTES, SEQUENCED, TRANSPORT, wrap
from feedhandler.transports.transport import read_message, read_packet, select_record
from simulator.gateways.meo import MeoGateway
from simulator.gateways.meoterms import UNIT

OUTER_BYTES = ESESM[SEQUENCED].size
PLAIN = {"displayed": 1}
SHIFTS = {part.name: part.shift for part in INSTRUCTIONS.parts}
REFERENCES = ("SU", "SN")


def instructions(**parts: int) -> int:
    """Order instructions; of a displayed order to buy where nothing else is said."""
    return sum(value << SHIFTS[name] for name, value in {**PLAIN, **parts}.items())


def login_of(
    name: str = "ALFA", password: str = "secret", engines: Any = ((1, 1), (2, 1)), **more: Any
) -> bytes:
    """The bytes of a login."""
    given = {"version": "2.6", "username": name, "computer_id": password, **more}
    given.setdefault("application_protocol", "MEO2.6")
    wanted = [{"trading_session_id": n, "requested_sequence_number": m} for n, m in engines]
    return ESESM["l"].encode(given, requested=wanted)


def terms(number: int, side: int, shares: int, cents: int, **more: Any) -> dict[str, Any]:
    """The values of a new order; side 0 buys, 1 sells."""
    parts = {"side": side, **more.pop("parts", {})}
    given = {"symbol_id": 1, "mpid": "MPID", "client_order_id": f"C{number}", "size": shares}
    given |= {"price": cents * CENT // UNIT, "time_in_force": "R", "order_type": "1"}
    return {**given, "capacity": "P", INSTRUCTIONS.name: instructions(**parts), **more}


def message(code: str, **values: Any) -> bytes:
    """A message of the client in its packet."""
    return wrap("U", MIAX_MEO[code].encode(values))


class Client:
    """One connection; `packets` is by engine what came sequenced."""

    def __init__(self, venue: Venue) -> None:
        self.venue, self.wire = venue, Wire()
        self.peer = venue.gateway.peer(self.wire, venue.now_ns)
        self.number = 0
        self.packets: dict[int, list[bytes]] = {}

    def raw(self, data: bytes) -> Any:
        """Sends bytes; gives what comes."""
        self.peer.on_bytes(data, self.venue.step())
        return self.came()

    def login(self, name: str = "ALFA", password: str = "secret", **more: Any) -> Any:
        """Logs in; gives what comes."""
        return self.raw(login_of(name, password, **more))

    def send(self, code: str, **values: Any) -> Any:
        """Sends a message; gives what comes."""
        return self.raw(message(code, **values))

    def order(self, side: int, shares: int, cents: int, **more: Any) -> Any:
        """A new order; its id is C and its number."""
        self.number += 1
        return self.send("N1", **terms(self.number, side, shares, cents, **more))

    def about(self, number: int, **more: Any) -> dict[str, Any]:
        """The values of a request about an order; its own id is C and the next number."""
        self.number += 1
        given = {"symbol_id": 1, "mpid": "MPID", "client_order_id": f"C{self.number}"}
        return {**given, "original_client_order_id": f"C{number}", **more}

    def modify(self, number: int, shares: int, cents: int, **more: Any) -> Any:
        """A modify; the new id is C and its number."""
        price = cents * CENT // UNIT
        return self.send("M1", **self.about(number, size=shares, price=price, **more))

    def cancel(self, number: int, **more: Any) -> Any:
        """A cancel."""
        return self.send("CO", **self.about(number, **more))

    def mass_cancel(self, action: str = "M", **more: Any) -> Any:
        """A mass cancel."""
        given = {"mpid": "MPID", "client_order_id": "mass", "action": action}
        return self.send("XQ", **{**given, **more})

    def came(self) -> list[tuple[str, dict[str, Any]]]:
        """(code, values) of what came since the last time; data packets as what they carry."""
        data = self.wire.taken()
        packet = read_packet(TRANSPORT, data)
        assert packet.consumed == len(data) and not packet.faults
        made = []
        for start, end in packet.spans:
            code = select_record(ESESM, data, start, end).code
            if code == SEQUENCED:
                outer = ESESM[SEQUENCED].decode(data, start, end)
                record, values = read_message(MIAX_MEO, data, start + OUTER_BYTES, end)
                values["seq"], engine = outer["sequence_number"], outer["matching_engine_id"]
                values["engine"] = engine
                self.packets.setdefault(int(str(engine)), []).append(data[start:end])
            elif code == "U":
                record, values = read_message(MIAX_MEO, data, start + HEADER_BYTES, end)
            else:
                record, values = read_message(ESESM, data, start, end)
            made.append((str(record.code), values))
        return made

    def codes(self) -> list[str]:
        """The codes of what came."""
        return [code for code, _ in self.came()]


def meo(**more: Any) -> Venue:
    """A venue with a MEO gateway of two engines, so that each symbol has its own."""
    return Venue(MeoGateway, **{"engines": 2, **more})


def entered(venue: Venue, name: str = "ALFA", password: str = "secret") -> Client:
    """A client that is logged in."""
    client = Client(venue)
    client.login(name, password)
    client.packets.clear()
    return client


def statuses(came: list[tuple[str, dict[str, Any]]]) -> list[tuple[str, str]]:
    """(code, status) of what came."""
    names = ("order_status", "modify_status", "cancel_status", "cancel_reason")
    return [(code, next((v[n] for n in names if n in v), "")) for code, v in came]
