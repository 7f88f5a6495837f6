"""The tables of the report as text: the same rows for the terminal and for the page."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from console.runreport.beside import APART, EQUAL, SEEN
from console.runreport.results import Object
from console.screen import count

TAPE_KINDS: Final = (EQUAL, *APART)
MOST_ROWS: Final = 50
NONE: Final = "-"
NS_PER_S: Final = 10**9
COSTS_SAID: Final = (
    "Costs are positive, savings negative. Shortfall: what the order cost more than at the arrival "
    "midpoint, fees and the shares not executed (opportunity: closing less arrival midpoint) "
    "included, in bps of the whole order at the arrival price (Perold 1988). Against VWAP: the "
    "average price less the market's volume-weighted average from arrival to end, fees not in it "
    "(Berkowitz, Logue and Noser 1988)."
)
TAPES_SAID: Final = (
    "Shares of the time in which both had said something. Size: the tape's is that of no venue at "
    "the price; missing: one has a side that the other has not; crossed: one is locked or crossed "
    "and the other not. Lead: how much later the tape says a price that the direct feeds said. "
    "Orders: the tape's far side when each was decided, beside the direct feeds': the same, worse "
    "for the order, better (gone already, or not there yet), or unseen by one of both; and by how "
    "much worse it was on average."
)
LATENCY_SAID: Final = (
    "In the loop, ns. Percentiles are the upper ends of histogram buckets: at most 3.2 % too high."
)
WORDS: Final = {
    "impossible": "events that no state of the order knows",
    "over_fills": "executions of more than was open",
    "repeated": "executions that were told twice",
    "orphans": "reports of orders that are not ours",
    "full": "rows that found a table full",
    "unanswered": "cancels or replaces that a venue did not answer in time",
    "trips": "times that a venue's breaker opened",
}


@dataclass(frozen=True, slots=True)
class Sheet:
    """A table of text with a title; a column whose name starts with ">" is right-aligned."""

    title: str
    columns: Sequence[str]
    rows: Sequence[Sequence[str]]
    said: str = ""


def money(value: float | None) -> str:
    """Currency units, to the cent."""
    return NONE if value is None else f"{value:,.2f}"


def price(value: float | None) -> str:
    """A price, or fees, which are small: currency units to a hundredth of a cent."""
    return NONE if value is None else f"{value:,.4f}"


def bps(value: float | None) -> str:
    """Basis points."""
    return NONE if value is None else f"{value:+,.2f}"


def percent(value: float | None) -> str:
    """A part as percent."""
    return NONE if value is None else f"{100 * value:.1f} %"


def fine_percent(value: float | None) -> str:
    """A part as percent, to a thousandth."""
    return NONE if value is None else f"{100 * value:.3f} %"


def microseconds(value_ns: float | None) -> str:
    """A time in us."""
    return NONE if value_ns is None else f"{value_ns / 1000:,.1f}"


def nanoseconds(value: float | None) -> str:
    """A time in ns."""
    return NONE if value is None else f"{value:,.0f}"


def clock(time_ns: int) -> str:
    """A time of day in UTC, to the microsecond."""
    seconds, rest_ns = divmod(time_ns, NS_PER_S)
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%d %H:%M:%S}.{rest_ns // 1000:06} UTC"


def sheets(summary: Object) -> list[Sheet]:
    """All tables that have rows; the overview always has."""
    made = [
        overview(summary),
        _stages(summary),
        _venues(summary),
        _parents(summary),
        _costs(summary),
        _rejects(summary),
        _positions(summary),
        _contracts(summary),
        _tapes(summary),
        _books(summary),
    ]
    return [sheet for sheet in made if sheet.rows]


def warnings(summary: Object) -> Iterator[str]:
    """What a reader has to know before he believes the numbers."""
    yield from summary["notes"]
    log = summary["log"]
    if log["lost"]:
        yield (
            f"{count(log['lost'])} records of the log found no room: totals are the router's own "
            "counters, what is listed one by one is incomplete, and so is the order stream's digest"
        )
    elif log["differs"]:
        pairs = ", ".join(
            f"{name} {count(own)} in the log, {count(other)} counted"
            for name, (own, other) in log["differs"].items()
        )
        yield f"the log and the router's counters differ: {pairs}"
    for name, number in summary["odd"].items():
        if number:
            yield f"{count(number)} {WORDS[name]}"


def overview(summary: Object) -> Sheet:
    """The run in one table."""
    sent, tick = summary["order_messages"], summary["tick_to_order_ns"]
    kinds = ", ".join(f"{count(sent[kind])} {kind}" for kind in ("new", "replace", "cancel"))
    latency = ", ".join(
        f"{name} {nanoseconds(tick[key])}"
        for name, key in (("p50", "p50"), ("p99", "p99"), ("p99.9", "p999"), ("max", "max"))
    )
    rows = [("packets", count(summary["packets"])), ("messages", count(summary["messages"]))]
    if summary["elapsed_s"]:
        rows.append(("elapsed", f"{summary['elapsed_s']:,.3f} s"))
    if summary["first_ns"]:
        span = f"{clock(summary['first_ns'])} to {clock(summary['last_ns'])}"
        rows.append(("router active", span))
    rows += [
        ("parent orders", count(len(summary["parents"]))),
        ("decisions", count(summary["decisions"])),
        ("orders sent", count(summary["orders"])),
        ("order messages", f"{kinds}; {count(sent['bytes'])} bytes"),
        ("fills", count(summary["fills"])),
        ("rejects", count(summary["rejects"])),
        ("tick-to-order, ns", latency if tick["count"] else "not measured: no orders timed"),
        ("order stream SHA-256", summary["order_stream_sha256"]),
    ]
    return Sheet("Run", ("what", "value"), rows)


def _stages(summary: Object) -> Sheet:
    keys = ("mean", "p50", "p99", "p999", "max")
    rows = [
        (
            "tick-to-order" if name == "total" else name,
            count(stage["count"]),
            *(nanoseconds(stage[key]) for key in keys),
        )
        for name, stage in summary["stages_ns"].items()
    ]
    columns = ("stage", ">measured", ">mean", ">p50", ">p99", ">p99.9", ">max")
    return Sheet("Latency by stage", columns, rows, LATENCY_SAID)


def _venues(summary: Object) -> Sheet:
    rows = [
        (
            f"{venue['venue']} (dark)" if venue["dark"] else venue["venue"],
            count(venue["orders"]),
            count(venue["sent_shares"]),
            count(venue["fills"]),
            count(venue["executed_shares"]),
            percent(venue["fill_rate"]),
            money(venue["notional"]),
            price(venue["fees"]),
            ", ".join(f"{count(n)} {how}" for how, n in venue["liquidity"].items()),
            count(venue["refused"]),
            nanoseconds(venue["answer_ns_p50"]),
        )
        for venue in summary["venues"]
    ]
    columns = (
        "venue", ">orders", ">shares sent", ">fills", ">executed", ">fill rate", ">notional",
        ">fees", "shares by liquidity", ">refused", ">answer p50, ns",
    )  # fmt: skip
    said = (
        "Fees are what is paid less rebates: below zero, the venue pays. Fill rate: shares "
        "executed of those sent. Answer: from sending an order to the venue's first word on it."
    )
    return Sheet("Orders by venue", columns, rows, said)


def _some(rows: Sequence[Any]) -> tuple[Sequence[Any], str]:
    """As many rows as one reads, and what is said of the rest."""
    if len(rows) <= MOST_ROWS:
        return rows, ""
    return rows[:MOST_ROWS], f"The first {MOST_ROWS} of {count(len(rows))}; summary.json has all."


def _parents(summary: Object) -> Sheet:
    some, said = _some(summary["parents"])
    rows = [
        (
            parent["name"],
            parent["account"],
            f"{parent['side']} {parent['symbol']}",
            parent["strategy"],
            count(parent["quantity"]),
            count(parent["executed"]),
            percent(parent["fill_rate"]),
            count(parent["children"]),
            count(parent["fills"]),
            f"{parent['duration_s']:,.3f}",
            parent["state"] + (f": {parent['reason']}" if parent["reason"] else ""),
        )
        for parent in some
    ]
    columns = (
        "parent", "account", "order", "strategy", ">shares", ">executed", ">part", ">orders",
        ">fills", ">seconds", "state",
    )  # fmt: skip
    return Sheet("Parent orders", columns, rows, said)


def _costs(summary: Object) -> Sheet:
    some, said = _some(summary["parents"])
    rows = []
    for parent in some:
        short, vwap = parent["shortfall"], parent["vwap"]
        parts = (money(short[key]) for key in ("execution", "fees", "opportunity", "total"))
        rows.append(
            (
                parent["name"],
                price(parent["average_price"]),
                price(parent["arrival_price"]),
                price(parent["closing_price"]),
                *parts,
                bps(short["total_bps"]),
                price(vwap["price"]),
                money(vwap["deviation"]),
                bps(vwap["deviation_bps"]),
            )
        )
    columns = (
        "parent", ">average price", ">arrival mid", ">closing mid", ">execution", ">fees",
        ">opportunity", ">shortfall", ">bps", ">market VWAP", ">against VWAP", ">bps",
    )  # fmt: skip
    return Sheet("Cost of parent orders", columns, rows, f"{COSTS_SAID} {said}".rstrip())


def _rejects(summary: Object) -> Sheet:
    rows = [
        (whose, reason, count(number))
        for whose, key in (("own risk check", "risk"), ("venue", "venues"))
        for reason, number in summary["rejects_by_reason"][key].items()
    ]
    return Sheet("Rejects", ("by", "reason", ">orders"), rows)


def _positions(summary: Object) -> Sheet:
    some, said = _some(summary["positions"])
    rows = [
        (
            row["account"],
            row["symbol"],
            count(row["shares"]),
            count(row["bought"]),
            count(row["sold"]),
            price(row["average_cost"]),
            price(row["mark"]),
            *(money(row[key]) for key in ("realised", "unrealised", "fees", "net")),
        )
        for row in some
    ]
    columns = (
        "account", "symbol", ">shares", ">bought", ">sold", ">average cost", ">mark",
        ">realised P&L", ">unrealised P&L", ">fees", ">net P&L",
    )  # fmt: skip
    note = "Marked at the midpoint, else at the last trade. Net: realised and unrealised less fees."
    return Sheet("Positions", columns, rows, f"{note} {said}".rstrip())


def _contracts(summary: Object) -> Sheet:
    rows = [
        (row["symbol"], row["product"], row["month"], row["last_day"] or NONE)
        for row in summary["contracts"]
    ]
    return Sheet("Contracts", ("symbol", "product", "month", "last trading day"), rows)


def _tapes(summary: Object) -> Sheet:
    rows = summary["tapes"]
    some, said = _some(rows)
    cells = [
        (
            row["tape"],
            row["symbol"] or "all",
            *(fine_percent(row["shares"][kind]) for kind in TAPE_KINDS),
            count(row["tape_changes"]),
            count(row["only_tape"]),
            *(microseconds(row[f"lead_{rank}_ns"]) for rank in ("p50", "p99")),
            *(count(row["orders"][word]) for word in SEEN),
            bps(row["worse_bps"]),
        )
        for row in some
    ]
    columns = (
        "tape", "symbol", *(f">{kind}" for kind in TAPE_KINDS), ">changes", ">only tape",
        ">lead p50, us", ">lead p99, us", *(f">orders {word}" for word in SEEN), ">worse, bps",
    )  # fmt: skip
    return Sheet("National best: tapes beside direct feeds", columns, cells, f"{TAPES_SAID} {said}")


def _books(summary: Object) -> Sheet:
    books = summary["books"]
    keys = list(dict.fromkeys(key for counted in books.values() for key in counted))
    rows = [
        (venue, *(count(counted[key]) if key in counted else NONE for key in keys))
        for venue, counted in books.items()
    ]
    return Sheet("Books", ("venue", *(f">{key.replace('_', ' ')}" for key in keys)), rows)
