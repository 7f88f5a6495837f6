"""The report as a page: one HTML file that needs nothing else, with tables and drawings."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from html import escape
from typing import Final

from console.marketpage import STYLE
from console.runreport.figures import (
    MOST_PARENTS,
    Figure,
    latency_figure,
    parent_figures,
    shortfall_figure,
    venue_figure,
)
from console.runreport.parents import largest
from console.runreport.results import Object, Results
from console.runreport.sheets import Sheet, sheets, warnings
from console.runreport.summary import summary_of

# Light and dark: sixteen that are told apart, grey, and ink.
COLOURS: Final = (
    ("#2563a8", "#6aa7e8"), ("#c2571a", "#ee9a5f"), ("#2f8f6b", "#63c79f"), ("#7a4fa3", "#b792de"),
    ("#a8862a", "#d9bb62"), ("#b13a6b", "#e787b0"), ("#4fa3c7", "#9fdcf5"), ("#6b7d2b", "#b0c46a"),
    ("#8a5a3c", "#cfa285"), ("#1b2f6b", "#8892e8"), ("#e08a8a", "#f7c0c0"), ("#0f5c4a", "#2fa58a"),
    ("#c49be0", "#e3cdf2"), ("#d6a400", "#ffd84a"), ("#6e1f2b", "#c4505f"), ("#8fbf4d", "#d5f09a"),
    ("#7d8794", "#9aa4b1"), ("#1c2430", "#e6e9ee"),
)  # fmt: skip
MORE_STYLE: Final = """
table { font-size: 13px; margin: .4em 0 .6em; } th, td { padding: .15em .6em; }
td.left, th.left { text-align: left; } .scroll { overflow-x: auto; }
h2 { margin-top: 1.6em; } .warn { color: var(--bad); font-weight: 600; }
td { font-variant-numeric: tabular-nums; white-space: nowrap; }
td.left { white-space: normal; overflow-wrap: anywhere; min-width: 6em; }
.legend span { margin-right: 1em; white-space: nowrap; color: var(--ink); font-size: 13px; }
.legend i { display: inline-block; width: .8em; height: .8em; margin-right: .35em; }
"""


def _colours() -> str:
    light, dark = ("".join(_rules(side)) for side in (0, 1))
    return f"{light}@media (prefers-color-scheme: dark) {{ {dark} }}"


def _rules(side: int) -> Iterator[str]:
    for number, pair in enumerate(COLOURS):
        colour = pair[side]
        yield f".s{number}.line{{stroke:{colour}}}.s{number}.area{{fill:{colour}}}"
        yield f"i.s{number}{{background:{colour}}}"


def page(results: Results) -> str:
    """The whole page."""
    summary = summary_of(results)
    name = escape(f"Replay of {results.facts.name}")
    told = "".join(f'<p class="warn">{escape(line)}</p>' for line in warnings(summary))
    return (
        '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{name}</title><style>{STYLE}{MORE_STYLE}{_colours()}</style></head>\n<body>"
        f"<h1>{name}</h1><p>Money in currency units, times in UTC.</p>{told}\n"
        f"{''.join(map(_table, sheets(summary)))}\n{_drawings(results, summary)}</body></html>\n"
    )


def _table(sheet: Sheet) -> str:
    kinds = ["" if column.startswith(">") else ' class="left"' for column in sheet.columns]
    names = (column.removeprefix(">") for column in sheet.columns)
    head = _cells("th", names, kinds)
    rows = "".join(f"<tr>{_cells('td', row, kinds)}</tr>" for row in sheet.rows)
    said = f"<p>{escape(sheet.said)}</p>" if sheet.said else ""
    return (
        f'<h2>{escape(sheet.title)}</h2><div class="scroll"><table><tr>{head}</tr>{rows}</table>'
        f"</div>{said}\n"
    )


def _cells(tag: str, values: Iterator[str] | Sequence[str], kinds: Sequence[str]) -> str:
    return "".join(
        f"<{tag}{kind}>{escape(value)}</{tag}>" for value, kind in zip(values, kinds, strict=True)
    )


def _drawings(results: Results, summary: Object) -> str:
    shared = [latency_figure(results), venue_figure(summary), shortfall_figure(summary)]
    chosen = largest(results.parents, MOST_PARENTS)
    heading = ""
    if len(chosen):
        heading = "<h2>Executions of parent orders</h2>"
    if len(chosen) < len(results.parents):
        heading += (
            f"<p>The {len(chosen)} of {len(results.parents):,} that traded the most money.</p>"
        )
    single = [figure for place in chosen for figure in parent_figures(results, summary, int(place))]
    return (
        f'<h2>Drawings</h2><div class="plots">{"".join(map(_figure, shared))}</div>\n'
        f'{heading}<div class="plots">{"".join(map(_figure, single))}</div>'
    )


def _figure(figure: Figure) -> str:
    chips = "".join(
        f'<span><i class="s{colour}"></i>{escape(name)}</span>' for name, colour in figure.legend
    )
    legend = f'<div class="legend">{chips}</div>' if chips else ""
    return (
        f"<section><h3>{escape(figure.title)}</h3><p>{escape(figure.said)}</p>"
        f"{figure.drawing}{legend}</section>\n"
    )
