"""The states of orders, what can happen to them, and which state follows: all as data.

The states are those of FIX (OrdStatus), for children and parents alike; `working` is the parents'
own. What happens is an event; `CHILD_TABLE[state, event]` and `PARENT_TABLE[state, event]` give
the next state, or one of

    IMPOSSIBLE  no order in that state can see that event: nothing changes, it is flagged
    OPEN        as its shares and acknowledgement say: pending new, new or partially filled
    BACK        as OPEN, or what it was before the ask that is over now: pending replace, suspended

Where FIX leaves a choice (its volume 4, "Order State Change Matrices"):

* `replaced` is an event that passes: a replaced order is new, partially filled or, where nothing is
  left of it, filled (D11 to D13). No order stays in that state.
* An order of which everything is executed is filled at once, whatever is pending: the binary
  protocols of venues do not answer an ask about an order that is gone. (FIX itself lets pending
  cancel outrank filled until the cancel is answered, B.1.c.)
* What an IOC order leaves is canceled, not expired, and nobody's arbitrary doing.
* Of what is over, the state never changes again. Late executions, busts and corrections are booked
  (the shares are real), and marked.
* `done for day` is over: venues take the order off and we would enter a new one tomorrow.
* `unknown` is ours: the session went down, or a cancel or replace was not answered in time; the
  order may be there or not, as it was or as it was to be. It keeps its reservation, and can be
  canceled (again).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import numpy as np
from numpy.typing import NDArray

from nic.block import constants

STATES: Final = (
    "none", "pending new", "new", "partially filled", "filled", "pending cancel", "canceled",
    "pending replace", "replaced", "rejected", "expired", "suspended", "done for day", "unknown",
    "working",
)  # fmt: skip

# Why a parent ended or was suspended: `reason` of its row, in words.
PARENT_REASONS: Final = ("", "refused too often", "strategy gave up", "by command", "end of day")
NO_REASON, REFUSED_TOO_OFTEN, GIVEN_UP, BY_COMMAND, DAY_OVER = range(len(PARENT_REASONS))

EVENTS: Final = (
    "none", "sent", "start", "accepted", "fill", "full fill", "late fill", "canceled",
    "unsolicited cancel", "reduced", "rejected", "ask cancel", "cancel pending", "cancel rejected",
    "ask replace", "replace accepted", "replace rejected", "late answer", "restated", "bust",
    "correction", "expired", "done for day", "suspended", "resumed", "lost", "unanswered",
    # Only in the log.
    "repeated", "orphan", "impossible",
)  # fmt: skip

# Bits of a child's marks.
MARKS: Final = (
    "filled before ack",
    "late fill",  # after it was over
    "over-fill",  # more executed than ordered
    "repeated execution",  # an execution id that had come already; ignored
    "busted",
    "corrected",
    "unsolicited cancel",
    "impossible event",  # of which only money was booked, if it had any
    "cancel crossed",  # a replace was accepted while a cancel was out: the cancel's token is dead
    "not remembered",  # an execution that no bust can find: the table was full
    "unanswered",  # a cancel or replace was not answered in time
)


def _names(words: tuple[str, ...]) -> list[str]:
    return [word.replace(" ", "_").replace("-", "_") for word in words]


STATE: Final = constants(_names(STATES), range(len(STATES)))
EVENT: Final = constants(_names(EVENTS), range(len(EVENTS)))
MARK: Final = constants(_names(MARKS), (1 << bit for bit in range(len(MARKS))))
COLUMNS: Final[int] = EVENT.repeated  # events that the tables have a column for

IMPOSSIBLE: Final = -1
OPEN: Final = -2
BACK: Final = -3

OVER: Final[tuple[int, ...]] = (
    STATE.filled, STATE.canceled, STATE.rejected, STATE.expired, STATE.done_for_day,
)  # fmt: skip
OVER_BITS: Final = sum(1 << state for state in OVER)
SAME: Final = -4  # while the tables are being made

Moves = Mapping[str, Mapping[str, str | int]]

_LIVE: Final = "pending new, new, partially filled, pending cancel, pending replace, suspended"
_ANY: Final = f"{_LIVE}, unknown"
_SHUT: Final = "filled, canceled, rejected, expired, done for day"

# By event: the states it may come in, and what follows.
CHILD_MOVES: Final[Moves] = {
    "sent": {"none": "pending new"},
    "accepted": {
        "pending new": "new",
        "partially filled, filled, pending cancel, pending replace": SAME,
        "unknown": BACK,
    },
    "fill": {
        "pending new, new": "partially filled",
        "partially filled, pending cancel, pending replace, suspended, unknown": SAME,
    },
    "full fill": {_ANY: "filled"},
    "late fill": {"filled, canceled, expired, done for day": SAME},
    "canceled": {_ANY: "canceled"},
    "unsolicited cancel": {_ANY: "canceled"},
    "reduced": {_ANY: SAME},
    "rejected": {"pending new, new, pending cancel, unknown": "rejected"},
    "ask cancel": {_ANY: "pending cancel"},
    "cancel pending": {"pending cancel, pending replace": SAME, "unknown": "pending cancel"},
    "cancel rejected": {"pending cancel": BACK, f"{_SHUT}, unknown": SAME},
    "ask replace": {"new, partially filled": "pending replace"},
    "replace accepted": {"pending replace, unknown": OPEN, "pending cancel": SAME},
    "replace rejected": {"pending replace": BACK, f"{_SHUT}, pending cancel, unknown": SAME},
    "late answer": {f"{_ANY}, {_SHUT}": SAME},
    "restated": {_ANY: SAME},
    "bust": {
        "partially filled": OPEN,
        f"{_SHUT}, pending cancel, pending replace, suspended, unknown": SAME,
    },
    "correction": {
        "partially filled": OPEN,
        f"{_SHUT}, pending cancel, pending replace, suspended, unknown": SAME,
    },
    "expired": {_ANY: "expired"},
    "done for day": {
        "new, partially filled, pending cancel, pending replace, suspended, unknown": "done for day"
    },
    "suspended": {"new, partially filled": "suspended"},
    "resumed": {"suspended": OPEN, "unknown": BACK},
    "lost": {_ANY: "unknown"},
    "unanswered": {"pending cancel, pending replace": "unknown"},
}

_BUSY: Final = "working, suspended, pending cancel"
_PLACED: Final = f"new, {_BUSY}"
_ENDED: Final = "filled, canceled, expired, done for day"
PARENT_MOVES: Final[Moves] = {
    "sent": {"none": "new"},
    "start": {"none, new": "working"},
    "fill": {_BUSY: SAME},
    "full fill": {_BUSY: "filled"},
    "late fill": {_ENDED: SAME},
    "canceled": {_PLACED: "canceled"},
    "rejected": {"none, new": "rejected"},
    "ask cancel": {"working, suspended": "pending cancel"},
    "replace accepted": {"new, working, suspended": SAME},
    "bust": {f"{_BUSY}, {_ENDED}": SAME},
    "correction": {f"{_BUSY}, {_ENDED}": SAME},
    "expired": {_PLACED: "expired"},
    "done for day": {_PLACED: "done for day"},
    "suspended": {"working": "suspended"},
    "resumed": {"suspended": "working"},
}


def table_of(moves: Moves) -> NDArray[np.int64]:
    """Moves as an array [state, event] of states, IMPOSSIBLE, OPEN or BACK.

    Raises ValueError on a word that is no state or event, and on a pair that is there twice.
    """
    table = np.full((len(STATES), COLUMNS), IMPOSSIBLE, np.int64)
    for event, cases in moves.items():
        column = EVENTS.index(event)
        for words, following in cases.items():
            for word in words.split(", "):
                state = STATES.index(word)
                if table[state, column] != IMPOSSIBLE:
                    raise ValueError(f"{word}, {event}: expected one following state")
                named = following if isinstance(following, int) else STATES.index(following)
                table[state, column] = state if named == SAME else named
    return table


CHILD_TABLE: Final = table_of(CHILD_MOVES)
PARENT_TABLE: Final = table_of(PARENT_MOVES)


def is_over(state: int) -> bool:
    """Whether an order in that state is over: nothing of it is open and nothing will be."""
    return state in OVER


def marks_text(marks: int) -> str:
    """Marks as words, with commas."""
    return ", ".join(word for bit, word in enumerate(MARKS) if marks >> bit & 1)
