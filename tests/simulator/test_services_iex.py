"""IEX's gap fill and snapshots, as the simulator serves them, and the feed handler's clients."""

from __future__ import annotations

import random
import socket
from contextlib import suppress
from typing import Any

import pytest
from service_rig import HOST, PASSWORD, Day, Follower, Held, Talk, gap, live, pieces

from feedhandler.lines.iexgap import IexStreamClient, gap_fill_request, iex_client
from feedhandler.lines.recovery import GapClient
from feedhandler.lines.session import SECOND_NS
from feedhandler.lines.snapshots.iexsnap import IexSnapClient
from feedhandler.protocols.iex_snap import IEX_SNAP, REJECT_REASON_CODE
from feedhandler.transports import iexsnap, iextp
from feedhandler.transports.transport import read_packet
from simulator.services.connection import Patience
from simulator.services.iex_gaps import IexGapServer, IexLimits
from simulator.services.iex_snap import IexSnapServer
from simulator.serving.reactor import Reactor

SESSION = 20260316
TOKENS = {"FIRM": PASSWORD, "OTHER": "another one"}
MOMENTS = 25


def snap_client(day: Day, token: str = PASSWORD, **more: Any) -> IexSnapClient:
    given = {"channel_id": 1, "session_id": SESSION, **more}
    return IexSnapClient(day.publisher.feed, token, **given)


def stream_client(day: Day, **more: Any) -> IexStreamClient:
    return IexStreamClient(day.publisher.feed, 1, SESSION, **more)


def udp_client(day: Day, **more: Any) -> GapClient:
    return iex_client(day.publisher.feed, 1, SESSION, **more)


def request(day: Day, *ranges: tuple[int, int], **more: int) -> bytes:
    """A request for ranges (first, count)."""
    given = {"channel_id": 1, "session_id": SESSION, **more}
    return gap_fill_request(day.publisher.feed, ranges=list(ranges), **given)  # type: ignore[arg-type]


def again(day: Day, segments: list[bytes]) -> list[tuple[int, bytes]]:
    """(sequence, message) of segments, whose offsets are those of the stream."""
    made = []
    for data in segments:
        packet = read_packet(iextp.TRANSPORT, data)
        assert packet.faults == [] and len(data) <= 1_400
        names = ("channel_id", "session_id", "message_protocol_id")
        assert [packet.header[name] for name in names] == [1, SESSION, iextp.DEEP_PLUS_1_0]
        before = packet.header["first_message_sequence_number"]
        offset = sum(len(m) + 2 for number, m in day.sent if number < int(str(before)))
        assert packet.header["stream_offset"] == offset
        pairs = zip(packet.sequences, packet.spans, strict=True)
        made += [(int(number or 0), data[a:b]) for number, (a, b) in pairs]
    return made


def whole_day(seed: int, count: int = 1_200, **options: Any) -> Day:
    """A day at its end."""
    day = Day("iex", seed, count, **options)
    while day.at < count:
        day.run(50)
    day.finish()
    return day


def test_the_offsets_of_segments_are_those_of_the_packets() -> None:
    day = Day("iex", 80, 500)
    packets = day.publisher.publish(day.events)
    server = IexGapServer(day.publisher)
    first = int(packets.rows["sequence"][40])
    count = int(packets.rows["count"][40])
    (made,) = server.on_datagram(request(day, (first, count)), 5)
    ours, theirs = (read_packet(iextp.TRANSPORT, one).header for one in (made, packets.payload(40)))
    assert {**ours, "send_time": 0} == {**theirs, "send_time": 0}
    assert ours["send_time"] == 5


@pytest.mark.parametrize("first, last", [(1, 1), (5, 104), (1_000, 1_050)])
def test_gaps_are_filled_by_datagrams(first: int, last: int) -> None:
    day = whole_day(81)
    server, client = IexGapServer(day.publisher), udp_client(day)
    gap(_Holder(client), first, last)
    answers = [one for data in client.requests(1) for one in server.on_datagram(data, 1)]
    assert again(day, answers) == day.sent[first - 1 : last]


class _Holder:
    """What `gap` wants of a client."""

    def __init__(self, gaps: GapClient) -> None:
        self.gaps = gaps


@pytest.mark.parametrize("first, last", [(1, 1), (3, 1_100)])
def test_long_gaps_are_filled_over_tcp(first: int, last: int) -> None:
    day = whole_day(81)
    talk = Talk(stream_client(day), IexGapServer(day.publisher).connect)
    client = talk.start()
    gap(client, first, last)
    talk.say(client.requests(talk.now_ns))
    assert client.failed is None and not talk.outlet.closed
    assert again(day, client.take()) == day.sent[first - 1 : last]


def test_several_ranges_are_answered_in_their_order_also_by_offset() -> None:
    day = whole_day(82, retain=700)
    server, chance = IexGapServer(day.publisher), random.Random(3)
    oldest = day.publisher.retained[0].first
    assert oldest > 100
    starts = [sum(len(m) + 2 for _, m in day.sent[:n]) for n in range(len(day.sent) + 1)]
    for _ in range(60):
        ends = sorted(chance.sample(range(oldest, len(day.sent) + 1), 4))
        if ends[1] + 1 == ends[2] or ends[1] - ends[0] + ends[3] - ends[2] > 98:
            continue
        wanted = day.sent[ends[0] - 1 : ends[1]] + day.sent[ends[2] - 1 : ends[3]]
        ranges = [(x, y - x + 1) for x, y in (ends[:2], ends[2:])]
        assert again(day, server.on_datagram(request(day, *ranges), 1)) == wanted
        bytes_of = [(starts[x - 1], starts[y] - starts[x - 1]) for x, y in (ends[:2], ends[2:])]
        inner = [(first + chance.randint(0, 5), count - 12) for first, count in bytes_of]
        for given in (bytes_of, inner):
            data = request(day, *given, request_type=iextp.BY_OFFSET)
            assert again(day, server.on_datagram(data, 1)) == wanted
    edge = request(day, (starts[oldest - 1] - 1, 5), request_type=iextp.BY_OFFSET)
    behind = request(day, (starts[-1] - 1, 2), request_type=iextp.BY_OFFSET)
    assert server.on_datagram(edge, 1) == server.on_datagram(behind, 1) == []


def test_a_request_without_ranges_has_a_heartbeat_for_an_answer() -> None:
    day = whole_day(82)
    (beat,) = IexGapServer(day.publisher).on_datagram(request(day), 9)
    packet = read_packet(iextp.TRANSPORT, beat)
    assert packet.header["first_message_sequence_number"] == len(day.sent) + 1
    assert again(day, [beat]) == [] and len(beat) == iextp.HEADER.size


def test_what_is_wrong_has_no_answer_by_udp_and_ends_a_connection() -> None:
    day = Day("iex", 83, 1_200, retain=300)
    for _ in range(24):
        day.run(45)
    unit = day.publisher.units[0]
    while not int(unit.state["made"]):  # said, but in no packet yet
        day.run(1)
    sent, oldest = unit.next_sequence - 1, unit.retained.first
    limits = IexLimits(udp_messages=100, tcp_messages=100)
    server = IexGapServer(day.publisher, limits)
    other = request(day, (sent, 1)).replace(b"\x05\x80", b"\x04\x80")
    wrong = [
        request(day, (sent, 1), channel_id=2),
        request(day, (sent, 1), session_id=1),
        request(day, (sent, 1), request_type=7),
        other,
        b"\x02" + request(day, (sent, 1))[1:],
        request(day, (oldest - 1, 2)),
        request(day, (sent, 2)),
        request(day, (sent - 100, 101)),
        request(day, (sent - 60, 60), (sent - 190, 60)),
        request(day, (sent - 60, 60), (sent - 1, 1)),
        request(day, (sent, 0)),
        request(day, *((sent, 1) for _ in range(65))),
    ]
    for data in wrong:
        assert server.on_datagram(data, 1) == []
        outlet = Held()
        peer = server.connect(outlet, 0)
        peer.on_bytes(data, 1)
        assert outlet.closed and outlet.take() == b"", data.hex()
    assert len(server.on_datagram(request(day, (oldest, 1)), 1)) == 1
    assert again(day, server.on_datagram(request(day, (sent, 1)), 1)) == day.sent[-1:]


def test_a_connection_takes_higher_ranges_only() -> None:
    day = whole_day(84)
    server = IexGapServer(day.publisher)
    talk = Talk(stream_client(day), server.connect)
    client = talk.start()
    for first, last in ((100, 200), (201, 300)):
        gap(client, first, last)
        talk.say(client.requests(talk.now_ns))
        assert again(day, client.take()) == day.sent[first - 1 : last]
    assert not talk.outlet.closed
    talk.peer.on_bytes(request(day, (300, 1)), talk.now_ns)
    assert talk.outlet.closed and "bad_value" in talk.peer.why


def test_connections_that_say_nothing_are_dropped() -> None:
    day = whole_day(84, 50)
    limits = IexLimits(patience=Patience(login_ns=SECOND_NS, silence_ns=5 * SECOND_NS))
    for server in (
        IexGapServer(day.publisher, limits),
        IexSnapServer(day.publisher, TOKENS, patience=limits.patience),
    ):
        talk = Talk(stream_client(day), server.connect)
        talk.wait(0.9)
        assert not talk.outlet.closed
        talk.wait(0.1)
        assert talk.outlet.closed and talk.peer.why == "no login"
    talk = Talk(stream_client(day), IexGapServer(day.publisher, limits).connect)
    talk.peer.on_bytes(request(day), talk.now_ns)
    talk.wait(4.9)
    assert not talk.outlet.closed
    talk.wait(0.1)
    assert talk.outlet.closed and talk.peer.why == "silence"


def test_snapshots_at_random_moments_and_what_follows_give_the_books_of_the_events() -> None:
    day, chance = Day("iex", 85), random.Random(2)
    server = IexSnapServer(day.publisher, TOKENS)
    images, waited = [], 0
    for number in range(MOMENTS):
        day.run(chance.randint(1, 70))
        waited += int(day.publisher.units[0].state["made"])
        last = day.publisher.retained[0].next - 1
        talk = Talk(snap_client(day, least=last), server.connect, day.now_ns, number)
        image = talk.start().image
        assert image is not None and talk.outlet.closed
        talk.peer.on_close(talk.now_ns)
        assert (image.sequence, image.unit, image.session) == (last, 1, SESSION)
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
    day = whole_day(86)
    day.keep(day.publisher.end(day.now_ns + SECOND_NS))
    image = Talk(snap_client(day), IexSnapServer(day.publisher, TOKENS).connect).start().image
    assert image is not None and image.sequence == len(day.sent)
    whole = Follower(day.publisher, [])
    whole.take_messages(day.behind(0), 1)
    with whole, Follower(day.publisher, [image]) as follower:
        assert follower.states() == whole.states()


@pytest.mark.parametrize("code, more", [
    ("A", {"token": "wrong"}), ("C", {"channel_id": 2}), ("S", {"session_id": 1}),
    ("R", {"least": 10_000}), ("E", {}), ("Q", {}),
])  # fmt: skip
def test_a_refused_snapshot_has_its_reason(code: str, more: dict[str, Any]) -> None:
    day = whole_day(86, 100)
    server = IexSnapServer(day.publisher, TOKENS, most_snapshots=1)
    if code in "EQ":
        first = Talk(snap_client(day), server.connect)
        assert first.start().image is not None
        if code == "Q":
            first.peer.on_close(first.now_ns)
    talk = Talk(snap_client(day, **more), server.connect)
    assert talk.start().failed == f"snapshot: {REJECT_REASON_CODE[code]} ({code})"
    assert talk.outlet.closed
    other = Talk(snap_client(day, "another one"), server.connect)
    assert other.start().image is not None


@pytest.mark.parametrize("message", [b"zzz", b"r", IEX_SNAP["s"].encode(), b"r" + bytes(57)])
def test_messages_that_are_no_requests_are_unknown(message: bytes) -> None:
    day = whole_day(86, 20)
    outlet = Held()
    peer = IexSnapServer(day.publisher, TOKENS).connect(outlet, 0)
    peer.on_bytes(iexsnap.TRANSPORT.framing.wrap(message), 1)
    assert outlet.closed
    error = IEX_SNAP["e"].encode(reject_reason_code="U")
    assert outlet.take() == iexsnap.TRANSPORT.framing.wrap(error)


def test_a_token_that_does_not_fit_is_in_no_error() -> None:
    day = whole_day(86, 20)
    with pytest.raises(ValueError, match="token: 60 characters") as caught:
        IexSnapServer(day.publisher, {"FIRM": "secret" * 10})
    assert "secret" not in str(caught.value)


def test_all_of_it_over_real_sockets() -> None:
    day = whole_day(87)
    snap, gaps = snap_client(day), stream_client(day)
    server = IexSnapServer(day.publisher, TOKENS)
    live(server.connect, snap, lambda _: None, lambda: snap.image is not None)
    assert snap.image is not None and server.active == set()
    with Follower(day.publisher, [snap.image]) as follower:
        assert follower.wrong(day.truth) == []
    gap(gaps, 3, 1_000)
    taken: list[bytes] = []

    def work(end: Any) -> None:
        for packet in gaps.requests(1):
            end.sendall(packet)
        taken.extend(gaps.take())

    service = IexGapServer(day.publisher)
    live(service.connect, gaps, work, lambda: len(again(day, taken)) == 998)
    assert again(day, taken) == day.sent[2:1_000]


def test_a_gap_is_filled_over_real_datagrams() -> None:
    day = whole_day(88)
    service, client, got = IexGapServer(day.publisher), udp_client(day), list[bytes]()
    gap(_Holder(client), 20, 90)
    with Reactor() as served, socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as end:

        def take(data: bytes, sender: tuple[str, int], now_ns: int) -> None:
            for segment in service.on_datagram(data, now_ns):
                door.send(segment, sender)

        door = served.datagrams((HOST, 0), take)
        end.setblocking(False)
        for data in client.requests(1):
            end.sendto(data, door.address)
        for _ in range(2_000):
            served.run_once(0.001)
            with suppress(BlockingIOError):
                got.append(end.recv(1 << 16))
            if len(again(day, got)) == 71:
                break
    assert again(day, got) == day.sent[19:90]


def test_any_bytes_end_a_connection_at_most_and_harm_no_other() -> None:
    day, chance = whole_day(89, 200), random.Random(5)
    service, snaps = IexGapServer(day.publisher), IexSnapServer(day.publisher, TOKENS)
    good = Talk(stream_client(day), service.connect)
    client = good.start()
    wrap = iexsnap.TRANSPORT.framing.wrap
    for turn in range(400):
        server = (service, snaps)[turn % 2]
        peer = server.connect(Held(), 0)
        for _ in range(4):
            first, count = chance.randrange(250), chance.randrange(20)
            about = {"authentication_token": PASSWORD, "channel_id": 1, "session_id": SESSION}
            clean = (request(day, (first, count)), wrap(IEX_SNAP["r"].encode(about)))[turn % 2]
            data = bytearray(clean)
            for _ in range(chance.randint(0, 3)):
                data[chance.randrange(len(data))] = chance.randrange(256)
            service.on_datagram(bytes(data), 0)
            for piece in pieces(bytes(data), chance):
                peer.on_bytes(piece, 0)
        peer.on_tick(SECOND_NS)
        peer.on_close(SECOND_NS)
    gap(client, 1, 100)
    good.say(client.requests(good.now_ns))
    assert again(day, client.take()) == day.sent[:100]
    assert Talk(snap_client(day), snaps.connect).start().image is not None
