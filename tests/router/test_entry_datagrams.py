"""Order entry over UDP: a session's messages leave by a datagram port, each as one datagram."""

from __future__ import annotations

import errno
import socket
from collections.abc import Iterator

import pytest
from entry_rig import NUMBERS, Router
from gateway_rig import CENT

from nic.port import datagram_cookie, open_port
from router.entry.layout import UP
from router.entry.protocols import PROTOCOLS

LOOPBACK = "127.0.0.1"


@pytest.fixture
def venue() -> Iterator[socket.socket]:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as made:
        made.bind((LOOPBACK, 0))
        made.settimeout(10)
        yield made


def talk(router: Router, protocol: str) -> None:
    """An order, a larger one in its place, and its end."""
    assert router.enter(protocol, 1, price=100 * CENT) > 0
    assert router.replace(protocol, 1, 2, 200, 101 * CENT) > 0
    assert router.cancel(protocol, 1) > 0


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_messages_are_datagrams_of_the_same_bytes(protocol: str, venue: socket.socket) -> None:
    number, cookie = NUMBERS[protocol], datagram_cookie(LOOPBACK, venue.getsockname()[1])
    with Router() as router:
        talk(router, protocol)
        stream = router.taken(protocol)
    with Router() as router, open_port("socket:lo") as port:
        router.sessions.connect(number, port, cookie)
        router.sessions.set_state(number, UP)
        talk(router, protocol)
        datagrams = [venue.recv(2048) for _ in range(3)]
        assert port.stats()[5:] == (3, len(stream), 0)
        assert int(router.session(protocol)["sent_bytes"]) == len(stream)
    assert b"".join(datagrams) == stream and min(map(len, datagrams)) > 0


def test_a_message_is_no_frame_so_without_the_cookie_none_leaves(venue: socket.socket) -> None:
    with Router() as router, open_port("socket:lo") as port:
        router.sessions.connect(NUMBERS["boe"], port)
        router.sessions.set_state(NUMBERS["boe"], UP)
        assert router.enter("boe", 1, price=100 * CENT) == -errno.EINVAL
        assert int(router.session("boe")["failed"]) == port.stats().tx_failed == 1
