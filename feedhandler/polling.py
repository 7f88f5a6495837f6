"""A thread of the control side that does a small thing again and again."""

from __future__ import annotations

import threading
from typing import Any


class Poller:
    """Calls `poll` every `period_s` seconds, between `start` and `close`."""

    def __init__(self, name: str, period_s: float) -> None:
        if period_s <= 0:
            raise ValueError(f"{name}: period {period_s} s: expected more than 0")
        self._name, self._period_s = name, period_s
        self._stopped = threading.Event()
        self._thread: threading.Thread | None = None
        self._failure: BaseException | None = None

    def poll(self) -> Any:
        """The small thing; also for who has a loop of his own. One thread at a time."""
        raise NotImplementedError

    def start(self) -> None:
        """Starts the thread."""
        self._stopped.clear()
        self._thread = threading.Thread(target=self._run, name=self._name, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        try:
            while not self._stopped.wait(self._period_s):
                self.poll()
        except BaseException as failure:  # close() raises it
            self._failure = failure

    def close(self) -> None:
        """Ends the thread; raises what ended it before."""
        self._stopped.set()
        if self._thread is not None:
            self._thread.join()
            self._thread = None
        if self._failure is not None:
            failure, self._failure = self._failure, None
            raise failure

    def __exit__(self, *_exception: object) -> None:
        self.close()
