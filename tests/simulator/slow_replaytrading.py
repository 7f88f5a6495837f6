"""How orders trade at replayed venues, in plain Python; see `slow_replayvenue`.

Latencies are constants here, tables are never full, and books are dictionaries of orders and
levels. The national best is what the test says it is.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable
from dataclasses import dataclass, field

from feedhandler import actions as a
from router import tables as t
from simulator.replay import layout as y
from simulator.replay.models import ReplayVenue

Words = dict[str, int]
Action = dict[str, int]
Place = tuple[int, int, int]  # instrument, side, price
MASK = (1 << 64) - 1


@dataclass
class SlowOrder:
    """An order of ours at a venue."""

    port: int
    number: int
    token: int
    words: Words
    leaves: int
    executed: int = 0
    open: bool = True
    rests: bool = False
    waits: bool = False  # a renewal is among the events
    ahead: int = 0
    slice: int = 0

    def __getattr__(self, name: str) -> int:
        return self.words[name]


@dataclass
class SlowVenue:
    """A venue: its book as the feed says it, its resting orders, what is ours of the book."""

    number: int
    plan: ReplayVenue
    orders: dict[int, list[int]] = field(default_factory=dict)  # id: instrument, side, price, size
    levels: dict[Place, int] = field(default_factory=dict)  # said as levels
    status: dict[int, int] = field(default_factory=dict)
    resting: list[SlowOrder] = field(default_factory=list)
    taken: dict[Place, list[int]] = field(default_factory=dict)  # quantity, time
    processes: dict[tuple[int, int], list[int]] = field(default_factory=dict)  # next, size, count

    def shown(self) -> dict[Place, int]:
        """Displayed shares by level."""
        made = dict(self.levels)
        for instrument, side, price, size in self.orders.values():
            place = (instrument, side, price)
            made[place] = made.get(place, 0) + size
        return made


def better(side: int, one: int, other: int) -> bool:
    """Whether a price is the better one to meet on a side."""
    return one > other if side == a.BUY else one < other


class SlowTrading:
    """What the orders of all venues meet.

    Args:
        ways: latency in and out, ns.
        seed: as the kernels mix it.
        national: best bid and offer of an instrument, None where one is missing or they cross.

    Attributes:
        told: by port, (time at the router, words).
    """

    def __init__(
        self,
        plans: list[ReplayVenue],
        ways: tuple[int, int],
        seed: int,
        forget_ns: int,
        instruments: int,
        national: Callable[[int], tuple[int, int] | None],
    ) -> None:
        self.venues = [SlowVenue(number, plan) for number, plan in enumerate(plans)]
        self.ways, self.seed, self.forget_ns = ways, seed, forget_ns
        self.instruments, self.national = instruments, national
        self.events: list[tuple[int, int, Callable[[int], None]]] = []
        self.made, self.executions, self.now_ns = 0, 0, 0
        self.orders: list[SlowOrder] = []
        self.tokens: dict[tuple[int, int], SlowOrder] = {}
        self.told: dict[int, list[tuple[int, Words]]] = {}

    # Time.

    def at(self, time_ns: int, do: Callable[[int], None]) -> None:
        """Something will happen."""
        heapq.heappush(self.events, (time_ns, self.made, do))
        self.made += 1

    def run(self, until_ns: int) -> None:
        """All that is due."""
        while self.events and self.events[0][0] <= until_ns:
            time_ns, _, do = heapq.heappop(self.events)
            do(time_ns)

    def say(self, port: int, now_ns: int, **words: int) -> None:
        """An answer leaves a venue."""
        line = (now_ns + self.ways[1], {"time_ns": now_ns, **words})
        self.told.setdefault(port, []).append(line)

    # What is there.

    def available(self, venue: SlowVenue, place: Place, now_ns: int) -> int:
        """Shares of a level that are there for us."""
        shown, row = venue.shown().get(place, 0), venue.taken.get(place)
        if row is None:
            return shown
        if now_ns - row[1] > self.forget_ns:
            del venue.taken[place]
            return shown
        row[0] = min(row[0], shown)
        return shown - row[0]

    def remember(self, venue: SlowVenue, place: Place, shares: int, now_ns: int) -> None:
        """Shares of a level are ours."""
        row = venue.taken.get(place, [0, now_ns])
        kept = row[0] if now_ns - row[1] <= self.forget_ns else 0
        venue.taken[place] = [kept + shares, now_ns]

    def ladder(self, venue: SlowVenue, order: SlowOrder, limit: int) -> list[Place]:
        """The levels that an order may take, best first."""
        contra = 3 - order.side
        mine = [
            place
            for place in venue.shown()
            if place[:2] == (order.instrument, contra)
            and (limit == 0 or not better(contra, limit, place[2]) or limit == place[2])
        ]
        return sorted(mine, key=lambda place: place[2], reverse=contra == a.BUY)

    def is_pegged(self, venue: SlowVenue, order: SlowOrder) -> bool:
        """Whether it trades at the midpoint alone."""
        return venue.plan.model.dark or bool(order.flags & t.MIDPOINT)

    def why_no_trading(self, venue: SlowVenue, instrument: int) -> int:
        """Halted, closed, or neither."""
        status = venue.status.get(instrument, a.STATUS_UNKNOWN)
        if venue.plan.quotes < 0 or status == a.STATUS_TRADING:
            return y.NO_REASON
        stops = (a.STATUS_HALTED, a.STATUS_PAUSED, a.STATUS_QUOTING)
        return y.HALTED if status in stops else y.CLOSED

    def forget(self, venue: SlowVenue, order: SlowOrder) -> None:
        """An order is no longer among the resting ones."""
        venue.resting = [other for other in venue.resting if other is not order]
        order.rests = False

    # Trading.

    def fill(self, order: SlowOrder, shares: int, price: int, liquidity: int, now_ns: int) -> None:
        """Shares are executed."""
        self.executions += 1
        order.leaves -= shares
        order.executed += shares
        order.open = order.leaves > 0
        given = {"token": order.token, "quantity": shares, "price": price, "leaves": order.leaves}
        more = {"execution": self.executions, "liquidity": liquidity, "executed": order.executed}
        self.say(order.port, now_ns, kind=a.EXECUTED, **given, **more)

    def end(self, order: SlowOrder, shares: int, reason: int, now_ns: int) -> None:
        """Shares are canceled."""
        order.leaves -= shares
        order.open = order.leaves > 0
        given = {"token": order.token, "quantity": shares, "leaves": order.leaves}
        self.say(order.port, now_ns, kind=a.CANCELED, reason=reason, **given)
        if not order.open:
            self.forget(self.venues[order.port], order)

    def work(self, venue: SlowVenue, order: SlowOrder, now_ns: int) -> None:
        """An accepted order trades, then rests or ends."""
        pegged, ends = self.is_pegged(venue, order), order.tif in (t.IOC, t.FOK)
        if pegged:
            if order.tif == t.FOK:
                order.words["minimum"] = order.leaves
            if not order.flags & t.POST_ONLY:
                self.take_hidden(venue, order, now_ns)
            elif venue.plan.unseen is not None:  # a look begins the process
                self.process(venue, order.instrument, 3 - order.side, now_ns)
        else:
            self.take_shown(venue, order, now_ns)
        if not order.open:
            return
        if ends or (order.price == 0 and not pegged):
            reason = y.FOK_NOT_FILLED if order.tif == t.FOK else y.IOC_REMAINDER
            if pegged and self.national(order.instrument) is None:
                reason = y.NO_REFERENCE
            self.end(order, order.leaves, reason, now_ns)
        elif pegged:
            self.wait(venue, order, now_ns)
        else:
            self.queue(order, venue.shown())
            order.rests = True
            worse = [
                spot
                for spot, other in enumerate(venue.resting)
                if (other.instrument, other.side) == (order.instrument, order.side)
                and better(order.side, order.price, other.price)
            ]
            venue.resting.insert(min(worse, default=len(venue.resting)), order)

    def queue(self, order: SlowOrder, shown: dict[Place, int]) -> None:
        """To the back of its level."""
        place = (order.instrument, order.side, order.price)
        order.slice = min(order.leaves, order.shown) if order.shown else order.leaves
        order.ahead = 0 if order.flags & t.NOT_SHOWN else max(0, shown.get(place, 0))

    def take_shown(self, venue: SlowVenue, order: SlowOrder, now_ns: int) -> None:
        """What is displayed."""
        least = {t.FOK: order.leaves, t.IOC: min(order.minimum, order.leaves)}.get(order.tif, 0)
        levels = self.ladder(venue, order, order.price)
        if least > 0:
            found = 0
            for place in levels:
                found += self.available(venue, place, now_ns) if found < least else 0
            if found < least:
                return
        for place in levels:
            if not order.leaves:
                break
            shares = min(self.available(venue, place, now_ns), order.leaves)
            if shares:
                self.remember(venue, place, shares, now_ns)
                self.fill(order, shares, place[2], t.REMOVED, now_ns)

    # The midpoint.

    def process(self, venue: SlowVenue, instrument: int, side: int, now_ns: int) -> list[int]:
        """Next time, size and count of what waits on a side."""
        row = venue.processes.setdefault((instrument, side), [now_ns, 0, 0])
        skipped = 0
        while row[0] <= now_ns:
            first = row[2] == 0
            skipped += 0 if first else 1
            start = row[0] if skipped < 64 else now_ns
            row[2] += 1
            size, wait = self.draw(venue, 2 * instrument + side - 1, row[2])
            row[0], row[1] = start + wait, size
        return row

    def draw(self, venue: SlowVenue, place: int, count: int) -> tuple[int, int]:
        """A size and the time it stands, by splitmix64."""
        state = ((venue.number + 1) * 0x5851F42D4C957F2D) & MASK
        state ^= (place * 0x2545F4914F6CDD1D) & MASK
        state ^= (count * 0x1D8E4E27C47D124F) & MASK
        value = ((state ^ (self.seed * 0x9E3779B97F4A7C15)) + 0x9E3779B97F4A7C15) & MASK
        value = ((value ^ value >> 30) * 0xBF58476D1CE4E5B9) & MASK
        value = ((value ^ value >> 27) * 0x94D049BB133111EB) & MASK
        random = (value ^ value >> 31) >> 2
        unseen = venue.plan.unseen
        assert unseen is not None
        sizes, waits = unseen.size_table(), unseen.wait_table()
        return int(sizes[random % 1024]), int(waits[(random >> 10) % 1024])

    def take_hidden(self, venue: SlowVenue, order: SlowOrder, now_ns: int) -> None:
        """What waits unseen."""
        if venue.plan.unseen is None:
            return
        row = self.process(venue, order.instrument, 3 - order.side, now_ns)
        best = self.national(order.instrument)
        if best is None:
            return
        middle = (best[0] + best[1]) // 2 // 10_000 * 10_000
        if order.price and better(3 - order.side, order.price, middle) and order.price != middle:
            return
        shares = min(order.leaves, row[1])
        if shares and shares >= min(order.minimum, order.leaves):
            row[1] -= shares
            self.fill(order, shares, middle, t.AT_MIDPOINT, now_ns)

    def wait(self, venue: SlowVenue, order: SlowOrder, now_ns: int) -> None:
        """Until the next draw."""
        if venue.plan.unseen is None or order.waits:
            return
        row = self.process(venue, order.instrument, 3 - order.side, now_ns)
        order.waits = True
        self.at(row[0], lambda time_ns: self.renewed(venue, order, time_ns))

    def renewed(self, venue: SlowVenue, order: SlowOrder, now_ns: int) -> None:
        """A draw that an order waited for."""
        order.waits = False
        if order.open and self.why_no_trading(venue, order.instrument) == y.NO_REASON:
            self.take_hidden(venue, order, now_ns)
        if order.open:
            self.wait(venue, order, now_ns)
