"""Consolidated tapes as a SIP sends them: national bests, price bands, halts, the directory.

Two tapes, each with the table that its decoder reads: UQDF of Nasdaq's listings and CQS of all
others. A message says the quote of one participant and, in its long appendage, the national best.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Protocol

import numpy as np

from feedhandler import actions as a
from feedhandler.feed import Feed
from feedhandler.prices import multiplier
from feedhandler.registry import versions
from feedhandler.transports.packets import write_packet
from simulator.publishing.layout import DATA, PACKET_DTYPE
from simulator.publishing.packets import Packets, no_packets
from simulator.publishing.venues import VenueFeed

BILLION: Final = 1_000_000_000
DECIMALS: Final = 6
UNIT: Final = multiplier(DECIMALS)
LETTERS: Final = {  # of participants, on both tapes
    "nasdaq": "Q",
    "bx": "B",
    "bzx": "Z",
    "edgx": "K",
    "nyse": "N",
    "arca": "P",
    "memx": "U",
    "iex": "V",
}
OTHER: Final = "M"  # a venue without a letter here
Message = bytes


class TapeFeed(VenueFeed, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """How a tape comes: as a venue's feed does, from a processor that speaks no venue's dialect."""

    def __post_init__(self) -> None:
        if not versions(self.feed)[0].consolidated:
            raise ValueError(f"feed: {self.feed} is no consolidated tape")


@dataclass(frozen=True)
class Side:
    """One side of a quote; a size of 0 is none.

    Attributes:
        price: 1e-8 units.
        size: shares.
        market: the participant's letter.
    """

    price: int = 0
    size: int = 0
    market: str = ""

    @property
    def wire(self) -> int:
        """The price as it is written."""
        return self.price // UNIT if self.size else 0


class TapeDialect(Protocol):
    """The messages of a tape; times are epoch ns, symbols as the tape spells them."""

    def directory(self, time_ns: int, symbol: str, lot: int) -> Message:
        """A security and its round lot."""

    def quote(
        self, time_ns: int, symbol: str, own: tuple[Side, Side], best: tuple[Side, Side]
    ) -> Message:
        """A participant's quote, with the national best behind it."""

    def bands(self, time_ns: int, symbol: str, lower: int, upper: int) -> Message:
        """Price bands, 1e-8 units."""

    def state(self, time_ns: int, symbol: str, status: int) -> Message | None:
        """A halt, a pause or their end; None: the tape does not tell of the STATUS_."""

    def end(self, time_ns: int) -> Message:
        """The end of the day."""


class Utp:
    """UQDF."""

    ACTIONS: Final = {
        a.STATUS_HALTED: "H",
        a.STATUS_PAUSED: "P",
        a.STATUS_QUOTING: "Q",
        a.STATUS_TRADING: "T",
    }

    def __init__(self, feed: Feed) -> None:
        self._table = feed.protocol

    def _say(self, code: str, time_ns: int, **values: Any) -> Message:
        return self._table[code].encode({"sip_timestamp": time_ns, **values})

    def directory(self, time_ns: int, symbol: str, lot: int) -> Message:
        given = {"authenticity": "P", "round_lot_size": lot}
        return self._say("AB", time_ns, symbol=symbol, **given)

    def quote(
        self, time_ns: int, symbol: str, own: tuple[Side, Side], best: tuple[Side, Side]
    ) -> Message:
        given: dict[str, Any] = {"nbbo_appendage_indicator": "3" if best[0].size or best[1].size
                                 else "1"}  # fmt: skip
        for name, mine, nation in zip(("bid", "ask"), own, best, strict=True):
            given |= {f"{name}_price": mine.wire, f"{name}_size": mine.size}
            if given["nbbo_appendage_indicator"] == "3":
                given |= {f"best_{name}_price": nation.wire, f"best_{name}_size": nation.size}
                given[f"best_{name}_market_center"] = nation.market
        market = own[0].market or own[1].market
        return self._say("QF", time_ns, symbol=symbol, market_center_originator_id=market, **given)

    def bands(self, time_ns: int, symbol: str, lower: int, upper: int) -> Message:
        given = {"limit_down_price": lower // UNIT, "limit_up_price": upper // UNIT}
        mark = {"luld_price_band_indicator": "B", "luld_timestamp": time_ns}
        return self._say("AP", time_ns, symbol=symbol, **mark, **given)

    def state(self, time_ns: int, symbol: str, status: int) -> Message | None:
        if status not in self.ACTIONS:
            return None
        given = {"trading_action_code": self.ACTIONS[status], "action_timestamp": time_ns}
        return self._say("AH", time_ns, symbol=symbol, **given)

    def end(self, time_ns: int) -> Message:
        return self._say("CZ", time_ns)


class Cta:
    """CQS."""

    REASONS: Final = {a.STATUS_HALTED: "D", a.STATUS_PAUSED: "M", a.STATUS_TRADING: "T"}
    BANDED: Final = "0"
    INDICATORS: Final = {  # by whether there is a national bid, and an offer
        (True, True): "U",
        (True, False): "W",
        (False, True): "N",
        (False, False): "O",
    }

    def __init__(self, feed: Feed) -> None:
        self._table = feed.protocol

    def _say(self, code: str, time_ns: int, **values: Any) -> Message:
        seconds, nanoseconds = divmod(time_ns, BILLION)
        given = {"seconds": seconds, "nanoseconds": nanoseconds, **values}
        return self._table[code].encode(given)

    def directory(self, time_ns: int, symbol: str, lot: int) -> Message:
        return self._say("AS", time_ns, security_symbol=symbol, round_lot_size=lot, test="0")

    def quote(
        self, time_ns: int, symbol: str, own: tuple[Side, Side], best: tuple[Side, Side]
    ) -> Message:
        given: dict[str, Any] = {"participant_id": own[0].market or own[1].market}
        given["national_bbo_indicator"] = self.INDICATORS[best[0].size > 0, best[1].size > 0]
        bands = ("bid_price_lower_limit_price_band", "offer_price_upper_limit_price_band")
        for name, price, mine, nation in zip(("bid", "offer"), bands, own, best, strict=True):
            given |= {price: mine.wire, f"{name}_size_long": mine.size}
            if nation.size:
                given |= {f"best_{name}_price_long": nation.wire}
                given |= {f"best_{name}_size_long": nation.size}
                given[f"best_{name}_participant_id"] = nation.market
        return self._say("QL", time_ns, security_symbol=symbol, **given)

    def bands(self, time_ns: int, symbol: str, lower: int, upper: int) -> Message:
        given = {
            "bid_price_lower_limit_price_band": lower // UNIT,
            "offer_price_upper_limit_price_band": upper // UNIT,
        }
        mark = {"security_status_indicator": self.BANDED, "national_bbo_indicator": "A"}
        return self._say("QL", time_ns, security_symbol=symbol, **mark, **given)

    def state(self, time_ns: int, symbol: str, status: int) -> Message | None:
        if status not in self.REASONS:
            return None
        given = {"security_status_indicator": self.REASONS[status], "national_bbo_indicator": "A"}
        return self._say("QL", time_ns, security_symbol=symbol, **given)

    def end(self, time_ns: int) -> Message:
        return self._say("CZ", time_ns)


def _feed(number: int, name: str, feed: str) -> TapeFeed:
    return TapeFeed(
        name=name,
        feed=feed,
        group_a=f"233.210.{number}.1",
        group_b=f"233.210.{number}.2",
        source_a=f"10.21.{number}.1",
        source_b=f"10.21.{number}.2",
        jitter_ns=20_000,
    )


TAPES: Final[Mapping[str, tuple[TapeFeed, type[Utp] | type[Cta]]]] = {
    "utp": (_feed(31, "utp", "nasdaq_uqdf@1.5"), Utp),
    "cta": (_feed(32, "cta", "siac_cqs@2.10"), Cta),
}


class TapePublisher:
    """A tape on one day.

    Args:
        name: of TAPES.
        header: values of the packet header that never change.

    Attributes:
        about: where it is sent.
        feed: its tables.
        dialect: its messages.
        messages: packed so far.
    """

    def __init__(self, name: str, header: Mapping[str, Any] | None = None) -> None:
        self.about, dialect = TAPES[name]
        self.feed: Feed = versions(self.about.feed)[0]
        self.dialect: TapeDialect = dialect(self.feed)
        self._header = {**self.feed.header, **(header or {})}
        self.messages = 0

    def payload(self, messages: Sequence[Message]) -> bytes:
        """One packet of messages, numbered on."""
        header = {**self._header, self.feed.transport.sequence: self.messages + 1}
        self.messages += len(messages)
        return write_packet(self.feed.transport, messages, header)

    def packets(self, said: Sequence[tuple[int, Message]]) -> Packets:
        """What is said, by time, as packets: of one moment all in one while they fit."""
        rows, payloads, at = [], bytearray(), 0
        for time_ns, messages in self._together(said):
            first = self.messages + 1
            raw = self.payload(messages)
            rows.append((time_ns, at, first, len(raw), len(messages), 0, DATA))
            payloads += raw
            at += len(raw)
        if not rows:
            return no_packets()
        return Packets(np.array(rows, PACKET_DTYPE), np.frombuffer(bytes(payloads), np.uint8))

    def _together(self, said: Sequence[tuple[int, Message]]) -> list[tuple[int, list[Message]]]:
        made: list[tuple[int, list[Message]]] = []
        room = 0
        for time_ns, message in said:
            if not made or made[-1][0] != time_ns or room < len(message):
                made.append((time_ns, []))
                room = self.about.packet_bytes // 2
            made[-1][1].append(message)
            room -= len(message)
        return made
