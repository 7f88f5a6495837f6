"""Pillar streams of the gateway: logins, opens, replays, silences, the day's end, bad bytes."""

from __future__ import annotations

import random
import socket
from contextlib import suppress
from typing import Any

import pytest
from gateway_rig import CENT, DOLLAR, SECOND, Venue, check_cuts
from pillar_rig import BEAT, CANCEL, NEW, Client, entered, login_of, open_of, pillar, terms

from feedhandler.actions import BUY, SELL
from feedhandler.protocols.pillar_gateway import PILLAR_GATEWAY
from feedhandler.transports.pillar_stream import PILLAR_STREAM, wrap
from simulator.gateways.pillar import FROM_TRADER, SYMBOLS
from simulator.gateways.pillarsession import TO_TRADER
from simulator.serving.reactor import Reactor

HEARTBEAT = PILLAR_STREAM[BEAT].encode()
RESPONSE, AVAILABLE, OPENED, CLOSED = 0x0202, 0x0203, 0x0206, 0x0208


def reason(venue: Venue) -> str:
    """Why the last connection ended."""
    return venue.gateway.ended[-1][1]


def statuses(came: list[tuple[int, dict[str, Any]]]) -> list[tuple[int, int]]:
    """(code, status) of what came."""
    return [(code, values.get("status", -1)) for code, values in came]


def test_a_login_is_answered_with_the_streams() -> None:
    with pillar() as venue:
        came = Client(venue).login()
        assert statuses(came) == [(RESPONSE, 0), *[(AVAILABLE, -1)] * 3]
        said = [(v["sess"], v["value"], v["next_seq"], v["access"]) for _, v in came[1:]]
        assert said == [(1000, 1, 1, 2), (1000, 2, 1, 1), (1000, 3, 3, 1)]


@pytest.mark.parametrize(
    ("change", "status"),
    [
        ({"name": "NOONE"}, 24),
        ({"password": "wrong"}, 24),
        ({"mic": "ARCX"}, 24),
        ({"version": "4.0"}, 81),
    ],
)
def test_a_login_is_refused_for_what_is_wrong_with_it(change: dict[str, str], status: int) -> None:
    with pillar() as venue:
        client = Client(venue)
        assert statuses(client.login(**change)) == [(RESPONSE, status)]
        assert client.wire.closed and "refused" in reason(venue)


def test_a_second_login_is_refused_until_the_first_connection_is_gone() -> None:
    with pillar() as venue:
        first, second = entered(venue), Client(venue)
        assert statuses(second.login()) == [(RESPONSE, 27)] and second.wire.closed
        assert statuses(first.raw(login_of("ALFA", "secret"))) == [(RESPONSE, 27)]
        assert not first.wire.closed
        first.peer.on_close(venue.step())
        assert statuses(Client(venue).login())[0] == (RESPONSE, 0)


def test_the_symbols_are_told_on_a_stream_of_their_own() -> None:
    with pillar() as venue:
        client = Client(venue)
        client.login()
        came = client.open(SYMBOLS, 1)
        assert [(v["symbol_id"], v["nyse_symbol"]) for _, v in came[1:]] == [
            (1, "AAPL"),
            (2, "MSFT"),
        ]


@pytest.mark.parametrize(
    ("stream", "change", "status"),
    [
        (9, {}, 84),
        (TO_TRADER, {"sess": 1001}, 84),
        (TO_TRADER, {"access": 2}, 54),
        (TO_TRADER, {"start": 2}, 82),
        (TO_TRADER, {"start": 1, "end_seq": 0}, 0),
        (SYMBOLS, {"start": 2, "end_seq": 1}, 82),
        (FROM_TRADER, {"access": 1}, 54),
        (FROM_TRADER, {"start": 2}, 82),
        (FROM_TRADER, {"start": 1}, 0),
    ],
)
def test_an_open_is_answered_by_what_can_be_opened(
    stream: int, change: dict[str, int], status: int
) -> None:
    with pillar() as venue:
        client = Client(venue)
        client.login()
        assert statuses(client.open(stream, **change)) == [(OPENED, status)]


def test_a_client_that_comes_back_gets_what_it_missed_from_any_number_on() -> None:
    with pillar() as venue:
        client = entered(venue, "BETA", "hush")
        client.order(1, 300, 10_00)
        client.peer.on_close(venue.step())
        for shares in (100, 50, 50):
            venue.rests(SELL, shares, 10_00)
        kept = venue.gateway.sessions["BETA"].packets  # type: ignore[attr-defined]
        assert len(kept) == 4
        for start in range(1, 6):
            again = Client(venue)
            assert again.login("BETA", "hush")[2][1]["next_seq"] == 5
            again.open(TO_TRADER, start)
            assert again.packets == kept[start - 1 :]
            again.peer.on_close(venue.step())
        again = Client(venue)
        assert again.login("BETA", "hush")[1][1]["next_seq"] == 2
        again.open(TO_TRADER)
        assert again.packets == []


def test_a_stream_with_an_end_is_closed_behind_it_and_can_be_opened_again() -> None:
    with pillar() as venue:
        client = entered(venue)
        for cents in (9_00, 9_01, 9_02):
            client.order(1, 100, cents)
        client.raw(PILLAR_STREAM[0x0207].encode(sess=1000, value=TO_TRADER))
        client.packets.clear()
        came = client.open(TO_TRADER, 2, end_seq=4)
        assert [v.get("seq") for _, v in came] == [None, 2, 3]
        came = client.order(1, 100, 9_03)
        assert [code for code, _ in came] == [0x0260, CLOSED, AVAILABLE]
        assert client.order(1, 100, 9_04) == []
        assert [v.get("seq") for _, v in client.open(TO_TRADER, 5)] == [None, 5]


def test_messages_are_taken_in_sequence_on_the_stream_that_is_open_for_them() -> None:
    with pillar() as venue:
        client = entered(venue)
        message = PILLAR_GATEWAY[NEW].encode(terms(1, 1, 100, 9_00))
        for stream, sess, sequence, status in (
            (TO_TRADER, 1000, 1, 54),
            (FROM_TRADER, 1001, 1, 84),
            (FROM_TRADER, 1000, 2, 82),
            (FROM_TRADER, 1000, 1, 85),
        ):
            came = client.raw(wrap(message, sequence, sess, stream))
            assert statuses(came)[0] == (CLOSED, status)
            assert came[0][1]["value"] == stream
        assert client.open(FROM_TRADER)[0][1]["status"] == 0
        assert client.open(TO_TRADER)[0][1]["status"] == 0
        assert [code for code, _ in client.raw(wrap(message, 1, 1000, FROM_TRADER))] == [0x0260]
        came = client.raw(wrap(message, 1, 1000, FROM_TRADER))
        assert statuses(came)[0] == (CLOSED, 82)
        assert (came[1][1]["value"], came[1][1]["next_seq"]) == (FROM_TRADER, 2)
        close = PILLAR_STREAM[0x0207]
        assert statuses(client.raw(close.encode(sess=1000, value=FROM_TRADER))) == [(CLOSED, 85)]
        assert statuses(client.raw(close.encode(sess=1000, value=7))) == [(CLOSED, 84)]


def test_orders_go_with_the_connection_where_the_account_says_so() -> None:
    with pillar() as venue:
        alfa, beta = entered(venue), entered(venue, "BETA", "hush")
        alfa.order(1, 100, 10_00)
        beta.order(1, 200, 9_00)
        for client in (alfa, beta):
            client.peer.on_close(venue.step())
        assert venue.shown() == [(1, BUY, 9 * DOLLAR, 200)]


def test_heartbeats_go_out_in_silence_and_a_silent_client_is_dropped() -> None:
    with pillar() as venue:
        client = entered(venue)
        client.peer.on_tick(venue.step(SECOND))
        assert client.codes() == [BEAT]
        client.raw(HEARTBEAT)
        client.peer.on_tick(venue.step(15 * SECOND))
        assert statuses(client.came()) == [(RESPONSE, 28)]
        assert client.wire.closed and reason(venue) == "the client was silent"
        slow = Client(venue)
        slow.peer.on_tick(venue.step(15 * SECOND))
        assert statuses(slow.came()) == [(RESPONSE, 29)] and slow.wire.closed


def test_the_end_of_day_ends_connections_and_what_was_said_can_be_fetched_later() -> None:
    with pillar() as venue:
        client, beta = entered(venue), entered(venue, "BETA", "hush")
        client.order(1, 100, 10_00)
        beta.order(1, 100, 9_00)
        beta.peer.on_close(venue.step())
        venue.end_of_day()
        assert [v["ack_type"] for _, v in client.came()] == [11]
        assert client.wire.closed and reason(venue) == "the day is over"
        late = Client(venue)
        late.login("BETA", "hush")
        assert [code for code, _ in late.open(TO_TRADER, 1)] == [OPENED, 0x0260, 0x0271]


@pytest.mark.parametrize(
    ("bad", "why"),
    [
        (b"\x04\x02\x03\0", "bad_length"),
        (b"\xff\xff\x04\0", "unknown_message"),
        (b"\x04\x02\x05\0\0", "long_message"),
        (PILLAR_STREAM[RESPONSE].encode(), "out of its turn"),
        (wrap(b"\xff\xff\x04\0", 1, 1000, FROM_TRADER), "unknown_message"),
        (wrap(b"", 1, 1000, FROM_TRADER), "short_message"),
        (wrap(PILLAR_GATEWAY[0x0260].encode(), 1, 1000, FROM_TRADER), "unknown_message"),
        (wrap(PILLAR_GATEWAY[CANCEL].encode(msg_length=5), 1, 1000, FROM_TRADER), "bad_length"),
        (wrap(PILLAR_GATEWAY[NEW].encode() + b"x", 1, 1000, FROM_TRADER), "bad_count"),
    ],
)
def test_what_cannot_be_read_ends_its_own_connection_alone(bad: bytes, why: str) -> None:
    with pillar() as venue:
        client, beta = entered(venue), entered(venue, "BETA", "hush")
        came = client.raw(bad + HEARTBEAT)
        assert client.wire.closed and why in reason(venue)
        assert statuses(came) == [(RESPONSE, 33)]
        assert [code for code, _ in beta.order(1, 100, 10_00)] == [0x0260]


def test_a_session_that_was_told_too_much_enters_nothing_more() -> None:
    with pillar(most_kept=1) as venue:
        client = entered(venue)
        client.order(1, 100, 10_00)
        assert statuses(client.order(1, 100, 9_00)) == [(RESPONSE, 33)]
        assert client.wire.closed and reason(venue) == "the session's day is full"


def test_nothing_is_taken_before_the_login() -> None:
    for data in (open_of("ALFA", TO_TRADER), wrap(PILLAR_GATEWAY[NEW].encode(), 1, 1000, 1)):
        with pillar() as venue:
            client = Client(venue)
            assert statuses(client.raw(HEARTBEAT + data)) == [(RESPONSE, 18)]
            assert client.wire.closed and "before the login" in reason(venue)


def stream(seed: int) -> bytes:
    """A client's bytes of a whole small session."""
    rng = random.Random(seed)
    made = [login_of("ALFA", "secret"), open_of("ALFA", TO_TRADER), open_of("ALFA", FROM_TRADER)]
    for number in range(1, 9):
        side, shares, cents = (
            rng.choice((1, 2)),
            rng.randrange(1, 5) * 100,
            rng.randrange(995, 1005),
        )
        order = PILLAR_GATEWAY[NEW].encode(terms(number, side, shares, cents))
        target = rng.randrange(1, number + 2)
        cancel = PILLAR_GATEWAY[CANCEL].encode(cl_ord_id=100 + number, orig_cl_ord_id=target)
        made.append(wrap(order, 2 * number - 1, 1000, FROM_TRADER))
        made.append(wrap(cancel, 2 * number, 1000, FROM_TRADER))
    return b"".join(made) + HEARTBEAT


def test_where_the_stream_is_cut_changes_nothing() -> None:
    check_cuts(pillar, Client, stream(1), b"\x04\x02\0\0rest", more_than=1_000, step=37)


def test_random_truncated_and_changed_bytes_never_raise_nor_harm_others() -> None:
    rng = random.Random(5)
    with pillar() as venue:
        beta = entered(venue, "BETA", "hush")
        for number in range(1, 300):
            data = bytearray(stream(number % 7))
            for _ in range(rng.randrange(1, 8)):
                data[rng.randrange(len(data))] = rng.randrange(256)
            if number % 3 == 0:
                del data[rng.randrange(len(data)) :]
            if number % 5 == 0:
                data[len(data) // 2 :] = wrap(rng.randbytes(65), 1, 1000, FROM_TRADER)
            client = Client(venue)
            client.peer.on_bytes(bytes(data), venue.step())
            client.peer.on_close(venue.step())
            assert len(venue.gateway.sessions["ALFA"].orders) == 0
            venue.gateway.sessions["ALFA"].taken = 0  # type: ignore[attr-defined]
        assert [code for code, _ in beta.order(1, 100, 1_00)] == [0x0260]
        assert venue.shown() == [(1, BUY, 100 * CENT, 100)]


def test_over_real_sockets_an_order_comes_back_acknowledged() -> None:
    with pillar() as venue, Reactor(venue.step) as served:
        address = served.listen(("127.0.0.1", 0), venue.gateway.peer)
        with socket.create_connection(address) as end:
            end.setblocking(False)
            end.sendall(stream(2))
            client = Client(venue)
            for _ in range(400):
                served.run_once(0.005)
                with suppress(BlockingIOError):
                    client.wire.sent += end.recv(1 << 16)
                if b"MPID" in client.wire.sent:
                    break
            codes = [code for code in client.codes() if code != BEAT]
            assert codes[:7] == [RESPONSE, *[AVAILABLE] * 3, OPENED, OPENED, 0x0260]
        for _ in range(400):
            served.run_once(0.005)
            if not served.connections:
                break
        assert venue.shown() == []
