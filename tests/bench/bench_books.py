"""ns a message for decoding and full-depth books of a synthetic ITCH 5.0 day, hot and cold.

Everything on one core in one run, taking turns: reading the length prefixes, a plain C decode of
the fields a book needs, our decode, our books with messages in batches and one at a time, and a C++
book of the standard maps. The last tops of the two books must be equal.
"""

from __future__ import annotations

import ctypes
import shutil
import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from itch_file import itch_file

from console.bench import LOCATES, TOGETHER, WIRE_FACTOR, Run
from feedhandler import binaryfile

HERE = Path(__file__).resolve().parent
MESSAGES, QUICK_MESSAGES = 11_000_000, 1_000_000
ORDERS = 2_000_000
ROUNDS = 3
Call = Callable[[], float]


def library(source: str, compiler: str) -> Any:
    """A C or C++ file of this folder, compiled and loaded; None without the compiler."""
    if shutil.which(compiler) is None:
        return None
    path = Path(tempfile.mkdtemp()) / "bench.so"
    command = [compiler, "-O3", "-march=native", "-shared", "-fPIC", "-o", str(path)]
    subprocess.run([*command, str(HERE / source)], check=True)
    return ctypes.CDLL(str(path))


def seconds(function: Callable[[], Any]) -> float:
    """How long a call takes on this thread."""
    started = time.perf_counter()
    function()
    return time.perf_counter() - started


def c_calls(image: np.ndarray[Any, Any]) -> dict[str, Call]:
    """The C and C++ contestants."""
    data, size = ctypes.c_void_p(image.ctypes.data), ctypes.c_uint64(image.nbytes)
    seen = ctypes.c_uint64()
    walker, maps = library("itch_walker.c", "gcc"), library("map_book.cpp", "g++")
    walk = walker.itch_file_walk
    walk.restype = ctypes.c_uint64
    calls = {
        "plain C decode": lambda: seconds(
            lambda: walk(data, size, ctypes.c_uint64(1), ctypes.byref(seen))
        )
    }
    if maps is not None:
        tops = np.zeros((LOCATES, 4), np.uint64)
        place = ctypes.c_void_p(tops.ctypes.data)
        calls["C++ prefixes only"] = lambda: seconds(lambda: maps.prefixes(data, size))
        calls["C++ book of maps"] = lambda: seconds(lambda: maps.map_book(data, size, place))
        calls["C++ book of maps"].tops = tops  # type: ignore[attr-defined]
    return calls


def our_calls(run: Run) -> dict[str, Call]:
    """Our contestants."""
    names = int(run.names.ctypes.data)

    def books(together: int) -> float:
        run.fresh_book()
        given = (*run.span, together, *run.places, run.book.address, names)
        return seconds(lambda: binaryfile.book_file(*given))

    return {
        "decode": lambda: seconds(lambda: binaryfile.decode_file(*run.span, TOGETHER, *run.places)),
        "books, one message at a time": lambda: books(1),
        f"books, {TOGETHER} together": lambda: books(TOGETHER),
    }


def check_tops(run: Run, tops: np.ndarray[Any, Any]) -> None:
    """Raises AssertionError where our last tops differ from the C++ book's."""
    ours = run.book.tops
    for column, name in enumerate(("bid", "bid_quantity", "offer", "offer_quantity")):
        factor = 1 if "quantity" in name else WIRE_FACTOR
        wrong = np.flatnonzero(ours[name] // factor != tops[:, column].astype(np.int64))
        if len(wrong):
            raise AssertionError(f"{name} differs at locate {wrong[0]} and {len(wrong) - 1} more")


def profile_rows(profile: str, messages: int) -> list[dict[str, Any]]:
    """All rows of one profile."""
    path = itch_file(Path(tempfile.gettempdir()) / "sweepwire-bench", profile, messages)
    image = np.fromfile(path, np.uint8)
    run = Run(image, ORDERS)
    calls = {**c_calls(image), **our_calls(run)}
    taken: dict[str, list[float]] = {name: [] for name in calls}
    for round_number in range(ROUNDS + 1):
        for name, call in calls.items():
            ns = call() * 1e9 / messages
            if round_number:
                taken[name].append(ns)
    maps = calls.get("C++ book of maps")
    if maps is not None:
        check_tops(run, maps.tops)  # type: ignore[attr-defined]
    medians = {name: statistics.median(times) for name, times in taken.items()}
    base = medians["plain C decode"]
    rows: list[dict[str, Any]] = [
        {"name": f"{profile}: {name}", "ns_per_message": ns, "ratio_to_c_decode": ns / base}
        for name, ns in medians.items()
    ]
    p50, p99, p999, longest = run.latencies_ns()
    note = f"p50 {p50:.0f}, p99 {p99:.0f}, p99.9 {p999:.0f}, max {longest:.0f} ns"
    rows.append({"name": f"{profile}: one message, its own time", "note": note})
    return rows


def run(quick: bool) -> list[dict[str, Any]]:
    """All rows of this bench."""
    messages = QUICK_MESSAGES if quick else MESSAGES
    return [row for profile in ("hot", "cold") for row in profile_rows(profile, messages)]
