"""One order session: connected, logged in to, handed to the loop, and again when it was lost.

    waiting ── time ──▶ dialling ── connected ──▶ login ── all was told ──▶ up
       ▲                   │                        │                        │
       └───── later each time: refused, failed, silent, ended, unreadable ◀──┘

While it is up the loop's thread alone has the port. What the venue says before, the loop gets in
pieces; orders that the venue never had are told to it before it may send again.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from typing import Final

import numpy as np

from console.live.dial import Dial
from console.live.sent import Message, SentMessages
from console.live.settings import SessionOf
from feedhandler.actions import SESSION
from nic.handoff import Handoff, SessionLoop
from nic.port import Port, PortError
from nic.regions import allowed
from router.entry.hearing import Hearing
from router.entry.layout import SESSION_EVENTS
from router.entry.logins import IN, LOGINS, OVER, REFUSED, Credentials, Heard, Login, PillarLogin
from router.entry.sessions import Listing, Sessions
from router.orders.states import STATE
from router.sessioncommands import EARLY_BYTES, SessionCommands
from router.tables import ENTER
from router.tablespace import RouterTables

WAITING: Final = "waiting"
DIALLING: Final = "dialling"
LOGIN: Final = "login"
UP: Final = "up"
STOPPED: Final = "stopped"
NS_PER_MS: Final = 1_000_000
NS_PER_S: Final = 1_000_000_000
STEADY_NS: Final = 5 * NS_PER_S  # up so long, the next try comes quickly
UNANSWERED_NS: Final = 5 * NS_PER_S  # what the venue has and does not answer, it has refused
Say = Callable[[str], None]


class SessionDesk:
    """Looks after one session. Nothing in it waits; call `step` every few milliseconds.

    Args:
        number: of the session, which is that of its venue.
        given: its settings.
        credentials: who we are.
        sessions, tables: the router's.
        commands: into the loop.
        sent: what left on it.
        say: tells people a line.
        apart: serves the session on a core of its own while it is up; None: the loop does itself.

    Attributes:
        state: one of those above.
        names: the venue's numbers of instruments by symbol, once it has said them (Pillar, MEO).
        names_feed: whether they are its feed's too.
        tries: to log in, since it was last up for a while.
    """

    def __init__(
        self,
        number: int,
        given: SessionOf,
        credentials: Credentials,
        sessions: Sessions,
        tables: RouterTables,
        commands: SessionCommands,
        sent: SentMessages,
        say: Say,
        apart: SessionLoop | None = None,
    ) -> None:
        self.number, self.given, self._credentials = number, given, credentials
        self._sessions, self._tables, self._commands = sessions, tables, commands
        self._sent, self._say = sent, say
        self.state, self.tries = WAITING, 0
        self.names: dict[str, int] = {}
        self._protocol = sessions.protocol_of(number).name
        login = LOGINS[self._protocol]
        self.names_feed = login.names_feed
        beat_ns, silence_ns = given.beat_ms * NS_PER_MS, given.silence_ms * NS_PER_MS
        sessions.set_beats(number, login.beat, beat_ns, silence_ns)
        self._due_ns = self._began_ns = self._said_ns = 0
        self._dial: Dial | None = None
        self._port: Port | None = None
        self._apart = apart
        self._pair: Handoff | None = None
        self._login: Login | None = None
        self._memory = ExitStack()
        self._units: dict[int, int] = {}
        self._behind = 0
        self._unanswered: list[Message] = []
        self._settle_ns = 0

    # Steps.

    def step(self, now_ns: int) -> None:
        """Whatever is due."""
        if self.state == WAITING and now_ns >= self._due_ns:
            self._dial, self.state = Dial(self.given.uri), DIALLING
        elif self.state == DIALLING:
            self._look_at_dial(now_ns)
        elif self.state == LOGIN:
            try:
                self._go_on(now_ns)
            except PortError as error:
                self._fail(str(error), now_ns)
        elif self.state == UP:
            self._watch(now_ns)

    def _look_at_dial(self, now_ns: int) -> None:
        assert self._dial is not None
        if self._dial.port is not None:
            self._port, self._dial = self._dial.port, None
            self._memory.enter_context(allowed(*self._port.regions))
            self._begin(now_ns)
        elif self._dial.failed:
            self._fail(self._dial.failed, now_ns)

    def _begin(self, now_ns: int) -> None:
        self._login, self._hearing = self._new_login(), Hearing(self._protocol)
        self._early, self._first, self._asked = bytearray(), True, False
        self._references: dict[str, int] = {}
        self._lost: list[Message] | None = None
        self._began_ns, self.state = now_ns, LOGIN
        self._send(self._login.start(), now_ns)

    def _new_login(self) -> Login:
        """The login, behind what the loop has heard on this session today."""
        block, number = self._tables.block, self.number
        heard = int(block["session_contexts"][number]["next_sequence"])
        mine = block["session_units"].reshape(len(self._sessions.rows), -1)[number]
        units = dict(self._units)
        for unit in np.flatnonzero(mine).tolist():
            units[unit] = max(units.get(unit, 0), int(mine[unit]))
        told = Heard(max(heard, self._behind), units, bool(self.names))
        return LOGINS[self._protocol].behind(self._credentials, told)

    def _send(self, data: bytes, now_ns: int) -> None:
        assert self._port is not None
        if data and (error := self._port.send(data)):
            raise PortError(-error, f"{self._port.uri}: {self._port.last_error or 'no room'}")
        self._said_ns = now_ns if data else self._said_ns

    # The login.

    def _go_on(self, now_ns: int) -> None:
        assert self._port is not None and self._login is not None
        login, port = self._login, self._port
        data = b"".join(frame.data for frame in port.poll())
        if data:
            self._read(login, data, now_ns)
        if now_ns - self._said_ns >= self.given.beat_ms * NS_PER_MS:
            self._send(login.beat, now_ns)
        if login.state == IN and login.question and not self._asked:
            self._asked = True
            self._send(login.question, now_ns)
        if login.state in (REFUSED, OVER):
            self._fail(f"the venue says: {login.why}", now_ns)
        elif self._hearing.failed:
            self._fail(self._hearing.failed, now_ns)
        elif port.over:
            self._fail("the venue closed the connection", now_ns)
        elif now_ns - self._began_ns >= self.given.login_ms * NS_PER_MS:
            self._fail("the login took too long", now_ns)
        elif self._hand_on(complete=login.settled) and login.settled:
            self._tell_lost(login, port, now_ns)

    def _read(self, login: Login, data: bytes, now_ns: int) -> None:
        for message in self._hearing.read(data):
            if message.units and not self._units:
                self._units = message.units
            if message.sequence and isinstance(login, PillarLogin):
                login.told = message.sequence
            if message.symbol is not None and message.symbol[0] > 0:
                self._references[message.symbol[1]] = message.symbol[0]
            if message.said is not None:
                self._send(login.hear(SESSION, *message.said), now_ns)
            if message.for_loop:
                self._early += message.raw

    def _hand_on(self, *, complete: bool) -> bool:
        """Gives the loop what it has to hear; whether it has heard all of it.

        Where the login is complete, also the beginning of a message that is not whole.
        """
        if complete:
            self._early += self._hearing.rest
            self._hearing.rest = b""
        if not self._commands.all_taken:
            return False
        if not self._early and not self._first:
            return True
        piece = bytes(self._early[:EARLY_BYTES])
        if self._commands.heard(self.number, piece, first=self._first):
            del self._early[: len(piece)]
            self._first = False
        return False

    def _tell_lost(self, login: Login, port: Port, now_ns: int) -> None:
        """All has been heard: the loop is told what the venue never had, then gets the port."""
        if self._lost is None:
            if login.next_token > int(self._tables.head["token_count"]) + 1:
                self._give_up(f"it has had orders up to {login.next_token - 1}: set first_token")
                return
            if self._references:
                self._relist()
            self._lost = self._lost_messages(login)
            self._unanswered = self._sent.others(self._lost)
            self._lost_count = len(self._lost)
        while self._lost:
            message = self._lost[0]
            if not self._commands.lost(self.number, message.token, message.kind):
                return
            del self._lost[0]
        if self._commands.up(self.number, self._for_loop(port), login.sequence):
            self._came_up(login, now_ns)

    def _for_loop(self, port: Port) -> Port:
        """What the loop gets: the port, or the hot end of a hand-off to the core of sessions."""
        if self._apart is None:
            return port
        if self._pair is None:
            self._pair = Handoff(port)
            self._memory.enter_context(allowed(*self._pair.hot.regions))
            self._apart.add(self._pair)
        return self._pair.hot

    def _came_up(self, login: Login, now_ns: int) -> None:
        self._settle_ns = now_ns + UNANSWERED_NS
        self._behind = login.told + 1 if isinstance(login, PillarLogin) else 0
        self._sent.begin(login.sequence)
        self.state, self._began_ns, self._settled = UP, now_ns, False
        again = f", {self._lost_count} of our messages were lost" if self._lost_count else ""
        self._say(f"{self.name}: logged in as {self.given.username}{again}")

    def _lost_messages(self, login: Login) -> list[Message]:
        if login.counts_ours:
            return self._sent.behind(login.sequence)
        return self._sent.from_token(login.next_token) if login.next_token else []

    def _relist(self) -> None:
        """The venue's own numbers of the instruments that can be traded."""
        self.names = {**self.names, **self._references}
        listings = {
            number: Listing(listing.symbol, self.names[listing.symbol])
            for number, listing in self._sessions.settings[self.number].listings.items()
            if listing.symbol in self.names
        }
        self._sessions.relist(self.number, listings)

    # Up, and down again.

    def _watch(self, now_ns: int) -> None:
        if not self._settled:
            self._settled = self._commands.all_taken
            return
        if self._unanswered and now_ns >= self._settle_ns:
            self._settle_unanswered()
        if not self._commands.is_up(self.number):
            row = self._sessions.rows[self.number]
            why = SESSION_EVENTS[int(row["why"])]
            if self.port is not None and self.port.last_error:
                why += f": {self.port.last_error}"
            self._fail(why, now_ns)

    def _settle_unanswered(self) -> None:
        """Orders that the venue has, and says nothing of: it refused them while we were away."""
        waiting, self._unanswered = self._unanswered, []
        for message in waiting:
            row = self._tables.children[message.child]
            silent = int(row["heard_ns"]) == 0 and int(row["token"]) == message.token
            if silent and int(row["state"]) == STATE.pending_new:
                self._commands.lost(self.number, message.token, ENTER)

    def _fail(self, why: str, now_ns: int) -> None:
        """The session is not, or no longer: the next try comes later each time."""
        steady = self.state == UP and now_ns - self._began_ns >= STEADY_NS
        self.tries = 0 if steady else self.tries
        most_ms = self.given.most_retry_ms
        wait_ms = min(self.given.retry_ms << min(self.tries, 24), most_ms)
        self.tries += 1
        self._close()
        self.state, self._due_ns = WAITING, now_ns + wait_ms * NS_PER_MS
        self._say(f"{self.name}: {why}; next try in {wait_ms / 1000:g} s")

    def _give_up(self, why: str) -> None:
        self._close()
        self.state = STOPPED
        self._say(f"{self.name}: {why}; it stays down")

    def _close(self) -> None:
        if self._dial is not None:
            self._dial.drop()
        self.take_back()
        self._memory.close()
        if self._port is not None:
            self._port.close()
        self._dial = self._port = None

    # The end.

    @property
    def name(self) -> str:
        """Of its venue, for people."""
        return f"session {self.given.venue}"

    @property
    def is_up(self) -> bool:
        """Whether orders can go."""
        return self.state == UP and self._commands.is_up(self.number)

    @property
    def port(self) -> Port | None:
        """What the loop has, while there is a connection."""
        return self._pair.hot if self._pair is not None else self._port

    def ask_down(self) -> None:
        """Asks the loop to let go of the port."""
        if self.state == UP:
            self._commands.down(self.number)

    def take_back(self) -> None:
        """Ends the hand-off: all that was sent has left. The loop must have let go, or be over."""
        if self._pair is not None and self._apart is not None:
            self._apart.remove(self._pair)
            self._pair.close()
            self._pair = None

    def stop(self) -> None:
        """Says goodbye and closes; the loop must have let go of the port, or be over."""
        self.take_back()
        if self._port is not None and self._login is not None and self.state in (UP, LOGIN):
            if self._login.farewell:
                self._port.send(self._login.farewell)
            self._say(f"{self.name}: logged out")
        self._close()
        self.state = STOPPED
