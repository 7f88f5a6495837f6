"""Cboe's two services over TCP: the gap request proxy, and a spin server for each unit.

What a gap request asks for comes on the gap multicast, before the response. A spin server announces
an image about once a second and keeps the last few; the orders of one follow the response.
"""

from __future__ import annotations

from feedhandler.lines.session import widened
from feedhandler.protocols.cboe_grp import CBOE_GRP
from feedhandler.protocols.cboe_login import LOGIN, LOGIN_RESPONSE
from feedhandler.protocols.cboe_pitch import ADDS
from feedhandler.protocols.cboe_spin import CBOE_SPIN
from feedhandler.transports import suh
from feedhandler.transports.transport import read_message, read_packet, select_record
from feedhandler.wire.errors import WireError
from feedhandler.wire.protocol import Protocol
from feedhandler.wire.record import Record, Values
from feedhandler.wire.tails import integer
from simulator.publishing.publisher import Publisher
from simulator.publishing.unit import UnitStream
from simulator.services.again import is_there, packet, packets_again
from simulator.services.conversation import Conversation
from simulator.services.images import Still, messages_of, still_of
from simulator.services.settings import GAP, Account, Door, Multicast
from simulator.serving.peers import Outlet

GAP_REQUEST, GAP_RESPONSE = CBOE_GRP[3], CBOE_GRP[4]
AVAILABLE, REQUEST = CBOE_SPIN[0x80], CBOE_SPIN[0x81]
RESPONSE, FINISHED = CBOE_SPIN[0x82], CBOE_SPIN[0x83]
QUOTAS = {"day": "D", "minute": "M", "second": "S"}
PACKET_BYTES = 1_400  # of one unit header with its messages
PACKET_MESSAGES = 255


def unit_packet(*messages: bytes) -> bytes:
    """A packet as the services send them."""
    return packet(suh.TRANSPORT, *messages, unit=0, sequence=suh.UNSEQUENCED)


class CboePeer(Conversation):
    """A connection that begins with a login; a subclass gives `_asked`."""

    protocol: Protocol

    def __init__(self, publisher: Publisher, door: Door, outlet: Outlet, now_ns: int) -> None:
        super().__init__(outlet, now_ns, suh.TRANSPORT, unit_packet(), door.limits)
        self.publisher, self.door = publisher, door
        self.account: Account | None = None

    def _asked(self, record: Record, values: Values) -> None:
        """A request of a client that is logged in."""
        raise NotImplementedError

    def on_close(self, now_ns: int) -> None:
        """As `Peer.on_close`."""
        super().on_close(now_ns)
        self.door.leave(self.outlet)

    def _message(self, data: bytes) -> None:
        found = read_packet(suh.TRANSPORT, data)
        if found.faults:
            raise WireError(found.faults[0][0], "packet")
        for start, end in found.spans:
            record, values = read_message(self.protocol, data, start, end)
            if record is LOGIN and self.account is None:
                self._login(values)
            elif self.account is None:
                raise WireError("unknown_message", "not logged in")
            else:
                self._asked(record, values)
            if self.over:
                return

    def _login(self, values: Values) -> None:
        sub_id = str(values["session_sub_id"])
        account = self.door.find(str(values["username"]), str(values["password"]), sub_id)
        status = "A"
        if not self.door.knows_session(sub_id):
            status = "S"
        elif account is None:
            status = "N"
        elif not self.door.enter(self.outlet, account):
            status = "B"
        answer = unit_packet(LOGIN_RESPONSE.encode(status=status))
        if status != "A":
            self.drop(answer)
            return
        self.account, self.logged_in = account, True
        self.send(answer)


class GapPeer(CboePeer):
    """One connection of a gap request proxy."""

    protocol = CBOE_GRP

    def __init__(
        self, publisher: Publisher, door: Door, multicast: Multicast, outlet: Outlet, now_ns: int
    ) -> None:
        super().__init__(publisher, door, outlet, now_ns)
        self.multicast = multicast

    def _asked(self, record: Record, values: Values) -> None:
        if record is not GAP_REQUEST:
            raise WireError("unknown_message", "not a client's")
        number, count = integer(values, "unit"), integer(values, "count")
        unit = next((unit for unit in self.publisher.units if unit.number == number), None)
        status = self._status(unit, integer(values, "sequence"), count)
        if status == "A" and unit is not None:
            first = widened(integer(values, "sequence"), unit.next_sequence)
            for datagram in packets_again(self.publisher, unit, first, count):
                self.multicast(GAP, datagram)
        named = {name: values[name] for name in ("unit", "sequence", "count")}
        self.send(unit_packet(GAP_RESPONSE.encode({**named, "status": status})))

    def _status(self, unit: UnitStream | None, word: int, count: int) -> str:
        assert self.account is not None
        if unit is None:
            return "I"
        if count > self.limits.most_messages:
            return "C"
        if not is_there(unit, widened(word, unit.next_sequence), count):
            return "O"
        over = self.door.over(self.account.session_sub_id, self.now_ns)
        return QUOTAS.get(over, "A")


class SpinPeer(CboePeer):
    """One connection of a unit's spin server."""

    protocol = CBOE_SPIN

    def __init__(
        self, publisher: Publisher, unit: UnitStream, door: Door, outlet: Outlet, now_ns: int
    ) -> None:
        super().__init__(publisher, door, outlet, now_ns)
        self.unit = unit
        self.stills: dict[int, Still] = {}
        self._announced_ns: int | None = None

    def _tick(self) -> None:
        due_ns = (self._announced_ns or 0) + self.limits.announce_ns
        if self._announced_ns is not None and self.now_ns < due_ns:
            return
        self._announced_ns = self.now_ns
        still = still_of(self.publisher, self.unit)
        word = still.sequence % (1 << 32)
        self.stills.pop(word, None)
        self.stills[word] = still
        while len(self.stills) > self.limits.kept_images:
            del self.stills[next(iter(self.stills))]
        self.send(unit_packet(AVAILABLE.encode(sequence=word)))

    def _asked(self, record: Record, values: Values) -> None:
        if record is not REQUEST:
            raise WireError("unknown_message", "not a client's")
        assert self.account is not None
        word = integer(values, "sequence")
        still = self.stills.get(word)
        over = self.door.over(self.account.session_sub_id, self.now_ns, "refresh")
        if still is None or over:
            status = "S" if still is not None else "O"  # no word for a quota but that it is busy
            self.send(unit_packet(RESPONSE.encode(sequence=word, order_count=0, status=status)))
            return
        messages = messages_of(self.publisher, still)
        adds = sum(select_record(CBOE_SPIN, one, 0, len(one)) in ADDS for one in messages)
        made = [unit_packet(RESPONSE.encode(sequence=word, order_count=adds, status="A"))]
        made += packed(messages)
        made.append(unit_packet(FINISHED.encode(sequence=word)))
        self.send(b"".join(made))


def packed(messages: list[bytes]) -> list[bytes]:
    """Packets with these messages, in their order."""
    made, batch, size = [], list[bytes](), suh.HEADER.size
    for message in messages:
        if batch and (size + len(message) > PACKET_BYTES or len(batch) == PACKET_MESSAGES):
            made.append(unit_packet(*batch))
            batch, size = [], suh.HEADER.size
        batch.append(message)
        size += len(message)
    return [*made, unit_packet(*batch)] if batch else made
