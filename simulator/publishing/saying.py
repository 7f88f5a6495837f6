"""Saying one thing: the first form of a kind into which the values fit becomes a message."""

from __future__ import annotations

from numba import njit

from feedhandler.actions import BUY, SELL
from feedhandler.context import add, get, put
from nic.raw import load_i64le, load_n8, store_u32le, store_u64le
from simulator.publishing.layout import (
    AUX,
    BUYS,
    CLOSING,
    COUNT,
    CROSS,
    FAR,
    FLAGS,
    FROM_MIDNIGHT,
    INSTRUMENT_DTYPE,
    KEY,
    MESSAGE_DTYPE,
    OPENING,
    ORDER,
    PRICE,
    QUANTITY,
    REMAINING,
    RESTRICTED,
    SCALE,
    SECOND,
    SELLS,
    SIDE,
    STATE_DTYPE,
    STATUS,
    SYMBOL,
    SYMBOL_SECOND,
    TIME,
    UNIT_SECOND,
    UNSAYABLE,
    offsets,
)
from simulator.publishing.placing import set_value, value_of, write_form

BILLION = 1_000_000_000
NOON_NS = 12 * 3600 * BILLION
CLOCK_SLOT = 17  # feedhandler.actions.CLOCK
INSTRUMENT_BYTES, MESSAGE_BYTES = INSTRUMENT_DTYPE.itemsize, MESSAGE_DTYPE.itemsize
I_SYMBOL, I_SCALE, I_COUNT, I_STATUS, I_RESTRICTED, I_FAR = offsets(
    INSTRUMENT_DTYPE, "symbol", "scale", "count", "status", "restricted", "far"
)
M_OFFSET, M_LENGTH, M_KEY = offsets(MESSAGE_DTYPE, "offset", "length", "key")
SLOTS, INSTRUMENTS, OUT, USED, ROWS, MADE, SAID, TIME_BASE, MIDNIGHT, LAST_SECOND = offsets(
    STATE_DTYPE,
    "slots",
    "instruments",
    "out",
    "used",
    "messages",
    "made",
    "said",
    "time_base",
    "midnight_ns",
    "second",
)
NO_SECOND = -1


@njit(nogil=True, forceinline=True)
def word(event, number):
    """A 64-bit word of an event."""
    return load_i64le(event + 8 * number)


@njit(nogil=True, forceinline=True)
def flags_of(event):
    """The flags of an event."""
    return (word(event, 0) >> 16) & 0xFFFF


@njit(nogil=True, forceinline=True)
def instrument_at(state, key):
    """Address of an instrument's row."""
    return get(state, INSTRUMENTS) + INSTRUMENT_BYTES * key


@njit(nogil=True, forceinline=True)
def can_say(state, slot):
    """Whether the protocol has a message of that kind."""
    return (get(state, SAID) >> slot) & 1 != 0


@njit(nogil=True)
def note_time(state, time_ns):
    """The event's time as the protocol counts it."""
    base, since = get(state, TIME_BASE), time_ns - get(state, MIDNIGHT)
    set_value(state, CROSS, OPENING if since < NOON_NS else CLOSING)
    if base == FROM_MIDNIGHT:
        time_ns = since
    elif base == UNIT_SECOND:
        set_value(state, SECOND, since // BILLION)
        time_ns = since % BILLION
    elif base == SYMBOL_SECOND:
        set_value(state, SECOND, time_ns // BILLION)
        time_ns %= BILLION
    set_value(state, TIME, time_ns)


@njit(nogil=True)
def about(state, event, key):
    """Fills the scratch row from an event and its instrument."""
    row = instrument_at(state, key)
    set_value(state, KEY, key)
    set_value(state, SYMBOL, load_i64le(row + I_SYMBOL))
    set_value(state, SCALE, load_i64le(row + I_SCALE))
    set_value(state, STATUS, load_i64le(row + I_STATUS))
    set_value(state, RESTRICTED, load_i64le(row + I_RESTRICTED))
    set_value(state, SIDE, load_n8(event + 1))
    set_value(state, FLAGS, flags_of(event))
    set_value(state, ORDER, word(event, 2))
    set_value(state, PRICE, word(event, 3))
    set_value(state, QUANTITY, word(event, 4))
    set_value(state, AUX, word(event, 5))
    set_value(state, REMAINING, 0)
    note_time(state, word(event, 6))


@njit(nogil=True)
def note_auction(state, row, event):
    """The two sides' shares and the far price of an auction."""
    paired, imbalance, side = word(event, 4), word(event, 2), load_n8(event + 1)
    set_value(state, BUYS, paired + (imbalance if side == BUY else 0))
    set_value(state, SELLS, paired + (imbalance if side == SELL else 0))
    far = load_i64le(row + I_FAR)
    set_value(state, FAR, far if far != 0 else word(event, 5))


@njit(nogil=True)
def write_first(state, slot):
    """Appends the first form of a slot that fits; False when none does."""
    row = get(state, SLOTS) + 16 * slot
    first, out = load_i64le(row), get(state, OUT) + get(state, USED)
    for number in range(first, first + load_i64le(row + 8)):
        size = write_form(state, number, out)
        if size != 0:
            place = get(state, ROWS) + MESSAGE_BYTES * get(state, MADE)
            store_u64le(place + M_OFFSET, get(state, USED))
            store_u32le(place + M_LENGTH, size)
            add(state, USED, size)
            add(state, MADE, 1)
            return True
    return False


@njit(nogil=True)
def stamp(state, time_ns, key):
    """Completes the row of the message just appended."""
    place = get(state, ROWS) + MESSAGE_BYTES * (get(state, MADE) - 1)
    store_u64le(place, time_ns)
    store_u32le(place + M_KEY, key)


@njit(nogil=True)
def say(state, slot, time_ns):
    """Says what the scratch row holds, the second first where it is a new one; a refusal or 0."""
    key = value_of(state, KEY)
    if can_say(state, CLOCK_SLOT) and value_of(state, SECOND) != get(state, LAST_SECOND):
        put(state, LAST_SECOND, value_of(state, SECOND))
        write_first(state, CLOCK_SLOT)
        stamp(state, time_ns, 0)
    row = instrument_at(state, key)
    count = load_i64le(row + I_COUNT) + 1
    set_value(state, COUNT, count)
    if not write_first(state, slot):
        return UNSAYABLE
    stamp(state, time_ns, key)
    store_u64le(row + I_COUNT, count)
    return 0
