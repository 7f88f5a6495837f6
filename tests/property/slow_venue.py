"""A whole venue in plain Python: what the venue itself does to its books, and the way in."""

from __future__ import annotations

from slow_commands import AUCTIONS, OwnersCommands
from slow_matching import PEGS, Book, Order

from feedhandler import actions as a
from simulator.matching import records as r
from simulator.matching.layout import MOST_PRICE

Command = dict[str, int]


def usable(price: int, instead: int) -> int:
    """A price that was given, or what stands for none."""
    return price if 0 < price < MOST_PRICE else instead


class SlowVenue(OwnersCommands):
    """As `simulator.matching.venue.Exchange`; `out` has all records since the start."""

    def submit(self, command: Command) -> None:
        """Works on one command."""
        self.out.now = command["time_ns"]
        kind, book = command["kind"], self.books.get(command["instrument"])
        if kind == r.NEW:
            self._enter(command)
        elif kind in (r.CANCEL, r.REPLACE):
            self._change(command)
        elif kind == r.MASS_CANCEL:
            self._cancel_all(command, 0, r.BY_MASS_CANCEL)
        elif kind == r.DISCONNECT:
            self._cancel_all(command, r.CANCEL_ON_DISCONNECT, r.BY_DISCONNECT)
        elif kind == r.SESSION:
            self._session(command["flags"] & 0xFF)
        elif book is not None:
            self._on_book(book, command)
        self._forget()

    def _forget(self) -> None:
        for book in self.books.values():
            for order in book.ended:
                del self.orders[order.owner, order.token]
            book.ended.clear()

    def _on_book(self, book: Book, command: Command) -> None:
        kind, flags = command["kind"], command["flags"] & 0xFF
        if kind == r.REFERENCE:
            book.bid, book.offer = usable(command["price"], 0), usable(command["cap"], 0)
            if book.trades:
                self._pegs_back(book)
                self._pegs_ahead(book)
        elif kind == r.BANDS:
            self._bands(book, command)
        elif kind == r.RESUME:
            self._open(book, 0, 0, book.status)
        elif kind == r.AUCTION:
            self._open(book, flags, command["price"], book.status)
        elif kind == r.HALT:
            book.status = a.STATUS_HALTED if flags in (0, a.STATUS_TRADING) else flags
            self.out.tell(a.STATUS, book.instrument, aux=book.status)

    # The reference and the bands.

    def _pegs(self, book: Book) -> list[Order]:
        return [o for o in book.beside if o.type in PEGS and not o.invitation]

    def _pegs_back(self, book: Book) -> None:
        for order in self._pegs(book):
            price = self._peg_price(book, order)
            if order in book.standing and (not price or order.beyond(order.price, price)):
                self._move_back(book, order, price)

    def _pegs_ahead(self, book: Book) -> None:
        for order in self._pegs(book):
            price = self._peg_price(book, order)
            moves = order not in book.standing or price != order.price
            if order.leaves and price and moves:
                self._move_ahead(book, order, price)

    def _move_back(self, book: Book, order: Order, price: int) -> None:
        book.leave(order)
        order.price = price
        self.out.report(r.RESTATED, order, order.leaves, r.REPRICED)
        if price:
            self._place(book, order)
        else:
            self._hide(order)

    def _move_ahead(self, book: Book, order: Order, price: int) -> None:
        book.leave(order)
        order.price = price
        self.out.report(r.RESTATED, order, order.leaves, r.REPRICED)
        if self._would_take(book, order):
            self._hide(order)
            self._take(book, order)
        if order.leaves:
            self._rest(book, order)
        else:
            book.end(order)

    def _bands(self, book: Book, command: Command) -> None:
        book.lower = usable(command["price"], 0)
        book.upper = usable(command["cap"], MOST_PRICE)
        told = {"price": book.lower or a.NO_PRICE, "aux": book.upper}
        if book.upper == MOST_PRICE:
            told["aux"] = a.NO_PRICE
        self.out.tell(a.BANDS, book.instrument, **told)
        self._pegs_back(book)
        for side, band in ((a.BUY, book.upper), (a.SELL, book.lower)):
            for order in book.queue(side):
                if order.beyond(order.price, band):
                    price = self.passive(band, order.buys)
                    if self.model.bands == "slide" and price > 0:
                        self._move_back(book, order, price)
                    else:
                        book.drop(order, r.OUTSIDE_BANDS, self.out)
        if book.trades:
            self._pegs_ahead(book)

    # Auctions.

    def _open(self, book: Book, kind: int, given: int, told: int) -> None:
        mine = [o for o in book.beside if o.time_in_force == kind] if kind in AUCTIONS else []
        for order in mine:
            order.waits = not order.unseen
            order.arrival = order.arrival[0], 1 << 60  # behind those of the same moment
            book.standing.append(order)
        reference = self._auction_reference(book, given)
        price, shares, left = self._clear(book, reference)
        if shares:
            side = 0 if left == 0 else a.BUY if left > 0 else a.SELL
            more = {"order_id": abs(left), "price": reference, "quantity": shares, "aux": price}
            self.out.tell(a.AUCTION, book.instrument, side, **more)
            self._cross(book, price, shares)
        for order in mine:
            if order.leaves:
                book.drop(order, r.NO_LIQUIDITY, self.out)
        book.status = a.STATUS_TRADING
        if told != a.STATUS_TRADING:
            self.out.tell(a.STATUS, book.instrument, aux=a.STATUS_TRADING)
        for order in [*book.queue(a.BUY), *book.queue(a.SELL)]:
            if order.waits:
                order.waits = False
                book.show(order, self.out)
        self._pegs_back(book)
        self._pegs_ahead(book)

    def _auction_reference(self, book: Book, given: int) -> int:
        price = book.last
        if given > 0:
            price = given
        elif book.bid and book.bid <= book.offer:
            price = (book.bid + book.offer) // 2
        return self.passive(price, True)

    def _clear(self, book: Book, reference: int) -> tuple[int, int, int]:
        """Price, shares and what is left of demand, by trying every price there is."""
        orders = [order for order in book.standing if not order.minimum]
        tried = {order.price for order in orders} | {reference, book.lower, book.upper}
        found = []
        for price in tried:
            if not max(book.lower, 2) <= price <= book.upper or price >= MOST_PRICE:
                continue
            demand = sum(o.leaves for o in orders if o.buys and o.price >= price)
            supply = sum(o.leaves for o in orders if not o.buys and o.price <= price)
            near = abs(price - reference) if reference else 0
            shares, left = min(demand, supply), demand - supply
            if shares:
                found.append((-shares, abs(left), near, price, left))
        if not found:
            return 0, 0, 0
        shares, _, _, price, left = min(found)
        return price, -shares, left

    def _cross(self, book: Book, price: int, shares: int) -> None:
        left = shares
        while left:
            pair = [self._first(book, side) for side in (a.BUY, a.SELL)]
            part, trade = min(left, *(order.leaves for order in pair)), self.out.trade()
            for order in pair:
                self._execute(book, order, price, part, trade)
            left -= part
        book.last, trade = price, self.out.trade()
        flags = a.CROSS | self.out.odd(shares)
        more = {"price": price, "quantity": shares, "aux": trade}
        self.out.tell(a.TRADE, book.instrument, flags=flags, **more)

    def _first(self, book: Book, side: int) -> Order:
        return next(order for order in book.queue(side) if not order.minimum)

    def _execute(self, book: Book, order: Order, price: int, shares: int, trade: int) -> None:
        part = min(order.shown, shares)
        order.leaves -= shares
        order.shown -= part
        if part:
            flags = a.CROSS | a.NOT_PRINTABLE | self.out.odd(part)
            terms = {"price": price, "quantity": part, "aux": trade}
            self.out.told(a.EXECUTE_PRICE, order, flags=flags, **terms)
        self.out.fill(order, r.CROSSED, price, shares, trade)
        if not order.leaves:
            book.end(order)
        elif part and not order.shown:
            order.waits, order.reference = True, 0
            book.to_back(order, self.out)

    # All orders at once.

    def _cancel_all(self, c: Command, flags: int, reason: int) -> None:
        books = [book for n, book in self.books.items() if c["instrument"] in (0, n)]
        for book in books if c["owner"] else []:
            for order in self._all(book):
                if order.owner == c["owner"] and (not flags or order.flags & flags):
                    book.drop(order, reason, self.out)

    def _all(self, book: Book) -> list[Order]:
        """Bids, offers, then what is in no ladder."""
        rest = [order for order in book.beside if order not in book.standing]
        return [*book.queue(a.BUY), *book.queue(a.SELL), *rest]

    def _session(self, status: int) -> None:
        self.out.tell(a.STATUS, 0, flags=a.ALL, aux=status)
        for book in self.books.values():
            if status == a.STATUS_TRADING:
                self._open(book, 0, 0, status)
            book.status = status
        if status == a.STATUS_CLOSED:
            for book in self.books.values():
                for order in self._all(book):
                    book.drop(order, r.END_OF_DAY, self.out)
