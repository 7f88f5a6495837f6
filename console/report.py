"""A snapshot of a loop as tables, with rates when there is an earlier one to compare with."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from rich.console import Group, RenderableType
from rich.text import Text

from console.people import time_text
from console.screen import count, size, table
from feedhandler.reasons import REASON_TEXT, Reason
from feedhandler.registry import versions

Object = dict[str, Any]
QUIET = {"ok", "tcp"}  # ends of a frame that are no drop
NS_PER_S = 1e9


def tables(now: Object, before: Object | None = None) -> Group:
    """All tables of a snapshot. `before` is an earlier one of the same loop."""
    parts: list[RenderableType] = [
        *_links(now, before),
        Text(),
        _channels(now, before),
        *_lines(now),
        *_faults(now),
        *_feeds(now),
        *_latency(now),
    ]
    return Group(*parts)


def rate(now: Object, before: Object | None, key: str, elapsed_s: float) -> str:
    """How fast a counter grows, a second."""
    if before is None or elapsed_s <= 0:
        return ""
    return size((now[key] - before[key]) / elapsed_s, "")


def elapsed_s(now: Object, before: Object | None) -> float:
    """Seconds from one snapshot to the next."""
    return (now["time_ns"] - before["time_ns"]) / NS_PER_S if before is not None else 0.0


def _same(rows: list[Object] | None, index: int) -> Object | None:
    return rows[index] if rows is not None and index < len(rows) else None


def _links(now: Object, before: Object | None) -> Iterable[RenderableType]:
    seconds, rows, drops = elapsed_s(now, before), [], []
    for index, link in enumerate(now["links"]):
        earlier = _same(before["links"] if before else None, index)
        dropped = sum(n for reason, n in link["reasons"].items() if reason not in QUIET)
        cells = [link["name"], link["status"], count(link["packets"])]
        cells += [rate(link, earlier, "packets", seconds), count(link["bytes"]), count(dropped)]
        rows.append(cells)
        for reason, number in link["reasons"].items():
            if reason != "ok":
                words = REASON_TEXT[Reason[reason.upper()]]
                drops.append([link["name"], reason, count(number), words])
    columns = ("link", "state", ">packets", ">/s", ">bytes", ">dropped")
    yield _without_rates(columns, rows, before)
    if drops:
        yield Text()
        yield table(("not for a channel", "reason", ">packets", "what it is"), drops)


def _channels(now: Object, before: Object | None) -> RenderableType:
    seconds, rows = elapsed_s(now, before), []
    for index, channel in enumerate(now["channels"]):
        earlier = _same(before["channels"] if before else None, index)
        last_ns = channel["last_packet_ns"]
        rows.append(
            [
                f"{channel['name']} {channel['line']}",
                channel["feed"] or "counted only",
                count(channel["packets"]),
                count(channel["messages"]),
                rate(channel, earlier, "messages", seconds),
                count(sum(channel["faults"].values())),
                count(channel["bytes"]),
                time_text(last_ns, _zone(channel["feed"])) if last_ns else "",
            ]
        )
    columns = ">packets", ">messages", ">/s", ">faults", ">bytes", "last packet"
    return _without_rates(("channel", "feed", *columns), rows, before)


def _without_rates(
    columns: tuple[str, ...], rows: list[list[str]], before: Object | None
) -> RenderableType:
    """A table, less its rates where there is nothing to compare with."""
    kept = [i for i, name in enumerate(columns) if before is not None or name != ">/s"]
    return table([columns[i] for i in kept], [[row[i] for i in kept] for row in rows])


def _zone(feed: str | None) -> str:
    try:
        return versions(feed)[0].zone if feed else "UTC"
    except ValueError:  # a block of another release, with a feed this one does not have
        return "UTC"


def _lines(now: Object) -> Iterable[RenderableType]:
    """Streams with lines: what each line was worth, and what neither had."""
    rows = []
    for stream in now.get("lines", []):
        name = f"{stream['name']} unit {stream['unit']}" if stream["unit"] else stream["name"]
        for line in stream["lines"]:
            counts = ("packets", "first", "duplicates", "gaps", "missing", "reordered")
            lead = f"{line['lead_mean_ns']:,.0f}" if line["leads"] else ""
            rows.append([f"{name} {line['line']}", *(count(line[key]) for key in counts), lead])
        summary = f"{name}: {stream['state']}"
        rows.append([summary, "", "", "", count(stream["gaps"]), count(stream["lost"]), "", ""])
    if rows:
        yield Text()
        columns = (">packets", ">first", ">copies", ">gaps", ">missing", ">reordered", ">ns ahead")
        yield table(("line", *columns), rows)


def _faults(now: Object) -> Iterable[RenderableType]:
    rows = [
        [channel["name"], reason, count(number)]
        for channel in now["channels"]
        for reason, number in channel["faults"].items()
    ]
    if rows:
        yield Text()
        yield table(("channel with faults", "reason", ">count"), rows)


def _feeds(now: Object) -> Iterable[RenderableType]:
    yield Text()
    yield table(("feed", ">messages"), [[f, count(n)] for f, n in now["feeds"].items()])
    if now["actions"]:
        yield Text()
        actions = sorted(now["actions"].items(), key=lambda item: -item[1])
        yield table(("for the books", ">actions"), [[name, count(n)] for name, n in actions])


def _latency(now: Object) -> Iterable[RenderableType]:
    latency = now["latency"]
    if latency is not None:
        yield Text()
        columns = ("in the loop, ns a packet", ">mean", ">p50", ">p99", ">p99.9", ">max")
        names = ("mean_ns", "p50_ns", "p99_ns", "p99_9_ns", "max_ns")
        yield table(columns, [["", *(f"{latency[name]:,.1f}" for name in names)]])
