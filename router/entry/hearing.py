"""What a venue says while it is logged in to: its byte stream read by the tables, in plain Python.

The loop reads the same bytes with its kernels, once it is given them. Here only that is looked at
which a login hangs on.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Final

from feedhandler.protocols.cboe_boe import CBOE_BOE
from feedhandler.protocols.miax_meo import MIAX_MEO
from feedhandler.protocols.ouch50 import OUTBOUND
from feedhandler.protocols.pillar_gateway import PILLAR_GATEWAY
from feedhandler.registry import versions
from feedhandler.transports.esesm import ENGINES, ESESM, UNSEQUENCED
from feedhandler.transports.esesm import SEQUENCED as ESESM_SEQUENCED
from feedhandler.transports.pillar_stream import PILLAR_STREAM, SEQ_MSG
from feedhandler.transports.soupbintcp import HEADER_BYTES, SOUPBINTCP
from feedhandler.transports.transport import read_message, read_packet, select_record
from feedhandler.wire.errors import WireError
from feedhandler.wire.record import Value, Values
from feedhandler.wire.tails import entries, integer
from router.entry.logins import FROM_VENUE, REFERENCES
from router.entry.protocols import PROTOCOLS

Said = tuple[int, int, int, int]  # of a SESSION action: aux, order id, key, quantity
NEXT_ORDER: Final = ord("Q")
LOGIN_RESPONSE, SYMBOL_REFERENCE = 0x24, 0x0232
SEQUENCED_BYTES: Final = PILLAR_STREAM[SEQ_MSG].size
ENGINE_BYTES: Final = ESESM[ESESM_SEQUENCED].size
SYMBOL_UPDATE: Final = b"SU"


@dataclass
class Message:
    """One message of a venue.

    Attributes:
        raw: its bytes, with the transport's around it.
        said: what it says of the session itself; None: it is about orders.
        sequence: of an answer, where the message states it; 0 elsewhere.
        units: by matching unit, the last sequence that the venue has said so far.
        symbol: number and text of an instrument.
        for_loop: the loop has to read it.
    """

    raw: bytes
    said: Said | None = None
    sequence: int = 0
    units: dict[int, int] = field(default_factory=dict)
    symbol: tuple[int, str] | None = None
    for_loop: bool = True


class Hearing:
    """Reads one connection.

    Args:
        protocol: a name in `PROTOCOLS`.

    Attributes:
        failed: why nothing can be read any more; empty: it can.
        rest: bytes of a message that is not whole.
    """

    def __init__(self, protocol: str) -> None:
        self._read = READERS[protocol]
        self._transport = versions(PROTOCOLS[protocol].feed)[0].transport
        self.failed, self.rest = "", b""

    def read(self, data: bytes) -> list[Message]:
        """The whole messages, wherever the stream was cut."""
        data = self.rest + data
        packet = read_packet(self._transport, data)
        self.rest = data[packet.consumed :]
        made: list[Message] = []
        try:
            for start, end in packet.spans:
                made.append(self._message(data, start, end))
        except WireError as error:
            self.failed = f"bytes that are no message of the protocol: {error.reason}"
        if packet.faults:
            self.failed = f"bytes that are no message of the protocol: {packet.faults[0][0]}"
        return made

    def _message(self, data: bytes, start: int, end: int) -> Message:
        made = Message(data[start:end])
        self._read(made, data, start, end)
        return made


def _letter(value: Value) -> int:
    return ord(str(value)[:1] or "\0")


def _read_soup(made: Message, data: bytes, start: int, end: int, *, asks: bool) -> None:
    code = str(select_record(SOUPBINTCP, data, start, end).code)
    if code == "S":
        inside = start + HEADER_BYTES
        if asks and data[inside] == NEXT_ORDER:
            _, values = read_message(OUTBOUND, data, inside, end)
            made.said = NEXT_ORDER, integer(values, "next_user_ref_num"), 0, 0
        return
    _, values = read_message(SOUPBINTCP, data, start, end)
    value = 0
    if code == "A":
        value = integer(values, "sequence_number")
    elif code == "J":
        value = _letter(values["reject_reason_code"])
    made.said = ord(code), value, 0, 0


def _read_boe(made: Message, data: bytes, start: int, end: int) -> None:
    code = int(select_record(CBOE_BOE, data, start, end).code)
    if code == LOGIN_RESPONSE:
        _, values = read_message(CBOE_BOE, data, start, end)
        last = integer(values, "last_received_sequence_number")
        made.said = code, _letter(values["login_response_status"]), 0, last
        made.units = {
            integer(unit, "unit_number"): integer(unit, "sequence_number")
            for unit in entries(values, "unit_sequence")
        }
    elif code in (0x08, 0x13):
        made.said = code, 0, 0, 0


def _read_pillar(made: Message, data: bytes, start: int, end: int) -> None:
    code = int(select_record(PILLAR_STREAM, data, start, end).code)
    _, values = read_message(PILLAR_STREAM, data, start, end, nested=code == SEQ_MSG)
    if code == SEQ_MSG:
        _read_sequenced(made, values, data, start + SEQUENCED_BYTES, end)
    elif code == 0x0202:
        made.said = code, integer(values, "status"), 0, 0
    elif code == 0x0203:
        made.said = code, integer(values, "next_seq"), integer(values, "value"), 0
    elif code in (0x0206, 0x0208):
        made.said = code, integer(values, "status"), integer(values, "value"), 0


def _read_sequenced(made: Message, values: Values, data: bytes, inside: int, end: int) -> None:
    stream = integer(values, "value")
    if stream == FROM_VENUE:
        made.sequence = integer(values, "seq")
    elif stream == REFERENCES:
        record, about = read_message(PILLAR_GATEWAY, data, inside, end)
        number = integer(about, "symbol_id") if record.code == SYMBOL_REFERENCE else 0
        made.symbol = number, str(about.get("nyse_symbol", "")).strip()
        made.for_loop = False  # a stream of its own, that no answer is on


def _read_meo(made: Message, data: bytes, start: int, end: int) -> None:
    code = str(select_record(ESESM, data, start, end).code)
    if code == ESESM_SEQUENCED:
        inside = start + ENGINE_BYTES
        if data[inside : inside + len(SYMBOL_UPDATE)] == SYMBOL_UPDATE:
            _, about = read_message(MIAX_MEO, data, inside, end)
            made.symbol = integer(about, "symbol_id"), str(about["ticker_symbol"])
        return
    if code == UNSEQUENCED:
        return
    _, values = read_message(ESESM, data, start, end)
    said = 0
    if code == "r":
        statuses = [str(one["status"]) or " " for one in entries(values, ENGINES.name)]
        said = ord(next((one for one in statuses if one != " "), " "))
    made.said = ord(code), said, 0, 0


Reader = Callable[[Message, bytes, int, int], None]
READERS: Final[Mapping[str, Reader]] = {
    "ouch50": partial(_read_soup, asks=True),
    "ouch42": partial(_read_soup, asks=False),
    "boe": _read_boe,
    "pillar": _read_pillar,
    "meo": _read_meo,
}
