"""Makes captures/samples: five venues over a few seconds, on one or two lines, with their decodes.

The same bytes every time. Run it after a change of a table, look at what changed, commit it.
"""

from __future__ import annotations

import random
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from ipaddress import IPv4Address
from pathlib import Path

from sample_venues import MAKERS, SYMBOLS, Line, Order, Venue

from captures import PcapWriter
from feedhandler.dates import midnight_ns

ROOT = Path(__file__).resolve().parents[2]
SAMPLES = ROOT / "captures" / "samples"
DAY = date(2026, 3, 16)
ZONE = "America/New_York"
START_NS = (9 * 3600 + 30 * 60) * 1_000_000_000
PACKETS = 150
GROUPS = {"nasdaq": "233.200.1", "bzx": "233.200.2", "nyse": "233.200.3", "memx": "233.200.4"}
GROUPS["iex"] = "233.200.5"
LINES = {"nasdaq": "ab"}
PORT = 30001
MIDDLES = {"AAPL": 2_140_000, "MSFT": 4_020_000, "SPY": 5_660_000, "BRK.A": 7_265_000_00}


@dataclass
class Flow:
    """Random order flow of one venue, in words that its protocol can say."""

    venue: Venue
    chance: random.Random
    orders: dict[int, Order] = field(default_factory=dict)
    number: int = 1000
    trade: int = 1

    def new_price(self, symbol: str, side: str) -> int:
        """A price on one side of the symbol's middle."""
        away = 100 * self.chance.randint(1, 8)
        return MIDDLES[symbol] - away if side == "B" else MIDDLES[symbol] + away

    def add(self, time_ns: int) -> list[Line]:
        """A new order."""
        self.number += self.chance.randint(1, 3)
        symbol, side = self.chance.choice(list(SYMBOLS)), self.chance.choice("BS")
        shares = self.chance.choice((100, 200, 300, 40, 15))
        order = Order(self.number, symbol, side, shares, self.new_price(symbol, side))
        self.orders[order.number] = order
        return self.venue.words["add"](time_ns, order, {})

    def event(self, time_ns: int) -> list[Line]:
        """One event: an add, or something that happens to an order that rests."""
        if len(self.orders) < 12 or self.chance.random() < 0.48:
            return self.add(time_ns)
        order = self.chance.choice(list(self.orders.values()))
        word = self.chance.choices(("delete", "execute", "reduce", "replace"), (37, 6, 3, 5))[0]
        more = {"trade": self.trade, "shares": order.shares, "number": 0, "price": 0}
        self.trade += 1
        if word in ("execute", "reduce") and order.shares > 1:
            more["shares"] = self.chance.randint(1, order.shares - (word == "reduce"))
        elif word == "reduce":
            word = "delete"
        if word == "replace":
            return self.replace(time_ns, order, more)
        said = self.venue.words[word](time_ns, order, more)
        order.shares -= more["shares"]
        if word == "delete" or order.shares == 0:
            del self.orders[order.number]
        return said

    def replace(self, time_ns: int, order: Order, more: dict[str, int]) -> list[Line]:
        """A new price and size, under a new number where the venue gives one."""
        self.number += 1
        more |= {"number": self.number, "shares": 100 * self.chance.randint(1, 4)}
        more["price"] = self.new_price(order.symbol, order.side)
        said = self.venue.words["replace"](time_ns, order, more)
        order.shares, order.price = more["shares"], more["price"]
        if self.venue.name in ("nasdaq", "nyse", "memx"):
            del self.orders[order.number]
            order.number = more["number"]
            self.orders[order.number] = order
        return said


def packets(venue: Venue, seed: int, midnight: int) -> Iterator[tuple[int, bytes]]:
    """(time, payload) of every packet of a venue's few seconds."""
    flow = Flow(venue, random.Random(seed))
    time_ns = midnight + START_NS + seed * 1000
    waiting, sequence = venue.start(time_ns, midnight), 1
    for _ in range(PACKETS):
        for _ in range(flow.chance.randint(1, 4)):
            waiting += flow.event(time_ns)
        yield time_ns + 900, venue.packet(waiting, sequence, time_ns)
        sequence += len(waiting)
        waiting = []
        time_ns += flow.chance.randint(20_000, 40_000_000)


def frame(payload: bytes, group: str, line: int) -> bytes:
    """Ethernet, IPv4 and UDP around a payload, checksum of the IP header right."""
    target = IPv4Address(group).packed
    ethernet = b"\x01\x00\x5e" + bytes([target[1] & 0x7F, *target[2:]]) + b"\x02\0\0\0\0\1\x08\0"
    udp_bytes = 8 + len(payload)
    head = b"\x45\0" + (20 + udp_bytes).to_bytes(2, "big") + b"\0\0\x40\0\x08\x11"
    addresses = IPv4Address(f"10.9.{line}.1").packed + target
    words = head + addresses
    total = sum(int.from_bytes(words[i : i + 2], "big") for i in range(0, len(words), 2))
    total = (total & 0xFFFF) + (total >> 16)
    checksum = (~((total & 0xFFFF) + (total >> 16)) & 0xFFFF).to_bytes(2, "big")
    ports = PORT.to_bytes(2, "big") * 2
    udp = ports + udp_bytes.to_bytes(2, "big") + b"\0\0"
    return ethernet + head + checksum + addresses + udp + payload


def channel_map() -> str:
    """The channel map of the samples."""
    lines = [
        "# The channels of the sample captures: which feed is sent where.",
        f'date = "{DAY}"',
        "",
    ]
    for maker in MAKERS:
        venue = maker(0)
        for number, line in enumerate(LINES.get(venue.name, "a")):
            lines += [
                "[[channels]]",
                f'name = "{venue.name}"',
                f'feed = "{venue.feed.full_name}"',
                f'line = "{line.upper()}"',
                f'group = "{GROUPS[venue.name]}.{number + 1}"',
                f"port = {PORT}",
                "",
            ]
    return "\n".join(lines)


def golden(path: Path) -> str:
    """The decode of a sample as the command line prints it."""
    command = Path(sys.executable).with_name("sweepwire")
    channels = path.with_name("channels.toml")
    arguments = [command, "decode", "--jsonl", "--channels", channels, path]
    return subprocess.run(arguments, check=True, capture_output=True, text=True).stdout


def make(folder: Path) -> list[Path]:
    """Writes captures and channel map into a folder; gives the captures."""
    folder.mkdir(exist_ok=True)
    midnight = midnight_ns(DAY, ZONE)
    (folder / "channels.toml").write_text(channel_map())
    paths = []
    for seed, maker in enumerate(MAKERS, 1):
        venue = maker(midnight)
        made = list(packets(venue, seed, midnight))
        for number, line in enumerate(LINES.get(venue.name, "a")):
            path = folder / f"{venue.name}-{line}.pcap"
            with PcapWriter(path) as writer:
                for time_ns, payload in made:
                    group = f"{GROUPS[venue.name]}.{number + 1}"
                    writer.write(time_ns + 350 * number, frame(payload, group, number + 1))
            paths.append(path)
    return paths


if __name__ == "__main__":
    for sample in make(SAMPLES):
        sample.with_suffix(".jsonl").write_text(golden(sample))
