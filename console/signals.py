"""Ctrl-C and a kind kill, kept until there is time for them."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from signal import SIGINT, SIGTERM


@contextmanager
def signals_kept(then: Callable[[], None] = lambda: None) -> Iterator[list[int]]:
    """Yields the signals that have come; `then` is called in the handler of each.

    A handler that raised would do so in the middle of anything: inside Thread.join, which then
    takes the thread for ended, or inside LLVM's callbacks, where it is printed and lost. Outside
    the main thread nothing is kept.
    """
    came: list[int] = []

    def handle(number: int, _frame: object) -> None:
        came.append(number)
        then()

    if threading.current_thread() is not threading.main_thread():
        yield came
        return
    before = [(number, signal.signal(number, handle)) for number in (SIGINT, SIGTERM)]
    try:
        yield came
    finally:
        for number, handler in before:
            signal.signal(number, handler)
