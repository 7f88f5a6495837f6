"""The rules of order states, written down once more row by row, against the tables and the kernels.

A row says, for one state, what may come and what the order is then; what a row does not name is
impossible there. `open` is pending new, new or partially filled by what is known; `back` is the
same, or the ask or suspension that stands behind.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from order_rig import DOLLAR, OrderRig, event_of

from router.orders import states as s
from router.orders.states import STATE, STATES

OTHER_WAYS = {"impossible": s.IMPOSSIBLE, "open": s.OPEN, "back": s.BACK}
STANDS = "late answer = same"
GONE = f"cancel rejected, replace rejected, bust, correction = same; {STANDS}"

CHILD_ROWS = {
    "none": "sent = pending new",
    "pending new": "accepted = new; fill = partially filled; full fill = filled;"
    " canceled, unsolicited cancel = canceled; rejected = rejected; expired = expired;"
    f" ask cancel = pending cancel; reduced, restated = same; lost = unknown; {STANDS}",
    "new": "fill = partially filled; full fill = filled; canceled, unsolicited cancel = canceled;"
    " rejected = rejected; expired = expired; done for day = done for day;"
    " ask cancel = pending cancel; ask replace = pending replace; suspended = suspended;"
    f" reduced, restated = same; lost = unknown; {STANDS}",
    "partially filled": "accepted, fill = same; full fill = filled; bust, correction = open;"
    " canceled, unsolicited cancel = canceled; expired = expired; done for day = done for day;"
    " ask cancel = pending cancel; ask replace = pending replace; suspended = suspended;"
    f" reduced, restated = same; lost = unknown; {STANDS}",
    "filled": f"accepted, late fill = same; {GONE}",
    "canceled": f"late fill = same; {GONE}",
    "rejected": GONE,
    "expired": f"late fill = same; {GONE}",
    "done for day": f"late fill = same; {GONE}",
    "replaced": "",
    "working": "",
    "pending cancel": "accepted, fill, cancel pending, reduced, restated, bust, correction = same;"
    " full fill = filled; canceled, unsolicited cancel = canceled; cancel rejected = back;"
    " ask cancel, replace accepted, replace rejected = same; rejected = rejected;"
    f" expired = expired; done for day = done for day; lost, unanswered = unknown; {STANDS}",
    "pending replace": "accepted, fill, cancel pending, reduced, restated, bust, correction = same;"
    " full fill = filled; canceled, unsolicited cancel = canceled; replace accepted = open;"
    " replace rejected = back; ask cancel = pending cancel; expired = expired;"
    f" done for day = done for day; lost, unanswered = unknown; {STANDS}",
    "suspended": "fill, reduced, restated, bust, correction = same; full fill = filled;"
    " canceled, unsolicited cancel = canceled; ask cancel = pending cancel; resumed = open;"
    f" expired = expired; done for day = done for day; lost = unknown; {STANDS}",
    "unknown": "fill, reduced, restated, bust, correction, lost = same; full fill = filled;"
    " accepted, resumed = back; replace accepted = open; rejected = rejected;"
    " cancel rejected, replace rejected = same; cancel pending, ask cancel = pending cancel;"
    f" canceled, unsolicited cancel = canceled; expired = expired; done for day = done for day;"
    f" {STANDS}",
}
STOPS = "canceled = canceled; expired = expired; done for day = done for day"
AFTER = "late fill, bust, correction = same"
PARENT_ROWS = {
    **dict.fromkeys(STATES, ""),
    "none": "sent = new; start = working; rejected = rejected",
    "new": f"start = working; rejected = rejected; replace accepted = same; {STOPS}",
    "working": f"fill, bust, correction, replace accepted = same; full fill = filled; {STOPS};"
    " ask cancel = pending cancel; suspended = suspended",
    "suspended": f"fill, bust, correction, replace accepted = same; full fill = filled; {STOPS};"
    " ask cancel = pending cancel; resumed = working",
    "pending cancel": f"fill, bust, correction = same; full fill = filled; {STOPS}",
    "filled": AFTER,
    "canceled": AFTER,
    "expired": AFTER,
    "done for day": AFTER,
}
EVENTS = s.EVENTS[: s.COLUMNS]


def rule(rows: dict[str, str], state: str, event: str) -> str:
    """What a row says follows: a state, `open`, `back` or `impossible`."""
    for part in filter(None, rows[state].split("; ")):
        names, following = part.split(" = ")
        if event in names.split(", "):
            return state if following == "same" else following
    return "impossible"


def number_of(following: str) -> int:
    """As the tables have it."""
    return OTHER_WAYS[following] if following in OTHER_WAYS else STATES.index(following)


@pytest.fixture(scope="module")
def quiet() -> Iterator[OrderRig]:
    """A rig that is asked for the compiled tables only."""
    with OrderRig() as rig:
        yield rig


@pytest.mark.parametrize("event", EVENTS)
@pytest.mark.parametrize("state", STATES)
def test_every_pair_of_a_childs_state_and_event(quiet: OrderRig, state: str, event: str) -> None:
    expected = number_of(rule(CHILD_ROWS, state, event))
    assert s.CHILD_TABLE[STATES.index(state), s.EVENTS.index(event)] == expected
    assert quiet.orders.child_after(STATES.index(state), s.EVENTS.index(event)) == expected


@pytest.mark.parametrize("event", EVENTS)
@pytest.mark.parametrize("state", STATES)
def test_every_pair_of_a_parents_state_and_event(quiet: OrderRig, state: str, event: str) -> None:
    expected = number_of(rule(PARENT_ROWS, state, event))
    assert s.PARENT_TABLE[STATES.index(state), s.EVENTS.index(event)] == expected
    assert quiet.orders.parent_after(STATES.index(state), s.EVENTS.index(event)) == expected


def test_the_rows_name_every_state_and_no_event_that_is_none() -> None:
    for rows in (CHILD_ROWS, PARENT_ROWS):
        assert set(rows) == set(STATES)
        for row in rows.values():
            for part in filter(None, row.split("; ")):
                names, following = part.split(" = ")
                assert set(names.split(", ")) <= set(EVENTS)
                assert following in (*STATES, *OTHER_WAYS, "same")


def test_nothing_leaves_a_state_that_is_over() -> None:
    for table in (s.CHILD_TABLE, s.PARENT_TABLE):
        for state in s.OVER:
            assert set(table[state]) <= {state, s.IMPOSSIBLE}


def test_no_order_stays_replaced() -> None:
    assert STATE.replaced not in s.CHILD_TABLE
    assert STATE.replaced not in s.PARENT_TABLE


def test_a_table_with_a_pair_twice_is_refused() -> None:
    with pytest.raises(ValueError, match="new, fill: expected one following state"):
        s.table_of({"fill": {"new": "filled", "pending new, new": "partially filled"}})


# A child of 100 shares brought into a state, then told something: the same rules, by real reports.

BRINGS = {
    "pending new": "",
    "new": "ack",
    "partially filled": "ack fill",
    "pending cancel": "ack fill cancel",
    "pending replace": "ack fill replace",
    "suspended": "ack fill suspended",
    "unknown": "ack fill lost",
    "filled": "ack all",
    "canceled": "ack fill cancel canceled",
    "rejected": "rejected",
    "expired": "ack fill expired",
    "done for day": "ack fill done_for_day",
}
REPORTS = (
    "fill", "full fill", "canceled", "reduced", "rejected", "cancel pending", "cancel rejected",
    "replace accepted", "replace rejected", "restated", "bust", "correction", "expired",
    "done for day", "suspended", "resumed", "lost", "ask cancel", "ask replace",
)  # fmt: skip


def tell(rig: OrderRig, child: int, event: str) -> None:
    """Makes an event happen to a child, by the report or call that stands for it."""
    token, left = rig.token(child), 60
    said = {
        "ack": ("accepted", {}),
        "canceled": ("canceled", {}),
        "reduced": ("canceled", {"quantity": 10}),
        "rejected": ("rejected", {}),
        "cancel pending": ("cancel_pending", {}),
        "cancel rejected": ("cancel_rejected", {}),
        "restated": ("restated", {}),
        "bust": ("break", {"aux": 7}),
        "correction": ("break", {"aux": 7, "price": 11 * DOLLAR, "flags": 8192}),
    }
    if event in said:
        kind, fields = said[event]
        rig.say(kind, token, **fields)
    elif event == "fill":
        rig.fill(child, 40, execution=7 if not rig.shares(child)[0] else 8)
    elif event == "full fill":
        rig.fill(child, left if rig.shares(child)[0] else 100)
    elif event == "all":
        rig.fill(child, 100, execution=7)
    elif event in ("replace accepted", "replace rejected"):
        kind = "replaced" if event == "replace accepted" else "rejected"
        rig.say(kind, rig.new_token(child) or token, aux=token)
    elif event in ("cancel", "ask cancel"):
        rig.cancel(child)
    elif event in ("replace", "ask replace"):
        rig.replace(child, 200)
    else:
        rig.event(child, event.replace("_", " "))


def meaning(state: str, event: str) -> str:
    """Which event a report is in a state: refusals are of what is asked, fills can be late."""
    if event in ("rejected", "cancel rejected", "replace rejected"):
        if state == "pending replace":
            return "replace rejected"
        return "cancel rejected" if event == "cancel rejected" else "rejected"
    over = s.is_over(STATES.index(state))
    return "late fill" if over and event in ("fill", "full fill") else event


def is_possible(state: str, event: str) -> bool:
    """Whether the rules know the event, and the child has what it is about."""
    if event == "replace accepted" and state != "pending replace":
        return False
    if event in ("bust", "correction") and state in ("pending new", "new", "rejected"):
        return False
    return rule(CHILD_ROWS, state, event) != "impossible"


def resolved(following: str, executed: int) -> str:
    """A state in place of `open` and `back`, for an acknowledged child of which no ask is out."""
    by_shares = "partially filled" if executed else "new"
    return by_shares if following in ("open", "back") else following


@pytest.mark.parametrize("event", REPORTS)
@pytest.mark.parametrize("state", BRINGS)
def test_a_real_child_follows_the_rules(state: str, event: str) -> None:
    meant = meaning(state, event)
    with OrderRig() as rig:
        child = rig.enter(100)
        for name in BRINGS[state].split():
            tell(rig, child, name)
        assert (rig.state(child), rig.count("impossible")) == (state, 0)
        executed = 0 if event == "bust" else rig.shares(child)[0]
        possible = is_possible(state, meant)
        expected = resolved(rule(CHILD_ROWS, state, meant), executed) if possible else state
        tell(rig, child, event)
        assert rig.state(child) == expected
        flagged = not possible and not event.startswith("ask")
        assert rig.count("impossible") == flagged
        assert ("impossible event" in rig.marks(child)) == flagged


def test_events_have_numbers_by_their_names() -> None:
    assert event_of("done for day") == s.EVENTS.index("done for day")
