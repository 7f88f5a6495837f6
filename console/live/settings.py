"""The file of `sweepwire run`: what is joined, where orders go, who we are there.

See `example.toml` beside this file, which a test reads. Names of files are relative to the file's
own folder.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Final, Literal

import msgspec

from feedhandler.channelfile import Port, Unit
from feedhandler.shards.config import Shard, check_shards
from nic.configfile import ConfigError, load
from nic.passwords import check_one_of
from nic.port import BACKENDS
from nic.uri import UriError, parse_uri, read_options

Seconds = Annotated[float, msgspec.Meta(gt=0, le=86_400)]
Milliseconds = Annotated[int, msgspec.Meta(ge=0, le=3_600_000)]
Positive = Annotated[int, msgspec.Meta(ge=1, le=1 << 30)]
AT_START: Final = "start"
GROUPS_HEARD: Final = ("refresh", "refresh_b", "definitions", "definitions_b")


class PortOf(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A port that market data comes by, as in `socket:eth0`.

    Attributes:
        uri: its address.
        shard: that has it; empty: each shard opens one of its own.
    """

    uri: str
    shard: str = ""

    def __post_init__(self) -> None:
        try:
            parsed = parse_uri(self.uri)
            if parsed.scheme not in BACKENDS or parsed.scheme in ("tcp", "replay"):
                usable = ", ".join(name for name in BACKENDS if name not in ("tcp", "replay"))
                raise ValueError(f"uri: {self.uri}: expected one of {usable}")
            read_options(parsed, BACKENDS[parsed.scheme].options)
        except UriError as error:
            raise ValueError(f"uri: {error}") from None


class SessionOf(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """An order session.

    Attributes:
        venue: a name of the file of venues, which says its protocol.
        shard: that has it, where there are some.
        host, port: of its order entry.
        options: of the `tcp:` port, as in `user_timeout_ms=3000&linger_ms=200`.
        username: as the venue gave it.
        password_env, password_file: where the password is: exactly one of them.
        session: SoupBinTCP's requested session, BOE's session sub-id, MEO's application protocol.
        market, version, stream, engines: of some protocols, see
            `router.entry.logins.Credentials`.
        firm, capacity, account, clearing_firm: on orders, see `router.entry.forms.Constants`.
        beat_ms: of our own silence before a heartbeat.
        silence_ms: of the venue's before the session counts as lost.
        login_ms: that a login may take.
        retry_ms, most_retry_ms: between two tries to log in: twice as long after each, up to that.
    """

    venue: str
    host: str
    port: Port
    username: str
    options: str = ""
    shard: str = ""
    password_env: str = ""
    password_file: str = ""
    session: str = ""
    market: str = "XNYS"
    version: str = ""
    stream: int = 0
    engines: Annotated[int, msgspec.Meta(ge=1, le=24)] = 1
    firm: str = ""
    capacity: Literal["A", "P", "R"] = "P"
    account: str = ""
    clearing_firm: str = ""
    beat_ms: Annotated[int, msgspec.Meta(ge=1, le=60_000)] = 800
    silence_ms: Annotated[int, msgspec.Meta(ge=10, le=600_000)] = 5_000
    login_ms: Annotated[int, msgspec.Meta(ge=10, le=600_000)] = 5_000
    retry_ms: Annotated[int, msgspec.Meta(ge=1, le=60_000)] = 100
    most_retry_ms: Annotated[int, msgspec.Meta(ge=1, le=600_000)] = 10_000

    def __post_init__(self) -> None:
        check_one_of(self.password_env, self.password_file)
        try:
            read_options(parse_uri(self.uri), BACKENDS["tcp"].options)
        except UriError as error:
            raise ValueError(f"options: {error}") from None

    @property
    def uri(self) -> str:
        """The port's address."""
        return f"tcp:{self.host}:{self.port}" + (f"?{self.options}" if self.options else "")


class RecoveryOf(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The recovery services of a feed; addresses are `HOST:PORT`.

    Attributes:
        channel: its name in the channel map.
        gap: of the gap service; gap_stream: IEX: over TCP, taken instead.
        gap_group: multicast group that messages are sent again on (Cboe, NYSE).
        snapshots: of the snapshot services by unit; "0" of all units without their own.
        refresh: NYSE: multicast group of the refreshes; interface: address to hear it on.
            CME: of the snapshots' loop, refresh_b its line B; definitions, definitions_b: of the
            definitions' loop.
        username, password_env, password_file, session_sub_id, session, product_id, channel_id: who
            we are there, see `console.recoveryclients.RecoverySettings`. In `session` %y, %m and %d
            stand for the session's date.
    """

    channel: str
    gap: str = ""
    gap_stream: str = ""
    gap_group: str = ""
    snapshots: dict[str, str] = {}
    refresh: str = ""
    refresh_b: str = ""
    definitions: str = ""
    definitions_b: str = ""
    interface: str = "0.0.0.0"
    username: str = ""
    password_env: str = ""
    password_file: str = ""
    session_sub_id: str = ""
    session: str = ""
    product_id: Unit = 1
    channel_id: Unit = 1

    def __post_init__(self) -> None:
        if self.password_env and self.password_file:
            raise ValueError("password_env or password_file: expected one of them")
        for key in ("gap", "gap_stream", "gap_group", *GROUPS_HEARD):
            if text := getattr(self, key):
                address_of(text, key)
        for unit, text in self.snapshots.items():
            if not (unit.isascii() and unit.isdigit()):
                raise ValueError(f"snapshots.{unit}: expected the number of a unit")
            address_of(text, f"snapshots.{unit}")


class Hours(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Of trading, by the clock of the market's calendar.

    What is left out is the calendar's, early closes too; `open = "start"`: when the run starts, for
    rehearsals.
    """

    open: str = ""
    close: str = ""


class Live(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """All of the file.

    Attributes:
        name: of the run, for headings.
        channels: the channel map: which feed comes on which group.
        venues: the file of venues; empty: the one that comes along.
        limits: the file of limits. It is read again when it changes, and at SIGHUP.
        parents: parents to start with; empty: they come by command alone.
        symbols: what can be traded; or, in a file, one a line.
        hours: of the session.
        ports, sessions, recovery: see there.
        shards: several loops, see `feedhandler.shards.config`; none: one loop has everything.
        core: of the loop; absent: where the scheduler puts it.
        wait: what the loop does when nothing is there: "spin" wants a core of its own.
        session_core: a second core that serves the order sessions, so that the loop makes no system
            call; absent: the loop serves them itself.
        session_wait: what that core does when nothing is there.
        control: socket that `sweepwire parent` talks to, of mode 0600; empty: there is none.
        state: file of the loop's counters; empty: one in /dev/shm that `sweepwire top` finds.
        results: folder of what is written at the end.
        stop_s: how long open orders may take to be canceled at the end.
        window_ms: that a packet waits for one that is missing, for the other line to bring it.
        recovery_ms: that a gap may stay open while messages are asked for.
        quiet_s: of a feed, heartbeats included, before no orders go to its venue; 0: it may be.
        orders: room of each venue's order table at first; it grows.
        children, tokens: room for orders, and for their names, of the day.
        first_token: of the first order: above all that the venues had today.
        seed: of what is drawn.
        measure: whether each step is timed.
        assume_trading: a venue that never said its status trades.
        stop_at_close: whether the run ends at the close.
    """

    channels: str
    limits: str
    ports: list[PortOf]
    sessions: list[SessionOf]
    name: str = "live"
    venues: str = ""
    parents: str = ""
    symbols: list[str] = []
    symbols_file: str = ""
    hours: Hours = Hours()
    recovery: list[RecoveryOf] = []
    shards: list[Shard] = []
    core: Annotated[int, msgspec.Meta(ge=0, le=4095)] | None = None
    wait: Literal["spin", "pause", "sleep"] = "sleep"
    session_core: Annotated[int, msgspec.Meta(ge=0, le=4095)] | None = None
    session_wait: Literal["spin", "pause", "sleep"] = "pause"
    control: str = ""
    state: str = ""
    results: str = "results"
    stop_s: Seconds = 5.0
    window_ms: Milliseconds = 5
    recovery_ms: Milliseconds = 2_000
    quiet_s: Annotated[float, msgspec.Meta(ge=0, le=3_600)] = 3.0
    orders: Annotated[int, msgspec.Meta(ge=64, le=1 << 26)] = 1 << 16
    children: Annotated[int, msgspec.Meta(ge=64, le=1 << 24)] = 1 << 16
    first_token: Positive = 1
    seed: int = 1
    measure: bool = True
    assume_trading: bool = False
    stop_at_close: bool = True

    def __post_init__(self) -> None:
        for key in ("ports", "sessions"):
            if not getattr(self, key):
                raise ValueError(f"{key}: expected at least one [[{key}]] table")
        places = [(session.venue, session.shard) for session in self.sessions]
        for number, place in enumerate(places):
            if places.index(place) != number:
                raise ValueError(f"sessions[{number}].venue: {place[0]} has a session already")
        self._check_shards()
        self._check_session_core()
        if bool(self.symbols) == bool(self.symbols_file):
            raise ValueError("symbols or symbols_file: expected one of them")

    def _check_session_core(self) -> None:
        if self.session_core is None:
            return
        if self.shards:
            raise ValueError("session_core: shards serve their sessions themselves")
        if self.session_core == self.core:
            raise ValueError("session_core: expected another core than that of the loop")

    def _check_shards(self) -> None:
        names = [shard.name for shard in self.shards]
        if self.shards:
            check_shards(self.shards)
            if self.core is not None:
                raise ValueError("core: each of the shards has its own")
        of_sessions = [("sessions", n, row.shard) for n, row in enumerate(self.sessions)]
        of_ports = [("ports", n, row.shard) for n, row in enumerate(self.ports)]
        for key, number, shard in (*of_sessions, *of_ports):
            all_of_them = not shard and (key == "ports" or not names)
            if not all_of_them and shard not in names:
                wanted = f"a shard ({', '.join(names) or 'there are none'})"
                raise ValueError(f'{key}[{number}].shard: expected {wanted}, found "{shard}"')
        for name in names:
            if name not in [shard for _, _, shard in of_sessions]:
                raise ValueError(f"shards: shard {name} has no [[sessions]] table")
            if not any(shard in ("", name) for _, _, shard in of_ports):
                raise ValueError(f"shards: shard {name} has no [[ports]] table")


def address_of(text: str, key: str) -> tuple[str, int]:
    """`HOST:PORT` taken apart. Raises ValueError naming the key."""
    host, colon, port = text.rpartition(":")
    number = int(port) if port.isascii() and port.isdigit() else 0
    if not (host and colon and 0 < number < 65536):
        raise ValueError(f'{key}: expected HOST:PORT, as in "10.1.2.3:4001", found "{text}"')
    return host, number


def load_live(path: Path) -> Live:
    """The file at `path`. Raises ConfigError, one line that names file and key."""
    return load(path, Live)


def symbols_of(live: Live, folder: Path) -> list[str]:
    """What can be traded, each once. Raises ConfigError."""
    if live.symbols:
        found = live.symbols
    else:
        path = folder / live.symbols_file
        try:
            found = path.read_text("utf-8").split()
        except (OSError, UnicodeDecodeError) as error:
            why = error.strerror if isinstance(error, OSError) else "expected UTF-8 text"
            raise ConfigError(f"symbols_file: {path}: {why}") from None
    for symbol in found:
        if not 1 <= len(symbol) <= 8 or not symbol.isascii() or not symbol.isprintable():
            raise ConfigError(f"symbols: {symbol!r}: expected 1 to 8 letters")
    if not found or len(set(found)) < len(found):
        raise ConfigError("symbols: expected at least one, each once")
    return list(found)
