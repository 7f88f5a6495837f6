"""A market in real time: one thread runs the venues, sends their feeds and serves their clients."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import ExitStack
from datetime import date
from types import TracebackType
from typing import Any, Final, Self

import msgspec

from feedhandler.dates import date_of, midnight_ns
from feedhandler.lines.secret import Secret
from simulator.flow.settings import Settings, load_settings
from simulator.gateways.accounts import Account
from simulator.gateways.gateway import Gateway
from simulator.live.ledger import Ledger
from simulator.live.multicast import MulticastSender
from simulator.live.settings import VenueRun
from simulator.live.venue import LiveFeed, gateway_of
from simulator.market.market import Market, Records
from simulator.market.plan import SECOND_NS, ZONE, MarketPlan, with_venues
from simulator.market.symbols import made_symbols
from simulator.matching.sampler import Speed
from simulator.publishing.faults import FaultPlan
from simulator.publishing.lines import channel_map
from simulator.services.services import Services
from simulator.services.settings import Account as Client
from simulator.services.settings import ServiceSettings
from simulator.serving.reactor import Address, Reactor

PORTS_A_VENUE: Final = 10  # of its recovery services: gaps, IEX's over TCP, images of its units
SUB_ID: Final = "0001"  # of all clients at Cboe's services
STEP_S: Final = 0.001  # at least so long from one look at the market to the next


def plan_of(run: VenueRun, now_ns: int, settings: Settings | None = None) -> MarketPlan:
    """The market of a run that starts now. Raises ValueError: what cannot be."""
    given = settings or load_settings()
    activity = msgspec.structs.replace(given.activity, new_orders_per_s=run.orders_per_s)
    given = msgspec.structs.replace(given, activity=activity)
    day: date = date_of(now_ns, ZONE)
    since_s = (now_ns - midnight_ns(day, ZONE)) / SECOND_NS
    symbols = made_symbols(run.symbols) if isinstance(run.symbols, int) else run.symbols
    return MarketPlan(
        seed=run.seed,
        day=day,
        opening_s=since_s + run.before_s,
        seconds=run.seconds,
        before_s=run.before_s,
        symbols=symbols,
        settings=with_venues(given, run.venues) if run.venues else given,
    )


class LiveMarket:
    """All venues of a run, from now on.

    Args:
        run: the settings.
        accounts: who may send orders.
        now_ns: the clock.

    Attributes:
        market: the venues and the order flow.
        feeds: of the venues that have one, by name.
        gateways, addresses: of all venues, by name.
        services: gap fill and snapshots of the venues with a feed, by name.
        ledgers: what the accounts did, by venue.

    Raises OSError with the address that cannot be had, ValueError for a run that cannot be.
    """

    def __init__(
        self, run: VenueRun, accounts: dict[str, Account], now_ns: Callable[[], int] = time.time_ns
    ) -> None:
        self.now_ns = now_ns
        self.plan = plan_of(run, now_ns())
        self._stack = ExitStack()
        try:
            self._open(run, accounts)
        except BaseException:
            self._stack.close()
            raise

    def _open(self, run: VenueRun, accounts: dict[str, Account]) -> None:
        self.market = self._stack.enter_context(Market(self.plan))
        if unknown := set(run.protocols) - set(self.market.names):
            known = ", ".join(self.market.names)
            raise ValueError(f"protocols: no venue {min(unknown)!r}; there are {known}")
        self.reactor = self._stack.enter_context(Reactor(self.now_ns))
        self.sender = self._stack.enter_context(MulticastSender(run.host))
        faults = FaultPlan(faults=run.faults, seed=run.seed)
        self.feeds: dict[str, LiveFeed] = {}
        self.gateways: dict[str, Gateway] = {}
        self.addresses: dict[str, Address] = {}
        self.services: dict[str, Services] = {}
        self.ledgers = {name: Ledger() for name in self.market.names}
        for number, (name, exchange) in enumerate(
            zip(self.market.names, self.market.exchanges, strict=True)
        ):
            symbols = list(self.plan.symbols)
            if not exchange.model.dark:
                feed = self.feeds[name] = LiveFeed(self.plan, name, faults, self.sender)
                symbols = [listing.symbol for listing in feed.publisher.listings]
            speaks = run.protocols.get(name, "")
            gateway = gateway_of(name, accounts, symbols, self._way_to(number), speaks)
            port = run.first_port + number
            self.addresses[name] = self.reactor.listen((run.host, port), gateway.peer)
            self.gateways[name] = gateway
        for place, feed in enumerate(self.feeds.values()):
            self._offer(feed, run, accounts, run.first_service_port + PORTS_A_VENUE * place)
            feed.begin(self.plan.times.start_ns)

    def _offer(
        self, feed: LiveFeed, run: VenueRun, accounts: dict[str, Account], port: int
    ) -> None:
        """Opens what the venue offers those who missed something."""
        gap, stream, images = ((run.host, port + place) for place in range(3))
        clients = [
            Client(name, Secret(one.password, len(one.password)), SUB_ID)
            for name, one in accounts.items()
        ]
        settings = ServiceSettings(gap, stream, images, accounts=clients)
        services = Services(feed.publisher, settings, feed.send_again)
        services.open(self.reactor)
        self.services[feed.publisher.venue.name] = services

    def _way_to(self, number: int) -> Callable[[Records], None]:
        """What takes a gateway's commands: they are at the matching after the venue's latency."""
        exchange = self.market.exchanges[number]
        speed = Speed(exchange.model, self.plan.seed * len(self.market.names) + number)

        def submit(commands: Records) -> None:
            now_ns = max(self.now_ns(), self.market.now_ns)
            commands["time_ns"] = now_ns
            commands["time_ns"] = speed.inbound.pass_all(commands["time_ns"])
            self.market.send(number, commands)

        return submit

    @property
    def channels(self) -> str:
        """The channel map of the feeds, as TOML text."""
        return channel_map([feed.publisher.venue for feed in self.feeds.values()], self.plan.day)

    @property
    def over(self) -> bool:
        """Whether the session has ended."""
        return self.market.now_ns >= self.plan.end_ns

    def step(self, timeout_s: float = STEP_S) -> None:
        """Serves the clients, then brings the venues up to the present."""
        self.reactor.run_once(timeout_s)
        now_ns = min(self.now_ns(), self.plan.end_ns)
        if now_ns <= self.market.now_ns:
            return
        for output in self.market.run(now_ns):
            for number, name in enumerate(self.market.names):
                if name in self.feeds:
                    self.feeds[name].publish(output.public[number], output.until_ns)
                self.ledgers[name].note(self.gateways[name], output.reports[number])
                self.gateways[name].hear(output.reports[number])
        if self.over:
            self._end()

    def cut_sessions(self) -> None:
        """Breaks all order entry connections, as a network does."""
        for address in self.addresses.values():
            self.reactor.abort_at(address)

    def orders(self) -> dict[str, Any]:
        """What each account did at each venue, as plain values."""
        return {name: ledger.accounts() for name, ledger in self.ledgers.items()}

    def _end(self) -> None:
        for feed in self.feeds.values():
            feed.end(self.plan.end_ns)
        for gateway in self.gateways.values():
            gateway.end_of_day(self.plan.end_ns)

    def run(self, stopped: Callable[[], bool] = lambda: False) -> None:
        """Runs until the session has ended, or somebody says stop."""
        while not self.over and not stopped():
            self.step()

    def close(self) -> None:
        """Closes all sockets and gives the memory back."""
        self._stack.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()
