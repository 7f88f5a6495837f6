"""MEO's login: what it asks for, what it hears, and that a goodbye ends the routing."""

from __future__ import annotations

import random
from typing import Any

from entry_rig import HEARD, NUMBERS, Router

from feedhandler.feed import decode
from feedhandler.lines.secret import Secret
from feedhandler.protocols.miax_meo import MIAX_MEO
from feedhandler.registry import versions
from feedhandler.transports.esesm import ESESM, wrap
from router import tables as t
from router.entry.hearing import Hearing
from router.entry.layout import DOWN, UP
from router.entry.logins import IN, OVER, REFUSED, WAITING, Credentials, Heard, MeoLogin

CREDENTIALS = Credentials(
    username="ALFA", password=Secret("PC-01", 8), session="MEO2.6", version="2.6"
)


def login_told(*packets: bytes, engines: dict[int, int] | None = None) -> tuple[MeoLogin, Router]:
    """A login that heard what a venue said, and the router behind it."""
    login, router = MeoLogin(CREDENTIALS, engines), Router()
    router.sessions.connect(NUMBERS["meo"], router.ports[0])  # type: ignore[arg-type]
    router.sessions.set_state(NUMBERS["meo"], UP)
    for packet in packets:
        for action in router.hear("meo", packet):
            assert login.hear(*(int(action[name]) for name in HEARD)) == b""
    return login, router


def response(*statuses: str) -> bytes:
    return ESESM["r"].encode(engines=[{"status": status} for status in statuses])


def test_what_a_login_asks_for() -> None:
    login, _ = login_told(engines={1: 5, 2: 0})
    (message,) = decode(versions("miax_meo")[0], login.start()).messages
    assert (message.values["username"], message.values["computer_id"]) == ("ALFA", "PC-01")
    assert message.values["application_protocol"] == "MEO2.6"
    assert message.values["requested"] == [
        {"trading_session_id": 1, "requested_sequence_number": 5},
        {"trading_session_id": 2, "requested_sequence_number": 0},
    ]
    assert login.state == WAITING
    assert "PC-01" not in repr(CREDENTIALS)


def test_it_is_in_when_all_that_was_missed_has_come() -> None:
    login, _ = login_told(response(" ", " "))
    assert login.state == WAITING
    login, _ = login_told(response(" ", " "), ESESM["c"].encode())
    assert login.state == IN


def test_one_engine_that_refuses_is_a_refusal() -> None:
    login, _ = login_told(response(" ", "I"), ESESM["c"].encode())
    assert (login.state, login.why) == (REFUSED, "incompatible session protocol version")


def test_a_login_asks_for_what_is_behind_the_last_of_each_engine() -> None:
    given = Credentials(username="ALFA", password=Secret("PC-01", 8), engines=3)
    login = MeoLogin.behind(given, Heard(units={2: 41, 3: 7, 9: 5}))
    (message,) = decode(versions("miax_meo")[0], login.start()).messages
    assert (message.values["version"], message.values["application_protocol"]) == ("2.6", "MEO2.6")
    wanted: Any = message.values["requested"]
    names = ("trading_session_id", "requested_sequence_number")
    assert [tuple(one[name] for name in names) for one in wanted] == [(1, 1), (2, 42), (3, 8)]


def test_what_a_login_hangs_on_is_heard_wherever_the_stream_is_cut() -> None:
    update = MIAX_MEO["SU"].encode(symbol_id=7, ticker_symbol="KOZ")
    answer = MIAX_MEO["NR"].encode(client_order_id="1")
    said = response(" ", "N") + wrap("s", update, 1, 2) + wrap("s", answer, 2, 2)
    said += ESESM["0"].encode() + ESESM["c"].encode() + ESESM["G"].encode(text="bye")
    for cut in range(len(said)):
        hearing = Hearing("meo")
        heard = hearing.read(said[:cut]) + hearing.read(said[cut:])
        assert not hearing.failed and b"".join(one.raw for one in heard) == said
        assert all(one.for_loop for one in heard)
        assert [one.symbol for one in heard if one.symbol] == [(7, "KOZ")]
        codes = [(chr(one.said[0]), one.said[1]) for one in heard if one.said]
        assert codes == [("r", ord("N")), ("0", 0), ("c", 0), ("G", 0)]


def test_bytes_that_are_no_message_are_said_and_never_raised() -> None:
    rng = random.Random(7)
    whole = response(" ") + wrap("s", MIAX_MEO["SU"].encode(symbol_id=7), 1, 1)
    whole += ESESM["c"].encode() + ESESM["0"].encode()
    failed = 0
    for _ in range(500):
        data = bytearray(whole)
        for _ in range(rng.randrange(1, 6)):
            data[rng.randrange(len(data))] = rng.randrange(256)
        hearing = Hearing("meo")
        hearing.read(bytes(data[: rng.randrange(len(data) + 1)]))
        failed += bool(hearing.failed)
    assert failed > 10
    short = Hearing("meo")
    short.read(b"\x03\0rr\x09")
    assert "bad_count" in short.failed


def test_how_far_each_engine_has_told_is_kept() -> None:
    router = Router()
    row = router.session("meo")
    for engine, sequence in ((1, 5), (2, 9), (1, 6)):
        answer = MIAX_MEO["NR"].encode(client_order_id="9")
        router.hear("meo", wrap("s", answer, sequence, engine) + ESESM["0"].encode())
    units = router.tables.block["session_units"].reshape(len(router.sessions.rows), -1)
    kept = units[NUMBERS["meo"]]
    assert int(row["units"]) != 0 and (kept[1], kept[2], kept.sum()) == (6, 9, 15)


def test_a_goodbye_ends_the_session() -> None:
    login, router = login_told(response(" "), ESESM["c"].encode(), ESESM["G"].encode(text="close"))
    assert (login.state, login.why) == (OVER, "goodbye")
    assert router.session("meo")["state"] == DOWN
    assert router.tables.venues[NUMBERS["meo"]]["down"] & t.DOWN_SESSION
