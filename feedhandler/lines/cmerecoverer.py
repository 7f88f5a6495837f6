"""The control side of CME's recovery: hears loops, gives the splice packets that images become.

    idle ◀── recovered ───────────────────────────┐
      │ messages lost                             │
      ▼                                           │
    wanted ── a snapshot that helps is near ──▶ holding ── every instrument had its image
      ▲                                           │
      └── none is near, too much held, failed ◀───┘  (those that had one are live meanwhile)

Nobody can be asked, so a loop is waited for. What the lines bring is held only while a snapshot
comes that the loop can use: it has to be no older than what was delivered last. With few securities
or a quiet channel that is one hold of one turn; else short holds of some packets, over several
turns, between which those that are right already are live.

One recoverer a stream. Time and how far the loop is are arguments; there are no sockets in it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import numpy as np

from feedhandler.feed import Feed
from feedhandler.lines.cmedefinitions import CmeDirectory
from feedhandler.lines.image import Image
from feedhandler.lines.layout import (
    BEGUN,
    EVENTS,
    FAILED,
    LOST,
    NOT_WANTED,
    OVERFLOWED,
    RECOVERED,
    REFUSED,
    SPLICED,
)
from feedhandler.lines.snapshots.cme import BY_ORDER, CmeSnapshots, codes_of
from feedhandler.lines.splice import about, hold, release, splice_packets

IDLE: Final = "idle"
WANTED: Final = "wanted"
HOLDING: Final = "holding"

UNIT: Final = 0
AHEAD: Final = 16  # snapshots before one that is needed, from which on packets are held
AHEAD_BY_ORDER: Final = 2  # the same where one is many packets
HOLD_NS: Final = 500_000_000
MOST_HOLD_NS: Final = 10_000_000_000
PAUSE_NS: Final = 50_000_000
MOST_PAUSE_NS: Final = 30_000_000_000
MOST_HELD: Final = 2_048
LEAST_HELD: Final = 8
DIRECTORY_NS: Final = 60_000_000_000
KEPT_FAILURES: Final = 100


class CmeRecoverer:
    """See the module.

    Args:
        feed: whose books.
        defined: the definitions' loop is heard too: the directory comes before the images.
        is_live: whether the book of a security is right already; None: that is not known.
        hold_ns: how long packets are held at most; twice as long behind each hold in vain.
        pause_ns: how long they are not, behind a hold that was not enough.
        most_held: packets that may wait; fewer, once there was no room for so many.
        directory_ns: how long images wait for the directory.

    Attributes:
        state: see above.
        snapshots, directory: what was heard.
        done: securities that are right since the last loss.
        undefined: securities with an image that a whole directory does not have.
        holds, images, refused: counts.
        failures: what ended holds, words of `layout.EVENTS`, the last ones.
    """

    def __init__(
        self,
        feed: Feed,
        *,
        defined: bool = False,
        is_live: Callable[[int], bool] | None = None,
        hold_ns: int = HOLD_NS,
        pause_ns: int = PAUSE_NS,
        most_held: int = MOST_HELD,
        directory_ns: int = DIRECTORY_NS,
    ) -> None:
        self.snapshots, self.directory = CmeSnapshots(feed), CmeDirectory()
        self.is_live, self.hold_ns, self.pause_ns = is_live, hold_ns, pause_ns
        self.most_held, self.directory_ns = most_held, directory_ns
        self.state, self.done, self.undefined = IDLE, set[int](), set[int]()
        self.holds = self.images = self.refused = 0
        self.failures: list[str] = []
        self._defined, self._defining = defined, defined
        self._packets: list[bytes] = []
        self._asked: dict[int, int] = {}  # securities by serial
        self._next: dict[int, int] = {}  # the security behind each in the loop
        self._last_key: int | None = None
        self._serial = 0
        self._wanted_ns = self._due_ns = 0
        self._wait_ns = pause_ns
        self._held, self._images_before, self._long_ns = 0, 0, hold_ns
        self._ahead = AHEAD_BY_ORDER if codes_of(feed) == BY_ORDER else AHEAD

    def on_event(self, event: np.void) -> None:
        """An EVENT_DTYPE record of the loop's event ring that is of this stream."""
        kind, now_ns = int(event["kind"]), int(event["timestamp_ns"])
        why, serial = int(event["words"][3]), int(event["words"][4])
        if kind == LOST:
            self._want(now_ns)
        elif kind in (RECOVERED, BEGUN):
            self._rest()
            if kind == BEGUN:
                self._begin_week(now_ns)
        elif kind == SPLICED and serial in self._asked:
            self.done.add(self._asked.pop(serial))
            self.images += 1
        elif kind == REFUSED:
            self._on_refused(why, serial)
        elif kind in (FAILED, OVERFLOWED):
            self.failures = [*self.failures[1 - KEPT_FAILURES :], EVENTS[kind]]
            self.done.clear()
            if kind == OVERFLOWED:
                self.most_held = max(LEAST_HELD, self._held // 2)
            self._pause(now_ns)

    def _on_refused(self, why: int, serial: int) -> None:
        if self._asked.pop(serial, None) is not None:
            self.refused += 1
        if why == NOT_WANTED:
            self._rest()

    def _rest(self) -> None:
        self.state, self._wait_ns, self._long_ns = IDLE, self.pause_ns, self.hold_ns
        self.done.clear()
        self._asked.clear()

    def _want(self, now_ns: int) -> None:
        """Messages are lost: whatever was right before need not be."""
        self._rest()
        self.state, self._wanted_ns, self._due_ns = WANTED, now_ns, now_ns
        self.snapshots.begin()
        self.directory.loop.begin()
        self._last_key = None

    def _begin_week(self, now_ns: int) -> None:
        self.snapshots.begin(now_ns)
        self.directory.begin(now_ns)
        self._defining = self._defined
        self._next.clear()

    def _pause(self, now_ns: int) -> None:
        self.state = WANTED
        self._asked.clear()
        self._due_ns = now_ns + self._wait_ns

    def on_definition(self, payload: bytes) -> None:
        """A datagram of the definitions' loop, of either line; it counts while there is a need."""
        if not self._defining and self.state == IDLE:
            return
        self.directory.take(payload)
        if self._defining and self.directory.is_whole:
            self._defining = False
            known = self.directory.datagrams(status=self.state != IDLE)
            self._packets += [about(UNIT, self._new_serial(), one) for one in known]

    def on_snapshot(self, payload: bytes, top: int, now_ns: int) -> None:
        """A datagram of the snapshots' loop, of either line.

        `top`: the highest sequence of the stream that the loop knows of. Nothing is read while
        nothing is to be recovered.
        """
        if self.state == IDLE:
            return
        images = self.snapshots.take(payload, top)
        for key in self.snapshots.heard:
            self._hear(key, now_ns)
        for image in images:
            if self.state == HOLDING:
                self._splice(image)

    def _hear(self, key: int, now_ns: int) -> None:
        """A snapshot of a security has come, or a part of it."""
        if self._last_key is not None and self._last_key != key:
            self._next[self._last_key] = key
        self._last_key = key
        named = self._defined and not self._defining
        if named and key not in self.directory.instruments:
            self.undefined.add(key)
        if self.state == WANTED and self._may_hold(now_ns) and self._is_near(key):
            self._hold(now_ns)

    def _may_hold(self, now_ns: int) -> bool:
        waits = self._defining and now_ns - self._wanted_ns < self.directory_ns
        return now_ns >= self._due_ns and not waits

    def _is_near(self, key: int) -> bool:
        """Whether a snapshot that is needed comes soon, the one with this key first."""
        found: int | None = key
        for _ in range(self._ahead + 1):
            if found is None or self._needs(found):
                return True  # a loop whose order is not known yet
            found = self._next.get(found)
        return False

    def _needs(self, key: int) -> bool:
        if key in self.done:
            return False
        held = self.state == HOLDING  # all are stale
        if held or self.is_live is None or not self.is_live(key):
            return True
        self.done.add(key)
        return False

    def _new_serial(self) -> int:
        self._serial += 1
        return self._serial

    def _hold(self, now_ns: int) -> None:
        self._packets.append(hold(UNIT, self._new_serial()))
        self.holds += 1
        self.state, self._due_ns = HOLDING, now_ns + self._long_ns
        self._images_before = self.images

    def _splice(self, image: Image) -> None:
        assert image.key is not None
        if image.key in self.done or image.key in self._asked.values():
            return
        serial = self._new_serial()
        self._asked[serial] = image.key
        self._packets += splice_packets(image, serial)

    @property
    def _all_said(self) -> bool:
        """Whether all securities of a whole turn since the loss are right."""
        whole = self.snapshots.loop.whole
        return whole is not None and len(whole) <= len(self.done) and whole <= self.done

    @property
    def is_complete(self) -> bool:
        """Whether all securities of a whole turn or directory are right since the loss."""
        if self._all_said:
            return True
        traded = self.directory.traded
        return traded is not None and len(traded) <= len(self.done) and traded <= self.done

    def _ends_hold(self, held: int, now_ns: int) -> bool:
        if self.is_complete or held > self.most_held or now_ns >= self._due_ns:
            return True
        near = self._last_key is None or self._is_near(self._last_key)
        return not near and not self._asked

    def step(self, held: int, now_ns: int) -> list[bytes]:
        """The splice packets to inject now, in order. `held`: packets that wait in the loop."""
        if self.state == HOLDING:
            self._held = held
        if self.state == HOLDING and self._ends_hold(held, now_ns):
            self._release(now_ns)
        elif self.state == WANTED and self.is_complete and now_ns >= self._due_ns:
            self._hold(now_ns)  # all are right on their own: the stream as a whole is
            self._release(now_ns)
        made, self._packets = self._packets, []
        return made

    def _release(self, now_ns: int) -> None:
        complete, serial = self.is_complete, self._new_serial()
        if not complete and self.images == self._images_before:  # in vain: too short for it
            self._long_ns = min(2 * self._long_ns, MOST_HOLD_NS)
        ends = release(UNIT, serial, complete=complete, all_said=self._all_said)
        self._packets += [hold(UNIT, serial), ends]
        self._pause(now_ns)
        if complete:  # the loop may know of others: again later
            self._wait_ns = min(2 * self._wait_ns, MOST_PAUSE_NS)
