"""A synthetic day of TotalView-ITCH 5.0 in Nasdaq's BinaryFILE form, for the book benches.

Each message has a 2-byte big-endian length in front. 2,000 symbols with Zipf activity, order
numbers increasing with gaps, about a million orders alive at the end of 11 million messages; of the
touches (executions, cancels, deletes, replaces) a share hits recent orders: 0.85 in the `hot`
profile, none on purpose in the `cold` one.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from itch_file_kernel import make
from numpy.typing import NDArray

from feedhandler.protocols.itch50 import ITCH50
from feedhandler.wire.framing import COUNTED_U16_BE

SYMBOLS = 2000
PROFILES = {"hot": 0.85, "cold": 0.0}
LONGEST_BYTES = 38


def symbol_names(count: int) -> NDArray[np.uint8]:
    """Names AAAA, AAAB, … padded to 8 bytes, uint8 [symbol][8]."""
    letters = np.arange(count)[:, None] // 26 ** np.arange(3, -1, -1) % 26 + ord("A")
    spaces = np.full((count, 4), ord(" "))
    return np.concatenate([letters, spaces], axis=1).astype(np.uint8)


def make_messages(profile: str, count: int, seed: int = 1) -> tuple[NDArray[np.uint8], int]:
    """(bytes of the file, orders alive at its end)."""
    weights = 1.0 / np.arange(1, SYMBOLS + 1)
    cumulative = np.cumsum(weights / weights.sum())
    mids = np.random.default_rng(seed).integers(50, 5000, SYMBOLS) * 1000
    out = np.empty(count * LONGEST_BYTES, np.uint8)
    table = np.zeros((count, 5), np.int64)
    names = symbol_names(SYMBOLS)
    written, alive = make(out, count, seed, PROFILES[profile], cumulative, mids, names, table)
    return np.concatenate([directory(names), out[:written]]), int(alive)


def directory(names: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """The stock directory messages that a day starts with."""
    messages = [
        COUNTED_U16_BE.wrap(
            ITCH50["R"].encode(
                stock_locate=number,
                timestamp=1,
                stock=name.tobytes().decode().rstrip(),
                round_lot_size=100,
                authenticity="P",
            )
        )
        for number, name in enumerate(names, 1)
    ]
    return np.frombuffer(b"".join(messages), np.uint8)


def itch_file(folder: Path, profile: str, count: int, seed: int = 1) -> Path:
    """The path of such a file, made if it is not there yet."""
    path = folder / f"itch50-{profile}-{count}-{seed}.bin"
    if not path.exists():
        folder.mkdir(parents=True, exist_ok=True)
        data, _ = make_messages(profile, count, seed)
        unfinished = path.with_suffix(".tmp")
        data.tofile(unfinished)
        unfinished.replace(path)
    return path
