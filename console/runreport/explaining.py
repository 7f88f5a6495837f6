"""A stored decision in words: what it saw, what it chose, and why."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Final

from rich.console import RenderableType

from console.people import time_text
from console.runreport.parquet import DECISIONS, FILLS, ORDERS, read_rows, read_words
from console.runreport.results import Object
from console.screen import count, table
from nic.configfile import ConfigError
from router.tables import DOLLAR, PART, PASSIVE, STYLES

ZONE: Final = "America/New_York"
PLACES: Final = Decimal("0.000001")
BOUNDED: Final = "search bounded"
LEAST_DECIMALS: Final = Decimal("0.01")
COLUMNS: Final = ("venue", ">price", ">shares", ">effective", ">chosen", "flags")


def explanation(folder: Path, child: int) -> Iterator[RenderableType]:
    """Lines and a table about an order of a results folder.

    Raises ConfigError where there are no results, no such order, or no pyarrow.
    """
    found = read_rows(folder, ORDERS, [("child", "=", child)])
    if not found:
        known = len(read_rows(folder, ORDERS))
        there = f"orders 1 to {known:,}" if known else "no orders at all"
        raise ConfigError(f"child {child}: not in {folder / ORDERS}, which has {there}")
    order = found[0]
    yield from order_lines(order, read_rows(folder, FILLS, [("child", "=", child)]))
    number = order["decision"]
    seen = read_rows(folder, DECISIONS, [("decision", "=", number)]) if number else []
    if not seen:
        yield f"\nNo decision is stored for it: {_no_decision(number)}."
        return
    words = read_words(folder).get(seen[0]["style"], ("", ""))
    yield f"\n{decision_line(seen[0])}"
    candidates = [row for row in seen if row["candidate"] is not None]
    if not candidates:
        yield "It saw no book that it could have used."
        return
    yield from _candidates(seen[0], candidates, words)


def _no_decision(number: int) -> str:
    if number:
        return f"decision {number} is not in {DECISIONS}; the log may have been full"
    return "it was entered by a command"


def decimals(value: Decimal | None) -> str:
    """A price with 2 to 8 decimals; "market" for none."""
    if value is None:
        return "market"
    plain = value.normalize()
    exponent = plain.as_tuple().exponent
    short = isinstance(exponent, int) and exponent > -2
    return f"{plain.quantize(LEAST_DECIMALS) if short else plain:,f}"


def order_lines(order: Object, fills: Sequence[Object]) -> Iterator[str]:
    """What the order was, and what came of it."""
    kind = " ".join([order["tif"].upper() if order["tif"] != "day" else "day", *order["flags"]])
    at = f"at {decimals(order['price'])}" if order["price"] is not None else "without a limit"
    yield (
        f"Order {order['child']}: {order['side']} {count(order['quantity'])} {order['symbol']} "
        f"{at}, {kind}, to {order['venue']}"
    )
    yield f"for {order['parent_name']} (parent {order['parent']}), account {order['account']}"
    yield from _times(order)
    yield f"{order['state']}: {count(order['executed'])} of {count(order['quantity'])} executed"
    for fill in fills:
        yield (
            f"  {count(fill['shares'])} at {decimals(fill['price'])}, {fill['liquidity']}, "
            f"{_fee(fill['fee'])}"
        )


def _fee(fee: Decimal) -> str:
    return f"rebate {decimals(-fee)}" if fee < 0 else f"fee {decimals(fee)}"


def _times(order: Object) -> Iterator[str]:
    sent, answered = order["sent"], order["answered"]
    if sent is None:
        return
    line = f"sent {time_text(sent, ZONE)}"
    if answered is not None:
        line += f", answered {count(answered - sent)} ns later"
    yield line


def decision_line(row: Object) -> str:
    """What was to be decided."""
    limit = f"limit {decimals(row['limit'])}" if row["limit"] is not None else "no limit"
    return (
        f"Decision {row['decision']} at {time_text(row['time'], ZONE)}: {row['style']}, "
        f"{row['side']} {count(row['quantity'])} {row['symbol']}, {limit}"
    )


def _candidates(
    decision: Object, candidates: Sequence[Object], words: tuple[str, str]
) -> Iterator[RenderableType]:
    more = [(key, name) for key, name in zip(("first", "second"), words, strict=True) if name]
    rows = [
        (
            row["venue"],
            decimals(row["price"]),
            count(row["shares"]),
            decimals(row["effective"]),
            count(row["chosen"]) if row["chosen"] else "",
            ", ".join(row["flag_names"]),
            *(word_text(name, row[key]) for key, name in more),
        )
        for row in candidates
    ]
    yield table((*COLUMNS, *(f">{name.partition(' (')[0]}" for _, name in more)), rows)
    posts = decision["style"] == STYLES[PASSIVE]
    what = "expected cost a share" if posts else "price a share, the venue's fee or rebate in it"
    yield f"(effective: {what})\n"
    yield from reasons(decision, candidates)


def word_text(name: str, value: int) -> str:
    """One of the two words of a candidate, by the unit in its name: parts, money, else a count."""
    if name.endswith("(1e-9)"):
        return f"{value / PART:.1%}"
    return decimals(Decimal(value) / DOLLAR) if name.endswith("(1e-8)") else count(value)


def reasons(decision: Object, candidates: Sequence[Object]) -> Iterator[str]:
    """Why each candidate was chosen or left: a line each, then the sum."""
    posts = decision["style"] == STYLES[PASSIVE]
    sells = decision["side"] == "sell" and not posts
    ranked = [row for row in candidates if row["effective"] or row["chosen"] or posts]
    ranked.sort(key=lambda row: row["effective"], reverse=sells)
    chosen = [row for row in ranked if row["chosen"]]
    left = decision["quantity"] - sum(row["chosen"] for row in chosen)
    by = "expected cost" if posts else "effective price"
    unusable = [row for row in candidates if row not in ranked]
    for place, row in enumerate([*ranked, *unusable], 1):
        what = f"{row['venue']} at {decimals(row['price'])}"
        if row["chosen"]:
            yield f"{what}: {_taken(row, posts)}, {_rank(place, len(ranked))} by {by}"
        else:
            yield f"{what}: not used, {_why_not(decision, row, chosen, left)}"
    yield from _sum(decision, chosen, posts)


def _sum(decision: Object, chosen: Sequence[Object], posts: bool) -> Iterator[str]:
    """What the decision came to."""
    total = sum(row["chosen"] for row in chosen)
    line = f"In all {count(total)} of {count(decision['quantity'])} shares were placed"
    if total and not posts:
        paid = sum(row["chosen"] * row["effective"] for row in chosen) / total
        line += f", at {decimals(paid.quantize(PLACES))} a share with fees"
    yield f"{line}."
    if any(BOUNDED in row["flag_names"] for row in chosen):
        yield "The search was cut short: there may be a cheaper way."


def _taken(row: Object, posts: bool) -> str:
    chosen, there = row["chosen"], row["shares"]
    if posts or not there:
        return f"{count(chosen)} shares"
    return (
        f"all {count(there)} shares" if chosen == there else f"{count(chosen)} for {count(there)}"
    )


def _rank(place: int, whole: int) -> str:
    return "the only one" if whole == 1 else f"number {place} of {whole}"


def _why_not(decision: Object, row: Object, chosen: Sequence[Object], left: int) -> str:
    """What the decision itself noted; else the plainest reason that the stored numbers give."""
    limit, posts = decision["limit"], decision["style"] == STYLES[PASSIVE]
    sign = -1 if decision["side"] == "sell" and not posts else 1
    worse = sign * (row["effective"] - chosen[-1]["effective"]) if chosen else Decimal(0)
    apart = f"{decimals(worse)} a share worse than the last one used"
    if row["why_not"]:
        noted = ", ".join(row["why_not"])
        return f"{noted}: {apart}" if worse > 0 else noted
    if limit is not None and not posts and sign * row["price"] > sign * limit:
        return f"beyond the limit of {decimals(limit)}"
    if not row["shares"] and not posts:
        return "no shares there"
    if worse > 0 and left <= 0:
        return f"{apart}, and all was placed"
    if worse == 0 and chosen and left <= 0:
        return "as good as the last one used, but all was placed"
    return "the stored numbers do not say why"
