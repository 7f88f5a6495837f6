"""The market's loop: the flow decides, the venues work, the flow hears of it; slice by slice.

What comes out does not depend on where a run is cut, nor on when buffers were emptied.
"""

from __future__ import annotations

from numba import njit

from feedhandler.actions import ACTION_BYTES, ACTION_DTYPE
from feedhandler.books.farlevels import far_key, far_level
from feedhandler.books.ladder import key_of_price, ladder_address, level_address
from feedhandler.books.layout import LEVEL_QUANTITY
from nic.block import field_offset
from nic.move import move_bytes
from nic.raw import load_fixed, load_i64le, load_n32le, store_u64le
from simulator.flow.reports import REPORT_BYTES, hear_one, show
from simulator.flow.step import step
from simulator.flow.tree import earliest
from simulator.market.layout import (
    ARRIVED,
    CROWDED,
    FULL,
    H_CAPACITY,
    H_COMMANDS,
    H_COUNTS,
    H_FIRST_OUTSIDE,
    H_FLOW,
    H_NOW_NS,
    H_PENDING_ROOM,
    H_REACHED_NS,
    H_ROOMY,
    H_SLICE_NS,
    H_SLOTS,
    H_VENUE_COUNT,
    H_VENUES,
    SWAMPED,
    V_DARK,
    V_EXCHANGE,
    V_HEARD_PUBLIC,
    V_HEARD_REPORTS,
    V_PENDING,
    V_PUBLIC,
    V_REPORTS,
    V_TAKEN,
    V_WAITING,
    VENUE_BYTES,
)
from simulator.matching.layout import PUBLIC, REPORT
from simulator.matching.records import REPORT_DTYPE
from simulator.matching.submit import C_TIME, COMMAND_BYTES, go_on
from simulator.matching.working import best_shown_place

KEY = field_offset(ACTION_DTYPE, "key")
REPORT_OWNER = field_offset(REPORT_DTYPE, "owner")


@njit(nogil=True, forceinline=True)
def market_venue(market, venue):
    """Address of a venue's row."""
    return load_fixed(market + H_VENUES) + VENUE_BYTES * venue


@njit(nogil=True, forceinline=True)
def best_of(exchange, ladder):
    """Price and quantity of a ladder's best displayed level; zeros where there is none."""
    row = ladder_address(exchange, ladder)
    place = best_shown_place(exchange, row)
    if place < 0:
        return 0, 0
    level = level_address(exchange, far_level(row, place))
    return key_of_price(far_key(row, place), ladder), load_i64le(level + LEVEL_QUANTITY)


@njit(nogil=True)
def show_top(flow, venue, exchange, instrument):
    """Tells the flow what a venue displays best of an instrument."""
    bid, bid_quantity = best_of(exchange, 2 * instrument)
    offer, offer_quantity = best_of(exchange, 2 * instrument + 1)
    show(flow, instrument, venue, bid, bid_quantity, offer, offer_quantity)


@njit(nogil=True)
def show_tops(flow, venue, exchange, first, end):
    """Tells the flow the tops of all instruments that events from `first` to `end` are about."""
    seen = 0
    while first < end:
        instrument = load_n32le(first + KEY)
        if instrument != seen and instrument != 0:
            show_top(flow, venue, exchange, instrument)
            seen = instrument
        first += ACTION_BYTES


@njit(nogil=True)
def hear_some(flow, first, end, slots, outside):
    """Tells the flow the reports from `first` to `end` that are for its own owners."""
    while first < end:
        if load_n32le(first + REPORT_OWNER) < outside:
            hear_one(flow, first, slots)
        first += REPORT_BYTES


@njit(nogil=True)
def due(row, until_ns):
    """How many of a venue's waiting commands are there before a time."""
    taken, waiting = load_i64le(row + V_TAKEN), load_i64le(row + V_WAITING)
    place = load_fixed(row + V_PENDING) + COMMAND_BYTES * taken + C_TIME
    count = 0
    while taken + count < waiting and load_i64le(place + COMMAND_BYTES * count) < until_ns:
        count += 1
    return count


@njit(nogil=True)
def work(market, venue, until_ns):
    """A venue works on what is there before a time; whether it got through all of it."""
    row = market_venue(market, venue)
    count, exchange = due(row, until_ns), load_fixed(row + V_EXCHANGE)
    if count == 0:
        return True
    taken = load_i64le(row + V_TAKEN)
    commands = load_fixed(row + V_PENDING) + COMMAND_BYTES * taken
    first_public, first_report = load_fixed(row + V_PUBLIC), load_fixed(row + V_REPORTS)
    done = go_on(exchange, commands, count, first_public, first_report)
    store_u64le(row + V_TAKEN, taken + done)
    return done == count


@njit(nogil=True)
def tell_flow(market, venue):
    """Tells the flow what has happened at a venue since it was told last."""
    row, flow = market_venue(market, venue), load_fixed(market + H_FLOW)
    exchange = load_fixed(row + V_EXCHANGE)
    public, reports = load_i64le(exchange + PUBLIC), load_i64le(exchange + REPORT)
    slots, outside = load_fixed(market + H_SLOTS), load_fixed(market + H_FIRST_OUTSIDE)
    hear_some(flow, load_i64le(row + V_HEARD_REPORTS), reports, slots, outside)
    if load_fixed(row + V_DARK) == 0:
        show_tops(flow, venue, exchange, load_i64le(row + V_HEARD_PUBLIC), public)
    store_u64le(row + V_HEARD_PUBLIC, public)
    store_u64le(row + V_HEARD_REPORTS, reports)


@njit(nogil=True, cache=True)
def tell_all(market):
    """Tells the flow what has happened at all venues since it was told last."""
    for venue in range(load_fixed(market + H_VENUE_COUNT)):
        tell_flow(market, venue)


@njit(nogil=True)
def has_room_for_slice(market):
    """Whether the buffers of all venues will hold what comes out of one more slice."""
    roomy = load_fixed(market + H_ROOMY)
    for venue in range(load_fixed(market + H_VENUE_COUNT)):
        row = market_venue(market, venue)
        exchange = load_fixed(row + V_EXCHANGE)
        public = load_i64le(exchange + PUBLIC) - load_fixed(row + V_PUBLIC)
        reports = load_i64le(exchange + REPORT) - load_fixed(row + V_REPORTS)
        if public > ACTION_BYTES * roomy or reports > REPORT_BYTES * roomy:
            return False
    return True


@njit(nogil=True, cache=True)
def empty_buffers(market):
    """What comes out of the venues from now on is written from the buffers' beginnings on."""
    for venue in range(load_fixed(market + H_VENUE_COUNT)):
        row = market_venue(market, venue)
        exchange = load_fixed(row + V_EXCHANGE)
        for place, heard, begin in (
            (PUBLIC, V_HEARD_PUBLIC, V_PUBLIC),
            (REPORT, V_HEARD_REPORTS, V_REPORTS),
        ):
            first = load_fixed(row + begin)
            store_u64le(exchange + place, first)
            store_u64le(row + heard, first)


@njit(nogil=True)
def to_front(row):
    """Moves a venue's waiting commands to the front of their row."""
    taken, waiting = load_i64le(row + V_TAKEN), load_i64le(row + V_WAITING)
    if taken != 0:
        pending = load_fixed(row + V_PENDING)
        move_bytes(pending, pending + COMMAND_BYTES * taken, COMMAND_BYTES * (waiting - taken))
        store_u64le(row + V_TAKEN, 0)
        store_u64le(row + V_WAITING, waiting - taken)


@njit(nogil=True)
def send_later(row, command):
    """Puts a command where its time is among those that wait; at the end, nearly always."""
    place = load_i64le(row + V_WAITING)
    pending, time_ns = load_fixed(row + V_PENDING), load_i64le(command + C_TIME)
    store_u64le(row + V_WAITING, place + 1)
    end = pending + COMMAND_BYTES * place
    while place > load_i64le(row + V_TAKEN):
        before = pending + COMMAND_BYTES * (place - 1)
        if load_i64le(before + C_TIME) <= time_ns:
            break
        place -= 1
    target = pending + COMMAND_BYTES * place
    move_bytes(target + COMMAND_BYTES, target, end - target)
    move_bytes(target, command, COMMAND_BYTES)


@njit(nogil=True, cache=True)
def send_commands(market, venue, commands, count):
    """Sends a venue `count` COMMAND_DTYPE records; whether there was room for all of them."""
    row = market_venue(market, venue)
    to_front(row)
    if load_i64le(row + V_WAITING) + count > load_fixed(market + H_PENDING_ROOM):
        return False
    for number in range(count):
        send_later(row, commands + COMMAND_BYTES * number)
    return True


@njit(nogil=True)
def next_ns(market):
    """When something happens next: at a venue, or in the flow."""
    found = earliest(load_fixed(market + H_FLOW))
    for venue in range(load_fixed(market + H_VENUE_COUNT)):
        row = market_venue(market, venue)
        taken = load_i64le(row + V_TAKEN)
        if taken < load_i64le(row + V_WAITING):
            place = load_fixed(row + V_PENDING) + COMMAND_BYTES * taken
            found = min(found, load_i64le(place + C_TIME))
    return found


@njit(nogil=True)
def decide(market, until_ns):
    """One step of the flow: its commands are on their way. The time reached."""
    commands, counts = load_fixed(market + H_COMMANDS), load_fixed(market + H_COUNTS)
    capacity = load_fixed(market + H_CAPACITY)
    reached_ns = step(load_fixed(market + H_FLOW), until_ns, commands, capacity, counts)
    for venue in range(load_fixed(market + H_VENUE_COUNT)):
        count = load_i64le(counts + 8 * venue)
        send_commands(market, venue, commands + COMMAND_BYTES * capacity * venue, count)
    return reached_ns


@njit(nogil=True)
def room_to_decide(market):
    """Whether what one step can give is sure to have room among what waits."""
    room = load_fixed(market + H_PENDING_ROOM) - load_fixed(market + H_CAPACITY)
    for venue in range(load_fixed(market + H_VENUE_COUNT)):
        row = market_venue(market, venue)
        if load_i64le(row + V_WAITING) - load_i64le(row + V_TAKEN) > room:
            return False
    return True


@njit(nogil=True)
def work_all(market, until_ns):
    """All venues work on what is there before a time; whether they got through all of it."""
    for venue in range(load_fixed(market + H_VENUE_COUNT)):
        if not work(market, venue, until_ns):
            return False
    store_u64le(market + H_NOW_NS, until_ns)
    return True


@njit(nogil=True, cache=True)
def drive(market, until_ns):
    """Runs the market up to a time, or until what comes out has to be taken away.

    Returns:
        how far it got, one of layout.ARRIVED ... SWAMPED.
    """
    slice_ns = load_fixed(market + H_SLICE_NS)
    while True:
        reached_ns = load_i64le(market + H_REACHED_NS)
        if not work_all(market, min(until_ns, reached_ns)):
            return FULL
        if reached_ns > until_ns:
            return ARRIVED
        tell_all(market)
        if reached_ns == until_ns:
            return ARRIVED
        if not has_room_for_slice(market):
            return CROWDED
        if not room_to_decide(market):
            return SWAMPED
        idle_ns = min(next_ns(market), until_ns)  # slices in which nothing happens are passed over
        reached_ns = max(reached_ns, idle_ns)
        following_ns = reached_ns - reached_ns % slice_ns + slice_ns
        store_u64le(market + H_REACHED_NS, decide(market, following_ns))
