"""Limits as a TOML file. Nothing is unlimited by being left out.

What must be there is required; what may be left out takes the stricter meaning that its docstring
says. An account or venue without a row trades nothing. Money is in whole currency units.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Annotated, Any, Final

import msgspec

from nic.configfile import ConfigError, load
from router.risk import layout

UNIT: Final = 100_000_000  # of money and prices
MOST_UNITS: Final = layout.MOST_MONEY // UNIT
Money = Annotated[int, msgspec.Meta(ge=0, le=MOST_UNITS)]
OrderShares = Annotated[int, msgspec.Meta(ge=0, le=layout.MOST_SHARES)]
Shares = Annotated[int, msgspec.Meta(ge=0, le=layout.MOST_HELD)]
Bps = Annotated[int, msgspec.Meta(ge=0, le=layout.WHOLE_BPS)]
Count = Annotated[int, msgspec.Meta(ge=0, le=1 << 31)]
Percent = Annotated[int, msgspec.Meta(ge=0, le=1000)]
Milliseconds = Annotated[int, msgspec.Meta(ge=0, le=3_600_000)]


class Global(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What no account may exceed, and what all of them together may not.

    Attributes:
        order_shares, order_notional: of one order.
        collar_bps: how much worse than the national best a price may be, in basis points.
        last_bps: how much worse than the last trade.
        duplicate_ms: an order like one that passed less than that ago is refused; 0 lets them pass.
        position_shares: of an account in an instrument, long or short, open orders included.
        gross, loss, open_orders, orders_per_second: of all accounts together.
    """

    order_shares: OrderShares
    order_notional: Money
    collar_bps: Bps
    last_bps: Bps
    duplicate_ms: Milliseconds
    position_shares: Shares
    gross: Money
    loss: Money
    open_orders: Count
    orders_per_second: Count


class Account(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Limits of one account. Those of one order may be left out: then the global ones hold.

    Attributes:
        name: of the account.
        gross: sum of |position| at the mark and of all open orders.
        net: |sum of positions| at the mark, with the open orders of the side that adds to it.
        capital: money out for buys less money in from sales (never below 0), and open buys.
        credit: |money out less money in|, open buys and open sales.
        loss: of the day, fees included.
        open_orders: at venues.
        orders_per_second: new orders and replaces.
        cancel_percent: cancels in 100 new orders of the last minute.
        cancel_from: new orders in that minute before the percentage counts.
        group: accounts with the same group do not trade with each other; by default nobody else.
        duplicate_ms: at least the global one.
    """

    name: str
    gross: Money
    net: Money
    capital: Money
    credit: Money
    loss: Money
    open_orders: Count
    orders_per_second: Count
    cancel_percent: Percent
    cancel_from: Count
    group: str | None = None
    order_shares: OrderShares | None = None
    order_notional: Money | None = None
    collar_bps: Bps | None = None
    last_bps: Bps | None = None
    position_shares: Shares | None = None
    duplicate_ms: Milliseconds | None = None


class Symbol(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A tighter position limit in one symbol; of one account, or where none is named, of each."""

    symbol: str
    position_shares: Shares
    account: str | None = None


class Venue(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What may be sent to one venue: new orders and replaces a second, of all accounts."""

    name: str
    orders_per_second: Count


class Limits(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A file of limits.

    Attributes:
        restricted: symbols that are not traded.
        locates: shares that may be sold short today by symbol; 0 of those that are not named.
    """

    overall: Global = msgspec.field(name="global")
    accounts: tuple[Account, ...]
    venues: tuple[Venue, ...]
    symbols: tuple[Symbol, ...] = ()
    restricted: tuple[str, ...] = ()
    locates: dict[str, Shares] = msgspec.field(default_factory=dict)


TIGHTER: Final = ("order_shares", "order_notional", "collar_bps", "last_bps", "position_shares")


def load_limits(
    path: Path, symbols: Mapping[str, int], venues: Mapping[str, int], accounts: Mapping[str, int]
) -> Limits:
    """The limits in a file, every name in it known. Raises ConfigError: one line."""
    limits = load(path, Limits)
    wrong = _first_wrong(limits, symbols, venues, accounts)
    if wrong is not None:
        raise ConfigError(f"{path}: {wrong}")
    return limits


def _first_wrong(
    limits: Limits,
    symbols: Mapping[str, int],
    venues: Mapping[str, int],
    accounts: Mapping[str, int],
) -> str | None:
    restricted = [(f"restricted[{i}]", name) for i, name in enumerate(limits.restricted)]
    located = [(f"locates.{name}", name) for name in limits.locates]
    in_symbols = [(f"symbols[{i}].symbol", row.symbol) for i, row in enumerate(limits.symbols)]
    of_accounts = [(f"accounts[{i}].name", row.name) for i, row in enumerate(limits.accounts)]
    named = [
        (f"symbols[{i}].account", row.account)
        for i, row in enumerate(limits.symbols)
        if row.account is not None
    ]
    of_venues = [(f"venues[{i}].name", row.name) for i, row in enumerate(limits.venues)]
    pairs = [
        (key, (name, row.account))
        for (key, name), row in zip(in_symbols, limits.symbols, strict=True)
    ]
    return (
        _unknown(of_accounts + named, accounts, "an account")
        or _unknown(of_venues, venues, "a venue")
        or _unknown(in_symbols + restricted + located, symbols, "a symbol")
        or _twice(of_accounts)
        or _twice(of_venues)
        or _twice(restricted)
        or _twice(pairs)
        or _looser(limits)
    )


def _unknown(named: Iterable[tuple[str, str]], known: Mapping[str, int], what: str) -> str | None:
    for key, name in named:
        if name not in known:
            return f'{key}: expected {what} that is traded here, found "{name}"'
    return None


def _twice(named: list[tuple[str, Any]]) -> str | None:
    seen: Counter[Any] = Counter()
    for key, name in named:
        seen[name] += 1
        if seen[name] > 1:
            return f"{key}: expected each once, found {_text(name)} again"
    return None


def _text(name: Any) -> str:
    if isinstance(name, tuple):
        symbol, account = name
        return f'"{symbol}" of ' + ("each account" if account is None else f'"{account}"')
    return f'"{name}"'


def _looser(limits: Limits) -> str | None:
    for i, row in enumerate(limits.accounts):
        for name in TIGHTER:
            own, most = getattr(row, name), getattr(limits.overall, name)
            if own is not None and own > most:
                return f"accounts[{i}].{name}: expected at most global.{name} = {most}, found {own}"
        own, least = row.duplicate_ms, limits.overall.duplicate_ms
        if own is not None and own < least:
            most_text = f"global.duplicate_ms = {least}"
            return f"accounts[{i}].duplicate_ms: expected at least {most_text}, found {own}"
    for i, symbol in enumerate(limits.symbols):
        most = limits.overall.position_shares
        if symbol.position_shares > most:
            key = f"symbols[{i}].position_shares"
            return (
                f"{key}: expected at most global.position_shares = {most},"
                f" found {symbol.position_shares}"
            )
    return None


def position_limit(limits: Limits, account: Account, symbol: str) -> int:
    """Shares that an account may hold of a symbol: the least of all that is said about them."""
    said = [limits.overall.position_shares]
    if account.position_shares is not None:
        said.append(account.position_shares)
    said += [
        row.position_shares
        for row in limits.symbols
        if row.symbol == symbol and row.account in (None, account.name)
    ]
    return min(said)


def differences(before: Any, after: Any, key: str = "") -> list[tuple[str, Any, Any]]:
    """What two limits files' plain values differ in: key, before, after; None where it is not."""
    if not (isinstance(before, dict) and isinstance(after, dict)):
        return [] if before == after else [(key, before, after)]
    found = []
    for name in [*before, *(name for name in after if name not in before)]:
        inner = f"{key}.{name}" if key else str(name)
        found += differences(before.get(name), after.get(name), inner)
    return found


def plain(limits: Limits | None) -> dict[str, Any]:
    """Limits as nested plain values, rows by name: what `differences` compares."""
    if limits is None:
        return {}
    table = msgspec.to_builtins(limits)
    table["accounts"] = {row.pop("name"): row for row in table["accounts"]}
    table["venues"] = {row.pop("name"): row for row in table["venues"]}
    table["symbols"] = {
        f"{row['symbol']}.{row.get('account') or 'each'}": row["position_shares"]
        for row in table["symbols"]
    }
    table["restricted"] = dict.fromkeys(table["restricted"], True)
    return dict(table)
