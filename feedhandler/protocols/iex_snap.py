"""IEX SNAP: an image of a channel of DEEP+ (or DEEP, TOPS), over TCP.

The client asks once; the server answers with an error, or with the start, the data and the end of
the image. The data are segments of IEX-TP with messages of the feed itself.

Source: IEX SNAP specification 1.05 for DEEP+, after the public dissector: messages, fields, widths
and codes. Unverified: no captured bytes were at hand; that a data message carries exactly one whole
segment with its 40-byte header (the dissector shows its start only), and that the end's number is
of the last message in the image, are assumptions; what the snapshot length counts is in no source.
"""

from __future__ import annotations

from feedhandler.protocols.iex import le
from feedhandler.wire.field import Role
from feedhandler.wire.protocol import Protocol
from feedhandler.wire.record import Record
from feedhandler.wire.tails import Choice

REJECT_REASON_CODE = {
    "A": "authentication failure",
    "C": "incorrect channel id",
    "E": "snapshot request already active",
    "Q": "quota exceeded",
    "R": "snapshot not yet available",
    "S": "incorrect session id",
    "U": "unknown message",
}
CODE = le.alpha("message_type", 1, role=Role.CODE)

RECORDS = [
    Record(
        "r",
        "snapshot request",
        57,
        [
            CODE,
            le.alpha("authentication_token", 40),
            le.u32("channel_id"),
            le.u32("session_id"),
            le.u64("minimum_sequence_number", note="an older image is of no use to the client"),
        ],
        note="the client's only message",
    ),
    Record("e", "error response", 2, [CODE, le.alpha("reject_reason_code", 1, REJECT_REASON_CODE)]),
    Record("s", "snapshot start", 9, [CODE, le.u64("snapshot_length")]),
    Record(
        "d",
        "snapshot data",
        1,
        [CODE],
        [Choice("message_type", {}, "segment")],
        note="one segment of IEX-TP",
    ),
    Record(
        "x",
        "snapshot end",
        9,
        [CODE, le.u64("snapshot_sequence_number", note="the image has everything up to it")],
    ),
]

IEX_SNAP = Protocol("iex_snap", "IEX SNAP 1.05", RECORDS, source="IEX SNAP specification 1.05")
