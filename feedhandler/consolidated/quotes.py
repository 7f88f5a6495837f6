"""What one venue shows of an instrument: best of all sizes, protected, odd lot.

Protected is the price at which the venue's size, added up from the best price on, reaches a round
lot, and the round lots it makes there: odd lots count at the least aggressive price of those that
make the round lot together, as exchanges report to the consolidated tapes. The odd-lot quote is the
venue's best price where less than a round lot stands there.
"""

from __future__ import annotations

from numba import njit

from feedhandler.actions import STATUS_TRADING, STATUS_UNKNOWN
from feedhandler.books.farlevels import far_count
from feedhandler.books.ladder import better, ladder_address, level_address, window_bits
from feedhandler.books.layout import (
    LEVEL_QUANTITY,
    LIVE,
    NOTE_CLOSED,
    NOTED,
    TOP_BID,
    TOP_STATUS,
    TOP_TRUST,
)
from feedhandler.books.notes import note_address
from feedhandler.books.tops import top_address
from feedhandler.consolidated.layout import (
    INSTRUMENT_BYTES,
    INSTRUMENT_LOT,
    INSTRUMENTS,
    MARK_BID_PROTECTED,
    QUOTE_BYTES,
    QUOTE_CHANGES,
    QUOTE_ODD,
    QUOTE_PROTECTED,
    QUOTE_SHOWN,
    QUOTE_STATUS,
    QUOTE_TIME,
    QUOTE_VENUES,
    QUOTE_WORDS,
    QUOTES,
    SCRATCH,
    UNKNOWN_TRADES,
    VENUE_BYTES,
    VENUE_HALTS_ALL,
    VENUE_PROTECTED,
    VENUES,
)
from nic.raw import load_i64le, load_n8, store_release_u64, store_u64le

PROTECTED_WORD = (QUOTE_PROTECTED - QUOTE_SHOWN) // 8
ODD_WORD = (QUOTE_ODD - QUOTE_SHOWN) // 8
VENUE_INSTRUMENT_SHIFT, USABLE_SHIFT, MARK_SHIFT = 32, 16, 24
STATUS_MASK = 0xFFFF  # status and trust


@njit(nogil=True, forceinline=True)
def venue_row(market, venue):
    """Where a venue's row is."""
    return load_i64le(market + VENUES) + VENUE_BYTES * venue


@njit(nogil=True, forceinline=True)
def is_tape(market, venue):
    """Whether a venue is a consolidated tape: it quotes nothing and speaks for all markets."""
    row = venue_row(market, venue)
    return load_i64le(row + VENUE_HALTS_ALL) != 0 and load_i64le(row + VENUE_PROTECTED) == 0


@njit(nogil=True, forceinline=True)
def quotes_of(market, instrument):
    """Where the quotes of an instrument begin."""
    rows = instrument * load_i64le(market + QUOTE_VENUES)
    return load_i64le(market + QUOTES) + QUOTE_BYTES * rows


@njit(nogil=True, forceinline=True)
def instrument_row(market, instrument):
    """Where an instrument's row is."""
    return load_i64le(market + INSTRUMENTS) + INSTRUMENT_BYTES * instrument


@njit(nogil=True, forceinline=True, error_model="numpy")
def write_protected(book, ladder, lot, place):
    """Price and quantity of a side's protected quote, or zeros."""
    row = ladder_address(book, ladder)
    level, _, bits, far = better(row, window_bits(row), far_count(row))
    total = 0
    while level != 0:
        address = level_address(book, level)
        total += load_i64le(address + LEVEL_QUANTITY)
        if total >= lot:
            store_u64le(place, load_i64le(address))
            store_u64le(place + 8, total - total % lot)
            return 1
        level, _, bits, far = better(row, bits, far)
    return 0


@njit(nogil=True, forceinline=True)
def has_notes(book):
    """Whether some instrument of a venue had price bands or a side that does not count."""
    return load_i64le(book + NOTED) != 0


@njit(nogil=True, forceinline=True)
def protected_sides(market, venue, book, number):
    """The sides whose quotes are protected: bit 0 bids, bit 1 offers."""
    if load_i64le(venue_row(market, venue) + VENUE_PROTECTED) == 0:
        return 0
    return 3 & ~load_n8(note_address(book, number) + NOTE_CLOSED) if has_notes(book) else 3


@njit(nogil=True)
def write_shown(market, venue, book, number, lot):
    """Puts what a venue shows into the scratch words; gives usable and marks, shifted."""
    top, scratch = top_address(book, number), market + SCRATCH
    for word in range(QUOTE_WORDS):
        store_u64le(scratch + 8 * word, 0)
    status = load_n8(top + TOP_STATUS)
    known = status == STATUS_TRADING or (
        status == STATUS_UNKNOWN and load_i64le(market + UNKNOWN_TRADES) != 0
    )
    if not known or load_n8(top + TOP_TRUST) != LIVE:
        return 0
    protected = protected_sides(market, venue, book, number)
    about = 1 << USABLE_SHIFT
    for side in range(2):
        shown = top + TOP_BID + 16 * side
        price, quantity = load_i64le(shown), load_i64le(shown + 8)
        if quantity <= 0:
            continue
        place = scratch + 16 * side
        store_u64le(place, price)
        store_u64le(place + 8, quantity)
        if quantity < lot:
            store_u64le(place + 8 * ODD_WORD, price)
            store_u64le(place + 8 * ODD_WORD + 8, quantity)
        counts = (protected >> side) & 1 != 0
        if counts and write_protected(book, 2 * number + side, lot, place + 8 * PROTECTED_WORD):
            about |= MARK_BID_PROTECTED << (MARK_SHIFT + side)
    return about


@njit(nogil=True, forceinline=True)
def stands(market, venue, book, number, instrument):
    """Whether a venue's quote is surely what it was: the same top, and no odd lot in it.

    Only behind a best price of less than a round lot do deeper levels count. Nothing is sure where
    bands come or quotes can lose their eligibility.
    """
    if has_notes(book):
        return False
    quote = quotes_of(market, instrument) + QUOTE_BYTES * venue
    top, shown, odd = top_address(book, number), quote + QUOTE_SHOWN, quote + QUOTE_ODD
    different = load_i64le(odd + 8) | load_i64le(odd + 24)
    for word in range(4):
        different |= load_i64le(top + TOP_BID + 8 * word) ^ load_i64le(shown + 8 * word)
    about = load_i64le(top + TOP_STATUS) ^ load_i64le(quote + QUOTE_STATUS)
    return different == 0 and about & STATUS_MASK == 0


@njit(nogil=True)
def follow_quote(market, venue, book, number, instrument, time_ns):
    """Brings a venue's quote up to date.

    Returns:
        0 when nothing changed, 1 when prices or sizes did, 2 when status or trust did, 3 for both.
    """
    lot = load_i64le(instrument_row(market, instrument) + INSTRUMENT_LOT)
    about = write_shown(market, venue, book, number, lot)
    about |= load_i64le(top_address(book, number) + TOP_STATUS) & STATUS_MASK
    about |= number << VENUE_INSTRUMENT_SHIFT
    quote, scratch = quotes_of(market, instrument) + QUOTE_BYTES * venue, market + SCRATCH
    different = 0
    for word in range(QUOTE_WORDS):
        old = load_i64le(quote + QUOTE_SHOWN + 8 * word)
        different |= old ^ load_i64le(scratch + 8 * word)
    before = load_i64le(quote + QUOTE_STATUS)
    if different == 0 and before == about:
        return 0
    version = load_i64le(quote)
    store_release_u64(quote, version + 1)
    for word in range(QUOTE_WORDS):
        store_release_u64(quote + QUOTE_SHOWN + 8 * word, load_i64le(scratch + 8 * word))
    store_release_u64(quote + QUOTE_TIME, time_ns)
    store_release_u64(quote + QUOTE_STATUS, about)
    store_release_u64(quote, version + 2)
    store_u64le(market + QUOTE_CHANGES, load_i64le(market + QUOTE_CHANGES) + 1)
    return (1 if different != 0 else 0) | (2 if (before ^ about) & STATUS_MASK else 0)
