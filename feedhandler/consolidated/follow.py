"""The consolidated book behind a venue's books: what a batch touched is brought up to date.

`before` and `after` stand around `apply_batch`: an order that a batch takes out is only known
before, an instrument that it names for the first time only after.
"""

from __future__ import annotations

from numba import njit

from feedhandler.actions import (
    ACTION_BYTES,
    ADD,
    ALL,
    BANDS,
    BUY,
    CLEAR,
    EXECUTE,
    EXECUTE_PRICE,
    MODIFY,
    NO_PRICE,
    REDUCE,
    REPLACE,
    STATUS,
    SYMBOL,
    TOP,
    TRADE,
)
from feedhandler.books.changes import ladder_of
from feedhandler.books.keys import instrument_of
from feedhandler.books.ladder import level_address
from feedhandler.books.layout import NOTE_BANDED, NOTE_BANDS_NS, NOTE_LOWER, NOTE_UPPER
from feedhandler.books.notes import note_address
from feedhandler.books.orders import find_order, level_at
from feedhandler.consolidated.best import recompute
from feedhandler.consolidated.layout import (
    BATCH,
    BEST_CHANGED,
    LOWER_BAND,
    MAP_COUNT,
    NATIONAL_CHANGED,
    NO_INSTRUMENT,
    ODD_CHANGED,
    STAMPS,
    STATE_CHANGED,
    TOUCHED,
    TOUCHED_COUNT,
    TRADE_NOTE_BYTES,
    TRADES,
    UNMAPPED,
    UPPER_BAND,
    VENUE_MAP,
)
from feedhandler.consolidated.publish import (
    is_wanted,
    publish,
    publish_best,
    publish_quote,
    publish_status,
)
from feedhandler.consolidated.quotes import (
    follow_quote,
    has_notes,
    instrument_row,
    stands,
    venue_row,
)
from feedhandler.consolidated.streamformat import BANDS as BANDS_RECORD
from feedhandler.consolidated.streamformat import (
    BEST,
    FLAGS_SHIFT,
    INSTRUMENT_SHIFT,
    LISTING,
    NATIONAL,
    ODD_LOT,
    SIDE_SHIFT,
    VENUE_SHIFT,
)
from feedhandler.consolidated.streamformat import TRADE as TRADE_RECORD
from nic.raw import load_i32le, load_i64le, load_n8, store_u8, store_u64le

NOT_KNOWN = -1


@njit(nogil=True, forceinline=True)
def word(action, number):
    """A 64-bit word of an action record."""
    return load_i64le(action + 8 * number)


@njit(nogil=True, forceinline=True)
def kind_of(action):
    """An action's kind."""
    return load_n8(action)


@njit(nogil=True, forceinline=True)
def names_order(kind):
    """Whether an action of a kind is about an order that is already there."""
    return kind >= REDUCE and kind <= MODIFY


@njit(nogil=True, forceinline=True)
def names_book(kind):
    """Whether an action of a kind can change the top or the bands of what its key names."""
    whole = kind == CLEAR or kind == STATUS or kind == SYMBOL or kind == BANDS
    return (kind >= ADD and kind <= TOP) or whole


@njit(nogil=True, forceinline=True)
def touch(market, number):
    """Notes a venue instrument of the batch, once."""
    if number < 0 or number >= load_i64le(market + MAP_COUNT):
        return
    batch = load_i64le(market + BATCH)
    stamp = load_i64le(market + STAMPS) + 8 * number
    if load_i64le(stamp) == batch:
        return
    store_u64le(stamp, batch)
    count = load_i64le(market + TOUCHED_COUNT)
    store_u64le(load_i64le(market + TOUCHED) + 8 * count, number)
    store_u64le(market + TOUCHED_COUNT, count + 1)


@njit(nogil=True)
def earlier(actions, number, order_id):
    """The last action before `number` in its batch that gave an order its price; -1 if none did."""
    at = number - 1
    while at >= 0:
        action = actions + ACTION_BYTES * at
        kind = kind_of(action)
        if kind == REPLACE and word(action, 5) == order_id:
            return at
        entered = (kind == ADD or kind == MODIFY) and word(action, 2) == order_id
        if entered and word(action, 3) != NO_PRICE:
            return at
        at -= 1
    return at


@njit(nogil=True, forceinline=True)
def noted_trade(market, number):
    """Where price, venue instrument and side of the order of a batch's action are noted."""
    return load_i64le(market + TRADES) + TRADE_NOTE_BYTES * number


@njit(nogil=True)
def note_trade(market, actions, number, price, own, side):
    """Keeps an order's price, venue instrument and side for the trade that the batch makes of it.

    An order that the batch itself added has minus 2 minus the number of its ADD as instrument.
    """
    at = earlier(actions, number, word(actions + ACTION_BYTES * number, 2))
    if at >= 0:
        price = word(actions + ACTION_BYTES * at, 3)
        if own == NOT_KNOWN:
            before_it = noted_trade(market, at)
            is_add = kind_of(actions + ACTION_BYTES * at) == ADD
            own = -2 - at if is_add else word(before_it, 1)
            side = (
                (word(actions + ACTION_BYTES * at, 0) >> 8) & 0xFF if is_add else word(before_it, 2)
            )
    noted = noted_trade(market, number)
    store_u64le(noted, price)
    store_u64le(noted + 8, own)
    store_u64le(noted + 16, side)


@njit(nogil=True)
def before(market, book, actions, count):
    """Takes down what is gone when the batch has been applied. Call it in front of apply_batch."""
    store_u64le(market + BATCH, load_i64le(market + BATCH) + 1)
    store_u64le(market + TOUCHED_COUNT, 0)
    wants_trades = is_wanted(market, TRADE_RECORD)
    for number in range(count):
        action = actions + ACTION_BYTES * number
        named = names_order(kind_of(action))
        if not named or (word(action, 1) != 0 and not wants_trades):
            continue
        price, own, side = NO_PRICE, NOT_KNOWN, 0
        order = find_order(book, word(action, 2))
        if order != 0:
            level = level_at(order)
            ladder = ladder_of(book, level)
            price, own, side = (
                load_i64le(level_address(book, level)),
                ladder >> 1,
                BUY + (ladder & 1),
            )
            touch(market, own)
        if wants_trades:
            note_trade(market, actions, number, price, own, side)


@njit(nogil=True, forceinline=True)
def global_of(market, venue, number):
    """The instrument of a venue instrument; not above 0 when there is none."""
    if number < 0 or number >= load_i64le(market + MAP_COUNT):
        return NO_INSTRUMENT
    return load_i32le(load_i64le(venue_row(market, venue) + VENUE_MAP) + 4 * number)


@njit(nogil=True)
def follow_bands(market, venue, book, number, instrument, time_ns):
    """Takes the price bands that a venue said, once: who says them last is right; 1 for a change.

    Bands of what is not mapped wait in the venue's note.
    """
    note, row = note_address(book, number), instrument_row(market, instrument)
    if load_n8(note + NOTE_BANDED) == 0:
        return 0
    store_u8(note + NOTE_BANDED, 0)
    lower, upper = load_i64le(note + NOTE_LOWER), load_i64le(note + NOTE_UPPER)
    if lower == load_i64le(row + LOWER_BAND) and upper == load_i64le(row + UPPER_BAND):
        return 0
    store_u64le(row + LOWER_BAND, lower)
    store_u64le(row + UPPER_BAND, upper)
    if is_wanted(market, BANDS_RECORD):
        first = venue << VENUE_SHIFT | instrument << INSTRUMENT_SHIFT
        stamp = load_i64le(note + NOTE_BANDS_NS)
        publish(market, BANDS_RECORD, first, time_ns, lower, upper, stamp, 0, 0)
    return 1


@njit(nogil=True)
def follow_instrument(market, venue, book, number, time_ns):
    """Brings the quote and the record of a venue instrument up to date, and says what changed."""
    instrument = global_of(market, venue, number)
    if instrument <= 0:
        if instrument == NO_INSTRUMENT:
            store_u64le(market + UNMAPPED, load_i64le(market + UNMAPPED) + 1)
        return
    banded = 0
    if has_notes(book):
        banded = follow_bands(market, venue, book, number, instrument, time_ns)
    moved = follow_quote(market, venue, book, number, instrument, time_ns)
    if moved + banded == 0:
        return
    if moved & 2:
        publish_status(market, venue, instrument, time_ns)
    if moved != 0:
        publish_quote(market, venue, instrument, time_ns)
    changed = recompute(market, instrument, time_ns)
    if changed & BEST_CHANGED:
        publish_best(market, BEST, 0, instrument, time_ns)
    if changed & (NATIONAL_CHANGED | STATE_CHANGED):
        publish_best(market, NATIONAL, 1, instrument, time_ns)
    if changed & ODD_CHANGED:
        publish_best(market, ODD_LOT, 2, instrument, time_ns)


@njit(nogil=True)
def follow_all(market, venue, book, time_ns):
    """Brings every mapped instrument of a venue up to date: after a gap, a clear, a new map."""
    for number in range(load_i64le(market + MAP_COUNT)):
        if global_of(market, venue, number) > 0:
            follow_instrument(market, venue, book, number, time_ns)


@njit(nogil=True)
def trade_of(market, venue, book, actions, number):
    """(instrument, price, side) of an execution or trade report of a batch that was applied.

    The instrument is not above 0 where nobody mapped it; the side is that of the order that stood
    there, 0 where nobody says. Only where somebody wants TRADE records.
    """
    action = actions + ACTION_BYTES * number
    kind, price, own = kind_of(action), word(action, 3), NOT_KNOWN
    side = (word(action, 0) >> 8) & 0xFF
    if kind != TRADE:
        noted = noted_trade(market, number)
        own = word(noted, 1)
        if kind == EXECUTE:
            price = word(noted, 0)
        if side == 0:
            side = word(noted, 2)
        if own < NOT_KNOWN:
            own = instrument_of(book, word(actions + ACTION_BYTES * (-2 - own), 1))
    if own < 0 and word(action, 1) != 0:
        own = instrument_of(book, word(action, 1))
    return global_of(market, venue, own), price, side


@njit(nogil=True)
def publish_trade(market, venue, book, actions, number, time_ns):
    """An execution or a trade report."""
    instrument, price, _ = trade_of(market, venue, book, actions, number)
    if instrument <= 0:
        return
    action = actions + ACTION_BYTES * number
    about = word(action, 0)
    first = venue << VENUE_SHIFT | ((about >> 8) & 0xFF) << SIDE_SHIFT
    first |= ((about >> 16) & 0xFF) << FLAGS_SHIFT | instrument << INSTRUMENT_SHIFT
    shares, trade, order, stamp = word(action, 4), word(action, 5), word(action, 2), word(action, 6)
    publish(market, TRADE_RECORD, first, time_ns, price, shares, trade, order, stamp)


@njit(nogil=True)
def after(market, venue, book, actions, count, time_ns):
    """Brings what the batch touched up to date. Call it behind apply_batch.

    Args:
        market: address of the consolidated head.
        venue: its number.
        book: address of the venue's head.
        actions, count: the batch.
        time_ns: when its packet was received.
    """
    swept = 0
    wants_trades = is_wanted(market, TRADE_RECORD)
    for number in range(count):
        action = actions + ACTION_BYTES * number
        kind = kind_of(action)
        if wants_trades and (kind == EXECUTE or kind == EXECUTE_PRICE or kind == TRADE):
            publish_trade(market, venue, book, actions, number, time_ns)
        if kind == SYMBOL and is_wanted(market, LISTING):
            key, text, rest = word(action, 1), word(action, 2), word(action, 5)
            lot = word(action, 4)
            flags = (word(action, 0) >> 16) & 0xFFFF
            publish(market, LISTING, venue << VENUE_SHIFT, time_ns, key, text, rest, lot, flags)
        if (kind == CLEAR or kind == STATUS) and (word(action, 0) >> 16) & ALL:
            swept = 1
        elif word(action, 1) != 0 and names_book(kind):
            touch(market, instrument_of(book, word(action, 1)))
    if swept:
        follow_all(market, venue, book, time_ns)
        return
    touched = load_i64le(market + TOUCHED)
    for number in range(load_i64le(market + TOUCHED_COUNT)):
        own = word(touched, number)
        instrument = global_of(market, venue, own)
        if instrument <= 0 or not stands(market, venue, book, own, instrument):
            follow_instrument(market, venue, book, own, time_ns)
