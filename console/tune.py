"""`sweepwire tune`: the machine's settings for a polling loop, and the way back."""

from __future__ import annotations

import json
from dataclasses import asdict
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from console import tuneextras
from console.screen import table_to_stdout
from console.tuneoptions import (
    ROOT,
    Channels,
    Cores,
    DryRun,
    Fifo,
    Interface,
    Only,
    PageKib,
    Pages,
    Risky,
    State,
    Sysroot,
    state_path,
    wish_of,
)  # fmt: skip
from console.tuneshow import (
    knob_table,
    saved_pairs,
    show_dry_run,
    show_knobs,
    show_notes,
    show_outcomes,
    show_topology,
)  # fmt: skip
from nic.tuning import boot as booting
from nic.tuning import tune as tuning
from nic.tuning import turn
from nic.tuning.places import Places
from nic.tuning.plan import Plan, make_plan
from nic.tuning.wish import NORMAL_PAGE_KIB

app = typer.Typer(add_completion=False, no_args_is_help=True)
app.command()(tuneextras.onload)
app.command()(tuneextras.bind)
app.command()(tuneextras.unit)


class BootFormat(StrEnum):
    """What reads the boot parameters."""

    GRUB = "grub"
    TUNED = "tuned"


@app.callback()
def tune() -> None:
    """Tune the machine for a polling loop, and take it back."""


@app.command()
def show(
    cores: Cores = "",
    interface: Interface = "",
    pages: Pages = None,
    page_kib: PageKib = NORMAL_PAGE_KIB,
    channels: Channels = None,
    fifo: Fifo = False,
    risky: Risky = False,
    only: Only = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
    sysroot: Sysroot = ROOT,
) -> None:
    """Show the plan: every knob, what it is, what it should be and what that costs."""
    wish = wish_of(cores, interface, pages, page_kib, channels, fifo, risky, only)
    plan = make_plan(wish, Places(sysroot))
    if as_json:
        typer.echo(json.dumps(_plan_json(plan), indent=1))
        return
    _show(plan)


def _plan_json(plan: Plan) -> dict[str, object]:
    return {
        "loop": sorted(plan.loop),
        "housekeeping": sorted(plan.housekeeping),
        "node": plan.node,
        "knobs": [{**asdict(knob), "settled": knob.settled} for knob in plan.knobs],
        "boot": [{**asdict(p), "given": p not in plan.not_booted} for p in plan.boot],
        "notes": plan.notes,
    }


def _show(plan: Plan) -> None:
    show_topology(plan)
    show_knobs(plan.knobs, plan)
    show_notes(plan.notes)


@app.command()
def apply(
    cores: Cores = "",
    interface: Interface = "",
    pages: Pages = None,
    page_kib: PageKib = NORMAL_PAGE_KIB,
    channels: Channels = None,
    fifo: Fifo = False,
    risky: Risky = False,
    only: Only = None,
    dry_run: DryRun = False,
    sysroot: Sysroot = ROOT,
    state: State = None,
) -> int:
    """Turn the knobs, after what was there is saved; read each back."""
    wish = wish_of(cores, interface, pages, page_kib, channels, fifo, risky, only)
    places = Places(sysroot)
    plan = make_plan(wish, places)
    if dry_run:
        _show(plan)
        show_dry_run([(knob.place, knob.wanted) for knob in plan.changes], sysroot)
        return 0
    show_knobs(plan.changes)
    show_notes(plan.notes)
    return show_outcomes(tuning.tune(plan, wish, places, state_path(state, sysroot)), "set")


@app.command()
def restore(dry_run: DryRun = False, sysroot: Sysroot = ROOT, state: State = None) -> int:
    """Put back what was there before the first `apply`."""
    path, places = state_path(state, sysroot), Places(sysroot)
    if dry_run:
        show_dry_run(saved_pairs(turn.would_restore(places, path)), sysroot)
        return 0
    outcomes = turn.restore(places, path)
    if not outcomes:
        typer.echo(f"nothing to put back: no settings are saved in {path}")
        return 0
    return show_outcomes(outcomes, "put back")


@app.command()
def boot(
    cores: Cores = "",
    interface: Interface = "",
    risky: Risky = False,
    form: Annotated[BootFormat, typer.Option("--format", help="For whom.")] = BootFormat.GRUB,
    out: Annotated[Path | None, typer.Option(help="Write the text to this file.")] = None,
    sysroot: Sysroot = ROOT,
) -> None:
    """Print the boot parameters that keep cores free; what reads them is changed by nobody here."""
    wish = wish_of(cores, interface, None, NORMAL_PAGE_KIB, None, False, risky, None)
    plan = make_plan(wish, Places(sysroot))
    wanted = plan.boot
    grub = form == BootFormat.GRUB
    text = booting.grub_line(wanted) if grub else booting.tuned_profile(plan.loop, wanted)
    if out is not None:
        out.write_text(text.rstrip("\n") + "\n", "utf-8")
        typer.echo(f"written to {out}; nothing reads it before you put it in its place")
        return
    table_to_stdout(("parameter", "what", "costs"), [(p.text, p.what, p.cost) for p in wanted])
    typer.echo("for /etc/default/grub, then update-grub and a reboot:" if grub else "profile:")
    typer.echo(text)


@app.command()
def knobs() -> None:
    """Print the table of all knobs as Markdown."""
    typer.echo("\n".join(knob_table()))
