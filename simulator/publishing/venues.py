"""The feeds of the venues that can be played: what is sent where, how it is packed and numbered."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec

from feedhandler.channelfile import Port, Unit
from feedhandler.registry import versions
from simulator.publishing.dialects import deep_plus, itch, memoir, pillar, pitch
from simulator.publishing.dialects.dialect import Dialect

Positive = Annotated[int, msgspec.Meta(ge=1)]
LEAST_PACKET_BYTES, MOST_PACKET_BYTES = 256, 8_900  # one message and its headers; a jumbo frame
DIALECTS = {
    "itch50": itch.DIALECT,
    "cboe_pitch": pitch.DIALECT,
    "nyse_integrated_25": pillar.DIALECT,
    "memoir13": memoir.DIALECT,
    "iex_deepplus": deep_plus.DIALECT,
}


class VenueFeed(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """How a venue publishes.

    Attributes:
        name: also that of its channel and its captures.
        feed: as in the registry, with its version.
        group_a, group_b: multicast groups of the two lines.
        source_a, source_b: addresses that they are sent from.
        port: of both.
        units: matching units; instruments are dealt to them in turn.
        order_ids: "dense" numbers upwards, or "scattered" over 62 bits.
        coalesce_ns: how long a message may wait for others.
        packet_bytes: most bytes of a UDP payload.
        heartbeat_ns: silence before a heartbeat.
        delay_ns, jitter_ns: from the venue to us on line A; jitter is the most that is added.
        lag_ns: how much later line B is.
    """

    name: str
    feed: str
    group_a: str
    group_b: str
    source_a: str
    source_b: str
    port: Port = 30001
    units: Annotated[Unit, msgspec.Meta(ge=1)] = 1
    order_ids: Literal["dense", "scattered"] = "scattered"
    coalesce_ns: Annotated[int, msgspec.Meta(ge=0, le=1_000_000_000)] = 5_000
    packet_bytes: Annotated[int, msgspec.Meta(ge=LEAST_PACKET_BYTES, le=MOST_PACKET_BYTES)] = 1_400
    heartbeat_ns: Positive = 1_000_000_000
    delay_ns: Annotated[int, msgspec.Meta(ge=0)] = 20_000
    jitter_ns: Annotated[int, msgspec.Meta(ge=0)] = 150
    lag_ns: Annotated[int, msgspec.Meta(ge=0)] = 400

    def __post_init__(self) -> None:
        try:
            known = versions(self.feed)[0].protocol.name in DIALECTS
        except ValueError as error:
            raise ValueError(f"feed: {error}") from None
        if not known:
            raise ValueError(f"feed: {self.feed} is decoded but not published")

    @property
    def dialect(self) -> Dialect:
        """What the venue says in its protocol."""
        return DIALECTS[versions(self.feed)[0].protocol.name]


def _venue(number: int, name: str, feed: str, **more: object) -> VenueFeed:
    """A venue with addresses by its number."""
    return VenueFeed(
        name=name,
        feed=feed,
        group_a=f"233.210.{number}.1",
        group_b=f"233.210.{number}.2",
        source_a=f"10.21.{number}.1",
        source_b=f"10.21.{number}.2",
        **more,  # type: ignore[arg-type]
    )


VENUES = {
    venue.name: venue
    for venue in (
        _venue(1, "nasdaq", "nasdaq_itch50@5.0", order_ids="dense"),
        _venue(2, "bx", "bx_itch50@5.0", order_ids="dense"),
        _venue(3, "bzx", "cboe_pitch@2.41", units=2),
        _venue(4, "edgx", "cboe_pitch@2.41", units=2),
        _venue(5, "nyse", "nyse_integrated@2.5"),
        _venue(6, "arca", "nyse_integrated@2.5"),
        _venue(7, "memx", "memx_memoir@1.3"),
        _venue(8, "iex", "iex_deepplus@1.0"),
    )
}


def venue_feed(name: str) -> VenueFeed:
    """A venue by name. Raises ValueError naming those there are."""
    if name not in VENUES:
        raise ValueError(f"no venue {name!r}: there are {', '.join(VENUES)}")
    return VENUES[name]
