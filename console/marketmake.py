"""`sweepwire market make`: the plan from the options, a progress bar, what was made."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from console.marketpage import value_text, verdict
from console.screen import count, size, table_to_stdout
from simulator.flow.measures import MarketStatistics
from simulator.flow.settings import Settings
from simulator.market.make import Progress as Told
from simulator.market.manifest import Manifest
from simulator.market.plan import MarketPlan, with_venues
from simulator.market.symbols import made_symbols

UNITS_S = {"s": 1.0, "m": 60.0, "h": 3600.0}


def seconds_of(text: str) -> float:
    """A duration as people write it: `90`, `90s`, `10m`, `6.5h`. Raises BadParameter."""
    number, unit = (text[:-1], text[-1]) if text[-1:] in UNITS_S else (text, "s")
    try:
        return float(number) * UNITS_S[unit]
    except ValueError:
        raise typer.BadParameter(f"{text!r}: expected a duration, as 90s, 10m or 6.5h") from None


def symbols_of(text: str) -> list[str]:
    """A number of made symbols, or symbols with commas between them."""
    if text.isdecimal():
        return made_symbols(int(text))
    return [symbol.strip().upper() for symbol in text.split(",")]


def plan_of(
    seed: int, duration: str, symbols: str, venues: str, stop_after: str, settings: Settings
) -> MarketPlan:
    """The plan that the options describe. Raises BadParameter."""
    try:
        names = [name.strip() for name in venues.split(",") if name.strip()]
        return MarketPlan(
            seed=seed,
            seconds=seconds_of(duration),
            stop_s=seconds_of(stop_after) if stop_after else None,
            symbols=symbols_of(symbols),
            settings=with_venues(settings, names) if names else settings,
        )
    except ValueError as error:
        raise typer.BadParameter(str(error)) from None


@contextmanager
def progress_bar(label: str) -> Iterator[Told]:
    """A bar on standard error; where nobody looks, a line at each tenth."""
    screen = Console(file=sys.stderr)
    if not screen.is_terminal:
        yield _lines(label)
        return
    columns = (TextColumn("{task.description}"), BarColumn(), TimeRemainingColumn())
    with Progress(*columns, console=screen, transient=True) as bar:
        task = bar.add_task(label, total=1.0)
        yield lambda share: bar.update(task, completed=share)


def _lines(label: str) -> Told:
    told = [0]

    def tell(share: float) -> None:
        tenths = int(share * 10)
        if tenths > told[0]:
            told[0] = tenths
            print(f"{label}: {10 * tenths} %", file=sys.stderr)

    return tell


def print_made(folder: Path, manifest: Manifest, began_s: float | None) -> None:
    """What is in the folder, by venue."""
    rows = []
    for venue in manifest.venues:
        written = size(sum(file.bytes for file in venue.files))
        rows.append((venue.name, venue.feed, count(venue.messages), count(venue.packets), written))
    table_to_stdout(("venue", "feed", ">messages", ">packets a line", ">both lines"), rows)
    if began_s is None:
        typer.echo(f"\n{folder}: {count(manifest.messages)} messages, made before")
        return
    took_s = time.monotonic() - began_s
    rate = count(round(manifest.messages / took_s))
    typer.echo(
        f"\n{folder}: {count(manifest.messages)} messages in {took_s:.1f} s, {rate} a second"
    )


def print_measures(statistics: MarketStatistics) -> None:
    """Every measure beside its target."""
    rows = [
        (name, f"{low:g} to {high:g}", value_text(value), verdict(low, high, value))
        for name, low, high, value in statistics.rows()
    ]
    table_to_stdout(("what", ">configured", ">measured", ""), rows)
