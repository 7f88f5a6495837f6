"""MEMOIR gap fill of MEMX: replay requests over MEMX-TCP, answers as datagrams for line R."""

from __future__ import annotations

from collections import deque

from feedhandler.feed import Feed
from feedhandler.lines.memxsession import MEANINGS, MemxSession
from feedhandler.lines.recovery import GapClient
from feedhandler.lines.repack import checked, datagrams_of
from feedhandler.lines.session import SECOND_NS, Timing
from feedhandler.protocols.memoir13 import MEMOIR13
from feedhandler.transports import memxtcp
from feedhandler.transports.memxtcp import MEMX_TCP
from feedhandler.wire.record import Record, Values
from feedhandler.wire.tails import integer

MEMX_MOST = 10_000  # messages of one request; the limit is the venue's to set
RETRY_NS = SECOND_NS  # TCP loses nothing: asking again is for a server that hangs
REQUEST = MEMX_TCP[memxtcp.REPLAY_REQUEST]


class MemxGapClient(MemxSession):
    """The client of a port in replay mode. Its messages are numbered from what a replay begins at.

    Call `start` when the connection stands, then `requests` and `tick`; `take` gives the datagrams
    for line R of the stream.

    Attributes:
        gaps: what is missing.
        refused: codes of the requests that the server refused.
        failed: why the connection is of no use any more; a new one needs another `start`.
    """

    mode = memxtcp.REPLAY

    def __init__(
        self,
        feed: Feed,
        username: str,
        password: str,
        *,
        session_id: int = 0,
        most: int = MEMX_MOST,
        retry_ns: int = RETRY_NS,
        timing: Timing | None = None,
    ) -> None:
        super().__init__(username, password, session_id, timing or Timing(deadline_ns=0))
        self.feed = feed
        self.gaps = GapClient(self._request, most=most, retry_ns=retry_ns)
        self.refused: list[str] = []
        self._asked: deque[tuple[int, int, int]] = deque()
        self._due: int | None = None  # messages of the replay that are still to come
        self._next = self._got = 0
        self._messages: list[bytes] = []
        self._answers: list[bytes] = []

    def _request(self, unit: int, begin: int, count: int) -> bytes:
        self._asked.append((unit, begin, count))
        return REQUEST.encode(session_id=self.session, next_sequence_number=begin, count=count)

    def requests(self, now_ns: int) -> list[bytes]:
        """The packets to send now; none before the session stands or while answers are due."""
        if not self.session or self.over or self._asked or self._due is not None:
            return []
        self._now_ns = now_ns
        return self._sent(self.gaps.requests(now_ns))

    def take(self) -> list[bytes]:
        """The answers since it was last asked, as datagrams of the feed."""
        made, self._answers = self._answers, []
        return made

    def _begin(self) -> list[bytes]:
        self._asked.clear()
        self._due, self._messages = None, []
        for gap in self.gaps.gaps.values():
            gap.asked_ns = None
        return []

    def on_bytes(self, data: bytes, now_ns: int) -> list[bytes]:
        """Takes TCP bytes in any pieces; what to send back. `take` has the answers."""
        made = super().on_bytes(data, now_ns)
        self._flush()
        return made

    def _answer(self, record: Record, values: Values) -> list[bytes]:
        if record.code == memxtcp.REPLAY_COMPLETE and self._due is not None:
            self._complete(integer(values, "message_count"))
        elif record.code == memxtcp.REPLAY_BEGIN and self._asked and self._due is None:
            self._begun(values)
        elif record.code == memxtcp.REPLAY_REJECTED and self._asked:
            unit, begin, _ = self._asked.popleft()
            self.refused.append(str(values[MEANINGS[memxtcp.REPLAY_REJECTED][0]]))
            self.gaps.fail_range(unit, begin)
        else:
            self.fail(f"{record.name} out of its turn")
        return []

    def _begun(self, values: Values) -> None:
        _, begin, count = self._asked.popleft()
        first, due = values["next_sequence_number"], integer(values, "pending_message_count")
        if first != begin or due > count:
            self.fail(f"a replay of {due} messages from {first}, asked was {count} from {begin}")
            return
        self._flush()
        self._next, self._due, self._got = begin, due, 0

    def _sequenced(self, data: bytes, start: int, end: int) -> list[bytes]:
        checked(MEMOIR13, data, start, end)
        if not self._due:
            self.fail("a message that is part of no replay")
            return []
        self._messages.append(data[start:end])
        self._due, self._got = self._due - 1, self._got + 1
        return []

    def _complete(self, count: int) -> None:
        if self._got != count:
            self.fail(f"a replay of {self._got} messages that says {count}")
        self._due = None

    def _flush(self) -> None:
        """Makes the answers of what has come so far."""
        if self._messages:
            header = {"session_id": self.session}
            self._answers += datagrams_of(self.feed, self._messages, header, self._next)
            self._next += len(self._messages)
            self._messages = []
