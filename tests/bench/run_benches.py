"""Runs every bench of this folder in one process, prints a table each and writes the figures.

    python tests/bench/run_benches.py [--quick] [NAME…]

Every bench module has `run(quick) -> list of rows`, a row being a dictionary with a "name" and
figures named with their unit. `ratio_to_x` is the time as a multiple of x's in the same run (below
1 is quicker than x), `speedup_over_x` the other way round. Machines are noisy: compare figures of
one run, not of two.
"""

from __future__ import annotations

import argparse
import importlib
import json
import os
import platform
import sys
import time
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

HERE = Path(__file__).resolve().parent
OUT = HERE.parent.parent / "out"
Row = dict[str, Any]


def shown(value: Any) -> str:
    """A figure as the table shows it: three significant digits, thousands apart."""
    if isinstance(value, float):
        return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}"
    return f"{value:,}" if isinstance(value, int) else str(value)


def table_of(name: str, rows: list[Row]) -> Table:
    """The rows of one bench; columns are all the figures that any row has."""
    columns = list(dict.fromkeys(key for row in rows for key in row))
    table = Table(title=name, title_justify="left")
    for column in columns:
        table.add_column(column, justify="left" if column in ("name", "note") else "right")
    for row in rows:
        table.add_row(*(shown(row[key]) if key in row else "" for key in columns))
    return table


def machine() -> Row:
    """What the figures were taken on."""
    model = "unknown"
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            model = line.partition(":")[2].strip()
            break
    made: Row = {"cpu": model, "cores": os.cpu_count() or 1, "kernel": platform.release()}
    return made | {"python": platform.python_version(), "load_1min": os.getloadavg()[0]}


def main() -> int:
    """Runs the benches named on the command line, or all of them."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", help="bench modules without their bench_ prefix")
    parser.add_argument("--quick", action="store_true", help="small inputs, for a first look")
    options = parser.parse_args()
    sys.path.insert(0, str(HERE))
    names = options.names or sorted(p.stem.removeprefix("bench_") for p in HERE.glob("bench_*.py"))
    console, results, found = Console(width=140, highlight=False), {}, machine()
    console.print(", ".join(f"{key} {shown(value)}" for key, value in found.items()))
    for name in names:
        started = time.perf_counter()
        rows = importlib.import_module(f"bench_{name}").run(options.quick)
        results[name] = rows
        if rows:
            console.print(table_of(f"{name} ({time.perf_counter() - started:.0f} s)", rows))
        else:
            console.print(f"{name}: nothing to measure here")
    OUT.mkdir(exist_ok=True)
    report = {"machine": found, "quick": options.quick, "benches": results}
    (OUT / "bench.json").write_text(json.dumps(report, indent=1) + "\n")
    console.print(f"figures: {OUT / 'bench.json'}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
