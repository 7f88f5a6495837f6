"""What people tell all loops at once: kill switches, and new limits."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from nic.configfile import ConfigError
from router.parentcommands import KILL_ALL, ParentCommands
from router.risk.keeper import LimitsKeeper, Reload


class ShardDesk(NamedTuple):
    """The way to one loop, and who keeps its limits."""

    commands: ParentCommands
    limits: LimitsKeeper


class ShardControl:
    """Tells every loop the same.

    Args:
        desks: by name of the shard. Rows of instruments, accounts and venues have the same numbers
            in all of them.

    A loop whose ring of commands is full was not told: its name is given back, and one tells it
    again. The others do not wait for it.
    """

    def __init__(self, desks: Mapping[str, ShardDesk]) -> None:
        self._desks = dict(desks)

    def kill(self, scope: int = KILL_ALL, number: int = 0, *, on: bool = True) -> list[str]:
        """Throws a kill switch in all loops as `ParentCommands.kill`; those that were not told."""
        return [
            name
            for name, desk in self._desks.items()
            if not desk.commands.kill(scope, number, on=on)
        ]

    def venue_down(self, venue: int) -> list[str]:
        """Lets no loop's orders go to a venue; the loops that were not told."""
        return [n for n, desk in self._desks.items() if not desk.commands.venue_down(venue)]

    def venue_up(self, venue: int) -> list[str]:
        """Lets orders go to a venue again; the loops that were not told."""
        return [n for n, desk in self._desks.items() if not desk.commands.venue_up(venue)]

    def end_day(self) -> list[str]:
        """Ends the parents of all loops; the loops that were not told."""
        return [name for name, desk in self._desks.items() if not desk.commands.end_day()]

    def reload(self, path: Path) -> dict[str, Reload]:
        """Puts a file's limits in force in all loops, each its part; by name, what came of it.

        The file is read once: it holds for all or, with the same error, for none.
        """
        keepers = {name: desk.limits for name, desk in self._desks.items()}
        try:
            limits = next(iter(keepers.values())).read(path)
        except ConfigError as error:
            return {name: keeper.refuse(path, str(error)) for name, keeper in keepers.items()}
        return {name: keeper.take(path, limits) for name, keeper in keepers.items()}
