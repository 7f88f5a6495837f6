"""The best of many venues, against the slow twin and in small sentences."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from market_rig import FLAGS as FLAG_NAMES
from market_rig import Rig, action, bits

from feedhandler import actions as a
from feedhandler.actions import BUY, SELL
from feedhandler.consolidated.depth import merge, merged_depth
from feedhandler.consolidated.layout import LEFT_OUT, STATES
from feedhandler.consolidated.market import Market, TornRecordError
from feedhandler.consolidated.slow import SlowVenue
from feedhandler.consolidated.slow import merged_depth as slow_merged_depth

TRADING = a.STATUS_TRADING


@pytest.fixture
def rig():
    made = Rig([SlowVenue(), SlowVenue(), SlowVenue()])
    for venue in range(3):
        made.status(venue, 1, TRADING)
    yield made
    made.close()


def national(rig):
    row = rig.market.record(1)
    return (
        (int(row["national_bid"]), int(row["national_bid_quantity"])),
        (int(row["national_offer"]), int(row["national_offer_quantity"])),
        STATES[row["state"]],
    )


def test_at_the_same_price_sizes_add_up_and_all_venues_are_named(rig):
    rig.level(2, 1, BUY, 1000, 300)
    rig.level(0, 1, BUY, 1000, 100)
    rig.level(1, 1, BUY, 999, 500)
    row = rig.market.record(1)
    assert (row["bid"], row["bid_quantity"], bits(row["bid_venues"])) == (1000, 400, [0, 2])
    assert row["national_bid_quantity"] == 400
    rig.check()


def test_odd_lots_make_a_round_lot_at_the_least_aggressive_of_their_prices(rig):
    rig.level(0, 1, SELL, 1001, 40)
    rig.level(0, 1, SELL, 1003, 30)
    assert national(rig)[1] == (0, 0)
    rig.level(0, 1, SELL, 1002, 150)
    assert national(rig)[1] == (1002, 100)
    row = rig.market.record(1)
    assert (row["odd_offer"], row["odd_offer_quantity"]) == (1001, 40)
    assert (row["offer"], row["offer_quantity"]) == (1001, 40)
    rig.check()


def test_a_deeper_level_that_completes_a_round_lot_moves_the_national_best(rig):
    rig.level(0, 1, BUY, 1000, 60)
    rig.level(0, 1, BUY, 990, 100)
    assert national(rig)[0] == (990, 100)
    rig.level(0, 1, BUY, 995, 40)
    assert national(rig)[0] == (995, 100)
    rig.check()


def test_locked_and_crossed_are_dated_from_their_beginning(rig):
    rig.level(0, 1, BUY, 1000, 100)
    rig.level(1, 1, SELL, 1001, 100)
    assert national(rig)[2] == "normal"
    rig.level(2, 1, BUY, 1001, 100)
    began = int(rig.market.record(1)["since_ns"])
    assert (national(rig)[2], began) == ("locked", rig.time_ns)
    rig.level(0, 1, BUY, 999, 100)
    rig.level(0, 1, BUY, 1001, 100)
    assert int(rig.market.record(1)["since_ns"]) == began
    rig.level(0, 1, BUY, 1002, 100)
    assert (national(rig)[2], int(rig.market.record(1)["since_ns"])) == ("crossed", rig.time_ns)


def test_stale_halted_and_silent_venues_do_not_count(rig):
    rig.level(0, 1, BUY, 1002, 100)
    rig.level(1, 1, BUY, 1001, 100)
    rig.level(2, 1, BUY, 1000, 100)
    rig.trust(0, 1, False)
    assert national(rig)[0] == (1001, 100)
    rig.status(1, 1, a.STATUS_HALTED)
    assert national(rig)[0] == (1000, 100)
    rig.status(2, 1, a.STATUS_QUOTING)
    assert national(rig)[0] == (0, 0)
    rig.trust(0, 1, True)
    assert national(rig)[0] == (1002, 100)
    rig.check()


def test_a_silent_venue_counts_where_that_was_asked_for():
    made = Rig([SlowVenue()], unknown_trades=True)
    made.level(0, 1, BUY, 1000, 100)
    assert national(made)[0] == (1000, 100)
    made.status(0, 1, a.STATUS_CLOSED)
    assert national(made)[0] == (0, 0)
    made.close()


def test_a_status_for_the_whole_unit_reaches_every_instrument():
    made = Rig([SlowVenue()], instruments=2)
    for instrument in (1, 2):
        made.level(0, instrument, BUY, 1000, 100)
    made.apply(0, action(a.STATUS, flags=a.ALL, aux=TRADING))
    assert [int(made.market.record(n)["national_bid"]) for n in (1, 2)] == [1000, 1000]
    made.apply(0, action(a.CLEAR, flags=a.ALL))
    assert [int(made.market.record(n)["bid_quantity"]) for n in (1, 2)] == [0, 0]
    made.close()


def test_orders_without_a_key_are_followed_out_of_the_book(rig):
    rig.apply(0, action(a.ADD, key=1, order_id=7, side=BUY, price=1000, quantity=100))
    rig.apply(0, action(a.ADD, key=1, order_id=8, side=BUY, price=1001, quantity=200))
    assert int(rig.market.record(1)["bid"]) == 1001
    rig.apply(0, action(a.REDUCE, order_id=8, quantity=50))
    assert int(rig.market.record(1)["bid_quantity"]) == 150
    rig.apply(0, action(a.DELETE, order_id=8))
    assert int(rig.market.record(1)["bid"]) == 1000
    rig.apply(0, action(a.EXECUTE, order_id=7, quantity=100))
    assert int(rig.market.record(1)["bid_quantity"]) == 0


def test_an_unmapped_instrument_is_counted_and_a_left_out_one_is_not(rig):
    rig.market.map(0, 2, LEFT_OUT)
    rig.apply(0, action(a.LEVEL, side=BUY, key=2, price=5, quantity=100))
    assert int(rig.market.head["unmapped"]) == 0
    rig.apply(0, action(a.LEVEL, side=BUY, key=3, price=5, quantity=100))
    assert int(rig.market.head["unmapped"]) == 1


def test_a_map_made_later_takes_effect_with_a_refresh(rig):
    rig.market.map(0, 1, 0)
    rig.level(0, 1, BUY, 1000, 100)
    assert int(rig.market.record(1)["bid_quantity"]) == 0
    rig.market.map(0, 1, 1)
    rig.market.refresh(rig.time_ns)
    rig.check()


def test_a_row_being_written_is_not_taken(rig, monkeypatch):
    monkeypatch.setattr("feedhandler.consolidated.market.RETRIES", 3)
    rig.market.records["version"][1] += 1
    with pytest.raises(TornRecordError):
        rig.market.record(1)


def test_a_market_says_what_it_has_no_room_for():
    with Market(2, 4, 1) as market, pytest.raises(ValueError, match="instrument 3"):
        market.set_instrument(3, "X")
    with pytest.raises(ValueError, match="33 venues"):
        Market(2, 4, 33)


@pytest.fixture
def taped():
    """Three venues that quote, and the tape as the fourth: it quotes nothing and halts all."""
    made = Rig([*[SlowVenue()] * 3, SlowVenue(protected=False, halts_all=True)], instruments=2)
    for venue in range(3):
        made.status_of_all(venue, TRADING)
    yield made
    made.close()


TAPE = 3


def flags_of(rig):
    row = rig.market.record(1)
    return {name for bit, name in FLAG_NAMES.items() if row["flags"] & bit}


def two_sided(rig, bid=1000, offer=1001):
    rig.level(0, 1, BUY, bid, 100)
    rig.level(1, 1, SELL, offer, 100)


def test_a_band_that_arrives_is_held_against_the_quotes_that_stand(taped):
    two_sided(taped)
    assert flags_of(taped) == set()
    taped.banded(TAPE, 1, 1001, 1003)
    assert flags_of(taped) == {"bid_below", "limit_down"}
    row = taped.market.instruments[1]
    assert (int(row["lower_band"]), int(row["upper_band"])) == (1001, 1003)
    taped.check()


def test_the_best_bid_at_the_upper_band_is_limit_up(taped):
    two_sided(taped)
    taped.banded(TAPE, 1, 900, 1000)
    assert flags_of(taped) == {"limit_up", "offer_above"}
    taped.level(0, 1, BUY, 999, 100)
    taped.level(0, 1, BUY, 1000, 0)
    assert flags_of(taped) == {"offer_above"}
    taped.check()


def test_the_best_offer_at_the_lower_band_is_limit_down(taped):
    two_sided(taped)
    taped.banded(TAPE, 1, 1001, 1100)
    assert flags_of(taped) == {"limit_down", "bid_below"}
    taped.check()


def test_a_bid_below_the_band_and_an_executable_offer_straddle_it(taped):
    two_sided(taped, bid=950, offer=1001)
    taped.banded(TAPE, 1, 960, 1100)
    assert flags_of(taped) == {"bid_below"}
    assert national(taped)[:2] == ((950, 100), (1001, 100))
    taped.check()


def test_quotes_outside_the_bands_leave_the_national_best_when_the_band_comes(taped):
    two_sided(taped)
    taped.level(2, 1, BUY, 998, 300)
    taped.banded(TAPE, 1, 990, 999)
    assert national(taped)[0] == (998, 300)
    assert int(taped.market.record(1)["bid"]) == 1000
    taped.check()


def test_a_band_withdrawn_flags_nothing_any_more(taped):
    two_sided(taped)
    taped.banded(TAPE, 1, 1001, 1003)
    taped.banded(TAPE, 1, 0, 0)
    assert flags_of(taped) == set()
    assert national(taped)[:2] == ((1000, 100), (1001, 100))
    taped.check()


def test_the_collar_of_an_auction_is_no_band(taped):
    two_sided(taped)
    taped.apply(0, action(a.COLLAR, key=1, price=1001, aux=1003))
    assert flags_of(taped) == set()
    assert int(taped.market.instruments[1]["upper_band"]) == 0


def test_a_band_said_before_its_map_waits_for_it(taped):
    taped.market.map(TAPE, 1, 0)
    two_sided(taped)
    taped.banded(TAPE, 1, 1001, 1003)
    assert flags_of(taped) == set()
    taped.market.map(TAPE, 1, 1)
    taped.market.refresh(taped.time_ns)
    assert flags_of(taped) == {"bid_below", "limit_down"}


def test_a_halt_by_the_tape_is_the_markets_until_the_tape_resumes(taped):
    two_sided(taped)
    taped.status(TAPE, 1, a.STATUS_PAUSED)
    assert flags_of(taped) == {"halted"}
    assert national(taped)[:2] == ((0, 0), (0, 0))
    taped.status(TAPE, 1, a.STATUS_QUOTING)
    assert flags_of(taped) == {"halted"}
    taped.status(TAPE, 1, TRADING)
    assert flags_of(taped) == set()
    assert national(taped)[:2] == ((1000, 100), (1001, 100))
    taped.check()


@pytest.mark.parametrize("venue", [0, TAPE])
def test_a_venue_that_opens_does_not_lift_the_halt_of_one_symbol(taped, venue):
    two_sided(taped)
    taped.level(0, 2, BUY, 500, 100)
    taped.status(venue, 1, a.STATUS_HALTED)
    taped.status_of_all(venue, a.STATUS_PREOPEN)
    taped.status_of_all(venue, TRADING)
    assert int(taped.books[venue].tops["status"][1]) == a.STATUS_HALTED
    assert national(taped)[0] == (0, 0)
    assert int(taped.market.record(2)["national_bid"]) == 500
    taped.status(venue, 1, TRADING)
    assert national(taped)[0] == (1000, 100)
    taped.check()


def test_a_halt_of_everything_ends_with_everything_or_symbol_by_symbol(taped):
    two_sided(taped)
    taped.level(0, 2, BUY, 500, 100)
    taped.status_of_all(TAPE, a.STATUS_HALTED)
    assert flags_of(taped) == {"halted"}
    taped.status(TAPE, 1, TRADING)
    assert (flags_of(taped), int(taped.market.record(2)["national_bid"])) == (set(), 0)
    taped.status_of_all(TAPE, TRADING)
    assert int(taped.market.record(2)["national_bid"]) == 500
    taped.check()


def test_a_quote_that_is_not_eligible_is_shown_but_not_protected(taped):
    taped.quote(0, 1, BUY, (1000, 100))
    taped.level(1, 1, BUY, 999, 100)
    taped.quote(0, 1, BUY, (1000, 100), eligible=False)
    assert national(taped)[0] == (999, 100)
    assert int(taped.market.record(1)["bid"]) == 1000
    taped.quote(0, 1, SELL, (1002, 100))
    assert national(taped)[1] == (1002, 100)
    taped.quote(0, 1, BUY, (1000, 100))
    assert national(taped)[0] == (1000, 100)
    taped.check()


PRICES = st.integers(995, 1005)
STATUSES = st.sampled_from(
    [TRADING, TRADING, TRADING, a.STATUS_HALTED, a.STATUS_PAUSED, a.STATUS_QUOTING, 0]
)


@st.composite
def steps(draw, venues, instruments):
    rare = ["status", "status_of_all", "trust", "bands", "banded", "lot"]
    kind = draw(st.sampled_from(["level"] * 10 + ["quote"] * 3 + rare))
    venue, instrument = draw(st.integers(0, venues - 1)), draw(st.integers(1, instruments))
    if kind == "level":
        side, quantity = (
            draw(st.sampled_from([BUY, SELL])),
            draw(st.sampled_from([0, 1, 15, 40, 60, 100, 150, 200, 1000])),
        )
        return kind, (venue, instrument, side, draw(PRICES), quantity)
    if kind == "quote":
        level = draw(PRICES), draw(st.sampled_from([0, 40, 100, 1000]))
        return kind, (
            venue,
            instrument,
            draw(st.sampled_from([BUY, SELL])),
            level,
            draw(st.booleans()),
        )
    if kind == "status":
        return kind, (venue, instrument, draw(STATUSES))
    if kind == "status_of_all":
        return kind, (venue, draw(STATUSES))
    if kind == "trust":
        return kind, (venue, instrument, draw(st.booleans()))
    if kind in ("bands", "banded"):
        bands = draw(st.sampled_from([(0, 0), (998, 1002), (0, 1000), (1000, 0)]))
        return kind, (*([venue % 2] if kind == "banded" else []), instrument, *bands)
    return kind, (instrument, draw(st.sampled_from([1, 10, 40, 100])))


@settings(max_examples=120, deadline=None)
@given(data=st.data(), count=st.integers(1, 12), unknown=st.booleans())
def test_the_market_is_what_the_slow_twin_says_after_every_step(data, count, unknown):
    flags = st.booleans()
    venues = [SlowVenue(True, data.draw(flags)) for _ in range(count - 1)]
    venues.append(SlowVenue(data.draw(flags), False))
    made = Rig(venues, instruments=2, unknown_trades=unknown)
    try:
        for venue in range(count):
            made.status(venue, 1, TRADING)
        for kind, given_ in data.draw(st.lists(steps(count, 2), max_size=60)):
            if kind == "level" and given_[4] == 0:
                quote = made.slow[given_[1]].quotes[given_[0]]
                if given_[3] not in (quote.bids if given_[2] == BUY else quote.offers):
                    continue
            getattr(made, kind)(*given_)
            made.check()
    finally:
        made.close()


LADDER = st.dictionaries(st.integers(90, 110), st.integers(1, 500), max_size=8)


@given(sides=st.lists(LADDER, max_size=5), buy=st.booleans())
def test_merged_depth_is_what_the_slow_twin_says(sides, buy):
    kind = np.dtype([("price", "i8"), ("quantity", "i8"), ("orders", "i8")])
    lists = {v: sorted(levels.items(), reverse=buy) for v, levels in enumerate(sides)}
    rows = {v: np.array([(p, q, 1) for p, q in levels], kind) for v, levels in lists.items()}
    made = merge(rows, BUY if buy else SELL)
    found = [(int(r["price"]), int(r["quantity"]), bits(int(r["venues"]))) for r in made]
    assert found == slow_merged_depth(lists, buy)


def test_depth_is_merged_from_the_books_of_the_venues_asked_for(rig):
    rig.level(0, 1, SELL, 1001, 100)
    rig.level(1, 1, SELL, 1001, 50)
    rig.level(1, 1, SELL, 1000, 10)
    rig.level(2, 1, SELL, 900, 10)
    books = [(venue, rig.books[venue], 1) for venue in (0, 1)]
    rows = merged_depth(books, SELL)
    assert rows[["price", "quantity", "venues"]].tolist() == [(1000, 10, 2), (1001, 150, 3)]
    assert merged_depth(books, SELL, most=1)["price"].tolist() == [1000]
