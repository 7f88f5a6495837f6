"""Makes captures/samples/market: a few seconds of a made market, its decode and its last books.

The same bytes every time. Run it after a change of flow, matching or publishing, look at what
changed, commit it. Captures and decodes are compressed, so that all samples stay below 1 MB.
"""

from __future__ import annotations

import gzip
import shutil
import tempfile
from pathlib import Path

import make_samples
import msgspec

from simulator.flow.settings import load_settings
from simulator.market.make import CHANNELS, make_market
from simulator.market.manifest import MANIFEST
from simulator.market.plan import MarketPlan, with_venues
from simulator.market.symbols import made_symbols
from simulator.market.truth import BOOKS

FOLDER = make_samples.SAMPLES / "market"
VENUES = ("nasdaq", "bzx", "nyse", "memx", "iex")


def plan() -> MarketPlan:
    """Four instruments at a venue of each protocol, left five seconds after the opening."""
    settings = with_venues(load_settings(), VENUES)
    activity = msgspec.structs.replace(settings.activity, new_orders_per_s=120.0)
    settings = msgspec.structs.replace(settings, activity=activity)
    return MarketPlan(
        seed=20260316, seconds=10.0, before_s=0.5, stop_s=5.0,
        symbols=made_symbols(4), settings=settings,
    )  # fmt: skip


def packed(raw: bytes) -> bytes:
    """Compressed, without a time in it."""
    return gzip.compress(raw, mtime=0)


def make(folder: Path) -> None:
    """Writes everything into a folder."""
    with tempfile.TemporaryDirectory() as name:
        made = Path(name)
        make_market(plan(), made)
        for path in sorted(made.glob("*.pcap")):
            (folder / f"{path.name}.gz").write_bytes(packed(path.read_bytes()))
        for plain in (CHANNELS, MANIFEST, BOOKS):
            shutil.copyfile(made / plain, folder / plain)


def write_golden(folder: Path) -> None:
    """The decodes of the captures of lines A, beside them."""
    for path in sorted(folder.glob("*-a.pcap.gz")):
        golden = packed(make_samples.golden(path).encode())
        path.with_name(path.name.replace(".pcap.gz", ".jsonl.gz")).write_bytes(golden)


if __name__ == "__main__":
    FOLDER.mkdir(exist_ok=True)
    make(FOLDER)
    write_golden(FOLDER)
