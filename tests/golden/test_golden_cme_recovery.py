"""Recovery over the large CME capture: entered in the middle, with losses on both of its lines.

The capture has the incremental channel alone, no snapshots and no definitions. So snapshots are
made of what a reader without losses knows: its levels by place, the counts, and the sequence.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from cme_recovery_rig import PACKET_NS, PRICE, A, Rig
from numpy.typing import NDArray
from real_decodes import captured

from feedhandler.actions import BUY, NO_PRICE, SELL
from feedhandler.books.sizes import sizes_for
from feedhandler.books.venuebook import VenueBook
from feedhandler.context import CONTEXT_DTYPE
from feedhandler.feed import decode
from feedhandler.packetactions import PacketActions
from feedhandler.protocols.cme_levels import DEPTH, DIRECT, DIRECT_SIDE, PAIR, ROW_BYTES
from feedhandler.registry import versions
from feedhandler.transports.packets import write_packet

LARGE = "omi_Cme.Mdp3.Sbe.v1.8.pcap.gz"
LINE_A, LINE_B = 14_320, 15_320
PACKETS, SECURITIES, EVERY = 2_000, 20, 6
LOST = {*range(600, 604), *range(1_200, 1_230)}
(FEED,) = versions(PRICE)


class Whole:
    """A reader without losses, and snapshots of what it knows."""

    def __init__(self) -> None:
        self.reader = PacketActions(FEED)
        self.books = VenueBook(sizes_for(FEED, orders=8, levels=4_000, instruments=64))
        self.counts: dict[int, int] = {}
        self.sequence = self.number = 0
        (self.rows,) = [m for m in self.reader._memory if m.dtype != CONTEXT_DTYPE][1:]

    def take(self, payload: bytes) -> None:
        """The next packet."""
        self.sequence = int.from_bytes(payload[:4], "little")
        self.books.apply(self.reader.read(payload))
        for message in decode(FEED, payload).messages:
            for entry in message.values.get("md_entries", ()):  # type: ignore[union-attr]
                if isinstance(entry, dict) and "rpt_seq" in entry:
                    self.counts[int(str(entry["security_id"]))] = int(str(entry["rpt_seq"]))

    def places(self, security: int) -> list[dict[str, Any]]:
        """The entries of a snapshot: levels where they are known."""
        table = self.rows.view(np.int64).reshape(-1, ROW_BYTES // 8)
        (row,) = table[table[:, 0] & 0xFFFFFFFF == security]
        made = []
        for side in range(2):
            first = (DIRECT + DIRECT_SIDE * side) // 8
            pairs: NDArray[np.int64] = row[first : first + DEPTH * PAIR // 8].reshape(-1, 2)
            for place, (price, size) in enumerate(pairs.tolist(), 1):
                if price != NO_PRICE:
                    entry = {"md_entry_px": price // 10, "md_entry_size": size}
                    made.append({**entry, "md_price_level": place, "md_entry_type": "01"[side]})
        return made

    def snapshot(self, security: int, number: int) -> bytes:
        """A packet of the loop."""
        values = {
            "last_msg_seq_num_processed": self.sequence,
            "tot_num_reports": len(self.counts),
            "security_id": security,
            "rpt_seq": self.counts[security],
            "md_security_trading_status": 255,
            "md_entries": self.places(security),
        }
        self.number += 1
        header = {"packet_sequence_number": number, "sending_time": 10**18 + self.number}
        return write_packet(FEED.transport, [FEED.protocol[38].encode(values)], header)


def lines_of(path: Path) -> list[tuple[bytes, bytes]]:
    """The packets of both lines, in the order of their sequence."""
    if not path.exists():
        pytest.skip(f"{path.name} is not there")
    found: dict[int, dict[int, bytes]] = {LINE_A: {}, LINE_B: {}}
    for datagram in captured(path):
        sequence = int.from_bytes(datagram.payload[:4], "little")
        found[int(datagram.destination_port)][sequence] = bytes(datagram.payload)
    return [(found[LINE_A][n], found[LINE_B][n]) for n in sorted(found[LINE_A])][:PACKETS]


def levels(books: VenueBook, security: int) -> list[Any]:
    """Both sides of a book."""
    number = books.instrument(security)
    return [] if number is None else [books.ladder(number, s).tolist() for s in (BUY, SELL)]


def test_what_is_live_is_right_and_in_the_end_all_is(real_captures: Path) -> None:
    packets = lines_of(real_captures / "large" / LARGE)
    whole, natural = Whole(), 0
    with Rig(PRICE, "real", securities=0) as rig:
        turn: list[int] = []
        for number, (on_a, on_b) in enumerate(packets):
            whole.take(on_a)
            if number not in LOST:
                rig.give(A, on_a, PACKET_NS)
                rig.give(1, on_b, 0)
            rig.drive()
            waits = rig.driver.recoverer.state != "idle"
            if waits and number % EVERY == 0:
                if not turn:
                    turn, size = sorted(whole.counts), len(whole.counts)
                security = turn.pop(0)
                rig.driver.on_refresh(whole.snapshot(security, size - len(turn)), rig.time_ns)
                rig.drive()
            if int(rig.stream["expected"]) == whole.sequence + 1 and number % 10 == 0:
                live = [s for s in whole.counts if rig.trusted(s)]
                natural += rig.state == "stale" and len(live)
                for one in live:
                    assert levels(rig.books, one) == levels(whole.books, one), (number, one)
        assert rig.state == "live" and rig.stream["lost"] == len(LOST)
        assert natural > 0 and len(whole.counts) > SECURITIES
        for security in whole.counts:
            assert rig.trusted(security)
            assert levels(rig.books, security) == levels(whole.books, security), security
    whole.books.close()
