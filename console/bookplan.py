"""What the book commands make of files, channel map and feed: the channels and their venues."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import typer

from console.main import complain
from console.options import feed_versions, given_channels, shipped_channels
from console.plan import Plan, PlannedChannel, first_time_ns, guessed_plan, mapped_plan, single_plan
from feedhandler.books.sizes import Sizes, sizes_for
from feedhandler.feed import Feed

TEXT_INSTRUMENTS = 16_384
FEWEST_ORDERS = 1 << 14
MOST_ORDERS = 1 << 21
BYTES_AN_ORDER = 64  # of capture; at most so many orders can be alive
FIRST_ORDERS = 1 << 16  # tables begin so large and grow: what is not in use is not in the caches
FIRST_LEVELS = 1 << 19


def book_plan(files: Sequence[Path], channels: Path | None, feed: str) -> Plan:
    """The channels of captures: by a channel map, of one feed, or as their first packets show."""
    if feed and channels is not None:
        raise typer.BadParameter("--feed excludes --channels")
    first_ns = first_time_ns(files)
    mapped = given_channels(channels)
    if mapped is not None:
        plan = mapped_plan(mapped, first_ns)
    elif feed:
        plan = single_plan(feed_versions(feed)[0], first_ns)
    else:
        plan = guessed_plan(files, shipped_channels(), complain)
    if not plan.feeds:
        raise typer.BadParameter("no feed with books in these captures")
    for found in plan.feeds:
        if found.transport.stream:
            raise typer.BadParameter(f"{found.full_name} comes by TCP, not in datagrams")
    return plan


def order_room(files: Sequence[Path]) -> int:
    """Orders that captures can keep alive at a venue, by their size."""
    most = sum(path.stat().st_size for path in files) // BYTES_AN_ORDER
    packed = any(path.suffix in (".gz", ".zst") for path in files)
    return min(MOST_ORDERS, max(FEWEST_ORDERS, most * (10 if packed else 1)))


def sizes_of_venue(feed: Feed, orders: int) -> Sizes:
    """First room for a venue's books when so many orders can be alive; a tape has none."""
    more = {"instruments": TEXT_INSTRUMENTS} if feed.named else {}
    room = 1 if feed.consolidated else orders
    first, levels = min(room, FIRST_ORDERS), min(room, FIRST_LEVELS)
    return sizes_for(feed, orders=first, levels=levels, **more)


def venue_of(channel: PlannedChannel) -> str:
    """The venue of a channel: the first word of its name, or its feed where it has an address."""
    assert channel.feed is not None
    guessed = channel.address is None or channel.name.startswith(f"{channel.address.group}:")
    return channel.feed.name if guessed else channel.name.split()[0]
