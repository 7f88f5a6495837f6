"""A market in memory: cuts change nothing, one's own orders take part, books open."""

from __future__ import annotations

import random
from typing import Any

import msgspec
import numpy as np
import pytest
from made_markets import FIVE, small_plan

from feedhandler import actions as a
from feedhandler.books.sizes import sizes_for
from feedhandler.books.venuebook import VenueBook
from feedhandler.packetactions import PacketActions
from nic.regions import reset, violations
from simulator.flow.settings import load_settings
from simulator.market.market import FIRST_OUTSIDE, Market
from simulator.market.outlets import publisher_of
from simulator.market.plan import SECOND_NS, MarketPlan
from simulator.market.symbols import made_symbols
from simulator.matching import records as r


def whole(plan: MarketPlan, moments: list[int]) -> tuple[list[np.ndarray], list[np.ndarray]]:
    """Public events and reports of every venue, run up to these moments one after the other."""
    with Market(plan) as market:
        public: list[list[np.ndarray]] = [[] for _ in market.names]
        reports: list[list[np.ndarray]] = [[] for _ in market.names]
        for moment in moments:
            for output in market.run(moment):
                for number in range(len(market.names)):
                    public[number].append(output.public[number].copy())
                    reports[number].append(output.reports[number].copy())
        return [np.concatenate(some) for some in public], [np.concatenate(one) for one in reports]


def order(instrument: int, side: int, price: int, quantity: int, **more: int) -> np.ndarray:
    """A limit order of an owner of one's own."""
    made = np.zeros(1, r.COMMAND_DTYPE)
    given = {"kind": r.NEW, "side": side, "type": r.LIMIT, "instrument": instrument}
    given |= {"owner": FIRST_OUTSIDE, "token": 1, "price": price, "quantity": quantity}
    for name, value in (given | {"cap": a.NO_PRICE} | more).items():
        made[name] = value
    return made


def test_where_a_run_is_cut_changes_nothing() -> None:
    reset()
    plan = small_plan(seed=5, symbols=3, seconds=1.5)
    chance, start_ns = random.Random(8), plan.times.start_ns
    cuts = sorted(chance.randrange(start_ns, plan.end_ns) for _ in range(300))
    once, cut = whole(plan, [plan.end_ns]), whole(plan, [*cuts, plan.end_ns])
    for one, other in zip(once, cut, strict=True):
        for first, second in zip(one, other, strict=True):
            assert first.tobytes() == second.tobytes()
    assert min(map(len, once[0])) > 100
    assert violations().count == 0, violations()


def test_another_seed_is_another_market() -> None:
    first, second = (whole(small_plan(seed=n, symbols=2, seconds=1.0), [2**62]) for n in (1, 2))
    assert first[0][0].tobytes() != second[0][0].tobytes()


def test_times_at_a_venue_never_go_back_and_its_sequence_has_no_hole() -> None:
    public, reports = whole(small_plan(seed=9, seconds=2.0), [2**62])
    for events, told in zip(public, reports, strict=True):
        assert (np.diff(events["time_ns"]) >= 0).all()
        numbers = np.sort(np.concatenate([events["sequence"], told["sequence"]]))
        assert numbers.tolist() == list(range(1, len(numbers) + 1))


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_closing_auctions_stay_near_the_reference(seed: int) -> None:
    """Orders without a price do not sweep a thin book: late ones stand against their imbalance."""
    settings = load_settings()
    auctions = msgspec.structs.replace(settings.auctions, closing=0.1, closing_window=0.3)
    settings = msgspec.structs.replace(settings, auctions=auctions)
    plan = MarketPlan(
        seed=seed, symbols=made_symbols(50), seconds=10.0, before_s=1.0, settings=settings
    )
    public, _ = whole(plan, [2**62])
    events = np.concatenate(public)
    closing = (events["kind"] == a.AUCTION) & (events["time_ns"] >= plan.times.close_ns)
    reference, price = events["price"][closing], events["aux"][closing]
    assert len(price) > 40
    assert (np.abs(price - reference) <= reference // 100).all()


def test_no_venue_stands_crossed_while_it_trades() -> None:
    plan = small_plan(seed=4)
    with Market(plan) as market:
        looked = 0
        for moment in range(plan.times.open_ns + SECOND_NS, plan.times.close_ns, SECOND_NS // 20):
            for _ in market.run(moment):
                pass
            for exchange in market.exchanges:
                for instrument in range(1, len(plan.symbols) + 1):
                    top = exchange.top(instrument)
                    if top.bid and top.offer and exchange.status(instrument) == a.STATUS_TRADING:
                        assert top.bid < top.offer
                        looked += 1
    assert looked > 500


def test_an_order_of_ones_own_trades_in_the_market_and_is_told() -> None:
    plan = small_plan(seed=6)
    with Market(plan) as market:
        now_ns = plan.times.open_ns + SECOND_NS
        for _ in market.run(now_ns):
            pass
        price = market.exchanges[0].top(1).offer
        assert price
        market.send(0, order(1, a.BUY, price, 1, time_ns=now_ns + 1_000, time_in_force=r.IOC))
        told = []
        for output in market.run(now_ns + 500_000):
            mine = output.reports[0][output.reports[0]["owner"] >= FIRST_OUTSIDE]
            told += [(int(one["kind"]), int(one["quantity"])) for one in mine]
    assert told == [(r.ACCEPTED, 1), (r.EXECUTED, 1)]


def test_orders_of_the_past_and_of_the_flow_are_refused() -> None:
    plan = small_plan(symbols=1)
    with Market(plan) as market:
        for _ in market.run(plan.times.open_ns):
            pass
        with pytest.raises(ValueError, match="it is"):
            market.send(0, order(1, a.BUY, 100, 1, time_ns=plan.times.open_ns - 1))
        with pytest.raises(ValueError, match="order flow"):
            market.send(0, order(1, a.BUY, 100, 1, time_ns=plan.times.close_ns, owner=999))


@pytest.mark.parametrize("venue", [*FIVE, "bx", "arca"])
def test_behind_the_opening_every_feed_says_that_every_instrument_trades(venue: str) -> None:
    plan = MarketPlan(seed=2, seconds=2.0, before_s=0.5, symbols=made_symbols(4))
    publisher = publisher_of(plan, venue)
    reader = PacketActions(publisher.feed, publisher.midnight_ns)
    sizes = sizes_for(publisher.feed, orders=8_192, levels=8_192)
    with Market(plan) as market, VenueBook(sizes) as book:
        made = [publisher.begin(plan.times.start_ns - SECOND_NS, a.STATUS_PREOPEN)]
        for output in market.run(plan.times.open_ns + SECOND_NS // 2):
            made.append(publisher.publish(output.public[market.names.index(venue)]))
        for packets in [*made, publisher.flush()]:
            for time_ns, raw in packets:
                book.apply(reader.read(raw, time_ns))
        for number in range(1, 5):
            found = book.instrument(publisher.key(number))
            assert found is not None
            assert book.tops[found]["status"] == a.STATUS_TRADING


@pytest.mark.parametrize(
    ("given", "wrong"),
    [
        ({"seconds": 0.5}, "duration"),
        ({"symbols": []}, "0 symbols"),
        ({"symbols": ["KOZ", "KOZ"]}, "twice"),
        ({"stop_s": 9.0}, "stop after"),
        ({"before_s": 0.0}, "before the opening"),
        ({"models": {}}, "no model of venue"),
    ],
)
def test_a_plan_that_cannot_be_is_refused(given: dict[str, Any], wrong: str) -> None:
    with pytest.raises(ValueError, match=wrong):
        small_plan(**given)


def test_symbols_are_all_different_and_some_have_a_class() -> None:
    made = made_symbols(5_000)
    assert len(set(made)) == 5_000
    assert made[24].endswith(".A") and sum("." in one for one in made) == 200
