"""IEX SNAP: the snapshot of a channel of an IEX feed, over TCP. One request, one image."""

from __future__ import annotations

from feedhandler.feed import Feed
from feedhandler.lines.image import Image
from feedhandler.lines.repack import checked, datagrams_of
from feedhandler.lines.secret import Secret
from feedhandler.lines.session import Session, Timing, refusal
from feedhandler.protocols.iex_snap import IEX_SNAP, REJECT_REASON_CODE
from feedhandler.transports import iexsnap, iextp
from feedhandler.transports.transport import read_message, read_packet
from feedhandler.wire.errors import WireError
from feedhandler.wire.tails import integer

REQUEST, START, DATA, END = (IEX_SNAP[code] for code in "rsdx")


class IexSnapClient(Session):
    """The client of a snapshot server; see `SnapshotClient`.

    Args:
        feed: whose segments the image is made of.
        token: proves who asks.
        channel_id, session_id: of the live stream.
        least: the server is asked for no older image.

    Attributes:
        announced: what the server stated as the length of the image; 0 before.

    Raises:
        ValueError: a token that does not fit; it is not in the text.
    """

    def __init__(
        self,
        feed: Feed,
        token: str,
        channel_id: int,
        session_id: int,
        *,
        least: int = 0,
        timing: Timing | None = None,
    ) -> None:
        super().__init__(iexsnap.TRANSPORT, b"", timing or Timing())
        self.feed, self.channel_id, self.session_id = feed, channel_id, session_id
        self.least, self.announced = least, 0
        self._token = Secret(token, REQUEST.by_name["authentication_token"].width, "token")
        self._begun = False
        self._messages: list[bytes] = []

    def _hello(self) -> list[bytes]:
        self._begun, self._messages, self.announced = False, [], 0
        request = REQUEST.encode(
            authentication_token=self._token.reveal(),
            channel_id=self.channel_id,
            session_id=self.session_id,
            minimum_sequence_number=self.least,
        )
        return [iexsnap.TRANSPORT.framing.wrap(request)]

    def _message(self, data: bytes, start: int, end: int) -> list[bytes]:
        record = checked(IEX_SNAP, data, start, end)
        if record is DATA and self._begun:
            self._segment(data[start + DATA.size : end])
            return []
        _, values = read_message(IEX_SNAP, data, start, end)
        if record.code == "e":
            reason = values["reject_reason_code"]
            self.fail(refusal("snapshot", reason, REJECT_REASON_CODE.get))
        elif record is START and not self._begun:
            self._begun = True
            self.announced = integer(values, "snapshot_length")
        elif record is END and self._begun:
            self._end(integer(values, "snapshot_sequence_number"))
        else:
            self.fail(f"{record.name} out of its turn")
        return []

    def _segment(self, data: bytes) -> None:
        packet = read_packet(iextp.TRANSPORT, data)
        if packet.faults:
            raise WireError(packet.faults[0][0], "segment")
        if packet.header["message_protocol_id"] != self.feed.header["message_protocol_id"]:
            self.fail("a segment of another feed")
            return
        for start, end in packet.spans:
            checked(self.feed.protocol, data, start, end)
            self._messages.append(data[start:end])

    def _end(self, sequence: int) -> None:
        if sequence < self.least:
            self.fail(f"the snapshot ends at {sequence}, needed is {self.least}")
            return
        header = {"channel_id": self.channel_id, "session_id": self.session_id}
        datagrams = datagrams_of(self.feed, self._messages, header)
        self._messages = []
        self._done(Image(self.channel_id, sequence, datagrams, self.session_id))
