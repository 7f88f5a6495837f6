"""Parents of all kinds and commands of all kinds at random: the books are right in the end."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import msgspec
import pytest
from routed_checks import CHECKS
from routed_rig import CENT, LATE, SECOND, VENUES, Desk, a_desk, limits_text, write_files

from console.routed import far
from router import log
from router.parentcommands import KILL_ACCOUNT, KILL_ALL, KILL_SYMBOL, KILL_VENUE
from router.strategies.settings import (
    DarkThenLit,
    Iceberg,
    Post,
    Pov,
    Shortfall,
    Strategy,
    Sweep,
    Twap,
    Vwap,
)
from simulator.matching.model import Latency, Troubles

SYMBOLS = ("KOZ", "NEV", "SAT", "VUS")
LOCATES = "".join(f"{symbol} = 100000\n" for symbol in SYMBOLS)
STEPS = 80
SLOW_NS = 30_000_000
FROM_S, TO_S = 0.6, 4.8


def a_strategy(draw: random.Random) -> Strategy:
    """One of them, with parameters that it takes."""
    peg: Any = draw.choice(["join", "improve", "behind"])
    return draw.choice(
        [
            Sweep(),
            DarkThenLit(patience_ns=draw.choice([0, 100_000_000]), rounds=draw.randint(1, 3)),
            Post(peg=peg, take_after_ns=draw.choice([0, SECOND // 2])),
            Iceberg(shown=100, peg=peg),
            Twap(slices=draw.randint(2, 10), jitter=draw.choice([0, 300_000_000])),
            Vwap(slices=draw.randint(2, 10), peg=peg),
            Shortfall(slices=draw.randint(2, 10)),
            Pov(rate=200_000_000, interval_ns=SECOND // 4),
        ]
    )


def a_parent(desk: Desk, draw: random.Random, name: str) -> None:
    """A new parent with a limit near the market, or none."""
    symbol, strategy = draw.choice(SYMBOLS), a_strategy(draw)
    side = draw.choice(["buy", "sell_short"])
    bid, offer = desk.quote(symbol)
    price = (
        offer + draw.randint(-2, 2) * CENT if side == "buy" else bid + draw.randint(-2, 2) * CENT
    )
    fields: dict[str, Any] = {"start_ns": 0, "end_ns": 0}
    if strategy.scheduled or draw.random() < 0.3:
        start_ns = desk.now_ns + draw.randint(1, SECOND)
        fields = {"start_ns": start_ns, "end_ns": start_ns + draw.randint(SECOND // 2, 2 * SECOND)}
    desk.new_parent(
        name,
        strategy,
        symbol=symbol,
        side=side,
        quantity=draw.choice([100, 137, 300, 1000]),
        account=draw.choice(["desk", "house"]),
        limit=price if draw.random() < 0.8 else 0,
        located=side == "sell_short",
        tif="ioc" if strategy.takes_ioc and draw.random() < 0.5 else "day",
        **fields,
    )


def a_command(desk: Desk, draw: random.Random) -> None:
    """Something about a parent or a venue."""
    commands, number = desk.commands, draw.randint(1, int(desk.tables.head["parent_count"]))
    limit = int(desk.tables.parents[number]["limit"]) + draw.randint(-2, 2) * CENT
    told = draw.choice(
        [
            lambda: commands.cancel_parent(number),
            lambda: commands.suspend_parent(number),
            lambda: commands.resume_parent(number),
            lambda: commands.replace_parent(number, quantity=draw.choice([1, 100, 250, 2000])),
            lambda: commands.replace_parent(number, limit=max(limit, 0)),
            lambda: commands.venue_down(draw.randrange(len(VENUES))),
            lambda: commands.venue_up(draw.randrange(len(VENUES))),
        ]
    )
    desk.do(told())


def a_switch(desk: Desk, draw: random.Random) -> tuple[int, int]:
    """A kill switch is thrown: which."""
    rooms = {KILL_ALL: (0, 0), KILL_ACCOUNT: (1, 2), KILL_SYMBOL: (1, 4), KILL_VENUE: (0, 4)}
    scope = draw.choice(list(rooms))
    thrown = scope, draw.randint(*rooms[scope])
    assert desk.do(desk.commands.kill(*thrown))
    return thrown


def a_day(desk: Desk, seed: int) -> None:
    """A day of it, to its end."""
    draw, thrown = random.Random(seed), []
    for step in range(STEPS):
        desk.until(FROM_S + (TO_S - FROM_S) * step / STEPS)
        if draw.random() < 0.5:
            a_parent(desk, draw, f"p{step}")
        else:
            a_command(desk, draw)
        if draw.random() < 0.2:
            a_command(desk, draw)  # at the same time
        while thrown and draw.random() < 0.7:
            assert desk.do(desk.commands.kill(*thrown.pop(), on=False))
        if draw.random() < 0.15:
            thrown.append(a_switch(desk, draw))
    desk.finish()


def run_a_day(folder: Path, seed: int) -> None:
    """A day with that seed, and all checks behind it."""
    limits = limits_text().replace("NEV = 10000\nVUS = 10000\n", LOCATES)
    with a_desk(write_files(folder, LATE, limits), seed=seed) as desk:
        a_day(desk, seed)
        assert len(desk.of(log.COMMAND)) > STEPS and len(desk.of(log.SENT)) > 0
        for check in CHECKS:
            check(desk)


@pytest.mark.parametrize("seed", range(8))
def test_whatever_comes_the_books_are_right(tmp_path: Path, seed: int) -> None:
    run_a_day(tmp_path, seed)


@pytest.mark.parametrize("seed", range(8, 16))
def test_slow_venues_that_refuse_much_change_nothing_of_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    """Answers that take tens of milliseconds cross with cancels, replaces and switches."""
    slow = Latency(base_ns=SLOW_NS, jitter_ns=SLOW_NS // 2, spread=1.0)
    rough = {"troubles": Troubles(reject_chance=0.3), "inbound": slow, "outbound": slow}
    usual = far.model_of
    monkeypatch.setattr(
        far, "model_of", lambda *given: msgspec.structs.replace(usual(*given), **rough)
    )
    run_a_day(tmp_path, seed)
