"""`sweepwire run`: the live loop, from its settings to its results."""

from __future__ import annotations

import signal
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Annotated, Final

import typer

from console.calendar import is_open, market_line
from console.compiling import compile_all
from console.live.going import going
from console.live.setup import LiveSetup, calendar_of_map, is_injected, read_live
from console.live.shards import going_in_shards, shards_in
from console.plan import Plan
from console.routed.replaying import protocols_of, routed_kernels
from console.screen import table_to_stdout
from console.sharded.pieces import plans_of

app = typer.Typer(add_completion=False)
UNCLEAN: Final = 1


@app.command()
def run(
    config: Annotated[Path, typer.Option(help="What to run (TOML); see console/live.")],
    check: Annotated[
        bool, typer.Option("--check", help="Read everything, open nothing, say what it would do.")
    ] = False,
) -> int:
    """Route orders to live venues: joins the feeds, logs in, trades, until a signal or the close.

    The first SIGINT or SIGTERM cancels all open orders and logs out; the second ends at once.
    SIGHUP reads limits and parents again.
    """
    now_ns = time.time_ns()
    setup = read_live(config, now_ns)
    plan, live = setup.plan(now_ns), setup.live
    calendar = calendar_of_map(setup.channels)
    plans = plans_of(plan, shards_in(live), config) if live.shards else [plan]
    if check:
        _tell(setup, plan)
        typer.echo(market_line(calendar, now_ns))
        return 0
    if not is_open(calendar, now_ns):
        typer.echo(market_line(calendar, now_ns))
    kernels = [
        routed_kernels(piece, protocols_of(setup.venues), lines=True, owned=bool(live.shards))
        for piece in plans
    ]
    compile_all([kernel for each in kernels for kernel in each])
    with signals_of_a_run() as came:
        if live.shards:
            return going_in_shards(setup, plan, kernels, came)
        return going(setup, plan, kernels[0], came)


class Came:
    """The signals that came.

    Attributes:
        stops: SIGINT and SIGTERM.
        reload: SIGHUP came since it was last looked at.
        before_exit: called in front of an end that takes the whole process with it.
    """

    def __init__(self) -> None:
        self.stops, self.reload = 0, False
        self._copies: list[Came] = []
        self.before_exit: Callable[[], None] = lambda: None

    def copy(self) -> Came:
        """Another that hears what comes from now on, for one of several loops."""
        made = Came()
        made.stops = self.stops
        self._copies.append(made)
        return made

    def take(self, number: int, _frame: object) -> None:
        """A signal."""
        for copy in self._copies:
            copy.take(number, _frame)
        if number == signal.SIGHUP:
            self.reload = True
        else:
            self.stops += 1


@contextmanager
def signals_of_a_run() -> Iterator[Came]:
    """Keeps signals until there is time for them."""
    came = Came()
    with ExitStack() as stack:
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            stack.callback(signal.signal, number, signal.signal(number, came.take))
        yield came


def _tell(setup: LiveSetup, plan: Plan) -> None:
    """What a run would do."""
    live = setup.live
    rows = [
        (c.name, c.line, c.feed.full_name, f"{c.address.group}:{c.address.udp_port}")
        for c in plan.channels
        if c.feed is not None and c.address is not None and not is_injected(c.address)
    ]
    table_to_stdout(("channel", "line", "feed", "joined at"), rows, title=f"ports: {_ports(live)}")
    protocols = {venue.name: venue.protocol for venue in setup.venues}
    sessions = [
        (one.venue, protocols[one.venue], one.uri.removeprefix("tcp:"), one.username)
        for one in live.sessions
    ]
    table_to_stdout(("session", "protocol", "connects to", "as"), sessions)
    closed = [venue.name for venue in setup.venues if venue.name not in setup.credentials]
    if closed:
        typer.echo(f"no session, so no orders: {', '.join(closed)}")
    typer.echo(f"recovery: {', '.join(setup.recoveries) or 'none: a gap leaves a book stale'}")
    typer.echo(f"symbols: {len(setup.symbols)}; accounts with limits: {', '.join(setup.accounts)}")
    typer.echo(f"hours: {setup.hours.open} to {setup.hours.close} {setup.hours.zone}")
    for shard in live.shards:
        own = [session.venue for session in live.sessions if session.shard == shard.name]
        symbols = ", ".join(shard.symbols)
        typer.echo(
            f"shard {shard.name}: core {shard.core}, symbols {symbols}, share {shard.share}, "
            f"sessions {', '.join(own) or 'none'}"
        )
    place = "wherever the scheduler puts it" if live.core is None else f"core {live.core}"
    place = "each shard on its core" if live.shards else place
    typer.echo(f"the loop: {place}, wait {live.wait}; results go to {live.results}")
    for order in setup.parents:
        side = order.side.replace("_", " ")
        typer.echo(f"parent {order.name}: {side} {order.quantity:,} {order.symbol}")


def _ports(live: object) -> str:
    return ", ".join(port.uri for port in live.ports)  # type: ignore[attr-defined]
