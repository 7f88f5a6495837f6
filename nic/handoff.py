"""Order sessions on a core of their own: the hot loop hands messages over and gets chunks back.

    with open_port("tcp:10.1.2.3:4001") as real, Handoff(real) as pair:
        with SessionLoop([pair], core=3):
            ...  # the loop sends and polls pair.hot, a port as any other

The hot end's sends and polls touch two rings in memory and make no system call. A send's 0 means
that the message is in the ring; -EAGAIN that it is full, which is what a venue that does not read
comes to. Sends that the real port fails later are counted in `tx_failed` of the hot end, when it
polls. The end of the real port, or its error with the words, comes behind its last chunk.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from types import TracebackType
from typing import Any, Final

from nic._core import ffi, lib
from nic.backend import OpenBackend, PortError
from nic.port import Port
from nic.thread import PinnedThread

IDLE: Final[dict[str, int]] = {
    "spin": lib.SWP_IDLE_SPIN,
    "pause": lib.SWP_IDLE_PAUSE,
    "sleep": lib.SWP_IDLE_SLEEP,
}
WAIT_S: Final = 0.00005


class Handoff:
    """The hot end of a real port, and the rings between them.

    real: an open port. From here on it belongs to the session loop; who opened it closes it, when
        that loop has stopped.
    out_bytes, in_bytes: of the rings to and from it, powers of two. Half of a ring is the longest
        message; a longer chunk of a stream comes in parts, a longer frame is cut and says so.
    hot: the port for the hot loop.

    Raises PortError for other sizes.
    """

    def __init__(self, real: Port, *, out_bytes: int = 1 << 16, in_bytes: int = 1 << 20) -> None:
        self.real = real
        config = ffi.new("swp_handoff_config *")
        config.ops = ffi.cast("swp_ops *", real.ops_address)
        config.port = ffi.cast("void *", real.handle)
        config.out_bytes, config.in_bytes = out_bytes, in_bytes
        handle, reason = ffi.new("void **"), ffi.new("char[]", lib.SWP_ERROR_TEXT_BYTES)
        if lib.swp_handoff_open(config, handle, reason) < 0:
            raise PortError(f"{real.uri}: {ffi.string(reason).decode(errors='replace')}")
        address, size = ffi.new("uint64_t *"), ffi.new("uint64_t *")
        lib.swp_handoff_memory(handle[0], address, size)
        regions = ((int(address[0]), int(size[0])),)
        backend = OpenBackend(lib.swp_handoff_ops(), handle[0], regions, [real])
        self.hot = Port(f"handoff of {real.uri}", backend)

    def __enter__(self) -> Handoff:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def step(self) -> int:
        """One round of the session side, where no loop runs; how many messages and chunks moved."""
        return int(lib.swp_handoff_step(ffi.cast("void *", self.hot.handle)))

    def close(self) -> None:
        """Frees the rings. The session loop must have stopped."""
        self.hot.close()


class SessionLoop:
    """The thread that serves the session side of hand-offs, from `start` to `stop`.

    handoffs: served from the start; others may come and go while it runs. Ports that want their
        `thread_init` (a TCP session does not) have to be among these.
    core: where it runs; None leaves it to the scheduler.
    idle: what it does when nothing moved: `spin`, `pause` (the CPU's hint), `sleep` for `sleep_us`.
    room: hand-offs that it can serve at a time.

    Raises ValueError for another `idle`, and for more hand-offs than there is room for.
    """

    def __init__(
        self,
        handoffs: Sequence[Handoff] = (),
        *,
        core: int | None = None,
        idle: str = "pause",
        sleep_us: int = 50,
        room: int = 64,
    ) -> None:
        if idle not in IDLE:
            raise ValueError(f"idle {idle!r}: expected {' or '.join(IDLE)}")
        if len(handoffs) > room:
            raise ValueError(f"{len(handoffs)} hand-offs: there is room for {room}")
        self._idle, self._sleep_us = IDLE[idle], sleep_us
        self._served: list[Handoff | None] = [*handoffs, *[None] * (room - len(handoffs))]
        self._places = ffi.new("void *[]", [_address(pair) for pair in self._served])
        self._control = ffi.new("swp_handoff_control *")
        ports = [pair.real for pair in handoffs]
        self._thread = PinnedThread(self._run, core=core, ports=ports, name="sessions")

    def _run(self) -> int:
        count, control = len(self._served), self._control
        return int(lib.swp_handoff_run(self._places, count, control, self._idle, self._sleep_us))

    def __enter__(self) -> SessionLoop:
        return self.start()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    def start(self) -> SessionLoop:
        """Starts the thread; returns this object."""
        self._thread.start()
        return self

    @property
    def running(self) -> bool:
        """Whether the thread was started and has not ended yet."""
        return self._thread.running

    def add(self, pair: Handoff) -> None:
        """Serves one more, from the next round on. Raises ValueError where there is no room."""
        if None not in self._served:
            raise ValueError(f"there is room for {len(self._served)} hand-offs")
        place = self._served.index(None)
        self._served[place] = pair
        self._places[place] = _address(pair)

    def remove(self, pair: Handoff, timeout_s: float = 1.0) -> None:
        """Serves one no longer: what was sent before is moved once more, then nobody touches it.

        Raises ValueError where it is not served, TimeoutError where the thread does not go on.
        """
        place = self._served.index(pair)
        self._wait_rounds(2, timeout_s)  # the second began after what was sent last
        self._places[place] = ffi.NULL
        self._wait_rounds(1, timeout_s)
        self._served[place] = None

    def _wait_rounds(self, count: int, timeout_s: float) -> None:
        wanted, until_s = self._control.rounds + count, time.monotonic() + timeout_s
        while self.running and self._control.rounds < wanted:
            if time.monotonic() > until_s:
                raise TimeoutError(f"the session loop did not go round within {timeout_s} s")
            time.sleep(WAIT_S)

    def stop(self, timeout_s: float = 10.0) -> int:
        """Lets the thread move what was sent before, and waits for it; what it moved in all.

        What a venue does not take then stays in the ring. Raises TimeoutError.
        """
        self._control.stop = 1
        return int(self._thread.join(timeout_s))


def _address(pair: Handoff | None) -> Any:
    return ffi.NULL if pair is None else ffi.cast("void *", pair.hot.handle)
