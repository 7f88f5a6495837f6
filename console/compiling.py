"""Compiling kernels before anything is opened, with a display of what and how long."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple

from rich.console import Console
from rich.live import Live
from rich.spinner import Spinner

from console.signals import signals_kept
from nic import kernelcache


class Kernel(NamedTuple):
    """A kernel to compile: a label, the dispatcher and its argument types."""

    label: str
    dispatcher: Any
    signature: tuple[Any, ...]


class Compiled(NamedTuple):
    """What was done for one kernel; `compiled_count` 0: it came from the cache."""

    label: str
    seconds: float
    compiled_count: int


class _Progress:
    def __init__(self, live: Live | None, interrupts: list[int]) -> None:
        self.interrupts = interrupts
        self.live, self.started_s, self.count = live, time.perf_counter(), 0
        self.label, self.told = "", False
        self.spinner = Spinner("dots")

    def __call__(self, name: str, seconds: float | None) -> None:
        """Takes the compiler's news: a kernel begins (None) or has ended."""
        if self.interrupts:
            raise KeyboardInterrupt
        if seconds is not None:
            self.count += 1
            return
        if self.live is not None:
            past_s = time.perf_counter() - self.started_s
            self.spinner.update(text=f"compiling {self.label}: {past_s:4.0f} s, {name}")
            self.live.update(self.spinner)
        elif not self.told:
            self.told = True
            place = kernelcache.folder()
            sys.stderr.write(f"compiling {self.label}; done once, kept in {place}\n")


def compile_all(kernels: Sequence[Kernel]) -> list[Compiled]:
    """Compiles or loads each kernel; shows on stderr what takes time."""
    console = Console(stderr=True, highlight=False)
    made = []
    live = Live(console=console, transient=True, refresh_per_second=8)
    shown = live if console.is_terminal else None
    if shown is not None:
        shown.start()
    try:
        with _interrupts_kept() as interrupts:
            for kernel in kernels:
                made.append(_compile(kernel, _Progress(shown, interrupts)))
    finally:
        if shown is not None:
            shown.stop()
    for done in made:
        if done.compiled_count:
            seconds, number = f"{done.seconds:.1f} s", done.compiled_count
            sys.stderr.write(f"compiled {done.label}: {number} kernels in {seconds}\n")
    return made


@contextmanager
def _interrupts_kept() -> Iterator[list[int]]:
    """Ctrl-C and a kind kill end compiling; yields the signals that came.

    They are looked at whenever a kernel begins or ends.
    """
    with signals_kept() as came:
        yield came
    if came:
        raise KeyboardInterrupt


def _compile(kernel: Kernel, progress: _Progress) -> Compiled:
    progress.label = kernel.label
    with kernelcache.compiling(progress):
        kernel.dispatcher.compile(kernel.signature)
    seconds = time.perf_counter() - progress.started_s
    return Compiled(kernel.label, seconds, progress.count)
