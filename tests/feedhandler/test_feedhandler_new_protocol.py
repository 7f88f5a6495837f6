"""A new protocol is one table, one action kernel and one row of the registry: nothing else."""

from __future__ import annotations

import hashlib
import struct
import sys
from collections.abc import Iterator

import numpy as np
import pytest
from action_rig import faults, run_packet

from feedhandler.actions import ADD, BUY, DELETE, SELL
from feedhandler.channelmap import ChannelAddress
from feedhandler.feed import Feed, decode, load_object, protocols
from feedhandler.specialise import build, faults_of, prepare, sections
from feedhandler.stateblock import create_state
from feedhandler.transports.moldudp64 import TRANSPORT
from feedhandler.transports.packets import write_packet
from feedhandler.wire.page import page
from nic import regions
from nic.memoryport import MemoryPort, pack_frames

TABLE = '''"""A toy protocol."""

from feedhandler.wire.field import Fields, Role
from feedhandler.wire.protocol import Protocol
from feedhandler.wire.record import Record

be = Fields(big=True)
CODE = be.alpha("message_type", 1, role=Role.CODE)
NEW = Record(
    "n",
    "new order",
    26,
    [
        CODE,
        be.u16("instrument"),
        be.u64("order"),
        be.alpha("side", 1, {"b": "buy", "s": "sell"}),
        be.price("limit", 4, 2),
        be.u16("lots"),
        be.u64("sent", note="ns since the epoch"),
    ],
)
GONE = Record("g", "order gone", 17, [CODE, be.u64("order"), be.u64("sent")])
NOISE = Record("x", "noise", 3, [CODE, be.u16("level")])
TOY = Protocol("toy", "Toy depth", [NEW, GONE, NOISE], source="this test")
'''
ACTIONS = '''"""What the toy's messages mean."""

from TABLE_MODULE import TOY

from feedhandler.actions import ADD, BUY, DELETE, SELL
from feedhandler.wire.acts import Act, Rows
from feedhandler.wire.interpreter import interpreter

ROWS = Rows(
    TOY,
    {
        "n": Act(
            ADD,
            key="instrument",
            order_id="order",
            side="side",
            sides={"b": BUY, "s": SELL},
            price="limit",
            quantity="lots",
            time="sent",
        ),
        "g": Act(DELETE, order_id="order", time="sent"),
    },
)
message = interpreter(ROWS)
'''
SENT_NS = 1_700_000_000_000_000_123
GROUP = ChannelAddress("233.54.12.1", 26400)


@pytest.fixture(scope="module")
def feed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Feed]:
    """The row of the registry; the table and the kernel are files in a folder of their own.

    Their names tell their content: what was compiled for other files is not found again.
    """
    folder = tmp_path_factory.mktemp("toy")
    digest = hashlib.sha256((TABLE + ACTIONS).encode()).hexdigest()[:12]
    table, actions = f"toy_{digest}", f"toy_{digest}_actions"
    (folder / f"{table}.py").write_text(TABLE)
    (folder / f"{actions}.py").write_text(ACTIONS.replace("TABLE_MODULE", table))
    sys.path.insert(0, str(folder))
    yield Feed(
        name="toy",
        version="1",
        title="A toy's depth of book",
        transport=TRANSPORT,
        protocol=load_object(f"{table}:TOY"),
        walk="feedhandler.transports.moldudp64_walk:walk",
        message=f"{actions}:message",
        rows=f"{actions}:ROWS",
        header={"session": "TOY"},
    )
    sys.path.remove(str(folder))


@pytest.fixture(scope="module")
def packet(feed: Feed) -> bytes:
    """Two orders, one of them gone again, a message that means nothing and two that do not fit."""
    new, gone, noise = (feed.protocol[code] for code in "ngx")
    terms = {"instrument": 7, "limit": 12_34, "lots": 5, "sent": SENT_NS}
    messages = [
        new.encode(order=1, side="b", **terms),
        new.encode(order=2, side="s", **terms),
        noise.encode(level=9),
        new.encode(order=3, side="b", **terms)[:-1],
        new.encode(order=4, side="?", **terms),
        gone.encode(order=1, sent=SENT_NS + 1),
    ]
    header = {**feed.header, "sequence_number": 100}
    return write_packet(feed.transport, messages, header)


ORDERS = [
    (ADD, BUY, 7, 1, 1_234_000_000, 5, SENT_NS, 100),
    (ADD, SELL, 7, 2, 1_234_000_000, 5, SENT_NS, 101),
    (DELETE, 0, 0, 1, 0, 0, SENT_NS + 1, 105),
]
FIELDS = ["kind", "side", "key", "order_id", "price", "quantity", "time_ns", "sequence"]


def test_tools_read_it(feed: Feed, packet: bytes) -> None:
    decoded = decode(feed, packet)
    assert [message.record.code for message in decoded.messages] == ["n", "n", "x", "n", "g"]
    assert decoded.messages[1].values == {
        "message_type": "n",
        "instrument": 7,
        "order": 2,
        "side": "s",
        "limit": 1234,
        "lots": 5,
        "sent": SENT_NS,
    }
    assert [message.sequence for message in decoded.messages] == [100, 101, 102, 104, 105]
    assert [fault.reason for fault in decoded.faults] == ["short_message"]


def test_the_compiled_walk_reads_it(feed: Feed, packet: bytes) -> None:
    records, row = run_packet(*feed.kernels(), packet)
    assert [tuple(record) for record in records[FIELDS].tolist()] == ORDERS
    assert row["messages"] == 6
    assert faults(row) == {"short_message": 1, "unknown_value": 1}


def test_it_has_a_page(feed: Feed) -> None:
    text = page(feed.title, feed.transport, protocols(feed))
    assert text.startswith("# A toy's depth of book\n")
    assert "new order" in text and "`b` buy" in text and "ns since the epoch" in text


def framed(payload: bytes) -> bytes:
    """An Ethernet frame with a datagram to the channel's group."""
    udp = struct.pack(">HHHH", 1, GROUP.udp_port, 8 + len(payload), 0) + payload
    ip = struct.pack(">BBHHHBBH", 0x45, 0, 20 + len(udp), 0, 0, 9, 17, 0)
    destination = bytes(int(part) for part in GROUP.group.split("."))
    return bytes(12) + b"\x08\x00" + ip + bytes([10, 0, 0, 1]) + destination + udp


def test_a_loop_is_compiled_for_it(feed: Feed, packet: bytes) -> None:
    descriptors, memory = pack_frames([(1_000, framed(packet)), (2_000, framed(packet[:30]))])
    port = MemoryPort(descriptors)
    run = build([feed])
    block = create_state([port], [GROUP], handler_sections=sections(1, [feed]))
    prepare(block, [feed], [0])
    before = regions.violations().count
    with regions.allowed(block, port.row, port.descriptors, memory):
        assert run(np.uint64(block.address)) == 2
    context = block["contexts"][0]
    assert regions.violations().count == before
    assert context["packets"] == 2 and context["messages"] == 6
    assert faults_of(context) == {"short_message": 1, "unknown_value": 1, "bad_length": 1}
    assert context["actions"][ADD] == 2 and context["actions"][DELETE] == 1
    block.close()
