"""GLIMPSE over SoupBinTCP: who logs in gets the image that stands at that moment, and its end.

A session of SoupBinTCP is made for each login. Its first message is the image's first; a client
that asks for a later one misses what is before, one that asks for 0 gets nothing.
"""

from __future__ import annotations

from feedhandler.protocols.glimpse50 import END_OF_SNAPSHOT
from feedhandler.transports.soupbintcp import HEADER_BYTES, SOUPBINTCP, TRANSPORT, wrap
from feedhandler.transports.transport import read_message, select_record
from feedhandler.wire.errors import WireError
from feedhandler.wire.record import Values
from simulator.publishing.publisher import Publisher
from simulator.services.conversation import Conversation
from simulator.services.images import messages_of, still_of
from simulator.services.settings import Door
from simulator.serving.peers import Outlet

NOT_AUTHORIZED, NO_SESSION = "A", "S"


class GlimpsePeer(Conversation):
    """One connection of a GLIMPSE server; see `Conversation`."""

    def __init__(self, publisher: Publisher, door: Door, outlet: Outlet, now_ns: int) -> None:
        super().__init__(outlet, now_ns, TRANSPORT, SOUPBINTCP["H"].encode(), door.limits)
        self.publisher, self.door = publisher, door
        self.session = str(publisher.header["session"])

    def _message(self, data: bytes) -> None:
        code = select_record(SOUPBINTCP, data, 0, len(data)).code
        if code == "U":
            return  # GLIMPSE takes no message
        _, values = read_message(SOUPBINTCP, data, 0, len(data))
        if code == "L" and not self.logged_in:
            self._login(values)
        elif code == "O" and self.logged_in:
            self.drop()
        elif code not in ("R", "+"):
            raise WireError("unknown_message", "not a client's", HEADER_BYTES)

    def _login(self, values: Values) -> None:
        account = self.door.find(str(values["username"]), str(values["password"]))
        if account is None or self.door.over(account.username, self.now_ns, "refresh"):
            self.drop(SOUPBINTCP["J"].encode(reject_reason_code=NOT_AUTHORIZED))
            return
        first = values["requested_sequence_number"]
        if str(values["requested_session"]).strip() not in ("", self.session):
            self.drop(SOUPBINTCP["J"].encode(reject_reason_code=NO_SESSION))
        elif not isinstance(first, int):
            raise WireError("bad_value", "the sequence is no number")
        else:
            self.logged_in = True
            self._image(first)

    def _image(self, first: int) -> None:
        still = still_of(self.publisher, self.publisher.units[0])
        messages = messages_of(self.publisher, still)
        messages.append(END_OF_SNAPSHOT.encode(sequence_number=still.sequence + 1))
        start = min(first, len(messages) + 1) if first else len(messages) + 1
        accepted = SOUPBINTCP["A"].encode(session=self.session, sequence_number=start)
        self.send(b"".join([accepted, *(wrap("S", one) for one in messages[start - 1 :])]))
