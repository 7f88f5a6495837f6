"""MEMOIR snapshots of MEMX, over MEMX-TCP: messages of MEMOIR up to Snapshot Complete."""

from __future__ import annotations

from feedhandler.feed import Feed
from feedhandler.lines.image import Image
from feedhandler.lines.memxsession import MemxSession
from feedhandler.lines.repack import checked, datagrams_of
from feedhandler.lines.session import Timing
from feedhandler.protocols.memoir13 import MEMOIR13
from feedhandler.transports import memxtcp
from feedhandler.wire.record import Record, Values
from feedhandler.wire.tails import integer

SNAPSHOT_COMPLETE = MEMOIR13[100]
ENDS = (memxtcp.REPLAY_COMPLETE, memxtcp.STREAM_COMPLETE)
REFUSALS = (memxtcp.REPLAY_REJECTED, memxtcp.STREAM_REJECTED)


class MemoirSnapshotClient(MemxSession):
    """The client of a port in snapshot mode; see `SnapshotClient`.

    Args:
        feed: the MEMOIR feed whose datagrams the image is made of.
        username, password: of the port.
        session_id: of the live stream; 0 takes the server's.
        least: an image that ends before this sequence is of no use.
        ask: send a replay all request, for a server that does not begin unasked.

    Raises:
        ValueError: a password that does not fit; it is not in the text.
    """

    mode = memxtcp.SNAPSHOT

    def __init__(
        self,
        feed: Feed,
        username: str,
        password: str,
        *,
        session_id: int = 0,
        least: int = 0,
        ask: bool = False,
        timing: Timing | None = None,
    ) -> None:
        super().__init__(username, password, session_id, timing or Timing())
        self.feed, self.least, self.ask = feed, least, ask
        self._messages: list[bytes] = []

    def _begin(self) -> list[bytes]:
        self._messages = []
        request = memxtcp.MEMX_TCP[memxtcp.REPLAY_ALL_REQUEST]
        return [request.encode(session_id=self.session)] if self.ask else []

    def _answer(self, record: Record, values: Values) -> list[bytes]:
        if record.code in ENDS:
            self.fail("the server ended before the snapshot was complete")
        elif record.code in REFUSALS:
            self._refused(record, values)
        return []

    def _sequenced(self, data: bytes, start: int, end: int) -> list[bytes]:
        if checked(MEMOIR13, data, start, end) is not SNAPSHOT_COMPLETE:
            self._messages.append(data[start:end])
            return []
        values = SNAPSHOT_COMPLETE.decode(data, start, end)
        sequence = integer(values, "as_of_sequence_number")
        if sequence < self.least:
            self.fail(f"the snapshot ends at {sequence}, needed is {self.least}")
            return []
        header = {"session_id": self.session}
        datagrams = datagrams_of(self.feed, self._messages, header)
        self._messages = []
        self._done(Image(0, sequence, datagrams, self.session))
        return []
