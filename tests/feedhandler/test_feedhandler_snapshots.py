"""Snapshot services over TCP: whole images, or a reason why there is none; whatever the pieces."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
from fuzz_rig import Fuzzed
from lines_rig import Arrival, LinesRig
from lines_traffic import packet
from snapshot_servers import (
    CHANNEL_ID,
    DEEP_PLUS,
    ITCH,
    MEMOIR,
    PASSWORD,
    PITCH,
    SESSION_ID,
    USER,
    GlimpseServer,
    IexSnapServer,
    MemxServer,
    Server,
    SpinServer,
    deep_orders,
    drive,
    image_of,
    itch_orders,
    memoir_orders,
    messages_in,
    pitch_orders,
)

from feedhandler.feed import Feed
from feedhandler.lines.repack import datagrams_of
from feedhandler.lines.requests import CboeClient
from feedhandler.lines.session import SECOND_NS, Timing, whole_packets, widened
from feedhandler.lines.snapshotclient import SnapshotClient
from feedhandler.lines.snapshots.glimpse import GlimpseClient
from feedhandler.lines.snapshots.iexsnap import IexSnapClient
from feedhandler.lines.snapshots.memoir import MemoirSnapshotClient
from feedhandler.lines.snapshots.spin import SpinClient
from feedhandler.protocols.cboe_login import LOGIN_STATUS
from feedhandler.protocols.cboe_spin import CBOE_SPIN, SPIN_STATUS
from feedhandler.protocols.iex_snap import IEX_SNAP, REJECT_REASON_CODE
from feedhandler.protocols.memoir13_acts import ROWS as MEMOIR_ROWS
from feedhandler.transports import iexsnap, memxtcp, soupbintcp, suh
from feedhandler.wire.acts import Rows

TOP = (5 << 32) + 20
SPUN = (4 << 32) + (1 << 32) - 6  # behind the last turn of the 32 bits


@dataclass(frozen=True)
class Service:
    """A service with its client and its tiny server.

    Attributes:
        make: (password, least) to a client.
        serve: (messages, code to refuse with) to a server.
        orders: how many to the messages of an image.
        refusals: what each code of a refusal means.
        heartbeat: what keeps the client's connection alive.
    """

    feed: Feed
    make: Callable[[str, int], Any]
    serve: Callable[[list[bytes], str], Server]
    orders: Callable[[int], list[bytes]]
    sequence: int
    refusals: dict[str, str]
    heartbeat: bytes
    unit: int = 0


SERVICES = {
    "glimpse": Service(
        ITCH,
        lambda password, least: GlimpseClient(ITCH, USER, password, least=least),
        lambda messages, refuse: GlimpseServer(messages, 1001, refuse),
        itch_orders,
        1000,
        soupbintcp.REJECT_REASON_CODE,
        soupbintcp.SOUPBINTCP["R"].encode(),
    ),
    "spin": Service(
        PITCH,
        lambda password, least: SpinClient(PITCH, 3, "0001", USER, password, near=TOP, least=least),
        lambda messages, refuse: SpinServer(messages, [SPUN], refuse=refuse),
        pitch_orders,
        SPUN,
        {code: text for code, text in LOGIN_STATUS.items() if code != "A"},
        bytes([8, 0, 0, 0, 0, 0, 0, 0]),
        3,
    ),
    "memoir": Service(
        MEMOIR,
        lambda password, least: MemoirSnapshotClient(MEMOIR, USER, password, least=least),
        lambda messages, refuse: MemxServer(messages, "T", refuse),
        memoir_orders,
        0,
        memxtcp.LOGIN_REJECT_CODE,
        bytes(3),
    ),
    "iex": Service(
        DEEP_PLUS,
        lambda password, least: IexSnapClient(
            DEEP_PLUS, password, CHANNEL_ID, SESSION_ID, least=least
        ),
        lambda messages, refuse: IexSnapServer(messages, 900, refuse),
        deep_orders,
        900,
        REJECT_REASON_CODE,
        b"",
        CHANNEL_ID,
    ),
}


def pair(name: str, count: int = 5, refuse: str = "") -> tuple[Any, Server, list[bytes]]:
    """A client, a server for it, and the messages of the server's image."""
    service = SERVICES[name]
    messages = service.orders(count)
    return service.make(PASSWORD, 0), service.serve(messages, refuse), messages


@pytest.mark.parametrize("name", SERVICES)
@pytest.mark.parametrize("count", [0, 1, 5, 700])
def test_an_image_has_what_the_service_sent_in_datagrams_of_the_feed(name, count):
    client, server, messages = pair(name, count)
    drive(client, server)
    image, service = image_of(client), SERVICES[name]
    assert messages_in(service.feed, image.datagrams) == messages
    expected = service.sequence or len(messages)  # MEMX: as of its log's end
    assert (image.sequence, image.unit, image.key) == (expected, service.unit, None)
    assert client.images == {None: image}
    assert count < 700 or len(image.datagrams) > 5
    sealed: SnapshotClient = client
    assert sealed.on_bytes(b"more", 1) == sealed.tick(1 << 60) == []
    sealed.closed(1)
    assert sealed.image is image and sealed.failed is None


@pytest.mark.parametrize("name", SERVICES)
def test_bytes_may_come_in_any_pieces(name):
    client, server, messages = pair(name, 3)
    drive(client, server, lambda data: [bytes([byte]) for byte in data])
    expected = image_of(client)
    assert len(messages_in(SERVICES[name].feed, expected.datagrams)) == len(messages)
    for at in range(1, 500):
        client, server, _ = pair(name, 3)
        drive(client, server, lambda data, at=at: [data[:at], data[at:]])
        assert client.image == expected
    for seed in range(30):
        chance = random.Random(f"{name} {seed}")

        def pieces(data, chance=chance):
            cuts = sorted(chance.choices(range(len(data) + 1), k=6))
            return [data[a:b] for a, b in zip([0, *cuts], [*cuts, len(data)], strict=True)]

        client, server, _ = pair(name, 3)
        drive(client, server, pieces)
        assert client.image == expected


@pytest.mark.parametrize("name", SERVICES)
def test_a_connection_that_ends_early_leaves_no_image(name):
    at = 0
    while True:
        client, server, _ = pair(name, 2)
        left = [at]

        def cut(data, left=left):
            piece, left[0] = data[: left[0]], left[0] - len(data[: left[0]])
            return [piece]

        drive(client, server, cut)
        if client.image is not None:
            break
        client.closed(5)
        assert client.failed == "the service closed the connection" and client.images == {}
        assert client.on_bytes(b"x", 6) == client.tick(7) == []
        at += 1
    assert at > 100


@pytest.mark.parametrize("name", SERVICES)
def test_garbage_is_an_error_and_no_image(name):
    for seed in range(300):
        chance = random.Random(f"garbage {name} {seed}")
        client, server, _ = pair(name, 4)
        drive(client, server, lambda data, chance=chance: [chance.randbytes(200)])
        client.closed(1)
        assert client.image is None and client.failed


@pytest.mark.parametrize("name", SERVICES)
def test_damaged_bytes_never_make_a_datagram_that_the_decoder_refuses(name):
    failures = 0
    for seed in range(300):
        chance = random.Random(f"damage {name} {seed}")

        def damaged(data, chance=chance):
            raw = bytearray(data or b"\0")
            raw[chance.randrange(len(raw))] ^= 1 << chance.randrange(8)
            return [bytes(raw)]

        client, server, _ = pair(name, 4)
        drive(client, server, damaged)
        client.closed(1)
        failures += client.failed is not None
        assert (client.image is None) == (client.failed is not None)
        if client.image is not None:
            messages_in(SERVICES[name].feed, client.image.datagrams)
    assert failures > 30


@pytest.mark.parametrize("name", SERVICES)
def test_every_refusal_says_what_it_means(name):
    refusals = SERVICES[name].refusals
    assert refusals
    for code, meaning in [*refusals.items(), ("~", "refused")]:
        client, server, _ = pair(name, 4, refuse=code)
        drive(client, server)
        assert meaning in client.failed and f"({code})" in client.failed
        assert client.image is None


@pytest.mark.parametrize("name", SERVICES)
def test_an_image_that_is_too_old_is_refused_or_waited_past(name):
    service = SERVICES[name]
    messages = service.orders(4)
    needed = (service.sequence or len(messages)) + 1
    client = service.make(PASSWORD, needed)
    drive(client, service.serve(messages, ""))
    assert client.image is None
    if name == "spin":
        assert client.failed is None and client.state == "waiting"
    else:
        assert str(needed) in client.failed
    client = service.make(PASSWORD, needed - 1)
    drive(client, service.serve(messages, ""))
    assert image_of(client).sequence == needed - 1


@pytest.mark.parametrize("name", SERVICES)
def test_both_sides_keep_the_connection_alive(name):
    service = SERVICES[name]
    client, _, _ = pair(name)
    assert client.tick(0) == []
    client.start(0)
    assert client.tick(SECOND_NS - 1) == []
    beats = [service.heartbeat] if service.heartbeat else []
    assert client.tick(SECOND_NS) == beats
    assert client.tick(SECOND_NS + 1) == []
    assert client.tick(2 * SECOND_NS) == beats
    client.tick(15 * SECOND_NS)
    assert "silent" in client.failed


def test_what_the_server_says_is_a_sign_of_life_until_the_deadline():
    beat = soupbintcp.SOUPBINTCP["H"].encode()
    client, _, _ = pair("glimpse")
    client.start(0)
    for second in range(119):
        client.on_bytes(beat, second * SECOND_NS)
        client.tick(second * SECOND_NS)
    assert client.failed is None
    client.tick(120 * SECOND_NS)
    assert client.failed == "no whole image within 120 s"
    client, _, _ = pair("iex")
    client.timing = Timing(silence_ns=5, deadline_ns=0)
    client.start(0)
    client.tick(5)
    assert "silent" in client.failed


@pytest.mark.parametrize("name", SERVICES)
def test_a_failed_client_may_start_again_on_a_new_connection(name):
    client, server, messages = pair(name)
    client.start(0)
    client.on_bytes(server.on_bytes(b"")[:1], 0)
    client.closed(0)
    assert client.failed
    drive(client, server)
    image = image_of(client)
    assert messages_in(SERVICES[name].feed, image.datagrams) == messages


@pytest.mark.parametrize("name", SERVICES)
def test_passwords_show_nowhere_but_in_the_login(name):
    client, server, _ = pair(name, refuse=next(iter(SERVICES[name].refusals)))
    assert any(PASSWORD.encode() in packet for packet in client.start(0))
    drive(client, server)
    for shown in (repr(client), str(vars(client)), client.failed):
        assert PASSWORD not in shown
    assert "***" in str(vars(client))
    for wrong in ("s3cret" * 50, "s3crét", "s3cret\n"):
        with pytest.raises(ValueError) as caught:
            SERVICES[name].make(wrong, 0)
        assert "s3cr" not in str(caught.value) + repr(caught.value)


def test_the_gap_request_proxy_masks_its_password_too():
    client = CboeClient("0001", USER, PASSWORD)
    assert PASSWORD.encode() in client.login(0)
    assert PASSWORD not in repr(client) + str(vars(client))
    with pytest.raises(ValueError, match=r"^password: 11 characters, the field holds 10$"):
        CboeClient("0001", USER, PASSWORD + "!")


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


def test_glimpse_gives_the_session_of_the_live_stream_as_the_loop_folds_it():
    client = GlimpseClient(ITCH, USER, PASSWORD, session="000000123A")
    drive(client, GlimpseServer(itch_orders(2), 9))
    image = image_of(client)
    rig = LinesRig(ITCH)
    rig.feed_in([Arrival(1, 0, packet(ITCH.name, 1, 1, session="000000123A"))])
    assert image.session == rig.stream()["session"] != 0
    assert image.datagrams[0].startswith(b"000000123A")


@pytest.mark.parametrize("name", SERVICES)
def test_the_loops_decoder_reads_an_image_as_the_plain_one_does(name):
    client, server, messages = pair(name, 40)
    drive(client, server)
    made = 0
    with Fuzzed(SERVICES[name].feed).open() as fuzzed:
        for datagram in image_of(client).datagrams:
            assert fuzzed.check(datagram) is None
            made += int(fuzzed.row[0]["messages"])
    assert made == len(messages)


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


@pytest.mark.parametrize(
    ("word", "near", "expected"),
    [
        (5, 0, 5),
        (5, 7 << 32, (7 << 32) + 5),
        (0xFFFFFFFF, 7 << 32, (7 << 32) - 1),
        (1, (8 << 32) - 1, (8 << 32) + 1),
        (0xFFFFFFF0, 3, 0xFFFFFFF0),
    ],
)
def test_words_widen_to_the_nearest_count(word, near, expected):
    assert widened(word, near) == expected


def test_packets_of_a_stream_are_cut_where_they_end():
    first, second = bytes([9, 0, 0, 0, 0, 0, 0, 0, 1]), bytes([8, 0, 0, 0, 0, 0, 0, 0])
    data = first + second + second[:5]
    assert whole_packets(suh.TRANSPORT, data) == ([first, second], 17)
    with pytest.raises(ValueError, match="bad_header"):
        whole_packets(suh.TRANSPORT, bytes([7, 0, 0, 0, 0, 0, 0, 0]))


def test_a_message_longer_than_a_datagram_goes_alone():
    long = memoir_orders(1)[0] + bytes(2000)
    made = datagrams_of(MEMOIR, [memoir_orders(1)[0], long, memoir_orders(1)[0]], {}, 9)
    assert [len(data) > 2000 for data in made] == [False, True, False]
    assert [int.from_bytes(data[10:18], "big") for data in made] == [9, 10, 11]


def test_rows_of_memoir_read_nothing_in_front_of_what_memx_tcp_guarantees():
    assert Rows(MEMOIR_ROWS.protocol, dict(MEMOIR_ROWS.acts), memxtcp.HEADER_BYTES).rows.any()
