"""Cboe Spin: the snapshot of one unit's open orders, over TCP.

Logging in, waiting for an image that is new enough, asking, receiving. A refused request is made
again for the next image that is announced.
"""

from __future__ import annotations

from feedhandler.feed import Feed
from feedhandler.lines.image import Image
from feedhandler.lines.repack import checked, datagrams_of
from feedhandler.lines.secret import Secret
from feedhandler.lines.session import Session, Timing, refusal, widened
from feedhandler.protocols.cboe_login import LOGIN_STATUS
from feedhandler.protocols.cboe_pitch import ADDS
from feedhandler.protocols.cboe_spin import CBOE_SPIN, SPIN_STATUS
from feedhandler.transports import suh
from feedhandler.transports.packets import write_packet
from feedhandler.transports.transport import read_packet
from feedhandler.wire.errors import WireError
from feedhandler.wire.record import Values
from feedhandler.wire.tails import integer

LOGIN, LOGIN_RESPONSE = CBOE_SPIN[0x01], CBOE_SPIN[0x02]
AVAILABLE, REQUEST = CBOE_SPIN[0x80], CBOE_SPIN[0x81]
RESPONSE, FINISHED = CBOE_SPIN[0x82], CBOE_SPIN[0x83]
CONTROL = (LOGIN, LOGIN_RESPONSE, AVAILABLE, REQUEST, RESPONSE, FINISHED)
ACCEPTED = "A"
TRIES = 3
LOGGING_IN, WAITING, ASKED, RECEIVING = "logging in", "waiting", "asked", "receiving"


def unit_packet(*messages: bytes) -> bytes:
    """A packet as the services take and give them: unit 0, no sequence; none is a heartbeat."""
    return write_packet(suh.TRANSPORT, messages, {"unit": 0, "sequence": suh.UNSEQUENCED})


class SpinClient(Session):
    """The client of a spin server; see `SnapshotClient`.

    Args:
        feed: the PITCH feed whose datagrams the image is made of.
        unit: whose orders the server has.
        session_sub_id, username, password: of the spin port.
        near: a sequence of the unit's stream in its 64-bit count, as its top.
        least: an image that ends before this sequence is of no use.
        tries: how many requests may be refused.

    Attributes:
        state: how far it is.
        refused: status letters of the requests that the server refused.

    Raises:
        ValueError: a password that does not fit; it is not in the text.
    """

    def __init__(
        self,
        feed: Feed,
        unit: int,
        session_sub_id: str,
        username: str,
        password: str,
        *,
        near: int,
        least: int = 0,
        tries: int = TRIES,
        timing: Timing | None = None,
    ) -> None:
        super().__init__(suh.TRANSPORT, unit_packet(), timing or Timing())
        self.feed, self.unit, self.near, self.least, self.tries = feed, unit, near, least, tries
        self.session_sub_id, self.username = session_sub_id, username
        self._password = Secret(password, LOGIN.by_name["password"].width)
        self.state = LOGGING_IN
        self.refused: list[str] = []
        self._word = self._count = self._adds = 0
        self._messages: list[bytes] = []

    def _hello(self) -> list[bytes]:
        self.state, self.refused, self._messages = LOGGING_IN, [], []
        given = {"session_sub_id": self.session_sub_id, "username": self.username}
        login = LOGIN.encode({**given, "filler": "", "password": self._password.reveal()})
        return [unit_packet(login)]

    def _message(self, data: bytes, start: int, end: int) -> list[bytes]:
        packet = read_packet(suh.TRANSPORT, data[start:end])
        if packet.faults:
            raise WireError(packet.faults[0][0], "packet")
        made: list[bytes] = []
        for first, behind in packet.spans:
            made += self._one(data, start + first, start + behind)
            if self.over:
                break
        return made

    def _one(self, data: bytes, start: int, end: int) -> list[bytes]:
        record = checked(CBOE_SPIN, data, start, end)
        if record not in CONTROL:
            self._order(record in ADDS, data[start:end])
            return []
        values = record.decode(data, start, end)
        if record is AVAILABLE:
            return self._available(values)
        if record is LOGIN_RESPONSE and self.state == LOGGING_IN:
            self._logged_in(values)
        elif record is RESPONSE and self.state == ASKED:
            self._answered(values)
        elif record is FINISHED and self.state == RECEIVING:
            self._finished(values)
        else:
            self.fail(f"{record.name} while {self.state}")
        return []

    def _logged_in(self, values: Values) -> None:
        self.state = WAITING
        if values["status"] != ACCEPTED:
            self.fail(refusal("login", values["status"], LOGIN_STATUS.get))

    def _available(self, values: Values) -> list[bytes]:
        word = integer(values, "sequence")
        if self.state != WAITING or widened(word, self.near) < self.least:
            return []
        self.state, self._word = ASKED, word
        return [unit_packet(REQUEST.encode(sequence=word))]

    def _answered(self, values: Values) -> None:
        status = str(values["status"])
        if status != ACCEPTED:
            self.refused.append(status)
            self.state = WAITING
            if len(self.refused) >= self.tries:
                self.fail(refusal("spin", status, SPIN_STATUS.get))
        elif values["sequence"] != self._word:
            self.fail("the server answers for another image than the one asked for")
        else:
            self.state, self._adds, self._messages = RECEIVING, 0, []
            self._count = integer(values, "order_count")

    def _order(self, adds: bool, message: bytes) -> None:
        if self.state != RECEIVING:
            self.fail(f"a part of an image while {self.state}")
        self._adds += adds
        self._messages.append(message)

    def _finished(self, values: Values) -> None:
        if values["sequence"] != self._word or self._adds != self._count:
            self.fail(f"the image has {self._adds} of {self._count} orders")
            return
        datagrams = datagrams_of(self.feed, self._messages, {"unit": self.unit})
        self._messages = []
        self._done(Image(self.unit, widened(self._word, self.near), datagrams))
