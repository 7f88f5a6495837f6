"""What the loop does where something is amiss: full tables, silent venues, breakers and more."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from routed_checks import CHECKS
from routed_rig import CENT, LATE, SECOND, SETTLING_NS, Desk, a_desk, limits_text, write_files

from feedhandler.messages import TICK
from router import log
from router import parentcommands as c
from router.loop.breaker import CLOSED, HALF_OPEN, OPENED
from router.loop.gate import TABLE_FULL
from router.loop.timers import NEVER
from router.orders.states import EVENT, STATES
from router.strategies.settings import Post, Sweep
from router.tables import CANCEL, CHILD, DOWN_BREAKER, INTENT

BEGIN_S = 1.0
ANSWER_NS = 20_000_000
LOCATES = limits_text().replace("NEV = 10000", "NEV = 10000\nKOZ = 50000")


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    """A market in which one parent waits for a time that does not come."""
    with a_desk(write_files(tmp_path, LATE, LOCATES)) as made:
        made.until(BEGIN_S)
        yield made


def rests(desk: Desk, name: str = "rests", **fields: object) -> list[int]:
    """A parent whose orders rest, acknowledged by their venues: the open ones."""
    desk.new_parent(name, Post(), **{"quantity": 300, **fields})
    desk.tick(ANSWER_NS)
    children = desk.open_children(name)
    assert children and {desk.child_state(child) for child in children} == {"new"}
    return children


def cancels(desk: Desk, since: int = 0) -> list[tuple[int, int]]:
    """Child and token of the cancels sent."""
    return [(words[1], words[4]) for words in desk.of(log.SENT, since) if words[2] == CANCEL]


# Nothing counts for what is not entered.


def test_an_order_that_finds_no_room_counts_for_nothing(desk: Desk) -> None:
    desk.tables.head["most_children"] = desk.count("child_count") + 1
    before = desk.tables.block["gate"].copy()
    paces = desk.tables.block["gate_accounts"].copy()
    desk.new_parent("takes", Sweep(), side="sell_short", located=True, limit=desk.quote("KOZ")[0])
    refused = [words[2] for words in desk.of(log.GATE)]
    assert refused and set(refused) == {TABLE_FULL}
    assert desk.sent() == [] and desk.count("full_count") == len(refused)
    assert desk.tables.instruments[desk.number("KOZ")]["locates_used"] == 0
    for name in ("second", "written", "replaces"):
        assert np.array_equal(desk.tables.block["gate"][name], before[name]), name
    assert np.array_equal(desk.tables.block["gate_accounts"], paces)


def test_a_replace_that_finds_no_token_counts_for_nothing(desk: Desk) -> None:
    rests(desk, quantity=1000, side="sell_short", located=True)
    desk.tables.head["most_tokens"] = desk.count("token_count") + 1
    used = int(desk.tables.instruments[desk.number("KOZ")]["locates_used"])
    replaces = int(desk.tables.block["gate"]["replaces"][0])
    full = desk.count("full_count")
    desk.until(2.5)
    assert desk.count("full_count") > full
    assert desk.tables.block["gate"]["replaces"][0] == replaces
    assert desk.tables.instruments[desk.number("KOZ")]["locates_used"] <= used


# Time never goes back.


def test_a_command_from_the_past_counts_as_of_now(desk: Desk) -> None:
    children = rests(desk)
    number, now = desk.parent("rests"), desk.now_ns
    assert desk.do(desk.plain.send(c.CANCEL_PARENT, now - SECOND, (number,)))
    assert desk.tables.head["now_ns"] == now
    assert {int(desk.tables.children[child]["asked_ns"]) for child in children} == {now}
    desk.plain.send(TICK, now - SECOND)
    desk.round()
    assert desk.tables.head["now_ns"] == now
    times = [record.time_ns for record in desk.records]
    assert times == sorted(times)


# Changes of a parent leave alone what fits.


def test_a_better_limit_or_more_shares_cancel_nothing(desk: Desk) -> None:
    bid, _ = desk.quote("KOZ")
    children = rests(desk, limit=bid)
    before = len(desk.records)
    commands, number = desk.commands, desk.parent("rests")
    assert desk.do(commands.replace_parent(number, limit=bid + 10 * CENT))
    assert desk.do(commands.replace_parent(number, quantity=900))
    assert desk.do(commands.replace_parent(number, limit=0))
    assert cancels(desk, before) == []
    assert set(children) <= set(desk.open_children("rests"))


def test_fewer_shares_take_back_the_newest_and_no_more_than_must_be(desk: Desk) -> None:
    children = rests(desk, quantity=900)
    assert len(children) > 1
    desk.tables.block["learning"]["threshold"] = 1 << 40  # no order leaves for a better place
    rows, newest_first = desk.tables.children, sorted(children, reverse=True)
    quantity = 900 - int(rows[newest_first[0]]["leaves"])
    before = len(desk.records)
    assert desk.do(desk.commands.replace_parent(desk.parent("rests"), quantity=quantity))
    assert [child for child, _ in cancels(desk, before)] == newest_first[:1]


def test_a_worse_limit_takes_back_what_is_beyond_it(desk: Desk) -> None:
    bid, _ = desk.quote("KOZ")
    children = rests(desk, quantity=900)
    inside = children[0]
    desk.tables.children[inside]["price"] = bid - CENT  # as if it had been sent so
    before = len(desk.records)
    assert desk.do(desk.commands.replace_parent(desk.parent("rests"), limit=bid - CENT))
    assert sorted(child for child, _ in cancels(desk, before)) == sorted(children[1:])


# Venues that say nothing.


class Silence:
    """Nothing is heard of any venue until it ends."""

    def __init__(self, desk: Desk) -> None:
        tables = desk.tables
        last = len(tables.block["intents"]) - 1
        self._word = tables.block["intents"][last]["unused"]
        self._word[0] = NEVER
        self._head, self._due = tables.head, int(tables.head["far_due"])
        self._head["far_due"] = tables.block.section_address("intents", last) + INTENT.unused

    def end(self) -> None:
        """What venues have said meanwhile arrives."""
        self._head["far_due"] = self._due


def moments(desk: Desk, event: int, since: int = 0) -> list[tuple[int, int]]:
    """Time and child of an event of children."""
    records = [record for record in desk.records[since:] if record.kind == log.CHILD]
    return [(r.time_ns, r.words[0]) for r in records if r.words[1] == event]


def test_a_cancel_that_nobody_answers_is_asked_for_again(desk: Desk) -> None:
    child, *others = rests(desk)
    wait_ns = int(desk.tables.venues["answer_ns"][0])
    silence, before, asked_ns = Silence(desk), len(desk.records), desk.now_ns
    assert desk.do(desk.commands.cancel_parent(desk.parent("rests")))
    desk.tick(wait_ns - 1)
    assert desk.child_state(child) == "pending cancel" and desk.count("unanswered_count") == 0
    desk.tick(1)
    expected = [(asked_ns + wait_ns, one) for one in [child, *others]]
    assert sorted(moments(desk, EVENT.unanswered, before)) == expected
    assert desk.child_state(child) == "pending cancel"  # once more
    row = desk.tables.children[child]
    assert cancels(desk, before).count((child, int(row["token"]))) == 2
    assert (int(row["unanswered"]), int(row["asked_ns"])) == (1, asked_ns + wait_ns)
    assert desk.count("unanswered_count") == 1 + len(others)
    assert desk.tables.venues[int(row["venue"])]["unanswered"] >= 1
    silence.end()
    desk.tick(ANSWER_NS)
    assert desk.child_state(child) == "canceled" and desk.state("rests") == "canceled"
    assert desk.count("impossible_count") == 0


def test_behind_a_replace_that_nobody_answers_both_tokens_are_canceled_in_turn(desk: Desk) -> None:
    names = ("KOZ", "NEV", "SAT", "VUS")
    for symbol in names:
        rests(desk, symbol, symbol=symbol)
    wait_ns = int(desk.tables.venues["answer_ns"][0])
    silence, seconds = Silence(desk), BEGIN_S
    waiting: list[int] = []
    while not waiting:
        seconds += 0.05
        desk.until(seconds)
        children = [child for symbol in names for child in desk.open_children(symbol)]
        waiting = [child for child in children if desk.child_state(child) == "pending replace"]
    row = desk.tables.children[waiting[0]]
    tokens = int(row["token"]), int(row["new_token"])
    before = len(desk.records)
    desk.tick(2 * wait_ns + SECOND)
    said = [token for child, token in cancels(desk, before) if child == waiting[0]]
    assert said[:2] == list(tokens) and said[2:] == [tokens[0]] * len(said[2:])
    assert STATES[int(row["state"])] == "pending cancel" and row["unanswered"] >= 2
    silence.end()
    desk.tick(ANSWER_NS)
    assert STATES[int(row["state"])] == "canceled"


def test_whatever_venues_keep_silent_about_the_books_are_right(desk: Desk) -> None:
    for number, symbol in enumerate(("KOZ", "NEV", "SAT", "VUS")):
        desk.new_parent(f"p{number}", Post(), symbol=symbol, quantity=400)
    desk.until(1.5)
    silence = Silence(desk)
    desk.until(2.5)
    desk.tick(3 * SECOND)
    assert desk.count("unanswered_count") > 0
    silence.end()
    assert desk.do(desk.commands.end_day())
    desk.tick(SETTLING_NS)
    for check in CHECKS:
        check(desk)


def test_an_answer_that_comes_in_time_sets_no_second_timer(desk: Desk) -> None:
    (child, *_) = rests(desk)
    timers = desk.count("timer_count")
    assert desk.do(desk.commands.cancel_parent(desk.parent("rests")))
    desk.tick(ANSWER_NS)
    assert desk.tables.children[child]["watched"] == 1 and desk.count("timer_count") > timers
    desk.tick(3 * SECOND)
    assert desk.tables.children[child]["watched"] == 0 and desk.count("unanswered_count") == 0


# Breakers.


def told(desk: Desk, venue: int, since: int = 0) -> list[int]:
    """What the log says of a venue's breaker."""
    return [words[1] for words in desk.of(log.VENUE, since) if words[0] == venue]


def venue_of(desk: Desk, child: int) -> int:
    """Where a child is."""
    return int(desk.tables.children[child]["venue"])


def broken(desk: Desk, rest_ns: int) -> tuple[int, Silence, int]:
    """A venue whose breaker one failure opens: its number, and another parent's order there."""
    others = {venue_of(desk, child): child for child in rests(desk, "others", quantity=900)}
    children = rests(desk, quantity=900)
    (venue, *_) = [venue_of(desk, n) for n in children if venue_of(desk, n) in others]
    desk.tables.venues["breaker_failures"] = 0
    row = desk.tables.venues[venue]
    row["breaker_failures"], row["breaker_rest_ns"] = 1, rest_ns
    silence = Silence(desk)
    assert desk.do(desk.commands.cancel_parent(desk.parent("rests")))
    desk.tick(int(row["answer_ns"]))
    return venue, silence, others[venue]


def test_a_breaker_that_opens_takes_back_what_rests_and_nothing_goes_there(desk: Desk) -> None:
    venue, silence, other = broken(desk, 0)
    assert desk.tables.venues[venue]["down"] == DOWN_BREAKER
    assert told(desk, venue) == [OPENED]
    assert (desk.count("trip_count"), desk.tables.venues[venue]["trips"]) == (1, 1)
    assert other in [child for child, _ in cancels(desk)]
    silence.end()
    before = len(desk.records)
    desk.tick(ANSWER_NS)
    assert desk.child_state(other) == "canceled"
    desk.new_parent("takes", Sweep(), quantity=50_000, limit=desk.quote("KOZ")[1] + 2 * CENT)
    desk.tick(60 * SECOND)
    entered = {words[5] for words in desk.of(log.SENT, before) if words[2] != CANCEL}
    assert entered and venue not in entered
    assert desk.do(desk.commands.venue_up(venue))
    assert desk.tables.venues[venue]["down"] == 0 and told(desk, venue) == [OPENED, CLOSED]


def test_a_venue_that_has_rested_is_tried_again_and_what_goes_well_closes_the_breaker(
    desk: Desk,
) -> None:
    venue, silence, _ = broken(desk, SECOND // 2)
    silence.end()
    desk.tick(SECOND // 2 - 1)
    assert told(desk, venue) == [OPENED] and desk.tables.venues[venue]["down"] == DOWN_BREAKER
    desk.tick(1)
    assert told(desk, venue) == [OPENED, HALF_OPEN] and desk.tables.venues[venue]["down"] == 0
    for number in range(len(desk.tables.venues)):
        if number != venue and number < int(desk.tables.head["venue_count"]):
            assert desk.do(desk.commands.venue_down(number))
    desk.new_parent("takes", Sweep(), limit=desk.quote("KOZ")[1] + 2 * CENT)
    desk.tick(ANSWER_NS)
    assert told(desk, venue) == [OPENED, HALF_OPEN, CLOSED]
    assert desk.tables.venues[venue]["probing"] == 0


def test_a_venue_that_is_tried_again_in_vain_rests_anew(desk: Desk) -> None:
    venue, silence, _ = broken(desk, SECOND // 2)
    silence.end()
    desk.tick(SECOND)
    desk.tables.venues[venue]["breaker_failures"] = 1000  # the first one does all the same
    desk.tables.block["sessions"]["state"][venue] = 0
    for number in range(int(desk.tables.head["venue_count"])):
        if number != venue:
            assert desk.do(desk.commands.venue_down(number))
    desk.new_parent("takes", Sweep(), limit=desk.quote("KOZ")[1] + 2 * CENT)
    desk.tick()
    assert told(desk, venue)[:3] == [OPENED, HALF_OPEN, OPENED]
    assert desk.tables.venues[venue]["trips"] >= 2


@pytest.mark.parametrize(("gap_ns", "opens"), [(SECOND // 4, True), (SECOND // 2, False)])
def test_failures_count_within_their_window(desk: Desk, gap_ns: int, opens: bool) -> None:
    for number in range(1, int(desk.tables.head["venue_count"])):
        assert desk.do(desk.commands.venue_down(number))
    desk.tables.venues["breaker_failures"] = 3
    desk.tables.block["sessions"]["state"] = 0
    limit = desk.quote("KOZ")[1] + 2 * CENT
    for number in range(3):
        desk.new_parent(f"p{number}", Sweep(), limit=limit)
        desk.commands.cancel_parent(desk.parent(f"p{number}"))
        desk.round()
        desk.tick(gap_ns)
    assert desk.count("unsent_count") == 3
    assert told(desk, 0) == ([OPENED] if opens else [])
    assert (CHILD.asked_ns % 8, desk.count("trip_count")) == (0, int(opens))
