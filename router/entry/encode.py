"""Order messages of intents and children, at once as bytes: a template of the session, patched.

The templates of an instrument stand together behind a word that says whether it is traded there.
"""

from __future__ import annotations

from numba import njit

from nic.raw import load_i64le
from router.entry.formkernels import choice_number, fill_from, letters_of
from router.entry.formlayout import CANNOT_SAY, WORD
from router.entry.layout import (
    CANCEL_FORM,
    ENTER_FORM,
    ENTER_FULL,
    REPLACE_FORM,
    REPLACE_FULL,
    SESSION,
    session_row,
)
from router.rows import add, child_row, get, named_token, put, venue_row
from router.tables import CHILD, HEAD, INTENT, VENUE


@njit(nogil=True, forceinline=True)
def session_of(router, venue):
    """The row of a venue's session."""
    return session_row(router, get(venue_row(router, venue), VENUE.session))


@njit(nogil=True, forceinline=True)
def write_form(router, session, instrument, number, out):
    """Writes a form of the session's words; bytes, 0 where it cannot be said (counted)."""
    templates = get(session, SESSION.templates) + get(session, SESSION.template_bytes) * instrument
    form = get(session, SESSION.forms + 8 * number)
    length = 0
    if form != 0 and load_i64le(templates) != 0:
        words = session + SESSION.words
        put(words, WORD.sequence, get(session, SESSION.sequence) + 1)
        put(words, WORD.sent_ns, get(router, HEAD.now_ns))
        template = templates + get(session, SESSION.places + 8 * number)
        length = fill_from(form, template, words, out)
    if length == 0:
        add(session, SESSION.unsaid, 1)
    return length


@njit(nogil=True, forceinline=True)
def put_terms(words, token, side, quantity, price, tif, flags, minimum, shown):
    """Writes the words of an order."""
    put(words, WORD.token, token)
    put(words, WORD.side, side)
    put(words, WORD.quantity, quantity)
    put(words, WORD.price, price)
    put(words, WORD.tif, tif)
    put(words, WORD.flags, flags)
    put(words, WORD.minimum, minimum)
    put(words, WORD.shown, shown)


@njit(nogil=True)
def encode_order(router, intent, out):
    """Writes the order that an intent wants entered.

    Args:
        intent: its row; the token has been given out.
        out: room for a message and 7 bytes more: a session's `out`.

    Returns:
        Bytes; 0 where the protocol cannot say it.
    """
    session = session_of(router, get(intent, INTENT.venue))
    token, side, tif = get(intent, INTENT.token), get(intent, INTENT.side), get(intent, INTENT.tif)
    quantity, price = get(intent, INTENT.quantity), get(intent, INTENT.price)
    minimum, shown = get(intent, INTENT.minimum), get(intent, INTENT.shown)
    flags, words = get(intent, INTENT.flags), session + SESSION.words
    put_terms(words, token, side, quantity, price, tif, flags, minimum, shown)
    number = ENTER_FORM if minimum | shown == 0 else ENTER_FULL
    return write_form(router, session, get(intent, INTENT.instrument), number, out)


@njit(nogil=True)
def encode_replace(router, intent, out):
    """As `encode_order`, of an intent to replace: the new quantity is the whole of it.

    What the intent does not change is the child's.
    """
    child = child_row(router, get(intent, INTENT.child))
    session = session_of(router, get(child, CHILD.venue))
    token, side, tif = get(intent, INTENT.token), get(child, CHILD.side), get(child, CHILD.tif)
    quantity, price = get(intent, INTENT.quantity), get(intent, INTENT.price)
    minimum, shown = get(child, CHILD.minimum), get(child, CHILD.shown)
    flags, words = get(child, CHILD.flags), session + SESSION.words
    put_terms(words, token, side, quantity, price, tif, flags, minimum, shown)
    put(words, WORD.old_token, get(child, CHILD.token))
    number = REPLACE_FORM if minimum | shown == 0 else REPLACE_FULL
    return write_form(router, session, get(child, CHILD.instrument), number, out)


@njit(nogil=True)
def encode_cancel(router, child, out):
    """As `encode_order`: the cancel of a child, given by its row, in full."""
    session = session_of(router, get(child, CHILD.venue))
    words = session + SESSION.words
    token = named_token(child)
    put(words, WORD.token, token | get(session, SESSION.request))
    put(words, WORD.old_token, token)
    return write_form(router, session, get(child, CHILD.instrument), CANCEL_FORM, out)


@njit(nogil=True)
def can_say(router, venue, instrument, side, tif, flags, price, minimum, shown):
    """Whether a venue's protocol has words for such an order: 1 or 0."""
    session = session_of(router, venue)
    templates = get(session, SESSION.templates) + get(session, SESSION.template_bytes) * instrument
    number = ENTER_FORM if minimum | shown == 0 else ENTER_FULL
    form = get(session, SESSION.forms + 8 * number)
    if form == 0 or load_i64le(templates) == 0:
        return 0
    letters = letters_of(form, choice_number(side, tif, flags, price))
    hides = shown != 0 and get(session, SESSION.shows_all) != 0
    return 0 if letters == CANNOT_SAY or hides else 1
