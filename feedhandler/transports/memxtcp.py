"""MEMX-TCP: the session layer of MEMX's services over TCP, here gap fill and snapshots of MEMOIR.

A port works in one mode, which it states after the login. Sequence numbers are implicit: a replay
or stream begins with the number of its first sequenced message, each later one is one higher. Each
trading day has a new session id; both sides send heartbeats.

Source: MEMX-TCP specification 1.2, after the public dissectors of it and of MEMO 1.12; by MEMX's
public notes the gap fill of MEMOIR multicast is a port in replay mode. Unverified: no captured
bytes were at hand; that the length leaves out the common header, that a token of type P is
"user:password", and how often to send heartbeats, are general knowledge. What a client sends to a
port in snapshot mode is in none of the sources: see `SNAPSHOT`.
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

HEADER_BYTES = 3
FRAMING = Framing(offset=1, width=2, big=True, plus=HEADER_BYTES, body=0)
HEARTBEAT, LOGIN_ACCEPTED, LOGIN_REJECTED, START_OF_SESSION, END_OF_SESSION = range(5)
REPLAY_BEGIN, REPLAY_REJECTED, REPLAY_COMPLETE = 5, 6, 7
STREAM_BEGIN, STREAM_REJECTED, STREAM_COMPLETE, SEQUENCED = 8, 9, 10, 11
LOGIN_REQUEST, REPLAY_REQUEST, REPLAY_ALL_REQUEST, STREAM_REQUEST = 100, 101, 102, 103

STREAM, REPLAY = "S", "R"
SNAPSHOT = "T"  # the server sends its snapshot unasked, as sequenced messages: an assumption
SUPPORTED_REQUEST_MODE = {STREAM: "stream", REPLAY: "replay", SNAPSHOT: "snapshot"}
LOGIN_REJECT_CODE = {
    "T": "malformed token",
    "U": "token type unsupported",
    "V": "token type invalid",
    "A": "authorization failed",
}
REPLAY_REJECT_CODE = {
    "R": "replay requests are not allowed",
    "A": "replay all requests are not allowed",
    "P": "not the active session",
    "S": "sequence number out of range",
}
STREAM_REJECT_CODE = {
    "R": "stream requests are not allowed",
    "P": "not the active session",
    "S": "sequence number out of range",
}
SESSION_ID = be.u64("session_id")
NEXT = be.u64("next_sequence_number", note="of the first message")


def message(
    code: int, name: str, *fields: Field, tails: tuple[Tail, ...] = (), note: str = ""
) -> Record:
    """A message with the header that all have."""
    length = be.u16("message_length", role=Role.LENGTH, less=HEADER_BYTES)
    size = HEADER_BYTES + sum(field.width for field in fields)
    return Record(
        code, name, size, [be.u8("message_type", role=Role.CODE), length, *fields], tails, note
    )


RECORDS = [
    message(HEARTBEAT, "heartbeat"),
    message(
        LOGIN_REQUEST,
        "login request",
        be.alpha("token_type", 1, {"P": "user and password"}),
        tails=(Text("token"),),
        note="the client's first message",
    ),
    message(REPLAY_REQUEST, "replay request", SESSION_ID, NEXT, be.u32("count")),
    message(REPLAY_ALL_REQUEST, "replay all request", SESSION_ID),
    message(STREAM_REQUEST, "stream request", SESSION_ID, NEXT),
    message(
        LOGIN_ACCEPTED,
        "login accepted",
        be.alpha("supported_request_mode", 1, SUPPORTED_REQUEST_MODE),
    ),
    message(LOGIN_REJECTED, "login rejected", be.alpha("login_reject_code", 1, LOGIN_REJECT_CODE)),
    message(START_OF_SESSION, "start of session", SESSION_ID),
    message(END_OF_SESSION, "end of session"),
    message(REPLAY_BEGIN, "replay begin", NEXT, be.u32("pending_message_count")),
    message(
        REPLAY_REJECTED, "replay rejected", be.alpha("replay_reject_code", 1, REPLAY_REJECT_CODE)
    ),
    message(REPLAY_COMPLETE, "replay complete", be.u64("message_count")),
    message(STREAM_BEGIN, "stream begin", NEXT, be.u64("max_sequence_number")),
    message(
        STREAM_REJECTED, "stream rejected", be.alpha("stream_reject_code", 1, STREAM_REJECT_CODE)
    ),
    message(STREAM_COMPLETE, "stream complete", be.u64("total_sequence_count")),
    message(SEQUENCED, "sequenced message", note="carries one message of MEMOIR"),
]

MEMX_TCP = Protocol("memx_tcp", "MEMX-TCP 1.2", RECORDS, source="MEMX-TCP specification 1.2")

TRANSPORT = Transport(
    name="memx_tcp",
    title="MEMX-TCP 1.2",
    header=None,
    framing=FRAMING,
    scope="session",
    stream=True,
)


def wrap(message: bytes) -> bytes:
    """A sequenced message around a message of MEMOIR."""
    return enclose(MEMX_TCP[SEQUENCED], message)
