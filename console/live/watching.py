"""Files that may change while the loop runs: limits, and parents that are added."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Final

from console.live.run import LiveRun
from nic.configfile import ConfigError
from router.parentcommands import ParentCommands
from router.strategies.parent import ParentOrder

LOOK_NS: Final = 1_000_000_000


def stamp_of(path: Path | None) -> tuple[int, int]:
    """What changes when a file does; zeros without one."""
    try:
        info = path.stat() if path is not None else None
    except OSError:
        info = None
    return (0, 0) if info is None else (info.st_mtime_ns, info.st_size)


class FileWatch:
    """Puts new limits in force, and hands new parents to the loop.

    Parents are known by their names: who changes one that is known changes nothing.

    Args:
        run: the tables.
        commands: about parents.
        say: tells people a line.
    """

    def __init__(self, run: LiveRun, commands: ParentCommands, say: Callable[[str], None]) -> None:
        self._run, self._commands, self._say = run, commands, say
        setup = run.setup
        self._limits, self._parents = setup.limits_path, setup.parents_path
        self._stamps = stamp_of(self._limits), stamp_of(self._parents)
        self._known = {order.name for order in setup.parents}
        self._due_ns = 0
        self._waiting: list[ParentOrder] = []
        self.asked = False

    def step(self, now_ns: int) -> None:
        """Looks once a second, and at once where `asked` is set."""
        self._enter_waiting()
        if now_ns < self._due_ns and not self.asked:
            return
        asked, self.asked, self._due_ns = self.asked, False, now_ns + LOOK_NS
        stamps = stamp_of(self._limits), stamp_of(self._parents)
        if asked or stamps[0] != self._stamps[0]:
            self._reload_limits()
        if asked or stamps[1] != self._stamps[1]:
            self._read_parents()
        self._stamps = stamps

    def _reload_limits(self) -> None:
        done = self._run.limits.reload(self._limits)
        if done.error:
            self._say(f"limits stay as they were: {done.error}")
            return
        changes = ", ".join(f"{c.key} {c.before} -> {c.after}" for c in done.changes[:5])
        self._say(f"limits read: {changes or 'nothing has changed'}")

    def _read_parents(self) -> None:
        try:
            found = self._run.setup.read_new_parents()
        except ConfigError as error:
            self._say(f"parents stay as they were: {error}")
            return
        fresh = [order for order in found if order.name not in self._known]
        self._known |= {order.name for order in fresh}
        self._waiting += fresh

    def _enter_waiting(self) -> None:
        """New parents go to the loop; those that it takes no more go later."""
        while self._waiting:
            order = self._waiting[0]
            try:
                number = self._commands.new_parent(order, self._run.symbols, self._run.accounts)
            except ValueError as error:
                self._say(f"parent {order.name}: {error}")
                number = -1
            if number == 0:
                return
            del self._waiting[0]
            if number > 0:
                self._say(f"parent {order.name} is parent {number}")
