"""What the services take and what they refuse, each with the protocol's own code."""

from __future__ import annotations

from typing import Any

import pytest
from service_rig import ACCOUNT, PASSWORD, Caller, Desk, S

from feedhandler import actions as a
from feedhandler.lines.iexgap import gap_fill_request
from feedhandler.protocols.cboe_grp import CBOE_GRP
from feedhandler.protocols.cboe_spin import CBOE_SPIN
from feedhandler.protocols.iex_snap import IEX_SNAP
from feedhandler.transports import iexsnap, iextp, memxtcp, moldudp64, soupbintcp, suh
from feedhandler.transports.memxtcp import MEMX_TCP
from feedhandler.transports.packets import write_packet
from feedhandler.transports.soupbintcp import SOUPBINTCP
from feedhandler.transports.transport import read_packet
from feedhandler.wire.record import Value

# Nasdaq


def mold(desk: Desk, sequence: int, count: int, session: str = "") -> list[tuple[Any, Any]]:
    """(sequence, count) of the packets that answer a request."""
    session = session or str(desk.publisher.header["session"])
    given: dict[str, Value] = {"session": session, "sequence_number": sequence}
    answers = desk.ask(moldudp64.REQUEST.encode(given, requested_message_count=count))
    headers = [read_packet(moldudp64.TRANSPORT, one).header for one in answers]
    return [(header["sequence_number"], header["message_count"]) for header in headers]


def test_moldudp64_sends_again_what_has_left_and_is_kept() -> None:
    with Desk("nasdaq", most_messages=200) as desk:
        end = desk.publisher.units[0].next_sequence
        assert mold(desk, 5, 1) == [(5, 1)]
        assert sum(count for _, count in mold(desk, 1, 60_000)) == 200
        assert mold(desk, end - 2, 50) == [(end - 2, 2)]
        assert mold(desk, end, 1) == mold(desk, 0, 1) == mold(desk, 5, 0) == []
        assert mold(desk, 5, 1, "2603169999") == [] and desk.ask(b"abc") == []


def test_messages_that_wait_for_a_packet_are_not_sent_again_before_it() -> None:
    with Desk("nasdaq") as desk:
        unit = desk.publisher.units[0]
        desk.publisher.publish(waiting(desk))
        assert unit.next_sequence < unit.retained.next
        assert mold(desk, unit.next_sequence, 1) == []
        desk.publisher.flush()
        assert len(mold(desk, unit.next_sequence - 1, 1)) == 1


def waiting(desk: Desk) -> Any:
    """One more order."""
    event = desk.events[:1].copy()
    event["order_id"], event["kind"], event["key"], event["side"] = 10**6, a.ADD, 1, a.BUY
    event["price"], event["quantity"], event["time_ns"] = 10**8, 100, desk.events[-1]["time_ns"]
    return event


def soup(
    password: str = PASSWORD, session: str = "", sequence: int | str = 1, user: str = "FIRM"
) -> bytes:
    """A login."""
    given: dict[str, Value] = {"username": user, "password": password}
    given |= {"requested_session": session, "requested_sequence_number": sequence}
    return SOUPBINTCP["L"].encode(given)


def codes(caller: Caller) -> str:
    """The packets that have come, by their letters."""
    return "".join(code for code, _ in caller.read(soupbintcp.TRANSPORT, SOUPBINTCP))


@pytest.mark.parametrize(
    ("login", "reason"),
    [
        (soup("wrong"), "A"),
        (soup(user="NOBODY"), "A"),
        (soup(""), "A"),
        (soup(session="0000000009"), "S"),
    ],
)
def test_glimpse_rejects_who_it_does_not_know_and_other_sessions(login: bytes, reason: str) -> None:
    with Desk("nasdaq") as desk:
        caller = desk.dial()
        caller.say(login)
        ((code, values),) = caller.read(soupbintcp.TRANSPORT, SOUPBINTCP)
        assert (code, values["reject_reason_code"]) == ("J", reason) and caller.closed


def test_glimpse_sends_from_the_sequence_that_was_asked_for() -> None:
    with Desk("bx") as desk:
        callers = [desk.dial() for _ in range(3)]
        for caller, sequence in zip(callers, (1, 11, 0), strict=True):
            caller.say(soup(sequence=sequence))
        whole, later, new = map(codes, callers)
        assert whole.startswith("AS") and len(whole) == len(later) + 10 and new == "A"
        callers[0].say(SOUPBINTCP["O"].encode())
        assert callers[0].closed and not callers[1].closed


def test_glimpse_has_a_quota_of_images() -> None:
    with Desk("nasdaq", refreshes_day=2) as desk:
        for wanted in "AAJ":
            caller = desk.dial()
            caller.say(soup())
            assert codes(caller)[0] == wanted


# Cboe


def unit_packet(*messages: bytes) -> bytes:
    """A client's packet."""
    return write_packet(suh.TRANSPORT, messages, {"unit": 0, "sequence": 0})


def cboe_login(password: str = PASSWORD, sub_id: str = "0001", user: str = "FIRM") -> bytes:
    """A login."""
    given: dict[str, Value] = {"session_sub_id": sub_id, "username": user, "filler": ""}
    return unit_packet(CBOE_GRP[1].encode(given, password=password))


@pytest.mark.parametrize("service", ["gap", "snapshot"])
def test_cboe_logins_are_answered_by_their_status(service: str) -> None:
    with Desk("bzx") as desk:
        logins = (
            (cboe_login("wrong"), "N"),
            (cboe_login(user="TWO"), "N"),
            (cboe_login(sub_id="9999"), "S"),
            (cboe_login(), "A"),
            (cboe_login(), "B"),
        )
        callers = []
        for login, status in logins:
            callers.append(desk.dial(service))
            callers[-1].say(login)
            code, values = callers[-1].read(suh.TRANSPORT, CBOE_GRP)[0]
            assert (code, values["status"]) == (2, status)
            assert callers[-1].closed == (status != "A")
        callers[3].end.close()
        desk.serve()
        again = desk.dial(service)
        again.say(cboe_login())
        assert again.read(suh.TRANSPORT, CBOE_GRP)[0][1]["status"] == "A"


def gap(desk: Desk, caller: Caller, unit: int, sequence: int, count: int) -> str:
    """The status of a gap request; it is repeated as it was."""
    given: dict[str, Value] = {"unit": unit, "sequence": sequence, "count": count}
    caller.say(unit_packet(CBOE_GRP[3].encode(given)))
    ((code, values),) = caller.read(suh.TRANSPORT, CBOE_GRP)
    assert code == 4 and {name: values[name] for name in given} == given
    return str(values["status"])


def test_gap_requests_are_accepted_or_refused_by_their_status() -> None:
    with Desk("edgx", count=2_500, retain=200, most_messages=100) as desk:
        desk.publisher.publish(waiting(desk))
        caller = desk.dial("gap")
        caller.say(cboe_login())
        assert caller.read(suh.TRANSPORT, CBOE_GRP)[0][1]["status"] == "A"
        unit = desk.publisher.units[0]
        first, end = unit.retained.first, unit.next_sequence
        assert first < end < unit.retained.next
        assert gap(desk, caller, 1, end - 1, 1) == "A" and len(desk.multicast) == 1
        group, payload = desk.multicast.pop()
        header = read_packet(suh.TRANSPORT, payload).header
        assert group == "gap"
        assert (header["unit"], header["sequence"], header["count"]) == (1, end - 1, 1)
        assert gap(desk, caller, 3, first, 1) == "I"
        assert gap(desk, caller, 1, first, 101) == "C"
        for sequence, count in ((1, 1), (end, 1), (end - 1, 2), (end - 1, 0), (2**32 - 5, 1)):
            assert gap(desk, caller, 1, sequence, count) == "O"
        assert desk.multicast == []


@pytest.mark.parametrize(
    ("limits", "status"),
    [({"requests_day": 2}, "D"), ({"requests_minute": 2}, "M"), ({"requests_second": 2}, "S")],
)
def test_gap_requests_have_quotas(limits: dict[str, int], status: str) -> None:
    with Desk("bzx", **limits) as desk:
        caller = desk.dial("gap")
        caller.say(cboe_login())
        caller.read(suh.TRANSPORT, CBOE_GRP)
        assert [gap(desk, caller, 2, 1, 1) for _ in range(3)] == ["A", "A", status]
        desk.now_ns += {"S": S, "M": 60 * S, "D": 86_400 * S}[status]
        caller.say(unit_packet())
        again = desk.dial("gap") if caller.closed else caller
        if caller.closed:
            again.say(cboe_login())
        again.read(suh.TRANSPORT, CBOE_GRP)
        assert gap(desk, again, 2, 1, 1) == "A"


def test_a_spin_is_of_an_image_that_was_announced() -> None:
    with Desk("bzx", kept_images=2) as desk:
        caller = desk.dial(unit=2)
        caller.say(cboe_login())
        words, chance = [], iter(range(2, 9))
        for _ in range(3):
            caller.hear(4, S // 2)
            event = waiting(desk)
            event["order_id"] += next(chance)
            event["key"] = 2
            desk.publisher.publish(event)
            desk.publisher.flush()
            said = caller.read(suh.TRANSPORT, CBOE_SPIN)
            words += [v["sequence"] for code, v in said if code == 0x80]
        words = list(dict.fromkeys(words))
        assert len(words) >= 3 and words == sorted(words)
        for word, status in ((words[0], "O"), (5, "O"), (words[-1], "A")):
            caller.say(unit_packet(CBOE_SPIN[0x81].encode(sequence=word)))
            said = caller.read(suh.TRANSPORT, CBOE_SPIN)
            (response,) = [v for code, v in said if code == 0x82]
            assert (response["sequence"], response["status"]) == (word, status)
        assert said[-1] == (0x83, {**said[-1][1], "sequence": words[-1]})
        adds = sum(code in (0x21, 0x22, 0x2F) for code, _ in said)
        assert adds == response["order_count"] > 10


def test_whoever_asks_cboe_before_the_login_is_cut_off() -> None:
    with Desk("bzx") as desk:
        for service, request in (("gap", CBOE_GRP[3]), ("snapshot", CBOE_SPIN[0x81])):
            caller = desk.dial(service)
            caller.say(unit_packet(request.encode()))
            assert caller.closed and caller.got == b"" and desk.multicast == []


# MEMX


def memx_login(token: str = f"FIRM:{PASSWORD}", kind: str = "P") -> bytes:
    """A login."""
    return MEMX_TCP[memxtcp.LOGIN_REQUEST].encode(token_type=kind, token=token)


@pytest.mark.parametrize("service", ["gap", "snapshot"])
@pytest.mark.parametrize(
    ("login", "code"),
    [
        (memx_login("FIRM:wrong"), "A"),
        (memx_login("FIRM"), "T"),
        (memx_login(kind="X"), "U"),
        (memx_login(f"TWO:{PASSWORD}"), "A"),
    ],
)
def test_memx_rejects_logins_by_their_code(service: str, login: bytes, code: str) -> None:
    with Desk("memx") as desk:
        caller = desk.dial(service)
        caller.say(login)
        ((kind, values),) = caller.read(memxtcp.TRANSPORT, MEMX_TCP)
        assert (kind, values["login_reject_code"]) == (memxtcp.LOGIN_REJECTED, code)
        assert caller.closed


def memx(desk: Desk, caller: Caller, request: int, **given: Value) -> list[tuple[Any, Any]]:
    """The answers to a request."""
    about: dict[str, Value] = {"session_id": desk.publisher.header["session_id"]}
    caller.say(MEMX_TCP[request].encode({**about, **given}))
    return caller.read(memxtcp.TRANSPORT, MEMX_TCP)


def test_memx_replays_what_it_has_and_rejects_the_rest_by_its_code() -> None:
    with Desk("memx", count=2_500, retain=200, most_messages=50) as desk:
        caller, unit = desk.dial("gap"), desk.publisher.units[0]
        caller.say(memx_login())
        accepted, begin = caller.read(memxtcp.TRANSPORT, MEMX_TCP)
        assert accepted[1]["supported_request_mode"] == memxtcp.REPLAY
        assert begin[1]["session_id"] == desk.publisher.header["session_id"]
        end, replay = unit.next_sequence, memxtcp.REPLAY_REQUEST
        said = memx(desk, caller, replay, next_sequence_number=end - 80, count=80)
        assert said[0] == (5, {**said[0][1], "pending_message_count": 50})
        assert len(said) == 52 and said[-1][1]["message_count"] == 50

        def why(request: int, **given: Value) -> str:
            ((_, values),) = memx(desk, caller, request, **given)
            return str(next(v for name, v in values.items() if name.endswith("reject_code")))

        last: dict[str, Value] = {"next_sequence_number": end - 1, "count": 1}
        assert why(replay, **last, session_id=1) == "P"
        assert why(replay, next_sequence_number=end, count=1) == "S"
        assert why(replay, next_sequence_number=1, count=1) == "S"
        assert why(replay, next_sequence_number=end - 1, count=0) == "S"
        assert why(memxtcp.REPLAY_ALL_REQUEST) == "A"
        assert why(memxtcp.STREAM_REQUEST, next_sequence_number=1) == "R"
        image = desk.dial()
        image.say(memx_login())
        said = image.read(memxtcp.TRANSPORT, MEMX_TCP)
        assert said[0][1]["supported_request_mode"] == memxtcp.SNAPSHOT and len(said) > 30
        ((_, values),) = memx(desk, image, replay, **last)
        assert values["replay_reject_code"] == "R"


# IEX


def iex(desk: Desk, *ranges: tuple[int, int], **given: int) -> bytes:
    """A gap fill request for (first, count)."""
    session = desk.publisher.header["session_id"]
    assert isinstance(session, int)
    about = {"channel_id": 1, "session_id": session, **given}
    return gap_fill_request(desk.feed, ranges=list(ranges), **about)


def firsts(answers: list[bytes]) -> list[tuple[Any, Any]]:
    """(first sequence, count) of segments."""
    heads = [read_packet(iextp.TRANSPORT, one).header for one in answers]
    return [(head["first_message_sequence_number"], head["message_count"]) for head in heads]


def test_iex_fills_ranges_by_udp_and_says_nothing_to_invalid_requests() -> None:
    with Desk("iex", most_messages=100) as desk:
        end = desk.publisher.units[0].next_sequence
        assert firsts(desk.ask(iex(desk, (3, 2), (9, 1)))) == [(3, 2), (9, 1)]
        assert sum(count for _, count in firsts(desk.ask(iex(desk, (1, end - 1))))) == 100
        assert firsts(desk.ask(iex(desk))) == [(end, 0)]
        wrong = [
            iex(desk, (9, 1), (3, 2)),
            iex(desk, (3, 2), (4, 2)),
            iex(desk, (end, 1)),
            iex(desk, (5, 0)),
            iex(desk, (0, 1)),
            iex(desk, (3, 1), session_id=5),
            iex(desk, (3, 1), channel_id=2),
            iex(desk, (3, 1), request_type=1),
            iex(desk, (3, 1))[:-1],
            iex(desk, (3, 1)) + b"!",
            b"\x02" + iex(desk, (3, 1))[1:],
        ]
        assert [desk.ask(request) for request in wrong] == [[] for _ in wrong]


def test_iex_segments_have_their_place_in_the_stream_of_bytes() -> None:
    with Desk("iex") as desk:
        sent = desk.publisher.units[0].retained
        (segment,) = desk.ask(iex(desk, (40, 2)))
        before = sum(2 + len(message) for message in sent.messages(1, 39))
        head = read_packet(iextp.TRANSPORT, segment).header
        assert head["stream_offset"] == before and head["send_time"] == sent.made_ns(40)


def test_iex_takes_ranges_over_tcp_in_increasing_order_only() -> None:
    with Desk("iex", most_messages=100) as desk:
        caller = desk.dial("gap_stream")
        data = iex(desk, (3, 2)) + iex(desk, (5, 4), (20, 1))
        for at in range(0, len(data), 7):
            caller.say(data[at : at + 7])
        packets = []
        while caller.got:
            size = 40 + int.from_bytes(caller.got[12:14], "little")
            packets.append(caller.got[:size])
            caller.got = caller.got[size:]
        assert firsts(packets) == [(3, 2), (5, 4), (20, 1)] and not caller.closed
        caller.say(iex(desk, (20, 1)))
        assert caller.closed and caller.got == b""
        for request in (iex(desk, (1, 101)), iex(desk)[:12] + b"\xff" * 4):
            caller = desk.dial("gap_stream")
            caller.say(request)
            assert caller.closed and caller.got == b""


def snap(desk: Desk, caller: Caller, **given: Value) -> list[tuple[Any, Any]]:
    """The answers to a snapshot request."""
    about: dict[str, Value] = {"authentication_token": PASSWORD, "channel_id": 1}
    about["session_id"] = desk.publisher.header["session_id"]
    request = IEX_SNAP["r"].encode({**about, **given})
    caller.say(iexsnap.TRANSPORT.framing.wrap(request))
    return caller.read(iexsnap.TRANSPORT, IEX_SNAP)


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        ({"authentication_token": "wrong"}, "A"),
        ({"channel_id": 2}, "C"),
        ({"session_id": 5}, "S"),
        ({"minimum_sequence_number": 10**9}, "R"),
    ],
)
def test_snap_refuses_by_its_reason(given: dict[str, Value], reason: str) -> None:
    with Desk("iex") as desk:
        caller = desk.dial()
        ((code, values),) = snap(desk, caller, **given)
        assert (code, values["reject_reason_code"]) == ("e", reason) and caller.closed


def test_snap_gives_one_image_at_a_time_and_so_many_a_day() -> None:
    with Desk("iex", refreshes_day=1) as desk:
        caller, second, third = desk.dial(), desk.dial(), desk.dial()
        said = snap(desk, caller)
        assert said[0][0] == "s" and said[-1][0] == "x"
        assert said[-1][1]["snapshot_sequence_number"] == desk.publisher.units[0].retained.next - 1
        assert snap(desk, second)[0][1]["reject_reason_code"] == "E"
        assert snap(desk, caller)[0][1]["reject_reason_code"] == "E" and caller.closed
        desk.serve()
        assert snap(desk, third)[0][1]["reject_reason_code"] == "Q"
        fourth = desk.dial()
        fourth.say(iexsnap.TRANSPORT.framing.wrap(b"?what"))
        ((code, values),) = fourth.read(iexsnap.TRANSPORT, IEX_SNAP)
        assert (code, values["reject_reason_code"]) == ("e", "U")


# All of them


SERVICES = [
    ("nasdaq", "snapshot", soup()),
    ("bzx", "gap", cboe_login()),
    ("bzx", "snapshot", cboe_login()),
    ("nyse", "gap", b""),
    ("memx", "gap", memx_login()),
    ("memx", "snapshot", memx_login()),
    ("iex", "snapshot", b""),
]


@pytest.mark.parametrize(("venue", "service", "login"), SERVICES)
def test_silent_clients_are_dropped(venue: str, service: str, login: bytes) -> None:
    with Desk(venue) as desk:
        silent, told = desk.dial(service), desk.dial(service)
        told.say(login)
        silent.hear(4, 4 * S)
        assert silent.closed
        told.hear(4, 4 * S)
        assert told.closed and desk.reactor.connections == 0


@pytest.mark.parametrize(("venue", "service", "login"), SERVICES[:-1])
def test_services_say_every_second_that_they_are_there(
    venue: str, service: str, login: bytes
) -> None:
    with Desk(venue) as desk:
        caller = desk.dial(service)
        caller.say(login)
        before = len(caller.got)
        caller.hear(3, S)
        assert len(caller.got) > before and not caller.closed


def test_passwords_show_nowhere() -> None:
    with Desk("bzx") as desk:
        settings = desk.services.settings
        assert PASSWORD not in repr(settings) + repr(ACCOUNT) and "***" in repr(ACCOUNT)
