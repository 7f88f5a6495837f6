"""Orders from several loops: the same executions as from one, and no more than the limits allow."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from fractions import Fraction
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest
from routed_rig import (
    ACCOUNT,
    GLOBAL,
    SAMPLES,
    WORDS,
    Desk,
    Files,
    limits_text,
    the_day,
    write_files,
)
from sharded_rig import SYMBOLS, owned_loop, shards_of

from console.plan import replay_uri
from console.routed import far
from console.routed.replaying import How
from console.routed.run import RoutedRun
from console.runreport.results import Results
from console.runreport.summary import summary_of
from console.sharded.pieces import parts_of
from console.sharded.routed import replay_sharded, setup_of
from feedhandler.shards.config import Shards
from nic.configfile import ConfigError
from nic.kernelref import address_of
from router.risk.limits import Limits
from router.risk.shares import shared
from simulator.matching.model import Latency, Troubles, VenueModel, shipped_models

EVEN = Latency(base_ns=20_000)
SPLITS = [[["A-M"], ["N-Z"]], [["KOZ"], ["NEV", "VUS"], ["rest"]], [["rest"]]]


def even_models() -> dict[str, VenueModel]:
    """Venues that take as long each time: a drawn latency depends on the messages before."""
    even = {"inbound": EVEN, "outbound": EVEN, "troubles": Troubles(), "messages_per_second": 0}
    models = shipped_models()
    return {name: msgspec.structs.replace(model, **even) for name, model in models.items()}


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Files:
    parents = (SAMPLES / "parents.toml").read_text()  # one of each strategy
    return write_files(tmp_path_factory.mktemp("orders"), parents)


@pytest.fixture(scope="module", autouse=True)
def even_venues() -> Iterator[None]:
    """All venues of this file are such."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(far, "shipped_models", even_models)
        yield


@pytest.fixture(scope="module")
def single(files: Files) -> Results:
    return the_day().replay(files)


def sharded(files: Files, shards: Shards, burst: int = 64) -> tuple[Results, list[Results]]:
    """A run of several loops."""
    day = the_day()
    how = How(name="test", files=day.captures, plan=day.plan, orders=day.orders, burst=burst)
    setup, place = day.setup(files), Path("shards.toml")
    return replay_sharded(how, setup, shards, place, scout=day.scout, pinned=False)


def executions(results: Results) -> dict[str, list[tuple[Any, ...]]]:
    """By parent: time, venue, shares, price, fee and kind of each execution."""
    made: dict[str, list[tuple[Any, ...]]] = {}
    for fill, child in zip(results.fills, results.fill_children, strict=True):
        name = bytes(results.parents["name"][int(child["parent"]) - 1]).decode()
        row = fill[["time_ns", "shares", "price", "fee", "liquidity"]].item()
        made.setdefault(name, []).append((int(child["venue"]), *row))
    return made


OF_PARENT = (
    "state", "instrument", "account", "side", "quantity", "arrived_ns", "arrival", "cum",
    "notional", "fees", "open", "children", "rejects", "ended_ns", "reason", "closing",
    "closing_volume",
)  # fmt: skip


def said_of_parents(results: Results) -> dict[str, tuple[Any, ...]]:
    """By name, what its row says at the end."""
    return {bytes(row["name"]).decode(): row[list(OF_PARENT)].item() for row in results.parents}


@pytest.mark.parametrize("rules", SPLITS, ids=str)
def test_each_parent_executes_as_in_one_loop(
    files: Files, single: Results, rules: Sequence[Sequence[str]]
) -> None:
    together, each = sharded(files, shards_of(*rules))
    assert executions(together) == executions(single) and len(executions(single)) >= 6
    assert said_of_parents(together) == said_of_parents(single)
    counts, wanted = together.counts, single.counts
    for name in ("orders", "messages", "fills", "stopped", "refused", "lost", "impossible"):
        assert getattr(counts, name) == getattr(wanted, name), name
    for name in ("positions", "instruments"):
        assert getattr(together, name).tobytes() == getattr(single, name).tobytes(), name
    for name in ("bought", "sold", "spent", "fees", "fills", "orders"):
        assert together.accounts[name].tolist() == single.accounts[name].tolist(), name
    for name in ("executed", "fees", "orders", "fills"):
        assert together.venues[name].tolist() == single.venues[name].tolist(), name
    assert len(each) == len(rules)
    check_numbers(together, single)


def check_numbers(together: Results, single: Results) -> None:
    """Every number in a merged row is that of the row it means."""
    parents = together.parents
    names = [bytes(name).decode() for name in parents["name"]]
    assert sorted(names) == sorted(bytes(name).decode() for name in single.parents["name"])
    of_children = together.children["parent"]
    assert (of_children >= 1).all() and (of_children <= len(parents)).all()
    assert (together.children["instrument"] == parents["instrument"][of_children - 1]).all()
    for rows in (together.sent, together.child_events, together.fills):
        assert (np.diff(rows["time_ns"]) >= 0).all()
        assert ((rows["child"] >= 1) & (rows["child"] <= len(together.children))).all()
    decisions = together.decisions
    assert len(set(decisions["number"].tolist())) == len(decisions) == len(single.decisions)
    assert len(together.candidates) == int(decisions["candidates"].sum()) == len(single.candidates)
    assert len(together.candidate_decisions) == len(together.candidates)
    by_number = dict(zip(decisions["number"].tolist(), decisions["parent"].tolist(), strict=True))
    for child in together.children:
        assert by_number.get(int(child["decision"]), int(child["parent"])) == int(child["parent"])
    assert by_style(together) == by_style(single)
    assert summary_of(together).keys() == summary_of(single).keys()


def by_style(results: Results) -> list[tuple[Any, ...]]:
    """Decisions with the bytes of their candidates, in any order."""
    counts = results.decisions["candidates"]
    ends = np.cumsum(counts)
    rows = results.decisions[["time_ns", "style", "quantity", "limit"]]
    parts = [
        results.candidates[end - count : end].tobytes()
        for end, count in zip(ends, counts, strict=True)
    ]
    return sorted((*row.item(), part) for row, part in zip(rows, parts, strict=True))


def test_threads_change_nothing(files: Files) -> None:
    runs = [sharded(files, shards_of(["A-M"], ["N-Z"]), burst) for burst in (64, 64, 1, 7)]
    digests = [[part.counts.sha256 for part in each] for _, each in runs]
    assert digests[0] == digests[1] == digests[2] == digests[3]
    assert len(set(digests[0])) == 2
    assert len({together.counts.sha256 for together, _ in runs}) == 1


def limits(**account: int) -> str:
    """Limits that hold nothing back but what is said of both accounts."""
    text = limits_text()
    for name, value in account.items():
        text = text.replace(f"\n{name} = {ACCOUNT[name]}\n", f"\n{name} = {value}\n")
    return text


BUYERS = "".join(
    f'[[parents]]\nname = "{symbol} {n}"\nsymbol = "{symbol}"\nside = "buy"\nquantity = 200\n'
    f'strategy = "sweep"\naccount = "desk"\nstart = {1 + n / 10}\n'
    for symbol in SYMBOLS
    for n in range(6)
)


def test_no_loop_passes_its_part_and_all_together_not_the_whole(tmp_path: Path) -> None:
    money = 20_000
    text = limits(capital=money)
    assert f"capital = {money}" in text
    files = write_files(tmp_path, BUYERS, text)
    for share in (0.5, 0.25):
        shards = shards_of(["A-M"], ["N-Z"], share=share)
        together, each = sharded(files, shards)
        spent = [int((part.fills["shares"] * part.fills["price"]).sum()) for part in each]
        for part, paid in zip(each, spent, strict=True):
            assert 0 < paid <= money * share * 100_000_000
            reasons = {part.names.gate_reasons[int(row["reason"])] for row in part.gates}
            assert reasons == {"buying power"}
        assert sum(spent) == int(together.accounts["spent"].sum() - together.accounts["fees"].sum())


def test_a_share_of_nothing_trades_nothing(files: Files) -> None:
    shards = Shards(
        shards=tuple(
            msgspec.structs.replace(shard, share=float(n))
            for n, shard in enumerate(shards_of(["A-M"], ["N-Z"]).shards)
        )
    )
    _, each = sharded(files, shards)
    assert [part.counts.orders > 0 for part in each] == [False, True]


def test_limits_are_divided_where_they_are_of_more_than_one_symbol() -> None:
    overall = {**GLOBAL, "gross": 100, "loss": 7, "open_orders": 5, "orders_per_second": 3}
    account = {"name": "desk", **ACCOUNT, "gross": 100, "net": 99, "cancel_percent": 50}
    given = msgspec.convert(
        {
            "global": overall,
            "accounts": [account],
            "venues": [{"name": "iex", "orders_per_second": 9}],
            "symbols": [{"symbol": "KOZ", "position_shares": 11}],
            "locates": {"KOZ": 13},
        },
        Limits,
    )
    half = shared(given, Fraction(1, 2))
    assert (half.overall.gross, half.overall.loss) == (50, 3)
    assert (half.overall.open_orders, half.overall.orders_per_second) == (2, 1)
    assert (half.accounts[0].gross, half.accounts[0].net) == (50, 49)
    assert half.venues[0].orders_per_second == 4
    whole = ("order_shares", "order_notional", "collar_bps", "position_shares", "duplicate_ms")
    assert all(getattr(half.overall, name) == overall[name] for name in whole)
    assert half.accounts[0].cancel_percent == 50
    assert (half.symbols, half.locates) == (given.symbols, given.locates)
    assert shared(given, Fraction(1)) is given
    tenths = [shared(given, Fraction("0.1")) for _ in range(10)]
    assert sum(part.accounts[0].gross for part in tenths) == 100


@contextmanager
def two_desks(files: Files) -> Iterator[dict[str, Desk]]:
    """Two loops, stepped by hand."""
    day, shards = the_day(), shards_of(["A-M"], ["N-Z"])
    setup = day.setup(files)
    with ExitStack() as stack:
        made = {}
        _, parts = parts_of(day.plan, shards, Path("f"), stack, pinned=False)
        for number, part in enumerate(parts):
            own = setup_of(setup, shards, number)
            given = {"piece": part.piece, "market": part.market, "part": part.share}
            run = stack.enter_context(RoutedRun(part.plan, day.orders, own, day.scout, **given))
            run.connect(*(address_of(kernel.dispatcher, WORDS) for kernel in day.kernels[1:]))
            step = stack.enter_context(run.opened(owned_loop(), replay_uri(day.captures), burst=1))
            made[part.name] = Desk(run, step)
        yield made


def test_each_loop_has_its_own_switch_and_its_part_of_new_limits(
    files: Files, tmp_path: Path
) -> None:
    with two_desks(files) as desks:
        for desk in desks.values():
            desk.until(2.0)
        assert any(desk.count("open_count") for desk in desks.values())
        for desk in desks.values():
            assert desk.commands.kill()
            desk.round()
            assert desk.count("killed") == 1
            sent = len(desk.records)
            desk.until(3.0)
            assert [kind for kind, _ in desk.sent(sent) if kind == "enter"] == []
        path = tmp_path / "limits.toml"
        path.write_text(limits(capital=1_000))
        assert {desk.run.limits.reload(path).error for desk in desks.values()} == {""}
        rows = [desk.tables.block["account_limits"]["capital"].tolist() for desk in desks.values()]
        assert all(500 * 100_000_000 in row for row in rows)
        path.write_text("nothing")
        assert all(str(path) in desk.run.limits.reload(path).error for desk in desks.values())
        assert [desk.run.limits.number for desk in desks.values()] == [2, 2]


def test_a_channel_that_nobody_reads_is_said(files: Files) -> None:
    shards = shards_of(["A-M"], ["N-Z"]).shards
    only = [msgspec.structs.replace(shard, channels=("nasdaq", "iex")) for shard in shards]
    with pytest.raises(ConfigError, match="channel 'bzx' is read by none of the shards s0, s1"):
        sharded(files, Shards(shards=tuple(only)))
