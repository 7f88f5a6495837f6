"""`sweepwire bbo` with a consolidated tape among the captures: bands, limit states, halts."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from console_made import udp_frame

from captures import PcapWriter, merge_captures
from console.main import run
from feedhandler.datagrams import datagrams
from feedhandler.feed import Feed
from feedhandler.registry import versions
from feedhandler.transports.packets import write_packet

NASDAQ = Path(__file__).parents[2] / "captures" / "samples" / "nasdaq-a.pcap"
TAPE = versions("nasdaq_uqdf")[0]
GROUP, PORT = "233.46.176.16", 55630
CHANNELS = f"""
date = "2026-03-16"

[[channels]]
name = "nasdaq"
feed = "nasdaq_itch50"
group = "233.200.1.1"
port = 30001

[[channels]]
name = "tape"
feed = "{TAPE.full_name}"
group = "{GROUP}"
port = {PORT}
"""
SECOND_NS = 1_000_000_000
# (after the first packet, message): bands come, a pause, the bands go, trading goes on
BAND_NS, PAUSE_NS, RESUME_NS = SECOND_NS // 5, SECOND_NS, SECOND_NS * 3 // 2
LOWER, UPPER = "213.90", "213.99"


def band(mark: str) -> bytes:
    prices = {"limit_down_price": 213_900_000, "limit_up_price": 213_990_000}
    return TAPE.protocol["AP"].encode(symbol="AAPL", luld_price_band_indicator=mark, **prices)


def halt(code: str) -> bytes:
    return TAPE.protocol["AH"].encode(symbol="AAPL", trading_action_code=code)


SAID = [
    (BAND_NS, [band("A")]),
    (PAUSE_NS, [halt("P"), band("D")]),
    (PAUSE_NS + 1, [TAPE.protocol["CO"].encode()]),
    (RESUME_NS, [halt("T")]),
]


def first_ns() -> int:
    with merge_captures([NASDAQ]) as merged:
        return next(iter(datagrams(merged))).timestamp_ns


def write_tape(path: Path, feed: Feed, start_ns: int) -> Path:
    sequence = 1
    with PcapWriter(path) as writer:
        for after_ns, messages in SAID:
            header = {**feed.header, "sequence_number": sequence}
            payload = write_packet(feed.transport, messages, header)
            writer.write(start_ns + after_ns, udp_frame(payload, GROUP, PORT))
            sequence += len(messages)
    return path


def changes(folder: Path, name: str, files: list[Path]) -> list[dict]:
    out, channels = folder / f"{name}.jsonl", folder / "channels.toml"
    channels.write_text(CHANNELS)
    given = ["--channels", str(channels), "--out", str(out)]
    assert run(["bbo", *map(str, files), *given]) == 0
    return [json.loads(line) for line in out.read_text().splitlines()]


@pytest.fixture(scope="module")
def start_ns() -> int:
    return first_ns()


@pytest.fixture(scope="module")
def rows(tmp_path_factory, start_ns) -> list[dict]:
    folder = tmp_path_factory.mktemp("tape")
    return changes(folder, "with", [NASDAQ, write_tape(folder / "tape.pcap", TAPE, start_ns)])


@pytest.fixture(scope="module")
def without(tmp_path_factory) -> list[dict]:
    return changes(tmp_path_factory.mktemp("bare"), "without", [NASDAQ])


def of_apple(rows: list[dict], kind: str) -> list[dict]:
    return [row for row in rows if row["symbol"] == "AAPL" and row["kind"] == kind]


def test_bands_are_rows_of_their_own_and_stand_in_every_national_row(rows, start_ns):
    assert of_apple(rows, "bands") == [
        {
            "ts_ns": start_ns + after_ns,
            "symbol": "AAPL",
            "kind": "bands",
            "lower_band": lower,
            "upper_band": upper,
        }
        for after_ns, lower, upper in ((BAND_NS, LOWER, UPPER), (PAUSE_NS, None, None))
    ]
    for row in of_apple(rows, "national"):
        inside = start_ns + BAND_NS <= row["ts_ns"] < start_ns + PAUSE_NS
        assert row.get("lower_band") == (LOWER if inside else None)


def test_limit_states_follow_from_the_bands(rows, start_ns):
    flags = {"limit_up": "bid", "offer_above_band": "offer"}
    for row in of_apple(rows, "national"):
        if start_ns + BAND_NS <= row["ts_ns"] < start_ns + PAUSE_NS:
            said = set(row.get("flags", ()))
            assert ("limit_up" in said) == (row["bid"] == UPPER)
            above = row["offer"] is not None and float(row["offer"]) > float(UPPER)
            assert ("offer_above_band" in said) == above
            assert said <= set(flags)
    assert any("limit_up" in row.get("flags", ()) for row in of_apple(rows, "national"))


def test_a_pause_empties_the_national_best_and_an_open_does_not_end_it(rows, without, start_ns):
    paused = [r for r in of_apple(rows, "national") if "halted" in r.get("flags", ())]
    (row,) = paused
    assert (row["ts_ns"], row["bid"], row["offer"]) == (start_ns + PAUSE_NS, None, None)
    behind = [r for r in of_apple(rows, "national") if r["ts_ns"] > row["ts_ns"]]
    assert behind[0]["ts_ns"] >= start_ns + RESUME_NS
    later = [r for r in of_apple(without, "national") if r["ts_ns"] > start_ns + RESUME_NS]
    assert [r for r in behind if r["ts_ns"] > start_ns + RESUME_NS] == later


def test_everything_else_is_as_it_is_without_the_tape(rows, without):
    others = [[r for r in found if r["symbol"] != "AAPL"] for found in (rows, without)]
    assert others[0] == others[1]
    sides = [
        [{n: v for n, v in row.items() if n != "flags"} for row in of_apple(found, "best")]
        for found in (rows, without)
    ]
    assert sides[0] == sides[1]  # a best says the flags of the national best


def test_parquet_has_the_bands_in_columns(tmp_path, rows, start_ns):
    parquet = pytest.importorskip("pyarrow.parquet", reason="pyarrow, the extra `parquet`")
    out, channels = tmp_path / "tape.parquet", tmp_path / "channels.toml"
    channels.write_text(CHANNELS)
    tape = write_tape(tmp_path / "tape.pcap", TAPE, start_ns)
    files = [str(NASDAQ), str(tape)]
    assert run(["bbo", *files, "--channels", str(channels), "--out", str(out)]) == 0
    table = parquet.read_table(out, columns=["kind", "lower_band", "upper_band", "bid"]).to_pylist()
    assert [row["kind"] for row in table] == [row["kind"] for row in rows]
    for made, row in zip(table, rows, strict=True):
        for name in ("lower_band", "upper_band", "bid"):
            text = None if made[name] is None else float(made[name])
            wanted = row.get(name)
            assert text == (None if wanted is None else float(wanted))
