"""An image of a book: what a snapshot service answers, whatever the venue, ready for the loop."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Image:
    """The open orders (or levels) of one unit, or of one instrument, as of a sequence.

    Attributes:
        unit: of the stream, as in the packet header; 0 where there is none.
        sequence: the image has everything up to this message of the live stream, in the stream's
            own 64-bit count; the live stream goes on behind it.
        datagrams: of the feed's own transport, in order. Their messages make up the image; the
            sequences in their headers mean nothing.
        session: of the live stream, folded to an integer as the loop folds it; 0: not stated.
        key: the venue's key of the only instrument in it; None: the whole unit.
    """

    unit: int
    sequence: int
    datagrams: tuple[bytes, ...]
    session: int = 0
    key: int | None = None
