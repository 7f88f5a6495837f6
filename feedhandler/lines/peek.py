"""What a packet says in its header, without a look at its messages: made from the transport."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit

from feedhandler.transports.kinds import (
    BAD,
    END_OF_SESSION,
    HEARTBEAT,
    MESSAGES,
    RETRANSMISSION,
    UNSEQUENCED,
)
from feedhandler.transports.transport import Transport
from feedhandler.wire.access import KEY_BYTES, load_field, load_fold
from feedhandler.wire.checksum import checker
from feedhandler.wire.constants import constant_i32, constant_table
from feedhandler.wire.field import Field
from feedhandler.wire.record import Record

BILLION = 1_000_000_000
BYTE_VALUES = 256
WORD_BYTES = 4  # a sequence of this width starts again at 0 behind its highest number


def header_field(header: Record, name: str) -> Field:
    """A field of a packet header, also one that only some packets have."""
    if name in header.by_name:
        return header.by_name[name]
    for tail in header.tails:
        inner = getattr(tail, "record", None)
        if inner is not None and name in inner.by_name:
            found: Field = inner.by_name[name].at(header.size)
            return found
    raise ValueError(f"packet header: no field {name!r}")


def number_of(header: Record, name: str) -> Any:
    """A kernel that reads a field as an integer, longer text folded; 0 where there is none."""
    if not name:

        @njit(nogil=True, forceinline=True)
        def nothing(address: Any) -> Any:
            return np.int64(0)

        return nothing
    field = header_field(header, name)
    return load_fold(header, name) if field.width > KEY_BYTES else load_field(field)


def sent_of(header: Record, names: tuple[str, ...]) -> Any:
    """A kernel that reads the send time, epoch ns; 0 where there is none."""
    if len(names) < 2:
        return number_of(header, names[0] if names else "")
    seconds, part = number_of(header, names[0]), number_of(header, names[1])

    @njit(nogil=True, forceinline=True)
    def sent(address: Any) -> Any:
        return seconds(address) * BILLION + part(address)

    return sent


def kind_of(transport: Transport, header: Record) -> Any:
    """A kernel that reads a packet's kind from the field that signals it."""
    if transport.signals is None:

        @njit(nogil=True, forceinline=True)
        def always(address: Any) -> Any:
            return np.int64(MESSAGES)

        return always
    name, given = transport.signals
    field = header_field(header, name)
    load = load_field(field)
    kinds = np.full(BYTE_VALUES, MESSAGES, np.int32)
    for value, signalled in given.items():
        if value < BYTE_VALUES:
            kinds[value] = signalled
    kinds_at = constant_table(kinds)
    highest = (1 << 8 * field.width) - 1
    at_highest = given.get(highest, MESSAGES)

    @njit(nogil=True, forceinline=True)
    def kind(address: Any) -> Any:
        value = load(address)
        if value < BYTE_VALUES:
            return constant_i32(kinds_at() + 4 * value)
        return np.int64(at_highest if value == highest else MESSAGES)

    return kind


def fixed_of(header: Record) -> Any:
    """A kernel that tells whether the header's fixed fields hold what they have to."""
    fixed = [f for f in header.fields if isinstance(f.fixed, int)]
    if not fixed:

        @njit(nogil=True, forceinline=True)
        def always(address: Any) -> Any:
            return True

        return always
    if len(fixed) > 1:
        raise ValueError("packet header: more than one fixed field")
    load, value = load_field(fixed[0]), int(fixed[0].fixed)  # type: ignore[arg-type]

    @njit(nogil=True, forceinline=True)
    def right(address: Any) -> Any:
        return load(address) == value

    return right


def room_of(transport: Transport, header: Record) -> Any:
    """A kernel `(address, length) -> whether the packet's stated length fits the datagram`."""
    if transport.length is None:

        @njit(nogil=True, forceinline=True)
        def always(address: Any, length: Any) -> Any:
            return True

        return always
    name, addend = transport.length
    load, size = load_field(header.by_name[name]), header.size

    @njit(nogil=True, forceinline=True)
    def fits(address: Any, length: Any) -> Any:
        stated = load(address) + addend
        return size <= stated <= length

    return fits


def count_of(transport: Transport, header: Record) -> tuple[Any, int]:
    """A kernel that reads how many numbers a packet takes, and the bytes that it needs for it."""
    if transport.by_packet:

        @njit(nogil=True, forceinline=True)
        def one(address: Any) -> Any:
            return np.int64(1)

        return one, header.size
    field = header_field(header, transport.count)
    return load_field(field), field.offset + field.width


def whole_of(transport: Transport, header: Record) -> Any:
    """A kernel `(address, length) -> whether the packet fits and is what its checksum says`."""
    fits = room_of(transport, header)
    if not transport.checksum:
        return fits
    assert transport.length is not None
    name, addend = transport.length
    load, sound = load_field(header.by_name[name]), checker(header, transport.checksum)

    @njit(nogil=True, forceinline=True)
    def whole(address: Any, length: Any) -> Any:
        return fits(address, length) and sound(address, load(address) + addend)

    return whole


def peeker(transport: Transport) -> Any:
    """The compiled look at a packet of a transport.

    Returns:
        A kernel `(address, length) -> (kind, session, unit, sequence, count, sent_ns)`, all int64:
        the kind of `transports.kinds`, the session folded to an integer, the sequence of the first
        message (the next one's where there is none), the number of messages and the send time. All
        are 0 but the kind when the header is not usable.
    """
    header = transport.header
    counted = transport.by_packet or transport.count
    if header is None or not transport.sequence or not counted:
        raise ValueError(f"{transport.name}: its packets have no sequence to arbitrate by")
    load_sequence = load_field(header.by_name[transport.sequence])
    wide = header.by_name[transport.sequence].width > WORD_BYTES
    zero_is_none = wide or transport.unsequenced == 0
    load_count, whole = count_of(transport, header)
    size = header.size
    session, unit = number_of(header, transport.session), number_of(header, transport.unit)
    sent, kind_at = sent_of(header, transport.sent), kind_of(transport, header)
    right, fits = fixed_of(header), whole_of(transport, header)

    @njit(nogil=True, forceinline=True)
    def peek(address: Any, length: Any) -> Any:
        none = np.int64(0)
        if length < size or not right(address) or not fits(address, length):
            return np.int64(BAD), none, none, none, none, none
        kind, count = kind_at(address), none
        if kind != HEARTBEAT and kind != END_OF_SESSION:
            if length < whole:
                return np.int64(BAD), none, none, none, none, none
            count = load_count(address)
            if count == 0 and (kind == MESSAGES or kind == RETRANSMISSION):
                kind = np.int64(HEARTBEAT)
        sequence = load_sequence(address)
        if zero_is_none and sequence == 0 and kind <= END_OF_SESSION:
            kind = np.int64(UNSEQUENCED)
        return kind, session(address), unit(address), sequence, count, sent(address)

    return peek
