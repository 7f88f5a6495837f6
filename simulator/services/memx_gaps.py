"""MEMX's gap fill: a port in replay mode, which sends ranges of MEMOIR messages again.

A range that reaches beyond what has left, or beyond the most messages of a replay, is answered in
part: the replay's begin says how many are to come.
"""

from __future__ import annotations

from collections.abc import Mapping

from feedhandler.transports import memxtcp
from feedhandler.transports.memxtcp import MEMX_TCP
from simulator.publishing.publisher import Publisher
from simulator.services.connection import Patience
from simulator.services.memx_session import OUT_OF_RANGE, MemxPeer, clients_of
from simulator.services.resent import sent_messages
from simulator.serving.peers import Outlet

MOST_MESSAGES = 10_000


class MemxGapServer:
    """The port.

    Args:
        publisher: whose messages.
        passwords: by user.
        most_messages: of one replay.
        patience: see Patience.

    Raises:
        ValueError: a password that does not fit; it is not in the text.
    """

    def __init__(
        self,
        publisher: Publisher,
        passwords: Mapping[str, str],
        *,
        most_messages: int = MOST_MESSAGES,
        patience: Patience | None = None,
    ) -> None:
        self.publisher, self.clients = publisher, clients_of(passwords)
        self.most_messages, self.patience = most_messages, patience or Patience()

    def connect(self, outlet: Outlet, now_ns: int) -> MemxGapPeer:
        """The peer of a new connection."""
        return MemxGapPeer(self, outlet, now_ns)


class MemxGapPeer(MemxPeer):
    """One connection of the port."""

    mode = memxtcp.REPLAY

    def __init__(self, server: MemxGapServer, outlet: Outlet, now_ns: int) -> None:
        super().__init__(server.publisher, server.clients, server.patience, outlet, now_ns)
        self.most_messages = server.most_messages

    def _replay(self, first: int, count: int) -> None:
        messages = sent_messages(self.unit, first, first + min(count, self.most_messages) - 1)
        if not messages:
            self._reject(OUT_OF_RANGE)
            return
        given = {"next_sequence_number": first, "pending_message_count": len(messages)}
        end = MEMX_TCP[memxtcp.REPLAY_COMPLETE].encode(message_count=len(messages))
        begin = MEMX_TCP[memxtcp.REPLAY_BEGIN].encode(given)
        self.send(begin, *map(memxtcp.wrap, messages), end)
