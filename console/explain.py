"""`sweepwire explain`: what the decision behind an order saw, what it chose, and why."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(add_completion=False)


@app.command()
def explain(
    child: Annotated[int, typer.Argument(help="Number of the order, as in orders.parquet.")],
    results: Annotated[
        Path, typer.Option("--results", help="Folder of a replay's results.")
    ] = Path(),
) -> int:
    """Show the books that the decision behind a child order saw, and why it chose as it did."""
    from console.runreport.explaining import explanation
    from console.screen import console

    out = console()
    for part in explanation(results, child):
        out.print(part, soft_wrap=isinstance(part, str), markup=False)
    return 0
