"""MEMX's two ports over MEMX-TCP: one in replay mode for gaps, one in snapshot mode for images.

A port in snapshot mode sends the image unasked, as soon as the session has started.
"""

from __future__ import annotations

from feedhandler.protocols.memoir13 import MEMOIR13
from feedhandler.transports import memxtcp
from feedhandler.transports.memxtcp import MEMX_TCP, wrap
from feedhandler.transports.transport import read_message
from feedhandler.wire.errors import WireError
from feedhandler.wire.record import Values
from feedhandler.wire.tails import integer
from simulator.publishing.publisher import Publisher
from simulator.services.again import is_there, sent_from
from simulator.services.conversation import Conversation
from simulator.services.images import messages_of, still_of
from simulator.services.settings import Account, Door
from simulator.serving.peers import Outlet

SNAPSHOT_COMPLETE = MEMOIR13[100]
PASSWORD_TOKEN = "P"
MALFORMED, UNSUPPORTED, UNAUTHORIZED = "T", "U", "A"
NOT_ALLOWED, ALL_NOT_ALLOWED, OTHER_SESSION, OUT_OF_RANGE = "R", "A", "P", "S"


class MemxPeer(Conversation):
    """One connection of a port; see `Conversation`. `mode` is `memxtcp.REPLAY` or `SNAPSHOT`."""

    def __init__(
        self, publisher: Publisher, door: Door, mode: str, outlet: Outlet, now_ns: int
    ) -> None:
        beat = MEMX_TCP[memxtcp.HEARTBEAT].encode()
        super().__init__(outlet, now_ns, memxtcp.TRANSPORT, beat, door.limits)
        self.publisher, self.door, self.mode = publisher, door, mode
        self.unit = publisher.units[0]
        self.session = integer(publisher.header, "session_id")
        self.account: Account | None = None

    def _message(self, data: bytes) -> None:
        record, values = read_message(MEMX_TCP, data, 0, len(data))
        code = record.code
        if code == memxtcp.HEARTBEAT:
            return
        if code == memxtcp.LOGIN_REQUEST and not self.logged_in:
            self._login(values)
        elif not self.logged_in:
            raise WireError("unknown_message", "not logged in")
        elif code == memxtcp.REPLAY_REQUEST:
            self._replay(values)
        elif code == memxtcp.REPLAY_ALL_REQUEST:
            self._reject(memxtcp.REPLAY_REJECTED, ALL_NOT_ALLOWED)
        elif code == memxtcp.STREAM_REQUEST:
            self._reject(memxtcp.STREAM_REJECTED, NOT_ALLOWED)
        else:
            raise WireError("unknown_message", "not a client's")

    def _login(self, values: Values) -> None:
        username, colon, password = str(values["token"]).partition(":")
        account = self.door.find(username, password)
        why = ""
        if values["token_type"] != PASSWORD_TOKEN:
            why = UNSUPPORTED
        elif not colon:
            why = MALFORMED
        elif account is None or self._too_many(account):
            why = UNAUTHORIZED
        if why:
            self.drop(MEMX_TCP[memxtcp.LOGIN_REJECTED].encode(login_reject_code=why))
            return
        self.account, self.logged_in = account, True
        accepted = MEMX_TCP[memxtcp.LOGIN_ACCEPTED].encode(supported_request_mode=self.mode)
        begin = MEMX_TCP[memxtcp.START_OF_SESSION].encode(session_id=self.session)
        self.send(accepted + begin + (self._snapshot() if self.mode == memxtcp.SNAPSHOT else b""))

    def _too_many(self, account: Account) -> bool:
        images = self.mode == memxtcp.SNAPSHOT
        return images and self.door.over(account.username, self.now_ns, "refresh") != ""

    def _snapshot(self) -> bytes:
        still = still_of(self.publisher, self.unit)
        messages = messages_of(self.publisher, still)
        messages.append(SNAPSHOT_COMPLETE.encode(as_of_sequence_number=still.sequence))
        return b"".join(map(wrap, messages))

    def _reject(self, code: int, why: str) -> None:
        name = "replay" if code == memxtcp.REPLAY_REJECTED else "stream"
        self.send(MEMX_TCP[code].encode({f"{name}_reject_code": why}))

    def _replay(self, values: Values) -> None:
        """Answers with as many of the messages as the limit allows."""
        first = integer(values, "next_sequence_number")
        count = min(integer(values, "count"), self.limits.most_messages)
        assert self.account is not None
        why = ""
        if self.mode != memxtcp.REPLAY:
            why = NOT_ALLOWED
        elif values["session_id"] != self.session:
            why = OTHER_SESSION
        elif not is_there(self.unit, first, count):
            why = OUT_OF_RANGE
        elif self.door.over(self.account.username, self.now_ns):
            why = NOT_ALLOWED
        if why:
            self._reject(memxtcp.REPLAY_REJECTED, why)
            return
        given: Values = {"next_sequence_number": first, "pending_message_count": count}
        begin = MEMX_TCP[memxtcp.REPLAY_BEGIN].encode(given)
        end = MEMX_TCP[memxtcp.REPLAY_COMPLETE].encode(message_count=count)
        self.send(b"".join([begin, *map(wrap, sent_from(self.unit, first, count)), end]))
