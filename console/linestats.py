"""Lines of a plan's channels, and the counters of arbitration as plain values."""

from __future__ import annotations

from typing import Any

from console.plan import Plan
from feedhandler.lines.layout import LINE_NAMES, STATES
from feedhandler.lines.setup import Lines
from nic.block import Block

Object = dict[str, Any]
COUNTS = (
    "packets delivered duplicates overlaps old late holes gaps recovered lost joined_at lives full"
).split()
LINE_COUNTS = ("packets", "first", "duplicates", "gaps", "missing", "reordered", "leads")


def lines_of(plan: Plan, *, alone: bool = False) -> Lines | None:
    """The channels to arbitrate between; None when there are none.

    Channels of the same name and feed carry the same data, each on a line of its own. With `alone`
    those that have no other beside them are in it as well, so that their gaps are seen.
    """
    found: dict[tuple[str, str], dict[str, int]] = {}
    for number, channel in enumerate(plan.channels):
        if channel.feed is not None:
            lines = found.setdefault((channel.name, channel.feed.full_name), {})
            if channel.line in lines:  # the same line twice: not known to be the same data
                lines = found.setdefault((f"{channel.name} {number}", channel.feed.full_name), {})
            lines[channel.line] = number
    wanted = [lines for lines in found.values() if alone or len(lines) > 1]
    streams = {
        channel: (stream, LINE_NAMES.index(line))
        for stream, lines in enumerate(wanted)
        for line, channel in lines.items()
    }
    return Lines(streams) if streams else None


def lines(block: Block) -> list[Object]:
    """One entry for each stream that had packets."""
    seen = block["streams"][block["streams"]["started"] != 0]
    return [_stream(block, row) for row in seen]


def _stream(block: Block, row: Any) -> Object:
    counts = {name: int(row[name]) for name in COUNTS}
    name = bytes(block["channel_names"][int(row["channel"])]["name"]).decode("utf-8", "replace")
    found = zip(LINE_NAMES, row["lines"], strict=True)
    return {
        "name": name,
        "unit": int(row["unit"]),
        "state": STATES[int(row["state"])],
        "next_sequence": int(row["expected"]),
        **counts,
        "lines": [_line(letter, line) for letter, line in found if line["packets"]],
    }


def _line(letter: str, line: Any) -> Object:
    leads = int(line["leads"])
    histogram = line["lead_histogram"].tolist()
    return {
        "line": letter,
        **{name: int(line[name]) for name in LINE_COUNTS},
        "lead_mean_ns": round(int(line["lead_ns"]) / leads, 1) if leads else 0.0,
        "lead_ns_from": {str(1 << n): number for n, number in enumerate(histogram) if number},
    }
