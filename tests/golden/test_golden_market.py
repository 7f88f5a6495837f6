"""The committed made market: made by today's kernels, decoded as its golden files say, true."""

from __future__ import annotations

import gzip
from pathlib import Path

import make_market_sample
import make_samples
import pytest
from make_market_sample import FOLDER, VENUES

from console.bookplan import book_plan
from console.bookrun import BookRun
from console.main import run
from feedhandler import actions as a
from simulator.market.manifest import load_manifest
from simulator.market.outlets import publisher_of
from simulator.market.truth import load_books

MOST_BYTES = 1_000_000


def test_the_market_is_what_its_maker_makes(tmp_path: Path) -> None:
    make_market_sample.make(tmp_path)
    made = sorted(path.name for path in tmp_path.iterdir())
    written = {"parents.toml", "limits.toml"}  # by hand, beside what the maker makes
    kept = sorted(
        path.name
        for path in FOLDER.iterdir()
        if not path.name.endswith(".jsonl.gz") and path.name not in written
    )
    assert made == kept
    for name in made:
        pair = [(folder / name).read_bytes() for folder in (tmp_path, FOLDER)]
        if name.endswith(".gz"):
            pair = [gzip.decompress(raw) for raw in pair]
        assert pair[0] == pair[1], name


@pytest.mark.parametrize("venue", VENUES)
def test_it_decodes_as_its_golden_file_says(venue: str) -> None:
    golden = gzip.decompress((FOLDER / f"{venue}-a.jsonl.gz").read_bytes())
    assert make_samples.golden(FOLDER / f"{venue}-a.pcap.gz").encode() == golden


def test_the_loop_ends_with_the_books_of_the_venues() -> None:
    plan, files = make_market_sample.plan(), sorted(FOLDER.glob("*.pcap.gz"))
    books, levels = load_books(FOLDER), 0
    with BookRun(book_plan(files, FOLDER / "channels.toml", ""), files) as looked:
        looked.run()
        for venue in VENUES:
            publisher, book = publisher_of(plan, venue), looked.books[venue]
            assert book.faults() == {}
            for number, symbol in enumerate(plan.symbols, 1):
                found = book.instrument(publisher.key(number))
                assert found is not None
                wanted = books[venue].get(symbol)
                for side, name in ((a.BUY, "bids"), (a.SELL, "offers")):
                    one = getattr(wanted, name) if wanted else []
                    assert book.ladder(found, side).tolist() == one
                    levels += len(one)
    assert levels > 50


def test_the_slow_model_finds_the_same_books_at_every_message() -> None:
    files = [str(path) for path in sorted(FOLDER.glob("*.pcap.gz"))]
    assert run(["verify-books", "--channels", str(FOLDER / "channels.toml"), *files]) == 0


def test_all_samples_together_are_small() -> None:
    whole = sum(path.stat().st_size for path in make_samples.SAMPLES.rglob("*") if path.is_file())
    assert whole < MOST_BYTES
    assert load_manifest(FOLDER).messages > 1_000
