"""What books that keep some symbols only know of them: a row, and a byte by instrument."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from feedhandler.books.sizes import Sizes
from feedhandler.shards.rules import Ownership
from nic.block import Block, create, offsets_of

FILTER_DTYPE: Final = np.dtype(
    [
        ("rule", "i8"),  # address, of feedhandler.shards.owning
        ("shard", "i8"),  # whose books these are
        ("owners", "i8"),  # address of a byte by instrument: NOT_KNOWN, OURS, ANOTHERS
        ("text", "i8"),  # 1: keys are symbols, negative ones excepted
        ("left_out", "i8"),  # actions
        ("unused", "i8", (3,)),
    ]
)
AT: Final = offsets_of(FILTER_DTYPE)
LEFT_OUT_AT: Final = AT.left_out
NOT_KNOWN: Final = 0
OURS: Final = 1
ANOTHERS: Final = 2


@dataclass(frozen=True)
class Owner:
    """Whose books some are: the rule and the number of the shard."""

    rule: Ownership
    shard: int

    def owns(self, symbol: str) -> bool:
        """Whether a symbol is theirs."""
        return self.rule.owner(symbol) == self.shard


def make_filter(owner: Owner, sizes: Sizes) -> Block:
    """The tables for books of a shard; section "filter" is what their head points at."""
    block = create([("filter", FILTER_DTYPE, 1), ("owners", np.dtype("u1"), sizes.instruments)])
    row = block["filter"][0]
    row["rule"] = owner.rule.block.section_address("rule")
    row["shard"], row["text"] = owner.shard, sizes.named
    row["owners"] = block.section_address("owners")
    return block
