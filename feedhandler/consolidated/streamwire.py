"""The stream in messages, for other machines: a header and the 64-byte records of streamformat.

    offset  bytes  field (little-endian)
         0      1  what it is: "B" a batch of the stream, "D" the directory; the topic of PUB/SUB
         1      3  "SWP"
         4      2  version, 1
         6      2  number of records
         8      8  stream: differs from one start of the publisher to the next
        16      8  number of the message in the stream, from 0
        24      8  reserved, 0
        32         the records, 64 bytes each

The directory (symbol and venue records) comes again and again, so that who joins late learns the
names. Records of batches are numbered; a jump in their sequence is what was lost on the way.
"""

from __future__ import annotations

import struct
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from feedhandler.consolidated.market import MarketViews
from feedhandler.consolidated.streamformat import STREAM_DTYPE, SYMBOL, VENUE

_HEADER: Final = struct.Struct("<c3sHHQQQ")
HEADER_BYTES: Final = _HEADER.size
MAGIC: Final = b"SWP"
VERSION: Final = 1
BATCH: Final = b"B"
DIRECTORY: Final = b"D"
MOST_RECORDS: Final = 1000  # of one message: 64 KB
assert HEADER_BYTES == 32


class Message(NamedTuple):
    """One message: BATCH or DIRECTORY, whose stream, its number, STREAM_DTYPE records."""

    topic: bytes
    stream: int
    number: int
    records: NDArray[np.void]


def pack(message: Message) -> bytes:
    """The bytes of a message. Raises ValueError for more than 1000 records."""
    count = len(message.records)
    if count > MOST_RECORDS:
        raise ValueError(f"{count} records: expected at most {MOST_RECORDS}")
    head = (message.topic, MAGIC, VERSION, count, message.stream, message.number, 0)
    return _HEADER.pack(*head) + message.records.tobytes()


def unpack(data: bytes) -> Message:
    """A message from its bytes. Raises ValueError naming what is wrong and where."""
    if len(data) < HEADER_BYTES:
        raise ValueError(f"message of {len(data)} bytes: expected at least {HEADER_BYTES}")
    topic, magic, version, count, stream, number, _ = _HEADER.unpack_from(data)
    if magic != MAGIC or topic not in (BATCH, DIRECTORY):
        raise ValueError("offset 0: not a message of the stream")
    if version != VERSION:
        raise ValueError(f"offset 4: version {version}, expected {VERSION}")
    wanted = HEADER_BYTES + count * STREAM_DTYPE.itemsize
    if len(data) != wanted:
        raise ValueError(f"offset 6: {count} records make {wanted} bytes, found {len(data)}")
    records = np.frombuffer(data, STREAM_DTYPE, count, HEADER_BYTES)
    return Message(topic, stream, number, records)


def directory(market: MarketViews) -> NDArray[np.void]:
    """Symbol and venue records of everything that has a name in a market."""
    named = np.flatnonzero(market.instruments["name"] != b"")
    venues = market.venue_names
    made = np.zeros(len(named) + len(venues), STREAM_DTYPE)
    symbols, rows = made[: len(named)], market.instruments[named]
    symbols["kind"], symbols["instrument"] = SYMBOL, named
    symbols["words"][:, :2] = np.ascontiguousarray(rows["name"]).view("<i8").reshape(-1, 2)
    for word, name in enumerate(("lot", "lower_band", "upper_band"), 2):
        symbols["words"][:, word] = rows[name]
    for number, (row, name) in enumerate(zip(made[len(named) :], venues, strict=True)):
        row["kind"], row["venue"] = VENUE, number
        row["words"][:2] = np.frombuffer(name.encode().ljust(16, b"\0"), "<i8")
    return made


def name_in(record: np.void) -> str:
    """The name in a symbol or venue record."""
    return bytes(record["words"][:2]).rstrip(b"\0").decode("latin-1")
