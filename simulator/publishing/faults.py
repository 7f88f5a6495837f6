"""What can go wrong on a line, as a person writes it down in a TOML file.

seed = 7

[[faults]]
kind = "loss"
line = "A"                   # or "B", or "both" (each by its own chance)
rate = 0.001                 # of the packets
from_s = 34200               # seconds since the venue's midnight, by when packets are sent
to_s = 34260                 # left out: always
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Final, Literal

import msgspec

from nic.configfile import load

Share = Annotated[float, msgspec.Meta(ge=0, le=1)]
Seconds = Annotated[float, msgspec.Meta(ge=0, le=200_000)]
BILLION: Final = 1_000_000_000


class Fault(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One thing that goes wrong.

    Attributes:
        kind: "loss" packets do not arrive; "gap" the same ones on both lines; "down" none arrives;
            "duplicate" a packet comes `count` times more, `delay_ns` apart; "reorder" it comes
            behind the next `count`; "delay" it comes `delay_ns` later, and nothing overtakes it;
            "burst" what comes within `delay_ns` waits for the end of that time and then comes at
            the speed of a 10 Gb/s wire; "corrupt" `count` bytes are other ones, the checksums
            fit them; "reset" the venue counts from 1 again, on both lines, from `from_s` on.
        line: which one.
        rate: share of the packets.
        from_s, to_s: sent from then on and before then, seconds since the venue's midnight.
        count, delay_ns: see `kind`.
    """

    kind: Literal[
        "loss", "gap", "down", "duplicate", "reorder", "delay", "burst", "corrupt", "reset"
    ]
    line: Literal["A", "B", "both"] = "both"
    rate: Share = 1.0
    from_s: Seconds | None = None
    to_s: Seconds | None = None
    count: Annotated[int, msgspec.Meta(ge=1, le=1_000)] = 1
    delay_ns: Annotated[int, msgspec.Meta(ge=1, le=60 * BILLION)] = 10_000

    def __post_init__(self) -> None:
        if self.kind in ("gap", "reset") and self.line != "both":
            raise ValueError(f'line: a {self.kind} is on both lines, found "{self.line}"')
        if self.kind == "reset" and self.from_s is None:
            raise ValueError("from_s: missing, a reset has its time")


class FaultPlan(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """All that goes wrong, applied in the order of the list; the seed decides whom it hits."""

    faults: list[Fault] = []
    seed: int = 0


NO_FAULTS: Final = FaultPlan()


def load_faults(path: Path) -> FaultPlan:
    """The plan in a file. Raises ConfigError."""
    return load(path, FaultPlan)
