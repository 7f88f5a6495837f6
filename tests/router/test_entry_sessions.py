"""Sessions on the control side: what is made, what is refused, logins that fail."""

from __future__ import annotations

import pytest
from entry_kernels import run_can_say
from entry_rig import CREDENTIALS, GATEWAYS, HEARD, LISTINGS, NUMBERS, Router, watched
from gateway_rig import CENT, Venue, Wire
from slow_entry import sayable

from feedhandler.actions import BUY, SELL
from feedhandler.lines.secret import Secret
from feedhandler.transports.pillar_stream import PILLAR_STREAM
from router import tables as t
from router.entry.layout import DOWN, STATES, UP
from router.entry.logins import IN, LOGINS, OVER, REFUSED, Credentials, Login
from router.entry.protocols import PROTOCOLS
from router.entry.sessions import Listing, Sessions, Settings
from router.entry.specialise import build, source_for


def settings(**more: object) -> Settings:
    """Of an OUCH session."""
    given = {"name": "one", "venue": 0, "protocol": "ouch50", "listings": LISTINGS, **more}
    return Settings(**given)  # type: ignore[arg-type]


def test_what_is_wrong_with_a_session_is_said() -> None:
    with pytest.raises(ValueError, match="one: no protocol 'fix'; known: ouch50"):
        Sessions([settings(protocol="fix")], 4)
    with pytest.raises(ValueError, match="no order protocol 'fix'"):
        source_for(["fix"])
    with pytest.raises(ValueError, match="not installed"):
        _ = Sessions([settings()], 4).rows


def test_only_the_protocols_in_use_are_compiled() -> None:
    imports, body = source_for(["boe"])
    assert "boe" in imports
    assert "ouch" not in imports
    assert f"protocol == {NUMBERS['boe']}" in body
    assert build(["boe"]) is build(["boe"])


@pytest.mark.parametrize("number", [0, 4])
def test_an_instrument_that_there_is_no_room_for_is_named(number: int) -> None:
    sessions = Sessions([settings(listings={number: Listing("AAPL")})], 4)
    with pytest.raises(ValueError, match="one: instruments are 1 to 3"):
        sessions._made[0].templates(4)


@pytest.mark.parametrize(
    ("protocol", "listing", "fault"),
    [
        ("ouch50", Listing("TOOLONGIN"), "'TOOLONGIN': expected 1 to 8 characters"),
        ("boe", Listing(""), "'': expected 1 to 8 characters"),
        ("pillar", Listing("AAPL"), "'AAPL': pillar names instruments by number; none given"),
    ],
)
def test_a_listing_that_a_venue_cannot_name_is_refused(
    protocol: str, listing: Listing, fault: str
) -> None:
    sessions = Sessions([settings(protocol=protocol, listings={1: listing})], 4)
    with pytest.raises(ValueError, match=fault):
        sessions._made[0].templates(4)


def test_each_session_has_its_templates_and_its_venue() -> None:
    with Router() as router:
        rows = router.sessions.rows
        assert [bytes(row["name"]).decode() for row in rows] == list(PROTOCOLS)
        assert [STATES[int(row["state"])] for row in rows] == ["up"] * 5
        assert [int(venue["session"]) for venue in router.tables.venues] == [0, 1, 2, 3, 4]
        assert len({int(row["templates"]) for row in rows}) == 5
        router.sessions.set_state(2, DOWN)
        assert list(router.tables.venues["down"]) == [0, 0, t.DOWN_SESSION, 0, 0]
        router.sessions.set_state(2, UP)
        assert not router.tables.venues["down"].any()


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_routing_can_know_what_a_venue_can_be_told(protocol: str) -> None:
    with Router() as router:
        for number in range(1 << 10):
            flags, tif = number & 63, number >> 7 & 3
            side, price = (SELL if number >> 6 & 1 else BUY), (0 if number >> 9 else CENT)
            words = {"flags": flags, "tif": tif, "side": side, "price": price}
            for shown, listed in ((0, 1), (100, 1), (0, 3)):
                with watched(router.tables.block):
                    found = run_can_say(
                        router.tables.address,
                        NUMBERS[protocol],
                        listed,
                        side,
                        tif,
                        flags,
                        price,
                        0,
                        shown,
                    )
                wanted = sayable(protocol, words) and listed == 1
                assert bool(found) == (wanted and not (shown and protocol == "ouch42"))


class Meeting:
    """A login at a gateway."""

    def __init__(self, router: Router, protocol: str, credentials: Credentials) -> None:
        self.router, self.protocol = router, protocol
        self.venue, self.wire = Venue(GATEWAYS[protocol]), Wire()
        self.peer = self.venue.gateway.peer(self.wire, self.venue.now_ns)
        self.login: Login = LOGINS[protocol](credentials)
        router.sessions.connect(NUMBERS[protocol], router.ports[0])  # type: ignore[arg-type]
        self.say(self.login.start())

    def say(self, data: bytes) -> None:
        """Says something, and what has to be said to the answers."""
        while data:
            self.peer.on_bytes(data, self.venue.step())
            data = self.hear()

    def hear(self) -> bytes:
        """Takes what the venue says; what is to be answered."""
        made = b""
        for action in self.router.hear(self.protocol, self.wire.taken()):
            made += self.login.hear(*(int(action[name]) for name in HEARD))
        return made


@pytest.mark.parametrize("protocol", GATEWAYS)
def test_a_wrong_password_is_refused_in_words(protocol: str) -> None:
    given = CREDENTIALS[protocol]
    wrong = Credentials(
        username="ALFA", password=Secret("wrong", 10), session=given.session, stream=given.stream
    )
    with Router() as router:
        meeting = Meeting(router, protocol, wrong)
        assert meeting.login.state == REFUSED
        words = "not authorized", "invalid login details", "invalid username or computer id"
        assert meeting.login.why in words
        assert router.session(protocol)["state"] == DOWN
        meeting.venue.__exit__()


@pytest.mark.parametrize("protocol", GATEWAYS)
def test_a_session_ends_with_the_venue_s_day_and_beats_till_then(protocol: str) -> None:
    with Router() as router:
        meeting = Meeting(router, protocol, CREDENTIALS[protocol])
        assert meeting.login.state == IN
        router.sessions.set_state(NUMBERS[protocol], UP)
        meeting.say(meeting.login.beat)
        assert not meeting.wire.closed
        if protocol != "pillar":  # which has no word for it
            meeting.venue.end_of_day()
            meeting.hear()
            assert meeting.login.state == OVER
            assert router.session(protocol)["state"] == DOWN
            assert router.tables.venues[NUMBERS[protocol]]["down"] & t.DOWN_SESSION
        meeting.venue.__exit__()


def test_a_closed_stream_of_pillar_ends_the_login() -> None:
    with Router() as router:
        meeting = Meeting(router, "pillar", CREDENTIALS["pillar"])
        meeting.say(PILLAR_STREAM[0x0207].encode(sess=1000, value=1))
        assert (meeting.login.state, meeting.login.why) == (OVER, "stream 1 was closed")
        meeting.venue.__exit__()
