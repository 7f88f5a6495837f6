"""The request server of MoldUDP64: by UDP, the answers are downstream packets to the sender.

The protocol has no refusal. A request for another session, for nothing, for what has not left yet
or is not kept any more has no answer; of a longer one as much is sent as the limit allows.
"""

from __future__ import annotations

from collections.abc import Callable

from feedhandler.transports import moldudp64
from feedhandler.wire.tails import integer
from simulator.publishing.publisher import Publisher
from simulator.services.again import packets_again
from simulator.services.settings import Address, Limits

REQUEST = moldudp64.REQUEST


class MoldServer:
    """A `DatagramTaker`.

    Args:
        publisher: whose messages.
        send: sends a datagram to an address.
        limits: see Limits.
    """

    def __init__(
        self, publisher: Publisher, send: Callable[[bytes, Address], None], limits: Limits
    ) -> None:
        self.publisher, self.send, self.limits = publisher, send, limits

    def take(self, data: bytes, sender: Address, now_ns: int) -> None:
        """A datagram has come."""
        if len(data) != REQUEST.size:
            return
        values = REQUEST.decode(data)
        if values["session"] != self.publisher.header["session"]:
            return
        first = integer(values, "sequence_number")
        count = min(integer(values, "requested_message_count"), self.limits.most_messages)
        for answer in packets_again(self.publisher, self.publisher.units[0], first, count):
            self.send(answer, sender)
