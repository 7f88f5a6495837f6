"""Commands into a venue's matching, events and reports out."""

from __future__ import annotations

from numba import njit

from feedhandler import actions as a
from feedhandler.actions import ACTION_BYTES, STATUS_CLOSED, STATUS_HALTED, STATUS_TRADING, head
from feedhandler.books.layout import INSTRUMENTS
from nic.raw import load_fixed, load_i64le, load_n8, load_n32le, prefetch, store_u64le
from simulator.matching import records as r
from simulator.matching.auction import open_trading
from simulator.matching.canceling import cancel, cancel_everywhere, cancel_of_owner
from simulator.matching.entry import (
    C_FLAGS,
    C_INSTRUMENT,
    C_OWNER,
    C_PRICE,
    C_TARGET,
    C_TOKEN,
    enter,
)
from simulator.matching.layout import (
    COMMANDS,
    LIVE,
    MORE_RECORDS,
    NONE,
    NOW,
    PUBLIC,
    PUBLIC_AN_ORDER,
    PUBLIC_COUNT,
    PUBLIC_ROOM,
    REPORT,
    REPORT_COUNT,
    REPORT_ROOM,
    REPORTS_AN_ORDER,
    SLICES,
    STATUS,
)
from simulator.matching.moving import set_bands, set_reference
from simulator.matching.out import REPORT_BYTES, tell
from simulator.matching.replacing import replace
from simulator.matching.rows import instrument_at, order_at
from simulator.matching.tokens import home_of, slot_at

COMMAND_BYTES = 128
C_TIME = 16
AHEAD = 8  # commands whose token's slot is asked for early, and half of that their order
STATUS_MASK = 0xFF


@njit(nogil=True)
def set_status(state, instrument, status):
    """An instrument stops trading continuously, and the public is told."""
    store_u64le(instrument_at(state, instrument) + STATUS, status)
    tell(state, head(a.STATUS, NONE, NONE), instrument, NONE, NONE, NONE, status)


@njit(nogil=True)
def set_session(state, status):
    """A SESSION command: the status of all instruments; at the end of the day orders go too."""
    tell(state, head(a.STATUS, NONE, a.ALL), NONE, NONE, NONE, NONE, status)
    for instrument in range(1, load_fixed(state + INSTRUMENTS)):
        if status == STATUS_TRADING:
            open_trading(state, instrument, NONE, NONE, status)
        else:
            store_u64le(instrument_at(state, instrument) + STATUS, status)
    if status == STATUS_CLOSED:
        cancel_everywhere(state, NONE, NONE, r.END_OF_DAY)


@njit(nogil=True)
def work_on_instrument(state, command, kind):
    """The commands about one instrument; an unknown one is passed over."""
    instrument, flags = load_n32le(command + C_INSTRUMENT), load_n32le(command + C_FLAGS)
    if instrument < 1 or instrument >= load_fixed(state + INSTRUMENTS):
        return
    status = load_i64le(instrument_at(state, instrument) + STATUS)
    if kind == r.REFERENCE:
        set_reference(state, command)
    elif kind == r.BANDS:
        set_bands(state, command)
    elif kind == r.RESUME:
        open_trading(state, instrument, NONE, NONE, status)
    elif kind == r.AUCTION:
        open_trading(state, instrument, flags & STATUS_MASK, load_i64le(command + C_PRICE), status)
    elif kind == r.HALT:
        wanted = flags & STATUS_MASK
        halts = wanted != 0 and wanted != STATUS_TRADING  # that is for RESUME, which shows orders
        set_status(state, instrument, wanted if halts else STATUS_HALTED)


@njit(nogil=True)
def work_on_rest(state, command, kind):
    """The commands that are neither a new order nor a cancel."""
    if kind == r.REPLACE:
        replace(state, command)
    elif kind == r.MASS_CANCEL:
        cancel_of_owner(state, command, NONE, r.BY_MASS_CANCEL)
    elif kind == r.DISCONNECT:
        cancel_of_owner(state, command, r.CANCEL_ON_DISCONNECT, r.BY_DISCONNECT)
    elif kind == r.SESSION:
        set_session(state, load_n32le(command + C_FLAGS) & STATUS_MASK)
    else:
        work_on_instrument(state, command, kind)


@njit(nogil=True, forceinline=True)
def ask_for_slot(state, command):
    """Asks for the slot of the token that a command names."""
    token = load_i64le(command + C_TARGET)
    if load_n8(command) == r.NEW:
        token = load_i64le(command + C_TOKEN)
    prefetch(slot_at(state, home_of(state, load_n32le(command + C_OWNER), token)))


@njit(nogil=True, forceinline=True)
def ask_for_order(state, command):
    """Asks for the row of the order that a command names."""
    if load_n8(command) != r.NEW:
        owner, token = load_n32le(command + C_OWNER), load_i64le(command + C_TARGET)
        prefetch(order_at(state, load_n32le(slot_at(state, home_of(state, owner, token)) + 12)))


@njit(nogil=True, forceinline=True)
def has_room(state, public, report):
    """Whether the buffers hold whatever one more command can cause."""
    orders = load_i64le(state + LIVE) + load_i64le(state + SLICES) + 1
    more = MORE_RECORDS * load_fixed(state + INSTRUMENTS)
    written = (load_i64le(state + PUBLIC) - public) // ACTION_BYTES
    told = (load_i64le(state + REPORT) - report) // REPORT_BYTES
    room = written + PUBLIC_AN_ORDER * orders + more <= load_fixed(state + PUBLIC_ROOM)
    return room and told + REPORTS_AN_ORDER * orders + more <= load_fixed(state + REPORT_ROOM)


@njit(nogil=True)
def go_on(state, commands, count, public, report):
    """As `submit`, behind what the buffers that begin at `public` and `report` hold already."""
    done = 0
    while done < count and has_room(state, public, report):
        command = commands + COMMAND_BYTES * done
        if done + AHEAD < count:
            ask_for_slot(state, command + COMMAND_BYTES * AHEAD)
            ask_for_order(state, command + COMMAND_BYTES * (AHEAD // 2))
        store_u64le(state + NOW, load_i64le(command + C_TIME))
        kind = load_n8(command)
        if kind == r.NEW:
            enter(state, command)
        elif kind == r.CANCEL:
            cancel(state, command)
        else:
            work_on_rest(state, command, kind)
        done += 1
    store_u64le(state + COMMANDS, load_i64le(state + COMMANDS) + done)
    store_u64le(state + PUBLIC_COUNT, (load_i64le(state + PUBLIC) - public) // ACTION_BYTES)
    store_u64le(state + REPORT_COUNT, (load_i64le(state + REPORT) - report) // REPORT_BYTES)
    return done


@njit(nogil=True, cache=True)
def submit(state, commands, count, public, report):
    """Works on COMMAND_DTYPE records in order; gives how many it got through.

    Fewer than `count` when the buffers, of PUBLIC_ROOM and REPORT_ROOM records, might not hold
    what the next command causes: empty them and go on. PUBLIC_COUNT and REPORT_COUNT say what was
    written.
    """
    store_u64le(state + PUBLIC, public)
    store_u64le(state + REPORT, report)
    return go_on(state, commands, count, public, report)
