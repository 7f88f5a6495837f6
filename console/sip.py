"""`sweepwire sip`: the national best of the consolidated tapes beside that of the direct feeds."""

from __future__ import annotations

import sys
from collections import defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Annotated, Any, Final

import msgspec
import typer

from console.bookplan import book_plan, order_room
from console.compiling import compile_all
from console.linestats import lines_of
from console.loops import loop_kernel
from console.main import complain
from console.marketrun import MarketRun
from console.plan import Plan, replay_uri
from console.screen import count, table_to_stdout
from console.sipcompare import KINDS, Compared, compare
from console.sipsaid import Timelines, instruments_of, prices_of
from console.siptimelines import DirectWatch, tapes_said
from feedhandler.sipquotes import READERS

app = typer.Typer(add_completion=False)
SHARES: Final = {"p50": 0.5, "p90": 0.9, "p99": 0.99, "most": 1.0}
MICROSECOND: Final = 1_000
COLUMNS: Final = (
    *("tape", "side", ">equal", ">tape", ">direct", *(f">{kind}" for kind in KINDS)),
    *(">lead p50 us", ">p90", ">p99", ">most", ">longest apart us"),
)


@app.command()
def sip(
    files: Annotated[
        list[Path],
        typer.Argument(
            help="Captures of tapes and of direct feeds, merged.", exists=True, dir_okay=False
        ),
    ],
    channels: Annotated[
        Path | None, typer.Option(help="Channel map (TOML): which feed comes where.")
    ] = None,
    horizon_ms: Annotated[
        float, typer.Option("--horizon", min=0, help="How far apart both can say the same, ms.")
    ] = 1000.0,
    assume_trading: Annotated[
        bool, typer.Option(help="A venue that never said its status is trading.")
    ] = False,
    top: Annotated[int, typer.Option(min=0, help="Symbols that disagree most to show.")] = 10,
    json: Annotated[
        bool, typer.Option("--json", help="JSON Lines, one a symbol and side.")
    ] = False,
) -> int:
    """Compare the national best of CQS and UQDF with the one computed from the direct feeds.

    Prices only: tapes count sizes in their own way. Times are those of the captures. A lead above 0
    says that the direct feeds knew first. Exit code 1: nothing could be compared.
    """
    plan = book_plan(files, channels, "")
    tapes = sorted({f.name for f in plan.feeds} & set(READERS))
    if not tapes or len(tapes) == len(plan.feeds):
        named = " or ".join(sorted(READERS))
        raise typer.BadParameter(f"expected {named} and direct feeds among the captures")
    direct, said, names, end_ns = _timelines(plan, files, assume_trading)
    rows = list(_rows(direct, said, end_ns, int(horizon_ms * 1_000_000)))
    if json:
        _write(rows, names)
    else:
        _print(rows, names, top)
    return 0 if any(row.compared_ns for *_, row in rows) else 1


Row = tuple[str, int, str, Compared]  # tape, instrument, side


def _rows(
    direct: Timelines, said: dict[str, Timelines], end_ns: int, horizon_ns: int
) -> Iterator[Row]:
    for tape, lines in said.items():
        for (instrument, side), line in sorted(lines.items()):
            ours = prices_of(direct.get((instrument, side), []))
            yield tape, instrument, side, compare(ours, prices_of(line), end_ns, horizon_ns)


def _timelines(
    plan: Plan, files: Sequence[Path], assume_trading: bool
) -> tuple[Timelines, dict[str, Timelines], dict[int, str], int]:
    """What the direct feeds say, what each tape says, the instruments' names, and the end."""
    kernel = loop_kernel(plan.feeds, market=True, lines=lines_of(plan) is not None)
    compile_all([kernel])
    orders, uri = order_room(files), replay_uri(files)
    with MarketRun(plan, orders, unknown_trades=assume_trading) as run:
        with MarketRun(plan, orders) as scout:
            scout.learn(kernel, uri)
            run.adopt(scout)
        watch = DirectWatch(run.market)
        for _ in run.rounds(kernel, uri):
            watch.drain()
        if watch.lost_count:
            complain(f"{watch.lost_count} changes lost: the ring was full")
        said, end_ns = tapes_said(plan, files, run.master.find)
        numbers = instruments_of(said)
        return watch.timelines(numbers), said, {n: run.master.name_of(n) for n in numbers}, end_ns


def _micro(value_ns: int | None) -> str:
    return "" if value_ns is None else f"{value_ns / MICROSECOND:,.1f}"


def _cells(tape: str, side: str, row: Compared) -> tuple[str, ...]:
    equal = "" if row.equal_share is None else f"{100 * row.equal_share:.2f} %"
    counts = (count(row.tape), count(row.direct), *(count(getattr(row, kind)) for kind in KINDS))
    leads = (_micro(row.lead_at(share)) for share in SHARES.values())
    return (tape, side, equal, *counts, *leads, _micro(row.longest_ns))


def _print(rows: list[Row], names: dict[int, str], top: int) -> None:
    sums: dict[tuple[str, str], Compared] = defaultdict(Compared)
    for tape, _, side, row in rows:
        sums[tape, side].add(row)
    found = [_cells(tape, side, row) for (tape, side), row in sums.items()]
    table_to_stdout(COLUMNS, found, title="national best of the tapes beside the direct feeds'")
    apart = sorted(rows, key=lambda row: (-row[3].never, -row[3].longest_ns))
    shown = [row for row in apart if row[3].never or row[3].longest_ns][:top]
    if shown:
        columns = ("symbol", *COLUMNS)
        cells = [(names[number], *_cells(tape, side, row)) for tape, number, side, row in shown]
        table_to_stdout(columns, cells, title="\nwhere they disagree most")


def _write(rows: list[Row], names: dict[int, str]) -> None:
    encode = msgspec.json.Encoder().encode
    for tape, number, side, row in rows:
        made: dict[str, Any] = {"tape": tape, "symbol": names[number], "side": side}
        made |= {"tape_changes": row.tape, "direct_changes": row.direct}
        made |= {kind: getattr(row, kind) for kind in KINDS}
        made |= {"compared_ns": row.compared_ns, "equal_ns": row.equal_ns}
        made |= {"longest_apart_ns": row.longest_ns}
        made |= {f"lead_{name}_ns": row.lead_at(share) for name, share in SHARES.items()}
        sys.stdout.write(encode(made).decode() + "\n")
