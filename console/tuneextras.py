"""Commands of `sweepwire tune` beside the plan: Onload, PCI drivers, the systemd unit."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer

from console.tuneoptions import (
    ROOT,
    DryRun,
    Fifo,
    Risky,
    State,
    Sysroot,
    cores_of,
    state_path,
)  # fmt: skip
from console.tuneshow import show_dry_run, show_outcomes
from nic.tuning import turn
from nic.tuning.catalog import KINDS
from nic.tuning.knob import Knob, TuneError
from nic.tuning.onload import find_onload, onload_command, onload_environment, onload_script
from nic.tuning.pcibind import check_bind
from nic.tuning.places import Places
from nic.tuning.topology import read_topology
from nic.tuning.unit import COMMAND, CONFIG, USER, UnitWish, unit_text


def onload(
    command: Annotated[list[str], typer.Argument(help="What to run; behind --.")],
    setting: Annotated[
        list[str] | None, typer.Option("--set", help="EF_NAME=VALUE; repeatable.")
    ] = None,
    risky: Risky = False,
    dry_run: DryRun = False,
) -> None:
    """Run a command under Onload, with settings for low latency and what each costs."""
    pairs = [text.partition("=") for text in setting or []]
    if wrong := next((name for name, equals, _ in pairs if not equals), None):
        raise typer.BadParameter(f"--set {wrong}: expected EF_NAME=VALUE")
    given = {name: value for name, _, value in pairs}
    environment = onload_environment(given, risky=risky)
    line = onload_command(command)
    if dry_run:
        typer.echo(onload_script(environment, line))
        return
    program = find_onload()
    values = {name: value for name, (value, _) in environment.items()}
    os.execve(program, line, {**os.environ, **values})


def bind(
    address: Annotated[str, typer.Argument(help="PCI address, as 0000:03:00.0.")],
    driver: Annotated[str, typer.Option(help="The driver that gets it.")] = "vfio-pci",
    risky: Annotated[bool, typer.Option("--risky", help="Even if its interface is up.")] = False,
    dry_run: DryRun = False,
    sysroot: Sysroot = ROOT,
    state: State = None,
) -> int:
    """Give a PCI device to another driver, for DPDK; `restore` gives it back."""
    places = Places(sysroot)
    whole = check_bind(sysroot, address, driver, risky=risky)
    place = f"pci:{whole}"
    found = places.read(place)
    if found is None:
        raise TuneError(f"PCI device {whole} is not there")
    knob = Knob(KINDS["pci-driver"], place, found, f"{driver} {driver}", whole)
    if dry_run:
        typer.echo(f"{whole} has driver and override {found}; costs: {knob.kind.cost}")
        show_dry_run([] if knob.settled else [(place, knob.wanted)], sysroot)
        return 0
    changes = [] if knob.settled else [knob]
    return show_outcomes(turn.apply(changes, places, state_path(state, sysroot)), "set")


def unit(
    core: Annotated[str, typer.Option("--core", "--cores", help="The loop's cores.")] = "",
    config: Annotated[Path, typer.Option(help="Its configuration.")] = CONFIG,
    backend: Annotated[
        list[str] | None, typer.Option(help="Kinds of its ports; repeatable (socket).")
    ] = None,
    fifo: Fifo = False,
    user: Annotated[str, typer.Option(help="Who runs it.")] = USER,
    command: Annotated[Path, typer.Option(help="The sweepwire program.")] = COMMAND,
    out: Annotated[Path | None, typer.Option(help="Write the unit to this file.")] = None,
    sysroot: Sysroot = ROOT,
) -> None:
    """Print the systemd unit of a live loop, with the least rights its ports need."""
    loop = cores_of(core)
    housekeeping = read_topology(sysroot).housekeeping(loop) if loop else frozenset()
    wish = UnitWish(
        loop=loop,
        housekeeping=housekeeping,
        backends=tuple(backend or ("socket",)),
        fifo=fifo,
        user=user,
        command=command,
        config=config,
    )
    text = unit_text(wish)
    if out is None:
        typer.echo(text, nl=False)
    else:
        out.write_text(text, "utf-8")
        typer.echo(f"written to {out}")
