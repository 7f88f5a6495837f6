"""`sweepwire market`: simulated markets, and what they are like."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Annotated

import typer

from console.marketpage import page

app = typer.Typer(add_completion=False, no_args_is_help=True)


@app.callback()
def market() -> None:
    """Make simulated markets, and look at them."""


@app.command()
def show(
    file: Annotated[Path, typer.Argument(help="Statistics of a market (JSON).")],
    out: Annotated[
        Path | None, typer.Option("--out", "-o", help="The page; beside the file by default.")
    ] = None,
) -> int:
    """Print a market's measures beside their targets, and draw a page of plots (HTML)."""
    from console.marketmake import print_measures
    from simulator.flow.measures import load

    statistics = load(file)
    print_measures(statistics)
    target = file.with_suffix(".html") if out is None else out
    target.write_text(page(statistics, f"Market {file.stem}"), "utf-8")
    typer.echo(f"\nplots: {target}")
    return 1 if statistics.missed() else 0


@app.command()
def make(
    seed: Annotated[int, typer.Option(help="Of everything that is drawn.")] = 1,
    duration: Annotated[str, typer.Option(help="Of the trading: 90s, 10m, 6.5h.")] = "10m",
    symbols: Annotated[
        str, typer.Option(help="How many, or which, with commas between them.")
    ] = "50",
    venues: Annotated[str, typer.Option(help="Which, with commas; all by default.")] = "",
    out: Annotated[
        Path | None,
        typer.Option("--out", "-o", help="Folder; by default kept among the caches and reused."),
    ] = None,
    stop_after: Annotated[
        str, typer.Option(help="Leave the session after so much trading, with live books.")
    ] = "",
    settings: Annotated[
        Path | None, typer.Option(help="Parameters of the order flow (TOML).")
    ] = None,
    faults: Annotated[
        Path | None, typer.Option(help="What goes wrong on the lines (TOML); needs --out.")
    ] = None,
    tapes: Annotated[
        bool, typer.Option("--tapes", help="Consolidated tapes too (UQDF, CQS); needs --out.")
    ] = False,
    tape_delay_us: Annotated[
        float, typer.Option("--tape-delay", min=0, help="How late the tapes are, us.")
    ] = 500.0,
    statistics: Annotated[
        bool, typer.Option("--statistics", help="Measure it beside its targets; kept ones are.")
    ] = False,
) -> int:
    """Make a market: a capture of each line of each venue, its channel map, books and manifest.

    The same seed and options give the same bytes.
    """
    from console.marketmake import plan_of, print_made, print_measures, progress_bar
    from simulator.flow.measures import load
    from simulator.flow.settings import load_settings
    from simulator.market.make import make_market
    from simulator.market.manifest import MANIFEST
    from simulator.market.stored import STATISTICS, market_folder, measured_market, stored_market
    from simulator.market.tapes import TapePlan
    from simulator.publishing.faults import NO_FAULTS, load_faults

    if faults is not None and out is None:
        raise typer.BadParameter("--faults needs --out")
    if tapes and out is None:
        raise typer.BadParameter("--tapes needs --out")
    told = TapePlan(round(tape_delay_us * 1000)) if tapes else None
    plan = plan_of(seed, duration, symbols, venues, stop_after, load_settings(settings))
    planned = NO_FAULTS if faults is None else load_faults(faults)
    began_s = (
        None if out is None and (market_folder(plan) / MANIFEST).exists() else time.monotonic()
    )
    with progress_bar("making the market") as progress:
        if out is None:
            folder, manifest = stored_market(plan, progress)
        else:
            folder = out
            folder.mkdir(parents=True, exist_ok=True)
            if statistics:
                manifest = measured_market(plan, folder, progress, planned, told)
            else:
                manifest = make_market(plan, folder, faults=planned, tapes=told, progress=progress)
    print_made(folder, manifest, began_s)
    if not (folder / STATISTICS).exists():
        return 0
    measured = load(folder / STATISTICS)
    print_measures(measured)
    return 1 if measured.missed() else 0
