"""All that `sweepwire run` is told, read and checked before anything is opened."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec

from console.live.settings import (
    AT_START,
    GROUPS_HEARD,
    Live,
    RecoveryOf,
    address_of,
    load_live,
    symbols_of,
)
from console.plan import Plan, PlannedChannel, mapped_plan
from console.recoveryclients import RecoverySettings
from feedhandler.books.filterlayout import Owner
from feedhandler.calendars import XNYS, Calendar, common_calendar
from feedhandler.channelfile import ChannelMap, load_channels
from feedhandler.channelmap import ChannelAddress
from feedhandler.dates import BILLION as NS_PER_S
from feedhandler.dates import zone_of
from feedhandler.lines.secret import Secret
from feedhandler.wire.errors import WireError
from nic.configfile import ConfigError, load
from nic.passwords import read_password
from nic.thread import check_cores
from router.entry.logins import LOGINS, Credentials
from router.parentfile import ParentOrder, SessionHours, parents_in, read_parents
from router.risk.limits import Limits
from router.strategies.hours import hours_at
from router.venuefile import SHIPPED, RoutedVenue, load_venues

PASSWORD_BYTES = 64  # no login holds more
INJECTED = "127.88.{stream}.{line}"  # where what recovery hands to the loop is said to come from


@dataclass(frozen=True)
class Recovery:
    """Of one channel: the services, and where messages are sent again by multicast."""

    settings: RecoverySettings
    gap_group: tuple[str, int] | None


@dataclass(frozen=True)
class LiveSetup:
    """The files of a live run.

    Attributes:
        path: of the settings.
        live: the settings.
        channels: which feed comes where.
        venues_path, limits_path, parents_path: files; without parents None.
        venues: where orders can go.
        accounts: names, in the order of their numbers from 1 on.
        parents: what is wanted from the start.
        hours: of the session.
        symbols: what can be traded, in the order of their numbers from 1 on.
        credentials: by venue, of the venues with a session.
        recoveries: by channel.
        owner: whose symbols these are; None: all are.
    """

    path: Path
    live: Live
    channels: ChannelMap
    venues_path: Path
    limits_path: Path
    parents_path: Path | None
    venues: tuple[RoutedVenue, ...]
    accounts: tuple[str, ...]
    parents: tuple[ParentOrder, ...]
    hours: SessionHours
    symbols: tuple[str, ...]
    credentials: dict[str, Credentials]
    recoveries: dict[str, Recovery]
    owner: Owner | None = None

    def plan(self, now_ns: int) -> Plan:
        """The channels, with line R (messages sent again) and line S (images) of each stream."""
        plan = mapped_plan(self.channels, now_ns)
        made, streams = list(plan.channels), dict[str, PlannedChannel]()
        for channel in plan.channels:
            streams.setdefault(channel.name, channel)
        for number, (name, channel) in enumerate(streams.items(), 1):
            assert channel.address is not None
            recovery, port = self.recoveries.get(name), channel.address.udp_port
            if recovery is None:
                continue
            asked = recovery.gap_group or (INJECTED.format(stream=number, line=2), port)
            spliced = INJECTED.format(stream=number, line=3), port
            for line, place in (("R", asked), ("S", spliced)):
                address = ChannelAddress(*place)
                given = name, channel.feed, address, line, channel.midnight_ns
                made.append(PlannedChannel(*given))
        return Plan(tuple(made))

    def read_new_parents(self) -> list[ParentOrder]:
        """The file of parents as it is now. Raises ConfigError."""
        if self.parents_path is None:
            return []
        return self._own(read_parents(self.parents_path, self.hours), self.parents_path)

    def parents_in(self, text: str, name: str) -> list[ParentOrder]:
        """The parents of a text that has come from elsewhere. Raises ConfigError."""
        path = Path(name)
        return self._own(parents_in(text, path, self.hours, files=False), path)

    def _own(self, found: list[ParentOrder], path: Path) -> list[ParentOrder]:
        _check_parents(found, path, self.accounts, self.symbols)
        return [order for order in found if self.owner is None or self.owner.owns(order.symbol)]


def is_injected(address: ChannelAddress) -> bool:
    """Whether nobody sends there but our own recovery."""
    return address.group.startswith(INJECTED.partition("{")[0])


def read_live(path: Path, now_ns: int, environment: Mapping[str, str] = os.environ) -> LiveSetup:
    """Reads the settings and all files they name. Raises ConfigError, one line each time."""
    live, folder = load_live(path), path.parent
    venues_path = folder / live.venues if live.venues else SHIPPED
    limits_path = folder / live.limits
    venues, channels = load_venues(venues_path), load_channels(folder / live.channels)
    hours = hours_of(live, now_ns, path, calendar_of_map(channels))
    accounts = tuple(account.name for account in load(limits_path, Limits).accounts)
    for core in (live.core, live.session_core):
        if core is not None:
            check_cores((core,))
    try:
        symbols = tuple(symbols_of(live, folder))
    except ConfigError as error:
        raise ConfigError(f"{path}: {error}") from None
    parents_path = folder / live.parents if live.parents else None
    parents = tuple(read_parents(parents_path, hours)) if parents_path is not None else ()
    if parents_path is not None:
        _check_parents(parents, parents_path, accounts, symbols)
    return LiveSetup(
        path=path,
        live=live,
        channels=channels,
        venues_path=venues_path,
        limits_path=limits_path,
        parents_path=parents_path,
        venues=venues,
        accounts=accounts,
        parents=parents,
        hours=hours,
        symbols=symbols,
        credentials=credentials_of(live, path, venues, environment),
        recoveries=_recoveries(live, path, channels, hours.day, environment),
    )


def hours_of(live: Live, now_ns: int, path: Path, calendar: Calendar = XNYS) -> SessionHours:
    """The session's hours: the calendar's, but for those that are given. Raises ConfigError."""
    usual, given = hours_at(now_ns, calendar), live.hours
    now = datetime.fromtimestamp(now_ns / NS_PER_S, zone_of(calendar.zone))
    changed: dict[str, Any] = {}
    if given.open == AT_START:
        changed = {"day": now.date(), "evening": False}
        changed["open"] = f"{now + timedelta(seconds=1):%H:%M:%S}"
    elif given.open:
        changed["open"] = given.open
    if given.close:
        changed |= {"close": given.close, "early": ""}
    try:
        return SessionHours(**{**msgspec.structs.asdict(usual), **changed})
    except ValueError as error:
        raise ConfigError(f"{path}: hours.{error}") from None


def calendar_of_map(channels: ChannelMap) -> Calendar:
    """The calendar of a channel map's feeds."""
    return common_calendar(feed.name for channel in channels.channels for feed in channel.feeds)


def _check_parents(
    parents: tuple[ParentOrder, ...] | list[ParentOrder],
    path: Path,
    accounts: tuple[str, ...],
    symbols: tuple[str, ...],
) -> None:
    for order in parents:
        if order.account not in accounts:
            known = ", ".join(accounts)
            raise ConfigError(
                f"{path}: parent {order.name}: account {order.account!r} has no limits; "
                f"those that have: {known}"
            )
        if order.symbol not in symbols:
            raise ConfigError(
                f"{path}: parent {order.name}: symbol {order.symbol!r} is not among the symbols"
            )


def credentials_of(
    live: Live, path: Path, venues: tuple[RoutedVenue, ...], environment: Mapping[str, str]
) -> dict[str, Credentials]:
    """Who we are, by venue; of several shards' sessions the last. Raises ConfigError."""
    names, made = [venue.name for venue in venues], dict[str, Credentials]()
    speaks = {venue.name: venue.protocol for venue in venues}
    for number, given in enumerate(live.sessions):
        where = f"sessions[{number}]"
        if given.venue not in names:
            known = ", ".join(names)
            raise ConfigError(f"{path}: {where}.venue: no venue {given.venue!r}; known: {known}")
        keys = given.password_env, given.password_file
        try:
            password = read_password(where, *keys, path.parent, environment)
            secret = Secret(password, LOGINS[speaks[given.venue]].password_bytes)
        except ValueError as error:
            raise ConfigError(f"{path}: {error}") from None
        made[given.venue] = Credentials(
            username=given.username,
            password=secret,
            session=given.session,
            market=given.market,
            version=given.version,
            stream=given.stream,
            engines=given.engines,
        )
        _check_login(made[given.venue], speaks[given.venue], f"{path}: {where}")
    return made


def _check_login(credentials: Credentials, protocol: str, where: str) -> None:
    """Raises ConfigError for what a login has no room for."""
    plain = msgspec.structs.replace(credentials, password=Secret("", 1))
    try:
        LOGINS[protocol](plain).start()
    except WireError as error:
        raise ConfigError(f"{where}: a login in {protocol} has no room for it: {error}") from None


def _recoveries(
    live: Live, path: Path, channels: ChannelMap, day: date, environment: Mapping[str, str]
) -> dict[str, Recovery]:
    names, made = {channel.name for channel in channels.channels}, dict[str, Recovery]()
    for number, given in enumerate(live.recovery):
        where = f"recovery[{number}]"
        if given.channel not in names or given.channel in made:
            why = "is there twice" if given.channel in made else "is not in the channel map"
            raise ConfigError(f"{path}: {where}.channel: {given.channel!r} {why}")
        password, keys = "", (given.password_env, given.password_file)
        try:
            if any(keys):
                password = read_password(where, *keys, path.parent, environment)
            secret = Secret(password, PASSWORD_BYTES)
        except ValueError as error:
            raise ConfigError(f"{path}: {error}") from None
        group = address_of(given.gap_group, "gap_group") if given.gap_group else None
        made[given.channel] = Recovery(_services(given, secret, day), group)
    return made


def _services(given: RecoveryOf, secret: Secret, day: date) -> RecoverySettings:
    places = {
        key: address_of(text, key)
        for key in ("gap", "gap_stream", *GROUPS_HEARD)
        if (text := getattr(given, key))
    }
    return RecoverySettings(
        **places,
        snapshots={int(unit): address_of(text, unit) for unit, text in given.snapshots.items()},
        interface=given.interface,
        username=given.username,
        password=secret,
        session_sub_id=given.session_sub_id,
        session=f"{day:{given.session}}" if given.session else "",
        product_id=given.product_id,
        channel_id=given.channel_id,
        symbols=[],  # filled by who learns their numbers
    )
