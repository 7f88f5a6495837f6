"""What a replayed venue is beside its model: where it quotes, how it speaks, what waits unseen."""

from __future__ import annotations

import math
from typing import Annotated, Final, Literal

import msgspec
import numpy as np
from numpy.typing import NDArray

from router.entry.forms import Constants
from simulator.matching.model import VenueModel
from simulator.replay import layout

Chance = Annotated[float, msgspec.Meta(ge=0, le=1)]
Positive = Annotated[int, msgspec.Meta(ge=1, le=1 << 40)]
MOST_LOTS: Final = 10_000


class Hidden(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What waits unseen at the midpoint, on each side of each instrument on its own.

    Attributes:
        empty: how often nothing waits.
        lot: shares; sizes are multiples of it.
        sizes: "geometric", or "zipf" with many more large ones.
        mean_lots: of a geometric size.
        exponent: of a Zipf size, above 1.
        renew_ns: how long a size stands, in the mean.
    """

    empty: Chance = 0.6
    lot: Positive = 100
    sizes: Literal["geometric", "zipf"] = "geometric"
    mean_lots: Annotated[float, msgspec.Meta(ge=1, le=1000)] = 4.0
    exponent: Annotated[float, msgspec.Meta(gt=1, le=10)] = 2.0
    renew_ns: Positive = 200_000_000

    def size_table(self) -> NDArray[np.int64]:
        """Sizes in shares at evenly spaced probabilities, DRAWS of them, ascending."""
        lots = np.arange(1, MOST_LOTS + 1, dtype=np.float64)
        if self.sizes == "zipf":
            weights = lots**-self.exponent
        else:
            weights = (1 - 1 / self.mean_lots) ** (lots - 1)
        reached = np.cumsum(weights / weights.sum()) * (1 - self.empty) + self.empty
        chances = (np.arange(layout.DRAWS) + 0.5) / layout.DRAWS
        found = np.searchsorted(reached, chances) + 1
        found[chances < self.empty] = 0
        return np.minimum(found, MOST_LOTS).astype(np.int64) * self.lot

    def wait_table(self) -> NDArray[np.int64]:
        """Times that sizes stand, ns, at evenly spaced probabilities: exponential."""
        chances = (np.arange(layout.DRAWS) + 0.5) / layout.DRAWS
        waits = [-self.renew_ns * math.log1p(-chance) for chance in chances.tolist()]
        return np.maximum(np.rint(waits), 1).astype(np.int64)


class ReplayVenue(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A venue at the far end of a replay.

    Attributes:
        name: at most 16 bytes.
        model: rules, speed and troubles.
        quotes: its number in the consolidated book; -1: it has no feed.
        protocol: of its order sessions.
        sessions: how many.
        hidden: what waits unseen at the midpoint. None: nothing at a lit venue, the usual at
            others.
        cancels_ahead: part of the cancels at our price that is counted as ahead of us, in
            proportion to what is ahead; 0 is the cautious end.
        post_only: what becomes of a post-only order that would take. None: as its protocol has it
            (OUCH and Pillar move it).
        late_cancels: whether a cancel of what is gone is refused, or not answered. None: as its
            protocol has it (OUCH does not answer).
        constants: what the router's sessions there say in all messages: BOE's accounts change
            their form.
    """

    name: str
    model: VenueModel
    quotes: Annotated[int, msgspec.Meta(ge=-1, lt=layout.MARKET_VENUES)] = -1
    protocol: Literal["words", "ouch50", "ouch42", "boe", "pillar", "meo"] = "words"
    sessions: Annotated[int, msgspec.Meta(ge=1, le=8)] = 1
    hidden: Hidden | None = None
    cancels_ahead: Chance = 0.0
    post_only: Literal["reject", "slide"] | None = None
    late_cancels: Literal["refused", "silent"] | None = None
    constants: Constants = Constants()

    @property
    def unseen(self) -> Hidden | None:
        """What waits unseen; None: nothing."""
        return self.hidden or (Hidden() if self.model.dark else None)

    @property
    def rules(self) -> int:
        """The rules as the kernels read them."""
        ouch = self.protocol in ("ouch50", "ouch42")
        slides = "slide" if ouch or self.protocol == "pillar" else "reject"
        silent = "silent" if ouch else "refused"
        chosen = {
            layout.SIZE_DOWN_KEEPS: self.model.size_down == "keeps",
            layout.SLIDES: (self.post_only or slides) == "slide",
            layout.PROTECTS: self.model.protect,
            layout.DARK: self.model.dark,
            layout.SILENT: (self.late_cancels or silent) == "silent",
        }
        return sum(bit for bit, on in chosen.items() if on)
