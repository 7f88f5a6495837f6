"""What an order flow sends: in order, the same for the same seed, and true to its own view."""

from __future__ import annotations

import numpy as np
import pytest
from flow_rig import SECOND_NS, all_commands, changed, times

from feedhandler.actions import BUY, NO_PRICE, STATUS_CLOSED, STATUS_PREOPEN, STATUS_TRADING
from nic.regions import reset, violations
from simulator.flow import layout
from simulator.flow.flow import OrderFlow
from simulator.flow.session_times import SessionTimes
from simulator.flow.settings import Settings
from simulator.matching import records as r

BUSY = {"new_orders_per_s": 400.0}


@pytest.fixture(autouse=True)
def checked():
    reset()
    yield
    assert violations().count == 0, violations()


def sent(
    seed: int, slice_ms: int = 5, seconds: int = 3, capacity: int = 512,
    settings: Settings | None = None,
) -> list[np.ndarray]:  # fmt: skip
    """All that a small flow sends which nobody answers."""
    session = times(seconds)
    with OrderFlow(4, session, seed, settings or changed(activity=BUSY), capacity=capacity) as flow:
        return all_commands(flow, slice_ms * 1_000_000, session.close_ns + SECOND_NS)


@pytest.fixture(scope="module")
def whole() -> np.ndarray:
    """All venues' commands of one flow."""
    return np.concatenate(sent(1))


def test_the_same_seed_gives_the_same_commands():
    assert [one.tobytes() for one in sent(3)] == [one.tobytes() for one in sent(3)]


def test_another_seed_gives_others():
    assert sent(3)[0].tobytes() != sent(4)[0].tobytes()


@pytest.mark.parametrize(("slice_ms", "capacity"), [(1, 512), (1000, 4096), (1000, 16), (37, 9)])
def test_where_steps_are_cut_makes_no_difference(slice_ms, capacity):
    expected = [one.tobytes() for one in sent(3)]
    assert [one.tobytes() for one in sent(3, slice_ms, capacity=capacity)] == expected


def test_a_venue_hears_things_in_the_order_of_their_times():
    for commands in sent(2):
        assert (np.diff(commands["time_ns"]) > 0).all()


def test_venues_that_are_further_away_hear_later():
    flow_sent = sent(2)
    first = [int(commands["time_ns"][0]) for commands in flow_sent]
    settings = changed(activity=BUSY)
    for venue, time_ns in zip(settings.venues, first, strict=True):
        late_us = (time_ns - times(3).start_ns) / 1000
        assert venue.delay_us <= late_us <= venue.delay_us + venue.jitter_us + 0.01


def test_tokens_are_used_once(whole):
    tokens = whole["token"][np.isin(whole["kind"], (r.NEW, r.REPLACE))]
    assert len(np.unique(tokens)) == len(tokens) and tokens.min() > 0


def test_owners_change_only_live_orders_of_their_own():
    for commands in sent(5):
        live: dict[int, tuple[int, int]] = {}
        for command in commands:
            kind, target = int(command["kind"]), int(command["target"])
            mine = (int(command["owner"]), int(command["instrument"]))
            if kind in (r.CANCEL, r.REPLACE):
                assert live[target] == mine
                if kind == r.REPLACE or command["quantity"] == 0:
                    del live[target]
            if kind in (r.NEW, r.REPLACE):
                live[int(command["token"])] = mine
        assert live


def test_prices_are_on_ticks_and_sizes_are_positive(whole):
    new = whole[np.isin(whole["kind"], (r.NEW, r.REPLACE))]
    priced = new[new["type"] == r.LIMIT]
    assert (priced["price"] > 0).all() and (priced["price"] % 1_000_000 == 0).all()
    assert (new["quantity"] > 0).all() and new["quantity"].max() <= 100_000
    assert (new["price"][new["type"] == r.MARKET] == NO_PRICE).all()
    assert (new["owner"] < 1000).all() and (new["owner"] > 0).all()
    reserves = new[new["display"] > 0]
    assert len(reserves) and (reserves["display"] < reserves["quantity"]).all()


def test_all_that_is_configured_is_there(whole):
    new = whole[whole["kind"] == r.NEW]
    assert set(np.unique(new["type"])) >= {r.LIMIT, r.MARKET, r.MIDPOINT_PEG}
    assert set(np.unique(new["time_in_force"])) >= {r.DAY, r.OPENING, r.CLOSING}
    for flag in (r.POST_ONLY, r.HIDDEN):
        assert (new["flags"] & flag).any()
    odd = (new["quantity"] % 100 != 0).mean()
    assert 0.2 < odd < 0.6


def test_a_dark_venue_gets_pegs_alone():
    commands = sent(1)[8]
    new = commands[commands["kind"] == r.NEW]
    assert len(new) and (new["type"] == r.MIDPOINT_PEG).all()


def test_the_session_opens_and_closes_everywhere_and_auctions_where_it_is_listed():
    session, settings = times(3), changed(activity=BUSY)
    with OrderFlow(4, session, 1, settings) as flow:
        listings = flow.instruments["listing"][1:].tolist()
    auctions = {r.OPENING: [], r.CLOSING: []}
    for venue, commands in enumerate(sent(1)):
        states = commands["flags"][commands["kind"] == r.SESSION].tolist()
        assert states == [STATUS_PREOPEN, STATUS_TRADING, STATUS_CLOSED]
        assert int(commands["kind"][0]) == r.SESSION and int(commands["kind"][-1]) == r.SESSION
        for command in commands[commands["kind"] == r.AUCTION]:
            auctions[int(command["flags"])].append((int(command["instrument"]), venue))
            late_ns = int(command["time_ns"]) - (
                session.open_ns if command["flags"] == r.OPENING else session.close_ns
            )
            assert 0 <= late_ns < 1_000_000
    for pairs in auctions.values():
        assert sorted(pairs) == list(enumerate(listings, 1))


def test_nothing_but_the_closing_comes_after_the_close():
    session = times(3)
    for commands in sent(1):
        after = commands[commands["time_ns"] > session.close_ns + 1_000_000]
        assert len(after) == 0


def test_a_halt_stops_an_instrument_everywhere_and_ends():
    settings = changed(activity=BUSY, halts={"per_session": 3.0, "length_s": 0.2})
    seen = 0
    for commands in sent(1, settings=settings):
        for instrument in range(1, 5):
            some = commands[commands["instrument"] == instrument]
            halted = 0
            for kind in some["kind"].tolist():
                assert not (halted and kind in (r.NEW, r.REPLACE, r.HALT))
                halted = {r.HALT: 1, r.RESUME: 0}.get(kind, halted)
                seen += kind == r.HALT
    assert seen >= 9


def test_news_moves_the_price_and_pauses_beyond_the_bands():
    settings = changed(
        activity=BUSY,
        news={"per_session": 4.0, "size": 0.04},
        halts={"per_session": 0.0, "pause_s": 0.1},
    )
    with OrderFlow(4, times(3), 1, settings) as flow:
        before = flow.instruments["fair"].copy()
        commands = np.concatenate(all_commands(flow, 10_000_000, flow.times.close_ns))
        counters = flow.counters()
        moved = np.abs(flow.instruments["fair"][1:] / before[1:] - 1)
    assert counters["news"] > 4 and counters["halts"] > 0
    assert moved.max() > 0.02
    bands = commands[commands["kind"] == r.BANDS]
    assert len(bands) > 4 * 9 and (bands["price"] < bands["cap"]).all()


def test_pegs_are_told_the_national_best_when_it_changes():
    with OrderFlow(2, times(3), 1, changed(activity=BUSY)) as flow:
        flow.step(flow.times.open_ns + SECOND_NS // 10)
        fair = int(flow.instruments[1]["fair"]) // 1_000_000 * 1_000_000
        flow.show(0, 1, (fair - 2_000_000, 100), (fair + 3_000_000, 100))
        flow.show(3, 1, (fair - 1_000_000, 100), (fair + 4_000_000, 0))
        flow.step(flow.times.open_ns + SECOND_NS)
        told = flow.commands_of(8)
        told = told[told["kind"] == r.REFERENCE]
        assert told[["instrument", "price", "cap"]].tolist() == [
            (1, fair - 1_000_000, fair + 3_000_000)
        ]


def test_quotes_behind_the_latent_price_are_picked_off_or_canceled():
    quiet = changed(
        activity=BUSY, prices={"volatility": 0.0}, takers={"stale": 1.0, "dark": 0.0},
        proportions={"executions_per_add": 0.0},
    )  # fmt: skip
    with OrderFlow(1, times(3), 1, quiet) as flow:
        flow.step(flow.times.open_ns + SECOND_NS // 10)
        fair = int(flow.instruments[1]["fair"])
        flow.show(0, 1, (0, 0), (fair - 50_000_000, 300))
        flow.step(flow.times.open_ns + SECOND_NS // 2)
        new = flow.commands_of(0)
        takers = new[(new["kind"] == r.NEW) & (new["time_in_force"] == r.IOC)]
        assert len(takers) > 20
        assert (takers["side"] == BUY).all() and (takers["flags"] & r.SWEEP).all()
        assert takers["quantity"].max() <= 300


def report(kind: int, token: int, leaves: int, quantity: int = 100) -> np.ndarray:
    """One report."""
    row = np.zeros(1, r.REPORT_DTYPE)
    row["kind"], row["token"], row["leaves"], row["quantity"] = kind, token, leaves, quantity
    return row


def test_reports_change_the_view_once():
    with OrderFlow(2, times(3), 1, changed(activity=BUSY)) as flow:
        flow.step(flow.times.open_ns - SECOND_NS)
        live = flow.counters()["live_orders"]
        new = flow.commands_of(0)
        resting = new[(new["kind"] == r.NEW) & (new["time_in_force"] == r.DAY)]
        first, second, third = (int(token) for token in resting["token"][:3])
        flow.hear(report(r.EXECUTED, first, 50))
        assert flow.counters()["live_orders"] == live
        flow.hear(report(r.EXECUTED, first, 0))
        flow.hear(report(r.EXECUTED, first, 0))
        flow.hear(report(r.CANCELED, second, 0))
        flow.hear(report(r.REJECTED, third, 0))
        flow.hear(report(r.EXECUTED, 1 << 60, 0))
        flow.hear(report(r.EXECUTED, 12345, 0))
        assert flow.counters()["live_orders"] == live - 3
        assert flow.counters()["executions"] == 2 and flow.counters()["rejected"] == 1
        gone = {first, second, third}
        rest = np.concatenate(all_commands(flow, SECOND_NS // 20, flow.times.close_ns))
        assert not gone & set(rest["target"].tolist())


def test_lists_agree_with_the_order_table():
    with OrderFlow(3, times(3), 1, changed(activity=BUSY)) as flow:
        all_commands(flow, SECOND_NS // 20, flow.times.open_ns + SECOND_NS)
        block = flow._block
        orders, lists = block["orders"], block["lists"]
        live = np.flatnonzero(orders["token"])
        assert len(live) == flow.counters()["live_orders"] == flow.instruments["count"][1:].sum()
        for slot in live.tolist():
            order = orders[slot]
            row = flow.instruments[int(order["instrument"])]
            place = int(row["first"][order["class"]]) + int(order["place"])
            assert lists[place] == slot
            assert int(order["token"]) & layout.SLOT_MASK == slot
        rates = flow.head["class_rate"]
        wanted = (flow.instruments["count"][1:] * rates).sum(1)
        assert flow.instruments["cancel_rate"][1:].tolist() == wanted.tolist()


def test_more_orders_than_there_is_room_for_are_left_out_and_counted():
    crowded = changed(activity=BUSY, news={"per_session": 6.0, "excitement": 300.0})
    with OrderFlow(1, times(3), 2, crowded) as flow:
        flow.instruments[1]["room"][:] = 3
        all_commands(flow, SECOND_NS // 20, flow.times.close_ns)
        assert flow.counters()["lists_full"] > 0
        assert flow.instruments[1]["count"].max() <= 3


def test_sessions_and_sizes_are_checked():
    with pytest.raises(ValueError, match="start < open < close"):
        SessionTimes(5, 5, 6)
    with pytest.raises(ValueError, match="expected an instrument"):
        OrderFlow(0, times(1), 1)
    with pytest.raises(ValueError, match="expected an instrument and room"):
        OrderFlow(1, times(1), 1, capacity=3)
