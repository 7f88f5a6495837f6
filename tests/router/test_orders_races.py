"""Races between us and venues, and what venues get wrong, as sentences."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from order_rig import BUY, CHILD_LOG, DOLLAR, FILL_LOG, SELL, OrderRig

from router.orders.states import EVENTS, STATES
from router.tables import IOC


@pytest.fixture
def rig() -> Iterator[OrderRig]:
    """A small router."""
    with OrderRig() as made:
        yield made


def test_an_order_is_sent_accepted_and_filled_in_parts(rig: OrderRig) -> None:
    child = rig.enter(100)
    assert (rig.state(child), rig.shares(child)) == ("pending new", (0, 100))
    rig.ack(child)
    assert rig.state(child) == "new"
    rig.fill(child, 40)
    assert (rig.state(child), rig.shares(child)) == ("partially filled", (40, 60))
    rig.fill(child, 60)
    assert (rig.state(child), rig.shares(child)) == ("filled", (100, 0))
    assert rig.marks(child) == ""
    assert rig.reserved() == (0, 0)


def test_an_acknowledgement_says_how_long_the_venue_took(rig: OrderRig) -> None:
    child = rig.enter(100)
    rig.tables.children[child]["sent_ns"] = rig.now + 5
    rig.now += 104
    rig.ack(child)
    row = rig.tables.children[child]
    assert int(rig.tables.venues[1]["rtt_ns"]) == 100
    assert (int(row["heard_ns"]), int(row["venue_order"])) == (rig.now, 5000 + child)


def test_a_fill_before_the_acknowledgement_is_booked_and_marked(rig: OrderRig) -> None:
    child = rig.enter(100)
    rig.fill(child, 40)
    assert (rig.state(child), rig.marks(child)) == ("partially filled", "filled before ack")
    rig.ack(child)
    assert rig.state(child) == "partially filled"
    assert rig.count("impossible") == 0


def test_an_order_filled_before_its_acknowledgement_stays_filled(rig: OrderRig) -> None:
    child = rig.enter(100)
    rig.fill(child, 100)
    rig.ack(child)
    assert (rig.state(child), rig.marks(child)) == ("filled", "filled before ack")
    assert rig.count("impossible") == 0


def test_a_second_acknowledgement_is_impossible(rig: OrderRig) -> None:
    child = rig.accepted()
    rig.ack(child)
    assert (rig.state(child), rig.marks(child)) == ("new", "impossible event")
    assert rig.count("impossible") == 1


def test_a_rejected_order_gives_back_what_it_reserved(rig: OrderRig) -> None:
    child = rig.enter(100)
    assert rig.reserved() == (100, 1000 * DOLLAR)
    rig.say("rejected", rig.token(child), aux=77)
    assert (rig.state(child), rig.reserved()) == ("rejected", (0, 0))
    assert int(rig.tables.children[child]["reason"]) == 77
    assert rig.count("refused") == 1
    assert int(rig.tables.venues[1]["rejects"]) == int(rig.tables.accounts[1]["rejects"]) == 1


def test_a_fill_while_a_cancel_is_out_then_the_cancel(rig: OrderRig) -> None:
    child = rig.accepted()
    assert rig.cancel(child) == 1
    rig.fill(child, 30)
    assert (rig.state(child), rig.shares(child)) == ("pending cancel", (30, 70))
    rig.say("canceled", rig.token(child), quantity=70)
    assert (rig.state(child), rig.shares(child)) == ("canceled", (30, 0))
    assert rig.marks(child) == ""


def test_an_order_filled_while_a_cancel_is_out_refuses_the_cancel(rig: OrderRig) -> None:
    child = rig.accepted()
    rig.cancel(child)
    rig.fill(child, 100)
    assert rig.state(child) == "filled"
    rig.say("cancel_rejected", rig.token(child))
    assert (rig.state(child), rig.marks(child)) == ("filled", "")
    assert rig.count("impossible") == 0


def test_a_refused_cancel_leaves_the_order_as_fills_have_made_it(rig: OrderRig) -> None:
    child = rig.accepted()
    rig.cancel(child)
    rig.fill(child, 10)
    rig.say("cancel_rejected", rig.token(child), aux=9)
    assert rig.state(child) == "partially filled"
    assert rig.cancel(child) == 1


def test_a_cancel_may_be_asked_before_the_acknowledgement(rig: OrderRig) -> None:
    child = rig.enter(100)
    assert rig.cancel(child) == 1
    rig.ack(child)
    assert rig.state(child) == "pending cancel"
    rig.say("canceled", rig.token(child))
    assert rig.state(child) == "canceled"


def test_a_cancel_is_not_asked_twice(rig: OrderRig) -> None:
    child = rig.accepted()
    assert (rig.cancel(child), rig.cancel(child)) == (1, 0)
    assert int(rig.tables.accounts[1]["cancels"]) == 1


def test_a_late_fill_after_the_cancel_is_booked_and_the_order_stays_canceled(rig: OrderRig) -> None:
    child = rig.accepted()
    rig.cancel(child)
    rig.say("canceled", rig.token(child))
    rig.fill(child, 40)
    assert (rig.state(child), rig.shares(child)) == ("canceled", (40, 0))
    assert rig.marks(child) == "late fill"
    assert int(rig.tables.positions[1, 1]["shares"]) == 40
    assert rig.reserved() == (0, 0)


def test_a_fill_of_a_rejected_order_is_booked_though_it_is_impossible(rig: OrderRig) -> None:
    child = rig.enter(100)
    rig.say("rejected", rig.token(child))
    rig.fill(child, 40)
    assert (rig.state(child), rig.shares(child)) == ("rejected", (40, 0))
    assert rig.marks(child) == "late fill, impossible event"
    assert int(rig.tables.positions[1, 1]["shares"]) == 40


def test_a_cancel_that_nobody_asked_for_is_marked(rig: OrderRig) -> None:
    child = rig.accepted()
    rig.say("canceled", rig.token(child), aux=3)
    assert (rig.state(child), rig.marks(child)) == ("canceled", "unsolicited cancel")


def test_what_an_ioc_leaves_is_canceled_without_a_mark(rig: OrderRig) -> None:
    child = rig.accepted(tif=IOC)
    rig.fill(child, 40)
    rig.say("canceled", rig.token(child), quantity=60)
    assert (rig.state(child), rig.marks(child)) == ("canceled", "")


def test_a_cancel_of_some_shares_leaves_the_others(rig: OrderRig) -> None:
    child = rig.accepted()
    rig.fill(child, 20)
    rig.say("canceled", rig.token(child), quantity=30)
    assert (rig.state(child), rig.shares(child)) == ("partially filled", (20, 50))
    assert rig.reserved() == (50, 500 * DOLLAR)
    rig.fill(child, 50)
    assert rig.state(child) == "filled"


def test_a_restatement_takes_leaves_down_never_up(rig: OrderRig) -> None:
    child = rig.accepted()
    rig.say("restated", rig.token(child), quantity=60, price=9 * DOLLAR)
    assert (rig.state(child), rig.shares(child)) == ("new", (0, 60))
    rig.say("restated", rig.token(child), quantity=500)
    assert rig.shares(child) == (0, 60)
    assert int(rig.tables.children[child]["price"]) == 10 * DOLLAR


def test_a_replace_reserves_the_larger_until_it_is_answered(rig: OrderRig) -> None:
    child = rig.accepted()
    token = rig.replace(child, 150, 8 * DOLLAR)
    assert (token, rig.state(child)) == (2, "pending replace")
    assert rig.reserved() == (150, 1200 * DOLLAR)
    rig.say("replaced", token, aux=1)
    assert (rig.state(child), rig.shares(child), rig.token(child)) == ("new", (0, 150), token)
    assert rig.reserved() == (150, 1200 * DOLLAR)
    rig.replace(child, 50, 10 * DOLLAR)
    assert rig.reserved() == (150, 1200 * DOLLAR)
    rig.say("replaced", rig.new_token(child), aux=token)
    assert rig.reserved() == (50, 500 * DOLLAR)


def test_a_replace_accepted_after_a_partial_fill_leaves_the_difference(rig: OrderRig) -> None:
    child = rig.accepted()
    token = rig.replace(child, 150)
    rig.fill(child, 30)
    assert (rig.state(child), rig.shares(child)) == ("pending replace", (30, 70))
    rig.say("replaced", token, aux=1, quantity=120)
    assert (rig.state(child), rig.shares(child)) == ("partially filled", (30, 120))


def test_a_replace_to_what_is_executed_by_then_fills_the_order(rig: OrderRig) -> None:
    child = rig.accepted()
    token = rig.replace(child, 40)
    rig.fill(child, 40)
    rig.say("replaced", token, aux=1)
    assert (rig.state(child), rig.shares(child)) == ("filled", (40, 0))
    assert rig.reserved() == (0, 0)


def test_a_replace_below_what_is_executed_may_cancel_the_order(rig: OrderRig) -> None:
    child = rig.accepted()
    rig.replace(child, 40)
    rig.fill(child, 60)
    rig.say("canceled", rig.token(child), quantity=40)
    assert (rig.state(child), rig.marks(child)) == ("canceled", "")


def test_an_order_filled_while_a_replace_is_out_refuses_the_replace(rig: OrderRig) -> None:
    child = rig.accepted()
    token = rig.replace(child, 150)
    rig.fill(child, 100)
    assert (rig.state(child), rig.reserved()) == ("filled", (0, 0))
    rig.say("rejected", token)
    assert (rig.state(child), rig.count("impossible"), rig.count("refused")) == ("filled", 0, 0)


@pytest.mark.parametrize("kind", ["rejected", "cancel_rejected"])
def test_a_refused_replace_leaves_the_order_as_it_was(rig: OrderRig, kind: str) -> None:
    child = rig.accepted()
    token = rig.replace(child, 150, 8 * DOLLAR)
    rig.say(kind, token, aux=4)
    assert (rig.state(child), rig.shares(child), rig.token(child)) == ("new", (0, 100), 1)
    assert rig.reserved() == (100, 1000 * DOLLAR)
    assert rig.replace(child, 120) == 3


def test_a_refusal_that_names_the_order_is_of_its_replace(rig: OrderRig) -> None:
    child = rig.accepted()
    rig.replace(child, 150)
    rig.say("cancel_rejected", rig.token(child))
    assert (rig.state(child), rig.new_token(child)) == ("new", 0)


def test_a_replace_cannot_be_asked_when_it_makes_no_sense(rig: OrderRig) -> None:
    child = rig.enter(100)
    assert rig.replace(child, 150) == 0
    rig.ack(child)
    rig.fill(child, 40)
    assert rig.replace(child, 40) == 0
    assert rig.replace(child, 150, -1) == 0
    assert rig.replace(child, 150) == 2
    assert rig.replace(child, 160) == 0
    assert rig.count("impossible") == 0


def test_a_replace_that_was_not_asked_for_changes_nothing(rig: OrderRig) -> None:
    child = rig.accepted()
    rig.say("replaced", 9, aux=rig.token(child), quantity=500)
    assert (rig.state(child), rig.shares(child)) == ("new", (0, 100))
    assert rig.marks(child) == "impossible event"


def test_fills_that_name_the_old_token_still_count(rig: OrderRig) -> None:
    child = rig.accepted()
    token = rig.replace(child, 150)
    rig.say("replaced", token, aux=1)
    rig.say("executed", 1, quantity=50, price=10 * DOLLAR, aux=5)
    assert rig.shares(child) == (50, 100)


def test_a_cancel_that_crosses_an_accepted_replace_is_asked_for_again(rig: OrderRig) -> None:
    child = rig.accepted()
    token = rig.replace(child, 150)
    assert rig.cancel(child) == 1
    rig.say("replaced", token, aux=1)
    assert (rig.state(child), rig.marks(child)) == ("pending cancel", "cancel crossed")
    assert rig.cancel(child) == 1
    assert rig.marks(child) == ""
    rig.say("cancel_rejected", 1)  # the first cancel named a token of the past
    assert rig.state(child) == "pending cancel"
    rig.say("canceled", token)
    assert (rig.state(child), rig.count("impossible")) == ("canceled", 0)


def test_a_cancel_refused_while_a_replace_is_out_leaves_the_replace(rig: OrderRig) -> None:
    child = rig.accepted()
    token = rig.replace(child, 150)
    rig.cancel(child)
    rig.say("cancel_rejected", rig.token(child))
    assert rig.state(child) == "pending replace"
    rig.say("replaced", token, aux=1)
    assert (rig.state(child), rig.shares(child)) == ("new", (0, 150))


def test_a_replace_refused_while_a_cancel_is_out_leaves_the_cancel(rig: OrderRig) -> None:
    child = rig.accepted()
    token = rig.replace(child, 150)
    rig.cancel(child)
    rig.say("rejected", token)
    assert (rig.state(child), rig.marks(child)) == ("pending cancel", "")
    rig.say("canceled", rig.token(child))
    assert (rig.state(child), rig.count("impossible")) == ("canceled", 0)


def test_an_execution_id_that_comes_twice_is_booked_once(rig: OrderRig) -> None:
    child = rig.accepted()
    rig.fill(child, 40, execution=7)
    rig.fill(child, 40, execution=7)
    assert (rig.shares(child), rig.marks(child)) == ((40, 60), "repeated execution")
    assert (rig.count("repeated"), rig.count("fill")) == (1, 1)


def test_execution_ids_are_a_venues_own_and_a_sides_own(rig: OrderRig) -> None:
    first, second = rig.accepted(), rig.accepted(venue=2)
    third = rig.accepted(side=SELL)
    for child in (first, second, third):
        rig.fill(child, 40, execution=7)
        assert rig.shares(child) == (40, 60)
    again = rig.accepted()
    rig.fill(again, 40, execution=7)
    assert (rig.shares(again), rig.marks(again)) == ((0, 100), "repeated execution")


def test_executions_without_an_id_are_all_booked(rig: OrderRig) -> None:
    child = rig.accepted()
    rig.fill(child, 40, execution=0)
    rig.fill(child, 40, execution=0)
    assert (rig.shares(child), rig.marks(child)) == ((80, 20), "not remembered")


def test_an_over_fill_is_booked_marked_and_counted(rig: OrderRig) -> None:
    child = rig.accepted()
    rig.fill(child, 80)
    rig.fill(child, 50)
    assert (rig.state(child), rig.shares(child)) == ("filled", (130, 0))
    assert (rig.marks(child), rig.count("over_fill")) == ("over-fill", 1)
    rig.fill(child, 10)
    assert (rig.shares(child), rig.count("over_fill")) == ((140, 0), 2)
    assert int(rig.tables.positions[1, 1]["shares"]) == 140


def test_an_execution_of_nothing_is_impossible(rig: OrderRig) -> None:
    child = rig.accepted()
    rig.fill(child, 0)
    rig.fill(child, 10, price=0)
    assert (rig.shares(child), rig.count("impossible")) == ((0, 100), 2)


def test_a_bust_takes_shares_and_money_back_and_opens_nothing(rig: OrderRig) -> None:
    rig.tier(1, 0, 0, removed=(300_000, 0))
    child = rig.accepted()
    rig.fill(child, 30)
    execution = rig.fill(child, 20)
    rig.say("break", rig.token(child), aux=execution)
    row, position = rig.tables.children[child], rig.tables.positions[1, 1]
    assert (rig.state(child), rig.shares(child)) == ("partially filled", (30, 50))
    assert (int(row["busted"]), rig.marks(child)) == (20, "busted")
    assert (int(row["notional"]), int(row["fees"])) == (300 * DOLLAR, 9_000_000)
    assert (int(position["shares"]), int(position["bought"])) == (30, 30)
    assert int(rig.tables.venues[1]["executed"]) == 30
    rig.fill(child, 50)
    assert rig.state(child) == "filled"


def test_a_bust_of_a_filled_order_leaves_it_filled(rig: OrderRig) -> None:
    child = rig.accepted()
    execution = rig.fill(child, 100)
    rig.say("break", rig.token(child), aux=execution)
    assert (rig.state(child), rig.shares(child)) == ("filled", (0, 0))
    assert rig.count("impossible") == 0


def test_a_bust_of_the_only_fill_makes_an_open_order_new_again(rig: OrderRig) -> None:
    child = rig.accepted()
    rig.say("break", rig.token(child), aux=rig.fill(child, 30))
    assert (rig.state(child), rig.shares(child)) == ("new", (0, 70))


def test_a_second_bust_and_a_bust_of_nothing_change_nothing(rig: OrderRig) -> None:
    child = rig.accepted()
    execution = rig.fill(child, 30)
    for _ in range(2):
        rig.say("break", rig.token(child), aux=execution)
    rig.say("break", rig.token(child), aux=12345)
    assert rig.shares(child) == (0, 70)
    assert (rig.count("repeated"), rig.count("impossible")) == (1, 1)


def test_a_correction_of_the_price_moves_money_alone(rig: OrderRig) -> None:
    child = rig.accepted()
    execution = rig.fill(child, 30)
    rig.say("break", rig.token(child), aux=execution, price=9 * DOLLAR, quantity=30, flags=8192)
    row = rig.tables.children[child]
    assert (rig.shares(child), int(row["notional"])) == ((30, 70), 270 * DOLLAR)
    assert int(rig.tables.positions[1, 1]["cost"]) == 270 * DOLLAR
    assert (rig.state(child), rig.marks(child)) == ("partially filled", "corrected")


def test_a_correction_of_the_shares_leaves_the_open_ones(rig: OrderRig) -> None:
    child = rig.accepted()
    execution = rig.fill(child, 30)
    rig.say("break", rig.token(child), aux=execution, quantity=10, flags=8192)
    assert (rig.shares(child), int(rig.tables.children[child]["busted"])) == ((10, 70), 20)
    rig.say("break", rig.token(child), aux=execution)
    assert (rig.shares(child), int(rig.tables.children[child]["busted"])) == ((0, 70), 30)


def test_a_report_of_nobodys_order_is_counted(rig: OrderRig) -> None:
    rig.accepted()
    assert rig.say("executed", 2, quantity=10, price=DOLLAR) == 0
    assert rig.say("canceled", 0) == 0
    assert rig.say("rejected", -5) == 0
    assert rig.say("trade", 1) == 0
    assert rig.count("orphan") == 3


def test_an_order_lost_from_sight_keeps_its_reservation_until_it_is_known(rig: OrderRig) -> None:
    child = rig.accepted()
    rig.fill(child, 10)
    assert rig.event(child, "lost") == 1
    assert (rig.state(child), rig.reserved()[0]) == ("unknown", 90)
    rig.fill(child, 10)
    assert rig.event(child, "resumed") == 1
    assert (rig.state(child), rig.shares(child)) == ("partially filled", (20, 80))


def test_a_replace_that_was_out_when_sight_was_lost_is_out_again(rig: OrderRig) -> None:
    child = rig.accepted()
    token = rig.replace(child, 150)
    rig.event(child, "lost")
    rig.event(child, "resumed")
    assert rig.state(child) == "pending replace"
    rig.say("replaced", token, aux=1)
    assert (rig.state(child), rig.shares(child)) == ("new", (0, 150))


def test_only_events_that_bring_no_shares_come_from_elsewhere(rig: OrderRig) -> None:
    child = rig.accepted()
    for name in ("fill", "bust", "replace accepted", "sent", "accepted"):
        assert rig.event(child, name) == 0
    assert rig.event(child + 1, "expired") == 0
    assert rig.event(0, "expired") == 0
    assert (rig.state(child), rig.count("impossible")) == ("new", 0)


def test_an_order_without_a_price_reserves_at_the_mark_or_the_last_trade(rig: OrderRig) -> None:
    rig.tables.instruments[1]["last"] = 7 * DOLLAR
    first = rig.enter(100, price=0)
    assert rig.reserved() == (100, 700 * DOLLAR)
    rig.fill(first, 100, price=8 * DOLLAR)
    rig.enter(10, price=0)
    assert rig.reserved() == (10, 80 * DOLLAR)


def test_the_log_has_every_step_and_every_share(rig: OrderRig) -> None:
    child = rig.accepted()
    execution = rig.fill(child, 40)
    rig.say("break", rig.token(child), aux=execution)
    logged = list(rig.tables.log.read())
    steps = [record.words for record in logged if record.kind == CHILD_LOG]
    told = [(EVENTS[words[1]], STATES[words[2] >> 8], STATES[words[2] & 255]) for words in steps]
    assert told == [
        ("sent", "none", "pending new"),
        ("accepted", "pending new", "new"),
        ("fill", "new", "partially filled"),
        ("bust", "partially filled", "new"),
    ]
    fills = [record.words for record in logged if record.kind == FILL_LOG]
    assert [words[:3] for words in fills] == [(child, 40, 10 * DOLLAR), (child, -40, 10 * DOLLAR)]
    assert [words[4] for words in fills] == [execution, execution]


def test_two_sides_reserve_apart(rig: OrderRig) -> None:
    rig.enter(100, side=BUY)
    rig.enter(30, side=SELL, price=11 * DOLLAR)
    assert rig.reserved("buy") == (100, 1000 * DOLLAR)
    assert rig.reserved("sell") == (30, 330 * DOLLAR)


def test_a_suspended_order_is_suspended_again_when_its_cancel_is_refused(rig: OrderRig) -> None:
    child = rig.accepted()
    rig.event(child, "suspended")
    rig.cancel(child)
    rig.say("cancel_rejected", rig.token(child))
    assert rig.state(child) == "suspended"


def test_sight_lost_twice_is_lost_once(rig: OrderRig) -> None:
    child = rig.accepted()
    rig.cancel(child)
    assert (rig.event(child, "lost"), rig.event(child, "lost")) == (1, 1)
    rig.say("canceled", rig.token(child))
    assert (rig.state(child), rig.marks(child)) == ("canceled", "")
