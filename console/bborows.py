"""Best bids and offers as rows: JSON Lines, or Parquet with the optional extra "parquet"."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, BinaryIO, Final

import msgspec
import numpy as np
from numpy.typing import NDArray

from feedhandler.actions import PRICE_DECIMALS
from feedhandler.consolidated.layout import STATES
from feedhandler.consolidated.streamformat import BANDS, KINDS, NATIONAL, STATE_BITS
from nic.configfile import ConfigError

FLAGS: Final = ("bid_below_band", "offer_above_band", "limit_up", "limit_down", "halted")
ONE: Final = 10**PRICE_DECIMALS
LEAST_DECIMALS: Final = 2
ROW_GROUP: Final = 65_536
VENUE_MASK: Final = 0xFFFFFFFF

Names = Callable[[int], str]
Pair = tuple[int, int]


def price_text(price: int) -> str:
    """A price of 1e-8 units with 2 to 8 decimals."""
    whole, part = divmod(abs(price), ONE)
    digits = f"{part:0{PRICE_DECIMALS}d}".rstrip("0").ljust(LEAST_DECIMALS, "0")
    return f"{'-' if price < 0 else ''}{whole}.{digits}"


def names_in(bits: int, names: Sequence[str]) -> list[str]:
    """The names whose bits are set."""
    return [name for number, name in enumerate(names) if bits >> number & 1]


class BandsKnown:
    """The price bands of each instrument, as stream records say them in order."""

    def __init__(self) -> None:
        self._bands: dict[int, Pair] = {}

    def of(self, record: np.void) -> Pair:
        """Lower and upper band of a record's instrument, 0 for none; taken from one of bands."""
        number = int(record["instrument"])
        if record["kind"] == BANDS:
            lower, upper = record["words"][:2].tolist()
            self._bands[number] = lower, upper
        return self._bands.get(number, (0, 0))


class JsonRows:
    """One JSON object a line; a side that nobody shows is null, and so is a band withdrawn."""

    def __init__(self, out: BinaryIO, symbol: Names, venues: Sequence[str]) -> None:
        self._out, self._symbol, self._venues = out, symbol, venues
        self._encode = msgspec.json.Encoder().encode
        self._bands = BandsKnown()

    def write(self, records: NDArray[np.void]) -> None:
        """Writes stream records of the kinds best, national, odd_lot and bands."""
        lines = [self._encode(self._object(record)) for record in records]
        self._out.write(b"".join(line + b"\n" for line in lines))

    def _object(self, record: np.void) -> dict[str, Any]:
        bands, kind = self._bands.of(record), int(record["kind"])
        made: dict[str, Any] = {
            "ts_ns": int(record["time_ns"]),
            "symbol": self._symbol(int(record["instrument"])),
            "kind": KINDS[kind],
        }
        if kind != BANDS:
            made |= self._sides(record)
        if kind == BANDS or (kind == NATIONAL and any(bands)):
            lower, upper = (price_text(band) if band else None for band in bands)
            made |= {"lower_band": lower, "upper_band": upper}
        return made

    def _sides(self, record: np.void) -> dict[str, Any]:
        bid, offer, bid_quantity, offer_quantity, venues = record["words"].tolist()
        made: dict[str, Any] = {}
        sides = (("bid", bid, bid_quantity, venues), ("offer", offer, offer_quantity, venues >> 32))
        for side, price, quantity, bits in sides:
            made[side] = price_text(price) if quantity else None
            made[f"{side}_quantity"] = quantity
            made[f"{side}_venues"] = names_in(bits & VENUE_MASK, self._venues)
        made["state"] = STATES[record["flags"] & ((1 << STATE_BITS) - 1)]
        flags = names_in(int(record["flags"]) >> STATE_BITS, FLAGS)
        return made | ({"flags": flags} if flags else {})

    def close(self) -> None:
        """Everything is with the file."""
        self._out.flush()


class ParquetRows:
    """A Parquet file: prices as decimals with 8 places, times as timestamps in UTC.

    Raises ConfigError without pyarrow.
    """

    def __init__(self, path: Path, symbol: Names, venues: Sequence[str]) -> None:
        try:
            import pyarrow
            import pyarrow.parquet
        except ImportError:
            wanted = 'pip install "sweepwire[parquet]"'
            raise ConfigError(f"{path}: Parquet needs pyarrow: {wanted}") from None
        self._arrow, self._symbol, self._venues = pyarrow, symbol, venues
        text, many = pyarrow.string(), pyarrow.list_(pyarrow.string())
        self._decimal = pyarrow.decimal128(19, PRICE_DECIMALS)
        fields = {"ts": pyarrow.timestamp("ns", "UTC"), "symbol": text, "kind": text}
        for side in ("bid", "offer"):
            fields[side] = self._decimal
            fields |= {f"{side}_quantity": pyarrow.int64(), f"{side}_venues": many}
        fields |= {"state": text, "flags": many}
        fields |= {"lower_band": self._decimal, "upper_band": self._decimal}
        self._schema = pyarrow.schema(fields)
        self._bands = BandsKnown()
        self._file = pyarrow.parquet.ParquetWriter(path, self._schema)
        self._waiting: list[NDArray[np.void]] = []
        self._waiting_count = 0

    def write(self, records: NDArray[np.void]) -> None:
        """Takes stream records of the kinds best, national, odd_lot and bands."""
        self._waiting.append(records)
        self._waiting_count += len(records)
        if self._waiting_count >= ROW_GROUP:
            self._flush()

    def _flush(self) -> None:
        if not self._waiting_count:
            return
        rows = np.concatenate(self._waiting)
        self._waiting, self._waiting_count = [], 0
        words, flags = rows["words"].copy(), rows["flags"]
        bands = np.array([self._bands.of(row) for row in rows], np.int64)
        banded = np.isin(rows["kind"], (NATIONAL, BANDS))
        words[rows["kind"] == BANDS] = 0  # a row of bands has no sides
        made: dict[str, Any] = {
            "ts": self._arrow.array(rows["time_ns"].copy(), self._schema.field("ts").type),
            "symbol": [self._symbol(int(number)) for number in rows["instrument"]],
            "kind": [KINDS[kind] for kind in rows["kind"]],
            "state": [STATES[bits] for bits in flags & ((1 << STATE_BITS) - 1)],
            "flags": [names_in(int(bits) >> STATE_BITS, FLAGS) for bits in flags],
        }
        for number, side in enumerate(("bid", "offer")):
            quantities, bits = words[:, 2 + number].copy(), words[:, 4] >> 32 * number
            made[side] = self._prices(words[:, number], quantities != 0)
            made[f"{side}_quantity"] = quantities
            made[f"{side}_venues"] = [names_in(int(b) & VENUE_MASK, self._venues) for b in bits]
        for number, band in enumerate(("lower_band", "upper_band")):
            made[band] = self._prices(bands[:, number], banded & (bands[:, number] != 0))
        self._file.write_table(self._arrow.table(made, self._schema))

    def _prices(self, prices: NDArray[np.int64], there: NDArray[np.bool_]) -> Any:
        wide = np.stack([prices, prices >> 63], axis=1)  # sign extended to 128 bits
        valid = self._arrow.py_buffer(np.packbits(there, bitorder="little"))
        buffers = [valid, self._arrow.py_buffer(np.ascontiguousarray(wide))]
        return self._arrow.Array.from_buffers(self._decimal, len(prices), buffers)

    def close(self) -> None:
        """Writes what waits and the file's end."""
        self._flush()
        self._file.close()
