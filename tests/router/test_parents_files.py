"""Files of parents: what is in them, exactly, and one line for whatever is wrong."""

from __future__ import annotations

import csv
import io
import tomllib
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from strategy_rig import HOURS, OPEN_NS, SECOND, SMALL, an_order

from feedhandler.actions import BUY, SELL
from nic.configfile import ConfigError
from router import tables
from router.parentfile import ParentOrder, SessionHours, load_parents, read_parents
from router.routing import parameters as places
from router.strategies import exact
from router.strategies.curves import MOST_SHARES, curve_sections
from router.strategies.profiles import USUAL_VOLUMES, load_volumes
from router.strategies.settings import (
    BY_NAME,
    DarkThenLit,
    Iceberg,
    Post,
    Pov,
    Shortfall,
    Sweep,
    Twap,
    Vwap,
)
from router.tablespace import RouterTables
from simulator.market.symbols import made_symbols

EXAMPLE = Path(exact.__file__).with_name("example.toml")
GOOD = {
    "name": "a",
    "symbol": "KOZ",
    "side": "buy",
    "quantity": 100,
    "account": "desk",
    "strategy": "sweep",
}


def toml_of(record: dict[str, Any]) -> str:
    """One parent as TOML."""
    lines = []
    for key, value in record.items():
        said = str(value).lower() if isinstance(value, bool) else str(value)
        lines.append(f'{key} = "{value}"' if isinstance(value, str) else f"{key} = {said}")
    return "[[parents]]\n" + "\n".join(lines) + "\n"


def csv_of(records: list[dict[str, Any]]) -> str:
    """Parents as CSV with all of their keys."""
    keys = list(dict.fromkeys(key for record in records for key in record))
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(keys)
    for record in records:
        writer.writerow([cell_of(record.get(key, "")) for key in keys])
    return out.getvalue()


def cell_of(value: Any) -> str:
    """A value as a cell has it."""
    if isinstance(value, list):
        return " ".join(map(str, value))
    return str(value).lower() if isinstance(value, bool) else str(value)


def read(folder: Path, content: str, name: str = "p.toml") -> list[ParentOrder]:
    """The parents of a file with that content."""
    (folder / name).write_text(content)
    return read_parents(folder / name, HOURS)


def test_the_example_has_one_parent_of_each_strategy() -> None:
    orders = read_parents(EXAMPLE, HOURS)
    assert {order.strategy.name for order in orders} == set(BY_NAME)
    assert len(orders) == len(BY_NAME)
    assert {order.symbol for order in orders} <= set(made_symbols(8))
    sweep, dark, post, iceberg, twap, vwap, pov, shortfall = orders
    assert (sweep.limit, sweep.tif, sweep.start_ns) == (10_125_000_000, "ioc", OPEN_NS + 5 * SECOND)
    assert dark.strategy == DarkThenLit(patience_ns=250_000_000, rounds=3, minimum=50_000_000)
    assert dark.end_ns == OPEN_NS + 300 * SECOND
    assert post.strategy == Post(
        peg="improve", offset_ticks=1, repost_ticks=2, take_after_ns=60 * SECOND
    )
    assert (post.start_ns, post.end_ns) == (OPEN_NS + 10 * SECOND, OPEN_NS + 300 * SECOND)
    assert iceberg.strategy == Iceberg(shown=300)
    assert (iceberg.limit, iceberg.tif) == (2_000_000_000, "gtc")
    assert iceberg.flags == tables.SHORT | tables.LOCATED
    assert twap.strategy == Twap(slices=30, jitter=500_000_000, tolerance=10_000_000)
    assert vwap.strategy == Vwap(
        volumes=(9, 6, 5, 4, 4, 4, 5, 6, 9),
        slices=20,
        finish="cancel",
        volumes_from_ns=OPEN_NS,
        volumes_to_ns=HOURS.close_ns,
    )
    assert vwap.end_ns == OPEN_NS + 570 * SECOND
    assert pov.strategy == Pov(rate=100_000_000, most=500, interval_ns=500_000_000)
    assert shortfall.strategy == Shortfall(slices=40, risk_aversion=0.1, volatility=0.4)
    assert (shortfall.limit, shortfall.flags) == (10_000, tables.CLOSES)


def test_csv_and_toml_give_the_same_parents(tmp_path: Path) -> None:
    records = tomllib.loads(EXAMPLE.read_text(), parse_float=Decimal)["parents"]
    assert read(tmp_path, csv_of(records), "p.csv") == read_parents(EXAMPLE, HOURS)


def test_the_example_goes_into_the_tables() -> None:
    orders = read_parents(EXAMPLE, HOURS)
    instruments = {symbol: number for number, symbol in enumerate(made_symbols(8), 1)}
    with RouterTables(msgspec.structs.replace(SMALL, instruments=8), curve_sections(4)) as space:
        numbers = load_parents(orders, space, instruments, {"desk": 1, "house": 2})
        assert numbers == list(range(1, 9))
        rows = space.parents[numbers].copy()
        curves = space.block["curves"].copy()
        assert space.head["parent_count"] == 0  # the loop has not been told yet
    assert rows["name"].tolist() == [order.name.encode() for order in orders]
    assert rows["strategy"].tolist() == [order.strategy.number for order in orders]
    assert rows["instrument"].tolist() == list(range(1, 9))
    assert rows["account"].tolist() == [1, 1, 2, 2, 1, 1, 2, 1]
    assert rows["side"].tolist() == [BUY, SELL, BUY, SELL, BUY, SELL, BUY, SELL]
    assert rows["curve"].tolist() == [0, 0, 0, 0, 1, 2, 3, 4]
    assert rows["tif"].tolist() == [tables.IOC, 0, 0, tables.GTC, 0, 0, 0, 0]
    assert not rows["state"].any() and not rows["cum"].any()
    assert rows["parameters"][1, places.PATIENCE_NS] == 250_000_000
    assert rows["parameters"][1, places.MINIMUM_PART] == 50_000_000
    assert rows["parameters"][2, places.PEG] == places.PEG_IMPROVE
    assert rows["parameters"][4, places.OWN_SECOND] == 540 * SECOND // 30 // 10
    assert curves[1:]["points"].tolist() == [2, 2, 0, 41]
    assert curves[1:]["slices"].tolist() == [30, 20, 0, 40]
    assert (curves[0]["used_curves"], curves[0]["used_parents"]) == (4, 8)


WRONG = [
    ({"name": None}, "name: missing, expected text"),
    ({"strategy": None}, "strategy: missing, expected one of sweep, "),
    ({"quantity": None}, "quantity: missing, expected a whole number"),
    ({"name": "x" * 25}, "name: expected 1 to 24 printable bytes, found "),
    ({"name": 5}, "name: expected text, found 5"),
    ({"side": "long"}, 'side: expected one of buy, sell, sell_short, found "long"'),
    ({"quantity": 0}, f"quantity: expected 1 to {MOST_SHARES}, found 0"),
    ({"quantity": "12.5"}, 'quantity: expected a whole number, found "12.5"'),
    ({"quantity": "many"}, 'quantity: expected a whole number, found "many"'),
    ({"quantity": MOST_SHARES, "limit": 100_000}, "quantity: expected at most "),
    ({"limit": "10.123456789"}, 'limit: expected a price like "10.25", of up to 8 decimals'),
    ({"limit": "-1"}, 'limit: expected a price like "10.25"'),
    ({"limit": True}, 'limit: expected a price like "10.25"'),
    ({"limit": "nan"}, 'limit: expected a price like "10.25"'),
    ({"tif": "fok"}, 'tif: expected one of day, ioc, gtc, found "fok"'),
    ({"strategy": "twp"}, 'strategy: expected one of sweep, dark_then_lit, post, '),
    ({"rate": "0.1"}, "rate: unknown key, strategy sweep has none"),
    ({"quantty": 1}, "quantty: unknown key, did you mean quantity?"),
    ({"located": "maybe"}, 'located: expected true or false, found "maybe"'),
    ({"located": True}, "located: expected with side sell_short only"),
    ({"start": "25:00:00"}, 'start: expected a time like "09:31:00", an ISO time or seconds'),
    ({"start": "2026-03-16"}, 'start: expected a time like "09:31:00", an ISO time or seconds'),
    ({"start": -3}, 'start: expected a time like "09:31:00", an ISO time or seconds'),
    ({"start": 10, "end": 5}, "end: expected a time behind the start"),
    ({"strategy": "post", "tif": "ioc"}, "tif: expected day or gtc with strategy post"),
    ({"strategy": "post", "peg": "far"}, 'peg: expected one of join, improve, behind, found "far"'),
    ({"strategy": "post", "offset_ticks": -1}, "offset_ticks: expected 0 to 10000, found -1"),
    ({"strategy": "post", "finish": "take"}, "end: missing, expected a time: what is left is to"),
    ({"strategy": "post", "take_after_ms": "-1"}, "take_after_ms: expected milliseconds, up to a"),
    ({"strategy": "post", "take_after_ms": "soon"}, "take_after_ms: expected milliseconds, up to"),
    (
        {"strategy": "post", "finish": "take", "finish_ms": 5001, "start": 1, "end": 6},
        "finish_ms: expected no more than the time from start to end",
    ),
    ({"strategy": "iceberg"}, "shown: missing, expected a value with strategy iceberg"),
    ({"strategy": "iceberg", "shown": 0}, "shown: expected 1 to "),
    ({"strategy": "twap", "slices": 0}, "slices: expected 1 to 100000, found 0"),
    ({"strategy": "twap", "jitter": "1.5"}, "jitter: expected a part from 0 to 1"),
    ({"strategy": "twap", "end": "09:30:00.001"}, "slices: expected at least a millisecond for"),
    ({"strategy": "twap", "end": "2026-03-18T10:00:00"}, "end: expected a time at most a day"),
    ({"strategy": "twap", "volumes": "1 2"}, "volumes: unknown key, strategy twap has "),
    ({"strategy": "pov"}, "rate: missing, expected a value with strategy pov"),
    ({"strategy": "pov", "rate": "0.95"}, "rate: expected a part from 0.000000001 to 0.9, found"),
    ({"strategy": "pov", "rate": 10}, "rate: expected a part from 0 to 1 of up to 9"),
    ({"strategy": "pov", "rate": "0.1", "interval_ms": 0}, "interval_ms: expected a time from 1"),
    ({"strategy": "dark_then_lit", "rounds": 0}, "rounds: expected 1 to 100, found 0"),
    ({"strategy": "vwap", "volumes": "1 x"}, 'volumes: expected a whole number, found "x"'),
    ({"strategy": "vwap", "volumes": "0 0"}, "volumes: expected a number above 0 among them"),
    ({"strategy": "vwap", "volumes": "0 1", "end": 60}, "volumes: expected volume between"),
    ({"strategy": "is", "slices": 128}, "slices: expected 1 to 127, found 128"),
    ({"strategy": "is", "volatility": "high"}, "volatility: expected a number of at least 0"),
    ({"strategy": "is", "permanent_impact": "1"}, "temporary_impact: expected more than half of"),
]  # fmt: skip


@pytest.mark.parametrize(("change", "said"), WRONG)
def test_each_wrong_thing_has_one_line(tmp_path: Path, change: dict[str, Any], said: str) -> None:
    record = {key: value for key, value in {**GOOD, **change}.items() if value is not None}
    named = f" ({record['name']})" if isinstance(record.get("name"), str) else ""
    with pytest.raises(ConfigError) as found:
        read(tmp_path, toml_of({**GOOD, "name": "first"}) + toml_of(record))
    assert str(found.value).startswith(f"{tmp_path}/p.toml: parents[1]{named}: {said}")
    assert "\n" not in str(found.value)
    if isinstance(change.get("name"), int):
        return  # in CSV all is text
    with pytest.raises(ConfigError) as found:
        read(tmp_path, csv_of([{**GOOD, "name": "first"}, record]), "p.csv")
    assert str(found.value).startswith(f"{tmp_path}/p.csv: line 3: {said[:20]}")


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("p.toml", "parents = 3", "parents: expected [[parents]] tables"),
        ("p.toml", "[[parent]]\na = 1", "parent: unknown key, expected [[parents]]"),
        ("p.toml", "[[parents", "not TOML: "),
        ("p.csv", "", "line 1: expected a row of keys"),
        ("p.csv", "name,,side\n", "line 1: expected a row of keys"),
        ("p.csv", "name,side,name\n", "line 1: a key is there twice"),
        ("p.csv", "name,side\na\n", "line 2: expected 2 cells, found 1"),
        ("p.csv", 'name,side\n"a\n', "line 2: not CSV: "),
    ],
)
def test_a_file_that_is_none_has_one_line(
    tmp_path: Path, name: str, content: str, said: str
) -> None:
    with pytest.raises(ConfigError) as found:
        read(tmp_path, content, name)
    assert str(found.value).startswith(f"{tmp_path}/{name}: {said}")
    assert "\n" not in str(found.value)


def test_a_file_that_cannot_be_read_has_one_line(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"none\.toml: cannot open: No such file"):
        read_parents(tmp_path / "none.toml", HOURS)
    (tmp_path / "b.toml").write_bytes(b"name = \xff")
    with pytest.raises(ConfigError, match=r"b\.toml: byte 7: expected UTF-8 text"):
        read_parents(tmp_path / "b.toml", HOURS)


def test_a_name_may_be_there_once(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r'parents\[1\] \(a\): name: "a" is that of parents\[0\]'):
        read(tmp_path, toml_of(GOOD) * 2)
    assert len(read(tmp_path, toml_of(GOOD) + toml_of({**GOOD, "name": "b"}))) == 2


def test_times_are_by_the_clock_iso_or_after_the_open(tmp_path: Path) -> None:
    wanted = OPEN_NS + 61_250_000_000
    for said in (
        '"09:31:01.25"', '"2026-03-16T09:31:01.25"', '"2026-03-16T13:31:01.25+00:00"', "61.25",
        '"61.25"', "09:31:01.25", "2026-03-16T09:31:01.25", "2026-03-16T09:31:01.25-04:00",
    ):  # fmt: skip
        (order,) = read(tmp_path, toml_of(GOOD) + f"start = {said}\n")
        assert order.start_ns == wanted, said
    winter = SessionHours(day=date(2026, 1, 5))
    assert HOURS.open_ns % (86_400 * SECOND) == (13 * 60 + 30) * 60 * SECOND
    assert winter.open_ns % (86_400 * SECOND) == (14 * 60 + 30) * 60 * SECOND


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"open": "9h"}, 'open: expected a time like "09:30:00"'),
        ({"open": "16:00", "close": "09:00"}, "close: expected a time behind 16:00"),
        ({"zone": "Mars/North"}, "is not in the time zone database"),
    ],
)
def test_hours_that_cannot_be_are_refused(fields: dict[str, str], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        SessionHours(day=date(2026, 3, 16), **fields)


@settings(deadline=None)
@given(units=st.integers(1, exact.MOST_PRICE), extra=st.integers(0, 5))
def test_prices_are_exact(units: int, extra: int) -> None:
    said = f"{units // exact.UNIT}.{units % exact.UNIT:08d}" + "0" * extra
    assert exact.price(said) == units
    assert exact.price(Decimal(said)) == units


@settings(deadline=None)
@given(said=st.text(max_size=30))
def test_a_price_is_exact_or_refused(said: str) -> None:
    try:
        units = exact.price(said)
    except ValueError as error:
        assert "expected a price" in str(error)
    else:
        assert Decimal(units) / exact.UNIT == Decimal(said.strip())


@pytest.mark.parametrize("value", [10.25, True, None, "1e400", "1e-400", "inf", "1" * 5000, "", []])
def test_no_float_and_no_nonsense_is_a_price(value: Any) -> None:
    with pytest.raises(ValueError, match="expected a price"):
        exact.price(value)


def test_a_toml_number_is_as_exact_as_text(tmp_path: Path) -> None:
    said = "123456.12345678"  # more than a float would keep of its eighth decimal times 1e8
    (number,) = read(tmp_path, toml_of(GOOD) + f"limit = {said}\n")
    (text,) = read(tmp_path, toml_of(GOOD) + f'limit = "{said}"\n')
    assert number.limit == text.limit == 12_345_612_345_678


def test_volumes_come_from_a_file_beside(tmp_path: Path) -> None:
    (tmp_path / "v.csv").write_text("volume\n5\n2\n9\n")
    (tmp_path / "v.toml").write_text("volumes = [5, 2, 9]\n")
    vwap = {**GOOD, "strategy": "vwap"}
    for name in ("v.csv", "v.toml"):
        (order,) = read(tmp_path, toml_of({**vwap, "volume_file": name}))
        assert isinstance(order.strategy, Vwap) and order.strategy.volumes == (5, 2, 9)
    (order,) = read(tmp_path, toml_of(vwap))
    assert isinstance(order.strategy, Vwap) and order.strategy.volumes == USUAL_VOLUMES
    with pytest.raises(
        ConfigError, match=r"p.toml: parents\[0\] \(a\): volume_file: .*cannot open"
    ):
        read(tmp_path, toml_of({**vwap, "volume_file": "w.csv"}))
    with pytest.raises(ConfigError, match="volume_file: expected either it or volumes, found both"):
        read(tmp_path, toml_of({**vwap, "volume_file": "v.csv", "volumes": "1 2"}))


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("v.csv", "shares\n5\n", "line 1: expected a column named volume"),
        ("v.csv", "volume\n5\n-\n", 'line 3: volume: expected a whole number, found "-"'),
        ("v.csv", "volume\n-5\n", "volumes: expected 1 to 125 whole numbers of at least 0"),
        ("v.toml", "volumes = []\n", "volumes: expected 1 to 125 whole numbers of at least 0"),
        ("v.toml", 'volumes = ["a"]\n', "volumes[0]: expected int"),
    ],
)
def test_a_wrong_volume_file_has_one_line(
    tmp_path: Path, name: str, content: str, said: str
) -> None:
    (tmp_path / name).write_text(content)
    with pytest.raises(ConfigError) as found:
        load_volumes(tmp_path / name)
    assert str(found.value).startswith(f"{tmp_path / name}: {said}")


def test_a_parent_made_in_python_is_checked_the_same() -> None:
    for fields, said in (
        ({"quantity": 10.0}, "quantity: expected 1 to"),
        ({"quantity": True}, "quantity: expected 1 to"),
        ({"limit": 10.25}, "limit: expected 0 to"),
        ({"side": "short"}, "side: expected one of"),
        ({"symbol": ""}, "symbol: expected a name"),
        ({"strategy": "sweep"}, "strategy: expected one of"),
        ({"strategy": Twap()}, "start_ns: missing, expected a time with strategy twap"),
        ({"closes": 1}, "closes: expected true or false"),
    ):
        with pytest.raises(ValueError, match=said):
            an_order(**{"strategy": Sweep(), **fields})


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"symbol": "NONE"}, "parent one: symbol: unknown, 'NONE'"),
        ({"account": "none"}, "parent one: account: unknown, 'none'"),
        ({"name": "there"}, "parent there: name: there is a parent of that name already"),
    ],
)
def test_what_the_tables_do_not_know_is_refused_and_nothing_written(
    fields: dict[str, str], said: str
) -> None:
    symbols, accounts = {"BAK": 1}, {"desk": 1}
    with RouterTables(SMALL, curve_sections(2)) as space:
        load_parents([an_order(Sweep(), name="there")], space, symbols, accounts)
        before = bytes(space.block["parents"]), bytes(space.block["curves"])
        pair = [an_order(Sweep(), name="good"), an_order(Sweep(), **fields)]
        with pytest.raises(ValueError, match=said):
            load_parents(pair, space, symbols, accounts)
        assert (bytes(space.block["parents"]), bytes(space.block["curves"])) == before


def test_full_tables_refuse_and_nothing_is_written() -> None:
    symbols, accounts = {"BAK": 1}, {"desk": 1}
    pov = [an_order(Pov(rate=1000), name=f"pov-{number}") for number in range(3)]
    sweeps = [an_order(Sweep(), name=f"sweep-{number}") for number in range(17)]
    with RouterTables(SMALL, curve_sections(2)) as space:
        with pytest.raises(ValueError, match="3 schedules: the table has room for 2 more"):
            load_parents(pov, space, symbols, accounts)
        with pytest.raises(ValueError, match="17 parents: the table has room for 16 more"):
            load_parents(sweeps, space, symbols, accounts)
        assert load_parents(sweeps[:16], space, symbols, accounts) == list(range(1, 17))
