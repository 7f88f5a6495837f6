"""Charts as SVG text: lines and bars with axes, units and a legend, and nothing else.

Colours come from the page's style sheet (classes c0, c1, …), so that it can have a dark side.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from html import escape
from typing import Final

from console.svgscale import Scale, linear, logarithmic, number_text

WIDTH: Final = 560
HEIGHT: Final = 300
LEFT: Final = 64
RIGHT: Final = 16
TOP: Final = 28
BOTTOM: Final = 48
LEGEND_STEP: Final = 130
TICK_SPACE: Final = 6.5  # a letter


@dataclass(frozen=True, slots=True)
class Line:
    """A named line: as many values as places."""

    name: str
    places: Sequence[float]
    values: Sequence[float]


def coordinate(value: float) -> str:
    """A place on a drawing."""
    return f"{value:.1f}"


def words(x: float, y: float, text: str, anchor: str = "middle", kind: str = "tick") -> str:
    """A line of text, by its middle, start or end."""
    place = f'x="{coordinate(x)}" y="{coordinate(y)}"'
    return f'<text class="{kind}" {place} text-anchor="{anchor}">{escape(text)}</text>'


def rule(x1: float, y1: float, x2: float, y2: float, kind: str) -> str:
    """A straight line."""
    ends = (f'{name}="{coordinate(value)}"' for name, value in
            (("x1", x1), ("y1", y1), ("x2", x2), ("y2", y2)))  # fmt: skip
    return f'<line class="{kind}" {" ".join(ends)}/>'


def frame(
    across: Scale,
    up: Scale,
    across_name: str,
    up_name: str,
    across_text: Callable[[float], str],
    up_text: Callable[[float], str] = number_text,
) -> list[str]:
    """Axes with ticks, grid and names."""
    base = HEIGHT - BOTTOM
    parts = []
    for value in up.ticks():
        y = up.at(value)
        parts.append(rule(LEFT, y, WIDTH - RIGHT, y, "grid"))
        parts.append(words(LEFT - 8, y + 4, up_text(value), "end"))
    end = float("-inf")
    for value in across.ticks():
        x, text = across.at(value), across_text(value)
        parts.append(rule(x, base, x, base + 5, "axis"))
        if x - len(text) * TICK_SPACE / 2 > end:
            parts.append(words(x, base + 18, text))
            end = x + len(text) * TICK_SPACE / 2
    parts.append(rule(LEFT, base, WIDTH - RIGHT, base, "axis"))
    parts.append(words((LEFT + WIDTH - RIGHT) / 2, HEIGHT - 8, across_name, kind="name"))
    middle = (TOP + base) / 2
    turned = f'<g transform="rotate(-90 14 {coordinate(middle)})">'
    parts.append(f"{turned}{words(14, middle, up_name, kind='name')}</g>")
    return parts


def _legend(names: Sequence[str]) -> list[str]:
    parts = []
    for number, name in enumerate(names):
        x = LEFT + number * LEGEND_STEP
        parts.append(f'<rect class="c{number} area" x="{x}" y="8" width="12" height="12"/>')
        parts.append(words(x + 18, 18, name, "start"))
    return parts


def drawing(title: str, parts: Sequence[str]) -> str:
    """The parts as one drawing with a title."""
    box = f'viewBox="0 0 {WIDTH} {HEIGHT}" role="img"'
    return f"<svg {box}><title>{escape(title)}</title>{''.join(parts)}</svg>"


def empty(title: str) -> str:
    """A drawing that says that there is nothing to draw."""
    return drawing(title, [words(WIDTH / 2, HEIGHT / 2, "nothing was measured", kind="name")])


def line_chart(
    title: str,
    lines: Sequence[Line],
    across_name: str,
    up_name: str,
    *,
    log: bool = False,
    log_up: bool = False,
    across_text: Callable[[float], str] = number_text,
) -> str:
    """Lines over a common axis; `log` and `log_up` make an axis logarithmic."""
    places = [place for line in lines for place in line.places]
    values = [value for line in lines for value in line.values]
    if not places:
        return empty(title)
    base = HEIGHT - BOTTOM
    across = (
        logarithmic(places, LEFT, WIDTH - RIGHT)
        if log
        else Scale(min(places), max(max(places), min(places) + 1), LEFT, WIDTH - RIGHT)
    )
    up = logarithmic(values, base, TOP) if log_up else linear(values, base, TOP)
    parts = frame(across, up, across_name, up_name, across_text)
    for number, line in enumerate(lines):
        points = " ".join(
            f"{coordinate(across.at(place))},{coordinate(up.at(value))}"
            for place, value in zip(line.places, line.values, strict=True)
        )
        parts.append(f'<polyline class="c{number} line" points="{points}"/>')
    return drawing(title, [*parts, *_legend([line.name for line in lines])])


def bar_chart(
    title: str,
    name: str,
    labels: Sequence[str],
    values: Sequence[float],
    across_name: str,
    up_name: str,
) -> str:
    """Bars beside each other, each with its label; the value shows where one points at it."""
    if not values:
        return empty(title)
    base = HEIGHT - BOTTOM
    across = Scale(0, len(values), LEFT, WIDTH - RIGHT)
    up = linear(values, base, TOP)
    parts = frame(Scale(0, 1, LEFT, LEFT), up, across_name, up_name, lambda _: "")
    broad = (across.at(1) - across.at(0)) * 0.8
    widest = max(len(label) for label in labels) * TICK_SPACE + 4
    every = max(1, round(widest / (across.at(1) - across.at(0)) + 0.5))
    for number, (label, value) in enumerate(zip(labels, values, strict=True)):
        middle, y = across.at(number + 0.5), up.at(value)
        place = f'x="{coordinate(middle - broad / 2)}" y="{coordinate(y)}"'
        size = f'width="{coordinate(broad)}" height="{coordinate(base - y)}"'
        told = f"<title>{escape(label)}: {value:.4g}</title>"
        parts.append(f'<rect class="c0 area" {place} {size}>{told}</rect>')
        if number % every == 0:
            parts.append(words(middle, base + 18, label))
    return drawing(title, [*parts, *_legend([name])])
