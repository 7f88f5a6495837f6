"""`sweepwire replay` with orders: options, errors, results, and what is printed."""

from __future__ import annotations

import gzip
import json
from contextlib import nullcontext
from pathlib import Path

import pytest
from console_made import ROOT

from console.main import INTERRUPTED, run
from console.routed.command import MARKET_LIMITS, MARKET_PARENTS, inputs_of
from console.routed.options import Asked
from console.runreport.parquet import ORDERS, read_rows
from nic.configfile import load
from router.parentfile import read_parents
from router.risk.limits import Limits
from router.strategies.hours import hours_at
from router.tables import STRATEGIES
from router.venuefile import load_venues
from simulator.market.plan import MarketPlan

SAMPLE = ROOT / "captures" / "samples" / "market"
PARENTS, LIMITS, CHANNELS = (SAMPLE / f"{name}.toml" for name in ("parents", "limits", "channels"))
FIRST_NS = MarketPlan().times.start_ns
FEW = """
[[parents]]
name = "one"
symbol = "KOZ"
side = "buy"
quantity = 200
tif = "ioc"
strategy = "sweep"
account = "desk"
start = 1
"""


def complaint(capsys, *arguments) -> str:
    """The one line that a command line which cannot work gives, beside news of compiling."""
    assert run(["replay", *map(str, arguments)]) == 2
    lines = capsys.readouterr().err.splitlines()
    (line,) = [line for line in lines if not line.startswith(("compiling ", "compiled "))]
    return line


@pytest.fixture(scope="module")
def sample_run(tmp_path_factory):
    """Results of `--sample`: the folder and the summary."""
    folder = tmp_path_factory.mktemp("sample")
    out, summary = folder / "out", folder / "summary.json"
    assert run(["replay", "--sample", "--out", str(out), "--json", str(summary)]) == 0
    return out, json.loads(summary.read_text())


@pytest.fixture
def few(tmp_path) -> Path:
    """A file with one parent."""
    path = tmp_path / "few.toml"
    path.write_text(FEW)
    return path


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--parents", "a.toml", "x.pcap"], "--parents wants --limits: no limits, no trading"),
        (["--sample", "--market"], "--sample and --market exclude each other"),
        (["--sample", "x.pcap"], "--sample brings its own captures"),
        (["--market", "--channels", "x.toml"], "--market brings its own captures"),
        (["--sample", "--feed", "iex_deep"], "--sample brings its own captures"),
        (["x.pcap", "--limits", "b.toml"], "--limits is of a replay with orders"),
        (["x.pcap", "--venues", "b.toml"], "--venues is of a replay with orders"),
        (["x.pcap", "--out", "folder"], "--out is of a replay with orders"),
        (["x.pcap", "--seed", "2"], "--seed is of a replay with orders"),
        (["x.pcap", "--assume-trading"], "--assume-trading is of a replay with orders"),
        (["--sample", "--core", "0"], "--core and --state are for replays without orders"),
        (["--sample", "--state", "file"], "--core and --state are for replays without orders"),
        (["--parents", "a", "--limits", "b"], "name captures or ports"),
        (["--parents", "a", "--limits", "b", "/no.pcap"], "no file matches /no.pcap"),
        (["--parents", "a", "--limits", "b", "socket:lo"], "socket:lo: with orders only captures"),
        (["--sample", "--speed", "fast"], "expected max, real or a factor"),
        (["--sample", "--venues", "/no.toml"], "/no.toml: cannot open"),
        (["--sample", "--limits", "/no.toml"], "/no.toml: cannot open"),
        (["--sample", "--parents", "/no.toml"], "/no.toml: cannot open"),
    ],
)
def test_one_line_says_what_is_wrong(capsys, arguments, said):
    assert said in complaint(capsys, *arguments)


def test_errors_in_parents_name_file_and_parent(capsys, few):
    few.write_text(FEW.replace('"desk"', '"nobody"'))
    line = complaint(capsys, "--sample", "--parents", few)
    assert f"{few}: parent one: account 'nobody' has no limits" in line
    few.write_text(FEW.replace('"KOZ"', '"NIX"'))
    line = complaint(capsys, "--sample", "--parents", few)
    assert "symbol 'NIX': no venue in these captures names it" in line
    few.write_text(FEW.replace("quantity = 200", "quantity = -1"))
    line = complaint(capsys, "--sample", "--parents", few)
    assert "parents[0] (one): quantity: expected" in line
    few.write_text("")
    assert "expected at least one parent order" in complaint(capsys, "--sample", "--parents", few)


def test_the_sample_trades_and_leaves_its_results(sample_run):
    out, summary = sample_run
    assert {path.name for path in out.iterdir()} >= {"summary.json", "report.html", ORDERS}
    assert json.loads((out / "summary.json").read_text()) == summary
    parents = {parent["name"]: parent for parent in summary["parents"]}
    assert {parent["strategy"] for parent in parents.values()} == set(STRATEGIES[1:])
    assert parents["sweep-koz"]["executed"] == 1_500
    assert parents["sweep-koz"]["state"] == "filled"
    assert all(parent["executed"] <= parent["quantity"] for parent in parents.values())
    assert sum(venue["executed_shares"] for venue in summary["venues"]) == sum(
        parent["executed"] for parent in parents.values()
    )


def test_its_orders_can_be_explained(capsys, sample_run):
    pytest.importorskip("pyarrow", reason="pyarrow, the extra `parquet`")
    out, _ = sample_run
    children = {row["parent_name"]: row["child"] for row in read_rows(out, ORDERS)}
    capsys.readouterr()
    assert run(["explain", str(children["sweep-koz"]), "--results", str(out)]) == 0
    said = capsys.readouterr().out
    assert "buy 1,500 KOZ, limit 20.95" in said
    assert "In all 1,500 of 1,500 shares were placed, at 20.90" in said
    assert run(["explain", str(children["twap-nev"]), "--results", str(out)]) == 0
    assert "bit " not in capsys.readouterr().out


def test_warm_has_compiled_all_that_the_sample_needs(capsys, sample_run):
    assert sample_run
    capsys.readouterr()
    assert run(["warm", "--channels", str(CHANNELS), "--orders"]) == 0
    rows = [line for line in capsys.readouterr().out.splitlines() if "from cache" in line]
    said = "\n".join(rows)
    for what in ("with orders", "routing, risk and order state", "answers in boe, ouch50, pillar"):
        assert what in said
    assert run(["warm", "--orders"]) == 2
    assert "--orders wants --channels" in capsys.readouterr().err


def test_the_same_orders_leave_however_bursts_are_cut(capsys, sample_run, tmp_path):
    _, summary = sample_run
    assert run(["replay", "--sample", "--burst", "1", "--json", str(tmp_path / "one.json")]) == 0
    again = json.loads((tmp_path / "one.json").read_text())
    assert again["order_stream_sha256"] == summary["order_stream_sha256"]
    assert run(["replay", "--sample", "--seed", "2", "--json", str(tmp_path / "two.json")]) == 0
    other = json.loads((tmp_path / "two.json").read_text())
    assert other["order_stream_sha256"] != summary["order_stream_sha256"]


def test_named_captures_parents_and_a_seed(capsys, few):
    files = [*map(str, sorted(SAMPLE.glob("*.pcap.gz"))), "--channels", str(CHANNELS)]
    orders = ["--parents", str(few), "--limits", str(LIMITS), "--seed", "3", "--burst", "1"]
    assert run(["replay", *files, *orders, "--no-measure", "--assume-trading"]) == 0
    out = capsys.readouterr().out
    assert "10 captures" in out or "replay:10 files" in out
    assert "Parent orders" in out and "Latency by stage" not in out
    assert "results:" not in out


def test_json_alone_goes_to_stdout(capsys, few, tmp_path):
    arguments = ["--parents", str(few), "--out", str(tmp_path / "out"), "--json", "-"]
    assert run(["replay", "--sample", *arguments]) == 0
    captured = capsys.readouterr()
    (parent,) = json.loads(captured.out)["parents"]
    assert (parent["name"], parent["executed"]) == ("one", 200)
    assert f"results: {tmp_path / 'out'}" in captured.err


def test_a_damaged_capture_is_said_and_the_exit_code_tells(capsys, few, tmp_path):
    whole = run(["replay", "--sample", "--parents", str(few), "--json", "-"])
    packets = json.loads(capsys.readouterr().out)["packets"]
    assert whole == 0
    raw = gzip.decompress((SAMPLE / "iex-a.pcap.gz").read_bytes())
    cut = tmp_path / "iex-a.pcap"
    cut.write_bytes(raw[:-5])
    others = [str(path) for path in SAMPLE.glob("*.pcap.gz") if path.name != "iex-a.pcap.gz"]
    orders = ["--parents", str(few), "--limits", str(LIMITS), "--channels", str(CHANNELS)]
    assert run(["replay", str(cut), *others, *orders, "--json", "-"]) == 1
    captured = capsys.readouterr()
    found = json.loads(captured.out)
    assert found["packets"] == packets - 1
    assert "truncated" in captured.err


class SecondLook:
    """A list of signals that is empty at the first look alone."""

    def __init__(self) -> None:
        self.looks = 0

    def __bool__(self) -> bool:
        self.looks += 1
        return self.looks > 1


def test_ctrl_c_ends_the_day_with_a_report(capsys, few, monkeypatch):
    monkeypatch.setattr("console.routed.replaying.signals_kept", lambda: nullcontext(SecondLook()))
    monkeypatch.setattr("console.routed.replaying.ROUNDS", 2)
    arguments = ["--sample", "--parents", str(few), "--burst", "1", "--json", "-"]
    assert run(["replay", *arguments]) == INTERRUPTED
    found = json.loads(capsys.readouterr().out)
    assert 0 < found["packets"] <= 2
    assert [parent["state"] for parent in found["parents"]] == ["done for day"]


def test_the_markets_own_files_fit_together():
    limits = load(MARKET_LIMITS, Limits)
    plan, orders = MarketPlan(), read_parents(MARKET_PARENTS, hours_at(FIRST_NS))
    assert {order.account for order in orders} == {account.name for account in limits.accounts}
    assert {order.symbol for order in orders} <= set(plan.symbols)
    assert {order.strategy.name for order in orders} == set(STRATEGIES[1:])
    assert {venue.name for venue in limits.venues} == {venue.name for venue in load_venues()}
    shorts: dict[str, int] = {}
    for order in orders:
        assert plan.times.open_ns <= order.start_ns < plan.times.close_ns
        if order.side == "sell_short":
            shorts[order.symbol] = shorts.get(order.symbol, 0) + order.quantity
    assert all(limits.locates[symbol] >= shares for symbol, shares in shorts.items())


def test_the_markets_files_are_taken_for_it(monkeypatch, tmp_path):
    monkeypatch.setattr("console.routed.command.market_folder", lambda: tmp_path)
    (tmp_path / "nasdaq-a.pcap").touch()
    asked = Asked(None, None, None, 1, None, False, True, False)
    inputs = inputs_of(asked, [], None, "")
    assert (inputs.parents, inputs.limits) == (MARKET_PARENTS, MARKET_LIMITS)
    assert inputs.channels == tmp_path / "channels.toml"
    assert list(inputs.captures) == [tmp_path / "nasdaq-a.pcap"]
    own = asked._replace(parents=PARENTS, limits=LIMITS)
    assert inputs_of(own, [], None, "")[4:6] == (PARENTS, LIMITS)


def test_the_help_has_the_options(capsys):
    assert run(["replay", "--help"]) == 0
    out = capsys.readouterr().out
    for option in "--parents --limits --venues --seed --out --market --assume-trading".split():
        assert option in out
