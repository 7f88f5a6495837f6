"""BOE sessions of the gateway: logins, replays, silences, the end of the day, bad bytes."""

from __future__ import annotations

import random
import socket
from contextlib import suppress
from typing import Any

import pytest
from boe_rig import (
    CANCEL,
    HEARTBEAT,
    LOGIN,
    LOGOUT,
    MODIFY,
    NEW,
    RETURNS,
    Client,
    boe,
    entered,
    units,
)
from gateway_rig import CENT, DOLLAR, SECOND, SYMBOLS, Venue, check_cuts

from feedhandler.actions import BUY, SELL
from feedhandler.protocols.cboe_boe import CBOE_BOE
from simulator.gateways.boe import BoeGateway
from simulator.serving.reactor import Reactor

BEAT = CBOE_BOE[HEARTBEAT].encode()
GROUP = {"type": 0x81, "message_type": 0x25, "bitfield_count": 1}


def reason(venue: Venue) -> str:
    """Why the last connection ended."""
    return venue.gateway.ended[-1][1]


def test_a_login_is_answered_with_the_units_sequences_and_an_empty_replay() -> None:
    with boe() as venue:
        came = Client(venue).login()
        assert [code for code, _ in came] == [0x24, 0x13]
        said = came[0][1]
        assert (said["login_response_status"], said["number_of_param_groups"]) == ("A", 7)
        listed = [(e["unit_number"], e["sequence_number"]) for e in said["unit_sequence"]]
        assert listed == [(1, 0), (2, 0)]


@pytest.mark.parametrize(
    ("change", "status"),
    [
        ({"name": "NONE"}, "N"),
        ({"password": "wrong"}, "N"),
        ({"session_sub_id": "0002"}, "S"),
        ({"groups": [units((3, 0))]}, "I"),
        ({"groups": [units((1, 1))]}, "Q"),
        ({"groups": [{**GROUP, "message_type": 0x99, "bitfields": [1]}]}, "F"),
        ({"groups": [{**GROUP, "message_type": NEW, "bitfields": [1]}]}, "F"),
        ({"groups": [{**GROUP, "bitfield_count": 4, "bitfields": [0, 0, 0, 1]}]}, "F"),
        ({"groups": [{"type": 0x82, "body": "00"}]}, "M"),
        ({"number_of_param_groups": 9}, "M"),
    ],
)
def test_a_login_is_refused_for_what_is_wrong_with_it(change: dict[str, Any], status: str) -> None:
    with boe() as venue:
        client = Client(venue)
        came = client.login(**change)
        assert [(c, v["login_response_status"]) for c, v in came] == [(0x24, status)]
        assert client.wire.closed and "refused" in reason(venue)


def test_return_bitfields_of_messages_that_have_none_may_be_listed_as_zero() -> None:
    with boe() as venue:
        zero = {**GROUP, "message_type": 0x2F, "bitfields": [0]}
        assert Client(venue).login(groups=[zero])[0][1]["login_response_status"] == "A"


def test_a_second_login_is_refused_until_the_first_connection_is_gone() -> None:
    with boe() as venue:
        first, second = entered(venue), Client(venue)
        assert second.login()[0][1]["login_response_status"] == "B"
        assert [code for code, _ in first.order("1", 100, 10_00)] == [0x25]
        first.peer.on_close(venue.step())
        codes = [code for code, _ in Client(venue).login()]
        assert codes == [0x24, 0x25, 0x2A, 0x13]


def test_a_client_that_comes_back_gets_what_it_missed_of_each_unit() -> None:
    with boe() as venue:
        client = entered(venue, "BETA", "hush")
        for symbol in SYMBOLS:
            client.order("1", 300, 10_00, symbol=symbol)
        client.peer.on_close(venue.step())
        venue.rests(SELL, 100, 10_00)
        venue.rests(SELL, 50, 10_00)
        venue.rests(SELL, 50, 10_00, instrument=2)
        whole = Client(venue)
        whole.login("BETA", "hush")
        kept = whole.raws
        assert {unit: len(kept[unit]) for unit in kept} == {1: 3, 2: 2}
        whole.peer.on_close(venue.step())
        for one in range(4):
            for two in range(3):
                again = Client(venue)
                again.login("BETA", "hush", groups=[units((1, one), (2, two))])
                assert again.raws.get(1, []) == kept[1][one:]
                assert again.raws.get(2, []) == kept[2][two:]
                again.peer.on_close(venue.step())
        again = Client(venue)
        again.login("BETA", "hush", groups=[units((2, 1), only_these=1)])
        assert again.raws == {2: kept[2][1:]}


def test_the_last_sequence_of_the_client_is_told_at_login_and_logout() -> None:
    with boe() as venue:
        client = entered(venue)
        for _ in range(3):
            client.order("1", 100, 10_00)
        came = client.send(LOGOUT)
        assert [code for code, _ in came] == [0x08]
        said = came[0][1]
        assert (said["logout_reason"], said["last_received_sequence_number"]) == ("U", 3)
        assert said["unit_sequence"][0]["sequence_number"] == 3
        assert client.wire.closed
        assert Client(venue).login()[0][1]["last_received_sequence_number"] == 3


def test_rejects_are_not_replayed() -> None:
    with boe() as venue:
        client = entered(venue, "BETA", "hush")
        venue.held = True
        client.order("1", 100, 0)
        client.peer.on_close(venue.step())
        venue.deliver()
        assert [code for code, _ in Client(venue).login("BETA", "hush")] == [0x24, 0x13]


def test_orders_go_with_the_connection_where_the_account_says_so() -> None:
    with boe() as venue:
        alfa, beta = entered(venue), entered(venue, "BETA", "hush")
        alfa.order("1", 100, 10_00)
        beta.order("1", 200, 9_00)
        for client in (alfa, beta):
            client.peer.on_close(venue.step())
        assert venue.shown() == [(1, BUY, 9 * DOLLAR, 200)]
        came = Client(venue).login()
        assert (came[2][0], came[2][1]["cancel_reason"]) == (0x2A, "A")


def test_heartbeats_go_out_in_silence_and_a_silent_client_is_dropped() -> None:
    with boe() as venue:
        client = entered(venue)
        for _ in range(4):
            client.peer.on_tick(venue.step(SECOND))
        assert client.codes() == [0x09] * 4
        client.raw(BEAT)
        client.peer.on_tick(venue.step(5 * SECOND))
        came = client.came()
        assert (came[0][0], came[0][1]["logout_reason"]) == (0x08, "!")
        assert client.wire.closed and reason(venue) == "the client was silent"


def test_the_end_of_day_is_said_after_the_orders_and_can_be_fetched_later() -> None:
    with boe() as venue:
        client, beta = entered(venue), entered(venue, "BETA", "hush")
        client.order("1", 100, 10_00)
        beta.order("1", 100, 9_00)
        beta.peer.on_close(venue.step())
        venue.end_of_day()
        came = client.came()
        assert [code for code, _ in came] == [0x2A, 0x08]
        assert (came[0][1]["cancel_reason"], came[1][1]["logout_reason"]) == ("X", "E")
        late = Client(venue)
        assert [c for c, _ in late.login("BETA", "hush")] == [0x24, 0x25, 0x2A, 0x13, 0x08]
        assert late.wire.closed


@pytest.mark.parametrize(
    ("bad", "why"),
    [
        (b"\xba\xbb\x08\0\x03", "bad_length"),
        (b"\xba\xba\0\0", "bad_length"),
        (b"\xba\xba\x08\0\xee\0\0\0\0\0", "unknown_message"),
        (b"\xba\xba\x09\0\x03\0\0\0\0\0\0", "long_message"),
        (CBOE_BOE[NEW].encode(cl_ord_id="A", symbol="AAPL")[:-1], "after"),
        (CBOE_BOE[0x24].encode(), "out of its turn"),
        (CBOE_BOE[LOGIN].encode(), "out of its turn"),
    ],
)
def test_what_cannot_be_read_ends_its_own_connection_alone(bad: bytes, why: str) -> None:
    with boe() as venue:
        client, beta = entered(venue), entered(venue, "BETA", "hush")
        client.raw(bad + BEAT)
        if why == "after":
            client.raw(BEAT * 9)
            why = "no message"
        assert client.wire.closed and why in reason(venue)
        assert client.came()[-1][1]["logout_reason"] == "!"
        assert [code for code, _ in beta.order("1", 100, 10_00)] == [0x25]


def test_orders_before_the_login_end_the_connection() -> None:
    with boe() as venue:
        client = Client(venue)
        came = client.order("1", 100, 10_00)
        assert (came[0][0], came[0][1]["logout_reason"]) == (0x08, "!")
        assert reason(venue) == "a message before the login"
        slow = Client(venue)
        slow.peer.on_tick(venue.step(15 * SECOND))
        assert slow.wire.closed and reason(venue) == "no login came"


def test_a_session_that_was_told_too_much_enters_nothing_more() -> None:
    with boe(most_kept=1) as venue:
        client = entered(venue)
        client.order("1", 100, 10_00)
        client.raw(BEAT)
        came = client.order("1", 100, 9_00)
        assert [(code, v["logout_reason"]) for code, v in came] == [(0x08, "!")]
        assert client.wire.closed and reason(venue) == "the session's day is full"


def test_units_are_counted_in_a_byte() -> None:
    for count in (0, 256):
        with pytest.raises(ValueError, match="units"):
            BoeGateway({}, SYMBOLS, lambda commands: None, units=count)


def stream(seed: int) -> bytes:
    """A client's bytes of a whole small session."""
    rng, client = random.Random(seed), Client.__new__(Client)
    groups: Any = [units(), *RETURNS]
    name = {"session_sub_id": "0001", "username": "ALFA", "password": "secret"}
    made = [CBOE_BOE[LOGIN].encode(name, param_group=groups)]
    for number in range(1, 9):
        client.number = number
        terms = client.terms(rng.choice("12"), rng.randrange(1, 5) * 100, rng.randrange(995, 1005))
        made.append(CBOE_BOE[NEW].encode(terms))
        made.append(CBOE_BOE[CANCEL].encode(orig_cl_ord_id=f"C{rng.randrange(1, number + 2)}"))
        one = {"cl_ord_id": f"M{number}", "orig_cl_ord_id": f"C{number}", "order_qty": 100}
        made.append(CBOE_BOE[MODIFY].encode(one))
    return b"".join(made) + BEAT


def test_where_the_stream_is_cut_changes_nothing() -> None:
    check_cuts(boe, Client, stream(1), b"\xba\xba\0\0rest", more_than=300, step=37)


def test_random_truncated_and_changed_bytes_never_raise_nor_harm_others() -> None:
    rng = random.Random(5)
    with boe() as venue:
        beta = entered(venue, "BETA", "hush")
        for number in range(1, 300):
            data = bytearray(stream(number % 7))
            for _ in range(rng.randrange(1, 8)):
                data[rng.randrange(len(data))] = rng.randrange(256)
            if number % 3 == 0:
                del data[rng.randrange(len(data)) :]
            if number % 5 == 0:
                data[len(data) // 2 :] = b"\xba\xba" + rng.randbytes(200)
            client = Client(venue)
            client.peer.on_bytes(bytes(data), venue.step())
            client.peer.on_close(venue.step())
            assert len(venue.gateway.sessions["ALFA"].orders) == 0
        assert [code for code, _ in beta.order("1", 100, 1_00)] == [0x25]
        assert venue.shown() == [(1, BUY, 100 * CENT, 100)]


def test_over_real_sockets_an_order_comes_back_acknowledged() -> None:
    with boe() as venue, Reactor(venue.step) as served:
        address = served.listen(("127.0.0.1", 0), venue.gateway.peer)
        with socket.create_connection(address) as end:
            end.setblocking(False)
            end.sendall(stream(2))
            client = Client(venue)
            for _ in range(400):
                served.run_once(0.005)
                with suppress(BlockingIOError):
                    client.wire.sent += end.recv(1 << 16)
                if b"C8" in client.wire.sent:
                    break
            assert client.codes()[:3] == [0x24, 0x13, 0x25]
        for _ in range(400):
            served.run_once(0.005)
            if not served.connections:
                break
        assert venue.shown() == []
