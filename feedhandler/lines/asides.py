"""What becomes of actions that were decoded aside: images, what was held, complete updates."""

from __future__ import annotations

from numba import njit

from feedhandler.actions import (
    ACTION_BYTES,
    ADD,
    ALL,
    CLEAR,
    CLOSED_SIDE,
    MODIFY,
    REDUCE,
    SNAPSHOT_END,
    STATUS,
    TOP,
)
from feedhandler.books.apply import FLAG_MASK, FLAG_SHIFT, UNIT_MASK, UNIT_SHIFT, word
from feedhandler.books.changes import ladder_of
from feedhandler.books.keys import instrument_of
from feedhandler.books.layout import (
    APPLY,
    BAD_PRICE,
    BAD_QUANTITY,
    BAD_SIDE,
    DUPLICATE_ORDER,
    FAULTS,
    INSTRUMENTS,
    LIVE,
    OVER_REDUCED,
    STALE,
    TOP_KEY,
    TOP_STATUS,
    TOP_TRUST,
    TOP_UNIT,
    UNKNOWN_ORDER,
)
from feedhandler.books.orders import find_order, level_at
from feedhandler.books.tops import top_address
from feedhandler.books.trust import mark_of, set_mark, set_trust, table_was_full
from feedhandler.books.whole import clear_instrument
from feedhandler.context import ACTION_COUNTS, BOOK, FAULT_COUNTS, KIND_ROOM, VENUE, get, put
from feedhandler.faults import NO_ROOM, UNKNOWN_MESSAGE
from feedhandler.lines.layout import (
    ARRIVALS,
    ASIDE,
    ASIDE_BOOK,
    ASIDE_FAULTS,
    ASIDE_MADE,
    ASIDE_VENUE,
    BY_IMAGE,
    CATCH_UP,
    DAMAGED,
    EXPECTED,
    IMAGE_NEXT,
    KEY,
    KEYED,
    MARKS,
    STATE,
    TOLD,
    TOLD_PARTLY,
    WRAPS,
)
from feedhandler.lines.layout import STALE as STREAM_STALE
from feedhandler.lines.wide import wide_sequence
from nic.call import call_release as call_apply  # a function of the same form
from nic.raw import load_fixed, load_i64le, load_n8, load_n32le, store_u8, store_u32le, store_u64le

LEAST_KIND, MOST_KIND = ADD, TOP  # those that change orders and levels


@njit(nogil=True)
def made_so_far(context):
    """Actions decoded by a channel since the start."""
    total = 0
    for kind in range(KIND_ROOM):
        total += get(context, ACTION_COUNTS + 8 * kind)
    return total


@njit(nogil=True)
def faults_so_far(context):
    """Decoding faults since the start, without messages that no table knows: these mean nothing."""
    total = 0
    for fault in range(1, NO_ROOM + 1):
        if fault != UNKNOWN_MESSAGE:
            total += get(context, FAULT_COUNTS + 8 * fault)
    return total


@njit(nogil=True)
def aside(context, stream):
    """What is decoded from now on stays in the batch: the channel keeps no books for a moment."""
    put(stream, ASIDE_BOOK, get(context, BOOK))
    put(stream, ASIDE_VENUE, get(context, VENUE))
    put(stream, ASIDE_MADE, made_so_far(context))
    put(stream, ASIDE_FAULTS, faults_so_far(context))
    put(context, BOOK, 0)
    put(context, VENUE, 0)
    return 0


@njit(nogil=True)
def back(context, stream):
    """Gives the channel its books back; gives the number of actions in the batch."""
    put(context, BOOK, get(stream, ASIDE_BOOK))
    put(context, VENUE, get(stream, ASIDE_VENUE))
    return made_so_far(context) - get(stream, ASIDE_MADE)


@njit(nogil=True)
def impossible_so_far(book):
    """Actions that a true image has none of, since the start."""
    counts = book + FAULTS
    total = load_i64le(counts + 8 * UNKNOWN_ORDER) + load_i64le(counts + 8 * DUPLICATE_ORDER)
    total += load_i64le(counts + 8 * OVER_REDUCED) + load_i64le(counts + 8 * BAD_SIDE)
    return total + load_i64le(counts + 8 * BAD_PRICE) + load_i64le(counts + 8 * BAD_QUANTITY)


@njit(nogil=True)
def belongs(action, unit, stream):
    """1: an action is of the unit or key of the image; 0: of no matter to it; -1: it cannot be."""
    kind, keyed = load_n8(action), get(stream, KEYED) != 0
    own = word(action, 1) == get(stream, KEY) if keyed else True
    if LEAST_KIND <= kind <= MOST_KIND:
        of_unit = (word(action, 0) >> UNIT_SHIFT) & UNIT_MASK == unit
        return 1 if own and of_unit else -1
    flags = (word(action, 0) >> FLAG_SHIFT) & FLAG_MASK
    return 1 if own and (not keyed or flags & ALL == 0) else 0


@njit(nogil=True)
def image_actions(context, book, unit, stream, batch, made):
    """A part of an image into the books, its orders in the order of the image; 0, or below 0.

    Below 0: the part does not decode without fault, is of another unit or key, or has what an image
    cannot have. What a table has no room for leaves its instrument stale, and no more.
    """
    if faults_so_far(context) != get(stream, ASIDE_FAULTS):
        return -1
    arrival, before = get(stream, ARRIVALS), impossible_so_far(book)
    for number in range(made):
        action = batch + ACTION_BYTES * number
        fits = belongs(action, unit, stream)
        if fits < 0:
            return -1
        if fits == 0:
            store_u8(action, 0)  # no kind: nothing is applied
        if get(stream, BY_IMAGE) == 0:
            store_u64le(action + 56, arrival + number)
    put(stream, ARRIVALS, arrival + made)
    if made > 0:
        call_apply(load_i64le(book + APPLY), book, batch, made)
    return 0 if impossible_so_far(book) == before else -1


@njit(nogil=True)
def mark_instrument(book, unit, stream):
    """The image of an instrument is whole: it lacks nothing from the sequence behind it on."""
    instrument = instrument_of(book, get(stream, KEY))
    if instrument < 0:
        return
    top = top_address(book, instrument)
    store_u32le(top + TOP_UNIT, unit)
    store_u64le(top + TOP_KEY, get(stream, KEY))
    if not table_was_full(top):
        set_mark(book, instrument, get(stream, IMAGE_NEXT))


@njit(nogil=True)
def replay_all(book, unit, action, sequence, known):
    """An action on a whole unit, for those instruments whose image is not newer.

    `known`: one that is emptied is right from then on.
    """
    for instrument in range(load_fixed(book + INSTRUMENTS)):
        top = top_address(book, instrument)
        if load_n32le(top + TOP_UNIT) == unit and mark_of(book, instrument) <= sequence:
            if load_n8(action) == CLEAR:
                clear_instrument(book, instrument, word(action, 6))
                if known:
                    set_mark(book, instrument, max(1, sequence))
            else:
                store_u8(top + TOP_STATUS, word(action, 5) & 0xFF)


@njit(nogil=True)
def named_by(book, action):
    """The instrument that an action is about; -1 when that is not known."""
    kind, key = load_n8(action), word(action, 1)
    if key != 0:
        return instrument_of(book, key)
    if REDUCE <= kind <= MODIFY:
        order = find_order(book, word(action, 2))
        if order != 0:
            return ladder_of(book, level_at(order)) >> 1
    return -1


@njit(nogil=True)
def whole_again(book, stream, instrument, sequence):
    """Nothing is missing of an instrument: it has a mark, unless a table was full for it."""
    if table_was_full(top_address(book, instrument)):
        return False
    put(stream, MARKS, 1)
    set_mark(book, instrument, max(1, sequence))
    return True


@njit(nogil=True)
def note_whole(book, stream, action):
    """A decoder says that an instrument is whole: nothing of it was lost."""
    if load_n8(action) != SNAPSHOT_END:
        return
    instrument = instrument_of(book, word(action, 1))
    if instrument >= 0:
        whole_again(book, stream, instrument, word(action, 7))


@njit(nogil=True)
def replay_actions(book, unit, stream, batch, made):
    """What was held behind images of single instruments, one by one: what they have is left out.

    A decoder that leaves it out itself has done so.
    """
    by_image = get(stream, BY_IMAGE) != 0
    for number in range(made):
        action = batch + ACTION_BYTES * number
        sequence = word(action, 7)
        if get(stream, WRAPS) != 0:
            sequence = wide_sequence(get(stream, EXPECTED), sequence)
        kind, flags = load_n8(action), (word(action, 0) >> FLAG_SHIFT) & FLAG_MASK
        if flags & ALL != 0 and (kind == CLEAR or kind == STATUS):
            replay_all(book, unit, action, sequence, by_image)
            continue
        if by_image:
            call_apply(load_i64le(book + APPLY), book, action, 1)
            note_whole(book, stream, action)
            continue
        instrument = named_by(book, action)
        before = get(stream, CATCH_UP) if instrument < 0 else mark_of(book, instrument)
        if sequence >= before:
            call_apply(load_i64le(book + APPLY), book, action, 1)


@njit(nogil=True)
def complete(first, second):
    """Whether two actions are of one message and give both sides of an instrument that trades."""
    if load_n8(first) != TOP or load_n8(second) != TOP or load_n8(first + 1) == load_n8(second + 1):
        return False
    if ((word(first, 0) | word(second, 0)) >> FLAG_SHIFT) & CLOSED_SIDE != 0:
        return False
    return word(first, 1) == word(second, 1) and word(first, 7) == word(second, 7)


@njit(nogil=True)
def all_gone(action):
    """Whether the orders and levels of a whole channel are gone."""
    flags = (word(action, 0) >> FLAG_SHIFT) & FLAG_MASK
    return load_n8(action) == CLEAR and flags & ALL != 0


@njit(nogil=True)
def refresh_instruments(book, stream, batch, made):
    """Instruments that these actions, applied, say everything of are right on their own.

    They are live at once, unless all wait for messages that were asked for and may yet come. Where
    a decoder knows whole instruments, an empty channel is right as well: the stream is not damaged.
    """
    by_image = get(stream, BY_IMAGE) != 0
    for number in range(made):
        action = batch + ACTION_BYTES * number
        if by_image and all_gone(action):
            put(stream, DAMAGED, 0)
            put(stream, ASIDE, 0)
        told = by_image and load_n8(action) == SNAPSHOT_END
        pair = not by_image and number < made - 1 and complete(action, action + ACTION_BYTES)
        if not (told or pair):
            continue
        instrument = instrument_of(book, word(action, 1))
        if instrument < 0 or not whole_again(book, stream, instrument, word(action, 7)):
            continue
        if get(stream, STATE) == STREAM_STALE or get(stream, TOLD) == TOLD_PARTLY:
            put(stream, TOLD, TOLD_PARTLY)
            top = top_address(book, instrument)
            if load_n8(top + TOP_TRUST) == STALE:
                set_trust(top, LIVE)
