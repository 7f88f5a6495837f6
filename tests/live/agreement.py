"""Whether a live run's results and what the venues say agree, order by order."""

from __future__ import annotations

import json
from collections import defaultdict
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any

import pyarrow.parquet

SCALE = 8  # decimals of a price
ORDER_COLUMNS = ["child", "venue", "side", "symbol", "executed", "leaves", "state", "token"]
FILL_COLUMNS = ["child", "venue", "shares", "price", "execution"]
OVER = {"filled", "canceled", "rejected", "expired", "done for day"}


def rows_of(path: Path, columns: list[str]) -> list[dict[str, Any]]:
    """Rows of a Parquet file."""
    return pyarrow.parquet.read_table(path, columns=columns).to_pylist()


@dataclass
class Venues:
    """What the venues say.

    Attributes:
        orders: by venue and client's id.
        executions: by venue and trade: shares, price, the order's id.
    """

    orders: dict[tuple[str, int], dict[str, Any]]
    executions: dict[tuple[str, int], tuple[int, float, int]]

    @classmethod
    def read(cls, folder: Path) -> Venues:
        """Of `sweepwire venue run --out`: all accounts, whose orders have names of their own."""
        said = json.loads((folder / "orders.json").read_text())["venues"]
        made = cls({}, {})
        for venue, accounts in said.items():
            for order in chain.from_iterable(accounts.values()):
                number = int(order["id"])
                assert (venue, number) not in made.orders, "an order came twice"
                made.orders[venue, number] = order
                for one in order["executions"]:
                    place = venue, int(one["id"])
                    assert place not in made.executions, "an execution came twice"
                    made.executions[place] = one["shares"], round(one["price"], SCALE), number
        return made


def check_agreement(results: Path, venue_folder: Path) -> Venues:
    """Every execution is known to both sides, with the same shares, price and order."""
    venues = Venues.read(venue_folder)
    ours = rows_of(results / "fills.parquet", FILL_COLUMNS)
    found = {
        (fill["venue"], fill["execution"]): (fill["shares"], round(float(fill["price"]), SCALE))
        for fill in ours
    }
    assert len(found) == len(ours), "an execution was booked twice"
    theirs = {place: (shares, price) for place, (shares, price, _) in venues.executions.items()}
    assert found == theirs
    children = {row["child"]: row for row in rows_of(results / "orders.parquet", ORDER_COLUMNS)}
    executed: dict[int, int] = defaultdict(int)
    of_order: dict[tuple[str, int], int] = {}
    for fill in ours:
        executed[fill["child"]] += fill["shares"]
        number = venues.executions[fill["venue"], fill["execution"]][2]
        owner = of_order.setdefault((fill["venue"], number), fill["child"])
        assert owner == fill["child"], "two of our orders for one of the venue's"
    for child, row in children.items():
        assert row["executed"] == executed[child], row
        check_order(row, venues)
    return venues


def check_order(row: dict[str, Any], venues: Venues) -> None:
    """One of our orders beside the venue's, which goes by its last token."""
    theirs = venues.orders.get((row["venue"], row["token"]))
    if theirs is None:  # refused on the spot, or it never left
        assert row["state"] in ("rejected", "canceled", "pending new") and not row["executed"], row
        return
    assert theirs["symbol"] == row["symbol"] and theirs["side"] == row["side"].split()[0], row
    assert theirs["leaves"] == row["leaves"], (row, theirs)
    assert (theirs["state"] == "open") == (row["state"] not in OVER), (row, theirs)
