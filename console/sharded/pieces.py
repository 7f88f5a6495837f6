"""What each of several loops runs: channels, symbols, its shard of the consolidated book."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from fractions import Fraction
from pathlib import Path
from typing import NamedTuple

from console.bookplan import venue_of
from console.plan import Plan
from console.venuerun import Piece
from feedhandler.books.filterlayout import Owner
from feedhandler.consolidated.market import Market, MarketShard
from feedhandler.shards.config import Shards, check_channels


class Part(NamedTuple):
    """One loop.

    Attributes:
        name: of the shard.
        core: where it runs; None: where the scheduler puts it.
        plan: its channels.
        piece: of what they are a piece.
        market: its shard of the book.
        share: of the limits.
    """

    name: str
    core: int | None
    plan: Plan
    piece: Piece
    market: MarketShard
    share: Fraction


def plans_of(plan: Plan, shards: Shards, place: Path) -> list[Plan]:
    """The channels of each shard. Raises ConfigError naming a channel that nobody reads."""
    check_channels(shards, [channel.name for channel in plan.channels], place)
    return [
        Plan(tuple(channel for channel in plan.channels if shard.reads(channel.name)))
        for shard in shards.shards
    ]


def venue_count(plan: Plan) -> int:
    """Venues of a plan."""
    return len({venue_of(channel) for channel in plan.channels if channel.feed is not None})


def parts_of(
    plan: Plan,
    shards: Shards,
    place: Path,
    stack: ExitStack,
    *,
    unknown_trades: bool = False,
    pinned: bool = True,
) -> tuple[Market, Sequence[Part]]:
    """The consolidated book of all shards, closed with the stack, and what each of them runs."""
    plans = plans_of(plan, shards, place)
    market = Market(
        venues=venue_count(plan), shards=len(shards.shards), unknown_trades=unknown_trades
    )
    stack.callback(market.close)
    made = [
        Part(
            name=shard.name,
            core=shard.core if pinned else None,
            plan=plans[number],
            piece=Piece(plan, Owner(shards.owners, number)),
            market=market.shard(number),
            share=shard.part,
        )
        for number, shard in enumerate(shards.shards)
    ]
    return market, made
