"""The page of plots of a measured market: one HTML file that needs nothing else."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import TYPE_CHECKING, Final

from console.svg import Line, bar_chart, line_chart
from console.svgscale import time_text

if TYPE_CHECKING:
    from simulator.flow.measures import MarketStatistics

STYLE: Final = """
:root { --ink: #1c2430; --soft: #66707c; --grid: #e3e7ec; --paper: #ffffff; --good: #1a7f4b;
        --bad: #b3261e; --c0: #2563a8; --c1: #c2571a; --c2: #2f8f6b; --c3: #7a4fa3; }
@media (prefers-color-scheme: dark) {
:root { --ink: #e6e9ee; --soft: #9aa4b1; --grid: #2c333d; --paper: #14181e; --good: #5cc48d;
        --bad: #f2877f; --c0: #6aa7e8; --c1: #ee9a5f; --c2: #63c79f; --c3: #b792de; } }
body { font: 15px/1.45 system-ui, sans-serif; color: var(--ink); background: var(--paper);
       max-width: 1200px; margin: 2em auto; padding: 0 1em; }
h1 { font-size: 1.5em; margin-bottom: 0; } h2 { font-size: 1.05em; margin: 0 0 .2em; }
p { color: var(--soft); margin: .2em 0 1em; }
.plots { display: grid; grid-template-columns: repeat(auto-fit, minmax(480px, 1fr)); gap: 1.6em; }
svg { width: 100%; height: auto; }
.tick { font-size: 11px; fill: var(--soft); } .name { font-size: 12px; fill: var(--ink); }
.grid { stroke: var(--grid); } .axis { stroke: var(--soft); }
.line { fill: none; stroke-width: 1.8; stroke-linejoin: round; }
.c0.line { stroke: var(--c0); } .c1.line { stroke: var(--c1); } .c2.line { stroke: var(--c2); }
.c0.area { fill: var(--c0); } .c1.area { fill: var(--c1); } .c2.area { fill: var(--c2); }
table { border-collapse: collapse; margin: 1em 0 2em; }
th, td { text-align: right; padding: .2em .9em; border-bottom: 1px solid var(--grid); }
th:first-child, td:first-child { text-align: left; }
.good { color: var(--good); } .bad { color: var(--bad); }
"""
NO_VALUE: Final = "not measured"


def page(statistics: MarketStatistics, name: str) -> str:
    """The whole page; `name` says which market it is."""
    figures = "".join(
        f"<section><h2>{escape(title)}</h2><p>{escape(said)}</p>{drawing}</section>"
        for title, said, drawing in _figures(statistics)
    )
    total = sum(statistics.messages.values())
    lead = (
        f"{statistics.instruments} instruments, {len(statistics.venues)} venues with a feed, "
        f"{statistics.seconds:g} s of trading, {total:,} order messages"
    )
    return (
        '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(name)}</title><style>{STYLE}</style></head>\n<body>"
        f"<h1>{escape(name)}</h1><p>{escape(lead)}</p>\n{_table(statistics)}\n"
        f'<div class="plots">{figures}</div></body></html>\n'
    )


def value_text(value: float | None) -> str:
    """A measured value in four digits."""
    return NO_VALUE if value is None else f"{value:.4g}"


def verdict(low: float, high: float, value: float | None) -> str:
    """Whether a value is where it should be."""
    if value is None:
        return NO_VALUE
    return "ok" if low <= value <= high else "outside"


def _table(statistics: MarketStatistics) -> str:
    rows = []
    for name, low, high, value in statistics.rows():
        said = verdict(low, high, value)
        kind = {"ok": "good", "outside": "bad"}.get(said, "")
        cells = (name.replace("_", " "), f"{low:g} to {high:g}", value_text(value))
        inner = "".join(f"<td>{escape(cell)}</td>" for cell in cells)
        rows.append(f'<tr>{inner}<td class="{kind}">{said}</td></tr>')
    head = "<tr><th>what</th><th>configured</th><th>measured</th><th></th></tr>"
    return f"<table>{head}{''.join(rows)}</table>"


def _figures(statistics: MarketStatistics) -> Sequence[tuple[str, str, str]]:
    """Title, explanation and drawing of each figure."""
    return (*_book_figures(statistics), *_time_figures(statistics))


def _book_figures(s: MarketStatistics) -> Sequence[tuple[str, str, str]]:
    spread = Line("national spread", s.spread.places, s.spread.values)
    return (
        (
            "Spread through the session",
            "Best offer less best bid of all venues, mean over the instruments.",
            line_chart("Spread", [spread], "seconds from the opening", "ticks"),
        ),
        (
            "Spreads",
            "How often the national spread is so wide; 0 is locked or crossed.",
            bar_chart("Spreads", "national spread", _whole(s.spreads.places), s.spreads.values,
                      "ticks", "share of looks"),
        ),
        (
            "Depth",
            "Displayed shares at one venue by the distance from its best price, both sides.",
            bar_chart("Depth", "one venue", _whole(s.depth.places), s.depth.values,
                      "ticks from the best price", "shares"),
        ),
        (
            "Queues",
            "Orders at a venue's best price.",
            bar_chart("Queues", "best price", _whole(s.queues.places), s.queues.values,
                      "orders (the last bar: or more)", "share of looks"),
        ),
    )  # fmt: skip


def _time_figures(s: MarketStatistics) -> Sequence[tuple[str, str, str]]:
    lives = [Line(name, one.places, one.values) for name, one in s.lifetimes.items()]
    intensity = Line("all instruments", s.intensity.places, s.intensity.values)
    lags = Line("mean", s.autocorrelation.places, s.autocorrelation.values)
    fano = Line("measured", s.fano.places, s.fano.values)
    poisson = Line("without clusters", s.fano.places, [1.0] * len(s.fano.places))
    return (
        (
            "Intensity",
            "New displayed orders in each second, all venues.",
            line_chart("Intensity", [intensity], "seconds from the opening", "orders a second"),
        ),
        (
            "Lifetimes",
            "Share of the orders that ended so soon after they came.",
            line_chart("Lifetimes", lives, "time in the book", "share", log=True,
                       across_text=time_text),
        ),
        (
            "Clusters: autocorrelation",
            "Of the number of new orders in tenths of a second, mean over the instruments.",
            line_chart("Autocorrelation", [lags], "lag", "correlation", log=True,
                       across_text=time_text),
        ),
        (
            "Clusters: Fano factor",
            "Variance by mean of the number of new orders; 1 if they came independently.",
            line_chart("Fano factor", [fano, poisson], "window", "variance / mean", log=True,
                       log_up=True, across_text=time_text),
        ),
    )  # fmt: skip


def _whole(values: Sequence[float]) -> list[str]:
    return [f"{value:.0f}" for value in values]
