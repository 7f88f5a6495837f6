"""Parquet files: what was written can be read, by column and by type."""

from __future__ import annotations

from decimal import Decimal

import msgspec
import pytest
from runreport_rig import START_NS, empty_results, small_results

from console.runreport import parquet
from console.runreport.write import NO_PARQUET, PAGE, SUMMARY, write_results
from nic.configfile import ConfigError

arrow = pytest.importorskip("pyarrow", reason="pyarrow, the extra `parquet`")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    path = tmp_path_factory.mktemp("results")
    write_results(path, small_results()[0])
    return path


def test_orders(folder):
    rows = parquet.read_rows(folder, parquet.ORDERS)
    assert [row["child"] for row in rows] == [1, 2, 3, 4, 5]
    first = rows[0]
    assert first["parent_name"] == "first" and first["symbol"] == "ABC" and first["side"] == "buy"
    assert first["price"] == Decimal("10.01") and first["notional"] == Decimal(3003)
    assert first["flags"] == ["ISO", "takes"] and first["tif"] == "ioc"
    assert first["sent"] == START_NS + 10 and first["answered"] == START_NS + 50_010
    assert rows[1]["fees"] == Decimal("-0.1") and rows[1]["venue"] == "<bx>&"
    assert rows[2]["price"] is None and rows[2]["answered"] is None
    assert rows[4]["state"] == "live" and rows[4]["leaves"] == 100


def test_fills(folder):
    rows = parquet.read_rows(folder, parquet.FILLS)
    assert [row["shares"] for row in rows] == [100, 200, 200, 100, 200]
    assert [row["venue"] for row in rows] == ["arca", "arca", "<bx>&", "dark1", "arca"]
    assert rows[3]["liquidity"] == "midpoint" and rows[2]["fee"] == Decimal("-0.1")
    assert sum(row["shares"] * row["price"] for row in rows[:4]) == Decimal(6007)


def test_decisions(folder):
    rows = parquet.read_rows(folder, parquet.DECISIONS)
    assert [(row["decision"], row["candidate"]) for row in rows] == [
        (1, 1), (1, 2), (1, 3), (1, 4), (1, 5), (2, 1), (3, None),
    ]  # fmt: skip
    assert rows[1]["effective"] == Decimal("10.0195") and rows[1]["chosen"] == 300
    assert rows[0]["flag_names"] == ["protected"] and rows[2]["flag_names"] == []
    assert rows[0]["why_not"] == [] and rows[4]["flag_names"] == ["protected", "down"]
    assert rows[4]["why_not"] == ["down"]
    assert rows[5]["style"] == "dark first" and rows[5]["first"] == 700
    assert rows[6]["candidates"] == 0 and rows[6]["venue"] == "" and rows[6]["price"] is None
    assert parquet.read_words(folder)["dark first"] == ("shares expected", "times tried")


def test_rejects(folder):
    rows = parquet.read_rows(folder, parquet.REJECTS)
    assert [row["reason"] for row in rows] == ["order too large", "price collar"]
    assert rows[0]["parent_name"] == "first" and rows[0]["kind"] == "enter"
    assert (rows[0]["venue"], rows[0]["seen"], rows[0]["allowed"]) == ("<bx>&", 5000, 2000)


def test_rows_can_be_chosen(folder):
    rows = parquet.read_rows(folder, parquet.FILLS, [("child", "=", 1)])
    assert [row["execution"] for row in rows] == [1000, 1001]


def test_prices_and_times_have_their_types(folder):
    schema = arrow.parquet.read_schema(folder / parquet.ORDERS)
    assert str(schema.field("price").type) == "decimal128(19, 8)"
    assert str(schema.field("sent").type) == "timestamp[ns, tz=UTC]"


def test_a_run_without_orders_has_files_without_rows(tmp_path):
    write_results(tmp_path, empty_results())
    for name in (parquet.ORDERS, parquet.FILLS, parquet.DECISIONS, parquet.REJECTS):
        assert parquet.read_rows(tmp_path, name) == []


def test_without_pyarrow_the_rest_is_written(tmp_path, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "pyarrow", None)
    said = write_results(tmp_path, small_results()[0])
    assert said[-1] == NO_PARQUET
    assert sorted(path.name for path in tmp_path.iterdir()) == [PAGE, SUMMARY]
    assert msgspec.json.decode((tmp_path / SUMMARY).read_bytes())["orders"] == 5
    with pytest.raises(ConfigError, match="needs pyarrow"):
        parquet.write_parquet(tmp_path, small_results()[0])


def test_a_file_that_is_no_parquet_is_one_line(tmp_path):
    (tmp_path / parquet.ORDERS).write_text("text")
    with pytest.raises(ConfigError, match=r"orders\.parquet: not readable as Parquet"):
        parquet.read_rows(tmp_path, parquet.ORDERS)


def test_parquet_that_is_something_else_is_one_line(tmp_path):
    arrow.parquet.write_table(arrow.table({"child": [1]}), tmp_path / parquet.ORDERS)
    with pytest.raises(ConfigError, match=r"orders\.parquet: not results of a replay"):
        parquet.read_rows(tmp_path, parquet.ORDERS)
