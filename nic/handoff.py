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

from collections.abc import Sequence
from types import TracebackType
from typing import Final

import numpy as np

from nic._core import ffi, lib
from nic.backend import OpenBackend, PortError
from nic.port import Port
from nic.thread import PinnedThread

IDLE: Final[dict[str, int]] = {
    "spin": lib.SWP_IDLE_SPIN,
    "pause": lib.SWP_IDLE_PAUSE,
    "sleep": lib.SWP_IDLE_SLEEP,
}


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

    core: where it runs; None leaves it to the scheduler.
    idle: what it does when nothing moved: `spin`, `pause` (the CPU's hint), `sleep` for `sleep_us`.

    Raises ValueError for another `idle`.
    """

    def __init__(
        self,
        handoffs: Sequence[Handoff],
        *,
        core: int | None = None,
        idle: str = "pause",
        sleep_us: int = 50,
    ) -> None:
        if idle not in IDLE:
            raise ValueError(f"idle {idle!r}: expected {' or '.join(IDLE)}")
        self._handoffs = tuple(handoffs)
        self._idle, self._sleep_us = IDLE[idle], sleep_us
        self._stop = np.zeros(8, np.int64)  # a cache line
        ports = [pair.real for pair in self._handoffs]
        self._thread = PinnedThread(self._run, core=core, ports=ports, name="sessions")

    def _run(self) -> int:
        pairs = [ffi.cast("void *", pair.hot.handle) for pair in self._handoffs]
        stop = ffi.cast("int64_t *", self._stop.ctypes.data)
        return int(
            lib.swp_handoff_run(
                ffi.new("void *[]", pairs), len(pairs), stop, self._idle, self._sleep_us
            )
        )

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

    def stop(self, timeout_s: float = 10.0) -> int:
        """Lets the thread move what was sent before, and waits for it; what it moved in all.

        What a venue does not take then stays in the ring. Raises TimeoutError.
        """
        self._stop[0] = 1
        return int(self._thread.join(timeout_s))
