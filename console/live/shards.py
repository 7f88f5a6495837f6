"""A live run in several loops: each has its core, channels, symbols, sessions and part of limits.

Every loop has its own control side on a thread of its own, so a loop that is in trouble ends by
itself; only a signal, or one that cannot even begin, ends them all.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

import msgspec
import typer

from console import statefile
from console.compiling import Kernel
from console.live.going import Ended, going
from console.live.settings import Live
from console.live.setup import LiveSetup, credentials_of
from console.plan import Plan
from console.runreport.write import write_results
from console.sharded.merging import merged
from console.sharded.pieces import Part, parts_of
from console.sharded.threads import Job, run_together
from feedhandler.shards.config import Shards, check_machine

if TYPE_CHECKING:
    from console.live.command import Came

OTHERS_S: Final = 60.0  # that a loop which does not return waits for the others


def shards_in(live: Live) -> Shards:
    """The shards of the settings."""
    return Shards(shards=tuple(live.shards))


def settings_of(live: Live, number: int) -> Live:
    """The settings of one shard, as if it were the only loop.

    Names of orders are told apart: each shard has a range of its own, as wide as its tables.
    """
    shard = live.shards[number]
    sessions = [s for s in live.sessions if s.shard == shard.name]
    ports = [port for port in live.ports if port.shard in ("", shard.name)]
    return msgspec.structs.replace(
        live,
        name=f"{live.name} {shard.name}",
        shards=[],
        core=shard.core,
        sessions=[msgspec.structs.replace(session, shard="") for session in sessions],
        ports=[msgspec.structs.replace(port, shard="") for port in ports],
        first_token=live.first_token + number * 2 * live.children,
        state=f"{live.state or statefile.path_of(str(os.getpid()))}-{shard.name}",
        results=f"{live.results}/{shard.name}",
        control=f"{live.control}-{shard.name}" if live.control else "",
    )


def setup_of(
    setup: LiveSetup, part: Part, number: int, environment: Mapping[str, str] = os.environ
) -> LiveSetup:
    """What one shard is told. Raises ConfigError."""
    live, owner = settings_of(setup.live, number), part.piece.owner
    return replace(
        setup,
        live=live,
        owner=owner,
        parents=tuple(order for order in setup.parents if owner.owns(order.symbol)),
        credentials=credentials_of(live, setup.path, setup.venues, environment),
    )


def going_in_shards(
    setup: LiveSetup, plan: Plan, kernels: Sequence[Sequence[Kernel]], came: Came
) -> int:
    """Runs all loops until they are told to stop; the worst of their exit codes.

    The results of all together are written beside the folders of each. Raises what one of them
    raises, once the others have ended cleanly.
    """
    shards, trades = shards_in(setup.live), setup.live.assume_trading
    check_machine(shards, setup.path)
    with ExitStack() as stack:
        _, parts = parts_of(plan, shards, setup.path, stack, unknown_trades=trades)
        setups = [setup_of(setup, part, number) for number, part in enumerate(parts)]
        for each in setups if not setup.live.state else []:
            stack.callback(Path(each.live.state).unlink, missing_ok=True)
        crew = Crew([came.copy() for _ in parts])
        jobs = [
            _job(each, part, loop, crew, number)
            for number, (each, part, loop) in enumerate(zip(setups, parts, kernels, strict=True))
        ]
        ended = run_together(jobs)
    write_together(setup, shards, ended)
    return max(one.code for one in ended)


def write_together(setup: LiveSetup, shards: Shards, ended: Sequence[Ended]) -> None:
    """Writes the results of all loops as those of one run."""
    owners = [0, *(shards.owners.owner(symbol) for symbol in setup.symbols)]
    together = merged([one.results for one in ended], shards.names, owners, setup.live.name)
    for line in write_results(setup.path.parent / setup.live.results, together):
        typer.echo(line)


class Crew:
    """The loops of a run, so that one that cannot end lets the others do so first.

    Args:
        came: of each, the signals that it hears.
    """

    def __init__(self, came: Sequence[Came]) -> None:
        self.came = tuple(came)
        self._over = [threading.Event() for _ in came]
        for number, one in enumerate(came):
            one.before_exit = lambda number=number: self.end_others(number)  # type: ignore[misc]

    def ended(self, number: int) -> None:
        """A loop is over."""
        self._over[number].set()

    def end_others(self, number: int) -> None:
        """Asks the others to stop and waits until they have, a minute at most."""
        until_s = time.monotonic() + OTHERS_S
        for other, one in enumerate(self.came):
            if other != number:
                one.stops += 1
        for other, over in enumerate(self._over):
            if other != number:
                over.wait(max(0.0, until_s - time.monotonic()))


def _job(
    setup: LiveSetup, part: Part, kernels: Sequence[Kernel], crew: Crew, number: int
) -> Job[Ended]:
    came = crew.came[number]

    def work() -> Ended:
        try:
            return going(setup, part.plan, kernels, came, part)
        finally:
            crew.ended(number)

    def stop() -> None:
        came.stops += 1

    return Job(f"{part.name} control", None, work, stop)
