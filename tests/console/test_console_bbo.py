"""`sweepwire bbo` on the sample captures, against a slow recomputation from decoded messages."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path

import pytest
from slow_bbo import slow_changes

from captures import merge_captures
from console.bborows import names_in, price_text
from console.main import run
from feedhandler.channelfile import load_channels
from feedhandler.datagrams import datagrams
from feedhandler.lines.setup import LineOptions

SAMPLES = Path(__file__).parents[2] / "captures" / "samples"
FILES = sorted(SAMPLES.glob("*.pcap"))
CHANNELS = SAMPLES / "channels.toml"
NASDAQ = ("nasdaq-a.pcap", "nasdaq-b.pcap")
LATER_LINE_NS = 350  # of line B in the samples
KINDS = ("best", "national", "odd_lot")


def bbo(out: Path, *more: str) -> int:
    return run(["bbo", *map(str, FILES), "--channels", str(CHANNELS), "--out", str(out), *more])


def rows_of(path: Path) -> list[dict]:
    rows = [json.loads(line) for line in path.read_text().splitlines()]
    for row in rows:
        for side in ("bid", "offer"):
            row[side] = None if row[side] is None else Decimal(row[side])
    return rows


def order(row: dict) -> tuple:
    return row["ts_ns"], row["symbol"], KINDS.index(row["kind"])


@pytest.fixture(scope="module")
def expected() -> list[dict]:
    return sorted(slow_changes(FILES, load_channels(CHANNELS)), key=order)


@pytest.fixture(scope="module")
def found(tmp_path_factory) -> list[dict]:
    out = tmp_path_factory.mktemp("bbo") / "changes.jsonl"
    assert bbo(out, "--odd-lots") == 0
    return rows_of(out)


def test_every_change_is_what_the_decoded_messages_say(found, expected):
    assert len(expected) > 300
    assert {row["kind"] for row in expected} == set(KINDS)
    assert sorted(found, key=order) == expected
    assert [row["ts_ns"] for row in found] == sorted(row["ts_ns"] for row in found)


def test_the_venues_of_one_security_are_brought_together(found):
    venues = {name for row in found if row["symbol"] == "BRK.A" for name in row["bid_venues"]}
    assert venues == {"nasdaq", "bzx", "nyse", "memx", "iex"}


def test_where_bursts_are_cut_changes_nothing(tmp_path, found, monkeypatch):
    for burst in (1, 7):
        monkeypatch.setattr("console.marketrun.BURST", burst)
        out = tmp_path / f"{burst}.jsonl"
        assert bbo(out, "--odd-lots") == 0
        assert rows_of(out) == found


def without_frame(path: Path, number: int, folder: Path) -> Path:
    """A copy of a classic pcap without one of its frames."""
    data = path.read_bytes()
    made, at = data[:24], 24
    while at < len(data):
        end = at + 16 + int.from_bytes(data[at + 8 : at + 12], "little")
        made += b"" if number == 0 else data[at:end]
        number, at = number - 1, end
    (folder / path.name).write_bytes(made)
    return folder / path.name


def test_one_line_with_a_hole_changes_nothing_but_both_take_the_venue_out(tmp_path, found):
    lost = 100
    holed = {name: without_frame(SAMPLES / name, lost, tmp_path) for name in NASDAQ}
    others = [path for path in FILES if path.name not in NASDAQ]
    both = [*others, *holed.values()]
    one = [*others, holed[NASDAQ[0]], SAMPLES / NASDAQ[1]]
    results = []
    for number, files in enumerate((one, both)):
        out = tmp_path / f"{number}.jsonl"
        arguments = ["bbo", *map(str, files), "--channels", str(CHANNELS), "--odd-lots"]
        run([*arguments, "--out", str(out)])
        results.append(rows_of(out))
    bare = [[{**row, "ts_ns": 0} for row in rows] for rows in (results[0], found)]
    assert bare[0] == bare[1]
    with merge_captures([SAMPLES / NASDAQ[0]]) as merged:
        times = [datagram.timestamp_ns for datagram in datagrams(merged)]
    before = [[r for r in rows if r["ts_ns"] < times[lost]] for rows in (results[1], found)]
    assert before[0] == before[1]
    # The next packet shows the hole; the one after it, behind the window, gives up waiting.
    stale_ns = times[lost + 2] + LATER_LINE_NS
    assert times[lost + 2] > times[lost + 1] + LineOptions().window_ns
    late = [[r for r in rows if r["ts_ns"] > stale_ns] for rows in (results[1], found)]
    shown = [{n for r in rows for n in r["bid_venues"] + r["offer_venues"]} for rows in late]
    assert shown[1] - shown[0] == {"nasdaq"}


def test_one_symbol_in_any_spelling(tmp_path, found):
    out = tmp_path / "one.jsonl"
    assert bbo(out, "--symbol", "BRK/A") == 0
    wanted = [r for r in found if r["symbol"] == "BRK.A" and r["kind"] != "odd_lot"]
    assert rows_of(out) == wanted


def test_a_symbol_that_nobody_names_is_one_clear_error(tmp_path, capsys):
    assert bbo(tmp_path / "none.jsonl", "--symbol", "NOSUCH") == 2
    assert "--symbol NOSUCH: no venue in these captures names it" in capsys.readouterr().err


def test_parquet_holds_the_same_rows(tmp_path, found):
    parquet = pytest.importorskip("pyarrow.parquet", reason="pyarrow, the extra `parquet`")
    out = tmp_path / "changes.parquet"
    assert bbo(out, "--odd-lots") == 0
    table = parquet.read_table(out)
    times = table.column("ts").cast("int64").to_pylist()
    rows = table.drop_columns(["ts"]).to_pylist()
    made = [{"ts_ns": ts, **row} for ts, row in zip(times, rows, strict=True)]
    for row in made:
        assert row.pop("flags") == []
        assert (row.pop("lower_band"), row.pop("upper_band")) == (None, None)
    assert made == found


def test_without_pyarrow_parquet_is_one_clear_error(tmp_path, capsys, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "pyarrow", None)
    out = tmp_path / "changes.parquet"
    assert bbo(out) == 2
    assert f'{out}: Parquet needs pyarrow: pip install "sweepwire[parquet]"' in (
        capsys.readouterr().err
    )


def test_another_ending_is_refused(tmp_path, capsys):
    assert bbo(tmp_path / "changes.csv") == 2
    assert "expected a name that ends in .parquet or .jsonl" in capsys.readouterr().err


def test_channels_are_guessed_where_no_map_is_given(tmp_path):
    out = tmp_path / "guessed.jsonl"
    assert run(["bbo", str(SAMPLES / "iex-a.pcap"), "--out", str(out), "--symbol", "AAPL"]) == 0
    assert {venue for row in rows_of(out) for venue in row["bid_venues"]} == {"iex"}


@pytest.mark.parametrize(
    "price, text",
    [(21_408_000_000, "214.08"), (1, "0.00000001"), (-150_000_000, "-1.50"), (0, "0.00")],
)
def test_prices_have_the_decimals_they_need(price, text):
    assert price_text(price) == text


def test_bits_are_named():
    assert names_in(0b101, ["a", "b", "c"]) == ["a", "c"]
