"""Drawings of a run: trajectories of parents, latencies by stage, bars by venue and parent.

Colours are classes of the page's style sheet, s0 and up for series. What is too much to draw is
thinned out evenly, and the drawing says so.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from html import escape
from itertools import pairwise
from typing import Final

import numpy as np
from numpy.typing import NDArray

from console.runreport.results import Rows
from console.svg import (
    BOTTOM,
    HEIGHT,
    LEFT,
    RIGHT,
    TOP,
    WIDTH,
    coordinate,
    drawing,
    empty,
    frame,
    rule,
    words,
)
from console.svgscale import Scale, linear, logarithmic, number_text, time_text
from nic.percentiles import bucket_bounds

SERIES: Final = 16  # colours of series
GREY: Final = SERIES
INK: Final = SERIES + 1
BAR_STEP: Final = 22
BAR_LEFT: Final = 150
BAR_RIGHT: Final = 90
BAR_TOP: Final = 10
NAME_LETTERS: Final = 22
COARSER_BITS: Final = 2  # buckets drawn as one: 8 to a power of two
NS: Final = 1e-9


@dataclass(frozen=True, slots=True)
class Track:
    """What is drawn over a common axis.

    Attributes:
        name: of the series, shown when pointed at, and in the legend.
        colour: 0 to SERIES - 1, GREY or INK.
        places, values: as many of each.
        kind: "step", "line" or "dots".
    """

    name: str
    colour: int
    places: Sequence[float]
    values: Sequence[float]
    kind: str = "line"


def thinned(count: int, most: int) -> NDArray[np.int64]:
    """At most so many places of a sequence, evenly spaced, with the first and the last."""
    if count <= most:
        return np.arange(count)
    return np.unique(np.linspace(0, count - 1, most).round().astype(np.int64))


def track_chart(
    title: str,
    tracks: Sequence[Track],
    across_name: str,
    up_name: str,
    *,
    zero: bool = True,
    log: bool = False,
    up_text: Callable[[float], str] = number_text,
) -> str:
    """Tracks over time: seconds on the axis across, from zero on the axis up unless told not to."""
    places = [place for track in tracks for place in track.places]
    values = [value for track in tracks for value in track.values]
    if not places:
        return empty(title)
    base = HEIGHT - BOTTOM
    across = (
        logarithmic(places, LEFT, WIDTH - RIGHT)
        if log
        else Scale(min(places), max(places), LEFT, WIDTH - RIGHT)
    )
    if across.high <= across.low:
        across = Scale(across.low, across.low + 1, LEFT, WIDTH - RIGHT)
    up = linear(values, base, TOP) if zero else around(values, base, TOP)
    across_text = time_text if log else seconds_text
    parts = frame(across, up, across_name, up_name, across_text, up_text)
    parts += [_track(track, across, up) for track in tracks]
    return drawing(title, parts)


def seconds_text(value: float) -> str:
    """Seconds since a start, on an axis."""
    return "0" if abs(value) < NS else time_text(value)


def around(values: Sequence[float], start: float, end: float) -> Scale:
    """An even scale that begins near the lowest value; prices, which are far from zero."""
    low, high = min(values), max(values)
    air = (high - low) / 10 or max(abs(high) * 1e-4, 0.005)
    return linear([low - air, high + air], start, end, zero=False)


def _track(track: Track, across: Scale, up: Scale) -> str:
    points = [
        (across.at(place), up.at(value))
        for place, value in zip(track.places, track.values, strict=True)
    ]
    told = f"<title>{escape(track.name)}</title>"
    if track.kind == "dots":
        dots = "".join(
            f'<circle cx="{coordinate(x)}" cy="{coordinate(y)}" r="3"/>' for x, y in points
        )
        return f'<g class="s{track.colour} area">{told}{dots}</g>'
    if track.kind == "step":
        pairs = pairwise(points)
        corners = [point for (_, y1), (x2, y2) in pairs for point in ((x2, y1), (x2, y2))]
        points = [*points[:1], *corners]
    text = " ".join(f"{coordinate(x)},{coordinate(y)}" for x, y in points)
    return f'<polyline class="s{track.colour} line" points="{text}">{told}</polyline>'


def bars_across(
    title: str,
    labels: Sequence[str],
    values: Sequence[float],
    said: Sequence[str],
    colours: Sequence[int],
) -> str:
    """A bar a row, to the right for what is above zero; `said` stands at its end."""
    if not values:
        return empty(title)
    scale = linear([0.0, *values], BAR_LEFT, WIDTH - BAR_RIGHT)
    zero = scale.at(0)
    parts = []
    for row, (name, value) in enumerate(zip(labels, values, strict=True)):
        y, end = BAR_TOP + row * BAR_STEP, scale.at(value)
        short = name if len(name) <= NAME_LETTERS else f"{name[: NAME_LETTERS - 1]}…"
        parts.append(words(BAR_LEFT - 10, y + 13, short, "end"))
        place = f'x="{coordinate(min(zero, end))}" y="{y}" height="{BAR_STEP - 6}"'
        broad = f'width="{coordinate(max(abs(end - zero), 1))}"'
        told = f"<title>{escape(name)}: {escape(said[row])}</title>"
        parts.append(f'<rect class="s{colours[row]} area" {place} {broad}>{told}</rect>')
        parts.append(words(max(zero, end) + 6, y + 13, said[row], "start"))
    high = BAR_TOP + len(values) * BAR_STEP + 4
    parts.append(rule(zero, BAR_TOP - 4, zero, high - 4, "axis"))
    return drawing(title, parts).replace(f"0 0 {WIDTH} {HEIGHT}", f"0 0 {WIDTH} {high}", 1)


def latency_track(stage: str, colour: int, histogram: Rows, tick_hz: float) -> Track:
    """How a stage's times are spread: share of its measurements a doubling of time, in seconds.

    Eight buckets to a power of two, each drawn at its lower end: the area over a logarithmic axis
    is 1 for all.
    """
    buckets = np.asarray(histogram).reshape(-1)[0]["buckets"].astype(np.float64)
    coarse = buckets.reshape(-1, 1 << COARSER_BITS).sum(axis=1)
    used = np.flatnonzero(coarse)
    if not len(used) or tick_hz <= 0:
        return Track(stage, colour, [], [], "step")
    shown = np.arange(max(used[0] - 1, 0), min(used[-1] + 3, len(coarse)))
    ticks = np.array([max(bucket_bounds(int(at) << COARSER_BITS)[0], 1) for at in shown], float)
    shares = coarse[shown[:-1]] / coarse.sum() / np.diff(np.log2(ticks))
    return Track(stage, colour, (ticks[:-1] / tick_hz).tolist(), shares.tolist(), "step")
