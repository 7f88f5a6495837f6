"""`sweepwire top`: the counters of a running loop, seen from another process."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Annotated, Any

import msgspec
import typer
from rich.console import Group
from rich.live import Live
from rich.text import Text

from console import statefile
from console.report import tables
from console.screen import console
from console.snapshot import snapshot
from nic.block import Block, attach

app = typer.Typer(add_completion=False)
NEEDED = ("control", "links", "channels", "about", "channel_names", "link_names")
NS_PER_S = 1e9


@app.command()
def top(
    loop: Annotated[
        str, typer.Argument(help="A state file, or a loop's name (its process id).")
    ] = "",
    once: Annotated[bool, typer.Option("--once", help="Show once and end.")] = False,
    as_json: Annotated[
        bool, typer.Option("--json", help="JSON; without --once one line each interval.")
    ] = False,
    interval_s: Annotated[
        float, typer.Option("--interval", min=0.05, help="Seconds between looks.")
    ] = 1.0,
) -> int:
    """Watch the counters of a running loop. Without a name: the newest one."""
    path = _find(loop)
    with _attach(path) as block:
        if as_json:
            return _json_lines(block, once, interval_s)
        if once:
            console().print(_screen(path, snapshot(block), None))
            return 0
        return _watch(path, block, interval_s)


def _find(loop: str) -> Path:
    if loop:
        candidates = [Path(loop)]
        if "/" not in loop:
            candidates.append(statefile.path_of(loop))
        found = next((path for path in candidates if path.is_file()), None)
        if found is None:
            names = " and no ".join(map(str, candidates))
            raise typer.BadParameter(f"no loop {loop!r}: there is no {names}")
        return found
    running = [path for path in statefile.blocks() if _is_running(path)]
    if not running:
        folder = statefile.folder()
        raise typer.BadParameter(f"no running loop in {folder}: give the path of its state file")
    return running[0]


def _is_running(path: Path) -> bool:
    try:
        with _attach(path) as block:
            return statefile.alive(int(block["about"]["pid"][0]))
    except (OSError, typer.BadParameter):
        return False


def _attach(path: Path) -> Block:
    try:
        block = attach(path)
    except ValueError as error:
        raise typer.BadParameter(str(error)) from None
    missing = [name for name in NEEDED if name not in block.sections]
    if missing:
        block.close()
        raise typer.BadParameter(f"{path}: not the counters of a loop: no section {missing[0]}")
    return block


def _screen(path: Path, now: dict[str, Any], before: dict[str, Any] | None) -> Group:
    state = "running" if now["running"] and now["alive"] else "ended"
    if now["running"] and not now["alive"]:
        state = "killed: its process is gone"
    seconds = (now["time_ns"] - now["started_ns"]) / NS_PER_S
    lead = f"{path}  process {now['pid']}  {state}  {seconds:.0f} s since its start"
    return Group(Text(lead, style="bold"), Text(), tables(now, before))


def _json_lines(block: Block, once: bool, interval_s: float) -> int:
    while True:
        now = snapshot(block)
        typer.echo(msgspec.json.encode(now).decode())
        if once or not (now["alive"] and now["running"]):
            return 0
        time.sleep(interval_s)


def _watch(path: Path, block: Block, interval_s: float) -> int:
    before = snapshot(block)
    with Live(_screen(path, before, None), console=console(), auto_refresh=False) as live:
        while before["alive"] and before["running"]:
            try:
                time.sleep(interval_s)
            except KeyboardInterrupt:  # how one leaves a screen that never ends
                break
            now = snapshot(block)
            live.update(_screen(path, now, before), refresh=True)
            before = now
    return 0
