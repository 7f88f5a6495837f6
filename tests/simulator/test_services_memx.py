"""MEMX's recovery ports, as the simulator serves them, and the feed handler's clients of them."""

from __future__ import annotations

import random
from typing import Any

import pytest
from service_rig import PASSWORD, Day, Follower, Talk, gap, live

from feedhandler.lines.memxgap import MemxGapClient
from feedhandler.lines.session import SECOND_NS
from feedhandler.lines.snapshots.memoir import MemoirSnapshotClient
from feedhandler.transports import memxtcp
from feedhandler.transports.memxtcp import MEMX_TCP
from feedhandler.transports.transport import read_packet
from simulator.services.connection import Patience
from simulator.services.memx_gaps import MemxGapServer
from simulator.services.memx_snapshot import MemxSnapshotServer

USERS = {"FIRM": PASSWORD}
MOMENTS = 25


def gap_client(day: Day, **more: Any) -> MemxGapClient:
    return MemxGapClient(day.publisher.feed, "FIRM", PASSWORD, **more)


def snapshot_client(day: Day, password: str = PASSWORD, **more: Any) -> MemoirSnapshotClient:
    return MemoirSnapshotClient(day.publisher.feed, "FIRM", password, **more)


def snapshot_of(day: Day, seed: int = 1, **more: Any) -> MemoirSnapshotClient:
    server = MemxSnapshotServer(day.publisher, USERS)
    client: MemoirSnapshotClient = Talk(
        snapshot_client(day, **more), server.connect, day.now_ns, seed
    ).start()
    return client


def test_snapshots_at_random_moments_and_what_follows_give_the_books_of_the_events() -> None:
    day, chance = Day("memx", 71), random.Random(2)
    images, waited = [], 0
    for number in range(MOMENTS):
        day.run(chance.randint(1, 70))
        waited += int(day.publisher.units[0].state["made"])
        image = snapshot_of(day, number).image
        assert image is not None
        assert (image.sequence, image.session) == (day.publisher.retained[0].next - 1, 20260316)
        with Follower(day.publisher, [image]) as follower:
            assert follower.wrong(day.truth) == []
        images.append(image)
    day.finish()
    whole = Follower(day.publisher, [])
    whole.take_messages(day.behind(0), 1)
    for image in images:
        with Follower(day.publisher, [image]) as follower:
            follower.take_messages(day.behind(image.sequence), image.sequence + 1)
            assert follower.wrong(day.truth) == []
            assert follower.states() == whole.states()
    whole.book.close()
    assert waited > MOMENTS / 2 and len(day.truth.orders) > 20


def test_a_snapshot_behind_the_end_of_the_day_says_that_it_is_closed() -> None:
    day = Day("memx", 72)
    day.finish()
    day.keep(day.publisher.end(day.now_ns + SECOND_NS))
    image = snapshot_of(day).image
    assert image is not None and image.sequence == len(day.sent)
    whole = Follower(day.publisher, [])
    whole.take_messages(day.behind(0), 1)
    with whole, Follower(day.publisher, [image]) as follower:
        assert follower.states() == whole.states()


@pytest.mark.parametrize("first, last", [(1, 1), (5, 900), (1, 1_400)])
def test_gaps_are_filled_with_the_messages_that_were_sent(first: int, last: int) -> None:
    day = Day("memx", 73)
    day.finish()
    talk = Talk(gap_client(day), MemxGapServer(day.publisher, USERS).connect)
    client = talk.start()
    gap(client, first, last)
    talk.say(client.requests(talk.now_ns))
    assert client.failed is None
    assert again(day, client.take()) == day.sent[first - 1 : last]


def again(day: Day, datagrams: list[bytes]) -> list[tuple[int, bytes]]:
    """(sequence, message) of datagrams."""
    made = []
    for data in datagrams:
        packet = read_packet(day.publisher.feed.transport, data)
        assert packet.faults == [] and packet.header["session_id"] == 20260316
        pairs = zip(packet.sequences, packet.spans, strict=True)
        made += [(int(number or 0), data[a:b]) for number, (a, b) in pairs]
    return made


def test_long_ranges_come_in_parts_and_what_waits_for_its_packet_is_not_sent_before_it() -> None:
    day = Day("memx", 74)
    day.run(400)
    unit = day.publisher.units[0]
    while not int(unit.state["made"]):
        day.run(1)
    sent = len(day.sent)
    assert unit.retained.next > sent + 1 == unit.next_sequence
    talk = Talk(gap_client(day), MemxGapServer(day.publisher, USERS, most_messages=100).connect)
    client = talk.start()
    gap(client, sent - 9, sent + 50)
    talk.say(client.requests(talk.now_ns))
    assert again(day, client.take()) == day.sent[-10:]
    gap(client, 11, 300)
    talk.say(client.requests(talk.now_ns))
    assert again(day, client.take()) == day.sent[10:110]
    assert client.failed is None and client.refused == []


def test_ranges_that_cannot_be_had_are_refused_and_the_connection_stays() -> None:
    day = Day("memx", 75, retain=200)
    for _ in range(20):
        day.run(50)
    talk = Talk(gap_client(day), MemxGapServer(day.publisher, USERS).connect)
    client = talk.start()
    oldest = day.publisher.retained[0].first
    assert oldest > 100
    for first, refused in [(1, 1), (oldest - 1, 2), (oldest, 2), (len(day.sent) + 1, 3)]:
        gap(client, first, first)
        talk.say(client.requests(talk.now_ns))
        assert len(client.refused) == refused
    assert client.refused == ["S"] * 3 and again(day, client.take()) == [day.sent[oldest - 1]]
    assert not talk.outlet.closed


@pytest.mark.parametrize("ask, code", [("session", "P"), ("all", "A"), ("stream", "R"), (0, "S")])
def test_what_the_port_does_not_do_has_its_code(ask: str | int, code: str) -> None:
    day = Day("memx", 75, 50)
    talk = Talk(gap_client(day), MemxGapServer(day.publisher, USERS).connect)
    session = talk.start().session
    number = {"all": memxtcp.REPLAY_ALL_REQUEST, "stream": memxtcp.STREAM_REQUEST}
    record = MEMX_TCP[number.get(str(ask), memxtcp.REPLAY_REQUEST)]
    given = {"session_id": session + (ask == "session"), "next_sequence_number": 1, "count": 0}
    talk.peer.on_bytes(
        record.encode({k: v for k, v in given.items() if k in record.by_name}), talk.now_ns
    )
    rejected = memxtcp.STREAM_REJECTED if ask == "stream" else memxtcp.REPLAY_REJECTED
    name = "stream_reject_code" if ask == "stream" else "replay_reject_code"
    assert talk.outlet.take() == MEMX_TCP[rejected].encode({name: code})


@pytest.mark.parametrize("kind, token, code", [
    ("P", "FIRM:wrong", "A"), ("P", "OTHER:" + PASSWORD, "A"), ("P", "FIRM", "T"),
    ("Q", "FIRM:" + PASSWORD, "V"),
])  # fmt: skip
def test_a_wrong_login_is_refused_with_its_code_and_ends(kind: str, token: str, code: str) -> None:
    day = Day("memx", 76, 10)
    for server in (MemxGapServer(day.publisher, USERS), MemxSnapshotServer(day.publisher, USERS)):
        talk = Talk(snapshot_client(day), server.connect)
        login = MEMX_TCP[memxtcp.LOGIN_REQUEST].encode(token_type=kind, token=token)
        talk.peer.on_bytes(login, talk.now_ns)
        rejected = MEMX_TCP[memxtcp.LOGIN_REJECTED].encode(login_reject_code=code)
        assert talk.outlet.take() == rejected and talk.outlet.closed


def test_the_clients_words_for_refusals() -> None:
    day = Day("memx", 76, 10)
    talk = Talk(snapshot_client(day, "wrong"), MemxSnapshotServer(day.publisher, USERS).connect)
    assert talk.start().failed == "login rejected: authorization failed (A)"
    client = snapshot_client(day, ask=True)
    server = MemxSnapshotServer(day.publisher, USERS, unasked=False, most_snapshots=0)
    refused = "replay rejected: replay all requests are not allowed (A)"
    assert Talk(client, server.connect).start().failed == refused
    wrong_port = Talk(snapshot_client(day), MemxGapServer(day.publisher, USERS).connect)
    assert wrong_port.start().failed == "the port is in mode replay, not snapshot"


def test_a_password_that_does_not_fit_is_in_no_error() -> None:
    day = Day("memx", 76, 10)
    with pytest.raises(ValueError, match="password: 300 characters") as caught:
        MemxGapServer(day.publisher, {"FIRM": "secret" * 50})
    assert "secret" not in str(caught.value)
    server = MemxGapServer(day.publisher, USERS)
    assert PASSWORD not in repr(vars(server.clients))


def test_a_snapshot_that_has_to_be_asked_for_comes_when_it_is() -> None:
    day = Day("memx", 77, 300)
    day.run(300)
    server = MemxSnapshotServer(day.publisher, USERS, unasked=False)
    assert Talk(snapshot_client(day), server.connect).start().image is None
    assert Talk(snapshot_client(day, ask=True), server.connect).start().image is not None


def test_heartbeats_and_silences() -> None:
    day = Day("memx", 76, 10)
    server = MemxGapServer(day.publisher, USERS, patience=Patience())
    talk = Talk(gap_client(day), server.connect)
    talk.wait(9)
    assert not talk.outlet.closed and talk.outlet.take() == b""
    talk.start()
    talk.wait(1)
    assert talk.outlet.take() == MEMX_TCP[memxtcp.HEARTBEAT].encode()
    for _ in range(20):
        talk.wait(1)
        talk.peer.on_bytes(MEMX_TCP[memxtcp.HEARTBEAT].encode(), talk.now_ns)
    assert not talk.outlet.closed
    talk.wait(15)
    assert talk.outlet.closed and talk.peer.why == "silence"
    mute = Talk(gap_client(day), server.connect)
    mute.wait(10)
    assert mute.outlet.closed and mute.peer.why == "no login"


def test_both_ports_over_real_connections() -> None:
    day = Day("memx", 78)
    day.finish()
    gaps = gap_client(day)
    gap(gaps, 3, 1_200)
    taken: list[bytes] = []

    def work(end: Any) -> None:
        for packet in gaps.requests(1):
            end.sendall(packet)
        taken.extend(gaps.take())

    live(
        MemxGapServer(day.publisher, USERS).connect,
        gaps,
        work,
        lambda: len(again(day, taken)) == 1_198,
    )
    assert again(day, taken) == day.sent[2:1_200]
    client = snapshot_client(day)
    server = MemxSnapshotServer(day.publisher, USERS)
    live(server.connect, client, lambda _: None, lambda: client.image is not None)
    assert client.image is not None
    with Follower(day.publisher, [client.image]) as follower:
        assert follower.wrong(day.truth) == []


def test_any_bytes_end_a_connection_at_most_and_harm_no_other() -> None:
    day, chance = Day("memx", 79, 200), random.Random(5)
    day.run(200)
    servers = MemxGapServer(day.publisher, USERS), MemxSnapshotServer(day.publisher, USERS)
    for server in servers:
        good = Talk(gap_client(day), server.connect) if server is servers[0] else None
        client = good.start() if good is not None else None
        for turn in range(300):
            talk = Talk(snapshot_client(day), server.connect)
            login = talk.client.start(talk.now_ns) if turn % 2 else []
            talk.peer.on_bytes(b"".join(login), talk.now_ns)
            for _ in range(4):
                data = bytearray(_any_message(chance))
                for _ in range(chance.randint(0, 3)):
                    data[chance.randrange(len(data))] = chance.randrange(256)
                talk.peer.on_bytes(bytes(data), talk.now_ns)
            talk.peer.on_tick(talk.now_ns + SECOND_NS)
        if good is not None and client is not None:
            gap(client, 1, 100)
            good.say(client.requests(good.now_ns))
            assert again(day, client.take()) == day.sent[:100]
    assert snapshot_of(day).image is not None


def _any_message(chance: random.Random) -> bytes:
    record = chance.choice(MEMX_TCP.records)
    numbers = {field.name: 1 for field in record.fields if field.name == "session_id"}
    return record.encode(numbers) + chance.randbytes(chance.choice((0, 0, 0, 7)))
