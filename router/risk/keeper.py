"""Who puts limits in force: at the start, and while the loop runs.

The table that is not in force is written whole, then one store of `HEAD.limits` makes it the one.
A file that cannot be used changes nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from nic.configfile import ConfigError
from nic.regions import allowed
from router.risk.entries import publish_word
from router.risk.layout import LIMITS
from router.risk.limits import (
    UNIT,
    Account,
    Limits,
    differences,
    load_limits,
    plain,
    position_limit,
)
from router.risk.shares import WHOLE, shared
from router.tables import HEAD
from router.tablespace import RouterTables

NS_IN_MS = 1_000_000
MONEY = ("gross", "net", "capital", "credit", "loss")
COUNTS = ("open_orders", "orders_per_second", "cancel_percent", "cancel_from")


class Change(NamedTuple):
    """One limit that is another now: its key as in the file; None where there was or is none."""

    key: str
    before: Any
    after: Any


class Reload(NamedTuple):
    """What came of a file of limits.

    Attributes:
        number: of the table in force: counts the tables that came into force.
        path: the file.
        changes: what is different from the limits before; empty where the file was refused.
        error: the line that says why it was refused; empty where it was not.
    """

    number: int
    path: Path
    changes: tuple[Change, ...]
    error: str


class LimitsKeeper:
    """Keeps a router's limits.

    Args:
        tables: made with `risk_sections` of the same sizes.
        symbols, venues, accounts: row numbers by name, of all that may be traded.
        part: of the limits that are divided between several loops; see `router.risk.shares`.

    Attributes:
        limits: in force, as in the file; None before the first.
        number: of the table in force; 0 before the first.
    """

    def __init__(
        self,
        tables: RouterTables,
        symbols: Mapping[str, int],
        venues: Mapping[str, int],
        accounts: Mapping[str, int],
        part: Fraction = WHOLE,
    ) -> None:
        self._tables, self._symbols, self._part = tables, symbols, part
        self._venue_numbers, self._account_numbers = venues, accounts
        self.limits: Limits | None = None
        self.number = 0
        self._record: list[Reload] = []
        block = tables.block
        self._heads: NDArray[np.void] = block["limit_tables"]
        self._accounts = block["account_limits"].reshape(2, -1)
        self._positions = block["position_limits"].reshape(2, self._accounts.shape[1], -1)
        self._venues = block["venue_limits"].reshape(2, -1)
        self._set_addresses()

    def _set_addresses(self) -> None:
        block, gate = self._tables.block, self._tables.block["gate"][0]
        gate["accounts"], gate["venues"] = (
            block.section_address("gate_accounts"),
            block.section_address("gate_venues"),
        )
        gate["orders"], gate["heads"] = (
            block.section_address("gate_orders"),
            block.section_address("gate_heads"),
        )
        gate["mask"] = len(block["gate_orders"]) - 1
        _, accounts, instruments = self._positions.shape
        for slot, head in enumerate(self._heads):
            head["memory"] = block.section_address("gate")
            head["accounts"] = block.section_address("account_limits", slot * accounts)
            head["positions"] = block.section_address(
                "position_limits", slot * accounts * instruments
            )
            venues = self._venues.shape[1]
            head["venues"] = block.section_address("venue_limits", slot * venues)
            head["account_count"], head["instrument_count"] = accounts, instruments
            head["venue_count"] = venues

    def load(self, path: Path) -> Reload:
        """Puts a file's limits in force. Raises ConfigError, one line: then nothing has changed."""
        result = self.reload(path)
        if result.error:
            raise ConfigError(result.error)
        return result

    def reload(self, path: Path) -> Reload:
        """Puts a file's limits in force, or says in the result's `error` why the old ones stay."""
        try:
            limits = self.read(path)
        except ConfigError as error:
            return self.refuse(path, str(error))
        return self.take(path, limits)

    def read(self, path: Path) -> Limits:
        """The limits in a file. Raises ConfigError."""
        return load_limits(path, self._symbols, self._venue_numbers, self._account_numbers)

    def refuse(self, path: Path, error: str) -> Reload:
        """Notes that a file could not be used."""
        result = Reload(self.number, path, (), error)
        self._record.append(result)
        return result

    def take(self, path: Path, limits: Limits) -> Reload:
        """Puts limits in force that were read from a file."""
        changes = differences(plain(self.limits), plain(limits))
        self._put_in_force(limits)
        result = Reload(self.number, path, tuple(Change(*each) for each in changes), "")
        self._record.append(result)
        return result

    def take_record(self) -> list[Reload]:
        """What `load` and `reload` came to since the last call, in order, for a journal."""
        taken, self._record = self._record, []
        return taken

    def _put_in_force(self, limits: Limits) -> None:
        """Writes the other table and switches to it; meanwhile the tighter instruments hold."""
        self._tighten_instruments(limits)
        self.number += 1
        slot = self.number & 1
        head = self._tables.block.section_address("limit_tables", slot)
        with allowed(self._tables.block):
            publish_word(head + LIMITS.version, int(self._heads[slot]["version"]) + 1)
            self._write_table(slot, shared(limits, self._part))
            publish_word(head + LIMITS.version, int(self._heads[slot]["version"]) + 1)
            publish_word(self._tables.address + HEAD.limits, head)
        self.limits = limits
        self._set_instruments(limits)

    def _write_table(self, slot: int, limits: Limits) -> None:
        head, overall = self._heads[slot], limits.overall
        head["number"] = self.number
        head["gross"], head["loss"] = overall.gross * UNIT, overall.loss * UNIT
        head["open_orders"] = overall.open_orders
        head["orders_per_second"] = overall.orders_per_second
        for rows in (self._accounts, self._positions, self._venues):
            rows[slot] = np.zeros((), rows.dtype)
        for account in limits.accounts:
            number = self._account_numbers[account.name]
            self._write_account(self._accounts[slot, number], limits, account)
            self._write_positions(self._positions[slot, number], limits, account)
        for venue in limits.venues:
            row = self._venues[slot, self._venue_numbers[venue.name]]
            row["present"], row["orders_per_second"] = 1, venue.orders_per_second

    def _write_account(self, row: np.void, limits: Limits, account: Account) -> None:
        row["present"], row["peer"] = 1, self._peer(limits, account)
        for name in MONEY:
            row[name] = getattr(account, name) * UNIT
        for name in COUNTS:
            row[name] = getattr(account, name)
        for name in ("order_shares", "collar_bps", "last_bps"):
            row[name] = _or_global(account, limits, name)
        row["order_notional"] = _or_global(account, limits, "order_notional") * UNIT
        row["duplicate_ns"] = _or_global(account, limits, "duplicate_ms") * NS_IN_MS

    def _write_positions(self, row: NDArray[np.int64], limits: Limits, account: Account) -> None:
        row[:] = _or_global(account, limits, "position_shares")
        for symbol in {each.symbol for each in limits.symbols}:
            row[self._symbols[symbol]] = position_limit(limits, account, symbol)

    def _peer(self, limits: Limits, account: Account) -> int:
        """The next account of the group, in a circle; the account itself where it is alone."""
        if account.group is None:
            return self._account_numbers[account.name]
        names = [row.name for row in limits.accounts if row.group == account.group]
        return self._account_numbers[names[(names.index(account.name) + 1) % len(names)]]

    def _instruments_of(self, limits: Limits) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Restricted and locates by instrument number."""
        rows = self._tables.instruments
        restricted, locates = np.zeros(len(rows), np.int64), np.zeros(len(rows), np.int64)
        restricted[[self._symbols[name] for name in limits.restricted]] = 1
        for name, shares in limits.locates.items():
            locates[self._symbols[name]] = shares
        return restricted, locates

    def _tighten_instruments(self, limits: Limits) -> None:
        rows, (restricted, locates) = self._tables.instruments, self._instruments_of(limits)
        rows["restricted"] |= restricted
        rows["locates"] = np.minimum(rows["locates"], locates)

    def _set_instruments(self, limits: Limits) -> None:
        rows = self._tables.instruments
        rows["restricted"], rows["locates"] = self._instruments_of(limits)


def _or_global(account: Account, limits: Limits, name: str) -> int:
    own = getattr(account, name)
    return int(getattr(limits.overall, name) if own is None else own)
