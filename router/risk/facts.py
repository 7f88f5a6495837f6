"""What an intent is about: its rows, and what of a replaced child counts already."""

from __future__ import annotations

from numba import njit

from feedhandler.actions import BUY, SELL
from feedhandler.consolidated.layout import LOWER_BAND, UPPER_BAND
from feedhandler.consolidated.quotes import instrument_row as market_row
from nic.raw import load_i64le
from router.orders.midpoints import OFFER, national_best
from router.risk.layout import (
    ACCOUNT_LIMITS,
    ACCOUNT_LIMITS_BYTES,
    ACCOUNT_WITHOUT_LIMITS,
    FIGURES,
    LIMITS,
    MOST_HELD,
    MOST_MONEY,
    MOST_PRICE,
    MOST_SHARES,
    PASSED,
    REPLACE_UNDER_WAY,
    UNKNOWN_ACCOUNT,
    UNKNOWN_INSTRUMENT,
    UNKNOWN_KIND,
    UNKNOWN_ORDER,
    UNKNOWN_SIDE,
    UNKNOWN_VENUE,
    VENUE_LIMITS,
    VENUE_LIMITS_BYTES,
    VENUE_WITHOUT_LIMITS,
    Facts,
    Prices,
)
from router.rows import account_row, child_row, get, instrument_row, position_row, venue_row
from router.tables import ACCOUNT, CANCEL, CHILD, ENTER, HEAD, INSTRUMENT, INTENT, POSITION, REPLACE


@njit(nogil=True, forceinline=True)
def rules_of(limits, account):
    """Where the limits of an account are."""
    return get(limits, LIMITS.accounts) + ACCOUNT_LIMITS_BYTES * account


@njit(nogil=True, forceinline=True)
def rules_of_venue(limits, venue):
    """Where the limits of a venue are."""
    return get(limits, LIMITS.venues) + VENUE_LIMITS_BYTES * venue


@njit(nogil=True, forceinline=True)
def within(value, most):
    """Whether a figure is from 0 to `most`."""
    return value >= 0 and value <= most


@njit(nogil=True)
def has_child(router, intent):
    """Whether a replace or cancel names an order that is open."""
    number = get(intent, INTENT.child)
    if number < 1 or number > get(router, HEAD.child_count):
        return False
    return get(child_row(router, number), CHILD.leaves) > 0


@njit(nogil=True)
def judge_kind(router, intent):
    """Whether the intent is a new order, or a change of an order that can be changed."""
    kind = get(intent, INTENT.kind)
    if kind != ENTER and kind != REPLACE and kind != CANCEL:
        return UNKNOWN_KIND
    if kind == ENTER:
        return PASSED
    if not has_child(router, intent):
        return UNKNOWN_ORDER
    child = child_row(router, get(intent, INTENT.child))
    if kind == REPLACE and get(child, CHILD.new_token) != 0:
        return REPLACE_UNDER_WAY
    return PASSED


@njit(nogil=True)
def judge_numbers(router, limits, account, instrument, venue, side):
    """Whether account, instrument, venue and side are there, and have limits."""
    accounts = min(get(router, HEAD.account_count), get(limits, LIMITS.account_count))
    if account < 1 or account >= accounts:
        return UNKNOWN_ACCOUNT
    instruments = min(get(router, HEAD.instrument_count), get(limits, LIMITS.instrument_count))
    if instrument < 1 or instrument >= instruments:
        return UNKNOWN_INSTRUMENT
    venues = min(get(router, HEAD.venue_count), get(limits, LIMITS.venue_count))
    if venue < 0 or venue >= venues:
        return UNKNOWN_VENUE
    if side != BUY and side != SELL:
        return UNKNOWN_SIDE
    if get(rules_of(limits, account), ACCOUNT_LIMITS.present) == 0:
        return ACCOUNT_WITHOUT_LIMITS
    if get(rules_of_venue(limits, venue), VENUE_LIMITS.present) == 0:
        return VENUE_WITHOUT_LIMITS
    return PASSED


@njit(nogil=True)
def gather(router, intent, limits, now):
    """The facts of an intent: a new order's own, or those of the child that it replaces.

    Nothing is checked here; rows are addresses that may be none.
    """
    child = child_row(router, get(intent, INTENT.child))
    enters = get(intent, INTENT.kind) == ENTER
    account = get(intent, INTENT.account) if enters else get(child, CHILD.account)
    instrument = get(intent, INTENT.instrument) if enters else get(child, CHILD.instrument)
    venue = get(intent, INTENT.venue) if enters else get(child, CHILD.venue)
    side = get(intent, INTENT.side) if enters else get(child, CHILD.side)
    flags = get(intent, INTENT.flags) if enters else get(child, CHILD.flags)
    cum = 0 if enters else get(child, CHILD.cum)
    was_whole = 0 if enters else get(child, CHILD.quantity)
    was_open = 0 if enters else get(child, CHILD.leaves)
    was_price = 0 if enters else get(child, CHILD.price)
    new = 1 if enters else 0
    return Facts(
        router=router,
        limits=limits,
        rules=rules_of(limits, account),
        now=now,
        account=account_row(router, account),
        instrument=instrument_row(router, instrument),
        venue=venue_row(router, venue),
        position=position_row(router, account, instrument),
        account_number=account,
        instrument_number=instrument,
        venue_number=venue,
        enters=new,
        side=side,
        price=get(intent, INTENT.price),
        flags=flags,
        whole=get(intent, INTENT.quantity),
        cum=cum,
        was_whole=was_whole,
        was_open=was_open,
        was_price=was_price,
    )


@njit(nogil=True)
def judge_figures(facts):
    """Whether what the tables say of account, position and child can be added up without wrapping.

    Figures that cannot be true would make any comparison with a limit worthless.
    """
    account, position = facts.account, facts.position
    good = within(get(account, ACCOUNT.gross), MOST_MONEY)
    good &= within(get(account, ACCOUNT.open_buy), MOST_MONEY)
    good &= within(get(account, ACCOUNT.open_sell), MOST_MONEY)
    good &= within(get(account, ACCOUNT.net) + MOST_MONEY, 2 * MOST_MONEY)
    good &= within(get(account, ACCOUNT.spent) + MOST_MONEY, 2 * MOST_MONEY)
    good &= within(get(position, POSITION.open_buy), MOST_HELD)
    good &= within(get(position, POSITION.open_sell), MOST_HELD)
    good &= within(get(position, POSITION.shares) + MOST_HELD, 2 * MOST_HELD)
    good &= within(facts.cum, MOST_SHARES) and within(facts.was_whole, MOST_SHARES)
    good &= within(facts.was_open, MOST_SHARES) and within(facts.was_price, MOST_PRICE)
    return PASSED if good else FIGURES


@njit(nogil=True, forceinline=True)
def opens_of(facts):
    """Shares that would be open of the order."""
    return facts.whole - facts.cum


@njit(nogil=True)
def others_open(facts):
    """Shares in the account's other open orders of the same side in the instrument."""
    side = POSITION.open_buy if facts.side == BUY else POSITION.open_sell
    return max(get(facts.position, side) - facts.was_open, 0)


@njit(nogil=True, forceinline=True)
def usable(price):
    """A price to compare with, 0 where it is none or none that can be true."""
    return price if price > 0 and price <= MOST_PRICE else 0


@njit(nogil=True)
def market_prices(router, instrument):
    """What the market says of an instrument: national best, last trade, price bands."""
    best = national_best(router, instrument)
    bands = market_row(get(router, HEAD.market), instrument)
    return Prices(
        bid=usable(get(best, 0)) if get(best, 8) > 0 else 0,
        offer=usable(get(best, OFFER)) if get(best, OFFER + 8) > 0 else 0,
        last=usable(get(instrument_row(router, instrument), INSTRUMENT.last)),
        lower=load_i64le(bands + LOWER_BAND),
        upper=load_i64le(bands + UPPER_BAND),
    )
