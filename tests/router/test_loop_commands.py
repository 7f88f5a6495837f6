"""Commands to the running loop: what each does to parents, orders and venues, and its record."""

from __future__ import annotations

import functools
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from routed_rig import CENT, LATE, SETTLING_NS, VENUES, Desk, a_desk, write_files

import console.routed.routerrun
import console.venuerun
from console.loops import make_state
from router import log
from router import parentcommands as c
from router.orders.states import BY_COMMAND, OVER, STATES
from router.risk.layout import REASONS
from router.strategies.settings import Post, Sweep
from router.tables import DOWN_ASKED, DOWN_KILLED, ENTER
from router.tablespace import RouterTables

BEGIN_S = 1.0  # all venues trade by then
ANSWER_NS = 20_000_000  # answers of all venues have come by then


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    """A market in which one parent waits for a time that does not come."""
    with a_desk(write_files(tmp_path, LATE)) as made:
        made.until(BEGIN_S)
        yield made


def rests(desk: Desk, name: str = "rests", **fields: object) -> list[int]:
    """A parent whose orders rest, acknowledged by their venues: the open ones."""
    number = desk.new_parent(name, Post(), **{"quantity": 300, **fields})
    assert number == desk.parent(name)
    desk.tick(ANSWER_NS)
    children = desk.open_children(name)
    assert children and {desk.child_state(child) for child in children} == {"new"}
    return children


def last_command(desk: Desk) -> tuple[int, ...]:
    """The words of the last command's record."""
    return desk.of(log.COMMAND)[-1]


def entered(desk: Desk, since: int) -> list[int]:
    """Children that were sent since a place in the log."""
    return [child for kind, child in desk.sent(since) if kind == "enter"]


def canceled(desk: Desk, since: int) -> list[int]:
    """Children that cancels were sent for since a place in the log."""
    return [child for kind, child in desk.sent(since) if kind == "cancel"]


def test_a_parent_begins_at_once(desk: Desk) -> None:
    number = desk.new_parent("now", Sweep(), limit=desk.quote("KOZ")[1])
    assert last_command(desk) == (c.NEW_PARENT, 1, number, 0, 0, 0)
    assert desk.state("now") == "working"
    row = desk.tables.parents[number]
    assert row["arrived_ns"] == desk.now_ns and row["arrival"] == sum(desk.quote("KOZ")) // 2
    assert [child for _, child in desk.sent()] == desk.open_children("now")
    desk.tick(ANSWER_NS)
    assert desk.state("now") == "filled" and row["cum"] == 100


def test_a_parent_waits_for_its_time(desk: Desk) -> None:
    start_ns = desk.now_ns + 500_000_000
    desk.new_parent("soon", Sweep(), start_ns=start_ns)
    desk.until(1.4)
    assert desk.state("soon") == "new" and desk.sent() == []
    desk.until(1.7)
    assert desk.tables.parents[desk.parent("soon")]["arrived_ns"] == start_ns
    (first,) = [record.time_ns for record in desk.records if record.kind == log.SENT][:1]
    assert first == start_ns


def test_a_row_that_is_in_use_or_not_there_is_no_new_parent(desk: Desk) -> None:
    number = desk.new_parent("now", Post())
    before = len(desk.records)
    assert not desk.do(desk.commands.start(number))
    for row in (0, -1, 1 << 40, int(desk.tables.head["most_parents"])):
        assert not desk.do(desk.plain.send(c.NEW_PARENT, desk.now_ns, (row,))) if row >= 0 else True
    assert desk.of(log.SENT, before) == [] and desk.state("now") == "working"


SCRIPT = """
import sys
from pathlib import Path
from feedhandler.commands import Commands
from nic.block import attach
from router.parentcommands import ParentCommands
from router.strategies.parent import ParentOrder
from router.strategies.settings import Sweep
tables, state = (attach(Path(name), writable=True) for name in sys.argv[1:3])
now_ns, instrument = int(sys.argv[3]), int(sys.argv[4])
commands = ParentCommands(Commands(state), tables, lambda: now_ns)
order = ParentOrder(name="elsewhere", symbol="KOZ", side="buy", quantity=100, account="desk",
                    strategy=Sweep())
print(commands.new_parent(order, {"KOZ": instrument}, {"desk": 1}))
"""


def test_another_process_may_place_a_parent(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tables, state = tmp_path / "tables", tmp_path / "state"
    monkeypatch.setattr(
        console.routed.routerrun, "RouterTables", functools.partial(RouterTables, path=tables)
    )
    monkeypatch.setattr(
        console.venuerun,
        "make_state",
        lambda plan, ports, options, _path, *rest: make_state(plan, ports, options, state, *rest),
    )
    with a_desk(write_files(tmp_path, LATE)) as desk:
        desk.until(BEGIN_S)
        words = [str(word) for word in (tables, state, desk.now_ns, desk.number("KOZ"))]
        done = subprocess.run(
            [sys.executable, "-c", SCRIPT, *words], capture_output=True, text=True, check=False
        )
        assert (done.returncode, done.stdout) == (0, "2\n"), done.stderr
        desk.round()
        assert last_command(desk) == (c.NEW_PARENT, 1, 2, 0, 0, 0)
        desk.tick(ANSWER_NS)
        assert desk.state("elsewhere") == "filled"


def test_a_canceled_parent_cancels_what_it_has_open(desk: Desk) -> None:
    children = rests(desk)
    before = len(desk.records)
    assert desk.do(desk.commands.cancel_parent(desk.parent("rests")))
    assert last_command(desk) == (c.CANCEL_PARENT, 1, desk.parent("rests"), 0, 0, 0)
    assert desk.state("rests") == "pending cancel"
    assert sorted(canceled(desk, before)) == children and entered(desk, before) == []
    desk.tick(ANSWER_NS)
    assert desk.state("rests") == "canceled" and desk.open_children("rests") == []
    assert {desk.child_state(child) for child in children} == {"canceled"}
    assert desk.tables.parents[desk.parent("rests")]["reason"] == BY_COMMAND
    assert desk.count("working_count") == 0


def test_a_parent_is_canceled_once(desk: Desk) -> None:
    rests(desk)
    number = desk.parent("rests")
    assert desk.do(desk.commands.cancel_parent(number))
    assert not desk.do(desk.commands.cancel_parent(number))
    desk.tick(ANSWER_NS)
    before = len(desk.records)
    assert not desk.do(desk.commands.cancel_parent(number))
    assert last_command(desk) == (c.CANCEL_PARENT, 0, number, 0, 0, 0)
    assert desk.of(log.SENT, before) == []


def test_a_parent_that_waits_is_canceled_at_once(desk: Desk) -> None:
    assert desk.state("late") == "new"
    assert desk.do(desk.commands.cancel_parent(desk.parent("late")))
    assert desk.state("late") == "canceled" and desk.sent() == []
    desk.tick(4000 * 1_000_000_000)  # its time would be here
    assert desk.state("late") == "canceled" and desk.sent() == []


@pytest.mark.parametrize(
    "kind", [c.CANCEL_PARENT, c.REPLACE_PARENT, c.SUSPEND_PARENT, c.RESUME_PARENT]
)
@pytest.mark.parametrize("number", [0, 2, 1 << 40])
def test_a_command_about_no_parent_is_refused(desk: Desk, kind: int, number: int) -> None:
    words = (number, 500, 0, c.REPLACE_QUANTITY)
    assert not desk.do(desk.plain.send(kind, desk.now_ns, words))
    assert last_command(desk) == (kind, 0, *words)


def test_a_smaller_quantity_takes_orders_back(desk: Desk) -> None:
    rests(desk, quantity=900)
    number = desk.parent("rests")
    assert desk.do(desk.commands.replace_parent(number, quantity=200))
    assert last_command(desk) == (c.REPLACE_PARENT, 1, number, 200, 0, c.REPLACE_QUANTITY)
    desk.tick(ANSWER_NS)
    desk.tick(ANSWER_NS)
    row = desk.tables.parents[number]
    assert row["quantity"] == 200 and row["limit"] == 0
    assert row["cum"] + row["open"] <= 200 and desk.state("rests") == "working"


def test_a_larger_quantity_is_worked_on(desk: Desk) -> None:
    desk.new_parent("takes", Sweep(), limit=desk.quote("KOZ")[1])
    desk.tick(ANSWER_NS)
    desk.new_parent("rests", Post(), quantity=100)
    desk.tick(ANSWER_NS)
    number = desk.parent("rests")
    assert desk.do(desk.commands.replace_parent(number, quantity=700))
    desk.tick(ANSWER_NS)
    desk.tick(ANSWER_NS)
    row = desk.tables.parents[number]
    assert row["cum"] + row["open"] == 700


def test_a_limit_holds_from_the_command_on(desk: Desk) -> None:
    children = rests(desk)
    bid, _ = desk.quote("KOZ")
    assert {int(desk.tables.children[child]["price"]) for child in children} == {bid}
    before = len(desk.records)
    limit = bid - 5 * CENT
    assert desk.do(desk.commands.replace_parent(desk.parent("rests"), limit=limit))
    assert sorted(canceled(desk, before)) == children
    desk.until(2.0)
    for child in entered(desk, before):
        assert desk.tables.children[child]["price"] <= limit
    assert all(desk.tables.children[n]["price"] <= limit for n in desk.open_children("rests"))
    assert desk.tables.parents[desk.parent("rests")]["limit"] == limit


def test_a_quantity_of_what_is_executed_ends_a_parent(desk: Desk) -> None:
    offer = desk.quote("KOZ")[1]
    desk.new_parent("takes", Sweep(), quantity=50_000, limit=offer)
    desk.tick(ANSWER_NS)
    number = desk.parent("takes")
    cum = int(desk.tables.parents[number]["cum"])
    assert 0 < cum < 50_000 and desk.state("takes") == "working"
    assert desk.do(desk.commands.replace_parent(number, quantity=cum))
    desk.tick(ANSWER_NS)
    assert desk.state("takes") == "filled"
    assert not desk.do(desk.commands.replace_parent(number, quantity=cum + 100))


def test_a_suspended_parent_has_nothing_open_and_sends_nothing(desk: Desk) -> None:
    children = rests(desk)
    number = desk.parent("rests")
    before = len(desk.records)
    assert desk.do(desk.commands.suspend_parent(number))
    assert last_command(desk) == (c.SUSPEND_PARENT, 1, number, 0, 0, 0)
    assert desk.state("rests") == "suspended" and sorted(canceled(desk, before)) == children
    assert not desk.do(desk.commands.suspend_parent(number))
    desk.until(3.0)
    assert desk.open_children("rests") == [] and entered(desk, before) == []
    assert desk.do(desk.commands.resume_parent(number))
    assert last_command(desk) == (c.RESUME_PARENT, 1, number, 0, 0, 0)
    assert desk.state("rests") == "working" and len(entered(desk, before)) > 0
    assert not desk.do(desk.commands.resume_parent(number))


def test_a_suspended_parent_can_be_canceled_and_replaced(desk: Desk) -> None:
    rests(desk)
    number = desk.parent("rests")
    assert desk.do(desk.commands.suspend_parent(number))
    desk.tick(ANSWER_NS)
    before = len(desk.records)
    assert desk.do(desk.commands.replace_parent(number, quantity=400))
    assert desk.state("rests") == "suspended" and desk.sent(before) == []
    assert desk.do(desk.commands.cancel_parent(number))
    assert desk.state("rests") == "canceled" and desk.sent(before) == []


SCOPES = [
    (c.KILL_ALL, lambda desk: 0, "killed"),
    (c.KILL_ACCOUNT, lambda desk: 1, "account killed"),
    (c.KILL_SYMBOL, lambda desk: desk.number("KOZ"), "instrument killed"),
]


@pytest.mark.parametrize(("scope", "number_of", "reason"), SCOPES, ids=[s[2] for s in SCOPES])
def test_a_kill_switch_pulls_orders_and_holds_back_new_ones(
    desk: Desk, scope: int, number_of: object, reason: str
) -> None:
    children = rests(desk)
    number = number_of(desk)  # type: ignore[operator]
    before = len(desk.records)
    assert desk.do(desk.commands.kill(scope, number))
    assert last_command(desk) == (c.KILL, 1, scope, number, 1, 0)
    assert sorted(canceled(desk, before)) == children
    desk.tick(ANSWER_NS)
    assert {desk.child_state(child) for child in children} == {"canceled"}
    desk.until(2.0)
    assert entered(desk, before) == [] and desk.open_children("rests") == []
    refused = {REASONS[words[2]] for words in desk.of(log.GATE, before)}
    assert refused == {reason}
    assert desk.do(desk.commands.kill(scope, number, on=False))
    assert last_command(desk) == (c.KILL, 1, scope, number, 0, 0)
    if desk.state("rests") == "suspended":
        assert desk.do(desk.commands.resume_parent(desk.parent("rests")))
    desk.until(4.0)
    assert len(entered(desk, before)) > 0


def test_a_kill_switch_leaves_the_others_alone(desk: Desk) -> None:
    rests(desk)
    others = rests(desk, "others", account="house", symbol="SAT")
    assert desk.do(desk.commands.kill(c.KILL_ACCOUNT, 1))
    assert desk.do(desk.commands.kill(c.KILL_SYMBOL, desk.number("VUS")))
    desk.tick(ANSWER_NS)
    assert desk.open_children("rests") == []
    assert desk.open_children("others") == others


def test_a_venue_that_is_killed_loses_its_orders_and_gets_no_more(desk: Desk) -> None:
    children = rests(desk, quantity=900)
    venues = {child: int(desk.tables.children[child]["venue"]) for child in children}
    killed = venues[children[0]]
    before = len(desk.records)
    assert desk.do(desk.commands.kill(c.KILL_VENUE, killed))
    assert last_command(desk) == (c.KILL, 1, c.KILL_VENUE, killed, 1, 0)
    there = [child for child in children if venues[child] == killed]
    assert sorted(canceled(desk, before))[: len(there)] == there
    assert desk.tables.venues[killed]["down"] == DOWN_KILLED
    desk.until(2.0)
    assert {desk.child_state(child) for child in there} == {"canceled"}
    sent_to = {words[5] for words in desk.of(log.SENT, before) if words[2] == ENTER}
    assert killed not in sent_to
    assert desk.do(desk.commands.kill(c.KILL_VENUE, killed, on=False))
    assert desk.tables.venues[killed]["down"] == 0


def test_no_order_goes_to_a_venue_that_is_down(desk: Desk) -> None:
    """All venues but one are switched off: it gets all orders, until others are back."""
    up = VENUES.index("nyse")
    off = [number for number in range(len(VENUES)) if number != up]
    for number in off:
        assert desk.do(desk.commands.venue_down(number))
        assert last_command(desk) == (c.VENUE_DOWN, 1, number, 0, 0, 0)
        assert desk.tables.venues[number]["down"] & DOWN_ASKED
    desk.new_parent("takes", Sweep(), quantity=50_000, limit=desk.quote("KOZ")[1] + 2 * CENT)
    desk.until(1.5)
    assert {words[5] for words in desk.of(log.SENT)} == {up}
    assert desk.of(log.GATE) == []
    before = len(desk.records)
    for number in (VENUES.index("nasdaq"), VENUES.index("memx")):
        assert desk.do(desk.commands.venue_up(number))
        assert last_command(desk) == (c.VENUE_UP, 1, number, 0, 0, 0)
        assert desk.tables.venues[number]["down"] == 0
    desk.until(3.0)
    assert {words[5] for words in desk.of(log.SENT, before)} > {up}


def test_up_does_not_undo_a_kill_switch(desk: Desk) -> None:
    assert desk.do(desk.commands.kill(c.KILL_VENUE, 0))
    assert desk.do(desk.commands.venue_down(0)) and desk.do(desk.commands.venue_up(0))
    assert desk.tables.venues[0]["down"] == DOWN_KILLED


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        (c.VENUE_UP, (1 << 20,)),
        (c.VENUE_DOWN, (len(VENUES),)),
        (c.KILL, (c.KILL_VENUE, len(VENUES), 1)),
        (c.KILL, (c.KILL_ACCOUNT, 0, 1)),
        (c.KILL, (c.KILL_ACCOUNT, 3, 1)),
        (c.KILL, (c.KILL_SYMBOL, 0, 1)),
        (c.KILL, (c.KILL_SYMBOL, 5, 1)),
        (c.KILL, (7, 1, 1)),
    ],
)
def test_a_switch_that_there_is_not_is_refused(
    desk: Desk, kind: int, words: tuple[int, ...]
) -> None:
    assert not desk.do(desk.plain.send(kind, desk.now_ns, words))
    assert last_command(desk) == (kind, 0, *(*words, 0, 0, 0, 0)[:4])
    assert not desk.tables.accounts["killed"].any() and not desk.tables.instruments["killed"].any()
    assert not (desk.tables.venues["down"] & DOWN_KILLED).any()


def test_the_end_of_the_day_ends_them_all(desk: Desk) -> None:
    children = rests(desk)
    desk.new_parent("held", Post())
    assert desk.do(desk.commands.suspend_parent(desk.parent("held")))
    desk.tick(ANSWER_NS)
    before = len(desk.records)
    assert desk.do(desk.commands.end_day())
    assert last_command(desk) == (c.END_DAY, 1, 0, 0, 0, 0)
    assert sorted(canceled(desk, before)) == children
    desk.tick(SETTLING_NS)
    states = {STATES[state] for state in desk.tables.used_parents["state"].tolist()}
    assert states == {"done for day"}
    assert set(desk.tables.used_children["state"].tolist()) <= set(OVER)
    assert desk.count("open_count") == desk.count("working_count") == 0
    desk.until(2.0)
    assert entered(desk, before) == []


def test_the_end_of_the_day_may_come_twice(desk: Desk) -> None:
    rests(desk)
    assert desk.do(desk.commands.end_day())
    assert desk.do(desk.commands.end_day())
    desk.tick(SETTLING_NS)
    assert desk.state("rests") == "done for day"


def test_kinds_that_are_nobodys_are_counted_and_not_logged(desk: Desk) -> None:
    control = desk.run.block["control"][0]
    unknown = int(control["unknown_commands"])
    for kind in (c.FIRST_COMMAND - 1, c.END_DAY + 1, 99):
        assert desk.plain.send(kind, desk.now_ns, (1, 2, 3))
        desk.round()
    assert int(control["unknown_commands"]) == unknown + 3
    assert desk.of(log.COMMAND) == []


def test_every_command_is_in_the_log_in_order(desk: Desk) -> None:
    number = desk.new_parent("a", Post())
    sent = [
        desk.commands.suspend_parent(number),
        desk.commands.resume_parent(number),
        desk.commands.venue_down(2),
        desk.commands.cancel_parent(number),
        desk.commands.venue_up(2),
        desk.commands.end_day(),
    ]
    assert all(sent)
    before = len(desk.records)
    for _ in sent:
        desk.round()
    kinds = [words[0] for words in desk.of(log.COMMAND, before)]
    assert kinds == [
        c.SUSPEND_PARENT, c.RESUME_PARENT, c.VENUE_DOWN, c.CANCEL_PARENT, c.VENUE_UP, c.END_DAY,
    ]  # fmt: skip
