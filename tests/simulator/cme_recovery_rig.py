"""A CME channel whose lines and loops lose packets, a compiled loop with books, and the recovery.

What the channel's own slow books were behind every packet is kept: no book of the loop may say that
it is live and be another.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np
from make_samples import PORT, frame

from console.recovery import position_in
from console.recoveryclients import Position, RecoverySettings
from console.recoverycme import CmeDriver, live_in
from feedhandler import specialise
from feedhandler.actions import BUY, SELL, STATUS_TRADING, STATUS_UNKNOWN
from feedhandler.books.layout import LIVE as TRUSTED
from feedhandler.books.sizes import sizes_for
from feedhandler.books.venuebook import VenueBook
from feedhandler.channelmap import ChannelAddress
from feedhandler.consolidated.market import Market
from feedhandler.feed import Feed
from feedhandler.lines import setup as line_setup
from feedhandler.lines.layout import LIVE, STATES
from feedhandler.lines.setup import LineOptions, Lines
from feedhandler.registry import versions
from feedhandler.stateblock import LoopOptions, create_state
from nic import regions
from nic.memoryport import MemoryPort, pack_frames
from simulator.services.cme import CmeChannel

A, B, ASKED, SPLICE = range(4)
PRICE, ORDERS = "cme_mdp3", "cme_mdp3_orders"
FEEDS: list[Feed] = [versions(PRICE)[0], versions(ORDERS)[0]]
GROUPS = [f"233.7.7.{n + 1}" for n in range(4)]
BEGIN_NS = 1_773_633_600_000_000_000
PACKET_NS = 200_000
OPTIONS = LineOptions(window_ns=600_000, recovery_ns=2_000_000_000, slots=2_048)
ROOM = {"orders": 8_192, "levels": 8_192, "instruments": 64}
Book = tuple[Any, Any]
Loses = Callable[[int], bool]


@cache
def the_loop(market: bool) -> Any:
    """The loop that all tests with this rig run, or the one with a consolidated book behind."""
    return specialise.build(FEEDS, books=True, market=market, lines=True)


def nothing(_number: int) -> bool:
    """Loses nothing."""
    return False


class Rig:
    """See the module.

    Args:
        name: of the feed.
        seed: of what happens.
        options: of arbitration.
        market: whether there is a consolidated book; it has to show what is live.
        settings: the groups of the loops, where sockets hear them; else packets are handed over.
        recovering: of the CmeRecoverer.
    """

    def __init__(
        self,
        name: str,
        seed: str,
        *,
        securities: int = 5,
        options: LineOptions = OPTIONS,
        knows_live: bool = True,
        settings: RecoverySettings | None = None,
        market: bool = False,
        **recovering: Any,
    ) -> None:
        self.feed = next(feed for feed in FEEDS if feed.name == name)
        self.chance = random.Random(f"{seed} rig")
        self.channel = CmeChannel(self.feed, seed, securities=securities, time_ns=BEGIN_NS)
        self.books = VenueBook(sizes_for(self.feed, **ROOM))
        self.market = Market(8, 8, 1, unknown_trades=True) if market else None
        venues = self._enter(self.market) if self.market is not None else None
        lines = Lines({n: (0, n) for n in range(4)}, options)
        extra = [*specialise.sections(4, FEEDS), *line_setup.sections(lines, [self.feed] * 4)]
        addresses = [ChannelAddress(group, PORT) for group in GROUPS]
        port = MemoryPort(pack_frames([])[0])
        step = LoopOptions(burst_max=1, round_limit=1)
        self.block = create_state([port], addresses, step, handler_sections=extra)
        number = FEEDS.index(self.feed)
        of_books = dict.fromkeys(range(4), self.books.address)
        specialise.prepare(self.block, FEEDS, [number] * 4, {}, of_books, venues)
        line_setup.prepare(self.block, lines, [self.feed] * 4)
        self.driver = CmeDriver(
            self.feed,
            settings or RecoverySettings(),
            lambda _line, payload: self.give(SPLICE, payload, 100),
            self.where,
            is_live=live_in(self.books) if knows_live else None,
            **recovering,
        )
        self.time_ns, self.drained, self.checked, self.life = BEGIN_NS, 0, 0, 0
        self.past: dict[tuple[int, int, int], Book] = {}  # by life, security, next sequence
        self.turn = self.channel.snapshot_turn()
        self.note()

    def _enter(self, market: Market) -> dict[int, int]:
        market.add_venue("cme", self.books)
        for instrument in range(1, 6):
            market.map(0, instrument, instrument)
            market.set_instrument(instrument, f"I{instrument}", lot=1)
        return dict.fromkeys(range(4), market.venue_address(0))

    def __enter__(self) -> Rig:
        regions.reset()
        return self

    def __exit__(self, *_exception: object) -> None:
        assert regions.violations().count == 0, regions.violations()
        self.driver.close()
        if self.market is not None:
            self.market.close()
        self.books.close()
        self.block.close()

    @property
    def stream(self) -> np.void:
        """The row of the stream."""
        row: np.void = self.block["streams"][0]
        return row

    @property
    def state(self) -> str:
        """The stream's state."""
        return STATES[int(self.stream["state"])]

    def where(self, unit: int) -> Position:
        """How far the loop is."""
        return position_in(self.block, 0)(unit)

    # The truth.

    def truth(self, security: int) -> Book:
        """What the channel's own book of a security is, as the loop should have it."""
        book = self.channel.books[security]
        scaled = 10
        if self.channel.by_order:
            orders = [(n, "01".index(k) + 1, p // scaled, s) for n, k, p, s in book.queue()]
            return tuple(orders), ()
        levels = [tuple((p // scaled, s) for p, s in book.shown(kind)) for kind in "01"]
        return (), tuple(levels)

    def note(self) -> None:
        """Keeps the books as they are behind the packet that was made last."""
        for security in self.channel.books:
            self.past[self.life, security, self.channel.sequence + 1] = self.truth(security)

    def found(self, security: int) -> Book:
        """What the loop has of a security."""
        number = self.books.instrument(security)
        if number is None:
            return ((), ()) if self.channel.by_order else ((), ((), ()))
        if self.channel.by_order:
            rows = self.books.orders(number)[["id", "side", "price", "quantity"]].tolist()
            return tuple(rows), ()
        levels = [self.books.ladder(number, side).tolist() for side in (BUY, SELL)]
        return (), tuple(tuple((price, size) for price, size, _ in one) for one in levels)

    def trusted(self, security: int) -> bool:
        """Whether the loop says that a book is right."""
        number = self.books.instrument(security)
        return number is not None and int(self.books.tops["trust"][number]) == TRUSTED

    @property
    def live(self) -> list[int]:
        """The securities whose books are live."""
        return [security for security in self.channel.books if self.trusted(security)]

    def check(self) -> None:
        """No book that says it is live is another than the channel's."""
        following = int(self.stream["expected"])
        for security in self.live:
            wanted = self.past.get((self.life, security, following))
            if wanted is not None:
                assert self.found(security) == wanted, (security, following, self.state)
                self.checked += 1
        if self.market is not None:
            self.agree(self.market)

    def agree(self, market: Market) -> None:
        """The market shows of every contract that trades its top, or nothing while it is stale."""
        for instrument in range(1, 6):
            top, record = self.books.tops[instrument], market.record(instrument)
            if top["status"] not in (STATUS_UNKNOWN, STATUS_TRADING):
                continue
            live = self.books.trust(instrument) == "live"
            wanted = (int(top["bid"]), int(top["offer"])) if live else (0, 0)
            assert (int(record["bid"]), int(record["offer"])) == wanted, (instrument, live)

    # Packets.

    def give(self, line: int, payload: bytes, later_ns: int = PACKET_NS) -> None:
        """A packet on a line, so much later than the one before."""
        self.time_ns += later_ns
        descriptors, memory = pack_frames([(self.time_ns, frame(payload, GROUPS[line], 1))])
        port = MemoryPort(descriptors)
        link, control = self.block["links"][0], self.block["control"][0]
        link["port"], link["status"], control["open_links"] = port.handle, 0, 1
        more = self.market.blocks if self.market is not None else ()
        blocks = [*self.books.blocks, *more]
        with regions.allowed(self.block, port.row, port.descriptors, memory, *blocks):
            the_loop(bool(more))(np.uint64(self.block.address))
        self.check()

    def drive(self) -> None:
        """The recovery has its turn."""
        ring = self.block["events"][0]
        first, self.drained = self.drained, int(ring["producer"]["tail"])
        for n in range(first, self.drained):
            self.driver.on_event(ring["records"][n % len(ring["records"])].copy())
        self.driver.step(self.time_ns)

    def say(self, payload: bytes, *, lost: bool = False, lost_b: bool | None = None) -> None:
        """A packet of the incremental channel on both lines, or on none or one."""
        self.note()
        if not lost:
            self.give(A, payload, PACKET_NS // 2)
        if not (lost if lost_b is None else lost_b):
            self.give(B, payload, PACKET_NS // 2)
        self.drive()

    def change(self, **lost: Any) -> None:
        """The channel's next packet."""
        self.say(self.channel.change(), **lost)

    def snapshot(self, *, lost: bool = False) -> None:
        """The next packet of the snapshots' loop."""
        payload = next(self.turn, None)
        if payload is None:
            self.turn = self.channel.snapshot_turn()
            payload = next(self.turn)
        if not lost:
            self.driver.on_refresh(payload, self.time_ns)
        self.drive()

    def turns(self, count: int = 1, *, changes: int = 0) -> None:
        """Whole turns of the snapshots' loop, with so many packets between two of its own."""
        for _ in range(count):
            self.turn = self.channel.snapshot_turn()
            for payload in self.turn:
                self.driver.on_refresh(payload, self.time_ns)
                self.drive()
                for _ in range(changes):
                    self.change()

    def define(self) -> None:
        """A whole turn of the definitions' loop."""
        for payload in self.channel.definition_turn():
            self.driver.on_definition(payload)
            self.drive()

    def play(self, count: int, lose_a: Loses, lose_b: Loses | None = None) -> None:
        """So many packets with losses, and the snapshots' loop beside them."""
        for number in range(count):
            lost_b = (lose_b or lose_a)(number)
            self.change(lost=lose_a(number), lost_b=lost_b)
            if number % 3 == 0:
                self.snapshot()

    def finish(self) -> None:
        """No more losses, until all is live."""
        for _ in range(3_000):
            if self.well:
                return
            self.time_ns += PACKET_NS
            self.change()
            self.snapshot()
        recoverer = self.driver.recoverer
        raise AssertionError((self.state, recoverer.state, recoverer.failures, self.live))

    @property
    def well(self) -> bool:
        """Whether the loop has all that was said, and says that it is live."""
        whole = int(self.stream["expected"]) == self.channel.sequence + 1
        return whole and int(self.stream["state"]) == LIVE

    def check_whole(self) -> None:
        """All books are live and the channel's."""
        assert self.well and self.checked > 20, (self.state, self.checked)
        for security in self.channel.books:
            assert self.trusted(security), security
            assert self.found(security) == self.truth(security), security
        assert self.faults() == {}

    def faults(self) -> dict[str, int]:
        """What the decoder did not like."""
        return specialise.faults_of(self.block["contexts"][0])
