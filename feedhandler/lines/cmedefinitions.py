"""CME's instrument definitions: the directory of a channel, from their loop.

Who joins late hears one whole turn of the loop. The loop of the feed handler then gets the same
messages, so that its books have names, ticks and depths.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from feedhandler.lines.cmeloop import ID, CmeLoop, Report
from feedhandler.lines.snapshots.cme import alone
from feedhandler.protocols import cme_definitions
from feedhandler.protocols.cme_fields import LEGACY_BELOW
from feedhandler.protocols.cme_mdp3 import CME_MDP3
from feedhandler.wire.record import Value
from feedhandler.wire.tails import entries, integer

CODES: Final = frozenset(int(record.code) for record in cme_definitions.RECORDS)
STATUS: Final = "md_security_trading_status"
NO_STATUS: Final = 255
DELETED: Final = "D"
FEEDS: Final = "feed_types"
NULL_MATURITY: Final = (0, 0xFF, 0xFFFF)


@dataclass(frozen=True)
class Instrument:
    """What the directory says of an instrument.

    Attributes:
        security: its id.
        symbol, group, asset: as CME names it.
        decimals: of the prices in it, and of those in its channel's newest templates.
        display_factor: a price on the wire times it is the real one; with `decimals` decimals.
        tick: the smallest step of a price, with `decimals` decimals.
        depth, implied_depth: levels a side of its books; 0: it has none.
        year, month, day, week: of its maturity; None where nothing is said.
        deleted: it is not traded any more.
    """

    security: int
    symbol: str
    group: str
    asset: str
    decimals: int
    display_factor: int
    tick: int
    depth: int
    implied_depth: int
    year: int | None
    month: int | None
    day: int | None
    week: int | None
    deleted: bool


def _text(value: Value) -> str:
    return str(value).rstrip(" \0")


def _maturity(report: Report, name: str) -> int | None:
    """A part of the maturity; None where the definition has none."""
    if name not in report.values or report.number(name) in NULL_MATURITY:
        return None
    return report.number(name)


def instrument_of(report: Report) -> Instrument:
    """A definition as an entry of the directory."""
    values = report.values
    depths = {
        _text(row["md_feed_type"]): integer(row, "market_depth") for row in entries(values, FEEDS)
    }
    return Instrument(
        security=report.number(ID),
        symbol=_text(values["symbol"]),
        group=_text(values["security_group"]),
        asset=_text(values["asset"]),
        decimals=7 if int(report.record.code) < LEGACY_BELOW else 9,
        display_factor=report.number("display_factor"),
        tick=report.number("min_price_increment"),
        depth=depths.get("GBX", 0),
        implied_depth=depths.get("GBI", 0),
        year=_maturity(report, "year"),
        month=_maturity(report, "month"),
        day=_maturity(report, "day"),
        week=_maturity(report, "week"),
        deleted=values["security_update_action"] == DELETED,
    )


class CmeDirectory:
    """The definitions of a channel's loop.

    Attributes:
        instruments: by security id, all that were heard of so far.
        loop: of the packets.
        messages: the last definition of each, as it came.
    """

    def __init__(self) -> None:
        self.loop = CmeLoop(CME_MDP3, CODES)
        self.instruments: dict[int, Instrument] = {}
        self._deleted: set[int] = set()
        self._traded: tuple[int, frozenset[int]] | None = None
        self.messages: dict[int, Report] = {}

    @property
    def is_whole(self) -> bool:
        """Whether one turn of the loop was heard without a hole."""
        return self.loop.whole is not None

    @property
    def traded(self) -> frozenset[int] | None:
        """The securities of the last whole turn that are traded; None before there was one."""
        whole, turn = self.loop.whole, self.loop.turns
        if whole is None:
            return None
        if self._traded is None or self._traded[0] != turn:
            self._traded = turn, whole - self._deleted
        return self._traded[1]

    def begin(self, since_ns: int = 0) -> None:
        """Forgets everything: a new week has other instruments."""
        self.loop.begin(since_ns)
        self.instruments.clear()
        self._deleted.clear()
        self.messages.clear()

    def take(self, payload: bytes) -> None:
        """A datagram of the definitions' loop, of either line."""
        for report in self.loop.take(payload):
            found = instrument_of(report)
            self.instruments[found.security] = found
            if found.deleted:
                self._deleted.add(found.security)
            else:
                self._deleted.discard(found.security)
            self.messages[found.security] = report

    def datagrams(self, *, status: bool) -> list[bytes]:
        """All definitions for the loop, each in a packet of its own.

        `status`: with the states that they say; else these say that nothing changes, as who was
        there all the time knows better.
        """
        made = []
        for report in self.messages.values():
            data = bytearray(report.data)
            if not status:
                data[report.record.offset(STATUS)] = NO_STATUS
            made.append(alone(bytes(data), report.sent_ns))
        return made
