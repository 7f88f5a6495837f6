"""The report on the terminal."""

from __future__ import annotations

from rich.console import Console
from rich.text import Text

from console.report import tables
from console.runreport.results import Results
from console.runreport.sheets import sheets, warnings
from console.runreport.summary import summary_of
from console.screen import table


def print_results(out: Console, results: Results) -> None:
    """Prints the feed handler's counters, where there are some, and the tables of the report."""
    summary = summary_of(results)
    if results.facts.feed is not None:
        out.print(tables(results.facts.feed))
        out.print()
    for line in warnings(summary):
        out.print(Text(f"! {line}", style="bold"), soft_wrap=True)
    for sheet in sheets(summary):
        out.print(Text(f"\n{sheet.title}", style="bold"))
        out.print(table(sheet.columns, sheet.rows))
        if sheet.said:
            out.print(Text(sheet.said, style="dim"), soft_wrap=out.width > 200)
