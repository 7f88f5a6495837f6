"""`sweepwire bench itch FILE`: how long decoding and book building take on a real or made day."""

from __future__ import annotations

import csv
import json
import time
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer
from numpy.typing import NDArray

from captures import CaptureError
from console.screen import table_to_stdout
from feedhandler import binaryfile
from feedhandler.actions import ACTION_DTYPE
from feedhandler.books.layout import FAULT_NAMES
from feedhandler.books.sizes import Sizes
from feedhandler.books.venuebook import VenueBook
from feedhandler.context import CONTEXT_DTYPE
from feedhandler.wire.access import symbol_of
from feedhandler.wire.walk import BATCH
from nic.clock import Clock
from nic.histogram import HISTOGRAM_DTYPE
from nic.percentiles import percentiles

app = typer.Typer(add_completion=False)

TOGETHER = 64
LOCATES = 65_536
ORDERS = 4_000_000
LEVELS = 2_000_000
WIRE_FACTOR = 10_000  # from the house's 8 decimals to the wire's 4
LINE_BYTES = 64
RANKS = (50.0, 99.0, 99.9, 100.0)


def aligned_zeros(count: int, dtype: np.dtype[Any]) -> NDArray[Any]:
    """Zeros that start at a cache line, as the sections of a state block do."""
    raw = np.zeros(count * dtype.itemsize + LINE_BYTES, np.uint8)
    first = -int(raw.ctypes.data) % LINE_BYTES
    return raw[first : first + count * dtype.itemsize].view(dtype)


class Run:
    """A file image and everything a pass over it needs."""

    def __init__(self, image: NDArray[np.uint8], orders: int) -> None:
        self.image = image
        self.context = np.zeros(1, CONTEXT_DTYPE)
        self.context["midnight_ns"] = 1
        self.batch = aligned_zeros(BATCH, ACTION_DTYPE)
        self.names = np.zeros(LOCATES, np.int64)
        self.sizes = Sizes(
            orders=orders, levels=min(LEVELS, orders), instruments=LOCATES, scattered=False
        )
        self.book = VenueBook(self.sizes)

    @property
    def span(self) -> tuple[int, int]:
        """Addresses of the image's first byte and of the byte behind its last."""
        start = int(self.image.ctypes.data)
        return start, start + self.image.nbytes

    @property
    def places(self) -> tuple[int, int]:
        """Addresses of context and batch."""
        return int(self.context.ctypes.data), int(self.batch.ctypes.data)

    def fresh_book(self) -> None:
        """Starts again with empty books."""
        self.book.close()
        self.book = VenueBook(self.sizes)

    def build(self) -> tuple[int, float]:
        """(messages, seconds) of one pass that builds the books."""
        self.fresh_book()
        started = time.perf_counter()
        names = int(self.names.ctypes.data)
        count = binaryfile.book_file(*self.span, TOGETHER, *self.places, self.book.address, names)
        return int(count), time.perf_counter() - started

    def latencies_ns(self) -> list[float]:
        """p50, p99, p99.9 and the longest of a message on its own, ns."""
        self.fresh_book()
        histogram = np.zeros(1, HISTOGRAM_DTYPE)
        address = int(histogram.ctypes.data)
        binaryfile.time_file(*self.span, *self.places, self.book.address, address)
        clock = Clock()
        return [cycles * 1e9 / clock.tick_hz for cycles in percentiles(histogram, RANKS)]


def write_tops(path: Path, run: Run) -> None:
    """The last tops as CSV, one line an instrument that has orders, prices as on the wire."""
    with path.open("w", newline="") as file:
        out = csv.writer(file)
        out.writerow(("locate", "symbol", "bid", "bidsz", "ask", "asksz"))
        tops = run.book.tops
        shown = np.flatnonzero(run.names | (tops["bid_quantity"] + tops["offer_quantity"]))
        for locate in shown.tolist():
            top = tops[locate]
            bid, offer = int(top["bid"]) // WIRE_FACTOR, int(top["offer"]) // WIRE_FACTOR
            sizes = int(top["bid_quantity"]), int(top["offer_quantity"])
            symbol = symbol_of(int(run.names[locate]))
            out.writerow((locate, symbol, bid, sizes[0], offer, sizes[1]))


def results(run: Run, repeat: int) -> dict[str, Any]:
    """The figures of a run, best pass of several."""
    passes = [run.build() for _ in range(repeat)]
    count = passes[0][0]
    head = run.book.head
    faults = {n: int(c) for n, c in zip(FAULT_NAMES, head["faults"], strict=False) if c}
    made: dict[str, Any] = {
        "messages": count,
        "ns_per_message": min(seconds for _, seconds in passes) * 1e9 / max(count, 1),
        "live_orders": int(head["live_orders"]),
        "levels": int(head["live_levels"]),
        "book_faults": faults,
        "decode_faults": int(run.context["faults"].sum()),
        "memory_bytes": run.book.size_bytes,
    }
    return made


@app.command()
def bench(
    what: Annotated[str, typer.Argument(help="What to measure: itch.")],
    file: Annotated[Path, typer.Argument(help="An ITCH 5.0 file, 2-byte lengths in front.")],
    dump_bbo: Annotated[Path | None, typer.Option(help="Write the last tops as CSV.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
    repeat: Annotated[int, typer.Option(min=1, help="Passes; the best counts.")] = 3,
    orders: Annotated[int, typer.Option(min=1, help="Orders to have room for.")] = ORDERS,
    single: Annotated[bool, typer.Option(help="Time messages one by one as well.")] = True,
) -> None:
    """Time decoding and full-depth books on an ITCH 5.0 file in BinaryFILE form."""
    if what != "itch":
        raise typer.BadParameter(f"{what!r}: expected itch")
    try:
        image = np.fromfile(file, np.uint8)
    except OSError as error:
        raise CaptureError(str(file), None, f"cannot open: {error.strerror}") from None
    run = Run(image, orders)
    made = results(run, repeat)
    if dump_bbo is not None:
        write_tops(dump_bbo, run)
    if single:
        names = ("p50_ns", "p99_ns", "p99.9_ns", "max_ns")
        made |= dict(zip(names, run.latencies_ns(), strict=True))
    if as_json:
        typer.echo(json.dumps(made, indent=1))
        return
    rows = [
        (name, f"{value:,.1f}" if isinstance(value, float) else str(value))
        for name, value in made.items()
    ]
    table_to_stdout(("figure", "value"), rows)
