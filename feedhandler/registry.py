"""The feeds this house knows: one row each, in the files of `feedhandler.feeds` by operator."""

from __future__ import annotations

from feedhandler.feed import Decoded, Feed, decode
from feedhandler.feeds import cboe, cme, iex, memx, miax, nasdaq, nasdaq_ouch, nyse, siac
from feedhandler.wire.record import Buffer

FEEDS: tuple[Feed, ...] = (
    *nasdaq.FEEDS,
    *nasdaq_ouch.FEEDS,
    *nasdaq.SNAPSHOTS,
    *iex.FEEDS,
    *memx.FEEDS,
    *nyse.FEEDS,
    *cboe.FEEDS,
    *siac.FEEDS,
    *cme.FEEDS,
    *miax.FEEDS,
)


def names() -> list[str]:
    """Feed names, in the registry's order, each once."""
    return list(dict.fromkeys(feed.name for feed in FEEDS))


def versions(name: str) -> list[Feed]:
    """The versions of a feed, preferred one first.

    Args:
        name: "nyse_integrated" for all versions or "nyse_integrated@2.1" for one.

    Raises:
        ValueError: naming the feeds or versions there are.
    """
    base, _, version = name.partition("@")
    found = [feed for feed in FEEDS if feed.name == base]
    if not found:
        raise ValueError(f"no feed {base!r}: there are {', '.join(names())}")
    chosen = [feed for feed in found if version in ("", feed.version)]
    if not chosen:
        known = ", ".join(feed.version for feed in found)
        raise ValueError(f"feed {base!r} has no version {version!r}: there are {known}")
    return chosen


def decode_best(feeds: list[Feed], data: Buffer) -> tuple[Feed, Decoded]:
    """Decodes with the version that has the fewest faults; of those, with the first likely one.

    Args:
        feeds: candidates, preferred one first; at least one.
        data: a datagram, or the start of a stream piece.
    """
    best, least = None, (0, False)
    for feed in feeds:
        decoded = decode(feed, data)
        against = len(decoded.faults), not feed.likely(decoded.packet.header)
        if best is None or against < least:
            best, least = (feed, decoded), against
        if least == (0, False):
            break
    assert best is not None
    return best


def guess(data: Buffer, *, stream: bool) -> tuple[Feed, Decoded] | None:
    """The feed whose tables read a datagram without a fault and with at least one message.

    Args:
        data: UDP payload, or the start of a TCP piece.
        stream: whether it came by TCP.

    Returns:
        None when no feed's tables fit. A heartbeat alone proves nothing and gives None.
    """
    for feed in FEEDS:
        if feed.transport.stream != stream:
            continue
        decoded = decode(feed, data)
        if decoded.messages and not decoded.faults and feed.likely(decoded.packet.header):
            return feed, decoded
    return None
