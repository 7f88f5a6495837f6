"""`sweepwire parent`: parents of a run that goes on, from another process."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Literal

import typer

from console.live.asking import ask, ask_all, sockets_at
from console.live.requests import (
    CANCEL,
    REQUEST_BYTES,
    RESUME,
    SUSPEND,
    Answer,
    Change,
    List,
    Replace,
    Row,
    Send,
)
from console.main import complain
from console.screen import count, table_to_stdout
from nic.configfile import ConfigError
from router.strategies.exact import price

app = typer.Typer(add_completion=False, no_args_is_help=True)
Control = Annotated[
    Path, typer.Option("--control", help="The run's control socket: control in its settings.")
]
Parents = Annotated[list[str], typer.Argument(help="Names of parents.")]
USUAL = Path("control.sock")
REFUSED = 1
COLUMNS = (">number", "name", "symbol", "side", ">quantity", ">executed", ">open", "state")


@app.callback()
def parent() -> None:
    """Send parents to a run that goes on, change them, look at them."""


@app.command()
def send(
    file: Annotated[Path, typer.Argument(help="Parents, TOML or CSV; - reads TOML from stdin.")],
    control: Control = USUAL,
) -> int:
    """Enter the parents of a file, as the run's own file would."""
    form: Literal["toml", "csv"] = "csv" if file.suffix.lower() == ".csv" else "toml"
    answer = ask_all(control, Send(_text_of(file), form))
    if not answer.done and not answer.error:
        answer = Answer(error=f"{file}: there are no parents in it")
    return _told(answer, "sent")


@app.command()
def cancel(names: Parents, control: Control = USUAL) -> int:
    """Cancel what is left of parents."""
    return _told(ask_all(control, Change(CANCEL, names)), "canceled")


@app.command()
def suspend(names: Parents, control: Control = USUAL) -> int:
    """Hold parents back: nothing new is sent for them."""
    return _told(ask_all(control, Change(SUSPEND, names)), "suspended")


@app.command()
def resume(names: Parents, control: Control = USUAL) -> int:
    """Let suspended parents go on."""
    return _told(ask_all(control, Change(RESUME, names)), "resumed")


@app.command()
def replace(
    name: Annotated[str, typer.Argument(help="Name of the parent.")],
    quantity: Annotated[
        int | None, typer.Option(min=1, help="Shares in all, executed ones included.")
    ] = None,
    limit: Annotated[str | None, typer.Option(help="A price, as in 10.25; 0: no limit.")] = None,
    control: Control = USUAL,
) -> int:
    """Change a parent's quantity, its limit, or both."""
    try:
        units = None if limit is None else 0 if limit == "0" else price(limit)
    except ValueError as error:
        raise typer.BadParameter(f"limit: {error}") from None
    return _told(ask_all(control, Replace(name, quantity, units)), "replaced")


@app.command("list")
def list_parents(control: Control = USUAL) -> int:
    """Show the parents of the run."""
    rows = [row for path in sockets_at(control) for row in _rows(path)]
    table_to_stdout(COLUMNS, [_cells(row) for row in rows])
    return 0


def _rows(path: Path) -> list[Row]:
    made, first = list[Row](), 1
    while first:
        answer = ask(path, List(first))
        made += answer.rows
        first = answer.more
    return made


def _cells(row: Row) -> Sequence[str]:
    shares = map(count, (row.quantity, row.executed, row.open))
    return [str(row.number), row.name, row.symbol, row.side, *shares, row.state]


def _text_of(file: Path) -> str:
    try:
        if str(file) == "-":
            raw = sys.stdin.buffer.read(REQUEST_BYTES + 1)
        else:
            with file.open("rb") as opened:
                raw = opened.read(REQUEST_BYTES + 1)
        if len(raw) > REQUEST_BYTES:
            raise ConfigError(f"{file}: expected at most {REQUEST_BYTES} bytes")
        return raw.decode("utf-8-sig")
    except OSError as error:
        raise ConfigError(f"{file}: cannot open: {error.strerror}") from None
    except UnicodeDecodeError as error:
        raise ConfigError(f"{file}: byte {error.start}: expected UTF-8 text") from None


def _told(answer: Answer, what: str) -> int:
    """Says what came of it; the exit code."""
    for name in answer.done:
        typer.echo(f"{what}: {name}")
    for name in answer.unknown:
        complain(f"no parent is named {name!r}")
    if answer.error:
        complain(answer.error)
    return REFUSED if answer.error or answer.unknown else 0
