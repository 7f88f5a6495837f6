"""How each parent fared: its measures, and the objects of the summary."""

from __future__ import annotations

from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from console.runreport.measures import (
    Shortfall,
    Values,
    VwapSlippage,
    average_price,
    fill_rate,
    implementation_shortfall,
    optional,
    vwap_slippage,
)
from console.runreport.names import name_of, text_of
from console.runreport.results import Object, Results, Rows
from feedhandler.actions import BUY, PRICE_DECIMALS, SELL
from router.tables import STRATEGIES

ONE: Final = 10.0**PRICE_DECIMALS
NS_PER_S: Final = 1e9
SIDES: Final = {BUY: "buy", SELL: "sell"}


class ParentMeasures(NamedTuple):
    """Measures of all parents, a value each; prices in currency units, NaN: not known."""

    average: Values
    arrival: Values
    closing: Values
    filled: Values
    shortfall: Shortfall
    vwap: VwapSlippage


def side_name(side: int) -> str:
    """buy or sell."""
    return SIDES.get(side, f"side {side}")


def prices(raw: NDArray[np.int64]) -> Values:
    """Prices of 1e-8 units in currency units, NaN for those of 0: none."""
    return np.where(raw == 0, np.nan, raw / ONE)


def measure(results: Results) -> ParentMeasures:
    """Measures of all parents of a run.

    A parent that is not over when the run ends is measured up to there: the rest of it at the mark,
    the market's volume as of then.
    """
    rows = results.parents
    executed, notional = rows["cum"], rows["notional"] / ONE
    arrival, closing = prices(rows["arrival"]), prices(_closing(results))
    volume, traded = _interval(results)
    return ParentMeasures(
        average_price(executed, notional),
        arrival,
        closing,
        fill_rate(executed, rows["quantity"]),
        implementation_shortfall(
            rows["side"], rows["quantity"], executed, notional, rows["fees"] / ONE, arrival, closing
        ),
        vwap_slippage(rows["side"], executed, notional, volume, traded),
    )


def _closing(results: Results) -> NDArray[np.int64]:
    rows = results.parents
    marks = [results.mark(int(number)) for number in rows["instrument"]]
    return np.where(rows["ended_ns"] != 0, rows["closing"], np.array(marks, np.int64))


def _interval(results: Results) -> tuple[Values, Values]:
    """Shares and money that the market traded from each parent's arrival to its end."""
    rows = results.parents
    now, over = results.instruments[rows["instrument"]], rows["ended_ns"] != 0
    volume = np.where(over, rows["closing_volume"], now["volume"]) - rows["arrival_volume"]
    traded = np.where(over, rows["closing_notional"], now["notional"]) - rows["arrival_notional"]
    known = volume >= 0
    return np.where(known, volume, np.nan), np.where(known, traded / ONE, np.nan)


def parent_name(row: Any, number: int) -> str:
    """A parent's name; "parent 7" where it has none."""
    return text_of(row["name"]) or f"parent {number}"


def parent_objects(results: Results, measures: ParentMeasures) -> list[Object]:
    """One object a parent, in the order of their numbers."""
    fills = np.bincount(results.fill_children["parent"], minlength=len(results.parents) + 1)
    return [
        _about(results, row, number)
        | {"fills": int(fills[number])}
        | _measured(measures, number - 1)
        for number, row in enumerate(results.parents, 1)
    ]


def _about(results: Results, row: Any, number: int) -> Object:
    names, over = results.names, int(row["ended_ns"])
    until = over or results.counts.last_ns
    reason = int(row["reason"])
    return {
        "number": number,
        "name": parent_name(row, number),
        "account": names.account(int(row["account"])),
        "symbol": names.instrument(int(row["instrument"])),
        "side": side_name(int(row["side"])),
        "quantity": int(row["quantity"]),
        "limit": int(row["limit"]) / ONE or None,
        "strategy": name_of(STRATEGIES, int(row["strategy"]), "strategy"),
        "state": names.state(int(row["state"])),
        "reason": name_of(names.parent_reasons, reason, "reason") if reason else None,
        "arrived_ns": int(row["arrived_ns"]),
        "ended_ns": over or None,
        "duration_s": round(max(0, until - int(row["arrived_ns"])) / NS_PER_S, 9),
        "executed": int(row["cum"]),
        "notional": int(row["notional"]) / ONE,
        "fees": int(row["fees"]) / ONE,
        "children": int(row["children"]),
        "rejects": int(row["rejects"]),
    }


def _measured(measures: ParentMeasures, at: int) -> Object:
    shortfall, vwap = measures.shortfall, measures.vwap
    return {
        "average_price": optional(measures.average[at]),
        "arrival_price": optional(measures.arrival[at]),
        "closing_price": optional(measures.closing[at]),
        "fill_rate": optional(measures.filled[at]),
        "shortfall": {name: optional(values[at]) for name, values in shortfall._asdict().items()},
        "vwap": {
            "price": optional(vwap.vwap[at]),
            "deviation": optional(vwap.money[at]),
            "deviation_bps": optional(vwap.bps[at]),
        },
    }


def largest(rows: Rows, most: int) -> NDArray[np.int64]:
    """Places of the parents that traded the most money, at most so many, in their own order."""
    order = np.argsort(-rows["notional"], kind="stable")[:most]
    return np.sort(order)
