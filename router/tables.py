"""The tables that the router's kernels share: what is in them and where.

One row, the head, has the addresses of all others; kernels are given its address and nothing else.
Prices are in 1e-8 currency units, money in the same (price x shares), quantities in shares, times
in ns since the epoch, fractions in 1e-9 (PART). Numbers of rows start at 1 where 0 means "none".

    venues       where orders can go: fees, speed, what is known of their health
    sessions     the ways there: a port, its templates, its counters (router/entry)
    instruments  what is traded of each: volume, last trade, marks
    accounts     whose orders they are: exposure, losses, marks
    positions    by account and instrument
    parents      what a person or strategy wants
    children     what was sent to venues
    tokens       child by the number that a venue knows it by
    intents      orders that a decision wants sent, on their way through the gate
    timers       what is due when: a heap

What other processes look at are these tables; what happened is in the log (router/log.py).
"""

from __future__ import annotations

from typing import Final

import numpy as np

from nic.block import offsets_of

PART: Final = 1_000_000_000
DOLLAR: Final = 100_000_000  # a currency unit: from this price on rates and ticks are others
PLACES: Final = 64  # venues that there is room for in a parent's or decision's scratch

# Flags of intents and children.
ISO: Final = 1  # intermarket sweep: every better protected quote is swept too
POST_ONLY: Final = 2
NOT_SHOWN: Final = 4  # hidden
MIDPOINT: Final = 8  # pegged to the midpoint
SHORT: Final = 16  # sells what is not owned
SHORT_EXEMPT: Final = 32
LOCATED: Final = 64  # the shares to be sold short have been located
DARK: Final = 128  # to a venue that shows nothing
TAKES: Final = 256  # meant to execute at once
CLOSES: Final = 512  # sent by a person to get out: limits on new risk do not hold it back

DAY: Final = 0
IOC: Final = 1
FOK: Final = 2
GTC: Final = 3
TIFS: Final = ("day", "ioc", "fok", "gtc")

STRATEGIES: Final = (
    "none", "sweep", "dark_then_lit", "post", "twap", "vwap", "pov", "iceberg", "is",
)  # fmt: skip
SWEEP, DARK_THEN_LIT, POST, TWAP, VWAP, POV, ICEBERG, SHORTFALL = range(1, len(STRATEGIES))

# What a strategy asks of the router for a parent.
WAIT: Final = 0
TAKE: Final = 1
DARK_FIRST: Final = 2
PASSIVE: Final = 3
STYLES: Final = ("wait", "take", "dark first", "passive")

HEAD_DTYPE: Final = np.dtype(
    [
        # Written by the control side before the loop starts.
        ("market", "i8"),  # address of the consolidated book's head
        ("venues", "i8"),
        ("sessions", "i8"),
        ("instruments", "i8"),
        ("accounts", "i8"),
        ("positions", "i8"),  # [account, instrument]
        ("parents", "i8"),
        ("children", "i8"),
        ("tokens", "i8"),  # i8: child by token
        ("intents", "i8"),
        ("executions", "i8"),  # hash set of execution ids
        ("timers", "i8"),
        ("limits", "i8"),  # address of the limits in force; the control side swaps it (router/risk)
        ("log", "i8"),  # address of the log; router/log.py
        ("scratch", "i8"),  # of decisions: levels and candidates (router/routing)
        ("learning", "i8"),  # what dark pools have shown (router/routing)
        ("curves", "i8"),  # schedules (router/strategies)
        ("active", "i8"),  # i4: first working parent by instrument; 0: nobody waits for it
        ("venue_count", "i8"),
        ("session_count", "i8"),
        ("instrument_count", "i8"),  # room for numbers 1 ... count - 1, as in the market
        ("account_count", "i8"),  # the same
        ("most_parents", "i8"),  # the same, of rows
        ("most_children", "i8"),
        ("most_tokens", "i8"),
        ("most_intents", "i8"),
        ("most_timers", "i8"),
        ("execution_mask", "i8"),
        ("seed", "i8"),
        # Who stands at the other end in a replay, by address; 0: nobody, the ports are live.
        ("far", "i8"),  # its head
        ("far_due", "i8"),  # a word: when something happens there next
        ("far_step", "i8"),  # a function (far, until_ns, 0, 0, 0): works up to the next answer
        ("far_note", "i8"),  # a function (far, venue, actions, count, now): what a feed says
        ("far_wants", "i8"),  # a word: venues whose feeds it wants to hear, by bit
        ("far_now", "i8"),  # a word: the time, written in front of each send
        ("stages", "i8"),  # histograms, see router.loop.stages
        ("plan", "i8"),  # a PLAN_DTYPE row
        ("routed", "i8"),  # i8: our venue by number in the consolidated book; -1: none of ours
        ("local", "i8"),  # an action, for what a venue would say and we say ourselves
        ("answers", "i8"),  # actions, of what a session brought
        ("descriptors", "i8"),  # of the bytes that a session brought
        ("held_intent", "i8"),  # an intent, for an order that leaves later than it was decided
        ("fills", "i8"),  # executions as booked (router/orders)
        ("gone", "i8"),  # shares that are shown and not there any more (router/routing/gone.py)
        ("act", "i8"),  # a function: router.loop.acting.act
        ("take_answers", "i8"),  # a function (router, session, data, length, now)
        ("live", "i8"),  # 1: sessions have ports of their own, which are polled each round
        ("unused_control", "i8", (1,)),
        # Written by the loop.
        ("now_ns", "i8"),  # time of the event being worked on
        ("due_ns", "i8"),  # nothing of ours happens before: the first timer or answer
        ("parent_count", "i8"),  # rows used
        ("child_count", "i8"),
        ("token_count", "i8"),
        ("intent_count", "i8"),  # waiting
        ("timer_count", "i8"),
        ("execution_count", "i8"),
        ("decision_count", "i8"),  # made, each has its number
        ("working_count", "i8"),  # parents that are not over
        ("open_count", "i8"),  # children that are not over
        ("order_count", "i8"),  # new orders sent
        ("message_count", "i8"),  # order messages sent, all kinds
        ("fill_count", "i8"),
        ("reject_count", "i8"),  # by the gate
        ("refused_count", "i8"),  # by venues
        ("impossible_count", "i8"),  # events that no state knows: ignored, flagged
        ("over_fill_count", "i8"),
        ("repeated_count", "i8"),  # execution ids that came twice
        ("full_count", "i8"),  # what found a table full
        ("orphan_count", "i8"),  # reports of orders that are not ours
        ("killed", "i8"),  # 1: the global kill switch
        ("timers_set", "i8"),
        ("quote_changes", "i8"),  # of the consolidated book, when it was last looked at
        ("unsaid_count", "i8"),  # orders that a venue's protocol has no words for
        ("unsent_count", "i8"),  # messages that a port refused
        ("unanswered_count", "i8"),  # cancels and replaces that no answer came to in time
        ("trip_count", "i8"),  # breakers that opened
        ("unused_loop", "i8", (12,)),
    ]
)

RATE_FIELDS: Final = [("per_share", "i8"), ("per_notional", "i8")]  # 1e-8 units; 1e-8 of notional
RATE_DTYPE: Final = np.dtype(RATE_FIELDS)
MOST_TIERS: Final = 4
TIER_DTYPE: Final = np.dtype(
    [
        ("from_shares", "i8"),  # executed today
        ("unused", "i8"),
        ("added", RATE_DTYPE),
        ("removed", RATE_DTYPE),
        ("added_hidden", RATE_DTYPE),
        ("midpoint", RATE_DTYPE),
        ("crossed", RATE_DTYPE),
    ]
)

# How an execution came about: the code in `unit` of an EXECUTED action, and in the log's fills.
LIQUIDITY: Final = ("unknown", "added", "removed", "added hidden", "midpoint", "crossed")
UNKNOWN_LIQUIDITY, ADDED, REMOVED, ADDED_HIDDEN, AT_MIDPOINT, IN_AUCTION = range(len(LIQUIDITY))

# Why a venue is not routed to, as bits of `down`.
DOWN_SESSION: Final = 1
DOWN_BREAKER: Final = 2
DOWN_KILLED: Final = 4
DOWN_ASKED: Final = 8  # a person said so
DOWN_FEED: Final = 16  # its feed is silent: what it shows may be old

VENUE_DTYPE: Final = np.dtype(
    [
        ("name", "S16"),
        ("quotes", "i8"),  # its number in the consolidated book; -1: it shows nothing
        ("session", "i8"),  # its number
        ("down", "i8"),  # DOWN_ bits; 0: orders may go there
        ("dark", "i8"),  # 1: midpoint executions only
        ("protected", "i8"),
        ("lot", "i8"),  # orders are multiples of it
        ("least", "i8"),  # shares of an order
        ("takes_iso", "i8"),
        ("takes_hidden", "i8"),
        ("takes_post_only", "i8"),
        ("latency_ns", "i8"),  # expected, from send to match
        ("tick", "i8"),  # of prices of a dollar or more
        ("small_tick", "i8"),  # below
        ("answer_ns", "i8"),  # so long an answer to a cancel or replace is waited for; 0: for ever
        ("breaker_failures", "i8"),  # so many in the window open the breaker; 0: there is none
        ("breaker_window_ns", "i8"),
        ("breaker_rest_ns", "i8"),  # until a venue is tried again; 0: until somebody says so
        ("tier_count", "i8"),
        ("tiers", TIER_DTYPE, (MOST_TIERS,)),
        # Written by the loop.
        ("tier", "i8"),  # in force
        ("executed", "i8"),  # shares today
        ("fees", "i8"),  # paid less rebates, 1e-8 units
        ("orders", "i8"),
        ("fills", "i8"),
        ("rejects", "i8"),
        ("sent_shares", "i8"),
        ("open_orders", "i8"),
        ("rtt_ns", "i8"),  # of the last acknowledgement
        ("failures", "i8"),  # since `failing_ns`, see router.loop.breaker
        ("failing_ns", "i8"),
        ("opened_ns", "i8"),  # when its breaker opened last
        ("probing", "i8"),  # 1: tried again, the next failure opens the breaker anew
        ("trips", "i8"),  # how often it opened
        ("unanswered", "i8"),  # cancels and replaces that no answer came to in time
        ("unused", "i8", (5,)),
    ]
)

INSTRUMENT_DTYPE: Final = np.dtype(
    [
        ("volume", "i8"),  # shares traded on all venues since the start
        ("notional", "i8"),  # of them
        ("last", "i8"),  # price of the last trade; 0: none yet
        ("last_ns", "i8"),
        ("restricted", "i8"),  # 1: on the restricted list; written by the control side
        ("price_test", "i8"),  # 1: short sale price test in force
        ("locates", "i8"),  # shares that may be sold short; written by the control side
        ("locates_used", "i8"),
        ("killed", "i8"),
        ("open_ns", "i8"),  # when trading began
        ("unused", "i8", (6,)),
    ]
)

ACCOUNT_DTYPE: Final = np.dtype(
    [
        ("name", "S16"),
        ("killed", "i8"),
        # Written by the loop. Sums over positions and open orders, in money.
        ("gross", "i8"),  # sum of |position| at the mark
        ("net", "i8"),
        ("open_buy", "i8"),  # of open buy orders, at their limits
        ("open_sell", "i8"),
        ("open_orders", "i8"),
        ("spent", "i8"),  # money out (buys) less money in (sells), fees included
        ("realised", "i8"),  # profit and loss, fees not taken off
        ("fees", "i8"),
        ("orders", "i8"),  # sent today
        ("cancels", "i8"),
        ("fills", "i8"),
        ("rejects", "i8"),
        ("bought", "i8"),  # shares
        ("sold", "i8"),
        ("unused", "i8", (15,)),
    ]
)

POSITION_DTYPE: Final = np.dtype(
    [
        ("shares", "i8"),  # below 0: short
        ("cost", "i8"),  # money paid for what is held (received, if short): average x shares
        ("realised", "i8"),
        ("fees", "i8"),
        ("open_buy", "i8"),  # shares in open orders
        ("open_sell", "i8"),
        ("mark", "i8"),  # price that `gross` and `net` of the account have it at
        ("first_open", "i8"),  # open children of the account in the instrument, by `next_open`
        ("bought", "i8"),
        ("sold", "i8"),
        ("unused", "i8", (6,)),
    ]
)

PARENT_DTYPE: Final = np.dtype(
    [
        ("name", "S24"),
        ("state", "i8"),  # of router.orders.states
        ("instrument", "i8"),
        ("account", "i8"),
        ("side", "i8"),  # BUY or SELL of feedhandler.actions
        ("quantity", "i8"),
        ("limit", "i8"),  # price; 0: none
        ("tif", "i8"),
        ("flags", "i8"),  # SHORT, LOCATED, CLOSES
        ("strategy", "i8"),
        ("parameters", "i8", (8,)),  # of the strategy, see router.strategies
        ("start_ns", "i8"),  # not before; the time it came, or that of its schedule
        ("end_ns", "i8"),  # not behind; 0: no end
        ("curve", "i8"),  # number of its schedule; 0: none
        # Written by the loop.
        ("arrived_ns", "i8"),
        ("arrival", "i8"),  # midpoint then; 0: there was none
        ("arrival_volume", "i8"),  # of the instrument then, shares and notional
        ("arrival_notional", "i8"),
        ("cum", "i8"),  # shares executed: the sum of the children's
        ("notional", "i8"),  # of them
        ("fees", "i8"),
        ("open", "i8"),  # leaves of its open children; of a replace under way, the larger
        ("open_children", "i8"),
        ("first_open", "i8"),  # chain of open children, by `next_sibling`
        ("children", "i8"),  # in all
        ("rejects", "i8"),
        ("next_ns", "i8"),  # its timer; 0: none
        ("next_active", "i8"),  # chain of working parents of the instrument
        ("phase", "i8"),  # the strategy's own
        ("memory", "i8", (8,)),  # the strategy's own
        ("ended_ns", "i8"),
        ("last_decision", "i8"),
        ("reason", "i8"),  # why it ended
        ("hold_ns", "i8"),  # nothing is sent for it before: the gate refused what it wanted
        ("held", "i8"),  # refusals in a row
        ("idle", "i8"),  # 1: its last sweep asked for nothing
        ("ending", "i8"),  # event that ends it once no child is open
        ("closing", "i8"),  # as arrival: midpoint when it ended; 0: there was none
        ("closing_volume", "i8"),
        ("closing_notional", "i8"),
        ("posted_bid", "i8"),  # national best when its passive orders were last looked at
        ("posted_offer", "i8"),
        ("posted_ns", "i8"),  # when that was; 0: never
        ("posted_open", "i8"),  # its open shares and open orders behind it
        ("refused", "i8"),  # orders in a row that venues or ports refused
        ("planned", "i8"),  # style of its last plan, and
        ("planned_ns", "i8"),  # when the next was to be made; 0: when something happens
        ("planned_cum", "i8"),  # executed then
    ]
)

CHILD_DTYPE: Final = np.dtype(
    [
        ("token", "i8"),  # what the venue knows it by now
        ("state", "i8"),  # of router.orders.states
        ("parent", "i8"),
        ("instrument", "i8"),
        ("account", "i8"),
        ("venue", "i8"),
        ("side", "i8"),
        ("quantity", "i8"),
        ("price", "i8"),  # limit; 0: market (a midpoint peg without one)
        ("tif", "i8"),
        ("flags", "i8"),
        ("minimum", "i8"),  # shares of an execution
        ("shown", "i8"),  # 0: all
        ("cum", "i8"),
        ("leaves", "i8"),  # open at the venue: 0 once it is over
        ("notional", "i8"),
        ("fees", "i8"),
        ("new_token", "i8"),  # of the replace under way; 0: none
        ("new_quantity", "i8"),
        ("new_price", "i8"),
        ("before", "i8"),  # state before a pending cancel or replace
        ("decision", "i8"),  # number of the one that made it
        ("made_ns", "i8"),  # decided
        ("sent_ns", "i8"),
        ("heard_ns", "i8"),  # first acknowledgement
        ("last_ns", "i8"),  # last event
        ("venue_order", "i8"),
        ("reason", "i8"),  # of the last reject or cancel, the venue's code
        ("next_sibling", "i8"),  # open children of the parent
        ("last_sibling", "i8"),
        ("next_open", "i8"),  # open children of the account in the instrument
        ("last_open", "i8"),
        ("marks", "i8"),  # what was odd about it, see router.orders.states
        ("ahead", "i8"),  # shares before it in the queue when it was entered, as far as known
        ("busted", "i8"),  # shares executed, then taken back: part of `quantity`, not of `cum`
        ("reference", "i8"),  # price that it is reserved at where it has none
        ("followed", "i8"),  # 1: what follows from its end was done
        ("seen_price", "i8"),  # what its venue showed on the side it takes from, when decided
        ("seen_shares", "i8"),
        ("located", "i8"),  # of a short sale: locates that it has used up
        ("asked_ns", "i8"),  # when the last cancel or replace was asked for
        ("watched", "i8"),  # 1: a timer is set for its answer
        ("unanswered", "i8"),  # asks that no answer came to in time
    ]
)

INTENT_DTYPE: Final = np.dtype(
    [
        ("kind", "i8"),  # ENTER, REPLACE or CANCEL below
        ("child", "i8"),  # of a replace or cancel
        ("parent", "i8"),
        ("instrument", "i8"),
        ("account", "i8"),
        ("venue", "i8"),
        ("side", "i8"),
        ("quantity", "i8"),  # of a replace: the whole new quantity, executed shares included
        ("price", "i8"),
        ("tif", "i8"),
        ("flags", "i8"),
        ("minimum", "i8"),
        ("shown", "i8"),
        ("decision", "i8"),
        ("send_ns", "i8"),  # not before
        ("verdict", "i8"),  # the gate's: 0 passed
        ("token", "i8"),  # given out when it passed
        ("ahead", "i8"),  # shares before a passive order in the queue, as far as known
        ("unused", "i8", (6,)),
    ]
)
ENTER, REPLACE, CANCEL = 1, 2, 3
INTENT_KINDS: Final = ("none", "enter", "replace", "cancel")

PARENT_TIMER, INTENT_TIMER, ANSWER_TIMER, VENUE_TIMER = 1, 2, 3, 4

PLAN_DTYPE: Final = np.dtype(
    [
        ("style", "i8"),  # WAIT, TAKE, DARK_FIRST or PASSIVE
        ("quantity", "i8"),  # shares to have open or done now, beyond what is done
        ("limit", "i8"),  # price; 0: none
        ("shown", "i8"),  # of passive orders; 0: all
        ("next_ns", "i8"),  # look again then; 0: when something happens
        ("done", "i8"),  # 1: what is left is given up
        ("unused", "i8", (2,)),
    ]
)

# Offsets by name, for kernels: `PARENT.cum` is a constant there.
HEAD: Final = offsets_of(HEAD_DTYPE)
VENUE: Final = offsets_of(VENUE_DTYPE)
TIER: Final = offsets_of(TIER_DTYPE)
INSTRUMENT: Final = offsets_of(INSTRUMENT_DTYPE)
ACCOUNT: Final = offsets_of(ACCOUNT_DTYPE)
POSITION: Final = offsets_of(POSITION_DTYPE)
PARENT: Final = offsets_of(PARENT_DTYPE)
CHILD: Final = offsets_of(CHILD_DTYPE)
INTENT: Final = offsets_of(INTENT_DTYPE)
PLAN: Final = offsets_of(PLAN_DTYPE)
VENUE_BYTES: Final = VENUE_DTYPE.itemsize
TIER_BYTES: Final = TIER_DTYPE.itemsize
INSTRUMENT_BYTES: Final = INSTRUMENT_DTYPE.itemsize
ACCOUNT_BYTES: Final = ACCOUNT_DTYPE.itemsize
POSITION_BYTES: Final = POSITION_DTYPE.itemsize
PARENT_BYTES: Final = PARENT_DTYPE.itemsize
CHILD_BYTES: Final = CHILD_DTYPE.itemsize
INTENT_BYTES: Final = INTENT_DTYPE.itemsize
