"""Compares what our tables read with what an independent decoder read, capture by capture."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from captures import merge_captures
from feedhandler.datagrams import Datagram, datagrams
from feedhandler.reasons import Reason
from feedhandler.registry import decode_best, versions
from feedhandler.wire.field import Kind

Json = dict[str, Any]


def expected_packets(capture: Path) -> list[Json]:
    """The oracle's packets for a capture: the .json beside it, or the .ndjson.gz."""
    lines = capture.with_name(capture.name.replace(".gz", "") + ".ndjson.gz")
    if lines.exists():
        with gzip.open(lines, "rt") as file:
            return [json.loads(line) for line in file]
    packets: list[Json] = json.loads(capture.with_suffix(".json").read_text())["packets"]
    return packets


def captured(capture: Path) -> Iterator[Datagram]:
    """The packets of one capture down to their payload."""
    with merge_captures([capture]) as merged:
        yield from datagrams(merged)


def wire_value(kind: Kind, value: Any) -> Any:
    """Our value in the oracle's raw form is compared after this: text without padding."""
    if kind is Kind.ALPHA and isinstance(value, str):
        try:
            return bytes.fromhex(value).decode("latin-1").rstrip(" \0")
        except ValueError:
            return value
    return value


def differences(feed_name: str, datagram: Datagram, expected: Json) -> list[str]:
    """What differs between our decode of one packet and the oracle's."""
    if datagram.timestamp_ns != expected["ts_ns"]:
        return [f"time {datagram.timestamp_ns} != {expected['ts_ns']}"]
    if datagram.reason not in (Reason.OK, Reason.TCP):
        return [f"no payload: {datagram.reason.name}"]
    _, decoded = decode_best(versions(feed_name), datagram.payload)
    found = [f"fault {fault}" for fault in decoded.faults]
    for name, value in expected["packet_header"].items():
        if isinstance(value, (int, str)) and decoded.packet.header.get(name, value) != value:
            found.append(f"header {name}: {decoded.packet.header[name]!r} != {value!r}")
    if len(decoded.messages) != len(expected["messages"]):
        found.append(f"{len(decoded.messages)} messages, not {len(expected['messages'])}")
        return found
    for number, (message, wanted) in enumerate(
        zip(decoded.messages, expected["messages"], strict=True)
    ):
        code = wanted.get("code", wanted["header"].get("message_type"))
        if message.record.code != code:
            found.append(f"message {number}: code {message.record.code!r} != {code!r}")
            continue
        found += [f"message {number}: {line}" for line in _fields(message, wanted)]
    return found


def _fields(message: Any, wanted: Json) -> Iterator[str]:
    """Differences between the fields of one message; raw values decide where there are any."""
    raw = wanted.get("raw", {})
    body = message.record.body(message.values)
    for name, value in wanted["fields"].items():
        if name.startswith("_"):
            continue
        if name not in body:
            yield f"no field {name}"
            continue
        ours = body[name]
        field = message.record.by_name.get(name)
        if isinstance(value, dict):
            value = value.get("_raw", value)
        elif name in raw and field is not None and field.is_integer:
            value = raw[name]
        if isinstance(value, list):
            yield from _entries(name, ours, value)
        elif value is not None and not _same(field, ours, value, raw.get(name)):
            yield f"{name}: {ours!r} != {value!r}"
    for name in set(body) - set(wanted["fields"]):
        yield f"field {name} is not the oracle's"


def _same(field: Any, ours: Any, value: Any, raw: Any) -> bool:
    if field is not None and field.decimals is not None and isinstance(value, str):
        whole, _, part = value.partition(".")
        return bool(ours == int(whole + part.ljust(field.decimals, "0")))
    if field is not None and field.is_integer and isinstance(value, str):
        return _is_hex_of(field, ours, value)  # bytes without a type to the oracle
    return bool(ours == value or ours == raw)


def _is_hex_of(field: Any, ours: Any, value: str) -> bool:
    raw = bytes.fromhex(value)
    return len(raw) == field.width and bool(ours == int.from_bytes(raw, field.order))


def _entries(name: str, ours: Any, wanted: list[Any]) -> Iterator[str]:
    if len(ours) != len(wanted):
        yield f"{name}: {len(ours)} entries, not {len(wanted)}"
        return
    for number, (mine, theirs) in enumerate(zip(ours, wanted, strict=True)):
        if isinstance(theirs, dict):
            for key, value in theirs.items():
                if mine.get(key) != value:
                    yield f"{name}[{number}].{key}: {mine.get(key)!r} != {value!r}"
        elif mine != theirs:
            yield f"{name}[{number}]: {mine!r} != {theirs!r}"
