"""What stands at our end of a connection, without the socket."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol


class Outlet(Protocol):
    """Where a peer's bytes go."""

    @property
    def peer(self) -> str:
        """The other side's address, for messages."""
        ...

    def send(self, data: bytes) -> None:
        """Sends bytes, at once or when the other side has read; nothing once it is closed."""

    def close(self) -> None:
        """Closes the connection when what waits has been sent."""


class Peer(Protocol):
    """A service's end of one TCP connection. It answers through the outlet that it was made with.

    Times are ns since the epoch of the venue's clock.
    """

    def on_bytes(self, data: bytes, now_ns: int) -> None:
        """Takes bytes, in any pieces."""

    def on_tick(self, now_ns: int) -> None:
        """Time has passed: heartbeats, silences."""

    def on_close(self, now_ns: int) -> None:
        """The connection is gone, whoever ended it; called once."""


PeerMaker = Callable[[Outlet, int], Peer]
"""Makes the peer of a new connection, from its outlet and the time."""

DatagramTaker = Callable[[bytes, tuple[str, int], int], None]
"""Takes a datagram: its bytes, who sent it, the time."""
