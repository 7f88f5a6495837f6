"""`sweepwire market`: simulated markets, and what they are like."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from console.marketpage import page, value_text, verdict
from console.screen import table_to_stdout

app = typer.Typer(add_completion=False, no_args_is_help=True)


@app.callback()
def market() -> None:
    """Look at simulated markets."""


@app.command()
def show(
    file: Annotated[Path, typer.Argument(help="Statistics of a market (JSON).")],
    out: Annotated[
        Path | None, typer.Option("--out", "-o", help="The page; beside the file by default.")
    ] = None,
) -> int:
    """Print a market's measures beside their targets, and draw a page of plots (HTML)."""
    from simulator.flow.measures import load

    statistics = load(file)
    rows = [
        (name, f"{low:g} to {high:g}", value_text(value), verdict(low, high, value))
        for name, low, high, value in statistics.rows()
    ]
    table_to_stdout(("what", ">configured", ">measured", ""), rows)
    target = file.with_suffix(".html") if out is None else out
    target.write_text(page(statistics, f"Market {file.stem}"), "utf-8")
    typer.echo(f"\nplots: {target}")
    return 1 if statistics.missed() else 0
