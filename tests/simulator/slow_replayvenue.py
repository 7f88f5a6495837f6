"""Replayed venues once more in plain Python, as a judge: lists, dictionaries and a heap of events.

Latencies are constants here, tables are never full, and books are dictionaries of orders and
levels. The national best is what the test says it is.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

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


class SlowVenues:
    """All venues, by the same words as the kernels.

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

    def request(self, port: int, words: Words, now_ns: int) -> None:
        """A message leaves the router."""
        self.at(now_ns + self.ways[0], lambda time_ns: self.hear(port, words, time_ns))

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

    # Requests.

    def hear(self, port: int, words: Words, now_ns: int) -> None:
        """A message is at its venue."""
        old = self.tokens.get((port, words["old_token"]))
        if words["kind"] == y.ENTER:
            if (port, words["token"]) not in self.tokens:
                self.enter(port, words, now_ns)
        elif words["kind"] == y.REPLACE:
            self.replace(port, words, old, now_ns)
        else:
            self.cancel(port, words, now_ns)

    def refuse(self, port: int, words: Words, reason: int, now_ns: int) -> None:
        """Something is refused."""
        asked = words["kind"]
        venue = self.venues[port]
        if reason == y.UNKNOWN_ORDER and asked == y.CANCEL and venue.plan.rules & y.SILENT:
            return
        kind = a.REJECTED if asked == y.ENTER else a.CANCEL_REJECTED
        given = {"token": words["token"], "old_token": words["old_token"]}
        self.say(port, now_ns, kind=kind, reason=reason, **given)

    def why_refused(self, venue: SlowVenue, order: SlowOrder, now_ns: int) -> int:
        """The reason; the price of a post-only order may move."""
        price, pegged = order.price, self.is_pegged(venue, order)
        if not 1 <= order.instrument <= self.instruments:
            return y.UNKNOWN_INSTRUMENT
        if order.side not in (a.BUY, a.SELL):
            return y.BAD_SIDE
        if not 0 < order.leaves <= venue.plan.model.most_shares:
            return y.BAD_QUANTITY
        if price < 0 or (price and not pegged and price % self.tick(price)):
            return y.BAD_PRICE
        if (stopped := self.why_no_trading(venue, order.instrument)) != y.NO_REASON:
            return stopped
        if order.flags & t.POST_ONLY and not pegged:
            contra = 3 - order.side
            levels = self.ladder(venue, order, 0)
            best = next((p[2] for p in levels if self.available(venue, p, now_ns) > 0), 0)
            if best and (price == 0 or price == best or better(contra, best, price)):
                if venue.plan.post_only != "slide":
                    return y.WOULD_TAKE
                down = order.side == a.BUY
                slid = best - self.tick(best - 1) if down else best + self.tick(best)
                if slid <= 0:
                    return y.WOULD_TAKE
                order.words["price"] = slid
        return y.NO_REASON

    def why_no_trading(self, venue: SlowVenue, instrument: int) -> int:
        """Halted, closed, or neither."""
        status = venue.status.get(instrument, a.STATUS_UNKNOWN)
        if venue.plan.quotes < 0 or status == a.STATUS_TRADING:
            return y.NO_REASON
        stops = (a.STATUS_HALTED, a.STATUS_PAUSED, a.STATUS_QUOTING)
        return y.HALTED if status in stops else y.CLOSED

    def tick(self, price: int) -> int:
        """The usual ticks."""
        return 1_000_000 if price >= 100_000_000 else 10_000

    def is_pegged(self, venue: SlowVenue, order: SlowOrder) -> bool:
        """Whether it trades at the midpoint alone."""
        return venue.plan.model.dark or bool(order.flags & t.MIDPOINT)

    def enter(self, port: int, words: Words, now_ns: int) -> None:
        """A new order."""
        number, venue = len(self.orders) + 1, self.venues[port]
        order = SlowOrder(port, number, words["token"], dict(words), words["quantity"])
        reason = self.why_refused(venue, order, now_ns)
        if reason:
            self.refuse(port, words, reason, now_ns)
            return
        self.orders.append(order)
        self.tokens[port, order.token] = order
        self.say(port, now_ns, kind=a.ACCEPTED, token=order.token, price=order.price)
        self.work(venue, order, now_ns)

    def cancel(self, port: int, words: Words, now_ns: int) -> None:
        """A cancel."""
        order = self.tokens.get((port, words["token"]))
        if order is None or not order.open or order.token != words["token"]:
            self.refuse(port, words, y.UNKNOWN_ORDER, now_ns)
            return
        left = max(0, words["quantity"] - order.executed) if words["quantity"] else 0
        if left >= order.leaves:
            self.refuse(port, words, y.BAD_QUANTITY, now_ns)
            return
        order.slice = min(order.slice, left)
        self.end(order, order.leaves - left, y.BY_OWNER, now_ns)

    def replace(self, port: int, words: Words, order: SlowOrder | None, now_ns: int) -> None:
        """A replace."""
        venue = self.venues[port]
        if order is None or not order.open or order.token != words["old_token"]:
            self.refuse(port, words, y.UNKNOWN_ORDER, now_ns)
            return
        if (port, words["token"]) in self.tokens:
            self.refuse(port, words, y.DUPLICATE_TOKEN, now_ns)
            return
        if 0 < words["quantity"] <= order.executed:
            self.end(order, order.leaves, y.BY_OWNER, now_ns)
            return
        terms = {**order.words, "price": words["price"]}
        left = words["quantity"] - order.executed
        trial = SlowOrder(port, order.number, words["token"], terms, left)
        reason = self.why_refused(venue, trial, now_ns)
        if reason:
            self.refuse(port, words, reason, now_ns)
            return
        keeps = trial.price == order.price and left <= order.leaves
        keeps = keeps and venue.plan.model.size_down == "keeps"
        order.token, order.leaves, order.words = words["token"], left, terms
        order.words["quantity"] = words["quantity"]
        self.tokens[port, order.token] = order
        if keeps:
            order.slice = min(order.slice, left)
        else:
            self.forget(venue, order)
        old = words["old_token"]
        given = {"token": order.token, "old_token": old, "price": order.price, "leaves": left}
        self.say(port, now_ns, kind=a.REPLACED, **given)
        if not keeps:
            self.work(venue, order, now_ns)

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

    # The feed.

    def packet(self, number: int, actions: list[Action], now_ns: int) -> None:
        """A packet of a market venue, then its book."""
        mine = [venue for venue in self.venues if venue.plan.quotes == number]
        for venue in mine:
            shown, fresh = venue.shown(), set[int]()
            book = {order_id: list(row) for order_id, row in venue.orders.items()}
            for action in actions:
                self.act(venue, shown, book, fresh, action, now_ns)
            self.apply(venue, actions)

    def act(
        self,
        venue: SlowVenue,
        shown: dict[Place, int],
        book: dict[int, list[int]],
        fresh: set[int],
        action: Action,
        now_ns: int,
    ) -> None:
        """What one action means to us. `shown`: shares from before the packet that still stand."""
        kind, shares, order_id = action["kind"], action.get("quantity", 0), action.get("id", 0)
        if kind == a.TRADE:
            self.traded(
                venue, shown, (action["instrument"], 0, action["price"]), shares, False, now_ns
            )
        elif kind == a.ADD:
            place = (action["instrument"], action["side"], action["price"])
            book[order_id] = [*place, shares]
            fresh.add(order_id)
            self.entered(venue, shown, place, shares, now_ns)
        elif kind == a.LEVEL:
            place = (action["instrument"], action["side"], action["price"])
            more = shares - venue.levels.get(place, 0)
            if more < 0:
                self.left(venue, shown, place, -more, now_ns)
            elif more > 0:
                self.entered(venue, shown, place, more, now_ns)
        elif order_id in book:
            instrument, side, price, had = book[order_id]
            place, new = (instrument, side, price), order_id in fresh
            book[order_id][3] -= shares if kind in (a.EXECUTE, a.REDUCE) else had
            if kind == a.EXECUTE:
                if not new:
                    self.went(venue, place, shares)
                self.traded(venue, shown, place, shares, new, now_ns)
            elif not new:
                self.left(venue, shown, place, shares if kind == a.REDUCE else had, now_ns)
            if kind == a.REPLACE:
                moved = (instrument, side, action["price"])
                book[action["new_id"]] = [*moved, shares]
                fresh.add(action["new_id"])
                self.entered(venue, shown, moved, shares, now_ns)

    def went(self, venue: SlowVenue, place: Place, shares: int) -> None:
        """Shares that left the feed were ours first."""
        if place in venue.taken:
            venue.taken[place][0] -= shares
            if venue.taken[place][0] <= 0:
                del venue.taken[place]

    def left(
        self, venue: SlowVenue, shown: dict[Place, int], place: Place, shares: int, now_ns: int
    ) -> None:
        """Displayed shares are gone without a trade."""
        self.went(venue, place, shares)
        before = shown.get(place, 0)
        shown[place] = before - shares
        for order in self.queued(venue, place):
            order.ahead = max(0, min(order.ahead, before))
            if before > 0:
                passed = order.ahead * shares // before
                part = round(venue.plan.cancels_ahead * 1024)
                order.ahead = max(0, order.ahead - (passed * part >> 10))
            order.ahead = min(order.ahead, max(0, shown[place]))

    def queued(self, venue: SlowVenue, place: Place) -> list[SlowOrder]:
        """Displayed orders of ours at a level."""
        return [
            order
            for order in venue.resting
            if (order.instrument, order.side, order.price) == place
            and not order.flags & t.NOT_SHOWN
        ]

    def behind(self, order: SlowOrder, shown: dict[Place, int], shares: int, new: bool) -> int:
        """How many of some shares that trade at its price are not ahead of an order."""
        place = (order.instrument, order.side, order.price)
        hidden = order.flags & t.NOT_SHOWN
        order.ahead = 0 if new else min(order.ahead, 0 if hidden else max(0, shown.get(place, 0)))
        passed = min(order.ahead, shares)
        order.ahead -= passed
        return shares - passed

    def traded(
        self,
        venue: SlowVenue,
        shown: dict[Place, int],
        place: Place,
        shares: int,
        new: bool,
        now_ns: int,
    ) -> None:
        """Shares traded, of a side or (0) of nobody knows which."""
        (instrument, side, price), used = place, 0
        leaves_level = side != 0 and not new
        later = dict(shown)
        if leaves_level:
            later[place] = shown.get(place, 0) - shares
        for order in list(venue.resting):
            if order.instrument != instrument or side not in (0, order.side):
                continue
            if better(order.side, order.price, price):
                self.rest_fill(venue, later, order, order.leaves, now_ns)
            elif order.price == price and not (side and order.flags & t.NOT_SHOWN):
                free = self.behind(order, shown, shares, new)
                if leaves_level:
                    order.ahead = min(order.ahead, max(0, later[place]))
                used += self.rest_fill(venue, later, order, max(0, free - used), now_ns)
        shown.update(later)

    def entered(
        self, venue: SlowVenue, shown: dict[Place, int], place: Place, shares: int, now_ns: int
    ) -> None:
        """Shares are displayed anew and may meet us."""
        instrument, side, price = place
        used = 0
        for order in list(venue.resting):
            mine = (order.instrument, order.side) == (instrument, 3 - side)
            if not mine or used >= shares:
                continue
            if order.price == price or better(order.side, order.price, price):
                free = self.behind(order, shown, shares, False)
                done = self.rest_fill(venue, shown, order, max(0, free - used), now_ns)
                if done:
                    self.remember(venue, place, done, now_ns)
                used += done

    def rest_fill(
        self, venue: SlowVenue, shown: dict[Place, int], order: SlowOrder, shares: int, now_ns: int
    ) -> int:
        """Up to so many shares of a resting order trade."""
        done = 0
        liquidity = t.ADDED_HIDDEN if order.flags & t.NOT_SHOWN else t.ADDED
        while done < shares and order.open:
            part = min(shares - done, order.slice)
            order.slice -= part
            self.fill(order, part, order.price, liquidity, now_ns)
            done += part
            if order.open and order.slice == 0:
                self.queue(order, shown)
                if order.ahead > 0:
                    break
        if not order.open:
            self.forget(venue, order)
        return done

    def apply(self, venue: SlowVenue, actions: list[Action]) -> None:
        """The book takes a packet."""
        for action in actions:
            kind, shares, order_id = action["kind"], action.get("quantity", 0), action.get("id", 0)
            if kind == a.ADD:
                place = [action["instrument"], action["side"], action["price"], shares]
                venue.orders[order_id] = place
            elif kind == a.LEVEL:
                level = (action["instrument"], action["side"], action["price"])
                venue.levels[level] = shares
                if not shares:
                    del venue.levels[level]
            elif kind == a.STATUS:
                venue.status[action["instrument"]] = action["status"]
            elif order_id in venue.orders:
                row: Any = venue.orders[order_id]
                if kind in (a.EXECUTE, a.REDUCE):
                    row[3] -= shares
                if kind == a.REPLACE:
                    venue.orders[action["new_id"]] = [row[0], row[1], action["price"], shares]
                if kind in (a.DELETE, a.REPLACE) or row[3] <= 0:
                    del venue.orders[order_id]
