"""Whether the compiled walk and the plain decode say the same about a packet.

They must agree on the number of messages and on every fault by its reason. What only one of them
looks at is written down here and nowhere else:

* `unknown_value` and `unknown_symbol` come from what a message does, which only the compiled walk
  asks. A message with such a value and a second fault in its variable part may be counted as
  either.
* Inside appendages (OUCH 5.0, the consolidated tapes) and add-ons (Pillar), in the texts and recaps
  of the tapes, and in what a client sends over SoupBinTCP, the compiled walk reads nothing, so it
  finds no fault there.
"""

from __future__ import annotations

from collections import Counter

from feedhandler.feed import Feed, decode
from feedhandler.transports.transport import select_record
from feedhandler.wire.addons import AddOns
from feedhandler.wire.errors import WireError
from feedhandler.wire.record import Record
from feedhandler.wire.tails import Group

VALUE, SYMBOL = "unknown_value", "unknown_symbol"
CLIENT_DATA = "U"
TAPES = ("uqdf15", "cqs210")  # none of their variable parts means anything to a book


def table_of(feed: Feed, data: bytes, start: int, end: int) -> tuple[Record, Record, int] | None:
    """Outer table, table and start of the innermost message; None where there is none."""
    try:
        outer = select_record(feed.protocol, data, start, end)
        inner = feed.inner.get(outer.code)
        if inner is None:
            return outer, outer, start
        if end - start < outer.size:
            return None
        inside = start + outer.size
        return outer, select_record(inner, data, inside, end), inside
    except WireError:
        return None


def wanted(feed: Feed, data: bytes, span: tuple[int, int], reason: str) -> tuple[str, bool]:
    """What the compiled walk says of a message with a fault, and if a value may come before.

    "" stands for nothing: the fault lies where only the plain decode looks.
    """
    start, end = span
    outer = data[start + feed.protocol.code_offset : start + feed.protocol.code_offset + 1]
    carries = feed.protocol.name == "soupbintcp" and outer == CLIENT_DATA.encode()
    if carries and end - start > feed.protocol[CLIENT_DATA].size:
        return "", False
    found = table_of(feed, data, start, end)
    if found is None:
        return reason, False
    _, table, inside = found
    if end - inside < table.size or not table.tails:
        return reason, False
    tail = table.tails[0]
    if isinstance(tail, AddOns) or feed.protocol.name in TAPES:
        return "", True
    if isinstance(tail, Group) and tail.total is not None:
        field = table.by_name[tail.total]
        at = inside + field.offset
        length = int.from_bytes(data[at : at + field.width], field.order)
        return (reason if inside + table.size + length > end else ""), True
    return reason, True


def disagreement(feed: Feed, data: bytes, messages: int, counted: dict[str, int]) -> str | None:
    """What the compiled walk's counters and the plain decode differ in; None if in nothing."""
    decoded = decode(feed, data)
    spans = decoded.packet.spans
    if messages != len(spans):
        return f"{messages} messages, the plain decode has {len(spans)}"
    left = Counter(counted)
    early = len(decoded.faults) - (len(spans) - len(decoded.messages))
    for fault in decoded.faults[:early]:
        left[fault.reason] -= 1
    starts = {message.start for message in decoded.messages}
    faulty = [(a, b) for a, b in spans if not any(a <= at < b for at in starts)]
    clean = len(spans) - len(faulty)
    for span, fault in zip(faulty, decoded.faults[early:], strict=True):
        reason, value_first = wanted(feed, data, span, fault.reason)
        if reason and value_first and left[reason] <= 0:
            reason = VALUE
        if reason:
            left[reason] -= 1
        else:
            clean += 1  # for the compiled walk
    del left[SYMBOL]
    wrong = {name: n for name, n in left.items() if n != 0 and name != VALUE}
    if wrong or not 0 <= left[VALUE] <= clean:
        plain = Counter(fault.reason for fault in decoded.faults)
        return f"counted {counted}, the plain decode {dict(plain)}"
    return None
