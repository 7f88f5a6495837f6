"""New orders: what is checked, how a row is filled, how the order begins."""

from __future__ import annotations

from numba import njit

from feedhandler.actions import (
    BUY,
    NO_PRICE,
    SELL,
    STATUS_CLOSED,
    STATUS_HALTED,
    STATUS_PAUSED,
    STATUS_TRADING,
)
from feedhandler.books.layout import INSTRUMENTS
from nic.raw import load_fixed, load_i64le, load_n8, load_n32le, store_u8, store_u32le, store_u64le
from simulator.matching import records as r
from simulator.matching.layout import (
    CAP,
    CONDITIONALS,
    DISPLAY,
    FLAGS,
    GROUP,
    HALT_QUEUES,
    INSTRUMENT,
    INVITATION,
    INVITED_NS,
    LEAVES,
    LEVEL,
    MARKS,
    MIDPOINT_ONLY,
    MINIMUM,
    MOST_PRICE,
    MOST_SHARES,
    NO_AUCTIONS,
    NONE,
    NUMBER,
    OFFSET,
    ORDER_SLICES,
    OWNER_ROOM,
    PRICE,
    REFERENCE,
    RESERVED,
    ROUND_LOT,
    RULES,
    SELF_TRADE_MODES,
    SHOWN,
    SIDE,
    SLICE_ROOM,
    SLICES,
    TAKES_RETAIL,
    TIME_IN_FORCE,
    TOKEN,
    TYPE,
    UNSEEN,
)
from simulator.matching.out import next_number, refuse, report
from simulator.matching.prices import on_tick
from simulator.matching.rows import give_order, instrument_at, order_at, take_order
from simulator.matching.tokens import fill_slot, slot_of
from simulator.matching.trading import STP_MASK
from simulator.matching.working import begin, set_price

C_TYPE, C_TIME_IN_FORCE, C_FLAGS, C_INSTRUMENT, C_OWNER, C_TOKEN = 2, 3, 4, 8, 12, 24
C_TARGET, C_PRICE, C_QUANTITY, C_DISPLAY, C_MINIMUM, C_CAP, C_GROUP = 32, 40, 48, 56, 64, 72, 80


@njit(nogil=True, forceinline=True)
def limit_or_none(value):
    """The limit of a peg as orders keep it: 0 for none."""
    return 0 if value == NO_PRICE else value


@njit(nogil=True, forceinline=True)
def may_display(kind, tif, rules):
    """Whether orders of a type can be displayed at all."""
    dark = kind == r.MIDPOINT_PEG or rules & MIDPOINT_ONLY != 0
    return tif == r.DAY and kind != r.MARKET and not dark


@njit(nogil=True)
def bad_quantities(state, command, kind, tif, flags):
    """The reason to refuse the quantities of a new or replaced order."""
    quantity, minimum = load_i64le(command + C_QUANTITY), load_i64le(command + C_MINIMUM)
    display, shows = (
        load_i64le(command + C_DISPLAY),
        may_display(kind, tif, load_fixed(state + RULES)),
    )
    if quantity <= 0 or quantity > load_fixed(state + MOST_SHARES):
        return r.BAD_QUANTITY
    if (display | minimum) == 0:
        return r.NO_REASON
    if display < 0 or minimum < 0 or minimum > quantity:
        return r.BAD_QUANTITY
    hidden = flags & r.HIDDEN != 0
    if minimum > 0 and (tif >= r.OPENING or (shows and not hidden)):
        return r.BAD_TYPE
    if display > 0 and shows:
        if hidden:
            return r.BAD_TYPE
        if display < min(quantity, load_fixed(state + ROUND_LOT)):
            return r.BAD_QUANTITY
    return r.NO_REASON


@njit(nogil=True)
def bad_prices(state, command, kind):
    """The reason to refuse the prices of a new or replaced order."""
    price, cap = load_i64le(command + C_PRICE), limit_or_none(load_i64le(command + C_CAP))
    if kind == r.LIMIT:
        return r.NO_REASON if on_tick(state, price) else r.BAD_PRICE
    if kind == r.MARKET:
        return r.NO_REASON
    if cap != 0 and not on_tick(state, cap):
        return r.BAD_PRICE
    if kind == r.PRIMARY_PEG and not -MOST_PRICE < price < MOST_PRICE:
        return r.BAD_PRICE
    return r.NO_REASON


@njit(nogil=True)
def bad_kind(state, command, kind, tif, flags):
    """The reason to refuse a combination of type, time in force and flags."""
    side, rules = load_n8(command + 1), load_fixed(state + RULES)
    mode = (flags >> r.STP_SHIFT) & STP_MASK
    if side < BUY or side > SELL or kind < r.LIMIT or kind > r.PRIMARY_PEG or tif > r.CLOSING:
        return r.BAD_TYPE
    if (load_fixed(state + SELF_TRADE_MODES) >> mode) & 1 == 0:
        return r.BAD_TYPE
    if (flags & ~r.STP_FLAGS) == 0 and tif == r.DAY and kind < r.MIDPOINT_PEG:
        return r.NO_REASON
    if flags & r.POST_ONLY and (tif == r.IOC or tif == r.FOK or kind == r.MARKET):
        return r.BAD_TYPE
    if flags & r.RETAIL and not rules & TAKES_RETAIL:
        return r.BAD_TYPE
    if flags & r.CONDITIONAL and (not rules & CONDITIONALS or tif != r.DAY or kind == r.MARKET):
        return r.BAD_TYPE
    if tif >= r.OPENING and (kind >= r.MIDPOINT_PEG or rules & (NO_AUCTIONS | MIDPOINT_ONLY)):
        return r.BAD_TYPE
    if kind == r.PRIMARY_PEG and rules & MIDPOINT_ONLY:
        return r.BAD_TYPE
    return r.NO_REASON


@njit(nogil=True)
def bad_now(state, status, kind, tif, flags):
    """The reason to refuse an order while its instrument does not trade."""
    if status == STATUS_CLOSED:
        return r.CLOSED
    if tif >= r.OPENING:
        return r.NO_REASON
    halted = status == STATUS_HALTED or status == STATUS_PAUSED
    if halted and not load_fixed(state + RULES) & HALT_QUEUES:
        return r.HALTED
    waits = tif == r.DAY and kind == r.LIMIT and not flags & r.CONDITIONAL
    return r.NO_REASON if waits and not load_fixed(state + RULES) & MIDPOINT_ONLY else r.HALTED


@njit(nogil=True)
def slices_wanted(state, command, kind, tif):
    """Slices of a reserve order beyond the first; 0 for any other."""
    display, quantity = load_i64le(command + C_DISPLAY), load_i64le(command + C_QUANTITY)
    if display <= 0 or display >= quantity:
        return 0
    return (quantity - 1) // display if may_display(kind, tif, load_fixed(state + RULES)) else 0


@njit(nogil=True)
def check_new(state, command):
    """The reason to refuse a new order before anything is looked up."""
    instrument, owner = load_n32le(command + C_INSTRUMENT), load_n32le(command + C_OWNER)
    kind, tif = load_n8(command + C_TYPE), load_n8(command + C_TIME_IN_FORCE)
    flags = load_n32le(command + C_FLAGS)
    if instrument < 1 or instrument >= load_fixed(state + INSTRUMENTS):
        return r.UNKNOWN_INSTRUMENT
    if owner < 1 or owner >= load_fixed(state + OWNER_ROOM):
        return r.RISK
    if flags & r.REFUSE:
        return r.THROTTLED
    reason = bad_kind(state, command, kind, tif, flags)
    if reason == r.NO_REASON:
        reason = bad_quantities(state, command, kind, tif, flags)
    if reason == r.NO_REASON:
        reason = bad_prices(state, command, kind)
    status = load_i64le(instrument_at(state, instrument))
    if reason == r.NO_REASON and status != STATUS_TRADING:
        reason = bad_now(state, status, kind, tif, flags)
    return reason


@njit(nogil=True)
def fill_terms(state, order, command, kind, tif):
    """Writes into a row what a replace can change. PRICE holds the limit of a limit order."""
    rules, flags = load_fixed(state + RULES), load_n32le(order + FLAGS)
    price, cap = load_i64le(command + C_PRICE), limit_or_none(load_i64le(command + C_CAP))
    if rules & MIDPOINT_ONLY and kind != r.MIDPOINT_PEG:
        cap = price if kind == r.LIMIT else 0
    slices = slices_wanted(state, command, kind, tif)
    marks = RESERVED if slices != 0 else 0
    if flags & r.HIDDEN or kind == r.MIDPOINT_PEG or rules & MIDPOINT_ONLY:
        marks |= UNSEEN
    if flags & r.CONDITIONAL:
        marks |= INVITATION
    store_u8(order + MARKS, marks)
    store_u64le(order + LEAVES, load_i64le(command + C_QUANTITY))
    store_u32le(order + ORDER_SLICES, slices)
    store_u64le(order + PRICE, price)
    store_u64le(order + DISPLAY, load_i64le(command + C_DISPLAY))
    store_u64le(order + MINIMUM, load_i64le(command + C_MINIMUM) if tif != r.FOK else 0)
    store_u64le(order + CAP, cap)
    store_u64le(order + OFFSET, price)
    store_u64le(order + INVITED_NS, 0)


@njit(nogil=True)
def fill_order(state, order, command):
    """Writes a new order into its row. A dark pool makes a midpoint peg of whatever comes."""
    kind, tif = load_n8(command + C_TYPE), load_n8(command + C_TIME_IN_FORCE)
    store_u32le(order + FLAGS, load_n32le(command + C_FLAGS))
    fill_terms(state, order, command, kind, tif)
    store_u64le(state + SLICES, load_i64le(state + SLICES) + load_n32le(order + ORDER_SLICES))
    store_u32le(order + LEVEL, 0)
    store_u64le(order + SHOWN, 0)
    store_u64le(order + TOKEN, load_i64le(command + C_TOKEN))
    store_u64le(order + INSTRUMENT, load_i64le(command + C_INSTRUMENT))  # and the owner
    store_u64le(order + GROUP, load_i64le(command + C_GROUP))
    if load_fixed(state + RULES) & MIDPOINT_ONLY:
        tif = r.IOC if kind == r.MARKET and tif == r.DAY else tif
        kind = r.MIDPOINT_PEG
    store_u8(order + SIDE, load_n8(command + 1))
    store_u8(order + TYPE, kind)
    store_u8(order + TIME_IN_FORCE, tif)


@njit(nogil=True)
def give_back(state, order):
    """Frees the row of an order that was refused."""
    store_u64le(state + SLICES, load_i64le(state + SLICES) - load_n32le(order + ORDER_SLICES))
    give_order(state, order)


@njit(nogil=True)
def enter(state, command):
    """A NEW command."""
    reason = check_new(state, command)
    if reason != r.NO_REASON:
        refuse(state, command, r.REJECTED, reason)
        return
    owner, token = load_n32le(command + C_OWNER), load_i64le(command + C_TOKEN)
    slot = slot_of(state, owner, token)
    if load_n32le(slot + 12) != 0:
        refuse(state, command, r.REJECTED, r.DUPLICATE_TOKEN)
        return
    row = take_order(state)
    if row == 0:
        refuse(state, command, r.REJECTED, r.BOOK_FULL)
        return
    order = order_at(state, row)
    fill_order(state, order, command)
    reason = set_price(state, order)
    if load_i64le(state + SLICES) > load_fixed(state + SLICE_ROOM):
        reason = r.BOOK_FULL
    if reason != r.NO_REASON:
        give_back(state, order)
        refuse(state, command, r.REJECTED, reason)
        return
    number = next_number(state)
    store_u64le(order + NUMBER, number)
    store_u64le(order + REFERENCE, number)
    fill_slot(slot, owner, token, row)
    report(state, order, r.ACCEPTED, r.NO_REASON, load_i64le(order + LEAVES), NONE)
    begin(state, order)
