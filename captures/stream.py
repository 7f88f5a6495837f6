"""Captures that come through a pipe: a window that slides, and grows where a record asks for it."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np

from captures.errors import CaptureError
from captures.image import Bytes

READ_BYTES = 1 << 20


class StreamImage:
    """The unread end of a stream.

    `read(n)` returns up to n bytes, as soon as there are any, and b"" at the end. Each window is a
    fresh array, so that frames of earlier ones stay readable; memory is bounded by what is held
    plus one window of READ_BYTES or of the largest record (32 MiB).
    """

    def __init__(
        self, read: Callable[[int], bytes], close_stream: Callable[[], None] | None = None
    ) -> None:
        self._read = read
        self._close_stream = close_stream
        self.data: Bytes = np.empty(0, dtype=np.uint8)
        self.origin = 0
        self.final = False
        self.damage: CaptureError | None = None

    def advance(self, position_bytes: int) -> None:
        """Drops what lies before `position_bytes` and waits for at least one more byte."""
        kept = self.data[position_bytes - self.origin :]
        try:
            more = self._read(READ_BYTES)
        except CaptureError as error:  # of a compressed stream: what was expanded so far is good
            self.damage = error
            more = b""
        self.final = not more
        window = np.frombuffer(more, dtype=np.uint8)
        if len(kept):
            window = np.concatenate((kept, window))
            window.setflags(write=False)
        self.data = window
        self.origin = position_bytes

    def close(self) -> None:
        """Forgets the window, and closes the stream where this image was given the means to."""
        self.data = np.empty(0, dtype=np.uint8)
        if self._close_stream is not None:
            self._close_stream()


def reader_of(pieces: Iterator[bytes]) -> Callable[[int], bytes]:
    """A `read` for StreamImage over an iterator of non-empty byte strings."""

    def read(_size_bytes: int) -> bytes:
        return next(pieces, b"")

    return read
