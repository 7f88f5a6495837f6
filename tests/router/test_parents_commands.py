"""Commands about parents: what stands in the ring, and rows from another process."""

from __future__ import annotations

import multiprocessing
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from strategy_rig import ACCOUNTS, OPEN_NS, SMALL, SYMBOLS, an_order

from feedhandler import messages
from feedhandler.commands import Commands
from feedhandler.state import COMMAND_SLOTS
from feedhandler.stateblock import create_state
from nic.block import Block, attach
from nic.ringview import Ring
from router import parentcommands as kinds
from router.parentcommands import ParentCommands
from router.strategies.curves import MOST_SHARES, curve_sections
from router.strategies.settings import Pov, Sweep
from router.tablespace import RouterTables

POV = an_order(Pov(rate=100_000_000), name="followed", quantity=777, limit=1_000_000_000)


@dataclass
class Line:
    """A ring of commands and tables, from both ends."""

    state: Block
    tables: RouterTables
    sender: ParentCommands

    def said(self) -> list[tuple[int, ...]]:
        """Kind, time and words of what waits in the ring."""
        records = [record[0] for record in Ring(self.state["commands"]).drain()]
        return [(int(r["kind"]), int(r["timestamp_ns"]), *r["words"].tolist()) for r in records]


@contextmanager
def a_line() -> Iterator[Line]:
    """A line with one parent in row 1, that the loop has not been told of."""
    state = create_state([], [])
    with RouterTables(SMALL, curve_sections(4)) as tables:
        sender = ParentCommands(Commands(state), tables, lambda: OPEN_NS)
        kinds.load_parents([an_order(Sweep(), name="first")], tables, SYMBOLS, ACCOUNTS)
        yield Line(state, tables, sender)


def test_kinds_are_numbers_of_their_own() -> None:
    assert len(kinds.COMMANDS) == kinds.END_DAY - kinds.FIRST_COMMAND + 1
    assert max(messages.GROW, messages.TICK, messages.GROW_REFUSED) < kinds.FIRST_COMMAND


def test_each_sender_writes_its_record() -> None:
    with a_line() as line:
        send = line.sender
        assert send.start(1) and send.cancel_parent(1)
        assert send.replace_parent(1, quantity=500)
        assert send.replace_parent(1, limit=0)
        assert send.replace_parent(1, quantity=600, limit=1_025_000_000)
        assert send.suspend_parent(1) and send.resume_parent(1)
        assert send.kill() and send.kill(kinds.KILL_ACCOUNT, 2, on=False)
        assert send.kill(kinds.KILL_SYMBOL, 1) and send.kill(kinds.KILL_VENUE, 0)
        assert send.venue_down(3) and send.venue_up(3)
        said = line.said()
    both = kinds.REPLACE_QUANTITY | kinds.REPLACE_LIMIT
    assert all(time_ns == OPEN_NS for _, time_ns, *_ in said)
    assert [(kind, *words[:4]) for kind, _, *words in said] == [
        (kinds.NEW_PARENT, 1, 0, 0, 0),
        (kinds.CANCEL_PARENT, 1, 0, 0, 0),
        (kinds.REPLACE_PARENT, 1, 500, 0, kinds.REPLACE_QUANTITY),
        (kinds.REPLACE_PARENT, 1, 0, 0, kinds.REPLACE_LIMIT),
        (kinds.REPLACE_PARENT, 1, 600, 1_025_000_000, both),
        (kinds.SUSPEND_PARENT, 1, 0, 0, 0),
        (kinds.RESUME_PARENT, 1, 0, 0, 0),
        (kinds.KILL, kinds.KILL_ALL, 0, 1, 0),
        (kinds.KILL, kinds.KILL_ACCOUNT, 2, 0, 0),
        (kinds.KILL, kinds.KILL_SYMBOL, 1, 1, 0),
        (kinds.KILL, kinds.KILL_VENUE, 0, 1, 0),
        (kinds.VENUE_DOWN, 3, 0, 0, 0),
        (kinds.VENUE_UP, 3, 0, 0, 0),
    ]


def test_a_new_parent_stands_in_its_row_before_the_loop_hears_of_it() -> None:
    with a_line() as line:
        number = line.sender.new_parent(POV, SYMBOLS, ACCOUNTS)
        row = line.tables.parents[number].copy()
        assert number == 2 == line.sender.number_of("followed")
        assert line.said() == [(kinds.NEW_PARENT, OPEN_NS, 2, 0, 0, 0, 0, 0)]
        assert line.tables.head["parent_count"] == 0
        assert line.tables.block["curves"][int(row["curve"])]["lot"] == 100
    assert (int(row["quantity"]), int(row["limit"]), int(row["state"])) == (777, 1_000_000_000, 0)


def test_a_full_ring_takes_the_row_back() -> None:
    with a_line() as line:
        while line.sender.kill():
            pass
        assert len(line.said()) == COMMAND_SLOTS
        while line.sender.kill():
            pass
        before = bytes(line.tables.block["parents"]), bytes(line.tables.block["curves"][:1])
        assert line.sender.new_parent(POV, SYMBOLS, ACCOUNTS) == 0
        after = bytes(line.tables.block["parents"]), bytes(line.tables.block["curves"][:1])
        assert after == before
        line.said()
        assert line.sender.new_parent(POV, SYMBOLS, ACCOUNTS) == 2


def test_what_cannot_be_is_refused_and_not_sent() -> None:
    with a_line() as line:
        send = line.sender
        with pytest.raises(ValueError, match="parent 2: expected 1 to 1"):
            send.cancel_parent(2)
        with pytest.raises(ValueError, match="replace: expected a quantity, a limit or both"):
            send.replace_parent(1)
        with pytest.raises(ValueError, match=f"quantity: expected 1 to {MOST_SHARES}, found 0"):
            send.replace_parent(1, quantity=0)
        with pytest.raises(ValueError, match="limit: expected 0 to"):
            send.replace_parent(1, limit=-1)
        with pytest.raises(ValueError, match="scope: expected 0 to 3, found 4"):
            send.kill(4)
        with pytest.raises(ValueError, match="account: expected 1 to 2, found 3"):
            send.kill(kinds.KILL_ACCOUNT, 3)
        with pytest.raises(ValueError, match="venue: expected 0 to 3, found 4"):
            send.venue_down(4)
        with pytest.raises(ValueError, match="there is a parent of that name already"):
            send.new_parent(an_order(Sweep(), name="first"), SYMBOLS, ACCOUNTS)
        with pytest.raises(KeyError, match="no parent is named 'none'"):
            send.number_of("none")
        assert line.said() == []


def from_outside(state_path: Path, tables_path: Path) -> None:
    """Another process: attaches both files and sends a parent."""
    with attach(state_path, writable=True) as state, attach(tables_path, writable=True) as tables:
        sender = ParentCommands(Commands(state), tables, lambda: OPEN_NS + 1)
        sent = sender.new_parent(POV, SYMBOLS, ACCOUNTS) == 1 and sender.cancel_parent(1)
        del sender
    raise SystemExit(0 if sent else 1)


def test_another_process_needs_the_two_files_only(tmp_path: Path) -> None:
    state_path, tables_path = tmp_path / "state", tmp_path / "tables"
    state = create_state([], [], path=state_path)
    with RouterTables(SMALL, curve_sections(4), path=tables_path) as tables:
        other = multiprocessing.get_context("spawn").Process(
            target=from_outside, args=(state_path, tables_path)
        )
        other.start()
        other.join()
        assert other.exitcode == 0
        records = [record[0] for record in Ring(state["commands"]).drain()]
        assert [(int(r["kind"]), int(r["words"][0])) for r in records] == [
            (kinds.NEW_PARENT, 1),
            (kinds.CANCEL_PARENT, 1),
        ]
        assert np.char.decode(tables.parents["name"][1]) == "followed"
        assert int(tables.parents["quantity"][1]) == 777
