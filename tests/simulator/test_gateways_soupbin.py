"""SoupBinTCP sessions of the gateway: logins, replays, silences, the end of the day, bad bytes."""

from __future__ import annotations

import random
import socket
from contextlib import suppress

import pytest
from gateway_rig import ACCOUNTS, CENT, DOLLAR, SECOND, SYMBOLS, Venue, Wire, check_cuts
from ouch_rig import Client, entered, ouch

from feedhandler.actions import BUY, SELL
from feedhandler.protocols.ouch50 import INBOUND
from feedhandler.transports.soupbintcp import SOUPBINTCP, wrap
from simulator.gateways.accounts import Account
from simulator.gateways.ouch import OuchGateway
from simulator.serving.reactor import Reactor

HEARTBEAT = SOUPBINTCP["R"].encode()


def reason(venue: Venue) -> str:
    """Why the last connection ended."""
    return venue.gateway.ended[-1][1]


def test_a_login_is_answered_with_the_session_and_the_start_of_the_day() -> None:
    with ouch() as venue:
        came = Client(venue).login()
        assert [code for code, _ in came] == ["A", "SS"]
        assert (came[0][1]["session"], came[0][1]["sequence_number"]) == ("0000000001", 1)
        assert came[1][1]["event_code"] == "S"


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"name": "NOONE"}, "A"),
        ({"password": "wrong"}, "A"),
        ({"password": ""}, "A"),
        ({"requested_session": "other"}, "S"),
        ({"start": 3}, "S"),
        ({"start": "x"}, "S"),
    ],
)
def test_a_login_is_refused_for_what_is_wrong_with_it(change: dict[str, str], code: str) -> None:
    with ouch() as venue:
        client = Client(venue)
        came = client.login(**change)
        assert [(c, v["reject_reason_code"]) for c, v in came] == [("J", code)]
        assert client.wire.closed and "refused" in reason(venue)
        assert "secret" not in repr(venue.gateway.ended) + repr(ACCOUNTS)


def test_a_second_login_is_refused_until_the_first_connection_is_gone() -> None:
    with ouch() as venue:
        first, second = entered(venue), Client(venue)
        assert [code for code, _ in second.login()] == ["J"]
        assert [code for code, _ in first.order("B", 100, 10_00)] == ["SA"]
        first.peer.on_close(venue.step())
        third = Client(venue)
        assert [code for code, _ in third.login()] == ["A", "SS", "SA", "SC"]


def test_a_client_that_comes_back_gets_what_it_missed_from_any_number_on() -> None:
    with ouch() as venue:
        client = entered(venue, "BETA", "hush")
        client.order("B", 300, 10_00)
        client.peer.on_close(venue.step())
        venue.rests(SELL, 100, 10_00)
        venue.rests(SELL, 50, 10_00)
        whole = Client(venue)
        whole.login("BETA", "hush")
        kept = list(whole.messages)
        assert len(kept) == 4
        whole.raw(SOUPBINTCP["O"].encode())
        for missed in range(len(kept) + 1):
            again = Client(venue)
            first = len(kept) + 1 - missed
            came = again.login("BETA", "hush", first)
            assert came[0][1]["sequence_number"] == first
            assert again.messages == kept[first - 1 :]
            again.number = 1 + missed
            again.send("Q")
            kept.append(again.messages[-1])
            again.raw(SOUPBINTCP["O"].encode())
            assert reason(venue) == "the client logged out"
        only_new = Client(venue)
        only_new.login("BETA", "hush", 0)
        assert only_new.messages == []


def test_orders_go_with_the_connection_where_the_account_says_so() -> None:
    with ouch() as venue:
        alfa, beta = entered(venue), entered(venue, "BETA", "hush")
        alfa.order("B", 100, 10_00)
        beta.order("B", 200, 9_00)
        for client in (alfa, beta):
            client.peer.on_close(venue.step())
        assert venue.shown() == [(1, BUY, 9 * DOLLAR, 200)]
        came = Client(venue).login()
        assert (came[-1][0], came[-1][1]["cancel_order_reason"]) == ("SC", "S")


def test_orders_whose_answer_is_still_on_its_way_go_too() -> None:
    with ouch() as venue:
        client = entered(venue)
        venue.held = True
        client.order("B", 100, 10_00)
        client.peer.on_close(venue.step())
        venue.deliver()
        assert venue.shown() == []
        assert [code for code, _ in Client(venue).login(start=2)] == ["A", "SA", "SC"]


def test_heartbeats_go_out_in_silence_and_a_silent_client_is_dropped() -> None:
    with ouch() as venue:
        client = entered(venue)
        client.order("B", 100, 10_00)
        for _ in range(14):
            client.peer.on_tick(venue.step(SECOND))
        assert client.codes() == " ".join("H" * 14)
        client.raw(HEARTBEAT)
        client.peer.on_tick(venue.step(14 * SECOND))
        assert not client.wire.closed
        client.peer.on_tick(venue.step(SECOND))
        assert client.wire.closed and reason(venue) == "the client was silent"
        assert venue.shown() == []
        client.peer.on_tick(venue.step(SECOND))
        client.raw(HEARTBEAT)
        assert len(venue.gateway.ended) == 1


def test_a_connection_without_a_login_is_dropped() -> None:
    with ouch() as venue:
        client = Client(venue)
        client.raw(HEARTBEAT)
        client.peer.on_tick(venue.step(14 * SECOND))
        client.raw(HEARTBEAT)
        client.peer.on_tick(venue.step(SECOND))
        assert client.wire.closed and reason(venue) == "no login came"
        assert client.came() == []


@pytest.mark.parametrize(
    ("bad", "why"),
    [
        (b"\0\0", "short_message"),
        (b"\0\1?", "unknown_message"),
        (b"\0\2RR", "long_message"),
        (wrap("U", b"?"), "unknown_message"),
        (wrap("U", b""), "short_message"),
        (wrap("U", b"X123"), "short_message"),
        (wrap("U", INBOUND["Q"].encode() + b"more"), "long_message"),
        (SOUPBINTCP["L"].encode(username="ALFA", password="secret"), "out of its turn"),
        (SOUPBINTCP["A"].encode(), "out of its turn"),
    ],
)
def test_what_cannot_be_read_ends_its_own_connection_alone(bad: bytes, why: str) -> None:
    with ouch() as venue:
        client, beta = entered(venue), entered(venue, "BETA", "hush")
        client.raw(bad + HEARTBEAT)
        assert client.wire.closed and why in reason(venue)
        assert [code for code, _ in beta.order("B", 100, 10_00)] == ["SA"]


def test_orders_before_the_login_end_the_connection() -> None:
    with ouch() as venue:
        client = Client(venue)
        client.raw(wrap("U", INBOUND["Q"].encode()))
        assert client.wire.closed and reason(venue) == "a message before the login"


def test_the_end_of_day_is_said_after_the_orders_and_can_be_fetched_later() -> None:
    with ouch() as venue:
        client, beta = entered(venue), entered(venue, "BETA", "hush")
        client.order("B", 100, 10_00)
        beta.order("B", 100, 9_00)
        beta.peer.on_close(venue.step())
        venue.end_of_day()
        venue.gateway.end_of_day(venue.step())
        came = client.came()
        assert [code for code, _ in came] == ["SC", "SS", "Z"]
        assert (came[0][1]["cancel_order_reason"], came[1][1]["event_code"]) == ("E", "E")
        assert client.wire.closed
        late = Client(venue)
        assert [code for code, _ in late.login("BETA", "hush", 3)] == ["A", "SC", "SS", "Z"]
        assert late.wire.closed


def test_a_session_that_was_told_too_much_enters_nothing_more() -> None:
    with ouch(most_kept=3) as venue:
        client = entered(venue, "BETA", "hush")
        client.order("B", 100, 10_00)
        client.order("B", 100, 9_00)
        assert client.order("B", 100, 8_00) == []
        assert client.wire.closed and reason(venue) == "the session's day is full"
        assert len(venue.shown()) == 2
        assert [code for code, _ in Client(venue).login("BETA", "hush", 2)] == ["A", "SA", "SA"]


@pytest.mark.parametrize(
    ("name", "password", "what"), [("TOOLONG", "x", "username"), ("A", "x" * 11, "password")]
)
def test_an_account_that_cannot_log_in_is_refused(name: str, password: str, what: str) -> None:
    with pytest.raises(ValueError, match=what) as raised:
        OuchGateway({name: Account(password, 1000)}, SYMBOLS, lambda commands: None)
    assert password == "x" or password not in str(raised.value)


def test_accounts_are_checked_when_the_gateway_is_made() -> None:
    for accounts in ({"A": Account("x", 999)}, {"A": Account("x", 1000), "B": Account("y", 1000)}):
        with pytest.raises(ValueError, match="owner"):
            OuchGateway(accounts, SYMBOLS, lambda commands: None)


def test_a_connection_that_drops_while_it_is_told_something_harms_nobody() -> None:
    """The outlet may close within a send; the disconnect waits until all reports are heard."""
    with ouch() as venue:
        client = entered(venue)
        client.order("B", 100, 10_00)
        client.order("B", 100, 9_99)
        wire = client.wire

        class Breaking(Wire):
            def send(self, data: bytes) -> None:
                client.peer.on_close(venue.now_ns)

        client.peer.outlet = Breaking()
        venue.rests(SELL, 150, 9_00)
        again = Client(venue)
        codes = [code for code, _ in again.login(start=4)]
        assert codes == ["A", "SE", "SE", "SC"]
        assert wire.taken() == b"" and venue.shown() == []


def stream(seed: int) -> bytes:
    """A client's bytes of a whole small session."""
    rng, client = random.Random(seed), Client.__new__(Client)
    client.number = 0
    made = [SOUPBINTCP["L"].encode(username="ALFA", password="secret", requested_sequence_number=1)]
    for number in range(1, 9):
        client.number = number
        terms = client.terms(rng.choice("BS"), rng.randrange(1, 5) * 100, rng.randrange(995, 1005))
        made.append(wrap("U", INBOUND["O"].encode(terms)))
        target = rng.randrange(1, number + 2)
        made.append(wrap("U", INBOUND["X"].encode(user_ref_num=target, quantity=100)))
    return b"".join(made) + HEARTBEAT


def test_where_the_stream_is_cut_changes_nothing() -> None:
    check_cuts(ouch, Client, stream(1), b"\0\0rest", more_than=300, step=7)


def test_random_truncated_and_changed_bytes_never_raise_nor_harm_others() -> None:
    rng = random.Random(5)
    with ouch() as venue:
        beta = entered(venue, "BETA", "hush")
        for number in range(1, 400):
            data = bytearray(stream(number % 7))
            for _ in range(rng.randrange(1, 6)):
                at = rng.randrange(len(data))
                data[at] = rng.randrange(256)
            if number % 3 == 0:
                del data[rng.randrange(len(data)) :]
            if number % 5 == 0:
                data[49:] = rng.randbytes(200)
            client = Client(venue)
            client.peer.on_bytes(bytes(data), venue.step())
            client.peer.on_close(venue.step())
            assert len(venue.gateway.sessions["ALFA"].orders) == 0
        assert len(venue.gateway.ended) == 256
        venue.step()
        assert [code for code, _ in beta.order("B", 100, 1_00)] == ["SA"]
        assert venue.shown() == [(1, BUY, 100 * CENT, 100)]


def test_over_real_sockets_an_order_comes_back_accepted() -> None:
    with ouch() as venue, Reactor(venue.step) as served:
        address = served.listen(("127.0.0.1", 0), venue.gateway.peer)
        with socket.create_connection(address) as end:
            end.setblocking(False)
            end.sendall(stream(2)[: 49 + 50])
            client = Client(venue)
            for _ in range(400):
                served.run_once(0.005)
                with suppress(BlockingIOError):
                    client.wire.sent += end.recv(1 << 16)
                if b"AAPL" in client.wire.sent:
                    break
            assert client.codes() == "A SS SA"
        for _ in range(400):
            served.run_once(0.005)
            if not served.connections:
                break
        assert venue.shown() == []
        assert reason(venue) == "the connection is gone"
