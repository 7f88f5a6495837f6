"""A CME channel as its three multicasts say it: increments, the loop of snapshots, of definitions.

A slow model of an exchange, for tests and rehearsals: random changes of the books of some
securities, said with the same tables that the decoder reads. What is sent is given as datagrams, in
order; who sends them, and which are lost, is the caller's.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from typing import Final

from feedhandler.feed import Feed
from feedhandler.transports.packets import write_packet
from feedhandler.wire.record import Value, Values
from simulator.services.cmebooks import CHANGE, DELETE, NEW, CmeBook, CmeOrder

END_OF_EVENT: Final = 0x80
TICK: Final = 250_000_000  # 9 decimals
DISPLAY_FACTOR: Final = 10_000_000  # 0.01
PRICES: Final = 14  # prices a side that levels and orders are at
MIDDLE: Final = 5_000
TRADING: Final = 17
MANY_ORDERS: Final = 10  # from so many on they become fewer again
FIRST_SECURITY: Final = 170_001
SNAPSHOTS, DEFINITIONS = "snapshots", "definitions"
NULL_MATURITY: Final = {"day": 255, "week": 255}


def definition_of(feed: Feed, book: CmeBook, total: int, time_ns: int) -> bytes:
    """The definition of a security."""
    return feed.protocol[54].encode(
        {
            "match_event_indicator": END_OF_EVENT,
            "tot_num_reports": total,
            "security_update_action": "A",
            "last_update_time": time_ns,
            "md_security_trading_status": book.state,
            "security_exchange": "XCME",
            "security_group": "ES",
            "asset": "ES",
            "symbol": book.symbol,
            "security_id": book.security,
            "security_type": "FUT",
            "year": 2026,
            "month": 12,
            **NULL_MATURITY,
            "currency": "USD",
            "min_price_increment": TICK,
            "display_factor": DISPLAY_FACTOR,
            "feed_types": [
                {"md_feed_type": "GBX", "market_depth": 10},
                {"md_feed_type": "GBI", "market_depth": 2},
            ],
        }
    )


class CmeChannel:
    """See the module.

    Args:
        feed: `cme_mdp3` for books by price, `cme_mdp3_orders` for books by order.
        seed: of all that happens.
        securities: how many there are.
        time_ns: of the first packet.
        chunk_orders: orders in a chunk of a snapshot by order.

    Attributes:
        books: by security.
        sequence: of the last packet.
        time_ns: of the last packet.
    """

    def __init__(
        self, feed: Feed, seed: str, *, securities: int, time_ns: int, chunk_orders: int = 3
    ) -> None:
        self.feed, self.chance = feed, random.Random(seed)
        self.by_order = feed.name.endswith("orders")
        self.chunk_orders, self.sequence, self.time_ns = chunk_orders, 0, time_ns
        self.books: dict[int, CmeBook] = {}
        self._orders = 0
        for _ in range(securities):
            self._list()

    def _list(self) -> CmeBook:
        number = len(self.books)
        book = CmeBook(FIRST_SECURITY + 37 * number, f"ES{'HMUZ'[number % 4]}{number}")
        self.books[book.security] = book
        return book

    # The incremental channel.

    def packet(self, *messages: bytes) -> bytes:
        """The next packet."""
        self.sequence += 1
        return self._packet(self.sequence, *messages)

    def _packet(self, sequence: int, *messages: bytes) -> bytes:
        self.time_ns += self.chance.randrange(1_000, 200_000)
        header = {"packet_sequence_number": sequence, "sending_time": self.time_ns}
        return write_packet(self.feed.transport, list(messages), header)

    def _message(self, code: int, entries: list[Value], orders: list[Value] | None = None) -> bytes:
        values: Values = {"transact_time": self.time_ns, "match_event_indicator": END_OF_EVENT}
        values["md_entries"] = entries
        return self.feed.protocol[code].encode(
            values if orders is None else {**values, "order_id_entries": orders}
        )

    def change(self) -> bytes:
        """The next packet: one to three messages, of one or two securities each."""
        count = self.chance.choice((1, 1, 2, 3))
        return self.packet(*(self._said() for _ in range(count)))

    def _said(self) -> bytes:
        books = self.chance.sample(list(self.books.values()), min(2, len(self.books)))
        books = books[: self.chance.choice((1, 1, 2))]
        roll = self.chance.random()
        if roll < 0.12:
            return self._trade(books[0])
        if roll < 0.2:
            return self._statistic(books[0])
        if roll < 0.23:
            return self._state(books[0])
        return self._orders_said(books) if self.by_order else self._levels_said(books)

    def _trade(self, book: CmeBook) -> bytes:
        entry: Values = {
            "md_entry_px": MIDDLE * TICK,
            "md_entry_size": self.chance.randrange(1, 9),
            "security_id": book.security,
            "rpt_seq": book.next_count(),
            "aggressor_side": 1,
        }
        return self._message(48, [entry], [])

    def _statistic(self, book: CmeBook) -> bytes:
        entry: Values = {
            "md_entry_px": MIDDLE * TICK,
            "security_id": book.security,
            "rpt_seq": book.next_count(),
            "md_entry_type": "7",
        }
        return self._message(51, [entry])

    def _state(self, book: CmeBook) -> bytes:
        book.state = self.chance.choice((TRADING, TRADING, 2, 21))
        values: Values = {
            "transact_time": self.time_ns,
            "security_id": book.security,
            "match_event_indicator": END_OF_EVENT,
            "security_trading_status": book.state,
        }
        return self.feed.protocol[30].encode(values)

    def _price(self, kind: str) -> int:
        away = self.chance.randrange(1, PRICES)
        return (MIDDLE - away if kind in "0E" else MIDDLE + away) * TICK

    def _levels_said(self, books: list[CmeBook]) -> bytes:
        entries: list[Value] = []
        for book in books:
            kind = self.chance.choice("000111EF")
            price = self._price(kind)
            gone = price in book.sizes[kind] and self.chance.random() < 0.4
            entries += book.set_size(kind, price, 0 if gone else self.chance.randrange(1, 500))
            if self.chance.random() < 0.01:
                book.clear()
                reset: Values = {"md_entry_type": "J", "security_id": book.security}
                entries.append({**reset, "rpt_seq": book.next_count()})
        return self._message(46, entries, [])

    def _orders_said(self, books: list[CmeBook]) -> bytes:
        changes = [(book, *self._order_change(book)) for book in books]
        if self.chance.random() < 0.5:
            return self._message(47, [self._alone(*one) for one in changes])
        levels, orders = list[Value](), list[Value]()
        for place, (book, action, order) in enumerate(changes, 1):
            levels.append(
                {
                    "md_entry_type": order.kind,
                    "md_update_action": CHANGE,
                    "md_price_level": 1,
                    "md_entry_px": order.price,
                    "md_entry_size": order.size,
                    "security_id": book.security,
                    "rpt_seq": book.next_count(),
                }
            )
            orders.append(
                {
                    "order_id": order.number,
                    "md_order_priority": order.priority,
                    "md_display_qty": order.size,
                    "reference_id": place,
                    "order_update_action": action,
                }
            )
        return self._message(46, levels, orders)

    def _alone(self, book: CmeBook, action: int, order: CmeOrder) -> Values:
        return {
            "order_id": order.number,
            "md_order_priority": order.priority,
            "md_entry_px": order.price,
            "md_display_qty": order.size,
            "security_id": book.security,
            "md_update_action": action,
            "md_entry_type": order.kind,
        }

    def _order_change(self, book: CmeBook) -> tuple[int, CmeOrder]:
        roll = self.chance.random()
        self._orders += 1
        if not book.orders or roll < (0.5 if len(book.orders) < MANY_ORDERS else 0.2):
            kind = self.chance.choice("01")
            size, priority = self.chance.randrange(2, 500), self._orders
            order = CmeOrder(1 << 40 | self._orders, kind, self._price(kind), size, priority)
            book.orders[order.number] = order
            return NEW, order
        order = self.chance.choice(list(book.orders.values()))
        if roll < 0.75:
            return DELETE, book.orders.pop(order.number)
        if order.size > 1 and roll < 0.9:
            order.size -= 1  # keeps its place
        else:
            order.size, order.priority = order.size + 5, self._orders
        return CHANGE, order

    def reset(self) -> bytes:
        """The channel is reset: all books are empty, counts start again."""
        for book in self.books.values():
            book.clear()
            book.count = 0
        return self.packet(self._message(4, [{"appl_id": 310}]))

    def begin_week(self) -> None:
        """A new week: books are empty, sequence and counts start again."""
        self.sequence = 0
        for book in self.books.values():
            book.clear()
            book.count = 0

    def list_new(self) -> bytes:
        """A new security: its definition comes on the incremental channel."""
        book = self._list()
        return self.packet(definition_of(self.feed, book, len(self.books), self.time_ns))

    # The loops.

    def _chunks(self, book: CmeBook) -> int:
        return max(1, -(-len(book.orders) // self.chunk_orders)) if self.by_order else 1

    def snapshot(self, book: CmeBook, chunks: int, reports: int) -> list[bytes]:
        """The messages of a security's snapshot as of now.

        `chunks`: of a snapshot by order; `reports`: messages in the turn. Both are what was planned
        when the turn began.
        """
        about: Values = {
            "last_msg_seq_num_processed": self.sequence,
            "tot_num_reports": reports,
            "security_id": book.security,
            "transact_time": self.time_ns,
        }
        return (
            self._by_order(book, about, chunks) if self.by_order else [self._by_price(book, about)]
        )

    def _by_price(self, book: CmeBook, about: Values) -> bytes:
        entries: list[Value] = [
            {
                "md_entry_px": price,
                "md_entry_size": size,
                "md_price_level": place,
                "md_entry_type": kind,
            }
            for kind in "01EF"
            for place, (price, size) in enumerate(book.top(kind), 1)
        ]
        state: Values = {"rpt_seq": book.count, "md_security_trading_status": book.state}
        return self.feed.protocol[52].encode({**about, **state, "md_entries": entries})

    def _by_order(self, book: CmeBook, about: Values, total: int) -> list[bytes]:
        orders, made = list(book.orders.values()), []
        size = -(-len(orders) // total)
        for number in range(total):
            entries: list[Value] = [
                {
                    "order_id": order.number,
                    "md_order_priority": order.priority,
                    "md_entry_px": order.price,
                    "md_display_qty": order.size,
                    "md_entry_type": order.kind,
                }
                for order in orders[number * size : (number + 1) * size]
            ]
            chunk: Values = {"no_chunks": total, "current_chunk": number + 1}
            made.append(self.feed.protocol[53].encode({**about, **chunk, "md_entries": entries}))
        return made

    def snapshot_turn(self) -> Iterator[bytes]:
        """The packets of one turn of the snapshots' loop, each as of when it is taken."""
        number, plan = 0, {security: self._chunks(book) for security, book in self.books.items()}
        for security, chunks in plan.items():
            for message in self.snapshot(self.books[security], chunks, sum(plan.values())):
                number += 1
                yield self._packet(number, message)

    def definition_turn(self) -> Iterator[bytes]:
        """The packets of one turn of the definitions' loop."""
        for number, security in enumerate(list(self.books), 1):
            book, total = self.books[security], len(self.books)
            yield self._packet(number, definition_of(self.feed, book, total, self.time_ns))


class CmeLoops:
    """The two loops, one packet of each whenever it is time.

    Args:
        channel: whose.
        multicast: sends a datagram on SNAPSHOTS or DEFINITIONS.
        every_ns: between two packets of a loop.
    """

    def __init__(
        self, channel: CmeChannel, multicast: Callable[[str, bytes], None], every_ns: int
    ) -> None:
        self.channel, self.multicast, self.every_ns = channel, multicast, every_ns
        self._due_ns = 0
        self._turns = {
            SNAPSHOTS: _forever(channel.snapshot_turn),
            DEFINITIONS: _forever(channel.definition_turn),
        }

    def step(self, now_ns: int) -> None:
        """What is due."""
        if now_ns < self._due_ns:
            return
        self._due_ns = now_ns + self.every_ns
        for group, turn in self._turns.items():
            self.multicast(group, next(turn))


def _forever(turn: Callable[[], Iterator[bytes]]) -> Iterator[bytes]:
    while True:
        yield from turn()
