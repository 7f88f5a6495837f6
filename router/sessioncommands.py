"""What the control side tells a running loop about its live sessions.

Commands are records of the loop's ring, as those of `router.parentcommands`.

    kind            words
    SESSION_HEARD   session, address and length of bytes that came during a login, 1 for the first
    MESSAGE_LOST    session, token, kind of intent: the venue never had that message
    SESSION_UP      session, port's handle, its tx, rx_burst and release, our last sequence
    SESSION_DOWN    session: it is ours no longer
    FEED_SILENT     session: the feed of its venue says nothing, no orders go there
    FEED_SPEAKS     session: it does again

From SESSION_UP on the loop's thread alone sends and receives on the port, until the session's row
says that it is not up and has no handle: then the loop has let go of the port.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import numpy as np
from numpy.typing import NDArray

from feedhandler.commands import Commands
from feedhandler.stateblock import LinkPort
from router.entry.layout import UP
from router.tablespace import RouterTables

SESSION_HEARD: Final = 48
MESSAGE_LOST: Final = 49
SESSION_UP: Final = 50
SESSION_DOWN: Final = 51
FEED_SILENT: Final = 52
FEED_SPEAKS: Final = 53
EARLY_BYTES: Final = 1 << 16  # of a session's answers on their way into the loop


class SessionCommands:
    """Tells a loop about its sessions; beside ParentCommands, over the same ring.

    Every sender gives False when the ring is full: nothing is waited for.

    Args:
        commands: of the loop.
        tables: with the rows of the sessions, and with `early_section`.
        clock: ns since the epoch, by the clock that the loop's other times are from.
    """

    def __init__(self, commands: Commands, tables: RouterTables, clock: Callable[[], int]) -> None:
        self._commands, self._tables, self._clock = commands, tables, clock
        count = len(tables.block["sessions"])
        self._early: NDArray[np.uint8] = tables.block["session_early"].reshape(count, -1)

    def heard(self, session: int, data: bytes, *, first: bool = False) -> bool:
        """Hands over what a venue said while it was logged in to, at most EARLY_BYTES.

        The loop has to be done with what was handed over before, see `all_taken`. `first`: the
        connection is new, and what was cut in the one before is forgotten.
        """
        room = self._early[session]
        room[: len(data)] = np.frombuffer(data, np.uint8)
        address = self._tables.block.section_address("session_early", session * len(room))
        return self._send(SESSION_HEARD, session, address, len(data), int(first))

    def lost(self, session: int, token: int, kind: int) -> bool:
        """The venue never had the message that went by a token."""
        return self._send(MESSAGE_LOST, session, token, kind)

    def up(self, session: int, port: LinkPort, sequence: int) -> bool:
        """Hands a session's port over: all that was lost or said before has been told."""
        ops = port.ops
        words = port.handle, ops["tx"], ops["rx_burst"], ops["release"]
        return self._send(SESSION_UP, session, *words, sequence)

    def down(self, session: int) -> bool:
        """Takes a session away from the loop."""
        return self._send(SESSION_DOWN, session)

    def feed(self, session: int, *, silent: bool) -> bool:
        """Whether the feed of a session's venue is silent."""
        return self._send(FEED_SILENT if silent else FEED_SPEAKS, session)

    def is_up(self, session: int) -> bool:
        """Whether the loop has the session's port."""
        row = self._tables.block["sessions"][session]
        return int(row["state"]) == UP or int(row["handle"]) != 0

    @property
    def all_taken(self) -> bool:
        """Whether the loop is done with every command so far."""
        return self._commands.waiting_count == 0

    def _send(self, kind: int, *words: int) -> bool:
        return self._commands.send(kind, self._clock(), words)


def early_section(sessions: int) -> tuple[str, np.dtype[np.uint8], int]:
    """The section that `RouterTables` needs for live sessions."""
    return ("session_early", np.dtype("u1"), EARLY_BYTES * max(1, sessions))
