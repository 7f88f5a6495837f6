"""Snapshot services over TCP: whole images, or a reason why there is none; whatever the pieces."""

from __future__ import annotations

import random

import pytest
from fuzz_rig import Fuzzed
from lines_rig import Arrival, LinesRig
from lines_traffic import packet
from snapshot_cases import SERVICES, pair
from snapshot_servers import (
    ITCH,
    MEMOIR,
    PASSWORD,
    USER,
    GlimpseServer,
    drive,
    image_of,
    itch_orders,
    memoir_orders,
    messages_in,
)

from feedhandler.lines.repack import datagrams_of
from feedhandler.lines.requests import CboeClient
from feedhandler.lines.session import SECOND_NS, Timing, whole_packets, widened
from feedhandler.lines.snapshotclient import SnapshotClient
from feedhandler.lines.snapshots.glimpse import GlimpseClient
from feedhandler.protocols.memoir13_acts import ROWS as MEMOIR_ROWS
from feedhandler.transports import memxtcp, soupbintcp, suh
from feedhandler.wire.acts import Rows


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
