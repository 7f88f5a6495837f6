"""`sweepwire sip`: tapes made from the samples' own national best, with a delay and faults."""

from __future__ import annotations

import json
from pathlib import Path
from random import Random
from typing import Any

import pytest
from console_made import udp_frame
from slow_bbo import slow_changes
from slow_sip import slow_compare

from captures import PcapWriter, merge_captures
from console.main import run
from console.sipcompare import changes_of, compare
from feedhandler.channelfile import load_channels
from feedhandler.datagrams import datagrams
from feedhandler.registry import versions
from feedhandler.transports.packets import write_packet

SAMPLES = Path(__file__).parents[2] / "captures" / "samples"
FILES = sorted(SAMPLES.glob("*.pcap"))
CHANNELS = SAMPLES / "channels.toml"
TAPE_OF = {"AAPL": "nasdaq_uqdf", "MSFT": "nasdaq_uqdf", "SPY": "siac_cqs", "BRK.A": "siac_cqs"}
GROUPS = {"nasdaq_uqdf": "233.46.176.16", "siac_cqs": "233.200.79.1"}
PORT = 55630
HORIZON_NS = 1_000_000_000
ONE = 10**8
SHORT_MOST = 655 * ONE
Line = list[tuple[int, int]]


def cqs(chance: Random, symbol: str, bid: int, offer: int) -> bytes:
    """A quote of CQS that says both sides, in one of its ways."""
    table = versions("siac_cqs")[0].protocol
    cents = bid % 10**6 == 0 and offer % 10**6 == 0 and max(bid, offer) < SHORT_MOST
    way = chance.choice("UGT" if cents else "UG")
    given: dict[str, Any] = {"security_symbol": symbol, "national_bbo_indicator": way}
    if not bid and not offer:
        return table["QL"].encode({**given, "national_bbo_indicator": "O"})
    if not bid or not offer:
        way = given["national_bbo_indicator"] = "N" if not bid else "W"
    if way == "G":
        prices = {"bid_price_long": bid // 100, "offer_price_long": offer // 100}
        return table["QS"].encode({**given, **prices, "bid_size_long": 3, "offer_size_long": 4})
    form, unit = ("short", 10**6) if way == "T" else ("long", 100)
    for side, price in (("bid", bid), ("offer", offer)):
        if price:
            given |= {f"best_{side}_price_{form}": price // unit, f"best_{side}_size_{form}": 2}
    return table["QL"].encode(given)


def uqdf(chance: Random, symbol: str, bid: int, offer: int) -> bytes:
    """A quote of UQDF."""
    table = versions("nasdaq_uqdf")[0].protocol
    cents = bid % 10**6 == 0 and offer % 10**6 == 0 and max(bid, offer) < SHORT_MOST
    way = chance.choice("234" if cents else "34")
    given: dict[str, Any] = {"symbol": symbol, "nbbo_appendage_indicator": way}
    if not bid and not offer:
        return table["QF"].encode({**given, "nbbo_appendage_indicator": "1"})
    pairs = (("bid", bid), ("ask", offer))
    if way == "2":
        given |= {f"national_best_{s}_price_short": price // 10**6 for s, price in pairs}
    elif way == "3":
        given |= {f"best_{side}_price": price // 100 for side, price in pairs}
    else:
        given |= {f"{side}_price": price // 100 for side, price in pairs}
    return table["QF"].encode(given)


def schedule(rows: list[dict[str, Any]], chance: Random) -> list[tuple[int, str, int, int]]:
    """When the tapes say what: late as a rule, and sometimes not, wrongly or before."""
    made = []
    for row in rows:
        bid, offer = (int(row[side] * ONE) if row[side] else 0 for side in ("bid", "offer"))
        fate = chance.random()
        if fate < 0.1:
            continue
        if fate < 0.2 and bid:
            bid -= 7 * 10**6
        delay_ns = chance.randint(200_001, 900_001) if fate > 0.3 else -chance.randint(1, 300_001)
        made.append((row["ts_ns"] + delay_ns, row["symbol"], bid, offer))
    return sorted(made)


@pytest.fixture(scope="module")
def made(tmp_path_factory) -> tuple[list[str], dict[tuple[str, str], Line], dict[Any, Line], int]:
    """Files of the command, the direct feeds' and the tapes' timelines, and the end."""
    folder, chance = tmp_path_factory.mktemp("sip"), Random(5)
    rows = [r for r in slow_changes(FILES, load_channels(CHANNELS)) if r["kind"] == "national"]
    rows.sort(key=lambda row: row["ts_ns"])
    direct: dict[tuple[str, str], Line] = {}
    for row in rows:
        for side in ("bid", "offer"):
            price = int(row[side] * ONE) if row[side] else 0
            direct.setdefault((row["symbol"], side), []).append((row["ts_ns"], price))
    said: dict[Any, Line] = {}
    sequences = dict.fromkeys(GROUPS, 1)
    with PcapWriter(folder / "tapes.pcap") as out:
        for time_ns, symbol, bid, offer in schedule(rows, chance):
            tape = TAPE_OF[symbol]
            message = (cqs if tape == "siac_cqs" else uqdf)(chance, symbol, bid, offer)
            feed = versions(tape)[0]
            header = {**feed.header, feed.transport.sequence: sequences[tape]}
            sequences[tape] += 1
            payload = write_packet(feed.transport, [message], header)
            out.write(time_ns, udp_frame(payload, GROUPS[tape], PORT))
            for side, price in (("bid", bid), ("offer", offer)):
                said.setdefault((tape, symbol, side), []).append((time_ns, price))
    rows_of_tapes = "".join(
        f'\n[[channels]]\nname = "{name}"\nfeed = "{name}"\ngroup = "{group}"\nport = {PORT}\n'
        for name, group in GROUPS.items()
    )
    (folder / "channels.toml").write_text(CHANNELS.read_text() + rows_of_tapes)
    files = [*map(str, FILES), str(folder / "tapes.pcap")]
    with merge_captures([Path(file) for file in files]) as merged:
        end_ns = max(datagram.timestamp_ns for datagram in datagrams(merged))
    return [*files, "--channels", str(folder / "channels.toml")], direct, said, end_ns


def test_every_number_is_that_of_the_slow_comparison(made, capsys):
    arguments, direct, said, end_ns = made
    assert run(["sip", *arguments, "--json"]) == 0
    rows = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert {(row["tape"], row["symbol"], row["side"]) for row in rows} == set(said)
    for row in rows:
        place = row.pop("tape"), row.pop("symbol"), row.pop("side")
        wanted = slow_compare(direct[place[1:]], said[place], end_ns, HORIZON_NS)
        assert row == wanted, place
    sums = {kind: sum(row[kind] for row in rows) for kind in ("led", "late", "before", "never")}
    assert min(sums.values()) > 0
    assert any(row["lead_p50_ns"] and row["lead_p50_ns"] > 200_000 for row in rows)


def test_tables_for_people(made, capsys):
    arguments, _, said, _ = made
    assert run(["sip", *arguments, "--top", "2"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[:2] for line in lines[2:6]] == [
        ["nasdaq_uqdf", "bid"],
        ["nasdaq_uqdf", "offer"],
        ["siac_cqs", "bid"],
        ["siac_cqs", "offer"],
    ]
    where = lines.index("where they disagree most")
    assert len(lines[where + 2 :]) == 2
    assert lines[where + 2].split()[0] in TAPE_OF
    assert said


def test_it_wants_a_tape_and_direct_feeds(made, capsys):
    arguments, *_ = made
    assert run(["sip", str(FILES[0]), "--channels", str(CHANNELS)]) == 2
    assert "nasdaq_uqdf or siac_cqs and direct feeds" in capsys.readouterr().err
    tapes = Path(arguments[-3])
    assert run(["sip", str(tapes)]) == 2


@pytest.mark.parametrize("seed", range(200))
def test_random_timelines_beside_the_slow_comparison(seed):
    chance = Random(seed)
    lines = []
    for _ in range(2):
        time_ns, line = chance.randint(0, 20), []
        for _ in range(chance.randint(0, 12)):
            line.append((time_ns, chance.choice([0, 1, 2, 3])))
            time_ns += chance.randint(1, 9)
        lines.append(line)
    end_ns, horizon_ns = 200, chance.choice([0, 3, 10, 100])
    found, wanted = compare(*lines, end_ns, horizon_ns), slow_compare(*lines, end_ns, horizon_ns)
    counts = {kind: getattr(found, kind) for kind in ("led", "late", "settled", "before", "never")}
    assert counts == {kind: wanted[kind] for kind in counts}
    assert (found.tape, found.direct) == (wanted["tape_changes"], wanted["direct_changes"])
    assert (found.compared_ns, found.equal_ns) == (wanted["compared_ns"], wanted["equal_ns"])
    assert found.longest_ns == wanted["longest_apart_ns"]
    assert found.lead_at(0.5) == wanted["lead_p50_ns"]


def test_of_one_moment_the_last_counts():
    assert changes_of([(1, 5), (1, 6), (2, 6), (3, 7), (3, 6)]) == [(1, 6)]
