"""Packets as lines for people: venue time, scaled prices, the meaning of codes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import datetime
from functools import lru_cache
from typing import Any

from console.fieldtext import PriceScales, fields_text
from console.flows import Found
from feedhandler.datagrams import Datagram
from feedhandler.dates import BILLION, zone_of
from feedhandler.feed import Message


@lru_cache(8)
def _second_text(second: int, zone: str) -> tuple[str, str]:
    local = datetime.fromtimestamp(second, zone_of(zone))
    return local.strftime("%Y-%m-%d %H:%M:%S"), local.strftime("%Z")


def time_text(time_ns: int, zone: str) -> str:
    """Date, time to the nanosecond and zone, by the venue's wall clock."""
    second, rest_ns = divmod(time_ns, BILLION)
    clock, name = _second_text(second, zone)
    return f"{clock}.{rest_ns:09} {name}"


class PacketText:
    """Turns packets into lines, one a message. `names` are the files' where there are several."""

    def __init__(self, names: list[str] | None) -> None:
        self._names = names
        self._scales = PriceScales()
        self._packets = 0
        self._skipped: Counter[str] = Counter()

    def show(self, datagram: Datagram, found: Found | None, skipped: str | None) -> bytes:
        """The lines of one packet; nothing for one that carries no feed's data."""
        self._packets += 1
        if found is None:
            self._skipped[skipped or "no feed found"] += 1
            return b""
        lines = "\n".join(self._lines(datagram, found))
        return f"{lines}\n".encode() if lines else b""

    def skipped_line(self) -> str | None:
        """What was not shown, in one line."""
        if not self._skipped:
            return None
        parts = ", ".join(f"{n} {reason}" for reason, n in self._skipped.most_common())
        return f"{self._skipped.total()} of {self._packets} packets not shown: {parts}"

    def _lines(self, datagram: Datagram, found: Found) -> Iterator[str]:
        feed, decoded = found.feed, found.decoded
        file = f"{self._names[datagram.capture]} " if self._names else ""
        time = time_text(datagram.timestamp_ns, feed.zone)
        lead = f"{file}{datagram.number} {time} {feed.full_name}"
        for message in decoded.messages:
            yield f"{lead} {self._message(found, message)}"
        for fault in decoded.faults:
            detail = f" ({fault.detail})" if fault.detail else ""
            yield f"{lead} ! {fault.reason} at byte {fault.offset}{detail}"
        if not decoded.messages and not decoded.faults and datagram.payload:
            header = " ".join(f"{k}={v}" for k, v in decoded.packet.header.items())
            yield f"{lead} - no messages {header}".rstrip()

    def _message(self, found: Found, message: Message) -> str:
        number = f"#{message.sequence} " if message.sequence is not None else ""
        record = message.record
        inside = ""
        if message.envelope:
            inner = " ".join(f"{k}={v}" for k, v in message.envelope.items())
            inside = f" [{inner}]"
        self._scales.learn(found.feed, message)
        body: dict[str, Any] = record.body(message.values)
        fields = fields_text(found.feed, record, body, self._scales.of(found.feed, message))
        return f"{number}{record.code} {record.name}: {fields}{inside}"
