"""Connects to a venue on a thread of its own: a connect may wait, and who asked may not."""

from __future__ import annotations

import threading
from collections.abc import Callable

from nic.port import Port, open_port


class Dial:
    """A connection that is being made.

    Attributes:
        port: the port, once it stands.
        failed: why it could not be made; empty: it could, or nobody knows yet.
    """

    def __init__(self, uri: str, connect: Callable[[str], Port] = open_port) -> None:
        self.port: Port | None = None
        self.failed = ""
        self._uri, self._connect = uri, connect
        self._lock, self._unwanted = threading.Lock(), False
        self._thread = threading.Thread(target=self._run, name=f"dial {uri}", daemon=True)
        self._thread.start()

    def _run(self) -> None:
        try:
            port = self._connect(self._uri)
        except (OSError, ValueError) as error:
            self.failed = str(error)
            return
        with self._lock:
            if not self._unwanted:
                self.port = port
                return
        port.close()

    @property
    def over(self) -> bool:
        """Whether the port stands, or never will."""
        return self.port is not None or bool(self.failed)

    def drop(self) -> None:
        """Nobody wants the port any more."""
        with self._lock:
            self._unwanted = True
            port, self.port = self.port, None
        if port is not None:
            port.close()
