"""NYSE refreshes: whole images of symbols from a multicast that loses, repeats and reorders."""

from __future__ import annotations

import random
from typing import Any

import pytest
from snapshot_servers import NYSE, NyseServer, image_of, messages_in, nyse_orders

from feedhandler.lines.session import SECOND_NS, Timing
from feedhandler.lines.snapshots.nyse import PART_NS, TRIES, NyseRefreshClient
from feedhandler.protocols.nyse_control import REFRESH_HEADER, REQUEST_STATUS
from feedhandler.transports import xdp
from feedhandler.transports.packets import write_packet

NEAR = (3 << 32) + 50
LAST = (2 << 32) + (1 << 32) - 7  # behind the last turn of the 32 bits
BOOKS = {symbol: nyse_orders(symbol, 7) for symbol in (11, 12, 13)}


def client_for(*symbols: int, **more: Any) -> NyseRefreshClient:
    return NyseRefreshClient(NYSE, "SOURCE", 1, 5, symbols, near=NEAR, **more)


def orders_in(image):
    """An image's messages without the refresh headers in front of each packet's."""
    return [m for m in messages_in(NYSE, image.datagrams) if m[2:4] != bytes([35, 0])]


def talk(client, server, out, now_ns, keep=lambda packets: packets):
    """Answers requests over TCP and on the multicast until nothing more is asked."""
    while out:
        data = b"".join(server.on_bytes(packet) for packet in out)
        out = client.on_bytes(data, now_ns)
        packets, server.multicast = keep(server.multicast), []
        for packet in packets:
            out += client.on_datagram(packet, now_ns)


@pytest.mark.parametrize("count", [1, 2, 7, 200])
def test_a_symbols_refresh_is_an_image_of_the_packets_as_they_came(count):
    book = nyse_orders(11, count)
    client, server = client_for(11), NyseServer({11: book}, LAST)
    talk(client, server, client.start(0), 0)
    image = image_of(client)
    assert (image.sequence, image.key, image.unit) == (LAST, 11, 0)
    assert orders_in(image) == book and client.images == {11: image}
    assert server.asked == [11]


def test_the_driver_may_give_refresh_packets_to_the_same_call_as_tcp_bytes():
    client, server = client_for(11), NyseServer(BOOKS, LAST)
    (request,) = client.start(0)
    status = server.on_bytes(request)
    assert client.on_bytes(status[:20], 0) == []
    for packet in server.multicast[:2]:
        assert client.on_bytes(packet, 0) == []
    client.on_bytes(status[20:], 0)
    for packet in server.multicast[2:]:
        client.on_bytes(packet, 0)
    assert orders_in(image_of(client)) == BOOKS[11]


def test_several_symbols_are_asked_for_one_after_the_other():
    client, server = client_for(13, 11, 13), NyseServer(BOOKS, LAST)
    talk(client, server, client.start(0), 0)
    assert server.asked == [13, 11] and list(client.images) == [13, 11]
    assert [orders_in(image) for image in client.images.values()] == [BOOKS[13], BOOKS[11]]
    assert image_of(client) is client.images[11]


def test_the_whole_channel_is_asked_for_at_once_and_the_rest_singly():
    client, server = client_for(11, 12, 13, everything=True), NyseServer(BOOKS, LAST)
    talk(client, server, client.start(0), 0, lambda packets: packets[:-1])
    assert server.asked == [0] and list(client.images) == [11, 12] and client.image is None
    assert client.tick(PART_NS - 1) == []
    talk(client, server, client.tick(PART_NS), PART_NS)
    assert server.asked == [0, 13] and orders_in(image_of(client)) == BOOKS[13]


def test_lost_repeated_and_reordered_parts_come_right_or_are_asked_for_again():
    asked = 0
    for seed in range(60):
        chance = random.Random(f"refresh {seed}")

        def loses(packets, chance=chance):
            kept = [p for p in packets for _ in range(chance.choice((0, 1, 1, 1, 1, 2)))]
            chance.shuffle(kept)
            return kept

        client, server = client_for(11, 12, tries=50), NyseServer(BOOKS, LAST)
        now_ns = 0
        talk(client, server, client.start(0), 0, loses)
        while not client.over:
            now_ns += PART_NS
            server.last += chance.randrange(2)
            talk(client, server, client.tick(now_ns), now_ns, loses)
        assert client.failed is None
        assert [orders_in(client.images[symbol]) for symbol in (11, 12)] == [BOOKS[11], BOOKS[12]]
        asked += len(server.asked)
    assert asked > 150


def test_parts_of_two_refreshes_never_make_one_image():
    client, server = client_for(11), NyseServer(BOOKS, LAST)
    client.start(0)
    older = server.refresh(11)
    server.last += 5
    newer = server.refresh(11)
    for packet in [*older[:-1], *newer[-1:], *newer[1:-1]]:
        client.on_datagram(packet, 0)
    assert client.image is None
    client.on_datagram(newer[0], 0)
    assert image_of(client).sequence == LAST + 5
    assert orders_in(client.image) == BOOKS[11]


def test_a_refresh_that_is_never_whole_is_given_up_after_its_tries():
    client, server = client_for(11), NyseServer(BOOKS, LAST)
    talk(client, server, client.start(0), 0, lambda packets: packets[1:])
    for round_ in range(1, 10):
        talk(client, server, client.tick(round_ * PART_NS), 0, lambda packets: packets[1:])
    assert server.asked == [11] * TRIES
    assert client.failed == f"symbol 11: no whole refresh in {TRIES} tries"
    assert client.image is None and client.images == {}


def test_a_refresh_that_is_too_old_is_asked_for_again():
    client, server = client_for(11, least=LAST + 1), NyseServer(BOOKS, LAST)
    talk(client, server, client.start(0), 0)
    assert client.image is None and client.failed is None
    server.last += 1
    talk(client, server, client.tick(PART_NS), PART_NS)
    assert image_of(client).sequence == LAST + 1


def test_every_refusal_says_what_it_means():
    for code, meaning in [*REQUEST_STATUS.items(), ("~", "refused")]:
        if code == "0":
            continue
        client, server = client_for(11), NyseServer(BOOKS, LAST, code)
        talk(client, server, client.start(0), 0)
        assert client.failed == f"refresh: {meaning} ({code})" and client.image is None


def test_an_answer_to_anothers_request_is_not_ours():
    client, server = client_for(11), NyseServer(BOOKS, LAST, "4")
    client.start(0)
    assert client.on_bytes(server.response(b"?", 99), 0) == []
    assert client.failed is None


def test_heartbeats_are_answered_and_their_lack_is_noticed():
    client = client_for(11, tries=1000)
    client.start(0)
    beat = write_packet(xdp.TRANSPORT, [], {"delivery_flag": xdp.HEARTBEAT})
    server = NyseServer(BOOKS, LAST)
    (reply,) = client.on_bytes(beat, 60 * SECOND_NS)
    assert server.on_bytes(reply) == b"" and server.names() == ["heartbeat response"]
    client.timing = Timing(silence_ns=90 * SECOND_NS, deadline_ns=0)
    assert client.tick(149 * SECOND_NS) and client.failed is None
    assert client.tick(150 * SECOND_NS) == []
    assert client.failed == "the service was silent for 90 s"


def refresh_packet(flag, messages, **given):
    head = REFRESH_HEADER.encode({"last_seq_num": 1, **given})
    return write_packet(xdp.TRANSPORT, [head, *messages], {"delivery_flag": flag})


ONE = {"current_refresh_pkt": 1, "total_refresh_pkts": 1}
STRAYS = {
    "nothing": b"",
    "a cut header": bytes(10),
    "a cut packet": refresh_packet(xdp.REFRESH_ONLY, BOOKS[11][:1], **ONE)[:-1],
    "no refresh": refresh_packet(xdp.ORIGINAL, BOOKS[11][:1], **ONE),
    "no symbol": refresh_packet(xdp.REFRESH_ONLY, [], **ONE),
    "two symbols": refresh_packet(xdp.REFRESH_ONLY, [BOOKS[11][0], BOOKS[12][0]], **ONE),
    "no refresh header": write_packet(
        xdp.TRANSPORT, BOOKS[11][:1], {"delivery_flag": xdp.REFRESH_ONLY}
    ),
    "another flag": refresh_packet(xdp.REFRESH_START, BOOKS[11][:1], **ONE),
    "part 0": refresh_packet(
        xdp.REFRESH_ONLY, BOOKS[11][:1], current_refresh_pkt=0, total_refresh_pkts=1
    ),
    "part 3 of 2": refresh_packet(
        xdp.REFRESH_END, BOOKS[11][:1], current_refresh_pkt=3, total_refresh_pkts=2
    ),
    "an unknown message": refresh_packet(xdp.REFRESH_ONLY, [bytes([4, 0, 99, 0])], **ONE),
}


@pytest.mark.parametrize("name", STRAYS)
def test_what_is_no_part_of_a_refresh_is_counted_and_left_out(name):
    client, server = client_for(11), NyseServer(BOOKS, LAST)
    (request,) = client.start(0)
    client.on_datagram(STRAYS[name], 0)
    assert client.stray == 1 and not client.over
    talk(client, server, [request], 0)
    assert orders_in(image_of(client)) == BOOKS[11]


def test_refreshes_that_others_asked_for_are_not_ours():
    client, server = client_for(11), NyseServer(BOOKS, LAST)
    client.start(0)
    for packet in server.refresh(12):
        client.on_datagram(packet, 0)
    assert client.stray == 0 and client.images == {}


def test_garbage_over_tcp_is_an_error():
    for seed in range(200):
        client = client_for(11)
        client.start(0)
        client.on_bytes(random.Random(f"xdp {seed}").randbytes(300), 0)
        client.closed(0)
        assert client.failed and client.image is None
    client = client_for(11)
    client.start(0)
    client.on_bytes(bytes(16), 0)
    assert client.failed == "bytes that are no message of the service: bad_header"


def test_a_client_needs_a_symbol():
    with pytest.raises(ValueError, match="no symbol"):
        client_for()
    assert client_for(1).on_datagram(b"", 0) == []
