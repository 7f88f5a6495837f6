"""The control side of a live loop: everything that is done beside it, in turns, on one thread."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Final

from console.live.books import BooksDesk
from console.live.controlsocket import ControlSocket
from console.live.parentdesk import ParentDesk
from console.live.quiet import QuietWatch
from console.live.run import LiveRun
from console.live.sent import LiveCollector
from console.live.session import SessionDesk
from console.live.watching import FileWatch
from feedhandler.commands import Commands
from nic.block import Block
from nic.handoff import SessionLoop
from nic.injectport import InjectPort
from router.entry.layout import CAME_UP, SESSION_EVENTS
from router.orders.states import OVER_BITS
from router.parentcommands import ParentCommands
from router.sessioncommands import SessionCommands

Say = Callable[[str], None]
NS_PER_S: Final = 1_000_000_000
STATUS_NS: Final = 5 * NS_PER_S


class Control:
    """See the module. Call `step` every millisecond or so.

    Args:
        run: the tables.
        block: of the loop, which runs.
        inject: the port that recovery hands packets to the loop by.
        collector: of the router's log.
        say: tells people a line.
        show: tells them how things are, now and then.
        clock: ns since the epoch.
        apart: serves the sessions on a core of its own.

    Attributes:
        desks: of the sessions.
        books: recovery and symbols.
        parents: commands about parents.
    """

    def __init__(
        self,
        run: LiveRun,
        block: Block,
        commands: Commands,
        inject: InjectPort,
        collector: LiveCollector,
        say: Say,
        show: Say,
        clock: Callable[[], int] = time.time_ns,
        apart: SessionLoop | None = None,
    ) -> None:
        self._run, self._block, self._say, self._show = run, block, say, show
        self._collector, self._clock, self._apart = collector, clock, apart
        self.session_commands = SessionCommands(commands, run.tables, clock)
        self.parents = ParentCommands(commands, run.tables, clock)
        self.books = BooksDesk(run, block, commands, inject, clock, say)
        self.watch = FileWatch(run, self.parents, say)
        quiet_ns = round(run.setup.live.quiet_s * NS_PER_S)
        self.quiet = QuietWatch(run, block, self.session_commands, quiet_ns, say)
        self.desks = [self._desk(number) for number in range(len(run.setup.live.sessions))]
        self._asked = self._control_socket()
        self._listed: set[str] = set()
        self._next_status_ns = clock() + STATUS_NS
        collector.told = self._told

    def _control_socket(self) -> ControlSocket | None:
        """Where other processes ask, if the settings name a place."""
        setup = self._run.setup
        if not setup.live.control:
            return None
        desk = ParentDesk(self._run, self.parents, self._say)
        return ControlSocket(setup.path.parent / setup.live.control, desk.answer, self._say)

    def _desk(self, place: int) -> SessionDesk:
        run, given = self._run, self._run.setup.live.sessions[place]
        number = run.venue_numbers[given.venue]
        return SessionDesk(
            number,
            given,
            run.setup.credentials[given.venue],
            run.sessions,
            run.tables,
            self.session_commands,
            self._collector.sent[number],
            self._say,
            self._apart,
        )

    def _told(self, session: int, event: int, orders: int, time_ns: int) -> None:
        """The loop says that a session came up or was lost."""
        if event != CAME_UP and orders:
            name = self._run.setup.venues[session].name
            self._say(f"session {name}: {SESSION_EVENTS[event]}: {orders} open orders are unknown")

    def step(self, *, files: bool = True) -> None:
        """One turn; `files`: whether changed files and other processes count."""
        now_ns = self._clock()
        self._collector.drain()
        self.books.step(now_ns)
        for desk in self.desks:
            desk.step(now_ns)
            venue = desk.given.venue
            if desk.names_feed and desk.names and venue not in self._listed:
                self._listed.add(venue)
                self.books.learn_numbers(venue, desk.names)
        self.quiet.step(now_ns)
        if files:
            self.watch.step(now_ns)
        if files and self._asked is not None:
            self._asked.step(now_ns)
        if now_ns >= self._next_status_ns:
            self._next_status_ns = now_ns + STATUS_NS
            self._show(self.status())

    @property
    def open_orders(self) -> int:
        """Orders that are not over."""
        return int(self._run.tables.head["open_count"])

    @property
    def working_parents(self) -> int:
        """Parents that are not over, those that wait for their time too."""
        states = self._run.tables.used_parents["state"]
        return sum(not (OVER_BITS >> int(state)) & 1 for state in states)

    def status(self) -> str:
        """How things are, in a line."""
        head, control = self._run.tables.head, self._block["control"][0]
        up = sum(desk.is_up for desk in self.desks)
        states = [state for found in self.books.states.values() for state in found]
        live = sum(state == "live" for state in states)
        return (
            f"{int(control['packets']):,} packets, streams live {live}/{len(states)}, "
            f"sessions up {up}/{len(self.desks)}, parents {self.working_parents}, "
            f"open orders {self.open_orders}, sent {int(head['message_count'])}, "
            f"fills {int(head['fill_count'])}"
        )

    def close_socket(self) -> None:
        """Nobody may ask any more."""
        if self._asked is not None:
            self._asked.close()
            self._asked = None

    def close(self) -> None:
        """Ends what is open; the loop must have returned."""
        self.close_socket()
        for desk in self.desks:
            desk.stop()
        self.books.close()
