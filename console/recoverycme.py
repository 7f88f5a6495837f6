"""Live recovery of a CME channel: hears its loops, snapshots and definitions, beside the loop."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from types import TracebackType
from typing import Any, Final, Self

import numpy as np

from console.recovery import SPLICES, Inject
from console.recoveryclients import Position, RecoverySettings
from console.recoverylinks import Datagrams
from feedhandler.books.layout import LIVE
from feedhandler.books.venuebook import VenueBook
from feedhandler.feed import Feed
from feedhandler.lines.cmerecoverer import IDLE, UNIT, CmeRecoverer

PROTOCOL: Final = "cme_mdp3"
NS_PER_S: Final = 1_000_000_000
SILENCE_S: Final = 30


def live_in(books: VenueBook) -> Callable[[int], bool]:
    """Reads from books whether the one with a key is right."""

    def is_live(key: int) -> bool:
        number = books.instrument(key)
        return number is not None and int(books.tops["trust"][number]) == LIVE

    return is_live


class CmeDriver:
    """Recovery of one channel; like `console.recovery.RecoveryDriver`.

    Args:
        feed: the stream's.
        settings: `refresh` and `definitions` are the groups of the loops, with their B lines. The
            interface's address stands in `interface`.
        inject: puts a packet on line S of the stream.
        where: how far the loop is.
        recovering: how the CmeRecoverer is to be; see there.

    Attributes:
        recoverer: what is done about losses; `recoverer.directory` has the definitions.
        refused: why images do not come, the last reasons: no group is known, or it is silent.

    Raises:
        OSError: a group cannot be heard.
    """

    def __init__(
        self,
        feed: Feed,
        settings: RecoverySettings,
        inject: Inject,
        where: Callable[[int], Position],
        **recovering: Any,
    ) -> None:
        self.feed, self.settings, self._inject, self._where = feed, settings, inject, where
        self._stack = ExitStack()
        try:
            self._definitions = self._heard(settings.definitions, settings.definitions_b)
            self._snapshots = self._heard(settings.refresh, settings.refresh_b)
        except OSError:
            self._stack.close()
            raise
        given = {"defined": bool(self._definitions), **recovering}
        self.recoverer = CmeRecoverer(feed, **given)
        self.refused: list[str] = []
        self._heard_ns: int | None = None

    def _heard(self, *groups: tuple[str, int] | None) -> list[Datagrams]:
        made = []
        for group in groups:
            if group is not None:
                made.append(Datagrams.joined(group, self.settings.interface))
                self._stack.callback(made[-1].close)
        return made

    def on_event(self, event: np.void) -> None:
        """An EVENT_DTYPE record of the loop's event ring that is of this stream."""
        self.recoverer.on_event(event)

    def on_refresh(self, payload: bytes, now_ns: int) -> None:
        """A datagram of the snapshots' loop, from whoever hears it."""
        self._heard_ns = now_ns
        self.recoverer.on_snapshot(payload, self._where(UNIT).top, now_ns)

    def on_definition(self, payload: bytes) -> None:
        """A datagram of the definitions' loop, from whoever hears it."""
        self.recoverer.on_definition(payload)

    def step(self, now_ns: int) -> None:
        """Everything that is due."""
        for group in self._definitions:
            for payload in group.step():
                self.on_definition(payload)
        for group in self._snapshots:
            for payload in group.step():
                self.on_refresh(payload, now_ns)
        self._complain(now_ns)
        for payload in self.recoverer.step(self._where(UNIT).held, now_ns):
            self._inject(SPLICES, payload)

    def _complain(self, now_ns: int) -> None:
        """Says, now and then, that what is wanted does not come."""
        if self.recoverer.state == IDLE or self._heard_ns is None:
            self._heard_ns = now_ns
        elif now_ns - self._heard_ns >= SILENCE_S * NS_PER_S:
            self._heard_ns = now_ns
            known = self.settings.refresh is not None
            why = f"no snapshot for {SILENCE_S} s" if known else "no group of snapshots"
            self.refused = [*self.refused[-99:], why]

    def close(self) -> None:
        """Closes all sockets."""
        self._stack.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()
