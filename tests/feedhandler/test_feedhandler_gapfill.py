"""Gap fill of MEMX and IEX: ranges that the loop misses, asked for and answered for line R."""

from __future__ import annotations

import random

import pytest
from lines_rig import Arrival, LinesRig
from lines_traffic import STEP_NS, feed_of, packet
from snapshot_servers import (
    CHANNEL_ID,
    DEEP_PLUS,
    MEMOIR,
    PASSWORD,
    SESSION_ID,
    USER,
    MemxServer,
    drive,
    memoir_orders,
    messages_in,
    segment,
)

from feedhandler.feed import decode
from feedhandler.lines.iexgap import IexStreamClient, gap_fill_request, iex_client
from feedhandler.lines.layout import LIVE, RECOVERING
from feedhandler.lines.memxgap import MemxGapClient
from feedhandler.lines.recovery import Gap
from feedhandler.lines.session import SECOND_NS
from feedhandler.lines.setup import LineOptions
from feedhandler.transports import iextp, memxtcp

OPTIONS = LineOptions(window_ns=60 * STEP_NS, recovery_ns=1 << 40)
LINE_R = 2
LOG = memoir_orders(3000)
TABLE = memxtcp.MEMX_TCP


def memx_pair(refuse="", **more):
    """A client whose connection stands, and its server."""
    client, server = MemxGapClient(MEMOIR, USER, PASSWORD, **more), MemxServer(LOG, "R", refuse)
    drive(client, server)
    return client, server


def numbers_in(answers, feed=MEMOIR):
    """The sequences of the messages in datagrams."""
    return [m.sequence for data in answers for m in decode(feed, data).messages]


def gap_of(name, missing, header):
    """A rig that misses sequences 2 to `missing`, and its gap event."""
    rig = LinesRig(feed_of(name), OPTIONS)
    for index, first in enumerate((1, missing + 1, missing + 2)):
        rig.feed_in([Arrival((index + 1) * 60 * STEP_NS, 0, packet(name, first, 1, **header))])
    (event,) = rig.drain()
    return rig, event


@pytest.mark.parametrize("most", [4, 1000])
def test_memx_fills_a_gap_of_the_loop(most):
    header = {"session_id": SESSION_ID}
    rig, event = gap_of("memx_memoir", 30, header)
    record = MEMOIR.protocol[11]
    client = MemxGapClient(MEMOIR, USER, PASSWORD, most=most)
    server = MemxServer([record.encode(order_id=n) for n in range(1, 40)], "R")
    client.gaps.on_event(event)
    assert client.requests(0) == []
    drive(client, server)
    assert rig.stream()["state"] == RECOVERING
    requests = client.requests(1)
    assert len(requests) == -(-29 // most) and client.requests(2) == []
    for request in requests:
        client.on_bytes(server.on_bytes(request), 3)
    for payload in client.take():
        rig.feed_in([Arrival(10**6, LINE_R, payload)])
    assert client.take() == []
    assert rig.stream()["state"] == LIVE and rig.stream()["lost"] == 0
    assert rig.actions["order_id"].tolist() == list(range(1, 33))


def test_memx_answers_may_come_in_any_pieces_and_are_datagrams_of_the_feed():
    for seed in range(20):
        chance = random.Random(f"memx gap {seed}")
        client, server = memx_pair(most=700)
        client.gaps.gaps[0] = Gap(0, 100, 2100)
        data = b"".join(map(server.on_bytes, client.requests(0)))
        answers = []
        while data:
            size = chance.randint(1, 20_000)
            client.on_bytes(data[:size], 0)
            data = data[size:]
            answers += client.take()
        assert messages_in(MEMOIR, answers) == LOG[99:2099]
        assert numbers_in(answers) == list(range(100, 2100)) and client.failed is None
    assert all(int.from_bytes(data[2:10], "big") == SESSION_ID for data in answers)


def test_memx_refuses_a_range_by_its_code():
    for code in memxtcp.REPLAY_REJECT_CODE:
        client, server = memx_pair(code)
        client.gaps.gaps[0] = Gap(0, 5, 9)
        (request,) = client.requests(0)
        client.on_bytes(server.on_bytes(request), 0)
        assert client.refused == [code] and client.failed is None
        assert [(gap.begin, gap.end) for gap in client.gaps.failed] == [(5, 9)]
        assert client.requests(SECOND_NS) == []


def test_memx_is_asked_again_after_a_new_connection():
    client, server = memx_pair()
    client.gaps.gaps[0] = Gap(0, 5, 9)
    (request,) = client.requests(0)
    answer = server.on_bytes(request)
    client.on_bytes(answer[: len(answer) // 2], 0)
    client.closed(1)
    first = numbers_in(client.take())
    assert client.failed and client.requests(2) == [] and 0 < len(first) < 4
    client.gaps.moved(0, 5 + len(first))
    drive(client, server, now_ns=3)
    (request,) = client.requests(4)
    client.on_bytes(server.on_bytes(request), 5)
    assert first + numbers_in(client.take()) == [5, 6, 7, 8]


def test_memx_tells_a_heartbeat_and_notices_silence():
    client, _ = memx_pair()
    assert client.tick(SECOND_NS) == [bytes(3)]
    client.on_bytes(bytes(3), 14 * SECOND_NS)
    client.tick(28 * SECOND_NS)
    assert client.failed is None
    client.tick(29 * SECOND_NS)
    assert "silent" in client.failed


def begin(first, count):
    given = {"next_sequence_number": first, "pending_message_count": count}
    return TABLE[memxtcp.REPLAY_BEGIN].encode(given)


def complete(count):
    return TABLE[memxtcp.REPLAY_COMPLETE].encode(message_count=count)


ORDER = memxtcp.wrap(LOG[0])


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (begin(6, 4), "a replay of 4 messages from 6, asked was 4 from 5"),
        (begin(5, 5), "a replay of 5 messages from 5, asked was 4 from 5"),
        (ORDER, "part of no replay"),
        (begin(5, 1) + ORDER * 2, "part of no replay"),
        (begin(5, 2) + ORDER + complete(2), "a replay of 1 messages that says 2"),
        (begin(5, 4) + begin(5, 4), "out of its turn"),
        (complete(0), "out of its turn"),
        (TABLE[memxtcp.STREAM_BEGIN].encode(), "out of its turn"),
        (TABLE[memxtcp.END_OF_SESSION].encode(), "session ended"),
        (begin(5, 4) + memxtcp.wrap(b"\0"), "short_message"),
    ],
)
def test_memx_answers_that_fit_no_request_end_the_connection(data, reason):
    client, _ = memx_pair()
    client.gaps.gaps[0] = Gap(0, 5, 9)
    client.requests(0)
    client.on_bytes(data, 0)
    assert reason in client.failed
    assert len(numbers_in(client.take())) <= 1


def test_memx_login_is_refused_and_its_password_masked():
    client = MemxGapClient(MEMOIR, USER, PASSWORD)
    drive(client, MemxServer(LOG, "T"))
    assert client.failed == "the port is in mode snapshot, not replay"
    client.start(0)
    client.on_bytes(TABLE[memxtcp.LOGIN_REJECTED].encode(login_reject_code="A"), 0)
    assert "authorization failed (A)" in client.failed
    assert PASSWORD not in client.failed + repr(client) + str(vars(client))


def ranges_of(request):
    """(first, last) of a request, checked against the stream's identity."""
    values = iextp.GAP_FILL_REQUEST.decode(request)
    assert values["message_protocol_id"] == iextp.DEEP_PLUS_1_0
    assert (values["channel_id"], values["session_id"]) == (CHANNEL_ID, SESSION_ID)
    names = ("first_message_sequence_number", "last_message_sequence_number")
    return [tuple(one[name] for name in names) for one in values["ranges"]]


def iex_answer(request):
    """The segments that answer a request, three messages each."""
    record = DEEP_PLUS.protocol["R"]
    made = []
    for first, last in ranges_of(request):
        for at in range(first, last + 1, 3):
            some = range(at, min(at + 3, last + 1))
            made.append(segment([record.encode(order_id_reference=n) for n in some], at))
    return made


@pytest.mark.parametrize("tcp", [False, True])
def test_iex_fills_a_gap_of_the_loop(tcp):
    header = {"channel_id": CHANNEL_ID, "session_id": SESSION_ID}
    rig, event = gap_of("iex_deepplus", 30, header)
    if tcp:
        client = IexStreamClient(DEEP_PLUS, CHANNEL_ID, SESSION_ID, most=10)
        client.gaps.on_event(event)
        assert client.requests(0) == [] and client.start(0) == []
        requests = client.requests(0)
        data = b"".join(part for request in requests for part in iex_answer(request))
        for at in range(0, len(data), 7):
            client.on_bytes(data[at : at + 7], 0)
        answers = client.take()
    else:
        client = iex_client(DEEP_PLUS, CHANNEL_ID, SESSION_ID, most=10)
        client.on_event(event)
        requests = client.requests(0)
        answers = [part for request in requests for part in iex_answer(request)]
    assert [ranges_of(request) for request in requests] == [[(2, 11)], [(12, 21)], [(22, 30)]]
    for payload in answers:
        rig.feed_in([Arrival(10**6, LINE_R, payload)])
    assert rig.stream()["state"] == LIVE
    assert rig.actions["order_id"].tolist() == list(range(1, 33))


def test_iex_takes_several_ranges_or_none_in_a_request():
    request = gap_fill_request(DEEP_PLUS, CHANNEL_ID, SESSION_ID, [(5, 2), (9, 1)])
    assert ranges_of(request) == [(5, 6), (9, 9)] and len(request) == 16 + 2 * 16
    assert len(gap_fill_request(DEEP_PLUS, CHANNEL_ID, SESSION_ID, [])) == 16
    assert iextp.TRANSPORT.requests == (iextp.GAP_FILL_REQUEST,)


def iex_stream():
    """A client over TCP with a gap."""
    client = IexStreamClient(DEEP_PLUS, CHANNEL_ID, SESSION_ID)
    client.start(0)
    client.gaps.gaps[0] = Gap(CHANNEL_ID, 5, 9)
    return client


def test_iex_over_tcp_never_asks_for_an_earlier_range_on_the_same_connection():
    client = iex_stream()
    assert [ranges_of(one) for one in client.requests(0)] == [[(5, 8)]]
    client.gaps.moved(0, 7)
    assert client.requests(SECOND_NS) == [] and client.again
    client.start(2 * SECOND_NS)
    assert not client.again
    assert [ranges_of(one) for one in client.requests(2 * SECOND_NS)] == [[(7, 8)]]
    client.gaps.gaps[0] = Gap(CHANNEL_ID, 20, 22)
    assert [ranges_of(one) for one in client.requests(4 * SECOND_NS)] == [[(20, 21)]]


def test_iex_over_tcp_takes_segments_of_its_stream_alone():
    good = segment([DEEP_PLUS.protocol["R"].encode(order_id_reference=5)], 5)
    for at, value, reason in ((2, 3, "another stream"), (4, 9, "another stream"), (0, 2, "bad_h")):
        client = iex_stream()
        client.on_bytes(good[:at] + bytes([value]) + good[at + 1 :], 0)
        assert reason in client.failed and client.take() == []
    client = iex_stream()
    client.on_bytes(segment([], 9) + good, 0)
    assert client.take() == [good]


def test_iex_over_tcp_minds_silence_only_while_something_is_missing():
    client = iex_stream()
    gap = client.gaps.gaps.pop(0)
    assert client.tick(100 * SECOND_NS) == [] and client.failed is None
    client.gaps.gaps[0] = gap
    client.tick(114 * SECOND_NS)
    assert client.failed is None
    client.tick(115 * SECOND_NS)
    assert "silent" in client.failed
