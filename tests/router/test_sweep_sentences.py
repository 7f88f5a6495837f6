"""Sweeps in sentences: a small scenario each, then the orders and what the record says."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from slow_sweep import Problem, check_orders
from sweep_rig import DOLLAR, NOW_NS, Sweep, SweepRig, Venue

from feedhandler import actions as a
from router.routing import layout
from router.tables import ISO, TAKES

CENT, MIL = DOLLAR // 100, DOLLAR // 10_000
TEN = 10 * DOLLAR


@pytest.fixture(scope="module")
def rig() -> Iterator[SweepRig]:
    made = SweepRig(3)
    yield made
    made.close()


def at(cents: int) -> int:
    """A price so many cents from ten dollars."""
    return TEN + cents * CENT


def shares(sweep: Sweep) -> dict[int, int]:
    """Shares by venue."""
    return {venue: row["quantity"] for venue, row in sweep.orders.items()}


def flags(sweep: Sweep, venue: int, level: int = 0) -> int:
    """Flags of a venue's candidate."""
    return int(sweep.candidates[sweep.candidates["venue"] == venue]["flags"][level])


def test_of_equal_prices_the_one_with_the_lower_fee_is_taken(rig: SweepRig) -> None:
    rig.set_up([Venue([(TEN, 100)], fee=30 * MIL), Venue([(TEN, 100)], fee=-2 * MIL)], "buy")
    sweep = rig.take(100)
    assert shares(sweep) == {1: 100}
    assert flags(sweep, 0) == layout.DEARER | layout.PROTECTED
    assert sweep.candidates["effective"].tolist()[:2] == [TEN + 30 * MIL, TEN - 2 * MIL]


def test_a_seller_pays_the_fee_out_of_what_he_gets(rig: SweepRig) -> None:
    rig.set_up([Venue([(TEN, 100)], fee=30 * MIL), Venue([(TEN, 60)], fee=20 * MIL)], "sell")
    sweep = rig.take(100, side="sell")
    assert shares(sweep) == {0: 40, 1: 60}
    assert sweep.candidates["effective"].tolist()[:2] == [TEN - 30 * MIL, TEN - 20 * MIL]


def test_below_a_dollar_the_fee_is_part_of_the_price(rig: SweepRig) -> None:
    half = DOLLAR // 2
    rig.set_up([Venue([(half, 100)], fee=MIL, small_fee=300_000)], "buy")
    sweep = rig.take(100)
    assert sweep.candidates["effective"][0] == half + half * 3 // 1000


def test_a_dear_level_is_taken_for_the_cheap_one_behind_it(rig: SweepRig) -> None:
    """99 cents and a fee, then a dollar less two cents of rebate: together cheaper than 98.9."""
    across = Venue([(99 * CENT, 10), (DOLLAR, 10)], fee=-2 * CENT, small_fee=300_000)
    other = Venue([(98 * CENT, 20)], small_fee=1_000_000)
    across.protected = other.protected = False
    rig.set_up([across, other], "buy")
    assert shares(rig.take(20)) == {0: 20}
    assert shares(rig.take(10)) == {1: 10}


def test_nothing_is_taken_beyond_the_limit(rig: SweepRig) -> None:
    rig.set_up([Venue([(TEN, 100), (at(1), 100), (at(2), 100)])], "buy")
    sweep = rig.take(300, at(1))
    assert shares(sweep) == {0: 200}
    assert sweep.orders[0]["price"] == at(1)
    assert flags(sweep, 0, 2) == layout.BEYOND_LIMIT
    assert rig.take(300, at(-1)).orders == {}


def test_a_price_band_is_a_limit(rig: SweepRig) -> None:
    rig.set_up([Venue([(TEN, 100), (at(1), 100)])], "buy")
    rig.market.set_instrument(1, "X", bands=(at(-50), TEN))
    assert shares(rig.take(200)) == {0: 100}
    rig.market.set_instrument(1, "X", bands=(0, 0))


def test_what_a_sweep_passes_by_is_swept_by_isos(rig: SweepRig) -> None:
    rig.set_up([Venue([(TEN, 100), (at(1), 100)]), Venue([(TEN, 200)])], "buy")
    sweep = rig.take(400)
    assert shares(sweep) == {0: 200, 1: 200}
    assert {row["flags"] for row in sweep.orders.values()} == {TAKES | ISO}
    assert flags(sweep, 1) == layout.PROTECTED | layout.BY_ISO


def test_at_the_best_price_orders_are_no_isos(rig: SweepRig) -> None:
    rig.set_up([Venue([(TEN, 100), (at(1), 100)]), Venue([(TEN, 200)])], "buy")
    sweep = rig.take(300)
    assert [row["flags"] for row in sweep.orders.values()] == [TAKES, TAKES]


def test_a_rebate_is_no_reason_to_trade_through(rig: SweepRig) -> None:
    """A cent dearer, two cents of rebate: cheaper, but the better quote is protected."""
    rebate = [Venue([(TEN, 100)]), Venue([(at(1), 300)], fee=-200 * MIL)]
    rig.set_up(rebate, "buy")
    assert shares(rig.take(100)) == {0: 100}
    sweep = rig.take(150)
    assert shares(sweep) == {0: 100, 1: 50}
    assert flags(sweep, 0) == layout.PROTECTED | layout.BY_ISO
    rebate[0].protected = False
    rig.set_up(rebate, "buy")
    assert shares(rig.take(100)) == {1: 100}


def test_an_odd_lot_is_not_protected_but_taken(rig: SweepRig) -> None:
    rig.set_up([Venue([(TEN, 60)]), Venue([(at(1), 300)], fee=-200 * MIL)], "buy")
    sweep = rig.take(100)
    assert shares(sweep) == {1: 100}
    assert flags(sweep, 0) == layout.DEARER


def test_a_venue_that_is_down_is_helped_past(rig: SweepRig) -> None:
    rig.set_up([Venue([(TEN, 100)], down=1), Venue([(at(1), 300)])], "buy")
    sweep = rig.take(200)
    assert shares(sweep) == {1: 200}
    assert sweep.orders[1]["flags"] == TAKES
    assert flags(sweep, 0) == layout.DOWN


def test_a_stale_book_is_not_taken_from(rig: SweepRig) -> None:
    rig.set_up([Venue([(TEN, 100)], live=False), Venue([(at(1), 300)])], "buy")
    sweep = rig.take(200)
    assert shares(sweep) == {1: 200}
    assert flags(sweep, 0) == layout.NOT_LIVE
    assert flags(sweep, 2) == layout.DOWN


def test_a_protected_quote_without_a_way_there_stops_the_sweep(rig: SweepRig) -> None:
    far = [Venue([(TEN, 100), (at(2), 500)]), Venue(), Venue(), Venue([(at(1), 100)])]
    rig.set_up(far, "buy")
    sweep = rig.take(300)
    assert shares(sweep) == {0: 100}
    assert flags(sweep, 0, 1) == layout.THROUGH
    assert flags(sweep, -4) == layout.NO_ROUTE | layout.PROTECTED
    assert flags(sweep, 1) == layout.NOTHING


def test_a_venue_without_isos_gives_only_the_best_price(rig: SweepRig) -> None:
    rig.set_up([Venue([(TEN, 100)]), Venue([(at(1), 300)], takes_iso=False)], "buy")
    sweep = rig.take(300)
    assert shares(sweep) == {0: 100}
    assert flags(sweep, 1) == layout.NO_ISO | layout.PROTECTED


def test_shares_already_asked_for_are_not_asked_for_again(rig: SweepRig) -> None:
    rig.set_up([Venue([(TEN, 100), (at(1), 100)], flight=130)], "buy")
    sweep = rig.take(300)
    assert shares(sweep) == {0: 70}
    assert flags(sweep, 0) == layout.IN_FLIGHT | layout.PROTECTED
    assert sweep.candidates["second"].tolist()[:2] == [100, 30]


def test_intents_still_waiting_count_as_asked_for(rig: SweepRig) -> None:
    rig.set_up([Venue([(TEN, 100), (at(1), 100)])], "buy")
    assert shares(rig.take(60)) == {0: 60}
    rig.keep_intents = True
    second = rig.take(100)
    rig.keep_intents = False
    mine = second.candidates[second.candidates["venue"] == 0]
    assert mine["chosen"].tolist() == [40, 60]
    assert mine["second"].tolist() == [60, 0]


def test_an_own_order_on_the_other_side_is_never_met(rig: SweepRig) -> None:
    rig.set_up([Venue([(TEN, 100), (at(1), 100), (at(2), 100)], own=at(1))], "buy")
    sweep = rig.take(300)
    assert shares(sweep) == {0: 100}
    assert flags(sweep, 0, 1) == layout.OWN_ORDER


def test_lots_and_smallest_orders_are_kept(rig: SweepRig) -> None:
    rig.set_up([Venue([(TEN, 250)], lot=100), Venue([(at(1), 90)], least=50)], "buy")
    assert shares(rig.take(230)) == {0: 200}
    assert shares(rig.take(250)) == {0: 200, 1: 50}
    sweep = rig.take(240)
    assert shares(sweep) == {0: 100, 1: 90} or shares(sweep) == {0: 200}
    assert flags(sweep, 1) & layout.LOT


def test_more_shares_come_before_less_cost(rig: SweepRig) -> None:
    """150 shares: a lot of 100 at the better price leaves 50 that nobody gives; 90 and 60 do."""
    given = [
        Venue([(TEN, 100)], lot=100, protected=False),
        Venue([(at(1), 90)], least=60),
        Venue([(at(1), 60)], least=60),
    ]
    rig.set_up(given, "buy")
    assert shares(rig.take(150)) == {1: 90, 2: 60}


def test_orders_arrive_together(rig: SweepRig) -> None:
    near, far = Venue([(TEN, 100)], latency_ns=20_000), Venue([(TEN, 100)], latency_ns=50_000)
    rig.set_up([near, far], "buy")
    sent = {v: row["send_ns"] for v, row in rig.take(200).orders.items()}
    assert sent == {0: NOW_NS + 30_000, 1: NOW_NS}
    assert rig.take(100).orders[0]["send_ns"] == 0


def test_a_halt_of_the_market_stops_all(rig: SweepRig) -> None:
    rig.set_up([Venue([(TEN, 100)]), Venue([(TEN, 100)])], "buy")
    rig.market.venues["halts_all"][0] = 1
    rig.status(0, a.STATUS_HALTED)
    sweep = rig.take(100)
    assert sweep.orders == {}
    assert (flags(sweep, 0), flags(sweep, 1) & layout.HALTED) == (layout.NOT_LIVE, layout.HALTED)
    rig.market.venues["halts_all"][0] = 0


def test_nothing_wanted_is_nothing_decided(rig: SweepRig) -> None:
    before = int(rig.tables.head["decision_count"])
    assert rig.take_nothing() == 0
    assert int(rig.tables.head["decision_count"]) == before


def test_intents_that_find_no_room_are_not_counted_as_asked_for(rig: SweepRig) -> None:
    rig.set_up([Venue([(TEN, 100)]), Venue([(TEN, 100)])], "buy")
    room = int(rig.tables.head["most_intents"])
    rig.tables.head["most_intents"] = 1
    sweep = rig.take(200)
    rig.tables.head["most_intents"] = room
    assert (sweep.asked, len(sweep.orders)) == (100, 1)


def test_a_search_that_runs_too_long_is_marked(rig: SweepRig) -> None:
    """Lots of which none is a multiple of another, and large smallest orders."""
    given = [
        Venue([(TEN, 899)], lot=15, least=100, protected=False),
        Venue([(TEN, 541)], lot=6, least=200, fee=25 * MIL, protected=False),
        Venue([(TEN, 494)], lot=10, fee=22 * MIL, protected=False),
    ]
    rig.set_up(given, "buy")
    sweep = rig.take(907)
    assert sweep.bounded
    check_orders(Problem(given, "buy", 0, 100, 3), sweep, 907, 0)
