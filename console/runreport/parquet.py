"""orders, fills, decisions and rejects as Parquet, and back; needs pyarrow, the extra "parquet".

Prices and money are decimals with 8 places, times are timestamps in UTC; what is not there (a
price of a market order, the time of an answer that never came) is null. README.md has the columns.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final

import msgspec
import numpy as np
from numpy.typing import NDArray

from console.runreport.names import CHILD_FLAGS, bits_named, name_of, style_name
from console.runreport.parents import parent_name, side_name
from console.runreport.results import Object, Results, Rows
from console.sipsaid import SIDES
from feedhandler.actions import PRICE_DECIMALS
from nic.configfile import ConfigError
from router.tables import INTENT_KINDS, LIQUIDITY, STYLES, TIFS

ORDERS: Final = "orders.parquet"
FILLS: Final = "fills.parquet"
DECISIONS: Final = "decisions.parquet"
REJECTS: Final = "rejects.parquet"
TAPES: Final = "tapes.parquet"
LAYOUT: Final = b"sweepwire_results"  # of the metadata: the number of this layout of columns
LAYOUT_NUMBER: Final = b"1"
WORDS: Final = b"words"  # of the file's metadata: what the candidates' two words are, by style
Numbers = NDArray[np.int64]


def pyarrow_or_none() -> Any:
    """The module pyarrow with its parquet part; None where it is not installed."""
    try:
        import pyarrow
        import pyarrow.parquet
    except ImportError:
        return None
    return pyarrow


class Arrays:
    """Makes arrow arrays of the columns of the report."""

    def __init__(self, arrow: Any) -> None:
        self._arrow = arrow
        self.decimal = arrow.decimal128(19, PRICE_DECIMALS)

    def money(self, raw: Numbers, there: NDArray[np.bool_] | None = None) -> Any:
        """Values of 1e-8 units as decimals; null where `there` is False."""
        there = np.ones(len(raw), bool) if there is None else there
        wide = np.ascontiguousarray(np.stack([raw, raw >> 63], axis=1))  # 128 bits, signed
        valid = self._arrow.py_buffer(np.packbits(there, bitorder="little"))
        buffers = [valid, self._arrow.py_buffer(wide)]
        return self._arrow.Array.from_buffers(self.decimal, len(raw), buffers)

    def price(self, raw: Numbers) -> Any:
        """Prices of 1e-8 units as decimals; null for 0."""
        return self.money(raw, raw != 0)

    def time(self, raw: Numbers) -> Any:
        """Times as timestamps; null for 0."""
        kind = self._arrow.timestamp("ns", "UTC")
        return self._arrow.array(np.ascontiguousarray(raw), kind, mask=raw == 0)

    def whole(self, raw: Numbers, there: NDArray[np.bool_] | None = None) -> Any:
        """Integers; null where `there` is False."""
        mask = None if there is None else ~there
        return self._arrow.array(np.ascontiguousarray(raw), self._arrow.int64(), mask=mask)

    def text(self, numbers: Numbers, name: Callable[[int], str]) -> Any:
        """Names of numbers."""
        return self._arrow.array(_named(numbers, name), self._arrow.string())

    def strings(self, texts: list[str]) -> Any:
        """Texts as they are."""
        return self._arrow.array(texts, self._arrow.string())

    def texts(self, numbers: Numbers, names: Callable[[int], list[str]]) -> Any:
        """Lists of names of numbers."""
        kind = self._arrow.list_(self._arrow.string())
        return self._arrow.array(_named(numbers, names), kind)


def _named(numbers: Numbers, name: Callable[[int], Any]) -> list[Any]:
    """A name for each number, made once for each that there is."""
    known = {int(number): name(int(number)) for number in np.unique(numbers)}
    return [known[number] for number in numbers.tolist()]


def write_parquet(folder: Path, results: Results) -> list[Path]:
    """Writes the files; their paths. Raises ConfigError without pyarrow."""
    arrow = pyarrow_or_none()
    if arrow is None:
        wanted = 'pip install "sweepwire[parquet]"'
        raise ConfigError(f"{folder}: Parquet needs pyarrow: {wanted}")
    arrays = Arrays(arrow)
    made = {
        ORDERS: order_columns(results, arrays),
        FILLS: fill_columns(results, arrays),
        DECISIONS: decision_columns(results, arrays),
        REJECTS: reject_columns(results, arrays),
    }
    if results.facts.tapes is not None:
        made[TAPES] = tape_columns(results, arrays)
    for name, columns in made.items():
        about = {WORDS: _words(results), LAYOUT: LAYOUT_NUMBER}
        table = arrow.table(columns).replace_schema_metadata(about)
        arrow.parquet.write_table(table, folder / name, compression="zstd")
    return [folder / name for name in made]


def _words(results: Results) -> bytes:
    """What the last two words of candidates are, by the name of the style."""
    named = {STYLES[number]: results.names.of_style(number) for number in range(len(STYLES))}
    return msgspec.json.encode({style: [one.first, one.second] for style, one in named.items()})


def _parent(results: Results) -> Callable[[int], str]:
    rows = results.parents
    return lambda n: parent_name(rows[n - 1], n) if 0 < n <= len(rows) else f"parent {n}"


def _whose(results: Results, arrays: Arrays, children: Rows) -> Object:
    names = results.names
    return {
        "parent": arrays.whole(children["parent"]),
        "parent_name": arrays.text(children["parent"], _parent(results)),
        "account": arrays.text(children["account"], names.account),
        "symbol": arrays.text(children["instrument"], names.instrument),
        "venue": arrays.text(children["venue"], names.venue),
        "side": arrays.text(children["side"], side_name),
    }


def order_columns(results: Results, arrays: Arrays) -> Object:
    """A row for each child, in the order of their numbers."""
    rows = results.children
    tif = dict(enumerate(TIFS))
    return {
        "child": arrays.whole(np.arange(1, len(rows) + 1)),
        **_whose(results, arrays, rows),
        "decision": arrays.whole(rows["decision"]),
        "quantity": arrays.whole(rows["quantity"]),
        "price": arrays.price(rows["price"]),
        "tif": arrays.text(rows["tif"], lambda n: tif.get(n, f"tif {n}")),
        "flags": arrays.texts(rows["flags"], lambda bits: bits_named(bits, CHILD_FLAGS)),
        "minimum": arrays.whole(rows["minimum"]),
        "shown": arrays.whole(rows["shown"]),
        "state": arrays.text(rows["state"], results.names.state),
        "executed": arrays.whole(rows["cum"]),
        "leaves": arrays.whole(rows["leaves"]),
        "notional": arrays.money(rows["notional"]),
        "fees": arrays.money(rows["fees"]),
        "decided": arrays.time(rows["made_ns"]),
        "sent": arrays.time(rows["sent_ns"]),
        "answered": arrays.time(rows["heard_ns"]),
        "last_event": arrays.time(rows["last_ns"]),
        "token": arrays.whole(rows["token"]),
        "venue_order": arrays.whole(rows["venue_order"]),
        "reason": arrays.whole(rows["reason"]),
        "ahead": arrays.whole(rows["ahead"]),
    }


def fill_columns(results: Results, arrays: Arrays) -> Object:
    """A row for each fill, in the order of the log."""
    rows = results.fills
    how = dict(enumerate(LIQUIDITY))
    return {
        "time": arrays.time(rows["time_ns"]),
        "child": arrays.whole(rows["child"]),
        **_whose(results, arrays, results.fill_children),
        "shares": arrays.whole(rows["shares"]),
        "price": arrays.money(rows["price"]),
        "fee": arrays.money(rows["fee"]),
        "liquidity": arrays.text(rows["liquidity"], lambda n: how.get(n, f"code {n}")),
        "execution": arrays.whole(rows["execution"]),
    }


def decision_columns(results: Results, arrays: Arrays) -> Object:
    """A row for each candidate of each decision; one without any has a row of its own."""
    of = _places(results.decisions["candidates"])
    rows = results.decisions[of]
    number = np.arange(len(of)) - np.searchsorted(of, of)
    there = rows["candidates"] > 0
    seen = np.zeros(len(of), results.candidates.dtype)
    seen[there] = results.candidates
    parents = np.concatenate([np.zeros(1, results.parents.dtype), results.parents])
    parent = parents[np.where(rows["parent"] < len(parents), rows["parent"], 0)]
    columns = {
        "decision": arrays.whole(rows["number"]),
        "time": arrays.time(rows["time_ns"]),
        "parent": arrays.whole(rows["parent"]),
        "parent_name": arrays.text(rows["parent"], _parent(results)),
        "symbol": arrays.text(parent["instrument"], results.names.instrument),
        "side": arrays.text(parent["side"], side_name),
        "style": arrays.text(rows["style"], style_name),
        "quantity": arrays.whole(rows["quantity"]),
        "limit": arrays.price(rows["limit"]),
        "candidates": arrays.whole(rows["candidates"]),
        "candidate": arrays.whole(number + 1, there),
        "venue": arrays.text(np.where(there, seen["venue"], -1), _venue(results)),
        "price": arrays.money(seen["price"], there),
        "effective": arrays.money(seen["effective"], there),
    }
    for name in ("shares", "chosen", "flags", "first", "second"):
        columns[name] = arrays.whole(seen[name], there)
    return columns | _flag_names(results, arrays, rows["style"], seen["flags"])


def reject_columns(results: Results, arrays: Arrays) -> Object:
    """A row for each order that the gate stopped: why, what it saw, and what was allowed."""
    rows, names = results.gates[results.gates["reason"] != 0], results.names
    kinds = dict(enumerate(INTENT_KINDS))
    return {
        "time": arrays.time(rows["time_ns"]),
        "parent": arrays.whole(rows["parent"]),
        "parent_name": arrays.text(rows["parent"], _parent(results)),
        "child": arrays.whole(rows["child"]),
        "kind": arrays.text(rows["kind"], lambda n: kinds.get(n, f"kind {n}")),
        "venue": arrays.text(rows["venue"], names.venue),
        "quantity": arrays.whole(rows["quantity"]),
        "price": arrays.price(rows["price"]),
        "reason": arrays.text(rows["reason"], lambda n: name_of(names.gate_reasons, n, "reason")),
        "seen": arrays.whole(rows["seen"]),
        "allowed": arrays.whole(rows["allowed"]),
    }


def tape_columns(results: Results, arrays: Arrays) -> Object:
    """A row for each order and tape that has its symbol: what both said when it was decided."""
    looked = [one for *_, made in results.beside_tapes for one in made.looked]
    looked.sort(key=lambda one: (one.child, one.tape))
    whole = np.array([(one.child, one.time_ns, one.quantity) for one in looked], np.int64)
    child, time_ns, quantity = whole.reshape(-1, 3).T
    rows = results.children_of(child)
    columns = {
        "time": arrays.time(time_ns),
        "child": arrays.whole(child),
        **_whose(results, arrays, rows),
        "quantity": arrays.whole(quantity),
        "tape": arrays.strings([one.tape for one in looked]),
        "seen": arrays.strings([one.word for one in looked]),
    }
    for whose, name in (("direct", "direct"), ("national", "tape")):
        for place, side in enumerate(SIDES):
            said = [getattr(one, whose)[place] for one in looked]
            columns[f"{name}_{side}"] = arrays.price(np.array([s.price for s in said], np.int64))
            sizes = np.array([s.size for s in said], np.int64)
            columns[f"{name}_{side}_size"] = arrays.whole(sizes, sizes != 0)
    return columns


def _places(candidates: Numbers) -> Numbers:
    """The place of the decision of each row: as often as it has candidates, once for none."""
    return np.repeat(np.arange(len(candidates)), np.maximum(candidates, 1))


def _venue(results: Results) -> Callable[[int], str]:
    return lambda number: results.names.venue(number) if number >= 0 else ""


def _flag_names(results: Results, arrays: Arrays, styles: Numbers, flags: Numbers) -> Object:
    """A candidate's flags, and those that say why not, in the words of its decision's style."""
    pairs, place = np.unique(np.stack([styles, flags], axis=1), axis=0, return_inverse=True)
    known = [(results.names.of_style(int(style)), int(bits)) for style, bits in pairs]
    named = [bits_named(bits, style.flags) for style, bits in known]
    why_not = [bits_named(bits & style.reasons, style.flags) for style, bits in known]
    return {
        "flag_names": arrays.texts(place.reshape(-1), lambda number: named[number]),
        "why_not": arrays.texts(place.reshape(-1), lambda number: why_not[number]),
    }


def read_rows(
    folder: Path, name: str, filters: Sequence[tuple[str, str, Any]] | None = None
) -> list[Object]:
    """Rows of a stored file that pass filters of pyarrow; times in ns since the epoch.

    Raises ConfigError where there is no such file, another one, or no pyarrow.
    """
    arrow = pyarrow_or_none()
    if arrow is None:
        wanted = 'pip install "sweepwire[parquet]"'
        raise ConfigError(f"{folder / name}: reading Parquet needs pyarrow: {wanted}")
    path = folder / name
    if not path.is_file():
        raise ConfigError(f"{path}: no such file; expected the results of a replay with routing")
    try:
        table = arrow.parquet.read_table(path, filters=list(filters) if filters else None)
    except arrow.ArrowInvalid as error:
        raise ConfigError(f"{path}: not readable as Parquet: {error}") from None
    if (table.schema.metadata or {}).get(LAYOUT) != LAYOUT_NUMBER:
        raise ConfigError(f"{path}: not results of a replay as this release writes them")
    for place, field in enumerate(table.schema):  # Python's times have no nanoseconds
        if arrow.types.is_timestamp(field.type):
            times = table.column(place).cast(arrow.int64())
            table = table.set_column(place, field.name, times)
    rows: list[Object] = table.to_pylist()
    return rows


def read_words(folder: Path) -> dict[str, tuple[str, str]]:
    """What the last two words of the candidates stored in a folder are, by style."""
    import pyarrow.parquet

    metadata = pyarrow.parquet.read_schema(folder / DECISIONS).metadata or {}
    return msgspec.json.decode(metadata.get(WORDS, b"{}"), type=dict[str, tuple[str, str]])
