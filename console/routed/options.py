"""Options of `sweepwire replay` that are about orders, and which of them fit together."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Final, NamedTuple

import typer

USUAL_SEED: Final = 1

Parents = Annotated[
    Path | None, typer.Option("--parents", help="Parent orders (TOML, CSV): replay with orders.")
]
LimitsFile = Annotated[
    Path | None, typer.Option("--limits", help="Risk limits (TOML); no limits, no trading.")
]
Venues = Annotated[
    Path | None, typer.Option("--venues", help="Where orders can go, and fees (TOML).")
]
Seed = Annotated[int, typer.Option("--seed", help="Of latencies and all else that is drawn.")]
Out = Annotated[
    Path | None, typer.Option("--out", "-o", help="Folder for results: JSON, page, Parquet.")
]
Market = Annotated[
    bool, typer.Option("--market", help="Ten minutes of a made market, with parents and limits.")
]
ShardsFile = Annotated[
    Path | None, typer.Option("--shards", help="Several loops, a core each (TOML): who has what.")
]
AssumeTrading = Annotated[
    bool, typer.Option("--assume-trading", help="A venue that never said its status trades.")
]
AssumeWhole = Annotated[
    bool,
    typer.Option("--assume-whole", help="A stream that begins in its middle is whole from there."),
]


class Pace(NamedTuple):
    """How captures go through the loop, as of console.routed.replaying.How."""

    speed: str
    burst: int
    measure: bool


class Asked(NamedTuple):
    """The options of a run with orders, as given."""

    parents: Path | None
    limits: Path | None
    venues: Path | None
    seed: int
    out: Path | None
    sample: bool
    market: bool
    assume_trading: bool
    shards: Path | None = None
    assume_whole: bool = False

    @property
    def brought(self) -> str:
        """The option that brings captures, parents and limits; empty if none does."""
        return "--sample" if self.sample else "--market" if self.market else ""

    @property
    def orders(self) -> bool:
        """Whether there are orders to be sent."""
        return bool(self.brought) or self.parents is not None

    def check(self, *, sources: bool, mapped: bool, live: bool) -> None:
        """Raises BadParameter for options that do not fit together.

        `sources`: captures or ports are named; `mapped`: a feed or a channel map; `live`: a core or
        a state file, which only the loop without orders can use.
        """
        if self.sample and self.market:
            raise typer.BadParameter("--sample and --market exclude each other")
        if self.brought and (sources or mapped):
            raise typer.BadParameter(
                f"{self.brought} brings its own captures: name none, nor --channels or --feed"
            )
        if not self.orders:
            self._check_without()
        elif self.parents is not None and self.limits is None and not self.brought:
            raise typer.BadParameter("--parents wants --limits: no limits, no trading")
        elif live:
            raise typer.BadParameter("--core and --state are for replays without orders")
        if self.shards is not None and self.assume_whole:
            raise typer.BadParameter("--shards excludes --assume-whole")
        if self.shards is not None and live:
            raise typer.BadParameter("--shards excludes --core and --state")

    def _check_without(self) -> None:
        of_orders = {
            "--limits": self.limits,
            "--venues": self.venues,
            "--seed": self.seed != USUAL_SEED,
            "--out": self.out,
            "--assume-whole": self.assume_whole,
            "--assume-trading": self.assume_trading and self.shards is None,
        }
        for option, given in of_orders.items():
            if given:
                wanted = "--parents (or --sample, --market)"
                raise typer.BadParameter(f"{option} is of a replay with orders and wants {wanted}")
