"""IEX SNAP for DEEP+: one request with a token, one image of a channel, over TCP.

The image has the directory, the system's state, the securities' states and price tests, and the
orders by arrival, in segments; its end says up to which message it is good. The server closes the
connection behind an error and, its client having what it came for, behind the end.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import numpy as np

from feedhandler import actions as a
from feedhandler.lines.repack import datagrams_of
from feedhandler.protocols.iex import DEEP_PLUS
from feedhandler.protocols.iex_acts import DEEP_PLUS_ROWS
from feedhandler.protocols.iex_snap import IEX_SNAP
from feedhandler.transports import iexsnap
from feedhandler.transports.transport import read_message
from feedhandler.wire.errors import WireError
from feedhandler.wire.record import Values
from feedhandler.wire.tails import integer
from simulator.publishing.dialects import deep_plus
from simulator.publishing.dialects.dialect import Moment
from simulator.publishing.forms import states
from simulator.publishing.publisher import Publisher
from simulator.services.clients import Clients, Quota
from simulator.services.connection import Connection, Patience
from simulator.services.still import Still, letter, scaled, sides, still_of, written
from simulator.serving.peers import Outlet

REQUEST, ERROR, START, DATA, END = (IEX_SNAP[code] for code in "resdx")
REFUSED, BAD_CHANNEL, ACTIVE, NO_QUOTA = "A", "C", "E", "Q"
NOT_YET, BAD_SESSION, UNKNOWN = "R", "S", "U"
SYSTEM_EVENT, STATUS, PRICE_TEST, ADD = (DEEP_PLUS[code] for code in "SHPa")
STATUS_CODES: Final = states(STATUS.by_name["trading_status"], DEEP_PLUS_ROWS.acts["H"][0])
SYSTEM_CODES: Final = states(SYSTEM_EVENT.by_name["system_event"], DEEP_PLUS_ROWS.acts["S"][0])
DETAILS: Final = {0: " ", 1: "A"}
MOST_SNAPSHOTS: Final = 1_000
wrap = iexsnap.TRANSPORT.framing.wrap


class IexSnapServer:
    """The snapshot server of a feed; a channel's number is its unit's.

    Args:
        publisher: whose books.
        tokens: by client.
        most_snapshots: of one client in a day.
        patience: see Patience.

    Raises:
        ValueError: a token that does not fit; it is not in the text.
    """

    def __init__(
        self,
        publisher: Publisher,
        tokens: Mapping[str, str],
        *,
        most_snapshots: int = MOST_SNAPSHOTS,
        patience: Patience | None = None,
    ) -> None:
        width = REQUEST.by_name["authentication_token"].width
        self.publisher, self.clients = publisher, Clients(tokens, width, "token")
        self.patience, self.active = patience or Patience(), set[str]()
        self.channels = {unit.number: unit for unit in publisher.units}
        self._quota = Quota(most_snapshots)

    def connect(self, outlet: Outlet, now_ns: int) -> IexSnapPeer:
        """The peer of a new connection."""
        return IexSnapPeer(self, outlet, now_ns)

    def still(self, client: str, values: Values) -> Still | str:
        """What a request of a client gives: an image, or the code of a refusal."""
        unit = self.channels.get(integer(values, "channel_id"))
        if unit is None:
            return BAD_CHANNEL
        if values["session_id"] != self.publisher.header["session_id"]:
            return BAD_SESSION
        if client in self.active:
            return ACTIVE
        if integer(values, "minimum_sequence_number") >= unit.retained.next:
            return NOT_YET
        return still_of(self.publisher, unit) if self._quota.take(client) else NO_QUOTA

    def segments(self, still: Still) -> tuple[bytes, ...]:
        """The segments of an image."""
        messages = messages_of(still, self.publisher.midnight_ns)
        header = {**self.publisher.header, "channel_id": still.unit.number}
        return datagrams_of(self.publisher.feed, messages, header)


class IexSnapPeer(Connection):
    """One connection of a snapshot server."""

    def __init__(self, server: IexSnapServer, outlet: Outlet, now_ns: int) -> None:
        super().__init__(outlet, now_ns, iexsnap.TRANSPORT, b"", server.patience)
        self.server = server
        self._client: str | None = None

    def on_close(self, now_ns: int) -> None:
        """As `Peer.on_close`; another image may be asked for."""
        super().on_close(now_ns)
        if self._client is not None:
            self.server.active.discard(self._client)

    def _message(self, data: bytes) -> None:
        try:
            record, values = read_message(IEX_SNAP, data, 0, len(data))
        except WireError:
            self._refuse(UNKNOWN)
            return
        if record is not REQUEST:
            self._refuse(UNKNOWN)
            return
        client = self.server.clients.named(str(values["authentication_token"]))
        found = REFUSED if client is None else self.server.still(client, values)
        if isinstance(found, str):
            self._refuse(found)
            return
        assert client is not None
        self.know()
        self._client = client
        self.server.active.add(client)
        self._image(found)

    def _refuse(self, code: str) -> None:
        self.drop(f"refused with {code}", wrap(ERROR.encode(reject_reason_code=code)))

    def _image(self, still: Still) -> None:
        segments = self.server.segments(still)
        data = [DATA.encode(segment=segment.hex()) for segment in segments]
        end = END.encode(snapshot_sequence_number=still.sequence)
        self.send(wrap(START.encode(snapshot_length=sum(map(len, segments)))), *map(wrap, data))
        self.drop("", wrap(end))


def messages_of(still: Still, midnight_ns: int) -> list[bytes]:
    """The messages of an image."""
    timed: Values = {"timestamp": still.time_ns}
    directory = deep_plus.opening(Moment(still.time_ns, midnight_ns, still.listings))
    made = [message for message in directory if message[:1] != b"S"]
    of_all = still.states.get(0, 0)
    if of_all in SYSTEM_CODES:  # it concerns those securities that were named by then
        made.append(SYSTEM_EVENT.encode(timed, system_event=letter(SYSTEM_CODES[of_all])))
    for number, listing in still.listings:
        about: Values = {**timed, "symbol": listing.symbol}
        state = still.states.get(number, 0)
        if state and state != a.STATUS_CLOSED:  # which only the system can be
            made.append(STATUS.encode(about, trading_status=letter(STATUS_CODES[state])))
        restricted = int(still.instruments["restricted"][number])
        test: Values = {"short_sale_price_test_status": restricted, "detail": DETAILS[restricted]}
        made.append(PRICE_TEST.encode({**about, **test}))
    return made + _orders(still, timed)


def _orders(still: Still, timed: Values) -> list[bytes]:
    orders, field = still.orders, ADD.by_name["symbol"]
    texts = [b""] * len(still.instruments)
    for number, listing in still.listings:
        texts[number] = listing.symbol.encode().ljust(field.width, field.pad)
    columns: dict[str, Any] = {
        "symbol": np.array(texts)[orders["place"] >> 2],
        "order_id": orders["wire"],
        "side": sides(orders, "8", "5"),
        "size": orders["quantity"],
        "price": scaled(ADD.by_name["price"], orders),
    }
    return written(ADD, columns, len(orders), timed)
