"""Decisions in words: what was seen, what was chosen, and why the rest was not."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

import numpy as np

from feedhandler.actions import BUY
from router.log import CANDIDATE_DTYPE, DECISION
from router.logreader import Record
from router.routing.layout import BOUNDED, FLAGS
from router.tables import STYLES, TAKE

UNIT: Final = 100_000_000  # of prices, in a currency unit
COLUMNS: Final = ("venue", "price", "shares", "fee", "effective", "chosen", "why")


class Candidate(NamedTuple):
    """A candidate in words; prices in 1e-8 units.

    Attributes:
        fee: a share; below 0: a rebate.
        first, second: words of the style. Of sweeps: shares of the venue's protected quote that a
            sweep takes, and shares that own orders under way take of the level.
        flags: in words. Of sweeps: what the quote and the order are, or why nothing was taken.
    """

    venue: str
    price: int
    shares: int
    fee: int
    effective: int
    chosen: int
    first: int
    second: int
    flags: tuple[str, ...]


class Decision(NamedTuple):
    """A decision in words; `limit` 0: none."""

    number: int
    time_ns: int
    parent: int
    style: int
    quantity: int
    limit: int
    candidates: tuple[Candidate, ...]
    bounded: bool

    @property
    def chosen(self) -> int:
        """Shares of all orders."""
        return sum(candidate.chosen for candidate in self.candidates)


def money(amount: int) -> str:
    """An amount of 1e-8 units with two decimals at least: 10.0021, -0.002."""
    whole, part = divmod(abs(amount), UNIT)
    digits = f"{part:08d}".rstrip("0").ljust(2, "0")
    return f"{'-' if amount < 0 else ''}{whole}.{digits}"


def flag_words(flags: int, names: Sequence[str] = FLAGS) -> tuple[str, ...]:
    """The words of the bits that are set; bits without a name are numbered."""
    bits = [bit for bit in range(flags.bit_length()) if flags >> bit & 1]
    return tuple(names[bit] if bit < len(names) else f"flag {bit}" for bit in bits)


def venue_name(number: int, venues: Sequence[str], market: Sequence[str] = ()) -> str:
    """Name of a router's venue; below 0: of one of the market that there is no way to."""
    names, place = (venues, number) if number >= 0 else (market, -1 - number)
    return names[place] if place < len(names) else f"venue {place}"


def read_decision(
    record: Record,
    side: int,
    venues: Sequence[str],
    *,
    market: Sequence[str] = (),
    flags: Mapping[int, Sequence[str]] | None = None,
) -> Decision:
    """A decision's record in words. Raises ValueError for a record of another kind.

    Args:
        record: of the log.
        side: the parent's, BUY or SELL of `feedhandler.actions`.
        venues: names by the router's number.
        market: names by the market's number, for venues that there is no way to.
        flags: names of the flags of styles other than sweeps, by style.
    """
    if record.kind != DECISION:
        raise ValueError(f"a record of kind {record.kind}: expected a decision, {DECISION}")
    number, parent, style, quantity, limit, _ = record.words
    names = FLAGS if style == TAKE else (flags or {}).get(style, ())
    sign, lines = 1 if side == BUY else -1, np.frombuffer(record.more, CANDIDATE_DTYPE)
    made = []
    for venue, price, shares, effective, chosen, bits, first, second in lines.tolist():
        fee = sign * (effective - price) if effective else 0
        name = venue_name(venue, venues, market)
        words = flag_words(bits & ~BOUNDED if style == TAKE else bits, names)
        made.append(Candidate(name, price, shares, fee, effective, chosen, first, second, words))
    bounded = style == TAKE and bool((lines["flags"] & BOUNDED).any())
    candidates = tuple(made)
    return Decision(number, record.time_ns, parent, style, quantity, limit, candidates, bounded)


def why(candidate: Candidate, style: int) -> str:
    """Why a candidate of a sweep was taken or not."""
    words = list(candidate.flags)
    if candidate.chosen and style == TAKE:
        words = ["taken", *(word for word in words if word != "ISO")]
        if "ISO" in candidate.flags:
            words.append("by ISO")
    if candidate.first and style == TAKE and "protected" in words:
        words[words.index("protected")] = f"protected, {candidate.first} to sweep"
    if candidate.second and style == TAKE:
        words.append(f"{candidate.second} asked for already")
    return "; ".join(words)


def table_rows(decision: Decision) -> list[tuple[str, ...]]:
    """A row of text a candidate, in the order they were looked at; see COLUMNS."""
    rows: list[tuple[str, ...]] = []
    for seen in decision.candidates:
        nothing = seen.effective == 0
        shown = (money(seen.price) if seen.price else "-", str(seen.shares))
        paid = ("-", "-") if nothing else (money(seen.fee), money(seen.effective))
        rows.append((seen.venue, *shown, *paid, str(seen.chosen), why(seen, decision.style)))
    return rows


def summary(decision: Decision) -> str:
    """What a decision came to, in a sentence."""
    taken = [seen for seen in decision.candidates if seen.chosen]
    if not taken:
        return "nothing chosen"
    cost = sum(seen.chosen * seen.effective for seen in taken)
    venues = dict.fromkeys(seen.venue for seen in taken)
    text = f"{decision.chosen} of {decision.quantity} shares on {', '.join(venues)}"
    text += f", {money(cost // decision.chosen)} a share after fees"
    return text + (", search cut short: may not be the cheapest" if decision.bounded else "")


def explain(decision: Decision, instrument: str, side: int) -> str:
    """A decision as text: a head line, the candidates as a table, what it came to."""
    verb, limit = "buy" if side == BUY else "sell", decision.limit
    head = f"decision {decision.number} at {decision.time_ns} ns, {STYLES[decision.style]}: "
    head += f"{verb} {decision.quantity} {instrument} for parent {decision.parent}, "
    head += f"limit {money(limit)}" if limit else "no limit"
    rows = [COLUMNS, *table_rows(decision)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(COLUMNS) - 1)]
    lines = [
        "  ".join(
            cell.ljust(width) if column == 0 else cell.rjust(width)
            for column, (cell, width) in enumerate(zip(row, widths, strict=False))
        )
        + f"  {row[-1]}"
        for row in rows
    ]
    return "\n".join([head, *(line.rstrip() for line in lines), summary(decision)])
