"""A router with sessions to all kinds of venues, and what stands at the other end of them."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import pairwise
from types import MappingProxyType
from typing import Any

import numpy as np
from entry_kernels import run_send, sink
from gateway_rig import START, Venue, Wire
from numpy.typing import NDArray

from feedhandler.actions import ACTION_DTYPE, BUY, KINDS
from feedhandler.dates import session_midnight_ns
from feedhandler.lines.secret import Secret
from feedhandler.specialise import faults_of
from nic.regions import allowed, reset, violations
from router.entry.forms import Constants
from router.entry.layout import UP
from router.entry.logins import IN, LOGINS, Credentials, Login
from router.entry.protocols import PROTOCOLS
from router.entry.sessions import Listing, Sessions, Settings
from router.entry.specialise import build
from router.tables import CANCEL, ENTER, INTENT_DTYPE, REPLACE
from router.tablespace import RouterTables, Sizes
from simulator.gateways.boe import BoeGateway
from simulator.gateways.meo import MeoGateway
from simulator.gateways.ouch import OuchGateway
from simulator.gateways.pillar import PillarGateway

SIZES = Sizes(
    accounts=2,
    venues=5,
    instruments=3,
    parents=8,
    children=64,
    tokens=64,
    intents=16,
    timers=16,
    executions=64,
    log_lines=1 << 12,
)
LISTINGS = {1: Listing("AAPL", 1), 2: Listing("MSFT", 2)}  # instrument 3 is traded nowhere
NUMBERS = {name: number for number, name in enumerate(PROTOCOLS)}
SINK_BYTES = 1 << 16
MOST = 64
CREDENTIALS = {
    "ouch50": Credentials(username="ALFA", password=Secret("secret", 10)),
    "boe": Credentials(username="ALFA", password=Secret("secret", 10), session="0001"),
    "pillar": Credentials(username="ALFA", password=Secret("secret", 32), stream=1000),
    "meo": Credentials(username="ALFA", password=Secret("secret", 8)),
}
GATEWAYS: Mapping[str, Callable[..., Any]] = {
    "ouch50": OuchGateway,
    "boe": BoeGateway,
    "pillar": PillarGateway,
    "meo": MeoGateway,
}


@contextlib.contextmanager
def watched(*memories: Any) -> Iterator[None]:
    """Allows memories for the time of a `with`; asserts that nothing else was touched."""
    reset()
    with allowed(*memories):
        yield
    assert violations().count == 0, violations()


def constants(protocol: str) -> Constants:
    """Those of the rig's sessions."""
    stream = (1000, 1) if protocol == "pillar" else (0, 0)
    return Constants(firm="FIRM", capacity="A", account="ACCT", stream=stream)


class FakePort:
    """A port that keeps what is sent."""

    def __init__(self) -> None:
        self.memory = np.zeros(SINK_BYTES, np.uint8)
        self.handle = int(self.memory.ctypes.data)
        self.ops = MappingProxyType({"tx": sink.address, "rx_burst": 0, "release": 0})

    @property
    def words(self) -> NDArray[np.int64]:
        """Bytes kept, and the error that it gives instead."""
        return self.memory[:16].view(np.int64)

    def taken(self) -> bytes:
        """What was sent since the last time."""
        made = self.memory[16 : 16 + int(self.words[0])].tobytes()
        self.words[0] = 0
        return made


class Router:
    """A router's tables with a session per protocol: number n to venue n."""

    def __init__(self) -> None:
        midnight = session_midnight_ns(START, "America/New_York")
        settings = [
            Settings(
                name=name,
                venue=number,
                protocol=name,
                listings=LISTINGS,
                constants=constants(name),
                midnight_ns=midnight,
            )
            for name, number in NUMBERS.items()
        ]
        self.sessions = Sessions(settings, SIZES.instruments + 1)
        self.tables = RouterTables(SIZES, self.sessions.sections())
        self.sessions.install(self.tables)
        self.ports = [FakePort() for _ in settings]
        for number, port in enumerate(self.ports):
            self.sessions.connect(number, port)  # type: ignore[arg-type]
            self.sessions.set_state(number, UP)
        self.receive = build(list(PROTOCOLS)).run_receive
        self.out = np.zeros(MOST, ACTION_DTYPE)
        self.children = 0
        self.now_ns = START

    def __enter__(self) -> Router:
        return self

    def __exit__(self, *_exception: object) -> None:
        self.tables.close()

    def session(self, protocol: str) -> np.void:
        """A session's row."""
        row: np.void = self.sessions.rows[NUMBERS[protocol]]
        return row

    def faults(self, protocol: str) -> dict[str, int]:
        """What its decoder counted."""
        return faults_of(self.tables.block["session_contexts"][NUMBERS[protocol]])

    def _send(self, protocol: str, kind: int, row: int, child: int, token: int) -> int:
        number = NUMBERS[protocol]
        self.tables.head["now_ns"] = self.now_ns
        with watched(self.tables.block, self.ports[number].memory):
            return int(run_send(self.tables.address, number, kind, row, child, token))

    def intent(self, **values: int) -> int:
        """The address of an intent."""
        intents = self.tables.block["intents"]
        intents[0] = np.zeros((), INTENT_DTYPE)
        row = intents[0]
        for name, value in values.items():
            row[name] = value
        return self.tables.block.section_address("intents")

    def enter(self, protocol: str, token: int, **terms: int) -> int:
        """Sends an order: bytes, 0 or -errno; the child that it becomes is number `children`."""
        given = {"side": BUY, "quantity": 100, "price": 0, "tif": 0, "flags": 0, "minimum": 0}
        given |= {"shown": 0, "instrument": 1, **terms}
        self.children += 1
        child = self.tables.children[self.children]
        child["token"], child["venue"] = token, NUMBERS[protocol]
        for name, value in given.items():
            child[name] = value
        row = self.intent(kind=ENTER, venue=NUMBERS[protocol], token=token, **given)
        return self._send(protocol, ENTER, row, self.children, token)

    def replace(self, protocol: str, child: int, token: int, quantity: int, price: int) -> int:
        """Sends a replace of a child and gives it the new token."""
        row = self.intent(kind=REPLACE, child=child, token=token, quantity=quantity, price=price)
        made = self._send(protocol, REPLACE, row, child, token)
        self.tables.children[child]["token"] = token
        return made

    def cancel(self, protocol: str, child: int) -> int:
        """Sends a cancel of a child."""
        row = self.tables.block.section_address("children", child)
        token = int(self.tables.children[child]["token"])
        return self._send(protocol, CANCEL, row, child, token)

    def taken(self, protocol: str) -> bytes:
        """The bytes sent on a session since the last time."""
        return self.ports[NUMBERS[protocol]].taken()

    def hear(
        self, protocol: str, data: bytes, most: int = MOST, cuts: Sequence[int] = ()
    ) -> NDArray[np.void]:
        """The actions of what a venue says, in pieces that end at the cuts."""
        made: list[NDArray[np.void]] = []
        edges = [0, *cuts, len(data)]
        for start, end in pairwise(edges):
            piece = np.frombuffer(data[start:end], np.uint8).copy()
            at = 0
            while at < len(piece):
                made.append(self._hear_piece(protocol, piece[at:], most))
                at += int(self.session(protocol)["consumed"])
        return np.concatenate(made) if made else self.out[:0].copy()

    def _hear_piece(self, protocol: str, piece: NDArray[np.uint8], most: int) -> NDArray[np.void]:
        number, address = NUMBERS[protocol], self.tables.address
        with watched(self.tables.block, self.out, piece):
            count = self.receive(
                address,
                number,
                int(piece.ctypes.data),
                len(piece),
                self.now_ns,
                int(self.out.ctypes.data),
                most,
            )
        return self.out[:count].copy()


class Trade:
    """A router's session with a simulated venue's gateway, logged in."""

    def __init__(self, router: Router, protocol: str, **more: Any) -> None:
        self.router, self.protocol = router, protocol
        self.venue = Venue(GATEWAYS[protocol], **more)
        self.wire = Wire()
        self.peer = self.venue.gateway.peer(self.wire, self.venue.now_ns)
        router.children = 0
        self.heard = b""  # since the login
        self.login = self.log_in()
        self.heard = b""

    def log_in(self) -> Login:
        """Logs in; asserts that it is in."""
        router, protocol = self.router, self.protocol
        number = NUMBERS[protocol]
        router.sessions.connect(number, router.ports[number])  # type: ignore[arg-type]
        login = LOGINS[protocol](CREDENTIALS[protocol])
        says = login.start()
        while says:
            said = b""
            for action in self.hears(says):
                said += login.hear(*(int(action[n]) for n in HEARD))
            says = said
        assert login.state == IN, login.why
        router.session(protocol)["sequence"] = login.sequence
        router.sessions.set_state(number, UP)
        return login

    def __enter__(self) -> Trade:
        return self

    def __exit__(self, *_exception: object) -> None:
        self.venue.__exit__()

    def hears(self, says: bytes) -> NDArray[np.void]:
        """What the venue answers to some bytes, as actions."""
        self.router.now_ns = self.venue.step()
        self.peer.on_bytes(says, self.router.now_ns)
        return self.hear()

    def hear(self) -> NDArray[np.void]:
        """What the venue has said since the last time, as actions."""
        data = self.wire.taken()
        self.heard += data
        return self.router.hear(self.protocol, data)

    def __call__(self, sent: int) -> NDArray[np.void]:
        """What comes of a message just sent; asserts that it was."""
        said = self.router.taken(self.protocol)
        assert sent == len(said) > 0
        return self.hears(said)


HEARD = ("kind", "aux", "order_id", "key", "quantity")


def kinds(actions: NDArray[np.void]) -> list[str]:
    """The kinds of actions, by name."""
    return [KINDS[int(action["kind"])] for action in actions]
