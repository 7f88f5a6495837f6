"""From a frame to its UDP datagram or TCP segment.

Knows Ethernet, Linux cooked capture v1 and v2 and raw IP, up to two VLAN tags, IPv4 with options.
Every read lies within the captured bytes; the payload ends where the IP and UDP lengths say, never
where the frame does (Ethernet pads, capture devices add trailers).

Sources: IEEE 802.3 and 802.1Q, RFC 791, RFC 768, RFC 9293, the tcpdump.org link-type pages.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from feedhandler.reasons import Reason
from nic.block import field_offset
from nic.raw import load_u8, load_u16be, load_u32be, store_u8, store_u16le, store_u32le, store_u64le

# Host byte order. `vlan` is the tag next to the IP header, `outer_vlan` the one before; 0 = none.
FRAME_DTYPE = np.dtype(
    [
        ("payload_address", "<u8"),
        ("payload_bytes", "<u4"),
        ("source_ip", "<u4"),
        ("destination_ip", "<u4"),
        ("source_port", "<u2"),
        ("destination_port", "<u2"),
        ("vlan", "<u2"),
        ("outer_vlan", "<u2"),
        ("tcp_sequence", "<u4"),
        ("tcp_acknowledgement", "<u4"),
        ("protocol", "u1"),
        ("tcp_flags", "u1"),
        ("unused", "u1", (26,)),
    ]
)
PAYLOAD_ADDRESS = field_offset(FRAME_DTYPE, "payload_address")
PAYLOAD_BYTES = field_offset(FRAME_DTYPE, "payload_bytes")
SOURCE_IP = field_offset(FRAME_DTYPE, "source_ip")
DESTINATION_IP = field_offset(FRAME_DTYPE, "destination_ip")
SOURCE_PORT = field_offset(FRAME_DTYPE, "source_port")
DESTINATION_PORT = field_offset(FRAME_DTYPE, "destination_port")
VLAN = field_offset(FRAME_DTYPE, "vlan")
OUTER_VLAN = field_offset(FRAME_DTYPE, "outer_vlan")
TCP_SEQUENCE = field_offset(FRAME_DTYPE, "tcp_sequence")
TCP_ACKNOWLEDGEMENT = field_offset(FRAME_DTYPE, "tcp_acknowledgement")
PROTOCOL = field_offset(FRAME_DTYPE, "protocol")
TCP_FLAGS = field_offset(FRAME_DTYPE, "tcp_flags")

OK = int(Reason.OK)
TCP = int(Reason.TCP)
TRUNCATED = int(Reason.TRUNCATED)
LINK_TYPE = int(Reason.LINK_TYPE)
VLAN_DEPTH = int(Reason.VLAN_DEPTH)
NOT_IP = int(Reason.NOT_IP)
IPV6 = int(Reason.IPV6)
IP_VERSION = int(Reason.IP_VERSION)
IP_HEADER_LENGTH = int(Reason.IP_HEADER_LENGTH)
IP_TOTAL_LENGTH = int(Reason.IP_TOTAL_LENGTH)
FRAGMENT = int(Reason.FRAGMENT)
OTHER_PROTOCOL = int(Reason.PROTOCOL)
UDP_LENGTH = int(Reason.UDP_LENGTH)
TCP_HEADER_LENGTH = int(Reason.TCP_HEADER_LENGTH)

LINK_ETHERNET = 1
LINK_DLT_RAW = 12  # the BSD number for raw IP, found in some files instead of 101
LINK_RAW = 101
LINK_SLL = 113
LINK_IPV4 = 228
LINK_SLL2 = 276

ETHERNET_BYTES = 14
SLL_BYTES = 16
SLL2_BYTES = 20
VLAN_TAG_BYTES = 4
VLAN_TAGS_MAX = 2
IP_HEADER_BYTES = 20
UDP_HEADER_BYTES = 8
TCP_HEADER_BYTES = 20

TYPE_IPV4 = 0x0800
TYPE_IPV6 = 0x86DD
TYPE_VLAN = 0x8100
TYPE_QINQ = 0x88A8
TYPE_QINQ_OLD = 0x9100
FRAGMENT_BITS = 0x3FFF  # more-fragments flag and offset; the don't-fragment flag is no matter
PROTOCOL_TCP = 6
PROTOCOL_UDP = 17


@njit(nogil=True)
def parse_udp(segment, length, record):
    """Reads a UDP header; `length` is what IP says lies at `segment`."""
    if length < UDP_HEADER_BYTES:
        return UDP_LENGTH
    udp_bytes = np.int64(load_u16be(segment + 4))
    if udp_bytes < UDP_HEADER_BYTES or udp_bytes > length:
        return UDP_LENGTH
    store_u16le(record + SOURCE_PORT, load_u16be(segment))
    store_u16le(record + DESTINATION_PORT, load_u16be(segment + 2))
    store_u64le(record + PAYLOAD_ADDRESS, segment + UDP_HEADER_BYTES)
    store_u32le(record + PAYLOAD_BYTES, udp_bytes - UDP_HEADER_BYTES)
    return OK


@njit(nogil=True)
def parse_tcp(segment, length, record):
    """Reads a TCP header; `length` is what IP says lies at `segment`."""
    if length < TCP_HEADER_BYTES:
        return TCP_HEADER_LENGTH
    header_bytes = np.int64(load_u8(segment + 12) >> np.uint64(4)) * 4
    if header_bytes < TCP_HEADER_BYTES or header_bytes > length:
        return TCP_HEADER_LENGTH
    store_u16le(record + SOURCE_PORT, load_u16be(segment))
    store_u16le(record + DESTINATION_PORT, load_u16be(segment + 2))
    store_u32le(record + TCP_SEQUENCE, load_u32be(segment + 4))
    store_u32le(record + TCP_ACKNOWLEDGEMENT, load_u32be(segment + 8))
    store_u8(record + TCP_FLAGS, load_u8(segment + 13))
    store_u64le(record + PAYLOAD_ADDRESS, segment + header_bytes)
    store_u32le(record + PAYLOAD_BYTES, length - header_bytes)
    return TCP


@njit(nogil=True)
def parse_ip(packet, length, record):
    """Reads an IPv4 packet; `length` is the captured bytes from `packet` on."""
    if length < IP_HEADER_BYTES:
        return TRUNCATED
    first = np.int64(load_u8(packet))
    if first >> 4 != 4:
        return IP_VERSION
    header_bytes = (first & 15) * 4
    if header_bytes < IP_HEADER_BYTES:
        return IP_HEADER_LENGTH
    total_bytes = np.int64(load_u16be(packet + 2))
    if total_bytes < header_bytes:
        return IP_TOTAL_LENGTH
    if load_u16be(packet + 6) & np.uint64(FRAGMENT_BITS):
        return FRAGMENT
    if total_bytes > length:
        return TRUNCATED
    protocol = np.int64(load_u8(packet + 9))
    store_u8(record + PROTOCOL, protocol)
    store_u32le(record + SOURCE_IP, load_u32be(packet + 12))
    store_u32le(record + DESTINATION_IP, load_u32be(packet + 16))
    if protocol == PROTOCOL_UDP:
        return parse_udp(packet + header_bytes, total_bytes - header_bytes, record)
    if protocol == PROTOCOL_TCP:
        return parse_tcp(packet + header_bytes, total_bytes - header_bytes, record)
    return OTHER_PROTOCOL


@njit(nogil=True)
def parse_typed(frame, length, offset, ether_type, record):
    """Reads VLAN tags and what follows them; `offset` is where the bytes after `ether_type` are."""
    tags, outer = 0, np.uint64(0)
    while ether_type == TYPE_VLAN or ether_type == TYPE_QINQ or ether_type == TYPE_QINQ_OLD:
        if tags == VLAN_TAGS_MAX:
            return VLAN_DEPTH
        if length < offset + VLAN_TAG_BYTES:
            return TRUNCATED
        vlan = load_u16be(frame + offset) & np.uint64(0xFFF)
        store_u16le(record + OUTER_VLAN, outer)
        store_u16le(record + VLAN, vlan)
        outer = vlan
        ether_type = np.int64(load_u16be(frame + offset + 2))
        offset += VLAN_TAG_BYTES
        tags += 1
    if ether_type == TYPE_IPV4:
        return parse_ip(frame + offset, length - offset, record)
    return IPV6 if ether_type == TYPE_IPV6 else NOT_IP


@njit(nogil=True)
def parse_other_link(frame, length, link_type, record):
    """Reads a frame that is not Ethernet."""
    if link_type == LINK_SLL:
        if length < SLL_BYTES:
            return TRUNCATED
        return parse_typed(frame, length, SLL_BYTES, np.int64(load_u16be(frame + 14)), record)
    if link_type == LINK_SLL2:
        if length < SLL2_BYTES:
            return TRUNCATED
        return parse_typed(frame, length, SLL2_BYTES, np.int64(load_u16be(frame)), record)
    if link_type == LINK_RAW or link_type == LINK_DLT_RAW:
        if length < 1:
            return TRUNCATED
        if load_u8(frame) >> np.uint64(4) == 6:
            return IPV6
        return parse_ip(frame, length, record)
    if link_type == LINK_IPV4:
        return parse_ip(frame, length, record)
    return LINK_TYPE


@njit(nogil=True)
def parse_frame(frame, length, link_type, record):
    """Fills the FRAME_DTYPE row at `record`; returns a Reason.

    Args: address and captured bytes of the frame, LINKTYPE_ number, address of the row. Fields of
    the row are valid after OK (UDP) and TCP only.
    """
    store_u32le(record + VLAN, 0)  # both VLAN fields
    if link_type != LINK_ETHERNET:
        return parse_other_link(frame, length, link_type, record)
    if length < ETHERNET_BYTES:
        return TRUNCATED
    ether_type = np.int64(load_u16be(frame + 12))
    if ether_type == TYPE_IPV4:
        return parse_ip(frame + ETHERNET_BYTES, length - ETHERNET_BYTES, record)
    return parse_typed(frame, length, ETHERNET_BYTES, ether_type, record)
