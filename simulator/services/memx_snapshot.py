"""MEMX's snapshots: a port in snapshot mode, which sends its image to whoever logs in.

A snapshot has the directory, the session, the securities' states and price tests, and the orders by
arrival; its end says up to which message it is good. That the image comes unasked, and again when
all is asked for, is an assumption, as `transports.memxtcp` has it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from feedhandler import actions as a
from feedhandler.protocols.memoir13 import MEMOIR13
from feedhandler.protocols.memoir13_acts import ROWS
from feedhandler.transports import memxtcp
from feedhandler.wire.record import Values
from simulator.publishing.dialects import memoir
from simulator.publishing.dialects.dialect import Moment
from simulator.publishing.forms import states
from simulator.publishing.publisher import Publisher
from simulator.services.clients import Quota
from simulator.services.connection import Patience
from simulator.services.memx_session import ALL_NOT_ALLOWED, MemxPeer, clients_of
from simulator.services.still import Still, letter, scaled, sides, still_of, written
from simulator.serving.peers import Outlet

MOST_SNAPSHOTS: Final = 16
RESTRICTION, STATUS, SESSION, ADDED, COMPLETE = (MEMOIR13[code] for code in (2, 3, 5, 10, 100))
STATUS_CODES: Final = states(STATUS.by_name["security_trading_status"], ROWS.acts[3][0])
SESSION_CODES: Final = states(SESSION.by_name["trading_session"], ROWS.acts[5][0])


class MemxSnapshotServer:
    """The port.

    Args:
        publisher: whose books.
        passwords: by user.
        unasked: the image comes behind the login; else it has to be asked for.
        most_snapshots: on one connection.
        patience: see Patience.

    Raises:
        ValueError: a password that does not fit; it is not in the text.
    """

    def __init__(
        self,
        publisher: Publisher,
        passwords: Mapping[str, str],
        *,
        unasked: bool = True,
        most_snapshots: int = MOST_SNAPSHOTS,
        patience: Patience | None = None,
    ) -> None:
        self.publisher, self.clients = publisher, clients_of(passwords)
        self.unasked, self.most_snapshots = unasked, most_snapshots
        self.patience = patience or Patience()

    def connect(self, outlet: Outlet, now_ns: int) -> MemxSnapshotPeer:
        """The peer of a new connection."""
        return MemxSnapshotPeer(self, outlet, now_ns)


class MemxSnapshotPeer(MemxPeer):
    """One connection of the port."""

    mode = memxtcp.SNAPSHOT

    def __init__(self, server: MemxSnapshotServer, outlet: Outlet, now_ns: int) -> None:
        super().__init__(server.publisher, server.clients, server.patience, outlet, now_ns)
        self.unasked, self._quota = server.unasked, Quota(server.most_snapshots)

    def _begin(self) -> None:
        if self.unasked:
            self._replay_all()

    def _replay_all(self) -> None:
        if not self._quota.take(""):
            self._reject(ALL_NOT_ALLOWED)
            return
        still = still_of(self.publisher, self.unit)
        end = COMPLETE.encode(timestamp=still.time_ns, as_of_sequence_number=still.sequence)
        messages = [*messages_of(still, self.publisher.midnight_ns), end]
        self.send(*map(memxtcp.wrap, messages))


def messages_of(still: Still, midnight_ns: int) -> list[bytes]:
    """The messages of a snapshot without its end."""
    moment = Moment(still.time_ns, midnight_ns, still.listings)
    timed: Values = {"timestamp": still.time_ns}
    directory = memoir.opening(moment)[1:]  # without the session that the day began with
    return [*_states(still, timed, directory), *_orders(still, timed)]


def _states(still: Still, timed: Values, directory: list[bytes]) -> list[bytes]:
    """The directory, the session's state, then what holds for each security."""
    of_all, made = still.states.get(0, 0), list(directory)
    if of_all in SESSION_CODES:
        made.append(SESSION.encode(timed, trading_session=letter(SESSION_CODES[of_all])))
    for number, _ in still.listings:
        about: Values = {**timed, "security_id": number}
        state = still.states.get(number, 0)
        if state and state != a.STATUS_CLOSED:  # which only the session can be
            code = letter(STATUS_CODES[state])
            made.append(STATUS.encode(about, security_trading_status=code, **memoir.NO_REASON))
        restricted = int(still.instruments["restricted"][number])
        made.append(RESTRICTION.encode(about, short_sale_restriction=restricted))
    return made


def _orders(still: Still, timed: Values) -> list[bytes]:
    orders = still.orders
    columns: dict[str, Any] = {
        "security_id": orders["place"] >> 2,
        "order_id": orders["wire"],
        "side": sides(orders, "B", "S"),
        "quantity": orders["quantity"],
        "price": scaled(ADDED.by_name["price"], orders),
    }
    return written(ADDED, columns, len(orders), timed)
