"""Traffic on two lines: numbered messages of a feed, with losses, bursts, copies and reordering."""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import Any

from lines_rig import Arrival

from feedhandler.feed import Feed
from feedhandler.registry import versions
from feedhandler.transports.packets import write_packet

# A message that makes one action, and its field that becomes the action's order id.
NUMBERED: dict[str, tuple[int | str, str]] = {
    "nasdaq_itch50": ("D", "order_reference_number"),
    "cboe_pitch": (0x29, "order_id"),
    "nyse_integrated": (102, "order_id"),
    "memx_memoir": (11, "order_id"),
    "iex_deepplus": ("R", "order_id_reference"),
}
STEP_NS = 1000
JITTER_NS = 20 * STEP_NS


def feed_of(name: str) -> Feed:
    """A feed's preferred version."""
    return versions(name)[0]


def packet(name: str, sequence: int, count: int, *, first: int | None = None, **more: Any) -> bytes:
    """A packet of `count` messages, each numbered by its sequence, or from `first` on."""
    feed = feed_of(name)
    code, number = NUMBERED[name]
    start = sequence if first is None else first
    record = feed.protocol[code]
    messages = [record.encode({number: start + n}) for n in range(count)]
    header = {**feed.header, feed.transport.sequence: sequence, **more}
    return write_packet(feed.transport, messages, header)


@dataclass(frozen=True)
class Sent:
    """A packet as the venue sent it, on all lines alike."""

    time_ns: int
    sequence: int
    count: int
    payload: bytes


def sent_packets(name: str, chance: random.Random, packets: int) -> list[Sent]:
    """Packets of one to five messages, from sequence 1 on, evenly in time."""
    made, sequence = [], 1
    for index in range(packets):
        count = chance.randint(1, 5)
        made.append(Sent(STEP_NS * (index + 1), sequence, count, packet(name, sequence, count)))
        sequence += count
    return made


def losses(chance: random.Random, packets: int, share: float, bursts: bool) -> set[int]:
    """Which packets a line loses."""
    lost: set[int] = set()
    while share > 0 and len(lost) < share * packets:
        start = chance.randrange(packets)
        lost.update(range(start, min(packets, start + (chance.randint(1, 12) if bursts else 1))))
    return lost


def on_lines(
    sent: list[Sent],
    chance: random.Random,
    shares: tuple[float, float],
    *,
    bursts: bool = False,
    copies: float = 0.1,
    complete: bool = True,
    jitter_ns: int = JITTER_NS,
) -> list[Arrival]:
    """What arrives; when `complete`, no packet is lost on both lines."""
    lost = [losses(chance, len(sent), share, bursts) for share in shares]
    if complete:
        for index in lost[0] & lost[1]:
            lost[chance.randrange(2)].discard(index)
    made = []
    for line, gone in enumerate(lost):
        for index, one in enumerate(sent):
            times = 0 if index in gone else 1 + (chance.random() < copies)
            for _ in range(times):
                at_ns = one.time_ns + chance.randint(0, jitter_ns)
                made.append(Arrival(at_ns, line, one.payload))
    return sorted(made, key=lambda arrival: arrival.time_ns)
