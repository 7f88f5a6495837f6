"""Children, parents and positions as rows that a person or a tool can read.

Copies of the tables as they stand: a row that the loop is writing at that moment may be half new.
"""

from __future__ import annotations

from dataclasses import dataclass

from feedhandler.actions import BUY
from router.orders.states import FIX_STATUS, STATES, is_over, marks_text
from router.tables import STRATEGIES, TIFS
from router.tablespace import RouterTables


@dataclass(frozen=True, slots=True)
class ChildRow:
    """One child. Prices and money in 1e-8 units, times in ns, 0 where there is none.

    Attributes:
        fix_status: OrdStatus, tag 39; "" for unknown.
        marks: what was odd about it, with commas.
    """

    number: int
    token: int
    state: str
    fix_status: str
    parent: int
    instrument: int
    account: str
    venue: str
    side: str
    quantity: int
    price: int
    tif: str
    cum: int
    leaves: int
    busted: int
    average: int
    notional: int
    fees: int
    marks: str
    reason: int
    made_ns: int
    heard_ns: int
    last_ns: int


@dataclass(frozen=True, slots=True)
class ParentRow:
    """One parent, units as of a child; `left` is neither executed nor open."""

    number: int
    name: str
    state: str
    fix_status: str
    instrument: int
    account: str
    side: str
    quantity: int
    limit: int
    strategy: str
    cum: int
    open: int
    left: int
    average: int
    notional: int
    fees: int
    children: int
    open_children: int
    rejects: int
    arrival: int
    arrived_ns: int
    ended_ns: int
    reason: int


@dataclass(frozen=True, slots=True)
class PositionRow:
    """One position, units as of a child; profit and loss before fees."""

    account: str
    instrument: int
    shares: int
    average: int
    mark: int
    realised: int
    unrealised: int
    fees: int
    open_buy: int
    open_sell: int
    bought: int
    sold: int


def average_of(money: int, shares: int) -> int:
    """Money a share, rounded down; 0 of nothing."""
    return money // shares if shares else 0


def _side(number: int) -> str:
    return "buy" if number == BUY else "sell"


def _text(name: bytes) -> str:
    return name.decode("ascii", "replace")


def child_rows(tables: RouterTables, *, open_only: bool = False) -> list[ChildRow]:
    """All children, or those that are not over, by number."""
    rows = []
    for number, row in enumerate(tables.used_children, 1):
        if open_only and is_over(int(row["state"])):
            continue
        state, cum, notional = int(row["state"]), int(row["cum"]), int(row["notional"])
        rows.append(
            ChildRow(
                number=number,
                token=int(row["token"]),
                state=STATES[state],
                fix_status=FIX_STATUS[state],
                parent=int(row["parent"]),
                instrument=int(row["instrument"]),
                account=_text(tables.accounts[int(row["account"])]["name"]),
                venue=_text(tables.venues[int(row["venue"])]["name"]),
                side=_side(int(row["side"])),
                quantity=int(row["quantity"]),
                price=int(row["price"]),
                tif=TIFS[int(row["tif"])],
                cum=cum,
                leaves=int(row["leaves"]),
                busted=int(row["busted"]),
                average=average_of(notional, cum),
                notional=notional,
                fees=int(row["fees"]),
                marks=marks_text(int(row["marks"])),
                reason=int(row["reason"]),
                made_ns=int(row["made_ns"]),
                heard_ns=int(row["heard_ns"]),
                last_ns=int(row["last_ns"]),
            )
        )
    return rows


def parent_rows(tables: RouterTables) -> list[ParentRow]:
    """All parents by number."""
    rows = []
    for number, row in enumerate(tables.used_parents, 1):
        state, cum, notional = int(row["state"]), int(row["cum"]), int(row["notional"])
        rows.append(
            ParentRow(
                number=number,
                name=_text(row["name"]),
                state=STATES[state],
                fix_status=FIX_STATUS[state],
                instrument=int(row["instrument"]),
                account=_text(tables.accounts[int(row["account"])]["name"]),
                side=_side(int(row["side"])),
                quantity=int(row["quantity"]),
                limit=int(row["limit"]),
                strategy=STRATEGIES[int(row["strategy"])],
                cum=cum,
                open=int(row["open"]),
                left=max(int(row["quantity"]) - cum - int(row["open"]), 0),
                average=average_of(notional, cum),
                notional=notional,
                fees=int(row["fees"]),
                children=int(row["children"]),
                open_children=int(row["open_children"]),
                rejects=int(row["rejects"]),
                arrival=int(row["arrival"]),
                arrived_ns=int(row["arrived_ns"]),
                ended_ns=int(row["ended_ns"]),
                reason=int(row["reason"]),
            )
        )
    return rows


def position_rows(tables: RouterTables) -> list[PositionRow]:
    """Positions that have shares, open orders or a history, by account and instrument."""
    rows = []
    for account in range(1, len(tables.accounts)):
        name = _text(tables.accounts[account]["name"])
        for instrument in range(1, tables.positions.shape[1]):
            row = tables.positions[account, instrument]
            shares, cost, mark = int(row["shares"]), int(row["cost"]), int(row["mark"])
            if not (row["first_open"] or row["bought"] or row["sold"] or shares):
                continue
            rows.append(
                PositionRow(
                    account=name,
                    instrument=instrument,
                    shares=shares,
                    average=average_of(abs(cost), abs(shares)),
                    mark=mark,
                    realised=int(row["realised"]),
                    unrealised=shares * mark - cost,
                    fees=int(row["fees"]),
                    open_buy=int(row["open_buy"]),
                    open_sell=int(row["open_sell"]),
                    bought=int(row["bought"]),
                    sold=int(row["sold"]),
                )
            )
    return rows
