"""No bytes without a verdict: what the gate refuses does not leave, and nothing else sends."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest
from routed_rig import ACCOUNT, LATE, a_desk, limits_text, toml_of, write_files

from router import log
from router.orders.states import STATE
from router.risk.layout import REASONS

ROOT = Path(__file__).resolve().parents[2]


def with_account(**more: int) -> str:
    """Limits with other ones of both accounts."""
    text = limits_text()
    for name, value in more.items():
        text = text.replace(f"{name} = {ACCOUNT[name]}\n", f"{name} = {value}\n")
    return text


REFUSING = [
    (limits_text(order_shares=0), {"order size"}),
    (limits_text(order_notional=0), {"order notional"}),
    (limits_text(venues=()), {"venue has no limits"}),
    ('restricted = ["KOZ", "NEV", "SAT", "VUS"]\n' + limits_text(), {"restricted"}),
    (limits_text(position_shares=0), {"position limit"}),
    (limits_text(open_orders=0), {"open orders of all"}),
    (limits_text(orders_per_second=0), {"order rate of all"}),
    (limits_text(gross=0), {"gross exposure of all"}),
    (with_account(orders_per_second=0), {"account order rate"}),
    (with_account(gross=0), {"gross exposure"}),
    (with_account(net=0), {"net exposure"}),
    (with_account(credit=0), {"credit"}),
]


@pytest.mark.parametrize(("limits", "reasons"), REFUSING, ids=[min(r) for _, r in REFUSING])
def test_limits_that_let_nothing_through_let_nothing_through(
    tmp_path: Path, limits: str, reasons: set[str]
) -> None:
    with a_desk(write_files(tmp_path, limits=limits), burst=64) as desk:
        desk.finish()
        refused = desk.of(log.GATE)
        assert desk.of(log.SENT) == [] and desk.of(log.FILL) == []
        assert {REASONS[words[2]] for words in refused} == reasons
        assert len(refused) == desk.count("reject_count") > 0
        assert desk.count("message_count") == desk.count("order_count") == 0
        assert desk.run.far is not None and desk.run.far.counters["arrived"] == 0
        assert not desk.tables.block["sessions"]["sent"].any()
        assert desk.tables.used_children.size == 0
        parents = desk.tables.used_parents
        assert not parents["cum"].any() and (parents["rejects"] >= 0).all()
        assert {words[0] for words in refused} <= set(range(1, len(parents) + 1))


def test_one_account_that_is_refused_does_not_hold_up_the_other(tmp_path: Path) -> None:
    rows = toml_of({"name": "house", "group": "house", **ACCOUNT})
    limits = limits_text().replace(rows, rows.replace("net = 10000000", "net = 0"))
    with a_desk(write_files(tmp_path, limits=limits), burst=64) as desk:
        desk.finish()
        children = desk.tables.used_children
        assert set(children["account"].tolist()) == {1}
        refused = {int(desk.tables.parents[words[0]]["account"]) for words in desk.of(log.GATE)}
        assert refused == {2}
        assert desk.count("message_count") == len(desk.of(log.SENT)) > 0


def test_only_what_the_limit_lets_through_leaves(tmp_path: Path) -> None:
    """Orders of up to 99 shares: what is larger is refused, what is smaller is sent."""
    limits = limits_text(order_shares=99)
    with a_desk(write_files(tmp_path, limits=limits), burst=64) as desk:
        desk.finish()
        sent, refused = desk.tables.used_children["quantity"], desk.of(log.GATE)
        assert len(sent) > 0 and len(refused) > 0
        assert sent.max() <= 99
        assert all(words[3] > 99 and REASONS[words[2]] == "order size" for words in refused)


def test_nothing_is_sent_for_parents_whose_time_does_not_come(tmp_path: Path) -> None:
    with a_desk(write_files(tmp_path, LATE), burst=64) as desk:
        desk.finish()
        assert desk.of(log.SENT) == [] and desk.of(log.GATE) == []
        assert desk.tables.used_parents["state"].tolist() == [STATE.done_for_day]


def calls(path: Path) -> Iterator[str]:
    """Names of the functions that a file calls."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Call):
            named = node.func
            if isinstance(named, ast.Name):
                yield named.id
            elif isinstance(named, ast.Attribute):
                yield named.attr


def callers(name: str, folder: str) -> set[str]:
    """Files of a package that call a function of that name."""
    files = (ROOT / folder).rglob("*.py")
    return {str(path.relative_to(ROOT)) for path in files if name in calls(path)}


def users(name: str, folder: str) -> set[str]:
    """Files of a package that have a name in any form: imported, called, passed on."""
    found = set()
    for path in (ROOT / folder).rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            names = {getattr(node, "id", ""), getattr(node, "attr", "")}
            if isinstance(node, ast.ImportFrom):
                names |= {alias.name for alias in node.names}
            if name in names:
                found.add(str(path.relative_to(ROOT)))
    return found


def test_one_file_of_the_router_sends_and_only_the_gate_has_it_do_so() -> None:
    assert users("call_tx", "router") == {"router/entry/transmit.py"}
    assert users("transmit", "router") == callers("transmit", "router") == {"router/loop/gate.py"}
    assert users("tx", "router") <= {"router/entry/transmit.py", "router/entry/logins.py"}


def test_what_encodes_orders_is_used_by_the_gate_alone() -> None:
    for name in ("encode_order", "encode_replace", "encode_cancel"):
        assert users(name, "router") == {"router/loop/gate.py"}


def test_only_the_gate_enters_orders_and_only_behind_a_verdict() -> None:
    assert callers("judge_fully", "router") >= {"router/loop/gate.py"}
    assert callers("ask_replace", "router") <= {"router/loop/gate.py", "router/orders/entries.py"}
    assert callers("ask_cancel", "router") <= {"router/loop/gate.py", "router/orders/entries.py"}
    assert callers("pass_order", "router") == {"router/loop/gate.py"}
    assert callers("send_order", "router") == {"router/loop/gate.py"}
