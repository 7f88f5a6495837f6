"""What all gateways share: accounts with their sessions, the way to the matching and back."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from simulator.gateways.accounts import Account, checked, may_enter
from simulator.gateways.orders import TOLD, Told
from simulator.gateways.session import Session
from simulator.matching import records as r
from simulator.serving.peers import Outlet, Peer

Records = NDArray[np.void]
Submit = Callable[[Records], None]
SECOND_NS: Final = 1_000_000_000
MOST_ENDED: Final = 256  # connections whose end is remembered


@dataclass(frozen=True)
class Pace:
    """How long a connection may take.

    Attributes:
        beat_ns: of our own silence, before a heartbeat.
        silence_ns: of the client's, before it counts as gone.
        login_ns: from the start to a login.
    """

    beat_ns: int = SECOND_NS
    silence_ns: int = 15 * SECOND_NS
    login_ns: int = 15 * SECOND_NS


class Gateway(ABC):
    """Order entry of one venue in one protocol.

    Args:
        accounts: by username.
        symbols: instruments, the first is the matching's number 1.
        submit: takes COMMAND_DTYPE records; what comes of them is told to `hear`, within the call
            or later.
        pace: how long connections may take; None: as the protocol has it.
        most_orders: not over at a time, an account.
        most_kept: messages of a session; one that has more can enter nothing any more.
        self_trade: STP_ mode of orders that ask for none, where the account has a group.

    Attributes:
        ended: (client's address, reason) of the connections that ended, the last ones.
        closed: the day is over.

    A session keeps all that its client was told until the day is over: it may ask for any of it.

    Raises ValueError for accounts that share an owner or that no login of the protocol can name.
    """

    usual_pace = Pace()
    widths: tuple[int, int]  # of a username and a password on the wire

    def __init__(
        self,
        accounts: Mapping[str, Account],
        symbols: Sequence[str],
        submit: Submit,
        *,
        pace: Pace | None = None,
        most_orders: int = 1 << 16,
        most_kept: int = 1 << 22,
        self_trade: int = r.STP_CANCEL_NEW,
    ) -> None:
        self.symbols = tuple(symbols)
        self.numbers = {symbol: number for number, symbol in enumerate(symbols, 1)}
        self.pace = pace or self.usual_pace
        self.most_orders, self.most_kept, self.self_trade = most_orders, most_kept, self_trade
        self.ended: deque[tuple[str, str]] = deque(maxlen=MOST_ENDED)
        self.closed = False
        self._submit = submit
        self._waiting: deque[Records] = deque()
        self._hearing = self._flushing = False
        made = checked(accounts, *self.widths)
        self._accounts = made
        self.sessions = {name: self.make_session(name, account) for name, account in made.items()}
        self._by_owner = {made[name].owner: session for name, session in self.sessions.items()}
        self._known = np.zeros(max(self._by_owner, default=0) + 2, np.bool_)
        self._known[list(self._by_owner)] = True

    @abstractmethod
    def make_session(self, name: str, account: Account) -> Session:
        """What an account has for the day."""

    @abstractmethod
    def peer(self, outlet: Outlet, now_ns: int) -> Peer:
        """Our end of a new connection, for `Reactor.listen`."""

    def session_of(self, username: str, password: str) -> Session | None:
        """The session that a login opens; None when it opens none."""
        account = self._accounts.get(username)
        return self.sessions[username] if may_enter(account, password) else None

    def command(self, commands: Records) -> None:
        """Sends commands to the matching; while reports are heard they wait."""
        self._waiting.append(commands)
        self._flush()

    def hear(self, reports: Records) -> None:
        """Takes REPORT_DTYPE records in order; those of other owners are passed over."""
        last = len(self._known) - 1
        mine = reports[self._known[np.clip(reports["owner"], 0, last)]]
        if not len(mine):
            return
        self._hearing = True
        try:
            for row in mine[TOLD].tolist():
                told = Told(*row)
                self._by_owner[told.owner].hear(told)
        finally:
            self._hearing = False
        self._flush()

    def end_of_day(self, now_ns: int) -> None:
        """Tells all sessions; their orders are over by the matching's own reports before this."""
        if self.closed:
            return
        self.closed = True
        for session in self.sessions.values():
            session.end_of_day(now_ns)

    def _flush(self) -> None:
        if self._flushing or self._hearing:
            return
        self._flushing = True
        try:
            while self._waiting:
                self._submit(self._waiting.popleft())
        finally:
            self._flushing = False
