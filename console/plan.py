"""What a loop will decode: the channels, their feeds and session dates."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from urllib.parse import quote

from captures import merge_captures
from console.flows import Flows
from feedhandler.channelfile import ChannelMap
from feedhandler.channelmap import ChannelAddress
from feedhandler.datagrams import Datagram, datagrams
from feedhandler.dates import session_midnight_ns
from feedhandler.feed import Feed
from feedhandler.reasons import Reason

GUESS_PACKETS = 20_000


@dataclass(frozen=True)
class PlannedChannel:
    """One channel of the loop; `address` None takes every datagram, `feed` None only counts."""

    name: str
    feed: Feed | None
    address: ChannelAddress | None
    line: str = "A"
    midnight_ns: int = 0


@dataclass(frozen=True)
class Plan:
    """All channels of a loop."""

    channels: tuple[PlannedChannel, ...]

    @property
    def feeds(self) -> list[Feed]:
        """The feeds to compile, each once, in the order of the channels."""
        named = {c.feed.full_name: c.feed for c in self.channels if c.feed is not None}
        return list(named.values())

    @property
    def catch_all(self) -> bool:
        """Whether the one channel takes every datagram."""
        return len(self.channels) == 1 and self.channels[0].address is None


def midnight_of(feed: Feed, first_ns: int | None) -> int:
    """The session's midnight that the first packet's time suggests; 0 where there is none."""
    return session_midnight_ns(first_ns, feed.zone) if first_ns else 0


def mapped_plan(channels: ChannelMap, first_ns: int | None) -> Plan:
    """The datagram channels of a channel map; order-entry channels have no place in the loop."""
    made = []
    for channel in channels.channels:
        feed = channel.feeds[0]
        if feed.transport.stream:
            continue
        midnight_ns = channels.midnight_ns(channel) or midnight_of(feed, first_ns)
        address = ChannelAddress(channel.group, channel.port, channel.vlan)
        made.append(PlannedChannel(channel.name, feed, address, channel.line, midnight_ns))
    return Plan(tuple(made))


def single_plan(feed: Feed, first_ns: int | None) -> Plan:
    """Every datagram is of one feed."""
    return Plan((PlannedChannel("all", feed, None, "A", midnight_of(feed, first_ns)),))


def counting_plan() -> Plan:
    """Every datagram is counted and none is read."""
    return Plan((PlannedChannel("all", None, None),))


def guessed_plan(
    files: Sequence[Path], hints: ChannelMap | None, say: Callable[[str], None]
) -> Plan:
    """The channels that the first packets of captures show, by what their tables read."""
    found: dict[ChannelAddress, PlannedChannel] = {}
    flows = Flows([], None, hints, say)
    with merge_captures(files) as merged:
        for datagram in islice(datagrams(merged), GUESS_PACKETS):
            if datagram.reason is not Reason.OK:
                continue
            group, _, port = datagram.to.partition(":")
            address = ChannelAddress(group, int(port))
            read = None if address in found else flows.read(datagram)
            if read is not None:
                midnight_ns = midnight_of(read.feed, datagram.timestamp_ns)
                name, line = _named(datagram, read.feed, hints)
                found[address] = PlannedChannel(name, read.feed, address, line, midnight_ns)
    nameless = [c for a, c in found.items() if a.group == "0.0.0.0" or a.udp_port == 0]
    if nameless and len({c.feed for c in found.values()}) == 1:  # addresses were taken out
        first = nameless[0]
        return Plan((PlannedChannel("all", first.feed, None, midnight_ns=first.midnight_ns),))
    named = tuple(c for c in found.values() if c not in nameless)
    return Plan(named) if named else counting_plan()


def _named(datagram: Datagram, feed: Feed, hints: ChannelMap | None) -> tuple[str, str]:
    """Name and line of a channel found: those of the hints where they have it, else its address.

    Without them two lines of one channel could not be told from two channels.
    """
    place = datagram.destination_ip, datagram.destination_port, datagram.vlan
    hint = hints.find(*place) if hints is not None else None
    if hint is None or feed.name not in {known.name for known in hint.feeds}:
        return datagram.to, "A"
    return hint.name, hint.line


def replay_uri(files: Sequence[Path] | Sequence[str], speed: str = "max") -> str:
    """The address of a port that replays captures merged by time."""
    target = ",".join(quote(str(path), safe="/*[]") for path in files)
    return f"replay:{target}?speed={quote(speed)}"


def first_time_ns(files: Sequence[Path]) -> int | None:
    """The earliest first packet's time among captures; streamed, so a large one is quick too."""
    times = []
    for path in files:
        with path.open("rb") as file, merge_captures([file]) as merged:
            chunk = next(iter(merged.packets(1)), None)
            if chunk is not None:
                times.append(int(chunk["packet"]["timestamp_ns"][0]))
    return min(times, default=None)
