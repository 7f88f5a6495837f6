"""Nanoseconds to write an order message and to read an answer, for each order protocol."""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "simulator"))
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "router"))

from entry_bench_kernels import many_cancels, many_orders
from entry_kernels import run_fill
from entry_rig import MOST, NUMBERS, Router, constants

from feedhandler.actions import ACTION_DTYPE, BUY
from router.entry.formlayout import WORDS_DTYPE
from router.entry.protocols import PROTOCOLS
from router.entry.specialise import build
from router.tables import ENTER, IOC

DOLLAR = 100_000_000
ROUNDS = 7
ANSWERS = ("accepted", "executed", "canceled")


def best(work: Any, count: int) -> float:
    """Nanoseconds an item: the best of some rounds."""
    work()
    spent = []
    for _ in range(ROUNDS):
        began = time.perf_counter_ns()
        work()
        spent.append(time.perf_counter_ns() - began)
    return min(spent) / count


def stream_of(protocol: str, repeats: int) -> np.ndarray:
    """Answers of a venue: an order accepted, filled in part, canceled; again and again."""
    words, out, made = np.zeros(1, WORDS_DTYPE), np.zeros(256, np.uint8), b""
    terms = {"token": 4711, "side": BUY, "quantity": 100, "price": 10 * DOLLAR, "leaves": 100}
    for name, value in {**terms, "liquidity": 2, "execution": 9, "reason": ord("U")}.items():
        words[name] = value
    for name in ANSWERS:
        form = PROTOCOLS[protocol].reply_forms(constants(protocol))[name]
        length = run_fill(form.address, words.ctypes.data, out.ctypes.data)
        made += out[:length].tobytes()
    return np.frombuffer(made * repeats, np.uint8).copy()


def figures(router: Router, protocol: str, count: int) -> dict[str, float]:
    """The figures of one protocol."""
    number, address = NUMBERS[protocol], router.tables.address
    router.enter(protocol, 4711, price=10 * DOLLAR)
    child = router.tables.block.section_address("children", router.children)
    room = int(router.session(protocol)["out"])
    intent = router.intent(
        kind=ENTER, venue=number, token=4711, side=BUY, quantity=100, price=10 * DOLLAR, tif=IOC,
        instrument=1,
    )  # fmt: skip
    stream, actions = stream_of(protocol, 8), np.zeros(MOST, ACTION_DTYPE)
    receive = build([protocol]).run_receive
    data, out, now = int(stream.ctypes.data), int(actions.ctypes.data), router.now_ns
    repeats = max(1, count // 24)
    assert receive(address, number, data, len(stream), now, out, MOST) == 24

    def answers() -> None:
        for _ in range(repeats):
            receive(address, number, data, len(stream), now, out, MOST)

    return {
        "order_ns": best(lambda: many_orders(address, intent, room, count), count),
        "cancel_ns": best(lambda: many_cancels(address, child, room, count), count),
        "answer_ns": best(answers, 24 * repeats),
    }


def run(quick: bool) -> list[dict[str, Any]]:
    """A row a protocol."""
    count = 20_000 if quick else 200_000
    with Router() as router:
        return [{"name": name, **figures(router, name, count)} for name in PROTOCOLS]
