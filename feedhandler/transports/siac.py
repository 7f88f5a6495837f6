"""SIAC's blocks, which carry the consolidated tape's quotes (CQS) and trades (CTS) by multicast.

The sequence is that of a block's first message and counts the messages of a line: in the captures
of a start of day it grows by about as many as the blocks hold. Control messages that are not
counted (line integrity, start of day) repeat the last sequence, 0 before the first message. A zero
byte behind the last message makes the block even. A block whose checksum is wrong is not read: it
counts as one that never came, so that the other line brings its messages.

Source: CQS Pillar output specification (CTA), block header; checked against captures.
"""

from __future__ import annotations

from feedhandler.transports import kinds
from feedhandler.transports.transport import Transport
from feedhandler.wire.field import Fields
from feedhandler.wire.framing import INSIDE_U16_BE
from feedhandler.wire.record import Record

be = Fields(big=True)

RETRANSMISSION_INDICATOR = {"O": "original", "V": "retransmitted"}
UNSEQUENCED = 0

HEADER = Record(
    "",
    "block header",
    20,
    [
        be.u8("version"),
        be.u16("block_size", note="bytes, with this header and the pad byte"),
        be.alpha("data_feed_indicator", 1, {"Q": "quotes", "T": "trades"}),
        be.alpha("retransmission_indicator", 1, RETRANSMISSION_INDICATOR),
        be.u32("block_sequence_number", note="of the first message"),
        be.u8("messages_in_block"),
        be.u32("seconds", within=("sip_block_timestamp",), note="since the epoch"),
        be.u32("nanoseconds", within=("sip_block_timestamp",)),
        be.u16("block_checksum", note="the sum of all bytes of the block but these two"),
    ],
)

TRANSPORT = Transport(
    name="siac",
    title="SIAC blocks",
    header=HEADER,
    framing=INSIDE_U16_BE,
    sequence="block_sequence_number",
    count="messages_in_block",
    scope="channel",
    length=("block_size", 0),
    unsequenced=UNSEQUENCED,
    sent=("seconds", "nanoseconds"),
    signals=("retransmission_indicator", {ord("V"): kinds.RETRANSMISSION}),
    restarts=True,
    even=True,
    checksum="block_checksum",
)
