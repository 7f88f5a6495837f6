"""`sweepwire explain`: what a decision saw, what it chose, and why."""

from __future__ import annotations

from decimal import Decimal

import pytest
from runreport_rig import empty_results, small_results

from console.main import run
from console.runreport.explaining import decimals, reasons, word_text
from console.runreport.write import write_results

pytest.importorskip("pyarrow", reason="pyarrow, the extra `parquet`")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    path = tmp_path_factory.mktemp("results")
    write_results(path, small_results()[0])
    return path


def said(capsys, folder, child):
    assert run(["explain", str(child), "--results", str(folder)]) == 0
    return capsys.readouterr().out


def test_a_sweep(folder, capsys):
    text = said(capsys, folder, 1)
    lines = text.splitlines()
    assert lines[0] == "Order 1: buy 300 ABC at 10.01, IOC ISO takes, to arca"
    assert "sent 2024-03-01 09:30:00.000000010 EST, answered 50,000 ns later" in text
    assert "filled: 300 of 300 executed" in lines
    assert "  100 at 10.01, removed, fee 0.30" in lines
    assert "take, buy 600 ABC, limit 10.05" in text
    assert "arca at 10.01: all 300 shares, number 1 of 4 by effective price" in lines
    worse = "0.0135 a share worse than the last one used, and all was placed"
    assert f"arca at 10.03: not used, {worse}" in lines
    assert "<bx>& at 10.06: not used, beyond the limit of 10.05" in lines
    assert "dark1 at 9.99: not used, down" in lines
    assert lines[-1] == "In all 600 of 600 shares were placed, at 10.01625 a share with fees."


def test_a_dark_order_shows_what_its_style_keeps(folder, capsys):
    text = said(capsys, folder, 3)
    assert "buy 100 ABC without a limit, IOC dark, to dark1" in text
    assert "shares expected" in text and "700" in text
    assert "dark1 at 10.00: 100 shares, the only one by effective price" in text


def test_orders_without_a_stored_decision(folder, capsys):
    assert "it was entered by a command" in said(capsys, folder, 4)
    assert "decision 99 is not in decisions.parquet" in said(capsys, folder, 5)


def complaint(capsys, *arguments):
    assert run(["explain", *map(str, arguments)]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    return line


def test_an_order_that_is_not_there_is_one_line(folder, tmp_path, capsys):
    assert "which has orders 1 to 5" in complaint(capsys, 77, "--results", folder)
    write_results(tmp_path, empty_results())
    assert "no orders at all" in complaint(capsys, 1, "--results", tmp_path)


def test_a_folder_without_results_is_one_line(tmp_path, capsys):
    line = complaint(capsys, 1, "--results", tmp_path / "none")
    assert "none/orders.parquet: no such file" in line


def candidate(**more):
    row = {"venue": "v", "shares": 100, "chosen": 0, "why_not": [], "flag_names": [], **more}
    for key in ("price", "effective"):
        row[key] = Decimal(row[key])
    return row


def test_a_sale_ranks_the_highest_first():
    decision = {"side": "sell", "style": "take", "quantity": 100, "limit": Decimal("9.99")}
    rows = [
        candidate(price="10.00", effective="9.998"),
        candidate(venue="w", price="10.01", effective="10.008", chosen=100),
        candidate(venue="x", price="9.98", effective="9.98"),
    ]
    lines = list(reasons(decision, rows))
    assert lines[0].startswith("w at 10.01: all 100 shares, number 1 of 3")
    assert "0.01 a share worse" in lines[1] and "beyond the limit" in lines[2]


def test_what_numbers_do_not_say_is_not_made_up():
    decision = {"side": "buy", "style": "take", "quantity": 100, "limit": None}
    cheap = candidate(price="9.00", effective="9.00")
    used = candidate(venue="w", price="10.00", effective="10.00", chosen=100)
    assert "do not say why" in next(reasons(decision, [cheap, used]))
    cheap["why_not"] = ["lot too large"]
    assert next(reasons(decision, [cheap, used])) == "v at 9.00: not used, lot too large"
    dear = candidate(price="10.02", effective="10.02", why_not=["dearer"])
    said = "dearer: 0.02 a share worse than the last one used"
    assert list(reasons(decision, [dear, used]))[1] == f"v at 10.02: not used, {said}"
    equal = candidate(venue="x", price="10.00", effective="10.00")
    assert "as good as the last one used" in list(reasons(decision, [used, equal]))[1]
    none = candidate(price="10.00", effective="10.00", shares=0)
    assert "no shares there" in next(reasons(decision, [none]))


def test_prices_have_two_to_eight_decimals():
    shown = [decimals(Decimal(text)) for text in ("10", "10.5", "1200.00000001", "0E-8", "-0.1")]
    assert shown == ["10.00", "10.50", "1,200.00000001", "0.00", "-0.10"]
    assert decimals(None) == "market"


def test_the_words_of_a_style_are_shown_in_their_units():
    assert word_text("chance (1e-9)", 316_500_000) == "31.6%"
    assert word_text("cost if it executes (1e-8)", -1_540_000) == "-0.0154"
    assert word_text("asked for", 1_200) == "1,200"


def test_a_search_that_was_cut_short_says_so():
    decision = {"side": "buy", "style": "take", "quantity": 200, "limit": None}
    row = candidate(price="10.00", effective="10.003", chosen=100, flag_names=["search bounded"])
    _, placed, cut = reasons(decision, [row])
    assert placed == "In all 100 of 200 shares were placed, at 10.003 a share with fees."
    assert cut == "The search was cut short: there may be a cheaper way."
