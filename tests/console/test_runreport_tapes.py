"""Tapes beside direct feeds in the report of a replay: every number beside a slow count of it."""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import Any

import pytest
from routed_rig import Files, write_files
from slow_sip import slow_compare
from tape_rig import DELAY_NS, limits, plan, taped_day
from test_routed_tapes import parents

from console.runreport import parquet
from console.runreport.beside import (
    BETTER,
    CROSSED,
    EQUAL,
    MISSING,
    PRICE,
    SAME,
    SIZE,
    UNSEEN,
    WORSE,
    Looked,
    fits,
    kind_of,
)
from console.runreport.html import page
from console.runreport.results import Results
from console.runreport.sheets import sheets
from console.runreport.summary import summary_of
from console.runreport.write import write_results
from console.sipcompare import changes_of
from console.sipsaid import Said, TapesSeen, prices_of
from feedhandler.actions import BUY, SELL

TITLE = "National best: tapes beside direct feeds"
ONE = 10**8
NONE = Said(0, 0, 0)


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Files:
    return write_files(tmp_path_factory.mktemp("tapes"), parents("buy"), limits())


@pytest.fixture(scope="module")
def found(files: Files) -> Results:
    return taped_day().replay(files, taped_day().tapes)


@pytest.fixture(scope="module")
def seen(found: Results) -> TapesSeen:
    assert found.facts.tapes is not None
    return found.facts.tapes


@pytest.mark.parametrize("burst", [1, 7, 256])
def test_any_burst_gives_the_same(files: Files, found: Results, burst: int) -> None:
    again = taped_day().replay(files, taped_day().tapes, burst=burst)
    assert again.facts.tapes == found.facts.tapes
    assert summary_of(again)["tapes"] == summary_of(found)["tapes"]
    assert again.counts.sha256 == found.counts.sha256 and found.counts.messages > 50


def test_the_tape_says_what_the_direct_feeds_said(found: Results, seen: TapesSeen) -> None:
    """The processor's books are the exchanges', the direct ones are decoded from packets."""
    names = found.names.instruments
    assert {names[n] for lines in seen.tapes.values() for n, _ in lines} == set(plan().symbols)
    for lines in seen.tapes.values():
        for place, line in lines.items():
            tape = changes_of(prices_of(line))
            direct = changes_of(prices_of(seen.direct[place]))
            assert [price for _, price in tape] == [price for _, price in direct][-len(tape) :]
            late = [t - d for (t, _), (d, _) in zip(reversed(tape), reversed(direct), strict=False)]
            assert all(DELAY_NS - 30_000 <= lag_ns <= DELAY_NS + 30_000 for lag_ns in late)


def at(lines: dict[tuple[int, str], list[Said]], instrument: int, time_ns: int) -> Any:
    """Bid and offer as they were said last, looked for from the end."""
    made = []
    for side in ("bid", "offer"):
        line = lines.get((instrument, side), [])
        made.append(next((said for said in reversed(line) if said.time_ns <= time_ns), NONE))
    return tuple(made)


def test_every_share_of_time_is_that_of_a_slow_count(found: Results, seen: TapesSeen) -> None:
    numbers = {name: number for number, name in found.names.instruments.items()}
    rows = [row for row in summary_of(found)["tapes"] if row["symbol"]]
    assert len(rows) == len(plan().symbols)
    for row in rows:
        number, lines = numbers[row["symbol"]], seen.tapes[row["tape"]]
        both = [
            [said.time_ns for side in ("bid", "offer") for said in of.get((number, side), [])]
            for of in (seen.direct, lines)
        ]
        start_ns = max(map(min, both))
        moments = sorted({m for times in both for m in times if m > start_ns})
        cuts = [start_ns, *(m for m in moments if m < seen.end_ns), seen.end_ns]
        spans: dict[str, int] = {}
        for now_ns, next_ns in itertools.pairwise(cuts):
            kind = slow_kind(at(seen.direct, number, now_ns), at(lines, number, now_ns))
            spans[kind] = spans.get(kind, 0) + next_ns - now_ns
        assert sum(spans.values()) == row["compared_ns"]
        for kind, share in row["shares"].items():
            assert share == pytest.approx(spans.get(kind, 0) / row["compared_ns"], abs=1e-8)
        assert 0.5 < row["shares"][EQUAL] < 1


def slow_kind(direct: Any, tape: Any) -> str:
    """The kinds of console.runreport.beside in other words; a lot is 100 shares."""
    inverted = [bid.price >= offer.price > 0 and bid.price > 0 for bid, offer in (direct, tape)]
    if len(set(inverted)) == 2:
        return "crossed"
    if [bool(s.price) for s in direct] != [bool(s.price) for s in tape]:
        return "missing"
    if [s.price for s in direct] != [s.price for s in tape]:
        return "price"
    for ours, theirs in zip(direct, tape, strict=True):
        if ours.price and not any(
            possible(ours, size) for size in (theirs.size, theirs.size * 100)
        ):
            return "size"
    return "equal"


def possible(direct: Said, shown: int) -> bool:
    """Whether one of the venues can have so many whole lots and the others no more of them."""
    most = min(direct.size, shown + 99)
    return shown <= direct.size and most * direct.venues >= direct.size


def test_leads_are_those_of_the_slow_comparison(found: Results, seen: TapesSeen) -> None:
    numbers = {name: number for number, name in found.names.instruments.items()}
    for row in summary_of(found)["tapes"]:
        if row["symbol"] is None:
            continue
        leads, only = [], 0
        for side in ("bid", "offer"):
            place = numbers[row["symbol"]], side
            pair = prices_of(seen.direct[place]), prices_of(seen.tapes[row["tape"]][place])
            wanted = slow_compare(*pair, seen.end_ns, seen.horizon_ns)
            only += wanted["never"]
            leads += [wanted["lead_p50_ns"]] if wanted["lead_p50_ns"] else []
        assert row["only_tape"] == only
        if leads:
            assert min(leads) <= row["lead_p50_ns"] <= max(leads) and row["lead_p99_ns"] > 400_000


def test_each_order_has_what_both_said_when_it_was_decided(
    found: Results, seen: TapesSeen, tmp_path: Path
) -> None:
    pytest.importorskip("pyarrow", reason="pyarrow, the extra `parquet`")
    write_results(tmp_path, found)
    rows = parquet.read_rows(tmp_path, parquet.TAPES)
    sent = [n for n, child in enumerate(found.children, 1) if child["sent_ns"]]
    assert [row["child"] for row in rows] == sent and len(sent) > 20
    numbers = {name: number for number, name in found.names.instruments.items()}
    for row in rows:
        number = numbers[row["symbol"]]
        for name, lines in (("direct", seen.direct), ("tape", seen.tapes[row["tape"]])):
            bid, offer = at(lines, number, row["time"])
            for side, said in (("bid", bid), ("offer", offer)):
                price = row[f"{name}_{side}"]
                assert (0 if price is None else int(price * ONE)) == said.price
                assert (row[f"{name}_{side}_size"] or 0) == said.size
    counted = [row["orders"] for row in summary_of(found)["tapes"] if row["symbol"] is None]
    assert sum(sum(orders.values()) for orders in counted) == len(sent)
    assert {row["seen"] for row in rows} <= {SAME, WORSE, BETTER, UNSEEN}


def test_the_page_and_the_screen_have_the_table(found: Results) -> None:
    (sheet,) = [sheet for sheet in sheets(summary_of(found)) if sheet.title == TITLE]
    assert next(row[1] for row in sheet.rows if row[0] == "nasdaq_uqdf") == "all"
    assert {row[1] for row in sheet.rows} == {"all", *plan().symbols}
    assert f"<h2>{TITLE}</h2>" in page(found)


def test_a_run_without_tapes_has_no_such_table(
    files: Files, found: Results, tmp_path: Path
) -> None:
    bare = taped_day().replay(files, [])
    assert bare.counts.sha256 == found.counts.sha256
    assert summary_of(bare)["tapes"] == []
    assert TITLE not in {sheet.title for sheet in sheets(summary_of(bare))}


WORDS = [
    ((100, 200), (100, 200), SAME, SAME),
    ((100, 200), (100, 201), WORSE, SAME),
    ((100, 200), (100, 199), BETTER, SAME),
    ((100, 200), (99, 200), SAME, WORSE),
    ((100, 200), (101, 200), SAME, BETTER),
    ((100, 200), (100, 0), UNSEEN, SAME),
    ((0, 0), (0, 0), SAME, SAME),
]


@pytest.mark.parametrize(("direct", "tape", "buyer", "seller"), WORDS)
def test_the_far_side_in_a_word(
    direct: tuple[int, int], tape: tuple[int, int], buyer: str, seller: str
) -> None:
    quotes = [tuple(Said(1, price, 100) for price in prices) for prices in (direct, tape)]
    for side, wanted in ((BUY, buyer), (SELL, seller)):
        looked = Looked(1, 1, "t", 1, side, 100, *quotes)  # type: ignore[arg-type]
        assert looked.word == wanted
        if wanted == WORSE:
            assert looked.worse_bps == pytest.approx(50 if side == BUY else 100)


KINDS = [
    (((100, 300), (200, 300)), ((100, 300), (200, 300)), EQUAL),
    (((100, 300), (200, 300)), ((100, 3), (200, 3)), EQUAL),  # in round lots
    (((100, 300), (200, 300)), ((100, 200), (200, 300)), SIZE),
    (((100, 300), (200, 300)), ((100, 400), (200, 300)), SIZE),
    (((100, 300), (200, 300)), ((101, 300), (200, 300)), PRICE),
    (((100, 300), (200, 300)), ((100, 300), (0, 0)), MISSING),
    (((100, 300), (200, 300)), ((0, 0), (0, 0)), MISSING),
    (((100, 300), (200, 300)), ((200, 300), (200, 300)), CROSSED),
    (((201, 300), (200, 300)), ((201, 300), (200, 300)), EQUAL),
]


@pytest.mark.parametrize(("direct", "tape", "kind"), KINDS)
def test_kinds_of_disagreement(direct: Any, tape: Any, kind: str) -> None:
    ours, theirs = (tuple(Said(1, *pair) for pair in quote) for quote in (direct, tape))
    assert kind_of(ours, theirs, 100) == kind  # type: ignore[arg-type]


def test_a_tape_names_the_largest_of_several_venues() -> None:
    three = Said(1, 100, 750, venues=3)  # say 350, 250 and 150 shares
    assert [fits(three, Said(1, 100, size), 100) for size in (100, 200, 300, 700, 800)] == [
        False,
        True,
        True,
        True,
        False,
    ]
