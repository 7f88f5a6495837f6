"""The compiled decoders of Cboe PITCH, its gap request proxy and its spin image.

An execution at another price states the order's remaining quantity, which need not be what the
order had less what was executed. It becomes two actions that leave a book exact: MODIFY in place to
executed + remaining at an unchanged price (NO_PRICE), then EXECUTE_PRICE.
"""

from __future__ import annotations

from numba import njit

from feedhandler.actions import (
    ACTION_BYTES,
    ADD,
    ATTRIBUTED,
    AUCTION,
    AUCTION_UNKNOWN,
    BUY,
    EXECUTE_PRICE,
    FAR,
    HIDDEN,
    KEEPS_PRIORITY,
    MODIFY,
    NO_PRICE,
    REFRESH,
    SELL,
    TYPED,
    emit,
    head,
)
from feedhandler.context import UNIT, get, set_second, since_midnight, since_second
from feedhandler.faults import UNKNOWN_VALUE
from feedhandler.protocols.cboe_pitch import CBOE_PITCH
from feedhandler.protocols.cboe_pitch_acts import AUCTIONS, DISPLAY_BIT, GRP_ROWS, ROWS, SPIN_ROWS
from feedhandler.wire.access import load_key, load_price, loads
from feedhandler.wire.clocks import from_second
from feedhandler.wire.constants import by_letter, constant_i32, constant_table
from feedhandler.wire.interpreter import interpreter
from feedhandler.wire.scalar import BILLION

TIME, ADD_EXPANDED, EXECUTED_AT_PRICE, AUCTION_UPDATE = 0x20, 0x2F, 0x24, 0x95
BLANK = 0x20202020

(seconds,) = loads(CBOE_PITCH[TIME], "time")
order_id, side_indicator, quantity, add_flags, participant = loads(
    CBOE_PITCH[ADD_EXPANDED],
    "order_id",
    "side_indicator",
    "quantity",
    "add_order_flags",
    "participant_id",
)
add_symbol = load_key(CBOE_PITCH[ADD_EXPANDED], "symbol_extended")
add_price = load_price(CBOE_PITCH[ADD_EXPANDED], "price")
executed, remaining, execution_id = loads(
    CBOE_PITCH[EXECUTED_AT_PRICE], "executed_quantity", "remaining_quantity", "execution_id"
)
execution_price = load_price(CBOE_PITCH[EXECUTED_AT_PRICE], "price")
buy_shares, sell_shares, auction_type, time_offset = loads(
    CBOE_PITCH[AUCTION_UPDATE], "buy_shares", "sell_shares", "auction_type", "time_offset"
)
auctions_at = constant_table(by_letter(AUCTIONS, AUCTION_UNKNOWN))
auction_symbol = load_key(CBOE_PITCH[AUCTION_UPDATE], "symbol_extended")
reference = load_price(CBOE_PITCH[AUCTION_UPDATE], "reference_price")
indicative = load_price(CBOE_PITCH[AUCTION_UPDATE], "indicative_price")
auction_only = load_price(CBOE_PITCH[AUCTION_UPDATE], "auction_only_price")


@njit(nogil=True)
def now(address, context):
    """Epoch ns of a message with a time offset; all of them have it at the same place."""
    return since_second(context, get(context, UNIT), time_offset(address))


@njit(nogil=True)
def head_of(context, kind, side, flags):
    """The first word of a record, with the packet's unit."""
    return head(kind, side, flags) | (get(context, UNIT) << 32)


@njit(nogil=True)
def announce(address, context):
    """Time: the second that the unit's offsets count from."""
    set_second(context, get(context, UNIT), since_midnight(context, seconds(address) * BILLION))
    return 0


@njit(nogil=True)
def add_expanded(address, sequence, context, out, refresh):
    """Add order expanded: attributed when it names a participant."""
    code = side_indicator(address)
    if code not in (ord("B"), ord("S")):
        return -UNKNOWN_VALUE
    side = BUY if code == ord("B") else SELL
    flags = refresh | (0 if add_flags(address) & DISPLAY_BIT else HIDDEN)
    if participant(address) not in (BLANK, 0):
        flags |= ATTRIBUTED
    first, time_ns = head_of(context, ADD, side, flags), now(address, context)
    key, order, price, size = (
        add_symbol(address),
        order_id(address),
        add_price(address),
        quantity(address),
    )
    return emit(out, first, key, order, price, size, 0, time_ns, sequence)


@njit(nogil=True)
def execute_at_price(address, sequence, context, out):
    """Order executed at price size, as this file's head says."""
    order, time_ns, shares = order_id(address), now(address, context), executed(address)
    first = head_of(context, MODIFY, 0, KEEPS_PRIORITY)
    left = shares + remaining(address)
    emit(out, first, 0, order, NO_PRICE, left, 0, time_ns, sequence)
    first = head_of(context, EXECUTE_PRICE, 0, 0)
    price, trade, place = execution_price(address), execution_id(address), out + ACTION_BYTES
    emit(place, first, 0, order, price, shares, trade, time_ns, sequence)
    return 2


@njit(nogil=True)
def update_auction(address, sequence, context, out):
    """Auction update: paired and imbalance follow from the shares on both sides.

    Three records: what all interest would do, what that of the auction would, and which it is.
    """
    bought, sold = buy_shares(address), sell_shares(address)
    side = BUY if bought > sold else (SELL if sold > bought else 0)
    paired, imbalance = min(bought, sold), abs(bought - sold)
    key, time_ns, price = auction_symbol(address), now(address, context), reference(address)
    first = head_of(context, AUCTION, side, 0)
    emit(out, first, key, imbalance, price, paired, indicative(address), time_ns, sequence)
    first = head_of(context, AUCTION, side, FAR)
    place, far = out + ACTION_BYTES, auction_only(address)
    emit(place, first, key, imbalance, price, paired, far, time_ns, sequence)
    first, letter = head_of(context, AUCTION, 0, TYPED), auction_type(address)
    auction = constant_i32(auctions_at() + 4 * letter)
    place += ACTION_BYTES
    emit(place, first, key, letter, 0, 0, auction, time_ns, sequence)
    return 3


@njit(nogil=True)
def special(code, address, length, sequence, context, out):
    """The messages of the multicast that rows cannot say."""
    if code == TIME:
        return announce(address, context)
    if code == EXECUTED_AT_PRICE:
        return execute_at_price(address, sequence, context, out)
    if code == ADD_EXPANDED:
        return add_expanded(address, sequence, context, out, 0)
    if code == AUCTION_UPDATE:
        return update_auction(address, sequence, context, out)
    return 0


@njit(nogil=True)
def spin_special(code, address, length, sequence, context, out):
    """The messages of a spin image that rows cannot say."""
    if code == TIME:
        return announce(address, context)
    if code == ADD_EXPANDED:
        return add_expanded(address, sequence, context, out, REFRESH)
    return 0


message = interpreter(ROWS, clock=from_second, special=special)
grp_message = interpreter(GRP_ROWS)
spin_message = interpreter(SPIN_ROWS, clock=from_second, special=spin_special)
