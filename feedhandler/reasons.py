"""Why a frame was not handed to a feed: one number each, counted per link where it happens."""

from __future__ import annotations

from enum import IntEnum


class Reason(IntEnum):
    """What became of a frame. OK is a UDP datagram, TCP a segment for the order-entry decoders."""

    OK = 0
    TCP = 1
    BAD_FRAME = 2
    TRUNCATED = 3
    LINK_TYPE = 4
    VLAN_DEPTH = 5
    NOT_IP = 6
    IPV6 = 7
    IP_VERSION = 8
    IP_HEADER_LENGTH = 9
    IP_TOTAL_LENGTH = 10
    FRAGMENT = 11
    PROTOCOL = 12
    UDP_LENGTH = 13
    TCP_HEADER_LENGTH = 14
    NO_CHANNEL = 15


REASON_COUNT = 16

REASON_TEXT: dict[Reason, str] = {
    Reason.OK: "UDP datagram",
    Reason.TCP: "TCP segment",
    Reason.BAD_FRAME: "the device reported a damaged frame",
    Reason.TRUNCATED: "captured bytes end before the packet does",
    Reason.LINK_TYPE: "link type of the capture is not known",
    Reason.VLAN_DEPTH: "more than two VLAN tags",
    Reason.NOT_IP: "not IP (ARP, LLDP, spanning tree, ...)",
    Reason.IPV6: "IPv6",
    Reason.IP_VERSION: "IP version is not 4",
    Reason.IP_HEADER_LENGTH: "IP header length below 20 bytes",
    Reason.IP_TOTAL_LENGTH: "IP total length too short for its headers",
    Reason.FRAGMENT: "IP fragment",
    Reason.PROTOCOL: "neither UDP nor TCP",
    Reason.UDP_LENGTH: "UDP length below 8 or beyond the IP packet",
    Reason.TCP_HEADER_LENGTH: "TCP header length below 20 or beyond the IP packet",
    Reason.NO_CHANNEL: "no channel is configured for this group and port",
}
