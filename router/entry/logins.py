"""Logins: what the control side says to a venue before orders may go, and what it hears.

A login is a small machine: `start` gives the first bytes, each SESSION action of the venue goes to
`hear`, which gives the next bytes to send, and `state` says how far it is. Heartbeats are `beat`.

    protocol   says                              is in when
    OUCH       login request                     login accepted; 5.0 then asks for the next order
    BOE        login request, return bitfields   login accepted, then replay complete
    Pillar     login, then opens both streams    both streams are open
    MEO        login request                     synchronization complete
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, NamedTuple

import msgspec

from feedhandler.actions import SESSION
from feedhandler.lines.secret import Secret
from feedhandler.protocols.cboe_boe import CBOE_BOE, LOGIN_STATUS
from feedhandler.protocols.ouch50 import INBOUND
from feedhandler.transports.esesm import ESESM
from feedhandler.transports.esesm import STATUS as STATUS_OF_LOGIN
from feedhandler.transports.pillar_stream import PILLAR_STREAM, STATUS
from feedhandler.transports.soupbintcp import REJECT_REASON_CODE, SOUPBINTCP, wrap
from feedhandler.wire.record import Value
from router.entry.boeforms import RETURNS

WAITING: Final = "waiting"
IN: Final = "in"
REFUSED: Final = "refused"
OVER: Final = "over"
WRITE, READ = 2, 1
TO_VENUE, FROM_VENUE, REFERENCES = 1, 2, 3  # low words of the ids of Pillar's streams


class Credentials(msgspec.Struct, frozen=True, kw_only=True):
    """Who logs in.

    Attributes:
        username, password: as the venue gave them.
        session: SoupBinTCP's requested session, BOE's session sub-id, MEO's application protocol.
        market: Pillar's market identifier code.
        version: of Pillar's or MEO's protocol; empty: the one that is written here.
        stream: high word of the ids of Pillar's streams.
        engines: MEO's matching engines.
    """

    username: str
    password: Secret
    session: str = ""
    market: str = "XNYS"
    version: str = ""
    stream: int = 0
    engines: int = 1


class Heard(NamedTuple):
    """What a session has been told today, so that a login asks for the rest.

    Attributes:
        behind: number of the message behind the last; 0: nothing was told.
        units: by matching unit, the number of the last.
        named: the venue's numbers of instruments are known.
    """

    behind: int = 0
    units: Mapping[int, int] = {}
    named: bool = False


class Login:
    """A login under way.

    Attributes:
        state: WAITING, IN, REFUSED or OVER.
        why: of a refusal or end, in the venue's words.
        sequence: number of the last message of ours that the venue has; goes into the session.
        question: what to ask once it is in; the answer comes behind all that is replayed.
        next_token: the first order that the venue does not have; 0: it does not say.
    """

    beat: bytes
    farewell: bytes
    password_bytes: int  # that it has room for
    question: bytes = b""
    counts_ours = True  # whether `sequence` says which of our messages the venue has
    names_feed = False  # whether the venue's feed has the same numbers of instruments

    def __init__(self, credentials: Credentials) -> None:
        self.credentials = credentials
        self.state, self.why, self.sequence, self.next_token = WAITING, "", 0, 0

    @classmethod
    def behind(cls, credentials: Credentials, heard: Heard) -> Login:
        """A login that asks for what was not heard."""
        raise NotImplementedError

    @property
    def settled(self) -> bool:
        """Whether it is in, and all that was missed has been told."""
        return self.state == IN and (not self.question or self.next_token != 0)

    def start(self) -> bytes:
        """The first bytes."""
        raise NotImplementedError

    def hear(self, kind: int, code: int, value: int, key: int, quantity: int) -> bytes:
        """Takes an action of the session (its kind, aux, order id, key, quantity).

        Returns:
            What to send next; often nothing.
        """
        if kind != SESSION:
            return b""
        return self._said(code, value, key, quantity)

    def _said(self, code: int, value: int, key: int, quantity: int) -> bytes:
        raise NotImplementedError

    def _refused(self, why: str) -> bytes:
        self.state, self.why = REFUSED, why
        return b""

    def _ended(self, why: str) -> bytes:
        self.state, self.why = OVER, why
        return b""


class SoupLogin(Login):
    """SoupBinTCP's.

    Args:
        first: sequence number of the first message wanted; 0: only new ones.
    """

    beat = SOUPBINTCP["R"].encode()
    farewell = SOUPBINTCP["O"].encode()
    password_bytes = SOUPBINTCP["L"].by_name["password"].width
    counts_ours = False

    def __init__(self, credentials: Credentials, first: int = 0) -> None:
        super().__init__(credentials)
        self._first = first

    @classmethod
    def behind(cls, credentials: Credentials, heard: Heard) -> SoupLogin:
        """As `Login.behind`."""
        return cls(credentials, heard.behind)

    def start(self) -> bytes:
        """As `Login.start`."""
        given = self.credentials
        return SOUPBINTCP["L"].encode(
            username=given.username,
            password=given.password.reveal(),
            requested_session=given.session,
            requested_sequence_number=self._first,
        )

    def _said(self, code: int, value: int, key: int, quantity: int) -> bytes:
        letter = chr(code & 0x7F)
        if letter == "A":
            self.state = IN
        elif letter == "J":
            return self._refused(REJECT_REASON_CODE.get(chr(value & 0x7F), "no reason known"))
        elif letter == "Z":
            return self._ended("end of session")
        elif letter == "Q":
            self.next_token = value
        return b""


class Ouch50Login(SoupLogin):
    """OUCH 5.0's: it can ask for the next order number, behind all that is replayed."""

    question = wrap("U", INBOUND["Q"].encode())


class BoeLogin(Login):
    """BOE's.

    Args:
        units: by matching unit, the last sequence number that was heard; no replay of others.
    """

    beat = CBOE_BOE[0x03].encode()
    farewell = CBOE_BOE[0x02].encode()
    password_bytes = CBOE_BOE[0x37].by_name["password"].width

    def __init__(self, credentials: Credentials, units: Mapping[int, int] | None = None) -> None:
        super().__init__(credentials)
        self._units = units or {}

    @classmethod
    def behind(cls, credentials: Credentials, heard: Heard) -> BoeLogin:
        """As `Login.behind`."""
        return cls(credentials, heard.units)

    def start(self) -> bytes:
        """As `Login.start`."""
        given = self.credentials
        units: list[Value] = [{"unit": n, "sequence": last} for n, last in self._units.items()]
        groups: list[Value] = [{"type": 0x80, "no_unspecified_unit_replay": 1, "units": units}]
        for kind, bits in RETURNS.items():
            fields: list[Value] = list(bits)
            groups.append(
                {
                    "type": 0x81,
                    "message_type": kind,
                    "bitfield_count": len(bits),
                    "bitfields": fields,
                }
            )
        return CBOE_BOE[0x37].encode(
            session_sub_id=given.session,
            username=given.username,
            password=given.password.reveal(),
            param_group=groups,
        )

    def _said(self, code: int, value: int, key: int, quantity: int) -> bytes:
        if code == 0x24 and value == ord("A"):
            self.sequence = quantity
        elif code == 0x24:
            return self._refused(LOGIN_STATUS.get(chr(value & 0x7F), "no reason known"))
        elif code == 0x13:
            self.state = IN
        elif code == 0x08:
            return self._ended("logout")
        return b""


class PillarLogin(Login):
    """Pillar's: the stream that orders go to is opened behind the last message that the venue has.

    Args:
        first: sequence number of the first answer wanted; 0: only new ones.
        references: whether the symbols' numbers are wanted too.

    Attributes:
        told: sequence number of the last answer; whoever reads the stream keeps it.
    """

    beat = PILLAR_STREAM[0x0204].encode()
    farewell = b""
    password_bytes = PILLAR_STREAM[0x0201].by_name["password"].width
    names_feed = True
    version = "5.17"

    def __init__(
        self, credentials: Credentials, first: int = 0, *, references: bool = False
    ) -> None:
        super().__init__(credentials)
        self._first = first
        self._open: set[int] = set()
        self._references = references
        self._behind = self.told = 0

    @classmethod
    def behind(cls, credentials: Credentials, heard: Heard) -> PillarLogin:
        """As `Login.behind`."""
        return cls(credentials, heard.behind, references=not heard.named)

    @property
    def settled(self) -> bool:
        """As `Login.settled`."""
        return self.state == IN and self.told >= self._behind - 1 and not self._references

    def start(self) -> bytes:
        """As `Login.start`."""
        given = self.credentials
        return PILLAR_STREAM[0x0201].encode(
            username=given.username,
            password=given.password.reveal(),
            mic=given.market,
            version=given.version or self.version,
        )

    def _said(self, code: int, value: int, key: int, quantity: int) -> bytes:
        if code == 0x0202 and value != 0:
            return self._refused(STATUS.get(value, f"status {value}"))
        if code == 0x0203:
            return self._offered(key, value)
        if code == 0x0206 and value == 0:
            self._open.add(key)
            self.state = IN if {TO_VENUE, FROM_VENUE} <= self._open else self.state
        elif code == 0x0206:
            return self._refused(f"stream {key}: {STATUS.get(value, f'status {value}')}")
        elif code == 0x0208 and key in (TO_VENUE, FROM_VENUE):
            return self._ended(f"stream {key} was closed")
        elif code == 0x0208 and key == REFERENCES:
            self._references = False
        return b""

    def _offered(self, stream: int, behind: int) -> bytes:
        given: dict[str, Value] = {"sess": self.credentials.stream, "value": stream}
        if stream == REFERENCES and self._references:
            self._references = behind > 1
            more: dict[str, Value] = {"start_seq": 1, "end_seq": behind - 1, "access": READ}
            return PILLAR_STREAM[0x0205].encode(given, **more) if behind > 1 else b""
        if stream not in (TO_VENUE, FROM_VENUE) or self.state != WAITING:
            return b""
        access, first = (WRITE, behind) if stream == TO_VENUE else (READ, self._first)
        if stream == TO_VENUE:
            self.sequence = behind - 1
        else:
            self._behind, self.told = behind, (first or behind) - 1
        return PILLAR_STREAM[0x0205].encode(given, start_seq=first, access=access)


class MeoLogin(Login):
    """MEO's, over ESesM. The computer id is the password, the session the application protocol.

    The layout does not say what an engine is called by in a login: it is by the entry's trading
    session id, 1 for the first. Symbols and answers are sequenced alike, so the first login of a
    day asks for everything, and a later one for what is behind the last of each engine. MEO does
    not count our messages: an order that left and is not answered then, never arrived.

    Args:
        engines: by trading session of a matching engine, the first sequence number wanted of it;
            0: only new ones.
    """

    beat = ESESM["1"].encode()
    farewell = ESESM["X"].encode()
    password_bytes = ESESM["l"].by_name["computer_id"].width
    counts_ours = False
    version, application = "2.6", "MEO2.6"

    def __init__(self, credentials: Credentials, engines: Mapping[int, int] | None = None) -> None:
        super().__init__(credentials)
        self._engines = engines or dict.fromkeys(range(1, credentials.engines + 1), 0)

    @classmethod
    def behind(cls, credentials: Credentials, heard: Heard) -> MeoLogin:
        """As `Login.behind`."""
        every = range(1, credentials.engines + 1)
        return cls(credentials, {engine: heard.units.get(engine, 0) + 1 for engine in every})

    def start(self) -> bytes:
        """As `Login.start`."""
        given = self.credentials
        wanted: list[Value] = [
            {"trading_session_id": engine, "requested_sequence_number": first}
            for engine, first in self._engines.items()
        ]
        return ESESM["l"].encode(
            version=given.version or self.version,
            username=given.username,
            computer_id=given.password.reveal(),
            application_protocol=given.session or self.application,
            requested=wanted,
        )

    def _said(self, code: int, value: int, key: int, quantity: int) -> bytes:
        letter = chr(code & 0x7F)
        if letter == "r" and value != ord(" "):
            status = chr(value & 0x7F)
            return self._refused(STATUS_OF_LOGIN.get(status, f"status {status}"))
        if letter == "c" and self.state == WAITING:
            self.state = IN
        elif letter == "G":
            return self._ended("goodbye")
        return b""


LOGINS: Final[dict[str, type[Login]]] = {
    "ouch50": Ouch50Login,
    "ouch42": SoupLogin,
    "boe": BoeLogin,
    "pillar": PillarLogin,
    "meo": MeoLogin,
}
