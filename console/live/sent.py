"""What left on each session since it came up, by the log: what a venue may not have got."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Final, NamedTuple

from console.runreport.collect import Collector
from console.runreport.names import Names
from router import log
from router.logreader import Record
from router.tables import ENTER, REPLACE
from router.tablespace import RouterTables

MOST_KEPT: Final = 1 << 16  # messages of a session; older ones have long been answered
Told = Callable[[int, int, int, int], None]


class Message(NamedTuple):
    """A message that left.

    Attributes:
        sequence: of ours on the session, where the protocol counts them.
        kind: ENTER, REPLACE or CANCEL.
        token: that the venue answers to.
        child: number of the order.
    """

    sequence: int
    kind: int
    token: int
    child: int


class SentMessages:
    """The messages of one session since it came up."""

    def __init__(self) -> None:
        self._messages: list[Message] = []
        self._sequence = 0

    def begin(self, sequence: int) -> None:
        """The session came up behind that sequence; what left before has been settled."""
        self._messages.clear()
        self._sequence = sequence

    def note(self, kind: int, token: int, child: int) -> None:
        """One more left."""
        self._sequence += 1
        self._messages.append(Message(self._sequence, kind, token, child))
        if len(self._messages) > MOST_KEPT:
            del self._messages[: MOST_KEPT // 2]

    def behind(self, sequence: int) -> list[Message]:
        """Orders and replaces that the venue never had, by the last sequence it has."""
        return [m for m in self._asked() if m.sequence > sequence]

    def from_token(self, token: int) -> list[Message]:
        """The same, by the first order that it does not have."""
        return [m for m in self._asked() if m.token >= token]

    def others(self, lost: Iterable[Message]) -> list[Message]:
        """Orders that the venue has got."""
        gone = set(lost)
        return [m for m in self._messages if m.kind == ENTER and m not in gone]

    def _asked(self) -> list[Message]:
        return [m for m in self._messages if m.kind in (ENTER, REPLACE)]


class LiveCollector(Collector):
    """The consumer of a live router's log.

    Attributes:
        sent: by session, what left on it.
        told: called with each SESSION record: session, event, orders, time.
    """

    def __init__(self, tables: RouterTables, names: Names, sessions: int) -> None:
        super().__init__(tables, names)
        self.sent = [SentMessages() for _ in range(sessions)]
        self.told: Told = lambda session, event, orders, time_ns: None
        plain = self._take[log.SENT]

        def take_sent(record: Record) -> None:
            plain(record)
            session, child, kind, _, token, _ = record.words
            self.sent[session].note(kind, token, child)

        self._take[log.SENT] = take_sent
        self._take[log.SESSION] = self._take_session

    def _take_session(self, record: Record) -> None:
        session, event, orders, _, _, _ = record.words
        self.told(session, event, orders, record.time_ns)
