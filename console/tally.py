"""What a capture holds, counted by feed and message type."""

from __future__ import annotations

from collections import Counter
from typing import Any

from console.flows import Found
from console.screen import count, table_to_stdout


class Tally:
    """Counts of packets, messages, faults and what was skipped."""

    def __init__(self) -> None:
        self.packets = 0
        self.feed_packets: Counter[str] = Counter()
        self.messages: Counter[tuple[str, int | str, str]] = Counter()
        self.faults: Counter[tuple[str, str]] = Counter()
        self.skipped: Counter[str] = Counter()

    def add(self, found: Found | None, skipped: str | None) -> None:
        """Counts one packet."""
        self.packets += 1
        if found is None:
            self.skipped[skipped or "no_feed"] += 1
            return
        name = found.feed.full_name
        self.feed_packets[name] += 1
        for message in found.decoded.messages:
            self.messages[name, message.record.code, message.record.name] += 1
        for fault in found.decoded.faults:
            self.faults[name, fault.reason] += 1

    def as_object(self) -> dict[str, Any]:
        """The counts for scripts."""
        return {
            "packets": self.packets,
            "message_count": self.messages.total(),
            "feeds": dict(self.feed_packets),
            "messages": [
                {"feed": feed, "code": code, "name": name, "count": number}
                for (feed, code, name), number in self.messages.most_common()
            ],
            "faults": [
                {"feed": feed, "reason": reason, "count": number}
                for (feed, reason), number in self.faults.most_common()
            ],
            "skipped": dict(self.skipped),
        }

    def show(self) -> None:
        """The counts for people."""
        rows = [("packets", "", "", count(self.packets))]
        rows += [("packets", feed, "", count(n)) for feed, n in self.feed_packets.items()]
        rows += [
            ("message", feed, f"{code} {name}", count(number))
            for (feed, code, name), number in self.messages.most_common()
        ]
        rows += [("fault", feed, reason, count(n)) for (feed, reason), n in self.faults.items()]
        rows += [("skipped", "", reason, count(n)) for reason, n in self.skipped.items()]
        table_to_stdout(("", "feed", "what", ">count"), rows)
