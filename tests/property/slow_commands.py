"""The commands of owners in plain Python, over the books of `slow_matching`."""

from __future__ import annotations

from typing import Any

from slow_matching import PEGS, Book, Order, Out

from feedhandler import actions as a
from simulator.matching import records as r
from simulator.matching.layout import MOST_PRICE
from simulator.matching.model import STP_MODES, VenueModel

HALTS = (a.STATUS_HALTED, a.STATUS_PAUSED)
AUCTIONS = r.OPENING, r.CLOSING  # for an auction
Command = dict[str, int]


class Refused(Exception):
    """A command is rejected; its argument is the reason."""


class OwnersCommands:
    """The part of `slow_venue.SlowVenue` that owners move: new orders, cancels, replaces."""

    def __init__(
        self,
        model: VenueModel,
        instruments: int,
        orders: int,
        *,
        slices: int | None = None,
        owners: int = 4096,
        status: int = a.STATUS_TRADING,
    ) -> None:
        self.model, self.out = model, Out(model)
        self.room, self.owners = orders, owners
        self.slice_room = orders if slices is None else slices
        self.books = {n: Book(n, status) for n in range(1, instruments + 1)}
        self.orders: dict[tuple[int, int], Order] = {}

    # Prices.

    def tick(self, price: int) -> int:
        """The tick at a price."""
        return [band.tick for band in self.model.ticks if band.from_price <= max(price, 0)][-1]

    def passive(self, price: int, buys: bool) -> int:
        """On a tick, away from the market."""
        tick = self.tick(price)
        return price // tick * tick if buys else -(-price // tick) * tick

    def one_away(self, price: int, buys: bool) -> int:
        """The next tick that does not reach a price."""
        return self.passive(price - 1, True) if buys else self.passive(price + 1, False)

    def _reference(self, book: Book, order: Order) -> int:
        if order.type == r.MIDPOINT_PEG:
            usable = book.bid and book.bid <= book.offer
            return (book.bid + book.offer) // 2 if usable else 0
        national = book.bid if order.buys else book.offer
        return max(0, self.passive(national + order.offset, order.buys)) if national else 0

    def _peg_price(self, book: Book, order: Order) -> int:
        price = self._reference(book, order)
        limits = [(order.cap, order.cap)] if order.cap else []
        band = book.upper if order.buys else book.lower
        limits.append((band, 0 if self.model.dark else self.passive(band, order.buys)))
        for limit, instead in limits:
            if price and order.beyond(price, limit):
                price = 0 if self.model.dark else instead
        return price

    def _set_price(self, book: Book, order: Order) -> None:
        for_auction = order.time_in_force in AUCTIONS
        band = book.upper if order.buys else book.lower
        if order.type in PEGS:
            order.price = self._peg_price(book, order)
        elif order.type == r.MARKET:
            order.price = max(1, band)
            if for_auction:
                order.price = MOST_PRICE if order.buys else 1
        elif order.beyond(order.price, band) and not for_auction:
            order.price = self.passive(band, order.buys) if self.model.bands == "slide" else 0
            if order.price <= 0:
                raise Refused(r.OUTSIDE_BANDS)
        if order.flags & r.POST_ONLY and not for_auction and order.price and book.trades:
            found = book.partner(order)
            if found is not None:
                away = self.one_away(found.price, order.buys)
                if not order.flags & r.SLIDE or order.type != r.LIMIT or away <= 0:
                    raise Refused(r.WOULD_TAKE)
                order.price = away

    # New orders.

    def _shows(self, kind: int, tif: int) -> bool:
        return tif == r.DAY and kind in (r.LIMIT, r.PRIMARY_PEG) and not self.model.dark

    def _check_terms(self, c: Command, kind: int, tif: int, flags: int) -> None:
        quantity, display, minimum = c["quantity"], c["display"], c["minimum"]
        shows, hidden = self._shows(kind, tif), bool(flags & r.HIDDEN)
        if not 0 < quantity <= self.model.most_shares:
            raise Refused(r.BAD_QUANTITY)
        if display < 0 or not 0 <= minimum <= quantity:
            raise Refused(r.BAD_QUANTITY)
        if minimum and (tif in AUCTIONS or (shows and not hidden)):
            raise Refused(r.BAD_TYPE)
        if display and shows and hidden:
            raise Refused(r.BAD_TYPE)
        if display and shows and display < min(quantity, self.model.round_lot):
            raise Refused(r.BAD_QUANTITY)
        price, cap = c["price"], 0 if c["cap"] == a.NO_PRICE else c["cap"]
        if kind == r.LIMIT and not self._on_tick(price):
            raise Refused(r.BAD_PRICE)
        if kind in PEGS and cap and not self._on_tick(cap):
            raise Refused(r.BAD_PRICE)
        if kind == r.PRIMARY_PEG and not -MOST_PRICE < price < MOST_PRICE:
            raise Refused(r.BAD_PRICE)

    def _on_tick(self, price: int) -> bool:
        return 0 < price < MOST_PRICE and price % self.tick(price) == 0

    def _check_kind(self, c: Command) -> None:
        kind, tif, flags, model = c["type"], c["time_in_force"], c["flags"], self.model
        mode = (flags >> r.STP_SHIFT) & 7
        modes = {STP_MODES.index(name) for name in model.self_trade} | {0}
        bad = c["side"] not in (a.BUY, a.SELL) or not r.LIMIT <= kind <= r.PRIMARY_PEG
        bad |= tif > r.CLOSING or mode not in modes
        bad |= bool(flags & r.POST_ONLY) and (tif in (r.IOC, r.FOK) or kind == r.MARKET)
        bad |= bool(flags & r.RETAIL) and not model.retail
        conditional = model.kind == "conditional" and tif == r.DAY and kind != r.MARKET
        bad |= bool(flags & r.CONDITIONAL) and not conditional
        bad |= tif in AUCTIONS and (kind in PEGS or model.dark or not model.auctions)
        bad |= kind == r.PRIMARY_PEG and model.dark
        if bad:
            raise Refused(r.BAD_TYPE)

    def _check_now(self, book: Book, kind: int, tif: int, flags: int) -> None:
        if book.status == a.STATUS_CLOSED:
            raise Refused(r.CLOSED)
        if book.trades or tif in AUCTIONS:
            return
        if book.status in HALTS and self.model.halts == "cancel_only":
            raise Refused(r.HALTED)
        if tif != r.DAY or kind != r.LIMIT or flags & r.CONDITIONAL or self.model.dark:
            raise Refused(r.HALTED)

    def _set_terms(self, order: Order, c: Command, kind: int) -> None:
        cap = 0 if c["cap"] == a.NO_PRICE else c["cap"]
        if self.model.dark and kind != r.MIDPOINT_PEG:
            cap = c["price"] if kind == r.LIMIT else 0
        order.leaves, order.price, order.offset = c["quantity"], c["price"], c["price"]
        order.display, order.cap = c["display"], cap
        order.minimum = 0 if order.time_in_force == r.FOK else c["minimum"]
        shows = self._shows(kind, order.time_in_force)
        order.reserved = shows and 0 < order.display < order.leaves
        order.slices = (order.leaves - 1) // order.display if order.reserved else 0

    def _new_order(self, c: Command) -> Order:
        names = ("instrument", "owner", "token", "side", "type", "time_in_force", "flags", "group")
        order = Order(*(c[name] for name in names), price=0, leaves=0)
        self._set_terms(order, c, order.type)
        order.invitation = bool(order.flags & r.CONDITIONAL)
        if self.model.dark:
            if order.type == r.MARKET and order.time_in_force == r.DAY:
                order.time_in_force = r.IOC
            order.type = r.MIDPOINT_PEG
        order.unseen = bool(order.flags & r.HIDDEN) or order.type == r.MIDPOINT_PEG
        return order

    def _admit(self, c: Command) -> Order:
        if c["instrument"] not in self.books:
            raise Refused(r.UNKNOWN_INSTRUMENT)
        if not 1 <= c["owner"] < self.owners:
            raise Refused(r.RISK)
        if c["flags"] & r.REFUSE:
            raise Refused(r.THROTTLED)
        kind, tif, flags = c["type"], c["time_in_force"], c["flags"]
        book = self.books[c["instrument"]]
        self._check_kind(c)
        self._check_terms(c, kind, tif, flags)
        self._check_now(book, kind, tif, flags)
        if (c["owner"], c["token"]) in self.orders:
            raise Refused(r.DUPLICATE_TOKEN)
        order = self._new_order(c)
        slices = order.slices + sum(other.slices for other in self.orders.values())
        if len(self.orders) >= self.room or slices > self.slice_room:
            raise Refused(r.BOOK_FULL)
        self._set_price(book, order)
        return order

    def _enter(self, c: Command) -> None:
        try:
            order = self._admit(c)
        except Refused as refused:
            self._refuse(c, r.REJECTED, refused.args[0], c["token"], c["quantity"], 0)
            return
        order.number = order.reference = self.out.number()
        self.orders[order.owner, order.token] = order
        self.out.report(r.ACCEPTED, order, order.leaves)
        self._begin(self.books[order.instrument], order)

    def _refuse(
        self, c: Command, kind: int, reason: int, token: int, quantity: int, aux: int
    ) -> None:
        self.out.sequence += 1
        names = (c["flags"], c["instrument"], c["owner"], self.out.now, token, 0)
        last = (c["price"], quantity, 0, aux, 0, self.out.sequence)
        self.out.reports.append((kind, c["side"], reason, 0, *names, *last))

    # An order at work.

    def _begin(self, book: Book, order: Order) -> None:
        self._hide(order)
        if order.invitation:
            book.beside.append(order)
            self._invite(book, order)
        elif order.time_in_force in AUCTIONS:
            order.arrival = self.out.sequence, 0
            book.beside.append(order)
        elif book.trades:
            self._work(book, order)
        else:
            if order.type in PEGS:
                book.beside.append(order)
            if order.price:
                self._place(book, order)

    def _hide(self, order: Order) -> None:
        if order.shown:
            self.out.told(a.DELETE, order)
            order.shown = order.reference = 0

    def _away(self, book: Book, order: Order) -> int:
        if not self.model.protect or order.flags & r.SWEEP or order.type in PEGS:
            return 0
        national = book.offer if order.buys else book.bid
        own = [o.price for o in book.shown(a.SELL if order.buys else a.BUY)]
        better = national and (not own or order.beyond(own[0], national))
        return national if better and not order.beyond(national, order.price) else 0

    def _least(self, order: Order) -> int:
        return order.leaves if order.time_in_force == r.FOK else order.least

    def _would_take(self, book: Book, order: Order) -> bool:
        if not order.price or book.partner(order) is None:
            return False
        return book.reach(order, self.out) >= order.least

    def _take(self, book: Book, order: Order) -> None:
        least = self._least(order)
        if order.price and (not least or book.reach(order, self.out) >= least):
            book.take(order, self.out)

    def _work(self, book: Book, order: Order) -> None:
        away = self._away(book, order)
        if away:
            order.price = away
        self._take(book, order)
        if not order.leaves:
            book.end(order)
            return
        stays = order.time_in_force == r.DAY and order.type != r.MARKET
        price = self.one_away(away, order.buys) if away else order.price
        if not stays or (away and price <= 0):
            book.drop(order, self._end_reason(order), self.out)
            return
        if away:
            order.price = price
            self.out.report(r.RESTATED, order, order.leaves, r.REPRICED)
        self._rest(book, order)

    def _end_reason(self, order: Order) -> int:
        if order.time_in_force == r.FOK:
            return r.FOK_NOT_FILLED
        if order.type == r.MARKET:
            return r.NO_LIQUIDITY
        return r.IOC_REMAINDER if order.price else r.NO_REFERENCE

    def _rest(self, book: Book, order: Order) -> None:
        if order.type in PEGS and order not in book.beside:
            book.beside.append(order)
        if order.price:
            self._place(book, order)
        if order.type in PEGS and self.model.kind == "conditional":
            self._invite(book, order)

    def _place(self, book: Book, order: Order) -> None:
        """Into the ladder: shown, or to be shown when it trades again."""
        if not book.trades:
            self._hide(order)
            order.waits = not order.unseen
            book.stand(order, self.out)
            return
        book.stand(order, self.out)
        if order.unseen:
            return
        if not order.shown:
            book.show(order, self.out)
            return
        before = order.reference
        order.shown = min(order.leaves, order.display) if order.reserved else order.leaves
        terms = {"price": order.price, "quantity": order.shown}
        if self.model.references == "kept":
            self.out.told(a.MODIFY, order, **terms)
            return
        order.reference = order.number if order.number > before else self.out.number()
        self.out.told(a.REPLACE, order, order_id=before, aux=order.reference, **terms)

    # Invitations.

    def _invite(self, book: Book, order: Order) -> None:
        price = self._reference(book, order)
        if not price or (order.cap and order.beyond(price, order.cap)):
            return
        for other in book.beside:
            shares = min(order.leaves, other.leaves)
            meets = other.side != order.side and not (other.cap and other.beyond(price, other.cap))
            meets = meets and not (order.group and order.group == other.group)
            meets = meets and shares >= max(order.least, other.least)
            if meets and self._free(other, order.invitation):
                for each in (other, order):
                    if each.invitation:
                        each.price, each.invited_ns = price, self.out.now
                        self.out.report(r.INVITED, each, shares)
                return

    def _free(self, order: Order, invited: bool) -> bool:
        if not order.invitation:
            return invited and order.type == r.MIDPOINT_PEG
        held = self.out.now - order.invited_ns < self.model.firm_up_ns
        return not (order.invited_ns and held)

    # Cancels and replaces.

    def _change(self, c: Command) -> None:
        order = self.orders.get((c["owner"], c["target"]))
        try:
            if order is None:
                raise Refused(r.UNKNOWN_ORDER)
            if c["flags"] & r.REFUSE:
                raise Refused(r.THROTTLED)
            book = self.books[order.instrument]
            if c["kind"] == r.CANCEL:
                self._cancel(book, order, c)
            else:
                self._replace(book, order, c)
        except Refused as refused:
            self._refuse(c, r.CANCEL_REJECTED, refused.args[0], c["target"], 0, c["token"])

    def _cancel(self, book: Book, order: Order, c: Command) -> None:
        if c["quantity"] == 0:
            book.drop(order, r.BY_OWNER, self.out)
            return
        if not 0 < c["quantity"] < order.leaves:
            raise Refused(r.BAD_QUANTITY)
        less, order.leaves = order.leaves - c["quantity"], c["quantity"]
        book.show_less(order, self.out)
        self.out.report(r.CANCELED, order, less, r.BY_OWNER)

    def _replace(self, book: Book, order: Order, c: Command) -> None:
        kind = order.type
        if self.model.dark and c["type"] == r.LIMIT:
            kind = r.LIMIT
        self._check_terms(c, kind, order.time_in_force, order.flags)
        self._check_now(book, kind, order.time_in_force, order.flags)
        if (order.owner, c["token"]) in self.orders:
            raise Refused(r.DUPLICATE_TOKEN)
        before: dict[str, Any] = dict(vars(order))
        self._set_terms(order, c, kind)
        order.invitation = order.invitation and not c["flags"] & r.FIRM_UP
        order.invited_ns = 0
        try:
            if sum(other.slices for other in self.orders.values()) > self.slice_room:
                raise Refused(r.BOOK_FULL)
            self._set_price(book, order)
        except Refused:
            vars(order).update(before)
            raise
        del self.orders[order.owner, order.token]
        old, order.token = order.token, c["token"]
        self.orders[order.owner, order.token] = order
        same = (order.price, order.display) == (before["price"], before["display"])
        smaller = same and order.leaves <= before["leaves"] and order in book.standing
        if smaller and self.model.size_down == "keeps":
            order.reserved = before["reserved"]
            self._shrink(book, order, old)
        else:
            self._move(book, order, old)

    def _shrink(self, book: Book, order: Order, old: int) -> None:
        if order.shown > order.leaves and self.model.references == "kept":
            order.shown = order.leaves
            terms = {"price": order.price, "quantity": order.shown}
            self.out.told(a.MODIFY, order, flags=a.KEEPS_PRIORITY, **terms)
        book.show_less(order, self.out)
        self.out.report(r.REPLACED, order, order.leaves, aux=old)

    def _move(self, book: Book, order: Order, old: int) -> None:
        book.leave(order)
        if order in book.beside:
            book.beside.remove(order)
        order.waits = False
        if self.model.references == "new":
            order.number = self.out.number()
        self.out.report(r.REPLACED, order, order.leaves, aux=old)
        quiet = order.shown and order.price and book.trades and not self._would_take(book, order)
        if quiet and not self._away(book, order):
            if order.type in PEGS:
                book.beside.append(order)
            self._place(book, order)
        else:
            self._begin(book, order)
