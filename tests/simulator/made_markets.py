"""Small markets for tests, and what their captures say."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import msgspec
import numpy as np
from numpy.typing import NDArray

from captures import open_capture
from feedhandler.packetactions import PacketActions
from simulator.flow.settings import Settings, load_settings
from simulator.market.plan import MarketPlan, with_venues
from simulator.market.symbols import made_symbols
from simulator.publishing.publisher import Publisher

FIVE = ("nasdaq", "bzx", "nyse", "memx", "iex")  # a venue of each protocol
HEADERS_BYTES = 42
LENGTH_FROM, LENGTH_AT = 34, 38  # of the UDP datagram; short frames are padded behind it


def busy(orders_per_s: float, *names: str) -> Settings:
    """Settings with so many new orders a second, of some venues or of all."""
    settings = load_settings()
    activity = msgspec.structs.replace(settings.activity, new_orders_per_s=orders_per_s)
    settings = msgspec.structs.replace(settings, activity=activity)
    return with_venues(settings, names) if names else settings


def small_plan(seed: int = 3, *, symbols: int | list[str] = 6, **more: object) -> MarketPlan:
    """A few seconds of a few instruments at five venues."""
    given = {
        "seconds": 4.0,
        "before_s": 1.0,
        "settings": busy(800.0, *FIVE),
        "symbols": made_symbols(symbols) if isinstance(symbols, int) else symbols,
        **more,
    }
    return MarketPlan(seed=seed, **given)  # type: ignore[arg-type]


def payloads(path: Path) -> Iterator[tuple[int, bytes]]:
    """Arrival time and UDP payload of every packet of a capture."""
    with open_capture(path) as capture:
        for frame in capture.frames():
            end = LENGTH_FROM + int.from_bytes(frame.data[LENGTH_AT : LENGTH_AT + 2], "big")
            yield frame.timestamp_ns, bytes(frame.data[HEADERS_BYTES:end])


def actions_of(publisher: Publisher, path: Path) -> NDArray[np.void]:
    """Everything that a line's capture says, decoded."""
    reader = PacketActions(publisher.feed, publisher.midnight_ns)
    made = [reader.read(raw, time_ns).copy() for time_ns, raw in payloads(path)]
    assert reader.faults() == {}
    return np.concatenate(made)
