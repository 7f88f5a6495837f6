"""Synthetic streams of any feed from its own encoder: packets of random messages in a real mix."""

from __future__ import annotations

import random
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from feedhandler.actions import (
    ACCEPTED,
    ADD,
    CANCELED,
    DELETE,
    EXECUTE,
    EXECUTE_PRICE,
    EXECUTED,
    LEVEL,
    MODIFY,
    REDUCE,
    REPLACE,
    REPLACED,
    TOP,
    TRADE,
)
from feedhandler.feed import Feed, load_object
from feedhandler.transports.packets import enclose, write_packet
from feedhandler.wire.acts import Rows
from feedhandler.wire.field import Field, Kind, Role
from feedhandler.wire.record import Record, Value

# Shares of a day's messages, near those of a busy US equities session; what is not listed is rare.
MIX = {
    ADD: 470,
    DELETE: 370,
    EXECUTE: 50,
    EXECUTE_PRICE: 3,
    REPLACE: 46,
    MODIFY: 46,
    REDUCE: 15,
    TRADE: 6,
    LEVEL: 500,
    TOP: 500,
    ACCEPTED: 450,
    EXECUTED: 100,
    CANCELED: 400,
    REPLACED: 50,
}


KEYS = 60_000  # symbol numbers stay below the size of the tables


@dataclass(frozen=True)
class Stream:
    """Packets one behind the other.

    Attributes:
        data: uint8, all datagrams.
        places: uint64 [packet][2]: offset and length of each datagram in `data`.
        messages: how many messages they carry.
    """

    data: NDArray[np.uint8]
    places: NDArray[np.uint64]
    messages: int


def random_value(field: Field, chance: random.Random) -> Value | None:
    """A plausible value of a field; None leaves it blank."""
    if field.role is not Role.BODY or field.fixed is not None:
        return None
    if field.values:
        return chance.choice(list(field.values))
    if field.kind in (Kind.PRICE, Kind.SIGNED_PRICE):
        return chance.randrange(1, min(field.high, 10**7))
    if field.is_integer:
        most = KEYS if field.name.endswith(("_index", "_id")) and field.width <= 4 else 10**9
        return chance.randrange(0, min(field.high, most))
    if field.kind is Kind.ALPHA and field.name.endswith(("token", "cl_ord_id")):
        return str(chance.randrange(10**9, 10**14)).zfill(min(14, field.width))
    if field.kind is Kind.ALPHA and field.width > 1:
        return "".join(chance.choice("ABCDEFGHIJ") for _ in range(min(4, field.width)))
    return None


def random_message(feed: Feed, record: Record, chance: random.Random) -> bytes:
    """The bytes of a message with random fields, in its outer message where the feed has one."""
    derived = {name for tail in record.tails for name in tail.derive({})}
    chosen = [field for field in record.fields if field.name not in derived]
    values = {field.name: random_value(field, chance) for field in chosen}
    raw = record.encode({name: value for name, value in values.items() if value is not None})
    for code, inner in feed.inner.items():
        if record in inner.records:
            return enclose(feed.protocol[code], raw)
    return raw


def weights(feed: Feed) -> dict[Record, int]:
    """The messages of the mix that a feed has, with their share; none for a recovery service.

    A second message of a kind (an add with attribution, say) has a twentieth of the first one's.
    """
    rows: Rows = load_object(feed.rows)
    made: dict[Record, int] = {}
    kinds: set[int] = set()
    for code, chain in rows.acts.items():
        kind = chain[0].kind
        if kind in MIX:
            rare = kind in kinds and kind not in (LEVEL, TOP)
            made[rows.protocol[code]] = max(1, MIX[kind] // 20) if rare else MIX[kind]
            kinds.add(kind)
    return made


def make_stream(feed: Feed, message_count: int, per_packet: int, seed: int = 1) -> Stream:
    """A stream of about `message_count` messages: random packets, repeated until there are enough.

    The repeated piece has 200,000 messages, more than any branch predictor remembers.
    """
    chance = random.Random(seed)
    shares = weights(feed)
    piece = min(message_count, 200_000)
    records = chance.choices(list(shares), list(shares.values()), k=piece)
    packets, sequence = [], 1
    for start in range(0, piece, per_packet):
        chosen = [
            random_message(feed, record, chance) for record in records[start : start + per_packet]
        ]
        header = dict(feed.header)
        if feed.transport.sequence:
            header[feed.transport.sequence] = sequence
        packets.append(write_packet(feed.transport, chosen, header))
        sequence += len(chosen)
    return repeat(packets, piece, -(-message_count // piece))


def repeat(packets: list[bytes], messages: int, times: int) -> Stream:
    """The packets, all of them several times over."""
    lengths = np.array([len(packet) for packet in packets], np.uint64)
    data = np.tile(np.frombuffer(b"".join(packets), np.uint8), times)
    lengths = np.tile(lengths, times)
    offsets = np.concatenate([np.zeros(1, np.uint64), np.cumsum(lengths)[:-1]])
    return Stream(data, np.stack([offsets, lengths], axis=1).astype(np.uint64), messages * times)
