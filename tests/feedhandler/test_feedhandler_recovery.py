"""Both lines lose a stretch, the venue is asked, and all is said as if nothing had happened."""

from __future__ import annotations

import random

import pytest
from lines_rig import Arrival, LinesRig
from lines_traffic import STEP_NS, feed_of, on_lines, packet, sent_packets

from feedhandler.lines.layout import LIVE, RECOVERING, STALE, TELL_LIVE, TELL_STALE
from feedhandler.lines.recovery import GapClient
from feedhandler.lines.requests import (
    CBOE_GRP,
    GAP_REQUEST,
    LOGIN,
    LOGIN_RESPONSE,
    REQUEST_RESPONSE,
    RETRANSMISSION_REQUEST,
    CboeClient,
    NyseClient,
    moldudp64_client,
)
from feedhandler.lines.setup import LineOptions
from feedhandler.protocols.nyse_integrated_25 import NYSE_INTEGRATED_25
from feedhandler.transports import moldudp64, suh, xdp
from feedhandler.transports.packets import write_packet
from feedhandler.transports.transport import read_message, read_packet

ITCH, PITCH, NYSE = "nasdaq_itch50", "cboe_pitch", "nyse_integrated"
ASKED = 2
HEARTBEAT = write_packet(suh.TRANSPORT, [], {"unit": 0, "sequence": 0})
OPTIONS = LineOptions(window_ns=60 * STEP_NS, window_packets=100, recovery_ns=1 << 40, slots=4096)


def asked_of(name, request):
    """(first sequence, count) of a request packet, read with the tables."""
    if name == ITCH:
        values = moldudp64.REQUEST.decode(request)
        assert values["session"] == "0000000001"
        return values["sequence_number"], values["requested_message_count"]
    transport, protocol = {
        NYSE: (xdp.TRANSPORT, NYSE_INTEGRATED_25),
        PITCH: (suh.TRANSPORT, CBOE_GRP),
    }[name]
    ((start, end),) = read_packet(transport, request).spans
    record, values = read_message(protocol, request, start, end)
    if record is RETRANSMISSION_REQUEST:
        return values["begin_seq_num"], values["end_seq_num"] - values["begin_seq_num"] + 1
    assert record is GAP_REQUEST and values["unit"] == 1
    return values["sequence"], values["count"]


def client_of(name, most):
    """(what hears events, what gives requests) of a venue."""
    if name == ITCH:
        client = moldudp64_client("0000000001", most=most)
        return client, client.requests
    if name == NYSE:
        nyse = NyseClient("SOURCE", 1, 5, most=most)
        return nyse.gaps, nyse.gaps.requests
    cboe = CboeClient("0001", "FIRM", "secret", most=most)
    cboe.login(0)
    accepted = [LOGIN_RESPONSE.encode({"status": "A"})]
    cboe.on_packet(write_packet(suh.TRANSPORT, accepted, {"unit": 0, "sequence": 0}))
    return cboe.gaps, cboe.requests


class Service:
    """A venue's answers, in process: packets of at most three messages, some of them lost."""

    def __init__(self, name, chance, lossy):
        self.name, self.chance, self.lossy = name, chance, lossy

    def answer(self, request):
        """The packets that answer a request."""
        if self.name == PITCH and request == HEARTBEAT:
            return []
        begin, count = asked_of(self.name, request)
        flag = {"delivery_flag": xdp.RETRANSMISSION_PART} if self.name == NYSE else {}
        made = []
        for first in range(begin, begin + count, 3):
            size = min(3, begin + count - first)
            if self.chance.random() >= self.lossy:
                made.append(packet(self.name, first, size, **flag))
        return made


def recover(name, arrivals, service, most):
    """Feeds packets one by one with a client beside the loop; the rig behind all."""
    rig = LinesRig(feed_of(name), OPTIONS)
    client, requests = client_of(name, most)
    unit = 1 if name == PITCH else 0
    end_ns = arrivals[-1].time_ns
    idle = [Arrival(end_ns + n * 60_000_000, 0, arrivals[-1].payload) for n in range(1, 30)]
    for one in [*arrivals, *idle]:
        rig.feed_in([one])
        for event in rig.drain():
            client.on_event(event)
        stream = rig.stream(unit)
        client.moved(int(stream["number"]), int(stream["expected"]))
        if client.gaps:
            assert stream["state"] != LIVE
        for request in requests(one.time_ns):
            answers = service.answer(request)
            rig.feed_in([Arrival(one.time_ns, ASKED, payload) for payload in answers])
    return rig


@pytest.mark.parametrize("name", [ITCH, NYSE, PITCH])
@pytest.mark.parametrize("lossy", [0.0, 0.4])
def test_what_both_lines_lost_is_asked_for_and_said_in_its_place(name, lossy):
    for seed in range(3):
        chance = random.Random(f"{name}{lossy}{seed}")
        sent = sent_packets(name, chance, 200)
        whole = LinesRig(feed_of(name), OPTIONS)
        expected = whole.feed_in([Arrival(s.time_ns, 0, s.payload) for s in sent])
        kept = sent[:60] + sent[90:140] + sent[141:]
        arrivals = on_lines(kept, chance, (0.2, 0.2))
        rig = recover(name, arrivals, Service(name, chance, lossy), chance.choice((5, 1000)))
        assert rig.actions.tobytes() == expected["action"].tobytes()
        stream = rig.stream(1 if name == PITCH else 0)
        assert (stream["state"], stream["lost"]) == (LIVE, 0) and stream["recovered"] >= 2
        assert rig.tells.count(TELL_STALE) == rig.tells.count(TELL_LIVE) > 0
        live = [
            int(o)
            for o, s in zip(rig.log["action"]["order_id"], rig.log["state"], strict=True)
            if s == LIVE
        ]
        assert live == sorted(live)


@pytest.mark.parametrize("name", [ITCH, NYSE, PITCH])
def test_joining_late_is_a_gap_from_the_first_message_on(name):
    chance = random.Random(name)
    sent = sent_packets(name, chance, 60)
    whole = LinesRig(feed_of(name), OPTIONS)
    expected = whole.feed_in([Arrival(s.time_ns, 0, s.payload) for s in sent])
    arrivals = [Arrival(s.time_ns, 0, s.payload) for s in sent[40:]]
    rig = recover(name, arrivals, Service(name, chance, 0.0), 1000)
    assert rig.actions.tobytes() == expected["action"].tobytes()
    assert rig.stream(1 if name == PITCH else 0)["state"] == LIVE


def gap_event(rig, name):
    """A rig that has declared the gap 2 to 9, and a client that heard of it."""
    payloads = [packet(name, 1, 1), packet(name, 9, 1), packet(name, 10, 1)]
    rig.feed_in([Arrival(n * 60 * STEP_NS, 0, payload) for n, payload in enumerate(payloads, 1)])
    (event,) = rig.drain()
    return event


def test_a_range_is_asked_for_again_from_where_the_loop_has_got_to():
    rig = LinesRig(feed_of(ITCH), OPTIONS)
    client = moldudp64_client("0000000001", retry_ns=100)
    client.on_event(gap_event(rig, ITCH))
    first = client.requests(1000)
    assert [asked_of(ITCH, one) for one in first] == [(2, 7)]
    assert client.requests(1099) == []
    rig.feed_in([Arrival(10**6, ASKED, packet(ITCH, 2, 3))])
    assert rig.stream()["state"] == RECOVERING
    client.moved(0, int(rig.stream()["expected"]))
    assert [asked_of(ITCH, one) for one in client.requests(1100)] == [(5, 4)]


def test_a_service_that_never_answers_is_left_to_the_snapshot():
    rig = LinesRig(feed_of(ITCH), OPTIONS)
    client = GapClient(lambda unit, begin, count: b"", most=10, retry_ns=1, tries=3)
    client.on_event(gap_event(rig, ITCH))
    assert [len(client.requests(now)) for now in range(0, 10, 2)] == [1, 1, 1, 0, 0]
    assert [(gap.begin, gap.end) for gap in client.failed] == [(2, 9)] and not client.gaps


def test_nyse_refuses_and_asks_whether_the_client_is_there():
    rig, client = LinesRig(feed_of(NYSE), OPTIONS), NyseClient("SOURCE", 1, 5)
    client.gaps.on_event(gap_event(rig, NYSE))
    (request,) = client.gaps.requests(0)
    assert asked_of(NYSE, request) == (2, 7)
    refusal = REQUEST_RESPONSE.encode({"status": "3", "source_id": "SOURCE"})
    assert client.on_packet(write_packet(xdp.TRANSPORT, [refusal], {"delivery_flag": 11})) == []
    assert client.refused == ["3"] and len(client.gaps.failed) == 1
    beat = write_packet(xdp.TRANSPORT, [], {"delivery_flag": xdp.HEARTBEAT})
    (reply,) = client.on_packet(beat)
    ((start, end),) = read_packet(xdp.TRANSPORT, reply).spans
    record, values = read_message(NYSE_INTEGRATED_25, reply, start, end)
    assert record.code == 12 and values["source_id"] == "SOURCE"


def test_cboe_takes_a_login_first_and_may_refuse_a_range():
    rig, client = LinesRig(feed_of(PITCH), OPTIONS), CboeClient("0001", "FIRM", "secret")
    client.gaps.on_event(gap_event(rig, PITCH))
    login = client.login(0)
    ((start, end),) = read_packet(suh.TRANSPORT, login).spans
    assert read_message(CBOE_GRP, login, start, end)[0] is LOGIN
    assert client.requests(1) == []
    header = {"unit": 0, "sequence": 0}
    accepted = LOGIN_RESPONSE.encode({"status": "A"})
    client.on_packet(write_packet(suh.TRANSPORT, [accepted], header))
    assert [asked_of(PITCH, one) for one in client.requests(2)] == [(2, 7)]
    assert [len(one) for one in client.requests(2_000_000_000)] == [17]
    refused = CBOE_GRP[4].encode({"unit": 1, "sequence": 2, "count": 7, "status": "D"})
    client.on_packet(write_packet(suh.TRANSPORT, [refused], header))
    assert client.refused == ["D"] and not client.gaps.gaps
    assert [len(one) for one in client.requests(4_000_000_000)] == [8]


def test_a_gap_that_is_given_up_is_not_asked_for_any_more():
    short = LineOptions(window_ns=60 * STEP_NS, recovery_ns=1000)
    rig, client = LinesRig(feed_of(ITCH), short), moldudp64_client("0000000001")
    client.on_event(gap_event(rig, ITCH))
    assert client.gaps
    rig.feed_in([Arrival(10**9, 0, packet(ITCH, 11, 1))])
    for event in rig.drain():
        client.on_event(event)
    assert rig.stream()["state"] == STALE and client.requests(10**9) == []
