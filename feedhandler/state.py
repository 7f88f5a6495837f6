"""The state block of a loop: what is in it, and where.

Sections of fixed size come first, so their offsets are constants. Those that grow with the
configuration are found through offsets in the `control` row. Everything is in one block, so any
process that attaches it can read every counter by name.
"""

from __future__ import annotations

import numpy as np

from feedhandler.channels import TABLE_DTYPE
from feedhandler.frame import FRAME_DTYPE
from feedhandler.reasons import REASON_COUNT
from nic.block import Layout, field_offset
from nic.histogram import HISTOGRAM_DTYPE
from nic.layout import DESCRIPTOR_DTYPE
from nic.ringlayout import ring_dtype

WAIT_SPIN, WAIT_PAUSE, WAIT_SLEEP = 0, 1, 2
LINK_OPEN, LINK_ENDED, LINK_FAILED = 0, 1, 2
STOPPED, RUNNING = 0, 1
STOP_ASKED, STOP_FAULT = 1, 2  # why the loop stops: it was told to, or an impossible input came
BURST_CAPACITY = 256

CONTROL_DTYPE = np.dtype(
    [
        # Written by the control side.
        ("stop", "<u8"),
        ("burst_max", "<u8"),
        ("link_count", "<u8"),
        ("channel_count", "<u8"),
        ("round_limit", "<u8"),  # the loop returns after this many rounds; 0 = no limit
        ("wait_policy", "<u8"),
        ("spin_rounds", "<u8"),  # empty rounds before the loop starts to sleep
        ("timespec_s", "<u8"),  # these two words are the struct timespec given to nanosleep
        ("timespec_ns", "<u8"),
        ("nanosleep", "<u8"),
        ("measure", "<u8"),  # 1: fill the packet_cycles histogram (about 11 ns a packet)
        ("links_offset", "<u8"),
        ("channels_offset", "<u8"),
        ("handler_offset", "<u8"),  # to the first section of the message kernels; 0 = none
        ("arbiter_offset", "<u8"),  # to the row of arbitration; 0 = no channel has lines
        ("strict", "<u8"),  # 1: the loop stops behind the burst with an impossible input
        ("command_rounds", "<u8"),  # a command waits at most so long for a round without packets
        ("router", "<u8"),  # address of the router's head; 0: nothing is routed
        ("unused_control", "<u8", (6,)),
        # Written by the loop, on cache lines of their own.
        ("running", "<u8"),
        ("heartbeat", "<u8"),  # rounds since the start
        ("open_links", "<u8"),
        ("idle_rounds", "<u8"),
        ("last_timestamp_ns", "<u8"),
        ("packets", "<u8"),
        ("commands", "<u8"),  # taken
        ("unknown_commands", "<u8"),  # of those
        ("busy_rounds", "<u8"),  # that the next command has waited
        ("packet_started", "<u8"),  # cycle counter when the packet being handled came to hand
        ("unused_loop", "<u8", (6,)),
    ]
)

LINK_DTYPE = np.dtype(
    [
        # Written by the control side.
        ("port", "<u8"),  # first argument of the port's functions
        ("rx_burst", "<u8"),
        ("release", "<u8"),
        # Written by the loop.
        ("status", "<u8"),
        ("packets", "<u8"),
        ("bytes", "<u8"),
        ("bursts", "<u8"),
        ("last_timestamp_ns", "<u8"),
        ("reasons", "<u8", (REASON_COUNT,)),
    ]
)

# `stream` and `line` are the configuration's: channels that carry the same data (lines A and B)
# have one stream number. The loop does not look at them, arbitration does.
CHANNEL_DTYPE = np.dtype(
    [
        ("packets", "<u8"),
        ("messages", "<u8"),
        ("bytes", "<u8"),
        ("last_timestamp_ns", "<u8"),
        ("stream", "<u4"),
        ("line", "<u4"),
        ("handler_state", "<u8"),  # bytes from the block's start to this channel's own state
        ("streams", "<u8"),  # bytes to the stream rows of the channel; 0 = no arbitration
        ("unused", "<u8"),
    ]
)

COMMAND_DTYPE = np.dtype([("kind", "<u8"), ("timestamp_ns", "<u8"), ("words", "<u8", (6,))])
EVENT_DTYPE = np.dtype([("kind", "<u8"), ("timestamp_ns", "<u8"), ("words", "<u8", (6,))])
COMMAND_SLOTS = 256
EVENT_SLOTS = 4096

FIXED_SECTIONS = [
    ("control", CONTROL_DTYPE, 1),
    ("frame", FRAME_DTYPE, 1),
    ("channel_table", TABLE_DTYPE, 1),
    ("descriptors", DESCRIPTOR_DTYPE, BURST_CAPACITY),
    ("packet_cycles", HISTOGRAM_DTYPE, 1),
    ("commands", ring_dtype(COMMAND_SLOTS, COMMAND_DTYPE), 1),
    ("events", ring_dtype(EVENT_SLOTS, EVENT_DTYPE), 1),
]
_FIXED = Layout(FIXED_SECTIONS)
CONTROL = _FIXED.offset("control")
FRAME = _FIXED.offset("frame")
CHANNEL_TABLE = _FIXED.offset("channel_table")
DESCRIPTORS = _FIXED.offset("descriptors")
PACKET_CYCLES = _FIXED.offset("packet_cycles")
COMMANDS = _FIXED.offset("commands")
EVENTS = _FIXED.offset("events")

STOP = CONTROL + field_offset(CONTROL_DTYPE, "stop")
BURST_MAX = CONTROL + field_offset(CONTROL_DTYPE, "burst_max")
CHANNEL_COUNT = CONTROL + field_offset(CONTROL_DTYPE, "channel_count")
LINK_COUNT = CONTROL + field_offset(CONTROL_DTYPE, "link_count")
ROUND_LIMIT = CONTROL + field_offset(CONTROL_DTYPE, "round_limit")
WAIT_POLICY = CONTROL + field_offset(CONTROL_DTYPE, "wait_policy")
SPIN_ROUNDS = CONTROL + field_offset(CONTROL_DTYPE, "spin_rounds")
TIMESPEC = CONTROL + field_offset(CONTROL_DTYPE, "timespec_s")
NANOSLEEP = CONTROL + field_offset(CONTROL_DTYPE, "nanosleep")
MEASURE = CONTROL + field_offset(CONTROL_DTYPE, "measure")
LINKS_OFFSET = CONTROL + field_offset(CONTROL_DTYPE, "links_offset")
CHANNELS_OFFSET = CONTROL + field_offset(CONTROL_DTYPE, "channels_offset")
HANDLER_OFFSET = CONTROL + field_offset(CONTROL_DTYPE, "handler_offset")
ARBITER_OFFSET = CONTROL + field_offset(CONTROL_DTYPE, "arbiter_offset")
STRICT = CONTROL + field_offset(CONTROL_DTYPE, "strict")
COMMAND_ROUNDS = CONTROL + field_offset(CONTROL_DTYPE, "command_rounds")
ROUTER = CONTROL + field_offset(CONTROL_DTYPE, "router")
PACKET_STARTED = CONTROL + field_offset(CONTROL_DTYPE, "packet_started")
RUN_STATUS = CONTROL + field_offset(CONTROL_DTYPE, "running")
HEARTBEAT = CONTROL + field_offset(CONTROL_DTYPE, "heartbeat")
OPEN_LINKS = CONTROL + field_offset(CONTROL_DTYPE, "open_links")
IDLE_ROUNDS = CONTROL + field_offset(CONTROL_DTYPE, "idle_rounds")
LAST_TIMESTAMP = CONTROL + field_offset(CONTROL_DTYPE, "last_timestamp_ns")
PACKETS = CONTROL + field_offset(CONTROL_DTYPE, "packets")
COMMANDS_TAKEN = CONTROL + field_offset(CONTROL_DTYPE, "commands")
COMMANDS_UNKNOWN = CONTROL + field_offset(CONTROL_DTYPE, "unknown_commands")
BUSY_ROUNDS = CONTROL + field_offset(CONTROL_DTYPE, "busy_rounds")

LINK_BYTES = LINK_DTYPE.itemsize
LINK_PORT = field_offset(LINK_DTYPE, "port")
LINK_RX_BURST = field_offset(LINK_DTYPE, "rx_burst")
LINK_RELEASE = field_offset(LINK_DTYPE, "release")
LINK_STATUS = field_offset(LINK_DTYPE, "status")
LINK_PACKETS = field_offset(LINK_DTYPE, "packets")
LINK_TOTAL_BYTES = field_offset(LINK_DTYPE, "bytes")
LINK_BURSTS = field_offset(LINK_DTYPE, "bursts")
LINK_TIMESTAMP = field_offset(LINK_DTYPE, "last_timestamp_ns")
LINK_REASONS = field_offset(LINK_DTYPE, "reasons")

CHANNEL_BYTES = CHANNEL_DTYPE.itemsize
CHANNEL_PACKETS = field_offset(CHANNEL_DTYPE, "packets")
CHANNEL_MESSAGES = field_offset(CHANNEL_DTYPE, "messages")
CHANNEL_TOTAL_BYTES = field_offset(CHANNEL_DTYPE, "bytes")
CHANNEL_TIMESTAMP = field_offset(CHANNEL_DTYPE, "last_timestamp_ns")
CHANNEL_STREAM = field_offset(CHANNEL_DTYPE, "stream")
CHANNEL_LINE = field_offset(CHANNEL_DTYPE, "line")
CHANNEL_STREAMS = field_offset(CHANNEL_DTYPE, "streams")
CHANNEL_HANDLER_STATE = field_offset(CHANNEL_DTYPE, "handler_state")

DESCRIPTOR_BYTES = DESCRIPTOR_DTYPE.itemsize
DESCRIPTOR_ADDRESS = field_offset(DESCRIPTOR_DTYPE, "address")
DESCRIPTOR_LENGTH = field_offset(DESCRIPTOR_DTYPE, "length_bytes")
DESCRIPTOR_FLAGS = field_offset(DESCRIPTOR_DTYPE, "flags")
DESCRIPTOR_TIMESTAMP = field_offset(DESCRIPTOR_DTYPE, "timestamp_ns")
