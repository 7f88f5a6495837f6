"""Files of limits: a bad one is refused in one line, a good one comes into force whole."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest
from msgspec.structs import fields
from risk_rig import ACCOUNTS, DOLLAR, PLAIN, SYMBOLS, VENUES, Rig, changed, toml

import router.risk
from nic.configfile import ConfigError
from nic.regions import allowed
from router.risk import entries
from router.risk.keeper import Change, LimitsKeeper
from router.risk.layout import (
    ACCOUNT_LIMITS_BYTES,
    LIMITS_DTYPE,
    NOTIONAL,
    ORDER_SIZE,
    REASONS,
    VENUE_LIMITS_BYTES,
)
from router.risk.limits import Account, Global, Venue, load_limits

EXAMPLE = Path(router.risk.__file__).with_name("example.toml")


@pytest.fixture
def rig(tmp_path):
    made = Rig(tmp_path, PLAIN)
    yield made
    made.close()


def in_force(rig):
    """The table of limits that HEAD.limits is the address of."""
    addresses = [rig.tables.block.section_address("limit_tables", n) for n in range(2)]
    slot = addresses.index(int(rig.tables.head["limits"]))
    return rig.tables.block["limit_tables"][slot]


def test_the_example_comes_into_force(rig):
    rig.keeper.load(EXAMPLE)
    assert int(in_force(rig)["gross"]) == 50_000_000 * DOLLAR
    slot = int(in_force(rig)["number"]) & 1
    alpha, beta = rig.tables.block["account_limits"].reshape(2, -1)[slot][1:3]
    assert (int(alpha["order_shares"]), int(beta["order_shares"])) == (20_000, 5_000)
    assert (int(alpha["peer"]), int(beta["peer"])) == (2, 1)
    assert (int(beta["collar_bps"]), int(beta["duplicate_ns"])) == (100, 50_000_000)
    positions = rig.tables.block["position_limits"].reshape(2, len(ACCOUNTS) + 1, -1)[slot]
    assert positions[1].tolist() == [100_000, 100_000, 10_000, 100_000]
    assert positions[2].tolist() == [100_000, 100_000, 2_000, 100_000]
    assert positions[3].tolist() == [0] * 4
    assert rig.tables.instruments["locates"].tolist() == [0, 50_000, 0, 0]
    assert rig.tables.instruments["restricted"].tolist() == [0, 0, 0, 1]
    assert (rig.says(), rig.says(venue=2)) == ("passed", "venue has no limits")


BAD = [
    ('order_shares = 10000', 'order_shares = "many"',
     'global.order_shares: expected int, found "many"'),
    ("order_shares = 10000", "order_shares = -1", "global.order_shares: expected int >= 0"),
    ("order_shares = 10000", "", "global.order_shares: missing"),
    ("collar_bps = 500", "collar_bps = 10001", "global.collar_bps: expected int <= 10000"),
    ("loss = 1000000", "loss = 1e6", "global.loss: expected int, found 1000000.0"),
    ("loss = 1000000", "loss = 99999999999", "global.loss: expected int <= 11529215046"),
    ("loss = 500000", "", "accounts[0].loss: missing"),
    ("loss = 500000", "losses = 500000", "accounts[0].losses: unknown key, did you mean loss?"),
    ('name = "alpha"', 'name = "omega"',
     'accounts[0].name: expected an account that is traded here, found "omega"'),
    ('name = "beta"', 'name = "alpha"',
     'accounts[1].name: expected each once, found "alpha" again'),
    ('name = "NORTH"', 'name = "EAST"',
     'venues[0].name: expected a venue that is traded here, found "EAST"'),
    ('name = "SOUTH"', 'name = "NORTH"', 'venues[1].name: expected each once, found "NORTH" again'),
    ("restricted = []", 'restricted = ["ALFA", "OMEGA"]',
     'restricted[1]: expected a symbol that is traded here, found "OMEGA"'),
    ("restricted = []", 'restricted = ["ALFA", "ALFA"]',
     'restricted[1]: expected each once, found "ALFA" again'),
    ("restricted = []", "restricted = [7]", "restricted[0]: expected str, found 7"),
    ("[locates]", "[locates]\nOMEGA = 5",
     'locates.OMEGA: expected a symbol that is traded here, found "OMEGA"'),
    ("[locates]", "[locates]\nALFA = -5", "locates.ALFA: expected int >= 0, found -5"),
    ("cancel_from = 1000", "cancel_from = 1000\norder_shares = 10001",
     "accounts[0].order_shares: expected at most global.order_shares = 10000, found 10001"),
    ("[global]", "[overall]", "overall: unknown key"),
    ("[global]", "[global", "not TOML"),
]  # fmt: skip


@pytest.mark.parametrize(("good", "bad", "line"), BAD)
def test_a_bad_file_is_one_line_and_the_old_limits_stay(rig, good, bad, line):
    text = toml(PLAIN)
    assert good in text
    rig.path.write_text(text.replace(good, bad, 1))
    address, number = int(rig.tables.head["limits"]), rig.keeper.number
    result = rig.keeper.reload(rig.path)
    assert result.error.startswith(f"{rig.path}: {line}")
    assert "\n" not in result.error
    assert (result.number, result.changes) == (number, ())
    assert int(rig.tables.head["limits"]) == address
    assert rig.says(quantity=10_000) == "passed"
    with pytest.raises(ConfigError) as raised:
        rig.keeper.load(rig.path)
    assert str(raised.value) == result.error


def test_duplicates_may_not_be_looked_for_less_far_back_than_for_all(rig):
    rig.path.write_text(toml(changed(overall={"duplicate_ms": 9}, beta={"duplicate_ms": 8})))
    error = rig.keeper.reload(rig.path).error
    assert error == (
        f"{rig.path}: accounts[1].duplicate_ms: expected at least global.duplicate_ms = 9, found 8"
    )


def test_rows_of_symbols_that_are_looser_unknown_or_twice(rig):
    loose = {"symbol": "ALFA", "position_shares": 50_001}
    rig.path.write_text(toml(changed(symbols=[loose])))
    key = "symbols[0].position_shares"
    assert rig.keeper.reload(rig.path).error == (
        f"{rig.path}: {key}: expected at most global.position_shares = 50000, found 50001"
    )
    row = {"symbol": "ALFA", "position_shares": 5}
    for rows, line in (
        ([row, row], 'symbols[1].symbol: expected each once, found "ALFA" of each account again'),
        ([{**row, "account": "x"}], 'symbols[0].account: expected an account that is traded here,'
         ' found "x"'),
        ([{**row, "symbol": "X"}], 'symbols[0].symbol: expected a symbol that is traded here,'
         ' found "X"'),
    ):  # fmt: skip
        rig.path.write_text(toml(changed(symbols=rows)))
        assert rig.keeper.reload(rig.path).error == f"{rig.path}: {line}"


def test_a_file_that_cannot_be_read_keeps_the_old_limits(rig, tmp_path):
    missing = tmp_path / "none.toml"
    assert rig.keeper.reload(missing).error == (
        f"{missing}: cannot open: No such file or directory"
    )
    rig.path.write_bytes(b"\xff\xfe")
    assert rig.keeper.reload(rig.path).error == f"{rig.path}: byte 0: expected UTF-8 text"
    rig.path.write_bytes(b"")
    assert rig.keeper.reload(rig.path).error.startswith(f"{rig.path}: global: missing")
    assert rig.says() == "passed"


def test_nothing_is_in_force_where_the_first_file_is_bad(tmp_path):
    rig = Rig(tmp_path)
    with pytest.raises(ConfigError):
        rig.keeper.load(tmp_path / "none.toml")
    assert (int(rig.tables.head["limits"]), rig.keeper.limits) == (0, None)
    assert rig.says() == "no limits, no trading"
    rig.close()


@pytest.mark.parametrize("kind", [Global, Account, Venue])
def test_no_limit_may_be_left_out_without_another_one_holding(kind):
    optional = {field.name for field in fields(kind) if not field.required} - {"group"}
    required = {field.name for field in fields(Global) if field.required}
    assert optional <= required
    assert len(required) == len(fields(Global))


def test_a_new_file_is_in_force_at_once_and_says_what_changed(rig):
    assert rig.says(quantity=500) == "passed"
    values = changed(
        overall={"order_shares": 400}, alpha={"loss": 7}, restricted=["DELTA"],
        symbols=[{"symbol": "ALFA", "account": "beta", "position_shares": 9}], locates={"ALFA": 3},
    )  # fmt: skip
    del values["venues"]["POOL"]
    rig.keeper.take_record()
    rig.path.write_text(toml(values))
    result = rig.keeper.reload(rig.path)
    assert (result.error, result.number) == ("", 2)
    assert sorted(result.changes) == [
        Change("accounts.alpha.loss", 500_000, 7),
        Change("global.order_shares", 10_000, 400),
        Change("locates.ALFA", None, 3),
        Change("restricted.DELTA", None, True),
        Change("symbols.ALFA.beta", None, 9),
        Change("venues.POOL", {"orders_per_second": 500}, None),
    ]
    assert rig.judged(quantity=500) == (ORDER_SIZE, 500, 400)
    assert rig.keeper.take_record() == [result]
    assert rig.keeper.take_record() == []


def test_refused_files_are_on_record_too(rig, tmp_path):
    rig.keeper.take_record()
    result = rig.keeper.reload(tmp_path / "none.toml")
    assert rig.keeper.take_record() == [result]
    assert result.error


def test_a_file_that_names_less_takes_restrictions_and_locates_back(rig):
    rig.limits(changed(restricted=["ALFA"], locates={"BRAVO": 100}))
    assert rig.says() == "restricted"
    rig.limits(PLAIN)
    assert rig.says() == "passed"
    assert int(rig.tables.instruments[2]["locates"]) == 0
    assert int(in_force(rig)["number"]) == 3


def test_while_a_table_is_written_instruments_are_as_tight_as_both_files(rig):
    class Watched(LimitsKeeper):
        def _write_table(self, slot, limits):
            row = rig.tables.instruments[1]
            seen.append((int(row["restricted"]), int(row["locates"])))
            super()._write_table(slot, limits)

    seen = []
    keeper = Watched(rig.tables, SYMBOLS, VENUES, ACCOUNTS)
    for locates, restricted in ((100, []), (50, ["ALFA"]), (200, [])):
        values = changed(locates={"ALFA": locates}, restricted=restricted)
        rig.path.write_text(toml(values))
        keeper.load(rig.path)
    assert seen == [(0, 0), (1, 50), (1, 50)]
    assert int(rig.tables.instruments[1]["locates"]) == 200
    assert int(rig.tables.instruments[1]["restricted"]) == 0


def test_accounts_that_a_file_no_longer_names_stop_trading(rig):
    rig.limits(PLAIN)  # now both tables have had a row for it
    values = changed()
    del values["accounts"]["alpha"]
    rig.limits(values)
    assert (rig.says(), rig.says(account=2)) == ("account has no limits", "passed")


def test_no_order_is_judged_by_half_a_table(rig):
    """Two files: one refuses by size first, the other by money; a mix would let the order pass."""
    paths = []
    for name, overall in (
        ("size", {"order_shares": 50, "order_notional": 1_000_000}),
        ("money", {"order_shares": 10_000, "order_notional": 500}),
    ):
        path = rig.path.with_name(f"{name}.toml")
        path.write_text(toml(changed(overall=overall)))
        paths.append(path)
    rig.keeper.load(paths[0])
    seen, stop = set(), threading.Event()
    router, intent = rig.tables.address, rig.intent()

    def judge_on() -> None:
        while not stop.is_set():
            for _ in range(1000):
                seen.add(entries.judged(router, intent, rig.now))

    reader = threading.Thread(target=judge_on)
    with allowed(rig.tables.block, *rig.market.blocks):
        reader.start()
        for turn in range(200):
            rig.keeper.load(paths[turn >> 1 & 1])  # so each table gets both
        stop.set()
        reader.join()
    assert {verdict[0] for verdict in seen} == {ORDER_SIZE, NOTIONAL}


def test_a_table_that_is_being_written_judges_nothing(rig):
    in_force(rig)["version"] += 1
    assert rig.says() == "no limits, no trading"
    in_force(rig)["version"] += 1
    assert rig.says() == "passed"


def test_tables_are_whole_words():
    assert LIMITS_DTYPE.itemsize == ACCOUNT_LIMITS_BYTES == 128
    assert VENUE_LIMITS_BYTES == 16


def test_the_table_of_checks_names_every_reason_in_order():
    text = EXAMPLE.with_name("README.md").read_text().partition("## The checks")[2]
    cells = [line.split("|")[1] for line in text.splitlines() if line.startswith("|")]
    places = [", ".join(cells).find(reason) for reason in REASONS[1:]]
    assert -1 not in places
    assert places == sorted(places)


def test_limits_are_read_without_tables():
    limits = load_limits(EXAMPLE, SYMBOLS, VENUES, ACCOUNTS)
    assert [row.name for row in limits.accounts] == ["alpha", "beta"]
    assert limits.locates == {"ALFA": 50_000}
