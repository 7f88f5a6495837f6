"""`sweepwire replay` with orders: finds captures and files, runs, prints, writes the results."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from importlib.resources import files
from pathlib import Path
from typing import Final, NamedTuple

import msgspec
import typer

from console.bookplan import book_plan, order_room
from console.main import INTERRUPTED, complain
from console.marketmake import progress_bar
from console.plan import first_time_ns
from console.routed.options import Asked, Pace
from console.routed.replaying import How, replay_with_orders
from console.routed.setup import Setup, read_setup
from console.runreport.results import Results
from console.runreport.screen import print_results
from console.runreport.summary import summary_of
from console.runreport.write import write_results
from console.screen import console
from feedhandler.calendars import common_calendar
from router.venuefile import SHIPPED
from simulator.market.make import CHANNELS
from simulator.market.plan import MarketPlan
from simulator.market.stored import stored_market

PARENTS: Final = "parents.toml"
LIMITS: Final = "limits.toml"
MARKET_PARENTS: Final = Path(__file__).with_name("market-parents.csv")
MARKET_LIMITS: Final = Path(__file__).with_name("market-limits.toml")


class Inputs(NamedTuple):
    """What is run.

    Attributes:
        name: for headings.
        captures: of all lines of all venues.
        channels: their map; None: guessed, or of one feed.
        feed: of every datagram; empty: by the channels.
        parents, limits, venues: files.
    """

    name: str
    captures: Sequence[Path]
    channels: Path | None
    feed: str
    parents: Path
    limits: Path
    venues: Path


def sample_folder() -> Path:
    """The sample market that comes along. Raises BadParameter in an install without it."""
    folder = Path(str(files("captures") / "samples" / "market"))
    if not (folder / CHANNELS).is_file():
        raise typer.BadParameter(f"no sample market in {folder}")
    return folder


def market_folder() -> Path:
    """The market of the usual plan, made now if it is not there. Raises OSError."""
    with progress_bar("making the market, once") as progress:
        folder, _ = stored_market(MarketPlan(), progress)
    return folder


def inputs_of(asked: Asked, captures: Sequence[Path], channels: Path | None, feed: str) -> Inputs:
    """Files named, or those that come along; of the latter each can be replaced."""
    venues = asked.venues or SHIPPED
    if not asked.brought:
        assert asked.parents is not None and asked.limits is not None  # Asked.check saw to it
        name = captures[0].name if len(captures) == 1 else f"{len(captures)} captures"
        return Inputs(name, captures, channels, feed, asked.parents, asked.limits, venues)
    if asked.sample:
        folder = sample_folder()
        name, parents, limits = "the sample market", folder / PARENTS, folder / LIMITS
    else:
        folder = market_folder()
        name, parents, limits = "the made market", MARKET_PARENTS, MARKET_LIMITS
    return Inputs(
        name=name,
        captures=sorted(folder.glob("*.pcap*")),
        channels=folder / CHANNELS,
        feed="",
        parents=asked.parents or parents,
        limits=asked.limits or limits,
        venues=venues,
    )


def prepared(inputs: Inputs, asked: Asked, pace: Pace) -> tuple[How, Setup]:
    """All files read and checked. Raises ConfigError, CaptureError, BadParameter."""
    first_ns = first_time_ns(inputs.captures)
    if first_ns is None:
        raise typer.BadParameter("no packet in these captures")
    plan = book_plan(inputs.captures, inputs.channels, inputs.feed)
    calendar = common_calendar(feed.name for feed in plan.feeds)
    files = inputs.venues, inputs.limits, inputs.parents
    setup = read_setup(*files, first_ns, asked.seed, calendar)
    how = How(
        name=inputs.name,
        files=inputs.captures,
        plan=plan,
        orders=order_room(inputs.captures),
        unknown_trades=asked.assume_trading,
        joined_whole=asked.assume_whole,
        **pace._asdict(),
    )
    return how, setup


def run_with_orders(inputs: Inputs, asked: Asked, pace: Pace, json_file: Path | None) -> int:
    """Runs, prints the report and writes what was asked for; the exit code."""
    results = _results(inputs, asked, pace)
    said = [] if asked.out is None else write_results(asked.out, results)
    if json_file is not None:
        text = msgspec.json.format(msgspec.json.encode(summary_of(results)), indent=1) + b"\n"
        if str(json_file) == "-":
            sys.stdout.write(text.decode())
            for line in said:
                complain(line)
            return exit_code(results)
        json_file.write_bytes(text)
    print_results(console(), results)
    if said:
        typer.echo("\n" + "\n".join(said))
    return exit_code(results)


def _results(inputs: Inputs, asked: Asked, pace: Pace) -> Results:
    if asked.shards is None:
        return replay_with_orders(*prepared(inputs, asked, pace))
    from console.sharded.command import routed_results, shards_in

    shards_in(asked.shards)  # what is wrong there is said before captures are looked at
    return routed_results(*prepared(inputs, asked, pace), asked.shards)


def exit_code(results: Results) -> int:
    """That of Ctrl-C; 1 where the captures could not be read to their ends."""
    if results.facts.interrupted:
        return INTERRUPTED
    return 1 if results.facts.failed else 0
