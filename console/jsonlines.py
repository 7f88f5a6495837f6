"""Packets as JSON Lines: raw wire values under the layout's field names."""

from __future__ import annotations

from typing import Any

from console.flows import Found
from feedhandler.datagrams import Datagram


def packet_object(
    datagram: Datagram, found: Found | None, skipped: str | None, file: str | None
) -> dict[str, Any]:
    """One packet.

    Always {"frame", "ts_ns", "header", "messages"}; behind them "feed" where it was not stated
    (null: none found), "faults" and "skipped" where there are any, "file" when there are several.
    """
    made: dict[str, Any] = {"frame": datagram.number, "ts_ns": datagram.timestamp_ns}
    if found is None:
        made |= {"header": {}, "messages": []}
        made |= {"feed": None} if skipped is None else {"skipped": skipped}
    else:
        made["header"] = found.decoded.packet.header
        made["messages"] = [_message(message) for message in found.decoded.messages]
        if found.told:
            made["feed"] = found.feed.full_name
        if found.decoded.faults:
            made["faults"] = [
                {"reason": fault.reason, "offset": fault.offset} for fault in found.decoded.faults
            ]
    if file is not None:
        made["file"] = file
    return made


def _message(message: Any) -> dict[str, Any]:
    record = message.record
    made = {"code": record.code, "name": record.name, "fields": record.body(message.values)}
    if message.envelope:
        made["envelope"] = message.envelope
    return made
