"""The summary of a run: plain values, the same for the screen, the page and summary.json."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any, Final

import numpy as np

from console.runreport.measures import fill_rate, optional
from console.runreport.names import name_of
from console.runreport.parents import ONE, measure, parent_objects
from console.runreport.results import Object, Results, RunFacts
from console.runreport.tapes import tape_objects
from feedhandler.contracts import QUARTERLY
from nic.percentiles import mean, percentiles
from router.tables import CANCEL, ENTER, LIQUIDITY, REPLACE

RANKS: Final = {"p50": 50.0, "p99": 99.0, "p999": 99.9, "max": 100.0}
TOTAL: Final = "total"
NS_PER_S: Final = 1e9
REJECTED: Final = "rejected"
ODD: Final = ("impossible", "over_fills", "repeated", "orphans", "full", "unanswered", "trips")


def summary_of(results: Results) -> Object:
    """Everything in summary.json. Money and prices are in currency units, times in ns."""
    facts, counts = results.facts, results.counts
    stopped, refused = _stopped(results), _refused(results)
    return {
        "name": facts.name,
        "notes": list(facts.notes),
        "elapsed_s": round(facts.elapsed_s, 6),
        "first_ns": counts.first_ns,
        "last_ns": counts.last_ns,
        "packets": facts.packets,
        "messages": facts.messages,
        "orders": _whole(results, "orders"),
        "fills": _whole(results, "fills"),
        "rejects": _whole(results, "stopped") + _whole(results, "refused"),
        "tick_to_order_ns": stage_ns(facts, TOTAL),
        "order_stream_sha256": counts.sha256,
        "order_messages": _messages(results),
        "decisions": len(results.decisions),
        "commands": _commands(results),
        "log": {"records": counts.records, "lost": counts.lost, "differs": _differences(results)},
        "odd": {name: getattr(counts, name) for name in ODD},
        "stages_ns": {name: stage_ns(facts, name) for name in facts.stages},
        "rejects_by_reason": {"risk": _ranked(stopped), "venues": _ranked(refused)},
        "venues": _venues(results),
        "parents": parent_objects(results, measure(results)),
        "positions": _positions(results),
        "accounts": _accounts(results),
        "contracts": _contracts(results),
        "tapes": tape_objects(results),
        "books": {name: dict(counted) for name, counted in facts.books.items()},
    }


def stage_ns(facts: RunFacts, stage: str) -> Object:
    """Count, mean and percentiles of a stage in ns; the values are null where nothing was timed."""
    row = facts.stages.get(stage)
    count = 0 if row is None or facts.tick_hz <= 0 else int(np.asarray(row).reshape(-1)["count"][0])
    if row is None or count == 0:
        return {"count": 0, "mean": None, **dict.fromkeys(RANKS)}
    scale = NS_PER_S / facts.tick_hz
    values = percentiles(row, list(RANKS.values()))
    found = {name: round(value * scale, 1) for name, value in zip(RANKS, values, strict=True)}
    return {"count": count, "mean": round(mean(row) * scale, 1), **found}


def _logged(results: Results) -> Object:
    """Counts by the log, under the names of the router's own counters."""
    return {
        "orders": int((results.sent["kind"] == ENTER).sum()),
        "messages": len(results.sent),
        "fills": len(results.fills),
        "stopped": int((results.gates["reason"] != 0).sum()),
        "refused": sum(_refused(results).values()),
    }


def _whole(results: Results, name: str) -> int:
    """A count: the log's, which all files are made of; the router's where the log lost records."""
    if results.counts.lost:
        return int(getattr(results.counts, name))
    return int(_logged(results)[name])


def _differences(results: Results) -> Object:
    """Counts that the log and the router's counters do not agree on: [log, counters]."""
    own = {name: (n, getattr(results.counts, name)) for name, n in _logged(results).items()}
    return {name: list(pair) for name, pair in own.items() if pair[0] != pair[1]}


def _messages(results: Results) -> Object:
    kinds = results.sent["kind"]
    named = {"new": ENTER, "replace": REPLACE, "cancel": CANCEL}
    counted: Object = {name: int((kinds == kind).sum()) for name, kind in named.items()}
    return counted | {"bytes": int(results.sent["bytes"].sum())}


def _commands(results: Results) -> Object:
    taken = int((results.commands["taken"] == 1).sum())
    return {"taken": taken, "refused": len(results.commands) - taken}


def _ranked(counted: Counter[str]) -> dict[str, int]:
    return dict(sorted(counted.items(), key=lambda item: (-item[1], item[0])))


def _stopped(results: Results) -> Counter[str]:
    """Orders that the gate stopped, by reason."""
    numbers = results.gates["reason"]
    reasons, counts = np.unique(numbers[numbers != 0], return_counts=True)
    named = (name_of(results.names.gate_reasons, int(reason), "reason") for reason in reasons)
    return _counted(zip(named, counts.tolist(), strict=True))


def _refused(results: Results) -> Counter[str]:
    """Orders that venues refused, by venue and reason: children that became rejected."""
    events, states = results.child_events, list(results.names.states)
    rejected = states.index(REJECTED) if REJECTED in states else -1
    events = events[(events["after"] == rejected) & (events["before"] != rejected)]
    venues = results.children_of(events["child"])["venue"]
    pairs = Counter(zip(venues.tolist(), events["code"].tolist(), strict=True))
    return _counted((results.names.refusal(*pair), n) for pair, n in pairs.items())


def _counted(pairs: Any) -> Counter[str]:
    found: Counter[str] = Counter()
    for name, number in pairs:
        found[name] += number
    return found


def _by(numbers: Any, weights: Any, rows: int) -> list[int]:
    """Exact sums of integers by number."""
    sums = np.zeros(rows, np.int64)
    there = (numbers >= 0) & (numbers < rows)
    np.add.at(sums, numbers[there], np.broadcast_to(weights, numbers.shape)[there])
    return [int(value) for value in sums]


def _venues(results: Results) -> list[Object]:
    """One object a venue that has a name or had orders."""
    children, rows = results.children, len(results.venues)
    of = children["venue"]
    orders, sent = _by(of, 1, rows), _by(of, children["quantity"], rows)
    executed, notional = _by(of, children["cum"], rows), _by(of, children["notional"], rows)
    fees, fills = _by(of, children["fees"], rows), _by(results.fill_children["venue"], 1, rows)
    rates = fill_rate(executed, sent)
    liquidity, answers = _liquidity(results), _answers(results)
    return [
        {
            "venue": results.names.venue(number),
            "number": number,
            "dark": bool(row["dark"]),
            "orders": orders[number],
            "sent_shares": sent[number],
            "fills": fills[number],
            "executed_shares": executed[number],
            "fill_rate": optional(rates[number]),
            "notional": notional[number] / ONE,
            "fees": fees[number] / ONE,
            "liquidity": liquidity(number),
            "refused": int(row["rejects"]),
            "answer_ns_p50": answers(number),
        }
        for number, row in enumerate(results.venues)
        if orders[number] or bytes(row["name"])
    ]


def _liquidity(results: Results) -> Callable[[int], Object]:
    """A function that gives a venue's executed shares by how they came about."""
    venues, fills = results.fill_children["venue"], results.fills

    def of(venue: int) -> Object:
        mine = fills[venues == venue]
        sums = _by(mine["liquidity"], mine["shares"], len(LIQUIDITY))
        return {name: n for name, n in zip(LIQUIDITY, sums, strict=True) if n}

    return of


def _answers(results: Results) -> Callable[[int], float | None]:
    """A function that gives the median time from an order's sending to its first answer."""
    heard = results.children[results.children["heard_ns"] != 0]
    heard = heard[heard["sent_ns"] != 0]
    waits = heard["heard_ns"] - heard["sent_ns"]

    def of(venue: int) -> float | None:
        mine = waits[heard["venue"] == venue]
        return float(np.median(mine)) if len(mine) else None

    return of


def _positions(results: Results) -> list[Object]:
    """One object for each account and instrument that was traded or is held."""
    table = results.positions
    used = (table["shares"] != 0) | (table["bought"] != 0) | (table["sold"] != 0)
    return [
        _position(results, table[account, instrument], int(account), int(instrument))
        for account, instrument in np.argwhere(used)
    ]


def _position(results: Results, row: Any, account: int, instrument: int) -> Object:
    """Profit and loss: what was realised, what the rest is worth at the mark, and fees."""
    mark, shares, cost = results.mark(instrument), int(row["shares"]), int(row["cost"])
    held = (shares * mark - cost) / ONE if mark or not shares else None
    realised, fees = int(row["realised"]) / ONE, int(row["fees"]) / ONE
    return {
        "account": results.names.account(account),
        "symbol": results.names.instrument(instrument),
        "shares": shares,
        "bought": int(row["bought"]),
        "sold": int(row["sold"]),
        "average_cost": round(cost / shares / ONE, 8) if shares else None,
        "mark": mark / ONE or None,
        "realised": realised,
        "unrealised": held,
        "fees": fees,
        "net": None if held is None else round(realised + held - fees, 8),
    }


def _contracts(results: Results) -> list[Object]:
    """One object for each future that parents are in; the last day where its rule is known."""
    return [
        {
            "symbol": symbol,
            "product": contract.root,
            "month": f"{contract.year}-{contract.month:02}",
            "last_day": str(contract.last_day) if contract.root in QUARTERLY else None,
        }
        for symbol, contract in results.facts.contracts.items()
    ]


def _accounts(results: Results) -> list[Object]:
    """One object for each account that has a name or had orders."""
    return [
        {
            "account": results.names.account(number),
            "orders": int(row["orders"]),
            "cancels": int(row["cancels"]),
            "fills": int(row["fills"]),
            "rejects": int(row["rejects"]),
            "bought": int(row["bought"]),
            "sold": int(row["sold"]),
            "realised": int(row["realised"]) / ONE,
            "fees": int(row["fees"]) / ONE,
        }
        for number, row in enumerate(results.accounts)
        if int(row["orders"]) or bytes(row["name"])
    ]
