"""Tapes beside direct feeds in the report: objects of the summary, rows of a file."""

from __future__ import annotations

from console.runreport.beside import SEEN, Beside
from console.runreport.results import Object, Results


def tape_objects(results: Results) -> list[Object]:
    """Of the summary: an object a symbol, behind one of all of each tape; [] without tapes."""
    wholes: dict[str, Beside] = {}
    rows = []
    for tape, instrument, made in results.beside_tapes:
        wholes.setdefault(tape, Beside()).add(made)
        rows.append(_object(tape, results.names.instrument(instrument), made))
    return [*(_object(tape, None, whole) for tape, whole in wholes.items()), *rows]


def _object(tape: str, symbol: str | None, made: Beside) -> Object:
    total_ns, looked = sum(made.spans_ns.values()), made.looked
    apart = [one.worse_bps for one in looked if one.worse_bps is not None]
    return {
        "tape": tape,
        "symbol": symbol,
        "compared_ns": total_ns,
        "shares": {kind: _share(span, total_ns) for kind, span in made.spans_ns.items()},
        "times": dict(made.times),
        "tape_changes": made.compared.tape,
        "direct_changes": made.compared.direct,
        "only_tape": made.compared.never,
        "lead_p50_ns": made.compared.lead_at(0.5),
        "lead_p99_ns": made.compared.lead_at(0.99),
        "orders": {word: sum(one.word == word for one in looked) for word in SEEN},
        "worse_bps": round(sum(apart) / len(apart), 4) if apart else None,
    }


def _share(part: int, whole: int) -> float | None:
    return round(part / whole, 8) if whole else None
