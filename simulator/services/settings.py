"""Who may ask a venue's recovery services, for how much, and where they listen."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from hmac import compare_digest

from feedhandler.lines.secret import Secret
from simulator.serving.peers import Outlet

SECOND_NS = 1_000_000_000
GAP, REFRESH = "gap", "refresh"  # the recovery groups that messages are sent again on
Address = tuple[str, int]
Multicast = Callable[[str, bytes], None]
"""Sends a datagram on a recovery group, GAP or REFRESH."""


@dataclass(frozen=True)
class Account:
    """A client that a service knows. The password shows nowhere.

    Attributes:
        username: NYSE: the source id, IEX: only a name.
        password: IEX: the token.
        session_sub_id: Cboe's.
    """

    username: str
    password: Secret = field(default_factory=lambda: Secret("", 0))
    session_sub_id: str = ""


@dataclass(frozen=True)
class Limits:
    """What a service refuses.

    Attributes:
        most_messages: of one request.
        requests_second, requests_minute, requests_day: of one account.
        refreshes_day: images of one account in a day.
        login_ns: silence before the login that a service puts up with.
        silence_ns: the same behind it, where the client has to say something.
        beat_ns: of its own silence before it says that it is there.
        announce_ns: between two images of a spin server.
        kept_images: announced ones that can still be asked for.
    """

    most_messages: int = 10_000
    requests_second: int = 1_000
    requests_minute: int = 10_000
    requests_day: int = 100_000
    refreshes_day: int = 10_000
    login_ns: int = 10 * SECOND_NS
    silence_ns: int = 15 * SECOND_NS
    beat_ns: int = SECOND_NS
    announce_ns: int = SECOND_NS
    kept_images: int = 3


@dataclass(frozen=True)
class ServiceSettings:
    """A venue's services.

    Attributes:
        gap: where the gap service listens; port 0 takes a free one.
        gap_stream: IEX: the same over TCP.
        snapshot: where the snapshot service listens; of a further unit one port behind, where the
            port is not 0.
        accounts: who may log in.
        limits: see Limits.
        product_id, channel_id: NYSE: of the channel.
    """

    gap: Address = ("127.0.0.1", 0)
    gap_stream: Address = ("127.0.0.1", 0)
    snapshot: Address = ("127.0.0.1", 0)
    accounts: Sequence[Account] = ()
    limits: Limits = Limits()
    product_id: int = 1
    channel_id: int = 1


class Door:
    """Lets accounts in, each once at a time and as often as the limits say.

    Args:
        accounts: that there are.
        limits: see Limits.
    """

    def __init__(self, accounts: Sequence[Account], limits: Limits) -> None:
        self.accounts, self.limits = tuple(accounts), limits
        self._inside: dict[Outlet, Account] = {}
        self._counts: dict[tuple[str, str, int], tuple[int, int]] = {}

    def find(
        self, username: str, password: str, session_sub_id: str | None = None
    ) -> Account | None:
        """The account with this name and password, and sub id where the service has any.

        Takes as long for a wrong one as for a right one.
        """
        found = None
        for account in self.accounts:
            same = _same(username, account.username)
            same &= _same(password, account.password.reveal())
            same &= session_sub_id is None or _same(session_sub_id, account.session_sub_id)
            found = account if same else found
        return found

    def by_token(self, token: str) -> Account | None:
        """The account with this password, where nobody says a name. As slow as `find`."""
        found = None
        for account in self.accounts:
            found = account if _same(token, account.password.reveal()) else found
        return found

    def knows_session(self, session_sub_id: str) -> bool:
        """Whether any account has that sub id."""
        return any(account.session_sub_id == session_sub_id for account in self.accounts)

    def enter(self, outlet: Outlet, account: Account) -> bool:
        """A connection is this account's; False when another one is."""
        if account in self._inside.values():
            return False
        self._inside[outlet] = account
        return True

    def leave(self, outlet: Outlet) -> None:
        """A connection is gone."""
        self._inside.pop(outlet, None)

    def over(self, username: str, now_ns: int, what: str = "request") -> str:
        """Counts a request; the quota that it is beyond: "day", "minute", "second", or ""."""
        limits = self.limits
        most_day = limits.refreshes_day if what == "refresh" else limits.requests_day
        quotas = (
            ("day", 86_400 * SECOND_NS, most_day),
            ("minute", 60 * SECOND_NS, limits.requests_minute),
            ("second", SECOND_NS, limits.requests_second),
        )
        for name, length_ns, most in quotas:
            place, period = (username, what, length_ns), now_ns // length_ns
            begun, count = self._counts.get(place, (period, 0))
            count = count if begun == period else 0
            if count >= most:
                return name
            self._counts[place] = period, count + 1
        return ""


def _same(given: str, wanted: str) -> bool:
    """Whether two texts are the same, in a time that says nothing of where they differ."""
    return compare_digest(given.encode("utf-8", "replace"), wanted.encode("utf-8", "replace"))
