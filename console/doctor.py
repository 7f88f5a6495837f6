"""`sweepwire doctor`: what this machine offers a loop that polls."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from console.screen import table_to_stdout
from nic.tuning.machine import facts

app = typer.Typer(add_completion=False)


@app.command()
def doctor(
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
    sysroot: Annotated[
        Path, typer.Option(help="Look at /sys and /proc under this folder.", hidden=True)
    ] = Path("/"),
) -> None:
    """Say what this machine offers a polling loop, and what to change."""
    found = facts(sysroot)
    if as_json:
        typer.echo(json.dumps([asdict(fact) for fact in found], indent=1))
        return
    rows = [(fact.grade.value, fact.name, fact.value, fact.advice) for fact in found]
    table_to_stdout(("", "what", "found", "advice"), rows)
