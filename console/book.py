"""`sweepwire book SYMBOL`: the ladders of a symbol, venue by venue, at a moment of captures."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Annotated

import numpy as np
import typer
from numpy.typing import NDArray
from rich.columns import Columns
from rich.console import Group, RenderableType
from rich.text import Text

from console.bookplan import book_plan, venue_of
from console.bookrun import BookRun
from console.main import complain
from console.people import time_text
from console.plan import Plan, first_time_ns
from console.screen import console, count, table
from console.symbolkeys import keys_of
from feedhandler.actions import BUY, PRICE_DECIMALS, SELL
from feedhandler.books.layout import FAULT_NAMES
from feedhandler.books.views import BookViews
from feedhandler.calendars import CMES, common_calendar
from feedhandler.contracts import QUARTERLY, contract_of, is_over
from feedhandler.dates import date_of, zone_of

app = typer.Typer(add_completion=False)
BILLION = 1_000_000_000
SIDES = {BUY: "bid", SELL: "offer"}
FEWEST_DECIMALS = 2


@app.command()
def book(
    symbol: Annotated[str, typer.Argument(help="The symbol, in any spelling: BRK.A, BRK A.")],
    files: Annotated[
        list[Path], typer.Argument(help="Captures, merged by time.", exists=True, dir_okay=False)
    ],
    venue: Annotated[
        list[str] | None, typer.Option(help="Only this venue; may be given several times.")
    ] = None,
    at: Annotated[
        str, typer.Option(help="As of then: 09:30:01.5 venue time, or 2026-03-16T09:30:01.")
    ] = "",
    depth: Annotated[int, typer.Option(min=1, help="Levels of each side.")] = 10,
    orders: Annotated[bool, typer.Option("--orders", help="Order by order.")] = False,
    channels: Annotated[
        Path | None, typer.Option(help="Channel map (TOML): which feed comes where.")
    ] = None,
    feed: Annotated[str, typer.Option(help="Every datagram is of this feed.")] = "",
    strict: Annotated[
        bool, typer.Option("--strict", help="Stop at the first impossible input.")
    ] = False,
) -> int:
    """Show a symbol's books at the end of captures, or as of a moment in them.

    Lines A and B are put together; a book with a gap says that it is stale. Exit code 1: --strict
    stopped.
    """
    plan = book_plan(files, channels, feed)
    chosen = _chosen(plan, venue)
    keys = keys_of(symbol, plan, files)
    if not keys:
        raise typer.BadParameter(f"no venue in these captures names {symbol}")
    zone = plan.feeds[0].zone
    until_ns = _moment(at, first_time_ns(files), zone) if at else None
    with BookRun(plan, files, strict=strict) as run:
        run.run(until_ns)
        if run.stopped:
            complain(run.stopped)
            return 1
        parts = []
        for name, views in run.books.items():
            key = keys.get(name)
            if name in chosen and key is not None:
                parts.append(_venue(name, views, views.instrument(key), depth, orders))
        out = console()
        moment_ns = until_ns or run.last_ns
        about = contract_text(symbol, plan, moment_ns)
        out.print(Text(f"{symbol}{about} at {time_text(moment_ns, zone)}", style="bold"))
        out.print(Columns(parts, padding=(0, 4)))
    return 0


def contract_text(symbol: str, plan: Plan, moment_ns: int) -> str:
    """What a future's name says at a moment, in brackets: " (ES 2026-06, until 2026-06-19)"."""
    calendar = common_calendar(feed.name for feed in plan.feeds)
    day = date_of(moment_ns, calendar.zone)
    found = contract_of(symbol, day) if calendar is CMES else None
    if found is None:
        return ""
    last = f", until {found.last_day}" if found.root in QUARTERLY else ""
    over = ", expired" if is_over(found, day) else ""
    return f" ({found.root} {found.year}-{found.month:02}{last}{over})"


def _chosen(plan: Plan, venues: list[str] | None) -> set[str]:
    there = {venue_of(channel) for channel in plan.channels if channel.feed is not None}
    for name in venues or []:
        if name not in there:
            raise typer.BadParameter(f"--venue {name}: there are {', '.join(sorted(there))}")
    return set(venues) if venues else there


def _moment(text: str, first_ns: int | None, zone: str) -> int:
    """Epoch ns of a time of day on the captures' first day, or of a date and time."""
    whole, _, fraction = text.partition(".")
    if fraction and not (fraction.isdigit() and len(fraction) <= len("123456789")):
        raise typer.BadParameter(f"--at {text}: expected at most 9 digits of a second")
    if "T" not in whole and ":" in whole:
        day = datetime.fromtimestamp((first_ns or 0) // BILLION, zone_of(zone)).date()
        whole = f"{day}T{whole}"
    try:
        moment = datetime.fromisoformat(whole)
    except ValueError:
        raise typer.BadParameter(f"--at {text}: expected 09:30:01.5 or a date and time") from None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=zone_of(zone))
    return int(moment.timestamp()) * BILLION + int(fraction.ljust(9, "0") or 0)


def price_text(price: int) -> str:
    """A price of 1e-8 units, with at least two decimals."""
    sign, size = ("-", -price) if price < 0 else ("", price)
    whole, rest = divmod(size, 10**PRICE_DECIMALS)
    decimals = f"{rest:0{PRICE_DECIMALS}}".rstrip("0").ljust(FEWEST_DECIMALS, "0")
    return f"{sign}{whole}.{decimals}"


def _venue(
    name: str, views: BookViews, instrument: int | None, depth: int, orders: bool
) -> RenderableType:
    """One venue's title and table."""
    if instrument is None:
        return Group(Text(name, style="bold"), Text("no book yet"))
    fault = FAULT_NAMES[int(views.best(instrument)["fault"])]
    marked = "" if fault == "none" else f", {fault}"
    title = Text(f"{name} ({views.trust(instrument)}{marked})", style="bold")
    sides = [views.ladder(instrument, side, depth) for side in SIDES]
    shown = [title, _ladder(*sides)]
    if orders:
        shown.append(_orders(views.orders(instrument), sides))
    return Group(*shown)


def _ladder(bids: NDArray[np.void], offers: NDArray[np.void]) -> RenderableType:
    """Both sides beside each other, the best on top."""
    rows = []
    for rank in range(max(len(bids), len(offers))):
        left = _level(bids, rank)
        right = _level(offers, rank)
        rows.append((*left, *reversed(right)))
    columns = (">orders", ">bid size", ">bid", ">offer", ">offer size", ">orders")
    return table(columns, rows)


def _level(levels: NDArray[np.void], rank: int) -> tuple[str, str, str]:
    if rank >= len(levels):
        return "", "", ""
    price, quantity, orders = levels[rank].tolist()
    return count(orders), count(quantity), price_text(price)


def _orders(found: NDArray[np.void], sides: list[NDArray[np.void]]) -> RenderableType:
    """The orders of the levels shown, in the order of their queues."""
    shown = {(side, int(p)) for side, one in zip(SIDES, sides, strict=True) for p in one["price"]}
    rows = []
    for row in found:
        side, price = int(row["side"]), int(row["price"])
        if (side, price) in shown:
            numbers = (int(row[name]) for name in ("quantity", "position", "sequence"))
            size, *rest = map(count, numbers)
            rows.append((SIDES[side], price_text(price), size, *rest, str(row["id"])))
    return table(("side", ">price", ">size", ">queue", ">sequence", ">order"), rows)
