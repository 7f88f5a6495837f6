"""Frames around payloads: Ethernet, IPv4 and UDP with their checksums, padded as on the wire.

A template of 42 bytes has the line's addresses; the checksum of its IP header counts with lengths
and identification 0, so that a frame adds the two words it changes.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from captures.records import LINK_ETHERNET
from captures.records import PACKET_DTYPE as RECORD_DTYPE
from nic.raw import (
    load_i64le,
    load_n8,
    load_n32le,
    store_u8,
    store_u16be,
    store_u16le,
    store_u32le,
    store_u64le,
)
from simulator.publishing.layout import PACKET_DTYPE, offsets

PACKET_BYTES, RECORD_BYTES = PACKET_DTYPE.itemsize, RECORD_DTYPE.itemsize
P_OFFSET, P_LENGTH = offsets(PACKET_DTYPE, "offset", "length")
R_TIME, R_CAPLEN, R_WIRE, R_LINK, R_FLAGS = offsets(
    RECORD_DTYPE, "timestamp_ns", "caplen_bytes", "wire_bytes", "link_type", "flags"
)
HEADERS_BYTES = 42
IP_LENGTH_AT, IP_ID_AT, IP_CHECKSUM_AT = 16, 18, 24
UDP_LENGTH_AT, UDP_CHECKSUM_AT = 38, 40
IP_BYTES, UDP_BYTES = 20, 8
LEAST_FRAME_BYTES = 60  # without the frame check sequence
LOW_HALF = 0xFFFFFFFF


@njit(nogil=True, forceinline=True)
def folded(total):
    """A sum of 16-bit words with its carries added in."""
    total = (total & LOW_HALF) + ((total >> 32) & LOW_HALF)
    total = (total & 0xFFFF) + (total >> 16)
    total = (total & 0xFFFF) + (total >> 16)
    return (total & 0xFFFF) + (total >> 16)


@njit(nogil=True, forceinline=True)
def swapped(value):
    """The two bytes of a word the other way round."""
    return ((value & 0xFF) << 8) | (value >> 8)


@njit(nogil=True)
def copy_and_sum(out, source, length):
    """Copies a payload; gives the sum of its 16-bit words, the first byte of each lowest."""
    total, whole = 0, length & ~7
    for at in range(0, whole, 8):
        part = load_i64le(source + at)
        store_u64le(out + at, part)
        total += (part & LOW_HALF) + ((part >> 32) & LOW_HALF)
    for at in range(whole, length):
        byte = load_n8(source + at)
        store_u8(out + at, byte)
        total += byte << (8 * (at & 1))
    return total


@njit(nogil=True)
def write_frame(out, template, ip_sum, udp_sum, identification, payload, length):
    """One frame; gives its length without padding.

    Args:
        out: where to.
        template: address of the headers.
        ip_sum, udp_sum: of the words that are the same in every frame, first byte lowest.
        identification: of the IP packet.
        payload, length: the UDP payload.
    """
    for at in range(0, HEADERS_BYTES + 6, 8):
        store_u64le(out + at, load_i64le(template + at))
    body = copy_and_sum(out + HEADERS_BYTES, payload, length)
    ip_bytes, udp_bytes = IP_BYTES + UDP_BYTES + length, UDP_BYTES + length
    store_u16be(out + IP_LENGTH_AT, ip_bytes)
    store_u16be(out + IP_ID_AT, identification)
    header = folded(ip_sum + swapped(ip_bytes) + swapped(identification))
    store_u16le(out + IP_CHECKSUM_AT, header ^ 0xFFFF)
    store_u16be(out + UDP_LENGTH_AT, udp_bytes)
    checksum = folded(udp_sum + 2 * swapped(udp_bytes) + body) ^ 0xFFFF
    store_u16le(out + UDP_CHECKSUM_AT, checksum if checksum != 0 else 0xFFFF)
    return HEADERS_BYTES + length


@njit(nogil=True, cache=True)
def write_frames(rows, count, data, template, sums, first, out, records):
    """Frames of PACKET_DTYPE rows at `rows`, one behind the other at `out`; gives their bytes.

    Args:
        rows, count: the packets.
        data: address of their payloads.
        template: address of the headers.
        sums: address of the two sums that `write_frame` starts from.
        first: identification of the first frame.
        out: where the frames go.
        records: where their captures.PACKET_DTYPE rows go; offsets count from `out`.
    """
    used, out, data = np.int64(0), np.int64(out), np.int64(data)
    template, ip_sum, udp_sum = np.int64(template), load_i64le(sums), load_i64le(sums + 8)
    for number in range(count):
        row, record = (
            np.int64(rows) + PACKET_BYTES * number,
            np.int64(records) + RECORD_BYTES * number,
        )
        payload, length = data + load_i64le(row + P_OFFSET), load_n32le(row + P_LENGTH)
        place, identification = out + used, (first + number) & 0xFFFF
        size = write_frame(place, template, ip_sum, udp_sum, identification, payload, length)
        while size < LEAST_FRAME_BYTES:
            store_u8(place + size, 0)
            size += 1
        store_u64le(record, used)
        store_u64le(record + R_TIME, load_i64le(row))
        store_u32le(record + R_CAPLEN, size)
        store_u32le(record + R_WIRE, size)
        store_u32le(record + R_LINK, LINK_ETHERNET)  # and interface 0
        store_u32le(record + R_FLAGS, 0)
        used += size
    return used
