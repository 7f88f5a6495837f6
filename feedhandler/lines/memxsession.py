"""The start of every connection to MEMX's recovery ports: login, mode, session id."""

from __future__ import annotations

from feedhandler.lines.secret import Secret
from feedhandler.lines.session import Session, Timing, refusal
from feedhandler.transports import memxtcp
from feedhandler.transports.memxtcp import MEMX_TCP
from feedhandler.transports.transport import read_message, select_record
from feedhandler.wire.record import Record, Values
from feedhandler.wire.tails import integer

TOKEN_TYPE = "P"  # user and password
MOST_TOKEN = 255  # characters; the layout sets no end
MEANINGS = {
    memxtcp.LOGIN_REJECTED: ("login_reject_code", memxtcp.LOGIN_REJECT_CODE),
    memxtcp.REPLAY_REJECTED: ("replay_reject_code", memxtcp.REPLAY_REJECT_CODE),
    memxtcp.STREAM_REJECTED: ("stream_reject_code", memxtcp.STREAM_REJECT_CODE),
}


class MemxSession(Session):
    """A connection that has to stand before anything can be asked for.

    Attributes:
        session: the server's session id; 0 before it stated one.
    """

    mode = ""

    def __init__(self, username: str, password: str, session_id: int, timing: Timing) -> None:
        beat = MEMX_TCP[memxtcp.HEARTBEAT].encode()
        super().__init__(memxtcp.TRANSPORT, beat, timing)
        self.username, self._wanted = username, session_id
        self._password = Secret(password, MOST_TOKEN - len(username) - 1)
        self._logged_in = False
        self.session = 0

    def _begin(self) -> list[bytes]:
        """The session has started: what to send."""
        raise NotImplementedError

    def _answer(self, record: Record, values: Values) -> list[bytes]:
        """Takes a message about a replay or stream."""
        raise NotImplementedError

    def _sequenced(self, data: bytes, start: int, end: int) -> list[bytes]:
        """Takes a message of MEMOIR."""
        raise NotImplementedError

    def _hello(self) -> list[bytes]:
        self._logged_in, self.session = False, 0
        token = f"{self.username}:{self._password.reveal()}"
        login = MEMX_TCP[memxtcp.LOGIN_REQUEST]
        return [login.encode(token_type=TOKEN_TYPE, token=token)]

    def _message(self, data: bytes, start: int, end: int) -> list[bytes]:
        record = select_record(MEMX_TCP, data, start, end)
        if record.code == memxtcp.SEQUENCED:
            if self.session:
                return self._sequenced(data, start + memxtcp.HEADER_BYTES, end)
            self.fail("a message before the session started")
            return []
        _, values = read_message(MEMX_TCP, data, start, end)
        code = record.code
        if code == memxtcp.LOGIN_REJECTED:
            self._refused(record, values)
        elif code == memxtcp.END_OF_SESSION:
            self.fail("the session ended")
        elif code == memxtcp.LOGIN_ACCEPTED and not self._logged_in:
            self._accepted(str(values["supported_request_mode"]))
        elif code == memxtcp.START_OF_SESSION and self._logged_in and not self.session:
            return self._started(integer(values, "session_id"))
        elif memxtcp.REPLAY_BEGIN <= int(code) <= memxtcp.STREAM_COMPLETE and self.session:
            return self._answer(record, values)
        elif code != memxtcp.HEARTBEAT:
            self.fail(f"{record.name} out of its turn")
        return []

    def _accepted(self, mode: str) -> None:
        self._logged_in = True
        if mode != self.mode:
            modes = memxtcp.SUPPORTED_REQUEST_MODE
            self.fail(f"the port is in mode {modes.get(mode, mode)}, not {modes[self.mode]}")

    def _started(self, session: int) -> list[bytes]:
        if not session or (self._wanted and session != self._wanted):
            self.fail(f"session {session}, the live stream has {self._wanted}")
            return []
        self.session = session
        return self._begin()

    def _refused(self, record: Record, values: Values) -> None:
        name, meanings = MEANINGS[int(record.code)]
        self.fail(refusal(record.name, values[name], meanings.get))
