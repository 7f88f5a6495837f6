"""ESesM: MIAX's session layer over TCP, under MEO. Its packets are the outer messages.

A session carries several matching engines. Sequenced packets state their number, which counts by
engine; a login asks each engine for the first number wanted (0: only what comes from now on), and
"synchronization complete" says that what was asked for has been sent. Client and server each send a
heartbeat after a second of silence.

Source: MIAX Pearl Equities MEO 2.6, after the public dissector with the login packets corrected by
captures. From general knowledge: that the packets which are shown here with text have no more
fields that matter, and the letters of refused logins.
"""

from __future__ import annotations

from feedhandler.transports.packets import enclose
from feedhandler.transports.transport import Transport
from feedhandler.wire.field import Field, Fields, Role
from feedhandler.wire.framing import Framing
from feedhandler.wire.protocol import Protocol
from feedhandler.wire.record import Record, Tail
from feedhandler.wire.tails import Group, Text

le = Fields(big=False)

LENGTH_BYTES = 2  # the length does not count itself
HEADER_BYTES = 3
COUNTED_PACKET = Framing(0, LENGTH_BYTES, False, LENGTH_BYTES, 0)
SEQUENCED, UNSEQUENCED = "s", "U"
STATUS = {
    " ": "successful",
    "X": "invalid username or computer id",
    "S": "requested session is not available",
    "N": "invalid start sequence number",
    "I": "incompatible session protocol version",
    "A": "incompatible application protocol",
    "L": "already logged in",
}
REQUESTED = Group(
    "requested",
    Record(
        "",
        "engine asked for",
        9,
        [le.u8("trading_session_id"), le.u64("requested_sequence_number")],
    ),
    count="number_of_matching_engines",
)
ENGINES = Group(
    "engines",
    Record(
        "",
        "engine",
        10,
        [
            le.alpha("status", 1, STATUS),
            le.u8("trading_session_id"),
            le.u64("highest_sequence_number"),
        ],
    ),
    count="number_of_matching_engines",
)
TEXT = (Text("text"),)


def packet(
    code: str, name: str, *fields: Field, tails: tuple[Tail, ...] = (), note: str = ""
) -> Record:
    """A packet with the header that all have."""
    head = (
        le.u16("packet_length", role=Role.LENGTH, less=LENGTH_BYTES),
        le.alpha("packet_type", 1, role=Role.CODE),
    )
    size = HEADER_BYTES + sum(field.width for field in fields)
    return Record(code, f"{name} packet", size, [*head, *fields], tails, note)


RECORDS = [
    packet(
        SEQUENCED,
        "sequenced data",
        le.u64("sequence_number", role=Role.HEADER, note="by matching engine"),
        le.u8("matching_engine_id", role=Role.HEADER),
        note="carries one message of the exchange",
    ),
    packet(UNSEQUENCED, "unsequenced data", note="carries one message, mostly of the client"),
    packet(
        "l",
        "login request",
        le.alpha("version", 5),
        le.alpha("username", 5),
        le.alpha("computer_id", 8),
        le.alpha("application_protocol", 8),
        le.u8("number_of_matching_engines"),
        tails=(REQUESTED,),
    ),
    packet("r", "login response", le.u8("number_of_matching_engines"), tails=(ENGINES,)),
    packet("c", "synchronization complete", tails=TEXT),
    packet("a", "retransmission request", tails=TEXT),
    packet("X", "logout", tails=TEXT),
    packet("G", "goodbye", tails=TEXT, note="the server ends the session"),
    packet("0", "server heartbeat"),
    packet("1", "client heartbeat"),
    packet("T", "test", tails=TEXT),
]

ESESM = Protocol(
    "esesm",
    "MIAX ESesM",
    RECORDS,
    code_offset=LENGTH_BYTES,
    source="MIAX Pearl Equities MEO 2.6, session layer",
)

TRANSPORT = Transport(
    name="esesm", title="MIAX ESesM", header=None, framing=COUNTED_PACKET, scope="unit", stream=True
)


def wrap(code: str, message: bytes, sequence: int = 0, engine: int = 0) -> bytes:
    """A data packet around one message; sequence and engine only of sequenced ones."""
    numbers = {"sequence_number": sequence, "matching_engine_id": engine}
    return enclose(ESESM[code], message, numbers if code == SEQUENCED else None)
