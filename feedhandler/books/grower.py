"""Growth beside a running loop: who sees that tables fill up, makes larger ones and sends them in.

    poll        more than `full` of a table is used: larger tables are made and prefaulted here
    GROW        goes to the loop, which moves the books between two bursts
    poll        the growth is done: the old tables go back, readers look for the new ones

The loop waits for nothing of this but for the moving itself.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final, NamedTuple

from feedhandler.books.venuebook import Growth, VenueBook
from feedhandler.commands import Commands
from feedhandler.messages import GROW
from feedhandler.polling import Poller
from nic.regions import CHECKED, allow, forbid

FULL: Final = 0.75
PERIOD_S: Final = 0.001
RETRY_POLLS: Final = 1000  # after there was no memory


class Fullness(NamedTuple):
    """How much of each table is used, from 0 to 1."""

    orders: float
    levels: float
    chunks: float


def fullness(book: VenueBook) -> Fullness:
    """Looks at the head of books that nobody moves just now."""
    head, room = book.head, book.sizes.chunk_room
    used = room - (int(head["end_chunk"]) - int(head["next_chunk"]))
    return Fullness(
        int(head["live_orders"]) / book.sizes.orders,
        int(head["live_levels"]) / book.sizes.levels,
        used / room,
    )


@dataclass
class _Venue:
    book: VenueBook
    growth: Growth | None = None
    sent: bool = False
    wait_polls: int = 0
    allowed: int | None = None  # tables that kernels of a checked build may touch because of us


class Grower(Poller):
    """Keeps the tables of several venues large enough; each growth doubles what is filling up.

    Args:
        commands: of the loop that applies to all these books.
        books: by name.
        clock: ns since the epoch, for the commands.
        full: the share of a table from which on it grows.

    Attributes:
        grown: by name, how often its tables have grown here.
        failed: by name, why larger tables could not be made; it is tried again.
    """

    def __init__(
        self,
        commands: Commands,
        books: Mapping[str, VenueBook],
        clock: Callable[[], int],
        *,
        full: float = FULL,
        period_s: float = PERIOD_S,
    ) -> None:
        super().__init__("grower", period_s)
        if not 0 < full < 1:
            raise ValueError(f"full {full}: expected between 0 and 1")
        self._commands, self._clock, self._full = commands, clock, full
        self._venues = {name: _Venue(book) for name, book in books.items()}
        self.grown = dict.fromkeys(books, 0)
        self.failed: dict[str, str] = {}

    def __enter__(self) -> Grower:
        self.start()
        return self

    def __exit__(self, *_exception: object) -> None:
        self.close()
        self.settle()

    def poll(self) -> list[str]:
        """Looks at every venue once; the names of those that have grown since the last time."""
        return [name for name, venue in self._venues.items() if self._look(name, venue)]

    def _look(self, name: str, venue: _Venue) -> bool:
        if venue.growth is None:
            if venue.wait_polls > 0:
                venue.wait_polls -= 1
                return False
            self._prepare(name, venue)
        if venue.growth is not None and not venue.sent:
            venue.sent = self._commands.send(GROW, self._clock(), venue.growth.words)
        if venue.growth is None or not venue.growth.done:
            return False
        self._finish(name, venue, venue.growth)
        return True

    def _prepare(self, name: str, venue: _Venue) -> None:
        sizes, used = venue.book.sizes, fullness(venue.book)
        if max(used) <= self._full:
            return
        try:
            venue.growth = venue.book.prepare_growth(
                orders=2 * sizes.orders if used.orders > self._full else None,
                levels=2 * sizes.levels if used.levels > self._full else None,
                chunk_bytes=2 * sizes.chunk_room if used.chunks > self._full else None,
            )
        except (OSError, ValueError) as error:  # no memory, or levels beyond 32 bits
            self.failed[name], venue.wait_polls = str(error), RETRY_POLLS
            return
        self.failed.pop(name, None)
        venue.sent = False
        if CHECKED:
            allow(venue.growth.tables)

    def _finish(self, name: str, venue: _Venue, growth: Growth) -> None:
        venue.book.finish_growth(growth)
        venue.growth = None
        self.grown[name] += 1
        if venue.allowed is not None:
            forbid(venue.allowed)
        venue.allowed = growth.tables.address if CHECKED else None

    def settle(self) -> None:
        """What is under way is done here, once the thread has ended and the loop has returned.

        Beside a loop that runs, what it has not done yet is left as it is.
        """
        for name, venue in self._venues.items():
            growth, runs = venue.growth, self._commands.loop_runs
            if growth is not None and not growth.done and not runs:
                venue.book.move(growth)
            if growth is not None and growth.done:
                self._finish(name, venue, growth)
            if venue.allowed is not None and not runs:
                forbid(venue.allowed)
                venue.allowed = None
