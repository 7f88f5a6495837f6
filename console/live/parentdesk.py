"""Does what another process asks about parents; runs where the other commands come from."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from console.live.requests import (
    CANCEL,
    MOST_ROWS,
    SUSPEND,
    Answer,
    AnyRequest,
    Change,
    Replace,
    Row,
    Send,
)
from console.live.run import LiveRun
from feedhandler.actions import BUY
from nic.configfile import ConfigError
from router.orders.states import OVER_BITS, STATES
from router.parentcommands import ParentCommands

RING_FULL: Final = "the loop takes no more just now: ask again"


class ParentDesk:
    """See the module.

    Args:
        run: the tables.
        commands: into the loop.
        say: tells people a line.
    """

    def __init__(self, run: LiveRun, commands: ParentCommands, say: Callable[[str], None]) -> None:
        self._run, self._commands, self._say = run, commands, say

    def answer(self, request: AnyRequest, who: str) -> Answer:
        """Does what is asked; `who` asks is told to people."""
        if isinstance(request, Send):
            return self._send(request, who)
        if isinstance(request, Change):
            return self._change(request, who)
        if isinstance(request, Replace):
            return self._replace(request, who)
        return self._list(request.first)

    def _send(self, request: Send, who: str) -> Answer:
        run, done = self._run, list[str]()
        try:
            orders = run.setup.parents_in(request.text, f"request.{request.form}")
        except ConfigError as error:
            return Answer(error=str(error))
        for order in orders:
            if self._number_of(order.name):
                return Answer(error=f"parent {order.name}: there is one of that name already")
        for order in orders:
            try:
                number = self._commands.new_parent(order, run.symbols, run.accounts)
            except ValueError as error:
                return Answer(error=f"parent {order.name}: {error}", done=done)
            if number == 0:
                return Answer(error=f"parent {order.name}: {RING_FULL}", done=done)
            done.append(order.name)
            self._say(f"{who} sends parent {order.name}, which is parent {number}")
        return Answer(done=done)

    def _number_of(self, name: str) -> int:
        """The number of a parent; 0: there is none of that name."""
        try:
            return self._commands.number_of(name)
        except KeyError:
            return 0

    def _change(self, request: Change, who: str) -> Answer:
        tell = {CANCEL: self._commands.cancel_parent, SUSPEND: self._commands.suspend_parent}
        done, unknown = list[str](), list[str]()
        for name in request.names:
            number = self._number_of(name)
            if number == 0:
                unknown.append(name)
            elif over := self._over(number):
                return Answer(error=f"parent {name}: {over}", done=done, unknown=unknown)
            elif not tell.get(request.action, self._commands.resume_parent)(number):
                return Answer(error=f"parent {name}: {RING_FULL}", done=done, unknown=unknown)
            else:
                done.append(name)
                self._say(f"{who} says {request.action} parent {name}")
        return Answer(done=done, unknown=unknown)

    def _over(self, number: int) -> str:
        """How a parent ended; empty: it has not."""
        state = int(self._run.tables.parents[number]["state"])
        return f"it is {STATES[state]}" if OVER_BITS >> state & 1 else ""

    def _replace(self, request: Replace, who: str) -> Answer:
        name, number = request.name, self._number_of(request.name)
        if number == 0:
            return Answer(unknown=[name])
        if over := self._over(number):
            return Answer(error=f"parent {name}: {over}")
        more = {"quantity": request.quantity, "limit": request.limit}
        try:
            told = self._commands.replace_parent(number, **more)
        except ValueError as error:
            return Answer(error=f"parent {name}: {error}")
        if not told:
            return Answer(error=f"parent {name}: {RING_FULL}")
        self._say(f"{who} replaces parent {name}: {more}")
        return Answer(done=[name])

    def _list(self, first: int) -> Answer:
        block, names = self._run.tables.block, self._run.setup.symbols
        used = int(block["curves"][0]["used_parents"])
        rows = [
            Row(
                number=number,
                name=bytes(row["name"]).decode(),
                symbol=names[int(row["instrument"]) - 1],
                side="buy" if int(row["side"]) == BUY else "sell",
                quantity=int(row["quantity"]),
                executed=int(row["cum"]),
                open=int(row["open"]),
                state=STATES[int(row["state"])],
            )
            for number in range(first, min(used, first + MOST_ROWS - 1) + 1)
            for row in [block["parents"][number]]
        ]
        behind = first + len(rows)
        return Answer(rows=rows, more=behind if rows and behind <= used else 0)
