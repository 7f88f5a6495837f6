"""GLIMPSE: the snapshot of Nasdaq, BX and PSX, over SoupBinTCP.

Logging in, receiving, then the image or a failure. The messages are those of ITCH 5.0; the end of
the snapshot states the first live message behind it.
"""

from __future__ import annotations

from feedhandler.feed import Feed
from feedhandler.lines.image import Image
from feedhandler.lines.repack import checked, datagrams_of
from feedhandler.lines.secret import Secret
from feedhandler.lines.session import Session, Timing, refusal
from feedhandler.protocols.glimpse50 import END_OF_SNAPSHOT, GLIMPSE50
from feedhandler.transports.soupbintcp import (
    HEADER_BYTES,
    REJECT_REASON_CODE,
    SOUPBINTCP,
    TRANSPORT,
)
from feedhandler.transports.transport import read_message, select_record
from feedhandler.wire.access import fold_of
from feedhandler.wire.record import Values

LOGIN = SOUPBINTCP["L"]
FROM_THE_START = 1


class GlimpseClient(Session):
    """The client of a GLIMPSE server; see `SnapshotClient`.

    Args:
        feed: the ITCH feed whose datagrams the image is made of.
        username, password: of the GLIMPSE port.
        session: of the live MoldUDP64 stream, 10 characters; "" leaves the image without one.
        least: an image that ends before this sequence is of no use.

    Raises:
        ValueError: a password that does not fit; it is not in the text.
    """

    def __init__(
        self,
        feed: Feed,
        username: str,
        password: str,
        *,
        session: str = "",
        least: int = 0,
        timing: Timing | None = None,
    ) -> None:
        super().__init__(TRANSPORT, SOUPBINTCP["R"].encode(), timing or Timing())
        self.feed, self.username, self.session, self.least = feed, username, session, least
        self._password = Secret(password, LOGIN.by_name["password"].width)
        self._logged_in = False
        self._messages: list[bytes] = []

    def _hello(self) -> list[bytes]:
        self._logged_in, self._messages = False, []
        given = {"username": self.username, "password": self._password.reveal()}
        return [LOGIN.encode({**given, "requested_sequence_number": FROM_THE_START})]

    def _message(self, data: bytes, start: int, end: int) -> list[bytes]:
        code = select_record(SOUPBINTCP, data, start, end).code
        if code == "S":
            return self._sequenced(data, start + HEADER_BYTES, end)
        _, values = read_message(SOUPBINTCP, data, start, end)
        if code == "A":
            self._accepted(values)
        elif code == "J":
            reason = values["reject_reason_code"]
            self.fail(refusal("login", reason, REJECT_REASON_CODE.get))
        elif code == "Z":
            self.fail("the session ended before the snapshot did")
        elif code not in ("H", "+"):
            self.fail(f"a packet of type {code} from the server")
        return []

    def _accepted(self, values: Values) -> None:
        if self._logged_in or values["sequence_number"] != FROM_THE_START:
            self.fail("the session does not begin with the first message of a snapshot")
        self._logged_in = True

    def _sequenced(self, data: bytes, start: int, end: int) -> list[bytes]:
        if not self._logged_in:
            self.fail("a message before the login was accepted")
            return []
        if checked(GLIMPSE50, data, start, end) is not END_OF_SNAPSHOT:
            self._messages.append(data[start:end])
            return []
        behind = END_OF_SNAPSHOT.decode(data, start, end)["sequence_number"]
        if not isinstance(behind, int) or behind < 1:
            self.fail("the end of the snapshot states no sequence")
        elif behind - 1 < self.least:
            self.fail(f"the snapshot ends at {behind - 1}, needed is {self.least}")
        else:
            self._whole(behind - 1)
            return [SOUPBINTCP["O"].encode()]
        return []

    def _whole(self, sequence: int) -> None:
        header = {"session": self.session} if self.session else {}
        folded = fold_of(self.session, 10) if self.session else 0
        datagrams = datagrams_of(self.feed, self._messages, header)
        self._messages = []
        self._done(Image(0, sequence, datagrams, folded))
