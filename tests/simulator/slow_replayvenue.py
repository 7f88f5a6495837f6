"""Replayed venues once more in plain Python, as a judge: what they hear, what feeds tell them."""

from __future__ import annotations

from typing import Any

from slow_replaytrading import Action, Place, SlowOrder, SlowTrading, SlowVenue, Words, better

from feedhandler import actions as a
from router import tables as t
from simulator.replay import layout as y


class SlowVenues(SlowTrading):
    """All venues, by the same words as the kernels."""

    def request(self, port: int, words: Words, now_ns: int) -> None:
        """A message leaves the router."""
        self.at(now_ns + self.ways[0], lambda time_ns: self.hear(port, words, time_ns))

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

    def tick(self, price: int) -> int:
        """The usual ticks."""
        return 1_000_000 if price >= 100_000_000 else 10_000

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
