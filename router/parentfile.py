"""Parent orders from files, TOML or CSV, and into the router's tables.

[[parents]]
name = "acme-1"
symbol = "BAK"
side = "buy"                 # or "sell", "sell_short"
quantity = 12_000
limit = "10.25"              # or a number; absent: none
strategy = "twap"            # its parameters are keys beside it
start = "09:31:00"           # or an ISO time, or seconds after the open
end = "10:30:00"
account = "desk"

A CSV file has the same keys in its first row; an empty cell is an absent key. Lengths of time are
in milliseconds (`patience_ms`), parts are decimals (`rate = 0.1`). Nothing of a file is loaded when
something in it is wrong.
"""

from __future__ import annotations

import csv
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

import numpy as np

from nic.block import Block
from nic.configfile import ConfigError
from router import tables
from router.strategies.filekeys import order_of
from router.strategies.hours import SessionHours
from router.strategies.parent import ParentOrder, check_name
from router.strategies.settings import Curve
from router.tablespace import RouterTables

FILE_BYTES_MAX: Final = 1 << 26
VOLUME_FILE: Final = "volume_file"
Numbers = Mapping[str, int]

__all__ = ["ParentOrder", "SessionHours", "load_parents", "parents_in", "read_parents"]


def read_parents(path: Path, hours: SessionHours) -> list[ParentOrder]:
    """The parents of a file: CSV by its name's end, TOML otherwise.

    Args:
        path: the file.
        hours: of the session that its times are in.

    Raises:
        ConfigError: one line with file, parent (CSV: line), key and what was expected.
    """
    return parents_in(_content(path), path, hours)


def parents_in(
    content: str, path: Path, hours: SessionHours, *, files: bool = True
) -> list[ParentOrder]:
    """The parents of a text, as `read_parents`; `path` is what it is called.

    `files`: whether it may name files of volumes.
    """
    records = _csv_records if path.suffix.lower() == ".csv" else _toml_records
    orders: list[ParentOrder] = []
    where_named: dict[str, str] = {}
    for where, record in records(content, path):
        if not files and VOLUME_FILE in record:
            raise ConfigError(f"{path}: {where}: {VOLUME_FILE}: only in the run's own file")
        try:
            order = order_of(record, hours, path.parent)
        except ConfigError as error:
            raise ConfigError(f"{path}: {where}: volume_file: {error}") from None
        except ValueError as error:
            raise ConfigError(f"{path}: {where}: {error}") from None
        if order.name in where_named:
            first = where_named[order.name]
            raise ConfigError(f'{path}: {where}: name: "{order.name}" is that of {first} too')
        where_named[order.name] = where
        orders.append(order)
    return orders


def _content(path: Path) -> str:
    try:
        with path.open("rb") as file:
            raw = file.read(FILE_BYTES_MAX + 1)
        if len(raw) > FILE_BYTES_MAX:
            raise ConfigError(f"{path}: expected a file of at most {FILE_BYTES_MAX} bytes")
        return raw.decode("utf-8-sig")
    except OSError as error:
        raise ConfigError(f"{path}: cannot open: {error.strerror}") from None
    except UnicodeDecodeError as error:
        raise ConfigError(f"{path}: byte {error.start}: expected UTF-8 text") from None


def _toml_records(content: str, path: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    try:
        table = tomllib.loads(content, parse_float=Decimal)
    except (ValueError, ArithmeticError) as error:
        raise ConfigError(f"{path}: not TOML: {error}") from None
    except RecursionError:
        raise ConfigError(f"{path}: arrays or tables nested too deeply") from None
    parents = table.get("parents", [])
    for key in table:
        if key != "parents":
            raise ConfigError(f"{path}: {key}: unknown key, expected [[parents]]")
    if not isinstance(parents, list) or not all(isinstance(record, dict) for record in parents):
        raise ConfigError(f"{path}: parents: expected [[parents]] tables")
    for index, record in enumerate(parents):
        name = record.get("name")
        said = f" ({name})" if isinstance(name, str) and name else ""
        yield f"parents[{index}]{said}", record


def _csv_records(content: str, path: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    rows = csv.reader(content.splitlines(keepends=True), strict=True)
    try:
        keys = [key.strip() for key in next(rows, [])]
        if not keys or "" in keys:
            raise ConfigError(f"{path}: line 1: expected a row of keys")
        if len(set(keys)) < len(keys):
            raise ConfigError(f"{path}: line 1: a key is there twice")
        for cells in rows:
            if not any(cell.strip() for cell in cells):
                continue
            where = f"line {rows.line_num}"
            if len(cells) != len(keys):
                said = f"expected {len(keys)} cells, found {len(cells)}"
                raise ConfigError(f"{path}: {where}: {said}")
            pairs = zip(keys, cells, strict=True)
            yield where, {key: cell.strip() for key, cell in pairs if cell.strip()}
    except csv.Error as error:
        raise ConfigError(f"{path}: line {rows.line_num}: not CSV: {error}") from None


def load_parents(
    orders: Sequence[ParentOrder],
    tables_of: RouterTables | Block,
    instruments: Numbers,
    accounts: Numbers,
) -> list[int]:
    """Writes parents and their curves into rows of the tables; gives the rows' numbers, in order.

    The loop sees none of them before it is told (NEW_PARENT of router.parentcommands, or its
    `enter`). One writer at a time. Nothing is written when something is wrong.

    Args:
        orders: what people want.
        tables_of: the router's, or the block of them that another process attached.
        instruments: numbers by symbol.
        accounts: numbers by name.

    Raises:
        ValueError: an unknown symbol or account, a name that is there already, no room.
    """
    block = tables_of.block if isinstance(tables_of, RouterTables) else tables_of
    rows, curves = block["parents"], block["curves"]
    first = int(curves[0]["used_parents"]) + 1
    _check(orders, rows[1:first], instruments, accounts)
    needed = [order.curve for order in orders]
    curve_count = sum(curve is not None for curve in needed)
    room = len(rows) - first
    if len(orders) > room:
        raise ValueError(f"{len(orders)} parents: the table has room for {room} more")
    room = len(curves) - 1 - int(curves[0]["used_curves"])
    if curve_count > room:
        raise ValueError(f"{curve_count} schedules: the table has room for {room} more")
    for number, (order, curve) in enumerate(zip(orders, needed, strict=True), first):
        at = 0
        if curve is not None:
            at = int(curves[0]["used_curves"]) + 1
            curves[at] = np.zeros((), curves.dtype)
            _write_curve(curves[at], curve)
            curves[0]["used_curves"] = at
        rows[number] = np.zeros((), rows.dtype)
        _write_parent(rows[number], order, at, instruments, accounts)
        curves[0]["used_parents"] = number
    return list(range(first, first + len(orders)))


def _check(
    orders: Sequence[ParentOrder], rows: Any, instruments: Numbers, accounts: Numbers
) -> None:
    """Raises ValueError for what the tables or the session do not know."""
    names = {bytes(name).decode() for name in rows["name"]}
    for order in orders:
        check_name(order.name)
        if order.name in names:
            raise ValueError(f"parent {order.name}: name: there is a parent of that name already")
        names.add(order.name)
        for key, known in (("symbol", instruments), ("account", accounts)):
            if getattr(order, key) not in known:
                raise ValueError(f"parent {order.name}: {key}: unknown, {getattr(order, key)!r}")


def _write_parent(
    row: Any, order: ParentOrder, curve: int, instruments: Numbers, accounts: Numbers
) -> None:
    row["name"] = order.name.encode()
    row["instrument"], row["account"] = instruments[order.symbol], accounts[order.account]
    row["side"], row["flags"] = order.side_number, order.flags
    row["quantity"], row["limit"] = order.quantity, order.limit
    row["tif"] = tables.TIFS.index(order.tif)
    row["strategy"], row["parameters"] = order.strategy.number, order.words
    row["start_ns"], row["end_ns"], row["curve"] = order.start_ns, order.end_ns, curve


def _write_curve(row: Any, curve: Curve) -> None:
    count = len(curve.points)
    row["points"], row["slices"], row["jitter"] = count, curve.slices, curve.jitter
    row["tolerance"], row["lot"], row["most"] = curve.tolerance, curve.lot, curve.most
    row["interval_ns"] = curve.interval_ns
    if count:
        row["times"][:count], row["parts"][:count] = zip(*curve.points, strict=True)
