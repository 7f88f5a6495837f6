"""Tables on the terminal, and as plain columns where the output is no terminal."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from typing import IO

from rich.console import Console
from rich.table import Table
from rich.text import Text

PLAIN_COLUMNS = 100
PREFIXES = ("", "k", "M", "G", "T")


def console(file: IO[str] | None = None) -> Console:
    """A console for tables. Where nobody looks, rows are not cut to a screen that is not there."""
    target = sys.stdout if file is None else file
    made = Console(file=target, highlight=False, soft_wrap=False)
    if not made.is_terminal:
        made = Console(file=target, highlight=False, width=4 * PLAIN_COLUMNS)
    return made


def table(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> Table:
    """A table; a column whose name starts with ">" is right-aligned."""
    made = Table(box=None, pad_edge=False, header_style="bold")
    for column in columns:
        right = column.startswith(">")
        name = column.removeprefix(">")
        made.add_column(name, justify="right" if right else "left", overflow="fold")
    for row in rows:
        made.add_row(*(Text(cell) for cell in row))
    return made


def table_to_stdout(
    columns: Sequence[str], rows: Iterable[Sequence[str]], *, title: str | None = None
) -> None:
    """Prints a table, under its title where it has one."""
    out = console()
    if title is not None:
        out.print(Text(title, style="bold"), soft_wrap=True)
    out.print(table(columns, rows))


def count(value: int) -> str:
    """A number with thousands marked."""
    return f"{value:,}"


def size(value: float, unit: str = "B") -> str:
    """A quantity with a decimal prefix: 1.23 MB."""
    step = 0
    while abs(value) >= 1000 and step < len(PREFIXES) - 1:
        value, step = value / 1000, step + 1
    return f"{value:.{2 if step else 0}f} {PREFIXES[step]}{unit}".rstrip()
