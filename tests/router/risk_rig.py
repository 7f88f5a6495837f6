"""A router's tables with a market, limits and one gate, for tests of the gate."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from feedhandler.actions import BUY, STATUS_TRADING
from feedhandler.consolidated.market import Market
from nic.regions import allowed, reset, violations
from router.risk import entries
from router.risk.keeper import LimitsKeeper
from router.risk.layout import REASONS, risk_sections
from router.tables import CANCEL, ENTER, REPLACE
from router.tablespace import RouterTables, Sizes

SYMBOLS = {"ALFA": 1, "BRAVO": 2, "DELTA": 3}
VENUES = {"NORTH": 0, "SOUTH": 1, "POOL": 2}
ACCOUNTS = {"alpha": 1, "beta": 2, "gamma": 3}
CENT, DOLLAR = 1_000_000, 100_000_000
START_NS = 1_700_000_000_000_000_000
SIZES = Sizes(
    accounts=len(ACCOUNTS), venues=len(VENUES), instruments=len(SYMBOLS), parents=4, children=16,
    tokens=16, intents=4, timers=4, executions=16, log_lines=16,
)  # fmt: skip

PLAIN: dict[str, Any] = {
    "global": {
        "order_shares": 10_000, "order_notional": 1_000_000, "collar_bps": 500, "last_bps": 1000,
        "duplicate_ms": 0, "position_shares": 50_000, "gross": 20_000_000, "loss": 1_000_000,
        "open_orders": 1000, "orders_per_second": 1000,
    },
    "accounts": {
        name: {
            "gross": 10_000_000, "net": 10_000_000, "capital": 10_000_000, "credit": 10_000_000,
            "loss": 500_000, "open_orders": 500, "orders_per_second": 500, "cancel_percent": 100,
            "cancel_from": 1000,
        }
        for name in ("alpha", "beta")
    },
    "venues": {name: {"orders_per_second": 500} for name in VENUES},
    "symbols": [],
    "restricted": [],
    "locates": {},
}  # fmt: skip


def toml(values: dict[str, Any]) -> str:
    """A file of limits: as PLAIN, rows of accounts and venues by name."""
    lines = [f"restricted = {values['restricted']!r}".replace("'", '"')]
    lines += _table("[locates]", values["locates"]) + _table("[global]", values["global"])
    for kind in ("accounts", "venues"):
        for name, row in values[kind].items():
            lines += _table(f"[[{kind}]]", {"name": name, **row})
    for row in values["symbols"]:
        lines += _table("[[symbols]]", row)
    return "\n".join(lines) + "\n"


def _table(title: str, row: dict[str, Any]) -> list[str]:
    shown = [(k, f'"{v}"' if isinstance(v, str) else v) for k, v in row.items()]
    return [title, *(f"{key} = {value}" for key, value in shown)]


def changed(**parts: dict[str, Any] | list[Any]) -> dict[str, Any]:
    """PLAIN with some values changed: `overall`, `alpha`, `beta` and `north` update their rows."""
    values = {name: dict(v) if isinstance(v, dict) else list(v) for name, v in PLAIN.items()}
    for name, new in parts.items():
        if name == "overall":
            values["global"] = {**values["global"], **dict(new)}
        elif name in ACCOUNTS:
            values["accounts"][name] = {**values["accounts"].get(name, {}), **dict(new)}
        elif name.upper() in VENUES:
            values["venues"][name.upper()] = dict(new)
        else:
            values[name] = new
    return values


class Rig:
    """Tables, market and limits; quotes at 10.00 and 10.01, last trade at 10.00, all open."""

    def __init__(self, folder: Path, values: dict[str, Any] | None = None, seen: int = 64) -> None:
        self.market = Market(instruments=len(SYMBOLS), venue_instruments=4, venues=2)
        self.market.head["venue_count"] = 2
        sections = risk_sections(SIZES.accounts, SIZES.instruments, SIZES.venues, seen)
        self.tables = RouterTables(SIZES, sections, market=self.market.address)
        self.tables.head["venue_count"] = len(VENUES)
        self.keeper = LimitsKeeper(self.tables, SYMBOLS, VENUES, ACCOUNTS)
        self.path, self.now = folder / "limits.toml", START_NS
        for number in VENUES.values():
            row = self.tables.venues[number]
            row["quotes"] = number if number < 2 else -1
            row["lot"], row["least"], row["tick"], row["small_tick"] = 1, 1, CENT, 10_000
        for number in SYMBOLS.values():
            self.national(number, 10 * DOLLAR, 10 * DOLLAR + CENT)
            self.tables.instruments[number]["last"] = 10 * DOLLAR
            self.market.quotes[number]["status"] = STATUS_TRADING
        reset()
        if values is not None:
            self.limits(values)

    def limits(self, values: dict[str, Any]) -> None:
        """Puts limits in force."""
        self.path.write_text(toml(values))
        self.keeper.load(self.path)

    def national(self, instrument: int, bid: int, offer: int) -> None:
        """Sets a national best; 0 for none."""
        row = self.market.records[instrument]
        row["national_bid"], row["national_bid_quantity"] = bid, 100 if bid else 0
        row["national_offer"], row["national_offer_quantity"] = offer, 100 if offer else 0

    def child(self, number: int = 1, **fields: int) -> np.void:
        """Writes a child, by default 100 shares bought at 10.00, and puts it in the open chain."""
        row = self.tables.children[number]
        plain = {
            "token": number, "instrument": 1, "account": 1, "venue": 0, "side": BUY,
            "quantity": 100, "price": 10 * DOLLAR, "leaves": 100, "new_token": 0,
        }  # fmt: skip
        for name, value in {**plain, **fields}.items():
            row[name] = value
        position = self.tables.positions[int(row["account"]), int(row["instrument"])]
        row["next_open"], position["first_open"] = position["first_open"], number
        self.tables.head["child_count"] = max(number, int(self.tables.head["child_count"]))
        return row

    def intent(self, **fields: int) -> int:
        """Writes an intent, by default to buy 100 at 10.00 on NORTH for alpha; its address."""
        row = self.tables.block["intents"][:1]
        row[:] = np.zeros((), row.dtype)
        plain = {
            "kind": ENTER, "instrument": 1, "account": 1, "venue": 0, "side": BUY,
            "quantity": 100, "price": 10 * DOLLAR,
        }  # fmt: skip
        enters = fields.get("kind", ENTER) == ENTER
        for name, value in {**(plain if enters else {}), **fields}.items():
            row[0][name] = value
        return self.tables.block.section_address("intents")

    def judged(self, **fields: int) -> tuple[int, int, int]:
        """Reason, seen and allowed of an intent."""
        intent = self.intent(**fields)
        with allowed(self.tables.block, *self.market.blocks):
            return entries.judged(self.tables.address, intent, self.now)

    def says(self, **fields: int) -> str:
        """The name of the verdict on an order."""
        return REASONS[self.judged(**fields)[0]]

    def replaces(self, child: int = 1, **fields: int) -> str:
        """The verdict on a replace, by default to 100 shares at 10.00."""
        return self.says(
            **{"kind": REPLACE, "child": child, "quantity": 100, "price": 10 * DOLLAR, **fields}
        )

    def cancels(self, child: int = 1) -> str:
        """The verdict on a cancel."""
        return self.says(kind=CANCEL, child=child)

    def send(self, **fields: int) -> str:
        """Judges an order and counts it as the loop does; the verdict."""
        reason, _, _ = self.judged(**fields)
        address, intent = self.tables.address, self.intent(**fields)
        with allowed(self.tables.block, *self.market.blocks):
            if reason == 0:
                entries.passed(address, intent, self.now)
            else:
                entries.rejected(address, intent, reason, self.now)
        return REASONS[reason]

    def ends(self, child: int) -> None:
        """What the loop calls when a child ends."""
        with allowed(self.tables.block):
            entries.given_back(self.tables.address, child)

    def close(self) -> None:
        """Gives the memory back; no kernel may have left it."""
        assert violations().count == 0
        self.tables.close()
        self.market.close()
