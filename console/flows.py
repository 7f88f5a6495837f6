"""Which feed a packet belongs to: stated, from a channel map, or guessed and said so."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from feedhandler.channelfile import ChannelMap
from feedhandler.datagrams import Datagram
from feedhandler.feed import Decoded, Feed, decode
from feedhandler.reasons import Reason
from feedhandler.registry import FEEDS, decode_best, guess

if TYPE_CHECKING:
    from feedhandler.streams import StreamDecoder


class Found(NamedTuple):
    """A packet read by a feed's tables; `told` when the feed was not stated by name and version."""

    feed: Feed
    decoded: Decoded
    told: bool


@dataclass
class Flow:
    """What is known of one flow.

    Attributes:
        feeds: candidates, the one that fitted last in front.
        told: the feed is our choice, so the output names it.
        guessed: chosen by looking at packets; another one may take its place.
        stream, last: the TCP reassembly and the segment it saw last.
    """

    feeds: list[Feed]
    told: bool
    guessed: bool = False
    stream: StreamDecoder | None = None
    last: Datagram | None = None


class Flows:
    """Decodes packets, keeping one feed per destination or TCP direction.

    Args:
        feeds: those that --feed names; empty when it was not given.
        channels: a channel map that was asked for: packets outside it are not decoded.
        hints: a channel map to try before guessing.
        say: takes one line about each guess.
    """

    def __init__(
        self,
        feeds: Sequence[Feed],
        channels: ChannelMap | None,
        hints: ChannelMap | None,
        say: Callable[[str], None],
    ) -> None:
        self._stated = list(feeds)
        self._channels, self._hints, self._say = channels, hints, say
        self._flows: dict[tuple[int, ...], Flow | None] = {}

    def outside(self, datagram: Datagram) -> str | None:
        """Why a packet is none of what was asked for; None where anything would do."""
        if self._channels is not None:
            return Reason.NO_CHANNEL.name.lower()
        if self._stated:
            return "tcp" if datagram.reason is Reason.TCP else "udp"
        return None

    def look(self, datagram: Datagram) -> None:
        """Settles a flow's feed from a packet that is to be read later."""
        if datagram.reason <= Reason.TCP:
            self._settled(datagram)

    def read(self, datagram: Datagram) -> Found | None:
        """The packet's messages; None when no feed is known or found for it."""
        flow = self._settled(datagram)
        if flow is None:
            return None
        found = self._decode(flow, datagram)
        if found.decoded.faults and flow.guessed:
            stream = datagram.reason is Reason.TCP
            other = self._guess(datagram, stream, found.feed)
            if other is not None:
                self._flows[_key(datagram)] = other
                return self._decode(other, datagram)
        return found

    def finish(self) -> Iterator[tuple[Datagram, Found]]:
        """At the end: what waited behind lost TCP segments, with its flow's last segment."""
        for flow in self._flows.values():
            if flow is None or flow.stream is None or flow.last is None:
                continue
            for decoded in flow.stream.finish().values():
                if decoded.messages or decoded.faults:
                    feed = flow.stream.feed_of(flow.last.flow) or flow.feeds[0]
                    yield flow.last, Found(feed, decoded, flow.told)

    def _settled(self, datagram: Datagram) -> Flow | None:
        key, stream = _key(datagram), datagram.reason is Reason.TCP
        flow = self._flows.get(key)
        if flow is None and key not in self._flows:
            flow = self._flows[key] = self._known(datagram, stream)
        if flow is None:
            flow = self._flows[key] = self._guess(datagram, stream, None)
        return flow

    def _known(self, datagram: Datagram, stream: bool) -> Flow | None:
        fitting = [feed for feed in self._stated if feed.transport.stream == stream]
        if fitting:
            return self._flow(fitting, stream, told=len(fitting) > 1)
        if self._channels is None:
            return None
        feeds = _mapped(self._channels, datagram, stream)
        return self._flow(feeds, stream, told=True) if feeds else None

    def _flow(self, feeds: list[Feed], stream: bool, *, told: bool) -> Flow:
        if not stream:
            return Flow(list(feeds), told)
        from feedhandler.streams import StreamDecoder  # order entry only

        return Flow(list(feeds), told, stream=StreamDecoder(feeds))

    def _decode(self, flow: Flow, datagram: Datagram) -> Found:
        if flow.stream is not None:
            flow.last = datagram
            decoded = flow.stream.segment(datagram)
            feed = flow.stream.feed_of(datagram.flow) or flow.feeds[0]
            return Found(feed, decoded, flow.told)
        if len(flow.feeds) == 1:
            feed = flow.feeds[0]
            return Found(feed, decode(feed, datagram.payload), flow.told)
        feed, decoded = decode_best(flow.feeds, datagram.payload)
        if feed is not flow.feeds[0] and decoded.messages and not decoded.faults:
            flow.feeds.remove(feed)
            flow.feeds.insert(0, feed)
        return Found(feed, decoded, flow.told)

    def _guess(self, datagram: Datagram, stream: bool, instead_of: Feed | None) -> Flow | None:
        """A feed that reads this packet without a fault; says which, once."""
        if self._channels is not None or self._stated or not datagram.payload:
            return None
        hinted = _mapped(self._hints, datagram, stream) if self._hints is not None else []
        for feed in hinted:
            if feed is not instead_of and _fits(feed, datagram):
                flow = self._flow([feed], stream, told=True)
                flow.guessed = True
                return flow
        found = guess(datagram.payload, stream=stream)
        if found is None or found[0] is instead_of:
            return None
        also = [
            feed.full_name
            for feed in FEEDS
            if feed is not found[0] and feed.transport.stream == stream and _fits(feed, datagram)
        ]
        more = f" (reads as {', '.join(also)} too)" if also else ""
        instead = f", no longer {instead_of.full_name}" if instead_of is not None else ""
        self._say(f"{datagram.to}: guessed {found[0].full_name}{instead}{more}")
        flow = self._flow([found[0]], stream, told=True)
        flow.guessed = True
        return flow


def _key(datagram: Datagram) -> tuple[int, ...]:
    """What is one flow: a multicast destination, or one direction of a TCP connection."""
    if datagram.reason is Reason.TCP:
        return (*datagram.flow, datagram.vlan)
    return datagram.destination_ip, datagram.destination_port, datagram.vlan


def _mapped(channels: ChannelMap, datagram: Datagram, stream: bool) -> list[Feed]:
    """The feeds of the channel that a packet goes to, or for TCP comes from."""
    channel = channels.find(datagram.destination_ip, datagram.destination_port, datagram.vlan)
    if channel is None and stream:
        channel = channels.find(datagram.source_ip, datagram.source_port, datagram.vlan)
    if channel is None:
        return []
    return [feed for feed in channel.feeds if feed.transport.stream == stream]


def _fits(feed: Feed, datagram: Datagram) -> bool:
    decoded = decode(feed, datagram.payload)
    fits = bool(decoded.messages) and not decoded.faults
    return fits and feed.accepts(decoded.packet.header)
