"""MEO's login, and that a goodbye takes the venue out of the routing."""

from __future__ import annotations

from entry_rig import HEARD, NUMBERS, Router

from feedhandler.feed import decode
from feedhandler.lines.secret import Secret
from feedhandler.registry import versions
from feedhandler.transports.esesm import ESESM
from router import tables as t
from router.entry.layout import DOWN, UP
from router.entry.logins import IN, OVER, REFUSED, WAITING, Credentials, MeoLogin

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
    assert (login.state, login.why) == (REFUSED, "status I")


def test_a_goodbye_ends_the_session() -> None:
    login, router = login_told(response(" "), ESESM["c"].encode(), ESESM["G"].encode(text="close"))
    assert (login.state, login.why) == (OVER, "goodbye")
    assert router.session("meo")["state"] == DOWN
    assert router.tables.venues[NUMBERS["meo"]]["down"] & t.DOWN_SESSION
