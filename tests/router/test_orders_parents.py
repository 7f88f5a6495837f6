"""Parents: how they begin, what they are the sum of, how they end; full tables."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from order_rig import DOLLAR, PARENT_LOG, SMALL, OrderRig, event_of

from feedhandler.consolidated.market import Market
from router.orders.states import EVENTS, STATES
from router.tables import CANCEL, INTENT_KINDS


@pytest.fixture
def rig() -> Iterator[OrderRig]:
    """A small router."""
    with OrderRig() as made:
        yield made


def active(rig: OrderRig, instrument: int = 1) -> list[int]:
    """The working parents of an instrument."""
    found, number = [], int(rig.tables.block["active"][instrument])
    while number:
        found.append(number)
        number = int(rig.tables.parents[number]["next_active"])
    return found


def test_a_parent_starts_with_the_volume_of_then(rig: OrderRig) -> None:
    rig.tables.instruments[1]["volume"], rig.tables.instruments[1]["notional"] = 900, 9000
    rig.start(1, 500)
    row = rig.tables.parents[1]
    assert (rig.parent(1), int(row["arrived_ns"])) == ("working", rig.now)
    assert (int(row["arrival_volume"]), int(row["arrival_notional"])) == (900, 9000)
    assert int(row["arrival"]) == 0
    assert (active(rig), rig.count("working")) == ([1], 1)


@pytest.mark.parametrize(
    ("shown", "expected"),
    [
        ({"national_bid": 1001, "national_offer": 1004, "bid": 990, "offer": 1010}, 1002),
        ({"bid": 990, "offer": 1010}, 1000),
        ({"national_bid": 1001, "bid": 990, "offer": 1010}, 1000),
        ({"bid": 990}, 0),
        ({}, 0),
    ],
)
def test_the_arrival_price_is_the_middle_of_the_consolidated_book(
    shown: dict[str, int], expected: int
) -> None:
    market = Market(2, 8, 1)
    for name, price in shown.items():
        market.records[2][name] = price
        market.records[2][f"{name}_quantity"] = 100
    with OrderRig(market=market) as rig:
        rig.start(1, 500, instrument=2)
        assert int(rig.tables.parents[1]["arrival"]) == expected
    market.close()


def test_a_parent_starts_once_and_only_with_shares(rig: OrderRig) -> None:
    rig.start(1, 500)
    assert rig.orders.start_parent(1, rig.tick()) == 0
    assert (rig.count("impossible"), rig.count("working")) == (1, 1)
    rig.place(2, 0)
    assert rig.orders.start_parent(2, rig.tick()) == 0
    assert rig.parent(2) == "rejected"
    assert rig.orders.start_parent(0, 1) == rig.orders.start_parent(99, 1) == 0
    assert active(rig) == [1]


def test_the_working_parents_of_an_instrument_hang_together(rig: OrderRig) -> None:
    for number in (1, 2, 3):
        rig.start(number, 100)
    rig.start(4, 100, instrument=2)
    assert (active(rig), active(rig, 2)) == ([3, 2, 1], [4])
    rig.orders.cancel_parent(2, 0, rig.tick())
    assert active(rig) == [3, 1]
    rig.orders.cancel_parent(3, 0, rig.tick())
    rig.orders.cancel_parent(1, 0, rig.tick())
    assert (active(rig), active(rig, 2), rig.count("working")) == ([], [4], 1)


def test_a_parent_is_the_sum_of_its_children_and_ends_by_itself(rig: OrderRig) -> None:
    rig.start(1, 200)
    first, second = rig.accepted(parent=1), rig.accepted(parent=1, venue=2)
    row = rig.tables.parents[1]
    assert (int(row["open"]), int(row["open_children"]), int(row["children"])) == (200, 2, 2)
    rig.fill(first, 100)
    rig.fill(second, 40, price=9 * DOLLAR)
    assert (int(row["cum"]), int(row["open"])) == (140, 60)
    assert int(row["notional"]) == 1360 * DOLLAR
    assert rig.parent(1) == "working"
    rig.fill(second, 60)
    assert (rig.parent(1), int(row["open_children"]), int(row["ended_ns"])) == (
        "filled",
        0,
        rig.now,
    )
    assert active(rig) == []


def test_a_parent_with_all_its_shares_waits_for_what_is_open(rig: OrderRig) -> None:
    rig.start(1, 100)
    first, second = rig.accepted(parent=1), rig.accepted(parent=1)
    rig.fill(first, 100)
    assert rig.parent(1) == "working"
    rig.say("canceled", rig.token(second))
    assert rig.parent(1) == "filled"


def test_a_parent_reserves_the_larger_of_a_replace_under_way(rig: OrderRig) -> None:
    rig.start(1, 500)
    child = rig.accepted(parent=1)
    rig.replace(child, 300)
    assert int(rig.tables.parents[1]["open"]) == 300
    rig.say("rejected", rig.new_token(child))
    assert int(rig.tables.parents[1]["open"]) == 100


def test_a_canceled_parent_waits_for_its_children(rig: OrderRig) -> None:
    rig.start(1, 200)
    child = rig.accepted(parent=1)
    assert rig.orders.cancel_parent(1, 42, rig.tick()) == 1
    assert rig.parent(1) == "pending cancel"
    assert rig.orders.cancel_parent(1, 43, rig.tick()) == 0
    rig.cancel(child)
    rig.fill(child, 30)
    rig.say("canceled", rig.token(child))
    row = rig.tables.parents[1]
    assert (rig.parent(1), int(row["cum"]), int(row["reason"])) == ("canceled", 30, 42)
    assert rig.count("impossible") == 0


def test_a_parent_filled_while_it_is_being_canceled_is_filled(rig: OrderRig) -> None:
    rig.start(1, 100)
    child = rig.accepted(parent=1)
    rig.orders.cancel_parent(1, 42, rig.tick())
    rig.fill(child, 100)
    assert (rig.parent(1), int(rig.tables.parents[1]["reason"])) == ("filled", 0)


@pytest.mark.parametrize("name", ["expired", "done for day"])
def test_a_parent_whose_time_is_up_ends_as_such(rig: OrderRig, name: str) -> None:
    rig.start(1, 200)
    rig.start(2, 200)
    child = rig.accepted(parent=1)
    for number in (1, 2):
        assert rig.orders.parent_event(number, event_of(name), 0, rig.tick()) == 1
    assert (rig.parent(1), rig.parent(2)) == ("pending cancel", name)
    rig.say("canceled", rig.token(child))
    assert rig.parent(1) == name


def test_late_fills_and_busts_reach_a_parent_that_is_over(rig: OrderRig) -> None:
    rig.start(1, 100)
    child = rig.accepted(parent=1)
    execution = rig.fill(child, 40)
    rig.say("canceled", rig.token(child))
    rig.orders.cancel_parent(1, 0, rig.tick())
    rig.fill(child, 30)
    assert (rig.parent(1), int(rig.tables.parents[1]["cum"])) == ("canceled", 70)
    rig.say("break", rig.token(child), aux=execution)
    assert (rig.parent(1), int(rig.tables.parents[1]["cum"])) == ("canceled", 30)
    assert rig.count("impossible") == 0


def test_a_parent_that_has_not_started_can_be_ended(rig: OrderRig) -> None:
    rig.place(1, 100)
    assert rig.orders.cancel_parent(1, 0, rig.tick()) == 1
    assert (rig.parent(1), rig.count("working")) == ("canceled", 0)


def test_a_parent_is_suspended_and_goes_on(rig: OrderRig) -> None:
    rig.start(1, 100)
    assert rig.orders.suspend_parent(1, 5, rig.tick()) == 1
    assert (rig.parent(1), rig.orders.suspend_parent(1, 5, rig.tick())) == ("suspended", 0)
    assert rig.orders.resume_parent(1, rig.tick()) == 1
    assert (rig.parent(1), rig.orders.resume_parent(1, rig.tick())) == ("working", 0)
    assert rig.orders.parent_event(1, event_of("fill"), 0, rig.tick()) == 0


def test_a_suspended_parent_can_fill(rig: OrderRig) -> None:
    rig.start(1, 100)
    child = rig.accepted(parent=1)
    rig.orders.suspend_parent(1, 5, rig.tick())
    rig.fill(child, 100)
    assert rig.parent(1) == "filled"


def test_a_parent_is_changed(rig: OrderRig) -> None:
    rig.start(1, 100)
    child = rig.accepted(parent=1, quantity=60)
    assert rig.orders.replace_parent(1, 60, 11 * DOLLAR, rig.tick()) == 1
    row = rig.tables.parents[1]
    assert (int(row["quantity"]), int(row["limit"]), rig.parent(1)) == (60, 11 * DOLLAR, "working")
    rig.fill(child, 60)
    assert rig.parent(1) == "filled"
    assert rig.orders.replace_parent(1, 90, 0, rig.tick()) == 0


def test_a_parent_changed_to_what_it_has_is_filled(rig: OrderRig) -> None:
    rig.start(1, 100)
    rig.fill(rig.accepted(parent=1, quantity=60), 60)
    assert rig.orders.replace_parent(1, 0, 0, rig.tick()) == 0
    assert rig.orders.replace_parent(1, 60, -1, rig.tick()) == 0
    assert rig.parent(1) == "working"
    assert rig.orders.replace_parent(1, 50, 0, rig.tick()) == 1
    assert rig.parent(1) == "filled"


def test_cancels_are_wanted_of_children_that_can_be_canceled(rig: OrderRig) -> None:
    rig.start(1, 500)
    first, second, third = (rig.accepted(parent=1) for _ in range(3))
    rig.cancel(second)
    rig.fill(third, 100)
    assert rig.orders.want_cancels(1, 8) == 1
    intent = rig.tables.block["intents"][0]
    assert (int(intent["kind"]), int(intent["child"])) == (CANCEL, first)
    assert (int(intent["decision"]), INTENT_KINDS[CANCEL]) == (8, "cancel")
    token = rig.replace(first, 200)
    rig.cancel(first)
    rig.say("replaced", token, aux=1)
    assert rig.orders.want_cancels(1, 9) == 1


def test_the_log_tells_a_parents_life(rig: OrderRig) -> None:
    rig.start(1, 100)
    rig.fill(rig.accepted(parent=1), 100)
    told = [
        (EVENTS[words[1]], STATES[words[2] & 255], *words[3:5]) for words in rig.records(PARENT_LOG)
    ]
    assert told == [
        ("start", "working", 0, 0),
        ("fill", "working", 100, 0),
        ("full fill", "filled", 100, 0),
    ]


def test_a_full_table_of_children_is_counted(rig: OrderRig) -> None:
    for number in range(1, SMALL.children + 1):
        assert rig.enter(10) == number
    assert rig.enter(10) == 0
    assert (rig.count("full"), rig.count("child"), rig.count("token")) == (1, 24, 24)
    assert rig.reserved()[0] == 10 * SMALL.children


def test_a_full_table_of_tokens_refuses_orders_and_replaces(rig: OrderRig) -> None:
    child = rig.accepted()
    rig.tables.head["token_count"] = SMALL.tokens
    assert (rig.enter(10), rig.replace(child, 150)) == (0, 0)
    assert (rig.count("full"), rig.state(child), rig.count("child")) == (2, "new", 1)
    assert rig.cancel(child) == 1


def test_a_full_table_of_executions_still_books(rig: OrderRig) -> None:
    child = rig.accepted(quantity=1000)
    kept = SMALL.executions // 4 * 3
    for execution in range(1, kept + 1):
        rig.fill(child, 1, execution=execution)
    assert rig.marks(child) == ""
    rig.fill(child, 1, execution=kept + 1)
    rig.fill(child, 1, execution=kept)
    assert rig.shares(child) == (kept + 1, 999 - kept)
    assert rig.marks(child) == "repeated execution, not remembered"
    assert (rig.count("full"), rig.count("execution")) == (1, kept)
    rig.say("break", rig.token(child), aux=kept + 1)
    assert rig.count("impossible") == 1


def test_intents_that_find_no_room_are_counted(rig: OrderRig) -> None:
    rig.start(1, 5000)
    for _ in range(SMALL.intents + 2):
        rig.accepted(parent=1)
    assert rig.orders.want_cancels(1, 0) == SMALL.intents
    assert rig.count("full") == 1
