"""ESesM sessions of the gateway: logins, replays, silences, the end of the day, bad bytes."""

from __future__ import annotations

import random
import socket
from contextlib import suppress
from typing import Any

import pytest
from gateway_rig import CENT, DOLLAR, SECOND, SYMBOLS, Venue, check_cuts
from meo_rig import REFERENCES, Client, entered, login_of, meo, message, statuses, terms

from feedhandler.actions import BUY, SELL
from feedhandler.protocols.miax_meo import MIAX_MEO
from feedhandler.transports.esesm import ESESM, wrap
from simulator.gateways.meo import MeoGateway
from simulator.serving.reactor import Reactor

BEAT = ESESM["1"].encode()
LOGOUT = ESESM["X"].encode()


def reason(venue: Venue) -> str:
    """Why the last connection ended."""
    return venue.gateway.ended[-1][1]


def answers(came: list[tuple[str, dict[str, Any]]]) -> list[tuple[str, int, int]]:
    """(status, engine, highest number) of a login response, which comes first."""
    assert came[0][0] == "r"
    return [
        (e["status"], e["trading_session_id"], e["highest_sequence_number"])
        for e in came[0][1]["engines"]
    ]


def test_a_login_brings_the_symbols_of_each_engine_and_says_when_that_is_all() -> None:
    with meo() as venue:
        came = Client(venue).login()
        assert [code for code, _ in came] == ["r", "SU", "SN", "SU", "SN", "c"]
        assert answers(came) == [("", 1, 2), ("", 2, 2)]
        said = [(v["symbol_id"], v["ticker_symbol"], v["engine"]) for c, v in came if c == "SU"]
        assert said == [(1, "AAPL", 1), (2, "MSFT", 2)]


@pytest.mark.parametrize(
    ("change", "status"),
    [
        ({"name": "NONE"}, "X"),
        ({"password": "wrong"}, "X"),
        ({"version": "9"}, "I"),
        ({"application_protocol": "FOI"}, "A"),
        ({"engines": ((3, 1),)}, "S"),
        ({"engines": ((0, 1),)}, "S"),
        ({"engines": ((1, 1), (1, 1))}, "S"),
        ({"engines": ((1, 4),)}, "N"),
    ],
)
def test_a_login_is_refused_for_what_is_wrong_with_it(change: dict[str, Any], status: str) -> None:
    with meo() as venue:
        client = Client(venue)
        came = client.login(**change)
        assert [code for code, _ in came] == ["r"] and answers(came)[0][0] == status
        assert client.wire.closed and "refused" in reason(venue)
        assert Client(venue).login()[-1][0] == "c"


def test_a_second_login_is_refused_until_the_first_connection_is_gone() -> None:
    with meo() as venue:
        first, second = entered(venue), Client(venue)
        assert answers(second.login())[0][0] == "L" and second.wire.closed
        assert [code for code, _ in first.order(0, 100, 10_00)] == ["NR"]
        first.peer.on_close(venue.step())
        codes = [code for code, _ in Client(venue).login() if code not in REFERENCES]
        assert codes == ["r", "NR", "XN", "c"]


def test_a_client_that_comes_back_gets_what_it_missed_of_each_engine() -> None:
    with meo() as venue:
        client = entered(venue, "BETA", "hush")
        for symbol in (1, 2):
            client.order(0, 300, 10_00, symbol_id=symbol)
        client.peer.on_close(venue.step())
        venue.rests(SELL, 100, 10_00)
        venue.rests(SELL, 50, 10_00)
        venue.rests(SELL, 50, 10_00, instrument=2)
        streams = venue.gateway.sessions["BETA"].streams  # type: ignore[attr-defined]
        assert [len(stream) for stream in streams] == [5, 4]
        for one in range(1, 7):
            for two in range(1, 6):
                again = Client(venue)
                came = again.login("BETA", "hush", engines=((1, one), (2, two)))
                assert answers(came) == [("", 1, 5), ("", 2, 4)] and came[-1][0] == "c"
                assert again.packets.get(1, []) == streams[0][one - 1 :]
                assert again.packets.get(2, []) == streams[1][two - 1 :]
                again.peer.on_close(venue.step())
        again = Client(venue)
        again.login("BETA", "hush", engines=((2, 0),))
        assert again.packets == {}
        venue.rests(SELL, 50, 10_00)
        assert again.codes() == ["E1"]


def test_rejects_are_told_again_too() -> None:
    with meo() as venue:
        client = entered(venue, "BETA", "hush")
        venue.held = True
        client.order(0, 100, 0)
        client.peer.on_close(venue.step())
        venue.deliver()
        came = Client(venue).login("BETA", "hush", engines=((1, 3),))
        assert statuses(came)[1] == ("NR", "J")


def test_a_logout_is_answered_with_a_goodbye() -> None:
    with meo() as venue:
        client = entered(venue)
        assert [(c, v["text"]) for c, v in client.raw(LOGOUT)] == [("G", "the client logged out")]
        assert client.wire.closed and Client(venue).login()[-1][0] == "c"


def test_orders_go_with_the_connection_where_the_account_says_so() -> None:
    with meo() as venue:
        alfa, beta = entered(venue), entered(venue, "BETA", "hush")
        alfa.order(0, 100, 10_00)
        beta.order(0, 200, 9_00)
        for client in (alfa, beta):
            client.peer.on_close(venue.step())
        assert venue.shown() == [(1, BUY, 9 * DOLLAR, 200)]
        assert ("XN", "D") in statuses(Client(venue).login())


def test_heartbeats_go_out_in_silence_and_a_silent_client_is_dropped() -> None:
    with meo() as venue:
        client = entered(venue)
        client.peer.on_tick(venue.step(SECOND))
        assert client.codes() == ["0"]
        client.raw(BEAT + ESESM["T"].encode(text="still there"))
        client.peer.on_tick(venue.step(15 * SECOND))
        assert [v["text"] for _, v in client.came()] == ["the client was silent"]
        assert client.wire.closed and reason(venue) == "the client was silent"
        slow = Client(venue)
        slow.peer.on_tick(venue.step(15 * SECOND))
        assert slow.wire.closed and reason(venue) == "no login came"


def test_the_end_of_day_is_said_after_the_orders_and_can_be_fetched_later() -> None:
    with meo() as venue:
        client, beta = entered(venue), entered(venue, "BETA", "hush")
        client.order(0, 100, 10_00)
        beta.order(0, 100, 9_00)
        beta.peer.on_close(venue.step())
        venue.end_of_day()
        came = client.came()
        assert [code for code, _ in came] == ["XN", "SN", "SN", "G"]
        assert came[1][1]["system_status"] == "C" and client.wire.closed
        late = Client(venue)
        codes = [code for code, _ in late.login("BETA", "hush", engines=((1, 3), (2, 3)))]
        assert codes == ["r", "NR", "XN", "SN", "SN", "c", "G"] and late.wire.closed


def test_what_the_layout_has_no_fields_for_ends_the_connection_in_words() -> None:
    with meo() as venue:
        client = entered(venue)
        (said,) = client.raw(ESESM["a"].encode(text="from 7"))
        assert said[0] == "G" and "log in" in said[1]["text"] and client.wire.closed


@pytest.mark.parametrize(
    ("bad", "why"),
    [
        (b"\0\0", "short_message"),
        (b"\x01\0?", "unknown_message"),
        (b"\x02\x000x", "long_message"),
        (ESESM["r"].encode(engines=[]), "out of its turn"),
        (login_of(), "out of its turn"),
        (wrap("U", b""), "short_message"),
        (wrap("U", b"N"), "short_message"),
        (wrap("U", b"??"), "unknown_message"),
        (wrap("U", MIAX_MEO["NR"].encode()), "unknown_message"),
        (wrap("U", MIAX_MEO["N1"].encode()[:-1]), "short_message"),
        (wrap("U", MIAX_MEO["N1"].encode() + b"x"), "long_message"),
        (wrap("s", MIAX_MEO["N1"].encode(), 1, 1), "long_message"),
    ],
)
def test_what_cannot_be_read_ends_its_own_connection_alone(bad: bytes, why: str) -> None:
    with meo() as venue:
        client, beta = entered(venue), entered(venue, "BETA", "hush")
        came = client.raw(bad + BEAT)
        assert client.wire.closed and why in reason(venue), reason(venue)
        assert [code for code, _ in came] == ["G"]
        assert [code for code, _ in beta.order(0, 100, 10_00)] == ["NR"]


def test_orders_before_the_login_end_the_connection() -> None:
    with meo() as venue:
        client = Client(venue)
        assert [code for code, _ in client.order(0, 100, 10_00)] == ["G"]
        assert reason(venue) == "a message before the login"


def test_a_session_that_was_told_too_much_enters_nothing_more() -> None:
    with meo(most_kept=1) as venue:
        client = entered(venue)
        client.order(0, 100, 10_00)
        assert [code for code, _ in client.order(0, 100, 9_00)] == ["G"]
        assert client.wire.closed and reason(venue) == "the session's day is full"


def test_engines_are_as_many_as_a_mass_cancel_s_answer_has_room_for() -> None:
    for count in (0, 25):
        with pytest.raises(ValueError, match="engines"):
            MeoGateway({}, SYMBOLS, lambda commands: None, engines=count)


def stream(seed: int) -> bytes:
    """A client's bytes of a whole small session."""
    rng, made = random.Random(seed), [login_of()]
    for number in range(1, 9):
        side, shares, cents = rng.randrange(2), rng.randrange(1, 5) * 100, rng.randrange(995, 1005)
        made.append(message("N1", **terms(number, side, shares, cents)))
        target = f"C{rng.randrange(1, number + 2)}"
        about = {"symbol_id": 1, "original_client_order_id": target}
        made.append(message("M1", client_order_id=f"M{number}", size=100, price=10**7, **about))
        made.append(message("CO", client_order_id=f"X{number}", **about))
    return b"".join(made) + BEAT


def test_where_the_stream_is_cut_changes_nothing() -> None:
    check_cuts(meo, Client, stream(1), b"\0\0rest", more_than=1_000, step=37)


def test_random_truncated_and_changed_bytes_never_raise_nor_harm_others() -> None:
    rng = random.Random(5)
    with meo() as venue:
        beta = entered(venue, "BETA", "hush")
        for number in range(1, 300):
            data = bytearray(stream(number % 7))
            for _ in range(rng.randrange(1, 8)):
                data[rng.randrange(len(data))] = rng.randrange(256)
            if number % 3 == 0:
                del data[rng.randrange(len(data)) :]
            if number % 5 == 0:
                data[len(data) // 2 :] = wrap("U", rng.randbytes(131))
            client = Client(venue)
            client.peer.on_bytes(bytes(data), venue.step())
            client.peer.on_close(venue.step())
            assert len(venue.gateway.sessions["ALFA"].orders) == 0
            venue.gateway.sessions["ALFA"].blocked = False  # type: ignore[attr-defined]
        assert [code for code, _ in beta.order(0, 100, 1_00)] == ["NR"]
        assert venue.shown() == [(1, BUY, 100 * CENT, 100)]


def test_over_real_sockets_an_order_comes_back_accepted() -> None:
    with meo() as venue, Reactor(venue.step) as served:
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
            codes = [code for code in client.codes() if code not in ("0", *REFERENCES)]
            assert codes[:3] == ["r", "c", "NR"]
        for _ in range(400):
            served.run_once(0.005)
            if not served.connections:
                break
        assert venue.shown() == []
