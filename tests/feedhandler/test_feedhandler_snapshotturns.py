"""Snapshot services venue by venue: what each says in which turn, and what is no turn at all."""

from __future__ import annotations

from snapshot_cases import SPUN, TOP, pair
from snapshot_servers import (
    MEMOIR,
    PASSWORD,
    PITCH,
    SESSION_ID,
    USER,
    MemxServer,
    SpinServer,
    drive,
    image_of,
    itch_orders,
    memoir_orders,
    messages_in,
    pitch_orders,
)

from feedhandler.lines.snapshots.memoir import MemoirSnapshotClient
from feedhandler.lines.snapshots.spin import SpinClient
from feedhandler.protocols.cboe_spin import CBOE_SPIN, SPIN_STATUS
from feedhandler.protocols.iex_snap import IEX_SNAP
from feedhandler.transports import iexsnap, memxtcp, soupbintcp


def test_glimpse_logs_out_and_knows_sessions_that_are_none():
    client, server, _ = pair("glimpse")
    drive(client, server)
    assert server.names() == ["login request packet", "logout request packet"]
    for change in ({"first": 2}, {"behind": 0}, {"behind": "12x"}):
        client, server, _ = pair("glimpse")
        vars(server).update(change)
        drive(client, server)
        assert client.image is None and client.failed
    soup = soupbintcp.SOUPBINTCP
    accepted = soup["A"].encode(sequence_number=1)
    for data, reason in (
        (accepted + soup["Z"].encode(), "session ended"),
        (accepted + accepted, "does not begin"),
        (soupbintcp.wrap("S", itch_orders(1)[1]), "before the login"),
        (soup["O"].encode(), "type O"),
        (accepted + soupbintcp.wrap("S", b"A12"), "short_message"),
        (accepted + soupbintcp.wrap("S", b"?"), "unknown_message"),
        (accepted + b"\0\0", "short_message"),
    ):
        client, _, _ = pair("glimpse")
        client.start(0)
        client.on_bytes(data, 0)
        assert reason in client.failed


def test_spin_asks_again_for_the_next_image_until_its_tries_are_used_up():
    client, _, messages = pair("spin")
    server = SpinServer(messages, [SPUN - 9, SPUN - 5, SPUN], "OSA")
    drive(client, server)
    assert image_of(client).sequence == SPUN and client.refused == ["O", "S"]
    for status in "OS~":
        client, _, _ = pair("spin")
        server = SpinServer(messages, [SPUN], status)
        drive(client, server)
        assert client.failed == f"spin: {SPIN_STATUS.get(status, 'refused')} ({status})"
        assert server.names().count("spin request") == 3


def test_spin_waits_for_an_image_that_is_new_enough():
    client = SpinClient(PITCH, 3, "0001", USER, PASSWORD, near=TOP, least=SPUN)
    server = SpinServer(pitch_orders(2), [SPUN - 1, SPUN])
    drive(client, server)
    assert client.image is None and server.names() == ["login"]
    (request,) = client.on_bytes(server.available(), 1)
    client.on_bytes(server.on_bytes(request), 1)
    assert image_of(client).sequence == SPUN


def test_spin_counts_the_orders_and_keeps_to_its_turns():
    client, server, _ = pair("spin")
    server.messages.pop(2)
    drive(client, server)
    assert client.failed == "the image has 4 of 5 orders"
    login = CBOE_SPIN[0x02].encode(status="A")
    for messages in (
        [CBOE_SPIN[0x82].encode(status="A")],
        [CBOE_SPIN[0x83].encode()],
        [login, pitch_orders(1)[1]],
        [login, login],
        [CBOE_SPIN[0x81].encode()],
        [login, CBOE_SPIN[0x80].encode(sequence=9), CBOE_SPIN[0x82].encode(sequence=8, status="A")],
        [b"\x02\x77"],
        [b"\x00\x77"],
    ):
        client, server, _ = pair("spin")
        client.start(0)
        client.on_bytes(server.packet(*messages), 0)
        assert client.failed and client.image is None


def test_memx_ports_state_their_mode_and_session():
    client, _, messages = pair("memoir")
    drive(client, MemxServer(messages, "R"))
    assert client.failed == "the port is in mode replay, not snapshot"
    client = MemoirSnapshotClient(MEMOIR, USER, PASSWORD, session_id=SESSION_ID + 1)
    drive(client, MemxServer(messages, "T"))
    assert f"{SESSION_ID}" in client.failed
    client = MemoirSnapshotClient(MEMOIR, USER, PASSWORD, session_id=SESSION_ID)
    drive(client, MemxServer(messages, "T"))
    assert image_of(client).session == SESSION_ID


def test_a_memx_port_may_want_to_be_asked():
    messages = memoir_orders(4)
    client = MemoirSnapshotClient(MEMOIR, USER, PASSWORD, ask=True)
    server = MemxServer(messages, "T", asked=True)
    drive(client, server)
    assert messages_in(MEMOIR, image_of(client).datagrams) == messages
    assert server.names() == ["login request", "replay all request"]
    for code, meaning in memxtcp.REPLAY_REJECT_CODE.items():
        client = MemoirSnapshotClient(MEMOIR, USER, PASSWORD, ask=True)
        drive(client, MemxServer(messages, "T", code, asked=True))
        assert meaning in client.failed


def test_memx_messages_keep_to_their_turns():
    table = memxtcp.MEMX_TCP
    accepted = table[memxtcp.LOGIN_ACCEPTED].encode(supported_request_mode="T")
    begin = table[memxtcp.START_OF_SESSION].encode(session_id=SESSION_ID)
    for data, reason in (
        (begin, "out of its turn"),
        (accepted + accepted, "out of its turn"),
        (accepted + memxtcp.wrap(memoir_orders(1)[0]), "before the session"),
        (accepted + begin + begin, "out of its turn"),
        (accepted + begin + table[memxtcp.END_OF_SESSION].encode(), "session ended"),
        (accepted + begin + table[memxtcp.REPLAY_COMPLETE].encode(), "before the snapshot"),
        (accepted + begin + memxtcp.wrap(memoir_orders(1)[0][:-1]), "short_message"),
        (accepted + begin + table[memxtcp.REPLAY_REQUEST].encode(), "out of its turn"),
        (accepted + b"\xfa\0\0", "unknown_message"),
    ):
        client, _, _ = pair("memoir")
        client.start(0)
        client.on_bytes(data, 0)
        assert reason in client.failed


def test_iex_segments_have_to_be_of_the_feed_and_in_their_turn():
    wrap = iexsnap.TRANSPORT.framing.wrap
    start, end = IEX_SNAP["s"].encode(), IEX_SNAP["x"].encode()
    for messages, reason in (
        ([end], "out of its turn"),
        ([start, start], "out of its turn"),
        ([IEX_SNAP["d"].encode()], "out of its turn"),
        ([start, IEX_SNAP["d"].encode(segment="00")], "short_header"),
        ([start, IEX_SNAP["d"].encode(segment=bytes([1, *bytes(39)]).hex())], "another feed"),
        ([start, b"?"], "unknown_message"),
    ):
        client, _, _ = pair("iex")
        client.start(0)
        client.on_bytes(b"".join(map(wrap, messages)), 0)
        assert reason in client.failed
    client, server, _ = pair("iex")
    drive(client, server)
    assert client.announced > 0 and server.heard[0][1]["minimum_sequence_number"] == 0
