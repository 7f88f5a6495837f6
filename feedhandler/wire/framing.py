"""How messages stand one behind the other in a packet or stream, and the plain walk over them.

All the formats of this house put a length in front of every message; they differ in where it stands
and what it counts. One description serves the plain walk of the tools and the compiled one in
`wire.walk`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from feedhandler.wire.record import Buffer


@dataclass(frozen=True, slots=True)
class Framing:
    """The length field in front of each message.

    Attributes:
        offset: of the length field from the start of the message, bytes.
        width: of the length field, bytes.
        big: byte order of the length field.
        plus: what is added to the length to get to the next message.
        body: where the message's table starts, from the start of the frame, bytes.
        marker: bytes that every message starts with; others are an impossible length.
    """

    offset: int
    width: int
    big: bool
    plus: int
    body: int
    marker: bytes = b""

    @property
    def order(self) -> Literal["big", "little"]:
        """Byte order of the length field, as `int.from_bytes` takes it."""
        return "big" if self.big else "little"

    @property
    def least(self) -> int:
        """Bytes needed to read the length."""
        return self.offset + self.width

    def step(self, data: Buffer, start: int) -> int:
        """Bytes from this message to the next, as stated on the wire."""
        at = start + self.offset
        return self.plus + int.from_bytes(data[at : at + self.width], self.order)

    def split(self, data: Buffer, start: int, end: int) -> Iterator[tuple[int, int]]:
        """(start, end) of each message's table; stops at the first impossible length.

        What remains when it stops is the caller's to judge: it compares with the stated count.
        """
        smallest, marker = max(self.body, self.least), self.marker
        while end - start >= self.least:
            step = self.step(data, start)
            if step < smallest or start + step > end:
                return
            if marker and data[start : start + len(marker)] != marker:
                return
            yield start + self.body, start + step
            start += step

    def impossible(self, data: Buffer, start: int, end: int) -> bool:
        """Whether no bytes that may still come can make a message of those at `start`."""
        if end - start < self.least:
            return False
        wrong = data[start : start + len(self.marker)] != self.marker
        return wrong or self.step(data, start) < max(self.body, self.least)

    def wrap(self, message: bytes) -> bytes:
        """A message with its length in front where the length is not part of the message."""
        if self.body == 0:
            return message
        length = len(message) + self.body - self.plus
        return length.to_bytes(self.width, self.order) + message


COUNTED_U16_BE = Framing(0, 2, True, 2, 2)  # MoldUDP64, MEMOIR
COUNTED_U16_LE = Framing(0, 2, False, 2, 2)  # IEX-TP
INSIDE_U8 = Framing(0, 1, False, 0, 0)  # Cboe: the message starts with its own length
INSIDE_U16_LE = Framing(0, 2, False, 0, 0)  # NYSE, CME
INSIDE_U16_BE = Framing(0, 2, True, 0, 0)  # SIAC
