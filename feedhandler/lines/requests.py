"""How each venue is asked for missing messages: the packets, and what its service answers.

MoldUDP64: a datagram to the request server, answered by downstream packets to the sender.
NYSE: packets over TCP to the request server, answered by a status; the messages come on the
    retransmission multicast.
Cboe: packets over TCP to the gap request proxy, answered by a status; the messages come on the gap
    multicast. The client logs in first.
"""

from __future__ import annotations

from feedhandler.lines.recovery import RETRY_NS, GapClient
from feedhandler.lines.secret import Secret
from feedhandler.protocols.cboe_grp import CBOE_GRP
from feedhandler.protocols.nyse_control import REQUESTS
from feedhandler.protocols.nyse_integrated_25 import NYSE_INTEGRATED_25
from feedhandler.transports import moldudp64, suh, xdp
from feedhandler.transports.packets import write_packet
from feedhandler.transports.transport import read_message, read_packet
from feedhandler.wire.record import Buffer, Value

WORD = 1 << 32
MOLD_MOST = 0xFFFE  # 65535 would be the end of the session
NYSE_MOST = 1000  # the service refuses longer ranges; the limit is the venue's to set
CBOE_MOST = 100  # likewise; one gap request's count is 16 bits
ACCEPTED_NYSE, ACCEPTED_CBOE = "0", "A"
HEARTBEAT_NS = 1_000_000_000  # the gap request proxy drops a client that is silent for 5 s

_NYSE = {record.code: record for record in REQUESTS}
RETRANSMISSION_REQUEST, HEARTBEAT_RESPONSE = _NYSE[10], _NYSE[12]
REQUEST_RESPONSE = NYSE_INTEGRATED_25[11]
LOGIN, LOGIN_RESPONSE, GAP_REQUEST = CBOE_GRP[1], CBOE_GRP[2], CBOE_GRP[3]


def moldudp64_client(session: str, *, most: int = MOLD_MOST, retry_ns: int = RETRY_NS) -> GapClient:
    """The client of a MoldUDP64 request server. `session` is that of the stream, 10 characters."""

    def encode(_unit: int, begin: int, count: int) -> bytes:
        given: dict[str, Value] = {"session": session, "sequence_number": begin}
        given["requested_message_count"] = count
        return moldudp64.REQUEST.encode(given)

    return GapClient(encode, most=most, retry_ns=retry_ns)


class NyseClient:
    """The client of a request server for one channel of an XDP feed.

    Attributes:
        gaps: what is missing; its `requests` are the packets to send.
        refused: status letters of the requests that the server refused.
    """

    def __init__(
        self,
        source_id: str,
        product_id: int,
        channel_id: int,
        *,
        most: int = NYSE_MOST,
        retry_ns: int = RETRY_NS,
    ) -> None:
        self.source_id = source_id
        self._about: dict[str, Value] = {
            "source_id": source_id,
            "product_id": product_id,
            "channel_id": channel_id,
        }
        self.gaps = GapClient(self._request, most=most, retry_ns=retry_ns)
        self.refused: list[str] = []

    def _request(self, _unit: int, begin: int, count: int) -> bytes:
        span = {"begin_seq_num": begin % WORD, "end_seq_num": (begin + count - 1) % WORD}
        return _packet([RETRANSMISSION_REQUEST.encode({**self._about, **span})])

    def on_packet(self, data: Buffer) -> list[bytes]:
        """A whole packet from the server; gives what to send back."""
        packet = read_packet(xdp.TRANSPORT, data)
        if packet.header.get("delivery_flag") == xdp.HEARTBEAT:
            return [_packet([HEARTBEAT_RESPONSE.encode({"source_id": self.source_id})])]
        for start, end in packet.spans:
            record, values = read_message(NYSE_INTEGRATED_25, data, start, end)
            if record is REQUEST_RESPONSE and values["status"] != ACCEPTED_NYSE:
                self.refused.append(str(values["status"]))
                for unit in list(self.gaps.gaps):
                    self.gaps.fail(unit)
        return []


def _packet(messages: list[bytes]) -> bytes:
    return write_packet(xdp.TRANSPORT, messages, {"delivery_flag": xdp.ORIGINAL})


class CboeClient:
    """The client of a gap request proxy.

    States: not logged in; logged in; refused. It asks for nothing before it is logged in.

    Attributes:
        gaps: what is missing.
        logged_in: the proxy took the login.
        refused: status letters of logins and requests that the proxy refused.

    Raises:
        ValueError: a password that does not fit; it is not in the text.
    """

    def __init__(
        self,
        session_sub_id: str,
        username: str,
        password: str,
        *,
        most: int = CBOE_MOST,
        retry_ns: int = RETRY_NS,
    ) -> None:
        self.session_sub_id, self.username = session_sub_id, username
        self._password = Secret(password, LOGIN.by_name["password"].width)
        self.gaps = GapClient(self._request, most=most, retry_ns=retry_ns)
        self.logged_in = False
        self.refused: list[str] = []
        self._sent_ns: int | None = None

    def login(self, now_ns: int) -> bytes:
        """The client's first packet."""
        self._sent_ns = now_ns
        given = {"session_sub_id": self.session_sub_id, "username": self.username, "filler": ""}
        return _unit_packet([LOGIN.encode({**given, "password": self._password.reveal()})])

    def _request(self, unit: int, begin: int, count: int) -> bytes:
        given = {"unit": unit, "sequence": begin % WORD, "count": count}
        return _unit_packet([GAP_REQUEST.encode(given)])

    def requests(self, now_ns: int) -> list[bytes]:
        """The packets to send now: requests, or a heartbeat when nothing was said for a second."""
        if not self.logged_in:
            return []
        made = self.gaps.requests(now_ns)
        if not made and self._sent_ns is not None and now_ns - self._sent_ns >= HEARTBEAT_NS:
            made = [_unit_packet([])]
        if made:
            self._sent_ns = now_ns
        return made

    def on_packet(self, data: Buffer) -> None:
        """A whole packet from the proxy."""
        for start, end in read_packet(suh.TRANSPORT, data).spans:
            record, values = read_message(CBOE_GRP, data, start, end)
            status = str(values.get("status", ACCEPTED_CBOE))
            if status != ACCEPTED_CBOE:
                self.refused.append(status)
                unit, sequence = values.get("unit"), values.get("sequence")
                if isinstance(unit, int) and isinstance(sequence, int):
                    self.gaps.fail_range(unit, sequence)
            elif record is LOGIN_RESPONSE:
                self.logged_in = True


def _unit_packet(messages: list[bytes]) -> bytes:
    return write_packet(suh.TRANSPORT, messages, {"unit": 0, "sequence": 0})
