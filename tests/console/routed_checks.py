"""What has to hold when a run with orders is over: tables and log against each other."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from routed_rig import Desk
from routed_wire import READERS, Said

from feedhandler.actions import BUY, SELL
from router import log
from router.orders.states import EVENT, OVER, STATE
from router.risk.layout import REASONS
from router.tables import CANCEL, ENTER, REPLACE, SHORT

FILL = "child shares price fee execution liquidity".split()
SENT = "session child kind bytes token venue".split()
CHILD = "child event states quantity price code".split()


def rows_of(desk: Desk, kind: int, names: list[str]) -> list[dict[str, int]]:
    """The records of a kind, by the names of their words."""
    return [dict(zip(names, words, strict=True)) for words in desk.of(kind)]


def children(desk: Desk) -> np.ndarray:
    """All children."""
    return desk.tables.used_children


def parents_are_the_sum_of_their_children(desk: Desk) -> None:
    """What parents executed, paid and were worth is the sum over their children."""
    rows = children(desk)
    for number, parent in enumerate(desk.tables.used_parents, 1):
        own = rows[rows["parent"] == number]
        for name in ("cum", "notional", "fees"):
            assert parent[name] == own[name].sum(), (parent["name"], name)
        assert parent["children"] == len(own)


def every_order_is_over_and_nothing_is_open(desk: Desk) -> None:
    """All ended; no shares, money or chains are left over."""
    rows, tables = children(desk), desk.tables
    assert set(rows["state"].tolist()) <= set(OVER)
    assert set(tables.used_parents["state"].tolist()) <= set(OVER)
    assert not rows["leaves"].any() and not rows["new_token"].any()
    for name in ("open_count", "working_count", "intent_count"):
        assert desk.count(name) == 0
    for name in ("open", "open_children", "first_open"):
        assert not tables.used_parents[name].any()
    for name in ("open_buy", "open_sell", "first_open"):
        assert not tables.positions[name].any()
    for name in ("open_buy", "open_sell", "open_orders"):
        assert not tables.accounts[name].any()
    assert not tables.venues["open_orders"].any()


def each_order_ended_once(desk: Desk) -> None:
    """In the log every child ends once, and stays as it ended."""
    ended: Counter[int] = Counter()
    for row in rows_of(desk, log.CHILD, CHILD):
        before, after = row["states"] >> 8, row["states"] & 255
        if after in OVER and before not in OVER:
            ended[row["child"]] += 1
        assert before not in OVER or after == before
    assert ended == dict.fromkeys(range(1, len(children(desk)) + 1), 1)


def nothing_is_filled_beyond_what_was_ordered(desk: Desk) -> None:
    """No over-fills, nothing impossible, no table full."""
    rows = children(desk)
    assert (rows["cum"] <= rows["quantity"]).all()
    filled = rows["state"] == STATE.filled
    assert (rows["cum"] == rows["quantity"])[filled].all()
    assert (rows["cum"] < rows["quantity"])[~filled].all()
    for name in ("over_fill_count", "orphan_count", "repeated_count"):
        assert desk.count(name) == 0
    assert EVENT.impossible not in {row["event"] for row in rows_of(desk, log.CHILD, CHILD)}
    refused = [words for words in desk.of(log.PARENT) if words[1] == EVENT.impossible]
    assert len(refused) == desk.count("impossible_count")  # what a person asked for in vain
    for name in ("full_count", "unsaid_count", "unsent_count"):
        assert desk.count(name) == 0


def signed(desk: Desk, fill: dict[str, int]) -> int:
    """A fill's shares, below 0 for a sale."""
    side = int(desk.tables.children[fill["child"]]["side"])
    assert side in (BUY, SELL)
    return fill["shares"] if side == BUY else -fill["shares"]


def positions_and_accounts_are_the_sum_of_the_fills(desk: Desk) -> None:
    """Shares, money and fees are those of the log's fills."""
    shares: defaultdict[tuple[int, int], int] = defaultdict(int)
    spent: defaultdict[int, int] = defaultdict(int)
    fees: defaultdict[int, int] = defaultdict(int)
    counts: Counter[int] = Counter()
    for fill in rows_of(desk, log.FILL, FILL):
        child = desk.tables.children[fill["child"]]
        account = int(child["account"])
        shares[account, int(child["instrument"])] += signed(desk, fill)
        spent[account] += signed(desk, fill) * fill["price"] + fill["fee"]
        fees[account] += fill["fee"]
        counts[account] += 1
    tables = desk.tables
    held = {
        (int(a), int(n)): int(tables.positions[a, n]["shares"])
        for a, n in zip(*np.nonzero(tables.positions["shares"]), strict=True)
    }
    assert held == {key: count for key, count in shares.items() if count}
    for number in range(1, len(desk.run.setup.accounts) + 1):
        row = tables.accounts[number]
        assert row["spent"] == spent[number] and row["fees"] == fees[number]
        assert row["fills"] == counts[number]


def profit_and_loss_add_up_to_the_money_that_moved(desk: Desk) -> None:
    """Money spent is what is held at cost, less what was realised, and the fees."""
    for number in range(1, len(desk.run.setup.accounts) + 1):
        positions, row = desk.tables.positions[number], desk.tables.accounts[number]
        assert row["realised"] == positions["realised"].sum()
        assert row["spent"] == positions["cost"].sum() - row["realised"] + row["fees"]
        values = positions["shares"] * positions["mark"]
        assert row["net"] == values.sum() and row["gross"] == abs(values).sum()


def fills_of_the_log_are_those_of_the_counters(desk: Desk) -> None:
    """The log's fills by child and by venue are what the rows say."""
    fills = rows_of(desk, log.FILL, FILL)
    assert len(fills) == desk.count("fill_count") == len({fill["execution"] for fill in fills})
    by_child: defaultdict[int, list[dict[str, int]]] = defaultdict(list)
    for fill in fills:
        by_child[fill["child"]].append(fill)
    for number, row in enumerate(children(desk), 1):
        own = by_child[number]
        assert row["cum"] == sum(fill["shares"] for fill in own)
        assert row["notional"] == sum(fill["shares"] * fill["price"] for fill in own)
        assert row["fees"] == sum(fill["fee"] for fill in own)
    for number, venue in enumerate(desk.tables.venues):
        own = [fill for fill in fills if desk.tables.children[fill["child"]]["venue"] == number]
        assert venue["fills"] == len(own)
        assert venue["executed"] == sum(fill["shares"] for fill in own)
        assert venue["fees"] == sum(fill["fee"] for fill in own)


def fills_are_at_the_limits_of_their_orders_or_better(desk: Desk) -> None:
    """While a replace is under way, at the limit before it or the one behind it."""
    limits: dict[int, list[int]] = {}
    for record in desk.records:
        if record.kind == log.CHILD:
            row = dict(zip(CHILD, record.words, strict=True))
            if row["event"] in (EVENT.sent, EVENT.ask_replace):
                limits.setdefault(row["child"], []).append(row["price"])
            elif row["event"] == EVENT.replace_accepted:
                del limits[row["child"]][:-1]
            elif row["event"] == EVENT.replace_rejected:
                del limits[row["child"]][1:]
        if record.kind == log.FILL:
            fill = dict(zip(FILL, record.words, strict=True))
            sign = 1 if desk.tables.children[fill["child"]]["side"] == BUY else -1
            assert any(
                limit == 0 or sign * (limit - fill["price"]) >= 0 for limit in limits[fill["child"]]
            )


def messages(desk: Desk) -> Iterator[tuple[dict[str, int], Said]]:
    """Each message sent: its record, and what a plain decoder reads."""
    for record in desk.records:
        if record.kind == log.SENT:
            row = dict(zip(SENT, record.words, strict=True))
            protocol = desk.run.setup.venues[row["session"]].protocol
            assert len(record.more) == -(-row["bytes"] // 64) * 64
            assert not any(record.more[row["bytes"] :])
            yield row, READERS[protocol](record.more[: row["bytes"]])


def what_is_sent_says_what_was_decided(desk: Desk) -> None:
    """A plain decoder reads the child's terms off every message."""
    asked: dict[int, dict[str, int]] = {}
    for row in rows_of(desk, log.CHILD, CHILD):
        if row["event"] in (EVENT.sent, EVENT.ask_replace):
            assert row["code"] not in asked
            asked[row["code"]] = row
    known = {int(n): {n, desk.run.master.name_of(n)} for n in children(desk)["instrument"].tolist()}
    for row, said in messages(desk):
        child: Any = desk.tables.children[row["child"]]
        assert said.kind == row["kind"] and row["venue"] == row["session"] == child["venue"]
        if said.symbol:
            assert said.symbol in known[int(child["instrument"])]
        if said.kind == CANCEL:
            assert asked[said.old or 0]["child"] == row["child"] and row["token"] == said.old
            assert said.quantity == 0
            continue
        wanted = asked[said.token]
        assert said.token == row["token"] and wanted["child"] == row["child"]
        assert (said.quantity, said.price) == (wanted["quantity"], wanted["price"])
        if said.kind == ENTER:
            assert said.side == child["side"] and said.tif == child["tif"] and said.old is None
        else:
            assert asked[said.old or 0]["child"] == row["child"]
            assert said.side in (0, child["side"])


def messages_of_a_session_are_numbered_without_gaps(desk: Desk) -> None:
    """From 1 on, and as many as its row says."""
    numbers: defaultdict[int, list[int]] = defaultdict(list)
    counts: Counter[int] = Counter()
    for row, said in messages(desk):
        counts[row["session"]] += 1
        if said.sequence is not None:
            numbers[row["session"]].append(said.sequence)
    for session, found in numbers.items():
        assert found == list(range(1, len(found) + 1))
        assert len(found) == counts[session]
    for session, row in enumerate(desk.tables.block["sessions"]):
        assert row["sent"] == row["sequence"] == counts[session] and row["failed"] == 0
    assert sum(counts.values()) == desk.count("message_count")


def every_order_that_left_had_passed_the_gate(desk: Desk) -> None:
    """The gate remembers what it let through; every message is among that.

    What passed and was over before its time to leave had come was never sent.
    """
    kinds = Counter(row["kind"] for row in rows_of(desk, log.SENT, SENT))
    memory, rows = desk.tables.block["gate"][0], children(desk)
    never = rows["sent_ns"] == 0
    assert not rows["cum"][never].any()
    assert memory["written"] == desk.count("order_count") == len(rows)
    assert kinds[ENTER] == len(rows) - never.sum()
    assert kinds[REPLACE] == memory["replaces"]
    unsent = (never & (rows["state"] == STATE.canceled)).sum()
    assert kinds[CANCEL] == memory["cancels"] - unsent
    refused = Counter(words[2] for words in desk.of(log.GATE))
    assert {n: int(c) for n, c in enumerate(memory["refused"]) if c} == refused
    assert sum(refused.values()) == desk.count("reject_count")
    assert max(refused, default=0) < len(REASONS)


def the_far_end_got_what_was_sent_and_gave_what_was_booked(desk: Desk) -> None:
    """The simulated venues count the same messages and shares."""
    assert desk.run.far is not None
    counters = desk.run.far.counters
    assert counters["arrived"] == desk.count("message_count")
    assert counters["executed"] == children(desk)["cum"].sum()
    for name in ("unread", "unsaid", "unsent", "full", "untaken"):
        assert counters[name] == 0


def locates_are_used_by_what_was_sold(desk: Desk) -> None:
    """What short sales did not sell was given back, by whomever they were ended."""
    rows = children(desk)
    short = rows[rows["flags"] & SHORT != 0]
    for number, row in enumerate(desk.tables.instruments):
        assert row["locates_used"] == short["cum"][short["instrument"] == number].sum()


def times_never_go_back(desk: Desk) -> None:
    """The log is in the order of its times."""
    times = [record.time_ns for record in desk.records]
    assert times == sorted(times)


CHECKS: tuple[Callable[[Desk], None], ...] = (
    parents_are_the_sum_of_their_children,
    every_order_is_over_and_nothing_is_open,
    each_order_ended_once,
    nothing_is_filled_beyond_what_was_ordered,
    positions_and_accounts_are_the_sum_of_the_fills,
    profit_and_loss_add_up_to_the_money_that_moved,
    fills_of_the_log_are_those_of_the_counters,
    fills_are_at_the_limits_of_their_orders_or_better,
    what_is_sent_says_what_was_decided,
    messages_of_a_session_are_numbered_without_gaps,
    every_order_that_left_had_passed_the_gate,
    the_far_end_got_what_was_sent_and_gave_what_was_booked,
    locates_are_used_by_what_was_sold,
    times_never_go_back,
)
