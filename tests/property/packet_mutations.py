"""Damage to packets: what a broken sender, a cut capture or an attacker could put on the wire."""

from __future__ import annotations

from random import Random

from feedhandler.feed import Feed
from feedhandler.transports.transport import plain_sum, read_packet

MOST_BYTES = 4096
SEALED = 0.8  # share of damaged packets whose checksum, if they have one, is right
NUMBERS = (0, 1, 2, 3, 7, 8, 9, 127, 128, 254, 255, 256, 0x7FFF, 0xFFFE, 0xFFFF, 0x7FFFFFFF)


def flip(rng: Random, data: bytearray, feed: Feed, other: bytes) -> None:
    """Some bits turned."""
    for _ in range(rng.randint(1, 8) if data else 0):
        data[rng.randrange(len(data))] ^= 1 << rng.randrange(8)


def cut(rng: Random, data: bytearray, feed: Feed, other: bytes) -> None:
    """The end is missing."""
    del data[rng.randint(0, len(data)) :]


def number_at(rng: Random, data: bytearray, at: int, width: int, big: bool) -> None:
    """An integer that means something elsewhere is put at an offset."""
    near = [len(data) + step for step in (-2, -1, 0, 1)]
    value = rng.choice([*NUMBERS, *near, rng.getrandbits(8 * width)]) % (1 << 8 * width)
    raw = max(value, 0).to_bytes(width, "big" if big else "little")
    data[at : at + width] = raw[: max(0, len(data) - at)]


def header(rng: Random, data: bytearray, feed: Feed, other: bytes) -> None:
    """A field of the packet header, as its count or length, says something else."""
    if feed.transport.header is not None:
        field = rng.choice([f for f in feed.transport.header.fields if f.width <= 8])
        number_at(rng, data, field.offset, field.width, field.big)


def frame(rng: Random, data: bytearray, feed: Feed, other: bytes) -> None:
    """The length or the code of one message says something else."""
    spans = read_packet(feed.transport, bytes(data)).spans
    if not spans:
        return
    framing, protocol = feed.transport.framing, feed.protocol
    start = rng.choice(spans)[0]
    if rng.random() < 0.6:
        at = start - framing.body + framing.offset
        number_at(rng, data, at, framing.width, framing.big)
    else:
        at, codes = start + protocol.code_offset, list(protocol.by_number)
        raw = rng.choice(codes).to_bytes(
            protocol.code_width, "big" if protocol.code_big else "little"
        )
        data[at : at + len(raw)] = raw[: max(0, len(data) - at)]


def resize(rng: Random, data: bytearray, feed: Feed, other: bytes) -> None:
    """One message is shorter or longer, its stated length tells the truth about it."""
    spans = read_packet(feed.transport, bytes(data)).spans
    if not spans:
        return
    framing = feed.transport.framing
    start, end = rng.choice(spans)
    change = rng.choice((-9, -3, -2, -1, 1, 2, 3, 8, 40))
    body = bytes(data[start:end])
    body = body[:change] if change < 0 else body + rng.randbytes(change)
    data[start:end] = body
    at, step = start - framing.body + framing.offset, framing.body + len(body) - framing.plus
    if 0 <= step < 1 << 8 * framing.width:
        data[at : at + framing.width] = step.to_bytes(framing.width, framing.order)
    if feed.transport.length is not None and feed.transport.header is not None:
        name, addend = feed.transport.length
        field = feed.transport.header.by_name[name]
        whole = max(0, len(data) - addend) % (1 << 8 * field.width)
        place = field.offset
        data[place : place + field.width] = whole.to_bytes(field.width, field.order)


def insert(rng: Random, data: bytearray, feed: Feed, other: bytes) -> None:
    """Bytes that do not belong there."""
    at = rng.randint(0, len(data))
    data[at:at] = rng.randbytes(rng.randint(1, 24))


def remove(rng: Random, data: bytearray, feed: Feed, other: bytes) -> None:
    """Bytes in the middle are gone."""
    at = rng.randint(0, len(data))
    del data[at : at + rng.randint(1, 24)]


def join(rng: Random, data: bytearray, feed: Feed, other: bytes) -> None:
    """Another packet, or a part of one, behind this one or in the midst of it."""
    at = rng.choice((len(data), rng.randint(0, len(data))))
    data[at:at] = other[: rng.choice((len(other), rng.randint(0, len(other))))]


def noise(rng: Random, data: bytearray, feed: Feed, other: bytes) -> None:
    """A run of bytes replaced by random ones."""
    at = rng.randint(0, len(data))
    count = min(rng.randint(1, 40), len(data) - at)
    data[at : at + count] = rng.randbytes(count)


KINDS = (flip, flip, cut, header, frame, frame, resize, insert, remove, join, noise)


def seal(data: bytearray, feed: Feed) -> None:
    """Makes the checksum right again, so that what lies behind it is read."""
    transport = feed.transport
    table = transport.header
    if table is None or not transport.checksum or transport.length is None:
        return
    field, length = table.by_name[transport.checksum], table.by_name[transport.length[0]]
    raw = bytes(data[length.offset : length.offset + length.width])
    end = min(len(data), int.from_bytes(raw, length.order) + transport.length[1])
    if end >= table.size:
        total = plain_sum(table, field.name, bytes(data), 0, end)
        place = field.offset
        data[place : place + field.width] = total.to_bytes(field.width, field.order)


def mutated(rng: Random, packets: list[bytes], feed: Feed) -> bytes:
    """A valid packet with one to three kinds of damage."""
    data = bytearray(rng.choice(packets))
    for _ in range(rng.choice((1, 1, 1, 2, 3))):
        rng.choice(KINDS)(rng, data, feed, rng.choice(packets))
    if rng.random() < SEALED:
        seal(data, feed)
    return bytes(data[:MOST_BYTES])
