"""What a decision wants sent: rows of intents, zero but for what is said, while there is room."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from loop_kernels import run_want_cancel, run_want_order, run_want_replace

from feedhandler.actions import SELL
from nic.regions import allowed
from router.tables import CANCEL, ENTER, INTENT_DTYPE, IOC, ISO, LOCATED, REPLACE, SHORT
from router.tablespace import RouterTables, Sizes

ROOM = 3
SMALL = Sizes(
    accounts=2, venues=2, instruments=2, parents=2, children=4, tokens=4, intents=ROOM, timers=1,
    executions=16, log_lines=16,
)  # fmt: skip


@pytest.fixture(scope="module")
def kept() -> Iterator[RouterTables]:
    with RouterTables(SMALL) as space:
        yield space


@pytest.fixture
def space(kept: RouterTables) -> RouterTables:
    kept.head["intent_count"] = kept.head["full_count"] = 0
    kept.block["intents"].view("i8")[:] = -1  # of the decision before
    row = kept.parents[2]
    row["instrument"], row["account"], row["side"], row["flags"] = 2, 1, SELL, SHORT | LOCATED
    return kept


def want(space: RouterTables, kernel: Any, *numbers: int) -> dict[str, int] | None:
    """The row that a kernel wrote, without what is zero; None where there was no room."""
    with allowed(space.block):
        address = int(kernel(space.address, *numbers))
    if address == 0:
        return None
    place = int(space.head["intent_count"]) - 1
    first = space.block.section_address("intents")
    assert address == first + INTENT_DTYPE.itemsize * place
    row = space.block["intents"][place]
    assert not row["unused"].any()
    return {n: int(row[n]) for n in INTENT_DTYPE.names or () if n != "unused" and row[n] != 0}


def test_an_order_is_of_its_parent(space: RouterTables) -> None:
    assert want(space, run_want_order, 2, 1, 300, 1_000, IOC, ISO, 77, 5_000) == {
        "kind": ENTER,
        "parent": 2,
        "instrument": 2,
        "account": 1,
        "venue": 1,
        "side": SELL,
        "quantity": 300,
        "price": 1_000,
        "tif": IOC,
        "flags": ISO | SHORT | LOCATED,
        "decision": 77,
        "send_ns": 5_000,
    }


def test_a_replace_and_a_cancel_name_their_child(space: RouterTables) -> None:
    said = {"kind": REPLACE, "child": 4, "quantity": 200, "price": 900, "decision": 8}
    assert want(space, run_want_replace, 4, 200, 900, 8) == said
    assert want(space, run_want_cancel, 3, 9) == {"kind": CANCEL, "child": 3, "decision": 9}
    assert space.head["intent_count"] == 2


def test_what_finds_no_room_is_counted_and_changes_nothing(space: RouterTables) -> None:
    for child in range(1, ROOM + 1):
        assert want(space, run_want_cancel, child, 1) is not None
    before = space.block["intents"].copy()
    assert want(space, run_want_order, 2, 1, 1, 1, 0, 0, 1, 0) is None
    assert want(space, run_want_replace, 1, 1, 1, 1) is None
    assert want(space, run_want_cancel, 1, 1) is None
    assert space.head["full_count"] == 3 and space.head["intent_count"] == ROOM
    assert (space.block["intents"] == before).all()
