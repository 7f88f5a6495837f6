"""Messages in the session's protocol: read into the head's request, written from its answer.

The protocols of venues are forms of `router.entry`, read and written the other way round.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from feedhandler.actions import ACCEPTED, CANCELED, EXECUTED, REJECTED, REPLACED
from nic.raw import wrapping_product
from router.entry.formkernels import fill, recognise
from router.entry.formlayout import WORD, WORDS_BYTES
from router.rows import add, get, put
from simulator.replay.layout import (
    ANSWER,
    CANCEL,
    ENTER,
    HEAD,
    ORDER_FORMS,
    REPLACE,
    REQUEST,
    REQUEST_BYTES,
    SESSION,
    SYMBOL,
    SYMBOL_BYTES,
    VENUE,
    WIRE,
)
from simulator.replay.rows import SCATTER, SCATTER_SHIFT
from simulator.replay.wordwire import read_words, write_words

# Places among the order forms and the replies, as `router.entry.forms` has their names.
FIRST_REPLACE, CANCEL_FORM = 2, 4
IS_ACCEPTED, IS_EXECUTED, IS_CANCELED, IS_REJECTED, IS_REPLACED = range(5)
REPLACE_REJECTED, CANCEL_IS_REJECTED = 5, 6


@njit(nogil=True)
def symbol_slot(sim, venue, word):
    """The slot of a venue's word for an instrument: its own, or a free one."""
    mask, table, number = get(sim, HEAD.symbol_mask), get(sim, HEAD.symbols), venue + 1
    hashed = wrapping_product(word ^ (number << 56), SCATTER)
    slot = (hashed >> SCATTER_SHIFT) & mask
    while True:
        row = table + SYMBOL_BYTES * slot
        known = get(row, SYMBOL.venue)
        if known == 0 or (known == number and get(row, SYMBOL.word) == word):
            return row
        slot = (slot + 1) & mask


@njit(nogil=True, cache=True)
def enter_symbol(sim, venue, word, instrument):
    """Notes a venue's word for an instrument."""
    row = symbol_slot(np.int64(sim), np.int64(venue), np.int64(word))
    put(row, SYMBOL.venue, np.int64(venue) + 1)
    put(row, SYMBOL.word, np.int64(word))
    put(row, SYMBOL.instrument, np.int64(instrument))


@njit(nogil=True)
def read_forms(session, data, length, request):
    """Reads a message by its form."""
    sim, wire = get(session, SESSION.sim), get(session, SESSION.wire)
    words = sim + HEAD.words
    found = recognise(wire + WIRE.orders, ORDER_FORMS, data, length, words)
    if found < 0:
        return 0
    for offset in range(0, REQUEST_BYTES, 8):
        put(request, offset, 0)
    token, old = get(words, WORD.token), get(words, WORD.old_token)
    if found == CANCEL_FORM:
        put(request, REQUEST.kind, CANCEL)
        put(request, REQUEST.token, old)
        put(request, REQUEST.old_token, token)
        return 1
    put(request, REQUEST.kind, REPLACE if found >= FIRST_REPLACE else ENTER)
    put(request, REQUEST.token, token)
    put(request, REQUEST.old_token, old)
    venue = get(get(session, SESSION.venue), VENUE.number)
    row = symbol_slot(sim, venue, get(words, WORD.symbol))
    put(request, REQUEST.instrument, get(row, SYMBOL.instrument))
    put(request, REQUEST.side, get(words, WORD.side))
    put(request, REQUEST.quantity, get(words, WORD.quantity))
    put(request, REQUEST.price, get(words, WORD.price))
    put(request, REQUEST.tif, get(words, WORD.tif))
    put(request, REQUEST.flags, get(words, WORD.flags))
    put(request, REQUEST.minimum, get(words, WORD.minimum))
    put(request, REQUEST.shown, get(words, WORD.shown))
    return 1


@njit(nogil=True)
def reply_of(answer):
    """The place of an answer's form among the replies."""
    kind = get(answer, ANSWER.kind)
    if kind == ACCEPTED:
        return IS_ACCEPTED
    if kind == EXECUTED:
        return IS_EXECUTED
    if kind == CANCELED:
        return IS_CANCELED
    if kind == REJECTED:
        return IS_REJECTED
    if kind == REPLACED:
        return IS_REPLACED
    return REPLACE_REJECTED if get(answer, ANSWER.request) == REPLACE else CANCEL_IS_REJECTED


@njit(nogil=True)
def set_terms(answer, words):
    """What an order is and was done to it, as words of forms."""
    put(words, WORD.token, get(answer, ANSWER.token))
    put(words, WORD.old_token, get(answer, ANSWER.old_token))
    put(words, WORD.side, get(answer, ANSWER.side))
    put(words, WORD.price, get(answer, ANSWER.price))
    put(words, WORD.tif, get(answer, ANSWER.tif))
    put(words, WORD.flags, get(answer, ANSWER.flags))
    put(words, WORD.minimum, get(answer, ANSWER.minimum))
    put(words, WORD.shown, get(answer, ANSWER.shown))
    put(words, WORD.quantity, get(answer, ANSWER.quantity))
    put(words, WORD.leaves, get(answer, ANSWER.leaves))
    put(words, WORD.cum, get(answer, ANSWER.executed))
    put(words, WORD.execution, get(answer, ANSWER.execution))
    put(words, WORD.liquidity, get(answer, ANSWER.liquidity))
    put(words, WORD.venue_order, get(answer, ANSWER.order))
    put(words, WORD.time_ns, get(answer, ANSWER.time_ns))
    put(words, WORD.sent_ns, get(answer, ANSWER.time_ns))
    put(words, WORD.day_ns, get(answer, ANSWER.since_midnight))


@njit(nogil=True)
def write_forms(session, answer, place):
    """Writes an answer by its form."""
    sim, wire = get(session, SESSION.sim), get(session, SESSION.wire)
    words, reply = sim + HEAD.words, reply_of(answer)
    for offset in range(0, WORDS_BYTES, 8):
        put(words, offset, 0)
    set_terms(answer, words)
    if reply == IS_ACCEPTED or reply == IS_REPLACED:
        put(words, WORD.quantity, get(answer, ANSWER.whole))
    if reply == CANCEL_IS_REJECTED and get(answer, ANSWER.old_token) != 0:
        put(words, WORD.token, get(answer, ANSWER.old_token))
    codes = wire + (WIRE.cancel_codes if reply == IS_CANCELED else WIRE.reject_codes)
    put(words, WORD.reason, get(codes + 8 * get(answer, ANSWER.reason), 0))
    instrument = get(answer, ANSWER.instrument)
    put(words, WORD.symbol, get(get(wire, WIRE.symbols) + 8 * instrument, 0))
    sequence = get(session, SESSION.sequence) + 1
    numbered = get(wire + 8 * reply, WIRE.numbered)
    put(words, WORD.sequence, sequence if numbered != 0 else 0)
    length = fill(get(wire + 8 * reply, WIRE.replies), words, place)
    if length == 0:
        add(sim, HEAD.unsaid, 1)
    elif numbered != 0:
        put(session, SESSION.sequence, sequence)
    return length


@njit(nogil=True)
def read_message(session, data, length, request):
    """Reads a message; 1, or 0 where it is no order, replace or cancel."""
    if get(session, SESSION.wire) != 0:
        return read_forms(session, data, length, request)
    return read_words(data, length, request)


@njit(nogil=True)
def write_answer(session, answer, place):
    """Writes an answer; its length in bytes, 0 where the protocol has no such message."""
    if get(session, SESSION.wire) != 0:
        return write_forms(session, answer, place)
    return write_words(answer, place)
