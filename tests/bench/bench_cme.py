"""ns a message of CME MDP 3.0, decode only: made books of 50 contracts, beside a plain C decoder.

The C decoder checks the same lengths and reads the same fields; the compiled decoder also keeps the
levels by place and makes records of them.
"""

from __future__ import annotations

import ctypes
import random
import subprocess
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from bench_decode import interleaved
from decode_kernels import decode_entry
from streams_made import Stream, repeat

from feedhandler.actions import ACTION_DTYPE
from feedhandler.context import CONTEXT_DTYPE, SYMBOL_DTYPE
from feedhandler.feed import Feed
from feedhandler.registry import versions
from feedhandler.specialise import REMEMBERED_PER_CHANNEL
from feedhandler.transports.packets import write_packet
from feedhandler.wire.walk import BATCH

HERE = Path(__file__).resolve().parent
SECURITIES, DEPTH, TICK = 50, 10, 250_000_000
TRADES_PERCENT = 3
PIECE = 100_000
PER_PACKET = 2
NEW, CHANGE, DELETE = range(3)


class Ladder:
    """One side of a contract: sizes by place, as an exchange says how they change."""

    def __init__(self, security: int, kind: str, chance: random.Random) -> None:
        self.security, self.kind, self.chance = security, kind, chance
        self.levels = [5_000 * TICK + place * TICK for place in range(DEPTH)]

    def entry(self, action: int, level: int, price: int) -> dict[str, Any]:
        """An entry of a book message."""
        sign = -1 if self.kind == "0" else 1
        return {
            "md_entry_px": sign * price,
            "md_entry_size": self.chance.randrange(1, 500),
            "security_id": self.security,
            "md_price_level": level + 1,
            "md_update_action": action,
            "md_entry_type": self.kind,
            "number_of_orders": self.chance.randrange(1, 50),
        }

    def change(self) -> list[dict[str, Any]]:
        """Mostly a size; else the best level goes and the last one is shown, or a better one."""
        roll, top = self.chance.random(), self.levels[0]
        if roll < 0.8:
            place = min(int(self.chance.expovariate(0.5)), DEPTH - 1)
            return [self.entry(CHANGE, place, self.levels[place])]
        if roll < 0.9 and top < 6_000 * TICK:
            self.levels = [*self.levels[1:], self.levels[-1] + TICK]
            return [self.entry(DELETE, 0, top), self.entry(NEW, DEPTH - 1, self.levels[-1])]
        self.levels = [top - TICK, *self.levels[:-1]]
        return [self.entry(NEW, 0, top - TICK)]


def messages_of(feed: Feed, count: int, seed: int = 1) -> list[bytes]:
    """Book messages with some trades between them."""
    chance = random.Random(seed)
    sides = [
        Ladder(170_000 + 37 * number, kind, chance) for number in range(SECURITIES) for kind in "01"
    ]
    book, trade = feed.protocol[46], feed.protocol[48]
    made = []
    for number in range(count):
        side = sides[min(int(chance.expovariate(0.05)), len(sides) - 1)]
        values: dict[str, Any] = {"transact_time": number, "match_event_indicator": 0x84}
        if chance.randrange(100) < TRADES_PERCENT:
            price = {"md_entry_px": TICK, "md_entry_size": 3, "security_id": side.security}
            made.append(trade.encode({**values, "md_entries": [price | {"aggressor_side": 1}]}))
        else:
            made.append(book.encode({**values, "md_entries": side.change()}))
    return made


def make(feed: Feed, count: int) -> Stream:
    """A stream of at least so many messages: one piece over and over."""
    piece = min(count, PIECE)
    messages = messages_of(feed, piece)
    packets = [
        write_packet(feed.transport, messages[at : at + PER_PACKET], {"packet_sequence_number": at})
        for at in range(0, piece, PER_PACKET)
    ]
    return repeat(packets, piece, -(-count // piece))


def c_run(stream: Stream) -> Callable[[], int]:
    """A call that decodes the stream with the C decoder; gives the messages it took."""
    library = Path(tempfile.mkdtemp()) / "cme_walker.so"
    command = ["gcc", "-O3", "-march=native", "-shared", "-fPIC", "-o", str(library)]
    subprocess.run([*command, str(HERE / "cme_walker.c")], check=True)
    walk = ctypes.CDLL(str(library)).cme_walk
    walk.restype = ctypes.c_uint64
    walk.argtypes = [ctypes.c_void_p, ctypes.c_void_p, ctypes.c_uint64, ctypes.c_void_p]

    def call() -> int:
        seen = ctypes.c_uint64()
        places, data = stream.places.ctypes.data, stream.data.ctypes.data
        walk(data, places, len(stream.places), ctypes.byref(seen))
        return int(seen.value)

    return call


def compiled_run(feed: Feed, stream: Stream) -> Callable[[], int]:
    """A call that decodes the stream with the feed's kernels; gives the records."""
    entry, out = decode_entry(*feed.kernels()), np.zeros(BATCH, ACTION_DTYPE)
    context, symbols = np.zeros(1, CONTEXT_DTYPE), np.zeros(REMEMBERED_PER_CHANNEL, SYMBOL_DTYPE)
    context["symbols_address"], context["symbols_count"] = symbols.ctypes.data, len(symbols)

    def call() -> int:
        places, data = stream.places.ctypes.data, stream.data.ctypes.data
        count = len(stream.places)
        made, _ = entry(data, places, count, context.ctypes.data, out.ctypes.data)
        assert symbols is not None and not context["faults"].any(), context["faults"]
        return int(made)

    return call


def run(quick: bool) -> list[dict[str, Any]]:
    """The rows of this bench."""
    (feed,) = versions("cme_mdp3")
    stream = make(feed, 500_000 if quick else 5_000_000)
    calls = {"compiled, with levels": compiled_run(feed, stream), "plain C": c_run(stream)}
    if calls["plain C"]() != stream.messages:
        raise AssertionError("the C decoder refused messages")
    records = calls["compiled, with levels"]()
    times = interleaved(calls, stream.messages)
    base = times["plain C"]
    rows = []
    for name, ns in times.items():
        row = {"name": f"cme_mdp3, {name}", "ns_per_message": ns, "ratio_to_c": ns / base}
        rows.append(row | {"records_per_message": records / stream.messages})
    return rows
