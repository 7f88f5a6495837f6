"""CME's decoder in a loop with lines: counts of instruments, and what their images have already."""

from __future__ import annotations

import random
from typing import Any

import numpy as np
import pytest
from action_rig import faults, run_packet
from cme_rig import (
    CHANGE,
    DELETE,
    FEED,
    NEW,
    SECURITY,
    SYMBOL_ROWS,
    Entry,
    Exchange,
    entry,
    message,
)
from numpy.typing import NDArray

from feedhandler import actions as a
from feedhandler.context import CONTEXT_DTYPE, SYMBOL_DTYPE
from feedhandler.feed import load_object
from feedhandler.registry import versions
from feedhandler.transports.packets import write_packet

OTHER = SECURITY + 1
ORDERS = versions("cme_mdp3_orders")[0]


class Lined:
    """A decoder with counts, packet by packet."""

    def __init__(self, feed: Any = FEED) -> None:
        self.kernels = load_object(feed.walk), load_object(feed.lined)
        self.row = np.zeros(1, CONTEXT_DTYPE)[0]
        self.symbols = np.zeros(SYMBOL_ROWS, SYMBOL_DTYPE)
        self.row["symbols_address"] = self.symbols.ctypes.data
        self.row["symbols_count"] = SYMBOL_ROWS

    def run(self, sequence: int, *messages: bytes) -> NDArray[np.void]:
        """The actions of one packet."""
        header = {"packet_sequence_number": sequence, "sending_time": 1}
        payload = write_packet(FEED.transport, list(messages), header)
        made, self.row = run_packet(*self.kernels, payload, row=self.row, also=(self.symbols,))
        return made

    def said(self, sequence: int, *messages: bytes) -> list[tuple[str, int, int, int]]:
        """Kind, key, price and quantity of a packet's actions."""
        rows = self.run(sequence, *messages)
        names = ("kind", "key", "price", "quantity")
        return [(a.KINDS[row["kind"]], *(int(row[n]) for n in names[1:])) for row in rows]


def counted(count: int, given: Entry) -> Entry:
    """An entry with a count."""
    return {**given, "rpt_seq": count}


def bid(count: int, price: int, size: int, security: int = SECURITY, action: int = NEW) -> bytes:
    """A message of one level."""
    return message(46, counted(count, entry("0", action, 1, price, size, security)))


def snapshot(
    sequence: int, count: int, *levels: tuple[int, int], security: int = SECURITY
) -> bytes:
    """A snapshot of bids."""
    entries = [
        {"md_entry_px": px, "md_entry_size": size, "md_price_level": n, "md_entry_type": "0"}
        for n, (px, size) in enumerate(levels, 1)
    ]
    about = {"last_msg_seq_num_processed": sequence, "rpt_seq": count, "security_id": SECURITY}
    about |= {"tot_num_reports": 1, "md_security_trading_status": 255}
    return FEED.protocol[52].encode({**about, "md_entries": entries})


def test_without_a_loss_nothing_is_said_beside_what_the_plain_decoder_says() -> None:
    """Any run of changes, with trades and statistics between them."""
    lined, exchange, count = Lined(), Exchange(seed=5), 0
    plain_row, plain_symbols = np.zeros(1, CONTEXT_DTYPE)[0], np.zeros(SYMBOL_ROWS, SYMBOL_DTYPE)
    plain_row["symbols_address"] = plain_symbols.ctypes.data
    plain_row["symbols_count"] = SYMBOL_ROWS
    seen = 0
    for sequence in range(1, 400):
        entries = []
        for one in exchange.change():
            count += 1
            entries.append(counted(count, one))
        count += 1
        trade = {"md_entry_px": 5, "md_entry_size": 1, "security_id": SECURITY, "rpt_seq": count}
        messages = [message(46, *entries), message(48, {**trade, "md_update_action": 0})]
        made = lined.run(sequence, *messages)
        header = {"packet_sequence_number": sequence, "sending_time": 1}
        payload = write_packet(FEED.transport, messages, header)
        wanted, plain_row = run_packet(
            *FEED.kernels(), payload, row=plain_row, also=(plain_symbols,)
        )
        assert made.tolist() == wanted.tolist()
        seen += len(made)
    assert seen > 600 and faults(lined.row) == {}


def test_behind_a_jump_an_unbroken_instrument_is_said_anew_and_whole() -> None:
    lined = Lined()
    lined.run(1, bid(1, 1000, 5), bid(2, 1100, 6))
    assert lined.said(5, bid(3, 1100, 7, action=CHANGE)) == [
        ("clear", SECURITY, 0, 0),
        ("level", SECURITY, 110, 6),
        ("level", SECURITY, 100, 5),
        ("snapshot_end", SECURITY, 0, 0),
        ("level", SECURITY, 110, 7),
    ]
    assert lined.said(6, bid(4, 1100, 8, action=CHANGE)) == [("level", SECURITY, 110, 8)]


def test_one_whose_count_has_a_hole_is_not_whole_until_an_image_comes() -> None:
    lined = Lined()
    lined.run(1, bid(1, 1000, 5))
    for sequence in (5, 9):  # also behind the next loss
        assert lined.said(sequence, bid(sequence, 1100, 6)) == [("level", SECURITY, 110, 6)]
    lined.run(0, snapshot(9, 9, (1200, 3)))
    made = lined.said(20, bid(10, 1200, 4, action=CHANGE))
    assert made[1:] == [
        ("level", SECURITY, 120, 3),
        ("snapshot_end", SECURITY, 0, 0),
        ("level", SECURITY, 120, 4),
    ]


@pytest.mark.parametrize("code", [37, 48, 49, 50, 51, 66, 67, 65])
def test_every_template_with_a_count_is_counted(code: int) -> None:
    values = {"security_id": SECURITY, "rpt_seq": 2}
    lined = Lined()
    lined.run(1, bid(1, 1000, 5))
    lined.run(2, message(code, values))
    assert ("snapshot_end", SECURITY, 0, 0) in lined.said(9, bid(3, 1100, 5))
    other = Lined()
    other.run(1, bid(1, 1000, 5))
    assert len(other.said(9, bid(3, 1100, 5))) == 1


def test_what_an_image_has_is_left_out_and_places_stay_right() -> None:
    lined = Lined()
    lined.run(1, bid(1, 1000, 5))
    lined.run(0, snapshot(3, 3, (1200, 3), (1000, 5)))
    both = [counted(2, entry("0", NEW, 1, 1100, 5)), counted(1, entry("0", NEW, 1, 70, 1, OTHER))]
    assert lined.said(2, message(46, *both)) == [("level", OTHER, 7, 1)]
    assert lined.said(3, bid(3, 1200, 3)) == []
    assert lined.said(4, bid(4, 1200, 9, action=DELETE)) == [("level", SECURITY, 120, 0)]


def test_a_reset_clears_all_but_what_has_a_newer_image() -> None:
    lined = Lined()
    lined.run(1, bid(1, 1000, 5), bid(1, 1000, 5, OTHER))
    assert lined.said(2, message(4)) == [("clear", 0, 0, 0)]
    lined.run(3, bid(1, 1000, 5), bid(1, 1000, 5, OTHER))
    lined.run(0, snapshot(6, 3, (1200, 3)))
    assert lined.said(5, message(4)) == [("clear", OTHER, 0, 0), ("snapshot_end", OTHER, 0, 0)]
    assert lined.said(7, bid(4, 1300, 1)) == [
        ("clear", SECURITY, 0, 0),
        ("level", SECURITY, 120, 3),
        ("snapshot_end", SECURITY, 0, 0),
        ("level", SECURITY, 130, 1),
    ]


def test_behind_a_reset_and_a_loss_the_count_has_to_begin() -> None:
    lined = Lined()
    lined.run(1, bid(1, 1000, 5))
    lined.run(2, message(4))
    assert lined.said(9, bid(2, 1100, 5)) == [("level", SECURITY, 110, 5)]
    lined = Lined()
    lined.run(1, bid(1, 1000, 5))
    lined.run(2, message(4))
    assert ("snapshot_end", SECURITY, 0, 0) in lined.said(9, bid(1, 1100, 5))


def test_a_new_week_forgets_levels_and_counts() -> None:
    lined = Lined()
    lined.run(900, bid(1, 1000, 5))
    assert lined.said(1, bid(1, 1100, 5)) == [("level", SECURITY, 110, 5)]
    assert lined.said(2, bid(2, 1100, 0, action=DELETE)) == [("level", SECURITY, 110, 0)]


def order(number: int, security: int = SECURITY, action: int = NEW) -> Entry:
    """An entry that is an order."""
    about = {"order_id": number, "md_order_priority": number, "md_entry_px": 1000}
    about |= {"md_display_qty": 4, "security_id": security}
    return {**about, "md_update_action": action, "md_entry_type": "0"}


def image_of_orders(sequence: int, *numbers: int) -> bytes:
    """A snapshot by order in one chunk."""
    about = {"last_msg_seq_num_processed": sequence, "security_id": SECURITY}
    about |= {"tot_num_reports": 1, "no_chunks": 1, "current_chunk": 1}
    left_out = ("security_id", "md_update_action")
    entries = [{k: v for k, v in order(n).items() if k not in left_out} for n in numbers]
    return ORDERS.protocol[53].encode({**about, "md_entries": entries})


def test_orders_that_an_image_has_are_left_out() -> None:
    lined = Lined(ORDERS)
    lined.run(0, image_of_orders(4, 7, 8))
    made = lined.run(3, message(47, order(7), order(9, OTHER), order(8), order(10, OTHER)))
    assert made["order_id"].tolist() == [9, 10]
    levels = [entry("0", CHANGE, 1, 1000, 4), entry("0", CHANGE, 1, 1000, 4, OTHER)]
    behind = [
        {"order_id": n, "md_order_priority": n, "md_display_qty": 4, "reference_id": place}
        | {"order_update_action": NEW}
        for n, place in ((7, 1), (11, 2), (8, 1))
    ]
    made = lined.run(4, message(46, *levels, order_id_entries=behind))
    assert made["order_id"].tolist() == [11] and faults(lined.row) == {}
    made = lined.run(5, message(46, *levels, order_id_entries=behind))
    assert made["order_id"].tolist() == [7, 11, 8]
    assert len(lined.run(5, message(47, order(12)))) == 1


@pytest.mark.parametrize("feed", [FEED, ORDERS], ids=["price", "orders"])
def test_any_bytes_are_read_within_their_bounds(feed: Any) -> None:
    """Damaged packets, with an image that makes every packet be looked through."""
    chance, lined = random.Random(9), Lined(feed)
    good = [
        bid(1, 1000, 5),
        message(47, order(5), order(6, OTHER)),
        message(
            46,
            entry("0", NEW, 1, 1000, 5),
            order_id_entries=[{"order_id": 3, "reference_id": 1, "order_update_action": 0}],
        ),
        snapshot(1 << 20, 3, (1200, 3)),
        image_of_orders(1 << 20, 7, 8),
        message(4),
        message(51, {"security_id": SECURITY, "rpt_seq": 2}),
    ]
    seen = 0
    for _ in range(1_500):
        data = bytearray(chance.choice(good))
        for _ in range(chance.randrange(4)):
            data[chance.randrange(2, len(data))] = chance.choice((0, 1, 255, chance.randrange(256)))
        cut = chance.choice((len(data), len(data), chance.randrange(2, len(data) + 1)))
        data[:2] = cut.to_bytes(2, "little")
        seen += len(lined.run(chance.randrange(1, 1 << 21), bytes(data[:cut])))
    assert seen > 500
