"""The best of all venues for one instrument: shown, national (protected), odd lots.

Of venues at the same price the sizes add up and all are named. Quotes outside the price bands (bids
above the upper, offers below the lower) are no part of the national best; a national best beyond
the other band is flagged as one that cannot be executed.
"""

from __future__ import annotations

from numba import njit

from feedhandler.books.notes import is_stop
from feedhandler.consolidated.layout import (
    BEST_CHANGED,
    BID_BELOW_BAND,
    CROSSED,
    LIMIT_DOWN,
    LIMIT_UP,
    LOCKED,
    LOWER_BAND,
    MARKET_HALTED,
    NATIONAL_CHANGED,
    NORMAL,
    ODD_CHANGED,
    OFFER_ABOVE_BAND,
    QUOTE_BYTES,
    QUOTE_ODD,
    QUOTE_PROTECTED,
    QUOTE_SHOWN,
    QUOTE_STATUS,
    RECORD_BEST,
    RECORD_BYTES,
    RECORD_CHANGES,
    RECORD_SINCE,
    RECORD_STATE,
    RECORD_TIME,
    RECORD_WORDS,
    RECORDS,
    SCRATCH,
    STATE_CHANGED,
    UPPER_BAND,
    VENUE_COUNT,
    VENUE_HALTS_ALL,
)
from feedhandler.consolidated.quotes import instrument_row, quotes_of, venue_row
from nic.raw import load_i64le, load_n8, store_release_u64, store_u64le

ANY_KEY = (1 << 63) - 1
WORDS_A_GROUP = 6  # price, quantity and venues of both sides
NATIONAL_WORD = WORDS_A_GROUP
FLAG_SHIFT = 8


@njit(nogil=True, forceinline=True)
def best_of(quotes, count, place, sign, limit, out):
    """Best price, its size and its venues of one side; `sign` -1 for offers.

    Quotes whose price * sign is above `limit` do not count.
    """
    best, total, venues = 0, 0, 0
    for venue in range(count):
        quote = quotes + QUOTE_BYTES * venue + place
        quantity, key = load_i64le(quote + 8), load_i64le(quote) * sign
        if quantity == 0 or key > limit:
            continue
        if venues == 0 or key > best:
            best, total, venues = key, quantity, 1 << venue
        elif key == best:
            total += quantity
            venues |= 1 << venue
    store_u64le(out, best * sign)
    store_u64le(out + 8, total)
    store_u64le(out + 16, venues)


@njit(nogil=True, forceinline=True)
def is_halted(market, quotes, count):
    """Whether a venue that speaks for the market has stopped trading in the instrument."""
    for venue in range(count):
        speaks = load_i64le(venue_row(market, venue) + VENUE_HALTS_ALL) != 0
        if speaks and is_stop(load_n8(quotes + QUOTE_BYTES * venue + QUOTE_STATUS)):
            return True
    return False


@njit(nogil=True, forceinline=True)
def state_of(national, lower, upper):
    """State and flags of a national best bid and offer, as they stand in a record's words."""
    bid, offer = load_i64le(national), load_i64le(national + 24)
    has_bid, has_offer = load_i64le(national + 8) != 0, load_i64le(national + 32) != 0
    state, flags = NORMAL, 0
    if has_bid and has_offer and bid >= offer:
        state = LOCKED if bid == offer else CROSSED
    if has_bid and lower != 0 and bid < lower:
        flags |= BID_BELOW_BAND
    if has_offer and upper != 0 and offer > upper:
        flags |= OFFER_ABOVE_BAND
    if has_bid and upper != 0 and bid == upper:
        flags |= LIMIT_UP
    if has_offer and lower != 0 and offer == lower:
        flags |= LIMIT_DOWN
    return state | flags << FLAG_SHIFT


@njit(nogil=True)
def compute(market, instrument):
    """Puts the best of all venues into the scratch words; gives state and flags."""
    quotes, count = quotes_of(market, instrument), load_i64le(market + VENUE_COUNT)
    row, scratch = instrument_row(market, instrument), market + SCRATCH
    lower, upper = load_i64le(row + LOWER_BAND), load_i64le(row + UPPER_BAND)
    best_of(quotes, count, QUOTE_SHOWN, 1, ANY_KEY, scratch)
    best_of(quotes, count, QUOTE_SHOWN + 16, -1, ANY_KEY, scratch + 24)
    best_of(quotes, count, QUOTE_ODD, 1, ANY_KEY, scratch + 96)
    best_of(quotes, count, QUOTE_ODD + 16, -1, ANY_KEY, scratch + 120)
    national = scratch + 8 * NATIONAL_WORD
    if is_halted(market, quotes, count):
        for word in range(WORDS_A_GROUP):
            store_u64le(national + 8 * word, 0)
        return NORMAL | MARKET_HALTED << FLAG_SHIFT
    bid_limit = upper if upper != 0 else ANY_KEY
    offer_limit = -lower if lower != 0 else ANY_KEY
    best_of(quotes, count, QUOTE_PROTECTED, 1, bid_limit, national)
    best_of(quotes, count, QUOTE_PROTECTED + 16, -1, offer_limit, national + 24)
    return state_of(national, lower, upper)


@njit(nogil=True, forceinline=True)
def differs(record, scratch, group):
    """Whether a group of a record's words is not what the scratch words say."""
    different = 0
    for word in range(WORDS_A_GROUP * group, WORDS_A_GROUP * (group + 1)):
        old = load_i64le(record + RECORD_BEST + 8 * word)
        different |= old ^ load_i64le(scratch + 8 * word)
    return different != 0


@njit(nogil=True)
def record_address(market, instrument):
    """Where an instrument's record is."""
    return load_i64le(market + RECORDS) + RECORD_BYTES * instrument


@njit(nogil=True)
def recompute(market, instrument, time_ns):
    """Brings an instrument's record up to date; gives what changed (…_CHANGED), 0 for nothing."""
    state = compute(market, instrument)
    record, scratch = record_address(market, instrument), market + SCRATCH
    changed = BEST_CHANGED if differs(record, scratch, 0) else 0
    changed |= NATIONAL_CHANGED if differs(record, scratch, 1) else 0
    changed |= ODD_CHANGED if differs(record, scratch, 2) else 0
    before = load_i64le(record + RECORD_STATE)
    changed |= STATE_CHANGED if before != state else 0
    if changed == 0:
        return 0
    version = load_i64le(record)
    store_release_u64(record, version + 1)
    for word in range(RECORD_WORDS):
        store_release_u64(record + RECORD_BEST + 8 * word, load_i64le(scratch + 8 * word))
    store_release_u64(record + RECORD_TIME, time_ns)
    if (before ^ state) & 0xFF:
        store_release_u64(record + RECORD_SINCE, time_ns)
    store_release_u64(record + RECORD_STATE, state)
    store_release_u64(record, version + 2)
    store_u64le(market + RECORD_CHANGES, load_i64le(market + RECORD_CHANGES) + 1)
    return changed
