"""What every client of a snapshot service looks like to who drives it, whatever the venue."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from feedhandler.lines.image import Image


class SnapshotClient(Protocol):
    """A state machine without sockets: bytes in, bytes out, time as an argument.

    Whoever owns the connection calls `start` when it stands, sends what the calls return, and
    drops it when `image` or `failed` is set. `start` again, on a new connection, begins anew.

    Attributes:
        image: what was asked for, whole; None before. Where images are of instruments and several
            were asked for, the last one.
        images: all that is whole so far, by the image's key.
        failed: why there will be no image from this connection; None while there may be. It names
            no password.
    """

    image: Image | None
    failed: str | None

    @property
    def images(self) -> Mapping[int | None, Image]:
        """See above."""

    def start(self, now_ns: int) -> list[bytes]:
        """The first packets to send."""

    def on_bytes(self, data: bytes, now_ns: int) -> list[bytes]:
        """Takes what was received, TCP bytes in any pieces or one datagram; what to send back."""

    def tick(self, now_ns: int) -> list[bytes]:
        """Heartbeats and repeated requests to send; times out. To be called about each 100 ms."""

    def closed(self, now_ns: int) -> None:
        """The other side closed the connection."""
