"""The gate in the loop: orders that wait for their time to leave, parents that are held back."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import msgspec
import pytest
from routed_rig import CENT, LATE, SECOND, VENUES, Desk, a_desk, limits_text, write_files

from console.routed import far
from router import log
from router.entry.layout import DOWN, UP
from router.loop.endings import FIRST_HOLD_NS, MOST_DOUBLINGS
from router.loop.work import SUSPENDING_REFUSALS
from router.orders.states import REFUSED_TOO_OFTEN, STATES
from router.parentcommands import KILL_ALL
from router.risk.layout import REASONS
from router.strategies.settings import DarkThenLit, Post, Strategy, Sweep
from router.tables import DOWN_SESSION, ENTER
from router.venuefile import load_venues
from simulator.matching.model import Troubles

BEGIN_S = 1.0
ANSWER_NS = 20_000_000
LATENCIES = [venue.latency_ns for venue in load_venues()]
QUANTITY = 4_000  # more than one venue shows at the best price


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    """A market in which one parent waits for a time that does not come."""
    with a_desk(write_files(tmp_path, LATE)) as made:
        made.until(BEGIN_S)
        yield made


def swept(desk: Desk, **fields: object) -> tuple[list[int], list[int]]:
    """A sweep of several venues: the children that have left at once, and those that wait."""
    bid, offer = desk.quote("KOZ")
    limit = bid if fields.get("side") == "sell_short" else offer
    desk.new_parent("takes", Sweep(), **{"quantity": QUANTITY, "limit": limit, **fields})
    sent = [child for kind, child in desk.sent() if kind == "enter"]
    held = [child for child in desk.open_children("takes") if child not in sent]
    assert sent and len(held) > 1
    return sent, held


def venue_of(desk: Desk, child: int) -> int:
    """Where a child goes."""
    return int(desk.tables.children[child]["venue"])


def messages_about(desk: Desk, children: list[int]) -> list[tuple[str, int]]:
    """Messages sent about some children."""
    return [(kind, child) for kind, child in desk.sent() if child in children]


def states(desk: Desk, children: list[int]) -> set[str]:
    """Their states."""
    return {desk.child_state(child) for child in children}


def test_orders_leave_so_that_they_arrive_together(desk: Desk) -> None:
    sent, held = swept(desk)
    now = desk.now_ns
    most = max(LATENCIES[venue_of(desk, child)] for child in sent + held)
    desk.tick(ANSWER_NS)
    left = {}
    for record in desk.records:
        if record.kind == log.SENT and record.words[2] == ENTER:
            left[record.words[1]] = record.time_ns
    for child in sent + held:
        assert left[child] + LATENCIES[venue_of(desk, child)] == now + most
        row = desk.tables.children[child]
        assert row["made_ns"] == now and row["sent_ns"] == left[child]
    assert all(left[child] == now for child in sent)
    assert all(left[child] > now for child in held)


def test_an_order_that_waits_counts_as_open(desk: Desk) -> None:
    sent, held = swept(desk)
    rows = desk.tables.children[sent + held]
    assert states(desk, held) == {"pending new"}
    assert desk.tables.parents[desk.parent("takes")]["open"] == rows["quantity"].sum()
    position = desk.tables.positions[1, desk.number("KOZ")]
    assert position["open_buy"] == rows["quantity"].sum()
    assert desk.count("open_count") == len(rows)


def test_what_is_canceled_before_it_leaves_is_over_without_a_message(desk: Desk) -> None:
    sent, held = swept(desk)
    assert desk.do(desk.commands.cancel_parent(desk.parent("takes")))
    assert states(desk, held) == {"canceled"} and states(desk, sent) == {"pending cancel"}
    assert messages_about(desk, held) == []
    assert messages_about(desk, sent) == [
        (kind, child) for kind in ("enter", "cancel") for child in sent
    ]
    desk.tick(ANSWER_NS)
    assert messages_about(desk, held) == [] and desk.state("takes") in ("canceled", "filled")
    assert not desk.tables.positions[1, desk.number("KOZ")]["open_buy"]
    assert desk.count("open_count") == desk.count("impossible_count") == 0


def test_a_kill_switch_stops_what_has_not_left(desk: Desk) -> None:
    sent, held = swept(desk)
    assert desk.do(desk.commands.kill(KILL_ALL))
    desk.tick(ANSWER_NS)
    assert messages_about(desk, held) == []
    assert states(desk, held) == {"canceled"}
    assert {kind for kind, _ in messages_about(desk, sent)} == {"enter", "cancel"}


@pytest.mark.parametrize("table", ["accounts", "instruments", "venues", "head"])
def test_an_order_is_looked_at_again_when_it_leaves(desk: Desk, table: str) -> None:
    """What came between: here the control side writes the switches, no command pulls orders."""
    _, held = swept(desk)
    if table == "head":
        desk.tables.head["killed"] = 1
    elif table == "venues":
        desk.tables.venues["down"][: len(VENUES)] |= DOWN_SESSION
    else:
        getattr(desk.tables, table)["killed"] = 1
    desk.tick(ANSWER_NS)
    assert messages_about(desk, held) == []
    assert states(desk, held) == {"rejected"}
    row = desk.tables.parents[desk.parent("takes")]
    assert row["open"] == 0 and row["open_children"] == 0
    assert desk.count("unsent_count") == desk.count("impossible_count") == 0


def test_a_venue_that_goes_down_keeps_its_order_back_and_others_get_theirs(desk: Desk) -> None:
    _, held = swept(desk)
    down = venue_of(desk, held[0])
    assert desk.do(desk.commands.venue_down(down))
    desk.tick(ANSWER_NS)
    assert desk.child_state(held[0]) == "rejected" and messages_about(desk, held[:1]) == []
    there = [child for child in held if venue_of(desk, child) != down]
    assert messages_about(desk, there) == [("enter", child) for child in there]


def test_what_is_kept_back_is_sent_elsewhere_at_once(desk: Desk) -> None:
    """Nobody waits for the next quote to find that shares are free again."""
    _, held = swept(desk)
    row = desk.tables.children[held[0]]
    before = len(desk.records)
    assert desk.do(desk.commands.venue_down(int(row["venue"])))
    desk.tick(ANSWER_NS)
    refused_ns = int(row["last_ns"])
    decided = [r.time_ns for r in desk.records[before:] if r.kind == log.DECISION]
    assert refused_ns in decided


def test_locates_of_what_never_left_can_be_used_again(tmp_path: Path) -> None:
    limits = limits_text().replace("NEV = 10000", "NEV = 10000\nKOZ = 50000")
    with a_desk(write_files(tmp_path, LATE, limits)) as desk:
        desk.until(BEGIN_S)
        _, held = swept(desk, side="sell_short", located=True)
        wanted = int(desk.tables.used_children["quantity"].sum())
        instrument = desk.tables.instruments[desk.number("KOZ")]
        assert instrument["locates_used"] == wanted
        assert desk.do(desk.commands.cancel_parent(desk.parent("takes")))
        kept_back = int(desk.tables.children[held]["quantity"].sum())
        assert instrument["locates_used"] == wanted - kept_back
        desk.tick(ANSWER_NS)
        assert instrument["locates_used"] == desk.tables.used_children["cum"].sum()


def sessions_are(desk: Desk, state: int) -> None:
    """All sessions at once, and the venues' rows know nothing of it."""
    desk.tables.block["sessions"]["state"] = state


def test_an_order_that_its_port_refuses_is_rejected_on_the_spot(desk: Desk) -> None:
    sessions_are(desk, DOWN)
    desk.new_parent("takes", Sweep(), limit=desk.quote("KOZ")[1])
    rows = desk.tables.used_children
    assert len(rows) == desk.count("unsent_count") == 1
    assert desk.child_state(1) == "rejected" and rows["sent_ns"].tolist() == [0]
    assert desk.sent() == [] and desk.state("takes") == "working"
    assert desk.tables.parents[desk.parent("takes")]["open"] == desk.count("open_count") == 0
    sessions_are(desk, UP)
    desk.until(4.0)
    assert desk.state("takes") == "filled"


def test_a_cancel_that_its_port_refuses_is_asked_for_again(desk: Desk) -> None:
    desk.new_parent("rests", Post(), quantity=300)
    desk.tick(ANSWER_NS)
    children = desk.open_children("rests")
    sessions_are(desk, DOWN)
    before = len(desk.records)
    assert desk.do(desk.commands.cancel_parent(desk.parent("rests")))
    assert desk.sent(before) == [] and desk.count("unsent_count") == len(children)
    assert states(desk, children) == {"new"} and desk.state("rests") == "pending cancel"
    sessions_are(desk, UP)
    desk.until(3.0)
    assert states(desk, children) == {"canceled"} and desk.state("rests") == "canceled"


def refusing_venues(monkeypatch: pytest.MonkeyPatch, chance: float) -> None:
    """Venues that refuse orders for no reason."""
    usual, troubles = far.model_of, Troubles(reject_chance=chance)
    monkeypatch.setattr(
        far, "model_of", lambda *given: msgspec.structs.replace(usual(*given), troubles=troubles)
    )


@pytest.mark.parametrize("strategy", [Sweep(), Post(), DarkThenLit()], ids=lambda s: s.name)
def test_venues_that_refuse_everything_get_few_orders(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, strategy: Strategy
) -> None:
    refusing_venues(monkeypatch, 1.0)
    with a_desk(write_files(tmp_path, LATE)) as desk:
        desk.until(BEGIN_S)
        desk.new_parent("refused", strategy, quantity=100, limit=desk.quote("KOZ")[1])
        desk.tick(60 * SECOND)
        made = desk.tables.used_children["made_ns"].tolist()
        assert desk.count("refused_count") == len(made) >= SUSPENDING_REFUSALS
        assert len(made) < 2 * SUSPENDING_REFUSALS
        assert desk.state("refused") == "suspended" and desk.count("open_count") == 0
        last = desk.tables.children[len(made)]
        for hold, (one, other) in zip(holds(), pairwise(sorted(set(made))), strict=False):
            assert other - one >= hold
        assert last["state"] == STATES.index("rejected")
        assert desk.do(desk.commands.resume_parent(desk.parent("refused")))
        assert len(desk.tables.used_children) > len(made)


def test_a_word_of_a_venue_ends_the_count_of_its_refusals(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    refusing_venues(monkeypatch, 0.5)
    with a_desk(write_files(tmp_path, LATE)) as desk:
        desk.until(BEGIN_S)
        limit = desk.quote("KOZ")[1]
        for number in range(40):
            desk.new_parent(f"p{number}", Sweep(), quantity=10, limit=limit)
            desk.tick(SECOND)
        assert desk.count("refused_count") > 10
        states_of = [desk.state(f"p{number}") for number in range(40)]
        assert states_of == ["filled"] * 40
        assert not desk.tables.used_parents["refused"].any()


def test_a_port_that_refuses_everything_gets_few_orders(desk: Desk) -> None:
    sessions_are(desk, DOWN)
    desk.new_parent("takes", Sweep(), limit=desk.quote("KOZ")[1])
    desk.tick(60 * SECOND)
    assert desk.count("unsent_count") == len(desk.tables.used_children) == SUSPENDING_REFUSALS
    assert desk.state("takes") == "suspended" and desk.sent() == []


def refusals(desk: Desk) -> list[int]:
    """Times of the gate's refusals."""
    return [record.time_ns for record in desk.records if record.kind == log.GATE]


def holds() -> list[int]:
    """How long a parent waits behind each refusal."""
    return [FIRST_HOLD_NS << min(n, MOST_DOUBLINGS) for n in range(SUSPENDING_REFUSALS)]


@pytest.fixture
def refused(tmp_path: Path) -> Iterator[Desk]:
    """A parent whose orders are all too large."""
    with a_desk(write_files(tmp_path, LATE, limits_text(order_shares=50))) as made:
        made.until(BEGIN_S)
        made.new_parent("large", Sweep(), limit=made.quote("KOZ")[1])
        yield made


def test_a_parent_that_is_refused_waits_twice_as_long_each_time(refused: Desk) -> None:
    began = refused.now_ns
    refused.tick(60 * SECOND)
    times = refusals(refused)
    assert times[0] == began and len(times) == SUSPENDING_REFUSALS
    assert [b - a for a, b in pairwise(times)] == holds()[:-1]
    assert {REASONS[words[2]] for words in refused.of(log.GATE)} == {"order size"}


def test_packets_do_not_hurry_a_parent_that_is_refused(refused: Desk) -> None:
    began = refused.now_ns
    refused.until(3.0)
    times = refusals(refused)
    due = [began]
    for hold in holds():
        due.append(due[-1] + hold)
    assert times == [time_ns for time_ns in due if time_ns <= refused.now_ns][: len(times)]
    assert len(times) > MOST_DOUBLINGS


def test_a_parent_that_is_refused_too_often_is_suspended(refused: Desk) -> None:
    refused.tick(60 * SECOND)
    row = refused.tables.parents[refused.parent("large")]
    assert refused.state("large") == "suspended"
    assert row["rejects"] == 0 and row["held"] == SUSPENDING_REFUSALS
    last = refused.of(log.PARENT)[-1]
    assert (STATES[last[2] & 255], last[5]) == ("suspended", REFUSED_TOO_OFTEN)
    before = len(refused.records)
    refused.until(2.0)
    assert refused.of(log.GATE, before) == []


def test_a_resumed_parent_begins_anew(refused: Desk) -> None:
    refused.tick(60 * SECOND)
    number = refused.parent("large")
    before = len(refused.records)
    assert refused.do(refused.commands.resume_parent(number))
    refused.tick(60 * SECOND)
    again = [r.time_ns for r in refused.records[before:] if r.kind == log.GATE]
    assert len(again) == SUSPENDING_REFUSALS
    assert [b - a for a, b in pairwise(again)] == holds()[:-1]


def test_one_order_that_passes_ends_the_count(refused: Desk) -> None:
    refused.tick(sum(holds()[:5]))
    number = refused.parent("large")
    assert refused.tables.parents[number]["held"] == 6
    assert refused.do(refused.commands.replace_parent(number, quantity=40))
    refused.tick(SECOND)
    row = refused.tables.parents[number]
    assert row["held"] == 0 and refused.state("large") == "filled"


def test_refusals_of_several_orders_at_once_count_each(tmp_path: Path) -> None:
    with a_desk(write_files(tmp_path, LATE, limits_text(order_shares=50))) as desk:
        desk.until(BEGIN_S)
        limit = desk.quote("KOZ")[1] + CENT
        desk.new_parent("large", Sweep(), quantity=QUANTITY, limit=limit)
        count = len(refusals(desk))
        assert count > 1 and len(set(refusals(desk))) == 1
        assert desk.tables.parents[desk.parent("large")]["held"] == count
