"""The counters of a loop at one moment, as plain values: for reports, screens and scripts."""

from __future__ import annotations

import time
from collections import Counter
from typing import Any

import numpy as np

from console.linestats import lines
from console.statefile import alive
from feedhandler.actions import KINDS
from feedhandler.faults import FAULTS
from feedhandler.reasons import Reason
from nic.block import Block
from nic.percentiles import mean, percentiles

RANKS = {"p50_ns": 50.0, "p99_ns": 99.0, "p99_9_ns": 99.9, "max_ns": 100.0}
STATUS = ("open", "ended", "failed")
NS_PER_S = 1e9

Object = dict[str, Any]


def snapshot(block: Block) -> Object:
    """Everything that a loop counts; while it runs, sums may be a packet apart."""
    control = block["control"][0]
    about = block["about"][0]
    channels = _channels(block, int(control["channel_count"]))
    return {
        "pid": int(about["pid"]),
        "alive": alive(int(about["pid"])),
        "running": bool(control["running"]),
        "started_ns": int(about["started_ns"]),
        "time_ns": time.time_ns(),
        "packets": int(control["packets"]),
        "messages": sum(channel["messages"] for channel in channels),
        "bytes": int(block["links"]["bytes"].sum()),
        "rounds": int(control["heartbeat"]),
        "idle_rounds": int(control["idle_rounds"]),
        "last_packet_ns": int(control["last_timestamp_ns"]),
        "links": _links(block, int(control["link_count"])),
        "channels": channels,
        "feeds": _feeds(channels),
        "actions": _actions(block),
        "lines": lines(block) if "streams" in block.sections else [],
        "latency": _latency(block, float(about["tick_hz"])),
    }


def _text(raw: Any) -> str:
    return bytes(raw).decode("utf-8", "replace")


def _links(block: Block, link_count: int) -> list[Object]:
    return [
        {
            "name": _text(name["name"]),
            "status": STATUS[int(row["status"])],
            "packets": int(row["packets"]),
            "bytes": int(row["bytes"]),
            "bursts": int(row["bursts"]),
            "reasons": {
                r.name.lower(): int(row["reasons"][r]) for r in Reason if row["reasons"][r]
            },
        }
        for row, name in list(zip(block["links"], block["link_names"], strict=False))[:link_count]
    ]


def _channels(block: Block, channel_count: int) -> list[Object]:
    contexts = block["contexts"] if "contexts" in block.sections else None
    made = []
    for index in range(channel_count):
        row, name = block["channels"][index], block["channel_names"][index]
        made.append(
            {
                "name": _text(name["name"]),
                "feed": _text(name["feed"]) or None,
                "address": _text(name["address"]),
                "line": _text(name["line"]),
                "packets": int(row["packets"]),
                "messages": int(row["messages"]),
                "bytes": int(row["bytes"]),
                "last_packet_ns": int(row["last_timestamp_ns"]),
                **(_decoded(contexts[index]) if contexts is not None else {"faults": {}}),
            }
        )
    return made


def _decoded(context: Any) -> Object:
    counts = zip(FAULTS, context["faults"].tolist(), strict=False)
    return {
        "heartbeats": int(context["heartbeats"]),
        "next_sequence": int(context["next_sequence"]),
        "faults": {name: number for name, number in counts if number},
    }


def _feeds(channels: list[Object]) -> Object:
    total: Counter[str] = Counter()
    for channel in channels:
        total[channel["feed"] or "counted only"] += channel["messages"]
    return dict(total)


def _actions(block: Block) -> Object:
    if "contexts" not in block.sections:
        return {}
    total = np.asarray(block["contexts"]["actions"]).sum(axis=0).tolist()
    return {name: n for name, n in zip(KINDS, total, strict=False) if n}


def _latency(block: Block, tick_hz: float) -> Object | None:
    """Time in the loop per packet; None where it was not measured."""
    histogram = block["packet_cycles"]
    if not histogram["count"][0] or tick_hz <= 0:
        return None
    scale = NS_PER_S / tick_hz
    values = percentiles(histogram, list(RANKS.values()))
    found = {name: round(v * scale, 1) for name, v in zip(RANKS, values, strict=True)}
    return {
        "count": int(histogram["count"][0]),
        "mean_ns": round(mean(histogram) * scale, 1),
        **found,
    }
