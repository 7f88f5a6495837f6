"""Looks for what is silent and should not be: feeds whose books are old news, unanswered orders."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import numpy as np

from console.bookplan import venue_of
from console.live.run import LiveRun
from feedhandler.state import LINK_FAILED
from nic.block import Block
from router.orders.states import STATE
from router.sessioncommands import SessionCommands

LOOK_NS: Final = 100_000_000
UNANSWERED_NS: Final = 5_000_000_000


class QuietWatch:
    """Lets no orders go to a venue whose feed is silent: its book may be wrong, and says nothing.

    Args:
        run: the tables.
        block: of the loop.
        commands: about sessions and feeds.
        quiet_ns: of a feed, heartbeats included; 0: it may be silent.
        say: tells people a line.

    Attributes:
        down: venues, by number, that orders were taken away from here.
    """

    def __init__(
        self,
        run: LiveRun,
        block: Block,
        commands: SessionCommands,
        quiet_ns: int,
        say: Callable[[str], None],
    ) -> None:
        self._run, self._block, self._commands = run, block, commands
        self._quiet_ns, self._say = quiet_ns, say
        self._due_ns = 0
        self._told: set[int] = set()
        self._failed: set[int] = set()
        self.down: set[int] = set()
        self._channels = {
            number: [n for n, c in enumerate(run.plan.channels) if venue_of(c) == venue.quotes]
            for number, venue in enumerate(run.setup.venues)
        }

    def step(self, now_ns: int) -> None:
        """Looks, ten times a second."""
        if now_ns < self._due_ns:
            return
        self._due_ns = now_ns + LOOK_NS
        self._look_at_ports()
        self._look_at_orders(now_ns)
        if self._quiet_ns:
            for number, channels in self._channels.items():
                if channels:
                    self._look_at_feed(number, channels, now_ns)

    def _look_at_feed(self, number: int, channels: list[int], now_ns: int) -> None:
        newest = int(self._block["channels"]["last_timestamp_ns"][channels].max())
        silent = newest != 0 and now_ns - newest > self._quiet_ns
        name = self._run.setup.venues[number].name
        if silent and number not in self.down and self._commands.feed(number, silent=True):
            self.down.add(number)
            self._say(f"feed of {name}: silent for {self._quiet_ns / 1e9:g} s: no orders go there")
        elif not silent and number in self.down and self._commands.feed(number, silent=False):
            self.down.discard(number)
            self._say(f"feed of {name}: it speaks again")

    def _look_at_ports(self) -> None:
        for number in np.flatnonzero(self._block["links"]["status"] == LINK_FAILED).tolist():
            if number not in self._failed:
                self._failed.add(number)
                name = bytes(self._block["link_names"][number]["name"]).decode(errors="replace")
                self._say(f"port {name} has failed")

    def _look_at_orders(self, now_ns: int) -> None:
        rows = self._run.tables.used_children
        waits = (rows["state"] == STATE.pending_new) & (rows["sent_ns"] != 0)
        late = np.flatnonzero(waits & (now_ns - rows["sent_ns"] > UNANSWERED_NS)) + 1
        for child in late.tolist():
            if child not in self._told:
                self._told.add(child)
                venue = self._run.setup.venues[int(rows["venue"][child - 1])].name
                self._say(f"order {child} at {venue}: no answer for {UNANSWERED_NS / 1e9:g} s")
