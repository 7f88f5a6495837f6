"""Threads for kernels: one core each, no interpreter lock held, failures brought back."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

from nic.port import Port

_CORES_MAX = 4096  # no machine has so many; keeps a slip of the pen from filling memory


class CoreError(ValueError):
    """A list of cores that cannot be read or used."""


def parse_cores(text: str) -> tuple[int, ...]:
    """`2,4-6` as (2, 4, 5, 6). Raises CoreError on anything but numbers and rising ranges."""
    cores: list[int] = []
    for part in text.split(","):
        first, dash, last = part.strip().partition("-")
        numbers = (first, last) if dash else (first, first)
        if not all(number.isascii() and number.isdigit() for number in numbers):
            raise CoreError(f"cores {text!r}: {part.strip()!r}: expected a number or a range, 4-6")
        low, high = int(numbers[0]), int(numbers[1])
        if high < low or high - low > _CORES_MAX:
            raise CoreError(f"cores {text!r}: {part.strip()!r}: expected a rising range")
        cores += range(low, high + 1)
    return tuple(cores)


def online_cores(sysroot: Path = Path("/")) -> frozenset[int]:
    """The cores that the kernel runs, isolated ones included."""
    text = (sysroot / "sys/devices/system/cpu/online").read_text(encoding="ascii")
    return frozenset(parse_cores(text.strip()))


def check_cores(cores: Sequence[int], available: Iterable[int] | None = None) -> tuple[int, ...]:
    """The cores as they came. Raises CoreError where one is not there or is named twice."""
    there = online_cores() if available is None else frozenset(available)
    if not cores:
        raise CoreError("no core given")
    for index, core in enumerate(cores):
        if core not in there:
            known = ",".join(map(str, sorted(there)))
            raise CoreError(f"core {core} is not online; there are {known}")
        if core in cores[:index]:
            raise CoreError(f"core {core} is named twice")
    return tuple(cores)


class PinnedThread:
    """Runs one call of a nogil kernel on a thread of its own, tied to a core.

    kernel, args: the compiled function and its arguments. Compile it first: compiling on the pinned
    thread would take the ports' time.
    core: where to run; None leaves the thread to the scheduler.
    ports: their thread_init is called on the thread before the kernel.
    """

    def __init__(
        self,
        kernel: Callable[..., Any],
        args: Sequence[Any] = (),
        *,
        core: int | None = None,
        ports: Sequence[Port] = (),
        name: str = "loop",
    ) -> None:
        if core is not None:
            check_cores((core,))
        self.core = core
        self._kernel = kernel
        self._args = tuple(args)
        self._ports = tuple(ports)
        self._result: Any = None
        self._failure: BaseException | None = None
        # Thread.join, interrupted by a signal's exception, takes a running thread for ended (Python
        # up to 3.12), and a port closed on its word would go away under the kernel.
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    def _run(self) -> None:
        try:
            if self.core is not None:
                os.sched_setaffinity(0, {self.core})
            for port in self._ports:
                port.thread_init()
            self._result = self._kernel(*self._args)
        except BaseException as failure:  # join() raises it
            self._failure = failure
        finally:
            self._ended.set()

    def start(self) -> PinnedThread:
        """Starts the thread; returns this object."""
        self._thread.start()
        return self

    @property
    def running(self) -> bool:
        """Whether the kernel was started and has not returned yet."""
        return self._thread.ident is not None and not self._ended.is_set()

    def join(self, timeout_s: float | None = None) -> Any:
        """Waits for the kernel and gives its result; raises what it raised, or TimeoutError.

        May be interrupted (KeyboardInterrupt) and called again.
        """
        if self._thread.ident is None:
            raise RuntimeError(f"thread {self._thread.name} was not started")
        if not self._ended.wait(timeout_s):
            raise TimeoutError(f"thread {self._thread.name} still runs after {timeout_s} s")
        if self._failure is not None:
            raise self._failure
        return self._result
