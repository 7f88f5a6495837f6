"""Several loops over the sample market, with the loop that keeps an owner's symbols."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

from routed_rig import PROTOCOLS, the_day

from console.compiling import Kernel, compile_all
from console.plan import replay_uri
from console.routed.replaying import routed_kernels
from console.routed.run import RoutedRun
from console.sharded.books import Seen, ShardedBooks
from feedhandler.shards.config import Shard, Shards

SYMBOLS = ("KOZ", "NEV", "SAT", "VUS")


def shards_of(*rules: Sequence[str], share: float = 0.0) -> Shards:
    """Shards with these symbols, that all read everything."""
    return Shards(
        shards=tuple(
            Shard(name=f"s{n}", core=n, symbols=tuple(rule), share=share or 1 / len(rules))
            for n, rule in enumerate(rules)
        )
    )


@cache
def owned_loop() -> Kernel:
    """The loop that keeps the symbols of an owner, orders behind it."""
    loop, *_ = routed_kernels(the_day().plan, PROTOCOLS, owned=True)
    compile_all([loop])
    return loop


class Loops(ShardedBooks):
    """Several loops over the sample market, with the loop that the tests of orders have anyway."""

    def __init__(self, shards: Shards) -> None:
        day = the_day()
        super().__init__(day.plan, shards, Path("f"), day.orders, day.scout, pinned=False)

    def _run_of(self, part: Any, orders: int, scout: Any) -> RoutedRun:
        made = RoutedRun(part.plan, orders, piece=part.piece, market=part.market)
        made.adopt(scout)
        return self._stack.enter_context(made)

    def whole_run(self, burst: int = 64) -> list[Seen]:
        """To the end of the captures."""
        kernels = [owned_loop()] * len(self.runs)
        return self.go(kernels, replay_uri(the_day().captures), burst=burst, rounds=16)
