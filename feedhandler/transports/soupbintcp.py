"""SoupBinTCP: Nasdaq's session layer over TCP, under OUCH. Its packets are the outer messages.

Sequence numbers are implicit: the first sequenced data packet after a login has the number that the
login accepted packet states, each later one is one higher. The client logs in asking for the first
number it has not seen (0: only what comes from now on).

Source: SoupBinTCP specification 3.00 (Nasdaq).
"""

from __future__ import annotations

from feedhandler.transports.packets import enclose
from feedhandler.transports.transport import Transport
from feedhandler.wire.field import Field, Fields, Role
from feedhandler.wire.framing import Framing
from feedhandler.wire.protocol import Protocol
from feedhandler.wire.record import Record, Tail
from feedhandler.wire.tails import Text

be = Fields(big=True)

LENGTH_BYTES = 2  # the length does not count itself
HEADER_BYTES = 3
COUNTED_PACKET = Framing(0, LENGTH_BYTES, True, LENGTH_BYTES, 0)

REJECT_REASON_CODE = {"A": "not authorized", "S": "session not available"}


def packet(
    code: str, name: str, *fields: Field, tails: tuple[Tail, ...] = (), note: str = ""
) -> Record:
    """A packet with the header that all have."""
    head = (
        be.u16("packet_length", role=Role.LENGTH, less=LENGTH_BYTES),
        be.alpha("packet_type", 1, role=Role.CODE),
    )
    size = HEADER_BYTES + sum(field.width for field in fields)
    return Record(code, f"{name} packet", size, [*head, *fields], tails, note)


RECORDS = [
    packet("+", "debug", tails=(Text("text"),), note="either side may send it; ignored"),
    packet(
        "A",
        "login accepted",
        be.alpha("session", 10),
        be.digits("sequence_number", 20, note="of the next sequenced data packet"),
    ),
    packet("J", "login rejected", be.alpha("reject_reason_code", 1, REJECT_REASON_CODE)),
    packet("S", "sequenced data", note="carries one message of the server"),
    packet("H", "server heartbeat", note="sent after a second of silence"),
    packet("Z", "end of session"),
    packet(
        "L",
        "login request",
        be.alpha("username", 6),
        be.alpha("password", 10),
        be.alpha("requested_session", 10, note="blank: the current one"),
        be.digits("requested_sequence_number", 20, note="0: only new messages; 1: from the start"),
    ),
    packet("U", "unsequenced data", note="carries one message of the client"),
    packet("R", "client heartbeat", note="sent after a second of silence"),
    packet("O", "logout request"),
]

SOUPBINTCP = Protocol(
    "soupbintcp",
    "SoupBinTCP 3.00",
    RECORDS,
    code_offset=LENGTH_BYTES,
    source="SoupBinTCP specification 3.00, Nasdaq",
)

TRANSPORT = Transport(
    name="soupbintcp",
    title="SoupBinTCP 3.00",
    header=None,
    framing=COUNTED_PACKET,
    scope="session",
    stream=True,
)


def wrap(code: str, message: bytes) -> bytes:
    """A data packet ("S" from the server, "U" from the client) around one message."""
    return enclose(SOUPBINTCP[code], message)
