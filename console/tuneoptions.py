"""What the commands of `sweepwire tune` read from their command line."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from nic.thread import parse_cores
from nic.tuning import saved
from nic.tuning.knob import Group
from nic.tuning.wish import NORMAL_PAGE_KIB, Wish

Cores = Annotated[str, typer.Option(help="The loop's cores, as 2,4-6; default: the isolated ones.")]
Interface = Annotated[str, typer.Option("-i", "--interface", help="The NIC of the feeds.")]
Pages = Annotated[int | None, typer.Option(min=0, help="Huge pages on the loop's node.")]
PageKib = Annotated[int, typer.Option(min=4, help="Size of a huge page in KiB.")]
Channels = Annotated[int | None, typer.Option(min=1, help="Queues of the NIC (risky).")]
Fifo = Annotated[bool, typer.Option("--fifo", help="The loop runs under SCHED_FIFO.")]
Risky = Annotated[bool, typer.Option("--risky", help="Risky knobs too.")]
Only = Annotated[list[Group] | None, typer.Option(help="Knobs of this group; repeatable.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Print what would be done; write nothing.")]
Sysroot = Annotated[
    Path, typer.Option(help="Work on the /sys and /proc under this folder, for trials.")
]
State = Annotated[
    Path | None, typer.Option(help="Where the settings of before are kept (default: see page).")
]
ROOT = Path("/")


def cores_of(text: str) -> frozenset[int]:
    """The cores of `--cores`; none where it was not given. Raises CoreError."""
    return frozenset(parse_cores(text)) if text else frozenset()


def state_path(given: Path | None, sysroot: Path) -> Path:
    """The file of `--state`, or the usual one."""
    return given if given is not None else saved.default_path(sysroot)


def wish_of(
    cores: str,
    interface: str,
    pages: int | None,
    page_kib: int,
    channels: int | None,
    fifo: bool,
    risky: bool,
    only: list[Group] | None,
) -> Wish:
    """What is asked for."""
    return Wish(
        cores=cores_of(cores),
        interface=interface or None,
        pages=pages,
        page_kib=page_kib or NORMAL_PAGE_KIB,
        channels=channels,
        fifo=fifo,
        risky=risky,
        groups=frozenset(only or Group),
    )
