"""CME's loops: multicast that says the same messages over and over, definitions or snapshots.

Both lines of a loop may be given: copies are told by their headers. Packets are numbered, mostly
from 1 in each turn, and every message says how many a turn has. A turn is whole when its packets
came without a hole, and so many messages in them, wherever it was entered.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import Final

from feedhandler.transports.cme import HEADER, TRANSPORT
from feedhandler.transports.transport import read_message, read_packet
from feedhandler.wire.errors import WireError
from feedhandler.wire.protocol import Protocol
from feedhandler.wire.record import Record, Values
from feedhandler.wire.tails import integer

COPIES: Final = 4_096  # headers that a copy is looked for among
MOST_MISSING: Final = 64  # packets behind a hole that is not waited for any longer
FIRST: Final = 1
ID, REPORTS = "security_id", "tot_num_reports"


@dataclass(frozen=True)
class Report:
    """One message of a loop: whose, how many its turn has, and its bytes."""

    record: Record
    values: Values
    data: bytes
    sent_ns: int

    def number(self, name: str) -> int:
        """A field that is a number."""
        return integer(self.values, name)


@dataclass
class Turn:
    """Packets of a loop from one on: the securities in each, by number."""

    sent_ns: int
    lowest: int
    highest: int = 0
    reports: int = 0
    messages: int = 0
    packets: dict[int, list[int]] = field(default_factory=dict)

    def add(self, number: int, securities: list[int]) -> None:
        """A packet; what is in front of a hole that nobody fills any more is forgotten."""
        if number in self.packets:
            return
        self.packets[number] = securities
        self.messages += len(securities)
        self.lowest, self.highest = min(self.lowest, number), max(self.highest, number)
        if not self.is_solid and self.highest - self.lowest > MOST_MISSING:
            self._go_on()

    def _go_on(self) -> None:
        until = self.highest - MOST_MISSING
        holes = [n for n in range(self.lowest, until) if n not in self.packets]
        if holes:
            self.packets = {n: row for n, row in self.packets.items() if n > holes[-1]}
            self.lowest = min(self.packets)
            self.messages = sum(map(len, self.packets.values()))

    @property
    def is_solid(self) -> bool:
        """Whether no packet is missing."""
        return self.highest - self.lowest + 1 == len(self.packets)

    @property
    def is_whole(self) -> bool:
        """Whether a whole turn is in it."""
        return self.is_solid and 0 < self.reports <= self.messages

    @property
    def securities(self) -> frozenset[int]:
        """All that are in it."""
        return frozenset(one for row in self.packets.values() for one in row)


class CmeLoop:
    """What comes on a loop.

    Args:
        protocol: of its messages.
        codes: the templates that count, all with a security and the number of reports.

    Attributes:
        whole: the securities of the last whole turn; None before there was one.
        turns: whole ones so far.
        packets: that came, without copies.
        stray: packets that nobody can read.
        early: packets that were sent before `since_ns`, and passed over.
        since_ns: what was sent earlier is of the past.
    """

    def __init__(self, protocol: Protocol, codes: frozenset[int]) -> None:
        self.protocol, self.codes = protocol, codes
        self.whole: frozenset[int] | None = None
        self.turns = self.packets = self.stray = self.early = self.since_ns = 0
        self._seen: set[bytes] = set()
        self._order: deque[bytes] = deque()
        self._turn: Turn | None = None

    def begin(self, since_ns: int = 0) -> None:
        """A whole turn from now on is wanted."""
        self.whole, self._turn = None, None
        self.since_ns = max(self.since_ns, since_ns)

    def take(self, payload: bytes) -> list[Report]:
        """The reports of a datagram that is no copy; none of one that nobody can read."""
        if self._is_copy(bytes(payload[: HEADER.size])):
            return []
        try:
            header, reports = self._read(payload)
        except WireError:
            self.stray += 1
            return []
        sent_ns = integer(header, "sending_time")
        if sent_ns < self.since_ns:
            self.early += 1
            return []
        self.packets += 1
        self._note(integer(header, TRANSPORT.sequence), sent_ns, reports)
        return reports

    def _is_copy(self, head: bytes) -> bool:
        if head in self._seen:
            return True
        self._seen.add(head)
        self._order.append(head)
        if len(self._order) > COPIES:
            self._seen.discard(self._order.popleft())
        return False

    def _read(self, payload: bytes) -> tuple[Values, list[Report]]:
        packet = read_packet(TRANSPORT, payload)
        if packet.faults:
            raise WireError(packet.faults[0][0], "packet")
        made, sent_ns = [], integer(packet.header, "sending_time")
        for start, end in packet.spans:
            record, values = read_message(self.protocol, payload, start, end)
            if record.code in self.codes:
                made.append(Report(record, values, bytes(payload[start:end]), sent_ns))
        return packet.header, made

    def _note(self, number: int, sent_ns: int, reports: list[Report]) -> None:
        turn = self._turn
        if turn is None or number == FIRST:
            turn = self._turn = Turn(sent_ns, number)
        elif sent_ns < turn.sent_ns:
            return  # the end of the turn before, on the slower line
        if reports:
            turn.reports = reports[-1].number(REPORTS)
        turn.add(number, [report.number(ID) for report in reports])
        if turn.is_whole:
            self.whole, self._turn = turn.securities, None
            self.turns += 1
