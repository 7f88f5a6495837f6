"""The figures of the page: what is drawn, of what, with what said beside it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from console.runreport.parents import NS_PER_S, ONE
from console.runreport.plots import (
    GREY,
    INK,
    SERIES,
    Track,
    bars_across,
    latency_track,
    thinned,
    track_chart,
)
from console.runreport.results import Object, Results
from console.runreport.sheets import NONE, bps, money, price
from console.screen import count
from feedhandler.actions import SELL
from router.tables import TAKE

MOST_PARENTS: Final = 24
MOST_BARS: Final = 40
MOST_DOTS: Final = 400  # of one drawing
MOST_DOTS_IN_ALL: Final = 9600  # of the page: some 60 bytes a dot, each drawn twice
COST, SAVING = 1, 2  # colours


@dataclass(frozen=True, slots=True)
class Figure:
    """A drawing with a title, what is said about it, and names of its colours."""

    title: str
    said: str
    drawing: str
    legend: tuple[tuple[str, int], ...] = ()


def latency_figure(results: Results) -> Figure:
    """Times by stage."""
    facts = results.facts
    tracks = [
        latency_track(name, number % SERIES, row, facts.tick_hz)
        for number, (name, row) in enumerate(facts.stages.items())
    ]
    tracks = [track for track in tracks if track.places]
    return Figure(
        "Latency by stage",
        "Share of each stage's measurements, a doubling of time: the areas are alike.",
        track_chart("Latency by stage", tracks, "time in the loop", "share a doubling", log=True),
        tuple(
            ("tick-to-order" if track.name == "total" else track.name, track.colour)
            for track in tracks
        ),
    )


def venue_colour(venue: int) -> int:
    """A venue's colour; from the seventeenth on, one that some other has too."""
    return venue % SERIES if venue >= 0 else GREY


def venue_figure(summary: Object) -> Figure:
    """Executed shares by venue."""
    venues = summary["venues"]
    rows = [row for row in venues if row["executed_shares"]]
    rows.sort(key=lambda row: -row["executed_shares"])
    return Figure(
        "Fills by venue",
        "Executed shares, and the number of fills.",
        bars_across(
            "Fills by venue",
            [row["venue"] for row in rows],
            [row["executed_shares"] for row in rows],
            [f"{count(row['executed_shares'])} / {count(row['fills'])}" for row in rows],
            [venue_colour(row["number"]) for row in rows],
        ),
    )


def shortfall_figure(summary: Object) -> Figure:
    """Implementation shortfall of each parent."""
    known = [row for row in summary["parents"] if row["shortfall"]["total_bps"] is not None]
    known.sort(key=lambda row: -abs(row["shortfall"]["total"]))
    rows = known[:MOST_BARS]
    values = [row["shortfall"]["total_bps"] for row in rows]
    said = "In bps of the order at its arrival price: costs to the right, savings to the left."
    if len(known) > len(rows):
        said += f" The {len(rows)} of {len(known):,} with the most money in it."
    return Figure(
        "Implementation shortfall by parent",
        said,
        bars_across(
            "Implementation shortfall by parent",
            [row["name"] for row in rows],
            values,
            [bps(value) for value in values],
            [COST if value > 0 else SAVING for value in values],
        ),
    )


@dataclass(frozen=True, slots=True)
class Fills:
    """Fills of one parent: seconds since it arrived, shares so far, prices, venues."""

    seconds: NDArray[np.float64]
    cum: NDArray[np.int64]
    prices: NDArray[np.float64]
    venues: NDArray[np.int64]

    def at(self, places: NDArray[np.int64]) -> Fills:
        """Those at some places."""
        return Fills(
            self.seconds[places], self.cum[places], self.prices[places], self.venues[places]
        )


def _fills(results: Results, place: int) -> Fills:
    of = np.flatnonzero(results.fill_children["parent"] == place + 1)
    rows = results.fills[of]
    return Fills(
        (rows["time_ns"] - results.parents["arrived_ns"][place]) / NS_PER_S,
        np.cumsum(rows["shares"]),
        rows["price"] / ONE,
        results.fill_children["venue"][of],
    )


def parent_figures(results: Results, summary: Object, place: int) -> list[Figure]:
    """How a parent was executed, and at what prices; `place` is its number less 1."""
    about, fills = summary["parents"][place], _fills(results, place)
    shared = MOST_DOTS_IN_ALL // (2 * min(len(results.parents), MOST_PARENTS))
    shown = fills.at(thinned(len(fills.seconds), min(MOST_DOTS, shared)))
    order = f"{about['side']} {count(about['quantity'])} {about['symbol']}"
    title = f"{about['name']}: {order}, {about['strategy']}"
    thin = ""
    if len(shown.seconds) < len(fills.seconds):
        thin = (
            f" {count(len(shown.seconds))} of {count(len(fills.seconds))} fills are drawn, "
            "evenly chosen."
        )
    used = [int(venue) for venue in np.unique(shown.venues)]
    legend = tuple((results.names.venue(venue), venue_colour(venue)) for venue in used)
    executed = f"{count(about['executed'])} executed at {price(about['average_price'])}."
    short = about["shortfall"]
    cost = f" Shortfall {money(short['total'])}"
    cost = f"{cost} ({bps(short['total_bps'])} bps)." if short["total"] is not None else ""
    return [
        Figure(
            title,
            f"Shares executed since arrival, fills by venue. {executed}{cost}{thin}",
            track_chart(title, _progress(results, about, shown), "since arrival", "shares"),
            legend,
        ),
        _price_figure(results, about, shown, place, legend),
    ]


def _by_venue(results: Results, shown: Fills, values: NDArray[np.float64]) -> list[Track]:
    tracks = []
    for venue in np.unique(shown.venues):
        mine = shown.venues == venue
        tracks.append(
            Track(
                results.names.venue(int(venue)),
                venue_colour(int(venue)),
                shown.seconds[mine].tolist(),
                values[mine].tolist(),
                "dots",
            )
        )
    return tracks


def _progress(results: Results, about: Object, shown: Fills) -> list[Track]:
    if not len(shown.seconds):
        return []
    ends = max(about["duration_s"], float(shown.seconds[-1]))
    places = [0.0, *shown.seconds.tolist(), ends]
    executed = [0, *shown.cum.tolist(), int(shown.cum[-1])]
    cum = Track("executed", GREY, places, executed, "step")
    ordered = Track("ordered", GREY, [0.0, ends], [about["quantity"]] * 2)
    return [ordered, cum, *_by_venue(results, shown, shown.cum.astype(np.float64))]


def _price_figure(
    results: Results, about: Object, shown: Fills, place: int, legend: tuple[tuple[str, int], ...]
) -> Figure:
    tracks = _by_venue(results, shown, shown.prices) if len(shown.seconds) else []
    seconds, best = _best_seen(results, place)
    more: list[tuple[str, int]] = []
    if len(seconds) and tracks:
        places = thinned(len(seconds), MOST_DOTS)
        far = "best offer" if about["side"] == "buy" else "best bid"
        name = f"{far} seen by decisions"
        tracks.insert(0, Track(name, GREY, seconds[places].tolist(), best[places].tolist(), "step"))
        more.append((name, GREY))
    arrival = about["arrival_price"]
    if arrival is not None and tracks:
        ends = max(about["duration_s"], float(shown.seconds[-1]))
        tracks.insert(0, Track("arrival midpoint", INK, [0.0, ends], [arrival] * 2))
        more.append(("arrival midpoint", INK))
    title = f"{about['name']}: prices"
    drawn = track_chart(title, tracks, "since arrival", "price", zero=False, up_text=_price_text)
    said = f"Prices of fills by venue. Arrival midpoint {price(arrival)}"
    vwap = about["vwap"]["price"]
    said += f", market VWAP {price(vwap)}." if vwap is not None else f", market VWAP {NONE}."
    return Figure(title, said, drawn, (*legend, *more))


def _price_text(value: float) -> str:
    return f"{value:.6f}".rstrip("0").rstrip(".")


def _best_seen(results: Results, place: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The best usable price on the other side at each decision of a parent to take, and when."""
    decisions, of = results.decisions, results.candidate_decisions
    mine = (decisions["parent"] == place + 1) & (decisions["style"] == TAKE)
    usable = (results.candidates["effective"] > 0) & (results.candidates["shares"] > 0)
    seen = mine[of] & usable
    of, found = of[seen], results.candidates["price"][seen]
    places, first = np.unique(of, return_index=True)
    if not len(places):
        return np.empty(0), np.empty(0)
    sells = results.parents["side"][place] == SELL
    best = (np.maximum if sells else np.minimum).reduceat(found, first)
    times = decisions["time_ns"][places] - results.parents["arrived_ns"][place]
    return times / NS_PER_S, best / ONE
