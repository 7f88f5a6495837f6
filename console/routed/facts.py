"""What a run with orders did, for its report: replays, shards and live runs say it alike."""

from __future__ import annotations

from typing import Any

from console.routed.routerrun import RouterRun
from console.runreport.results import RunFacts
from console.snapshot import snapshot
from nic.block import Block
from nic.clock import Clock
from router.loop.stages import STAGES


def facts_of(
    run: RouterRun,
    block: Block,
    name: str,
    elapsed_s: float,
    opened_s: float | None = None,
    **more: Any,
) -> RunFacts:
    """The facts of a run whose loop has ended.

    Args:
        block: of the loop.
        name: for headings.
        elapsed_s: that the loop ran.
        opened_s: that it was open, where that is longer.
        more: other fields of RunFacts.
    """
    seen = snapshot(block)
    return RunFacts(
        name=name,
        packets=seen["packets"],
        messages=seen["messages"],
        elapsed_s=elapsed_s,
        stages=stages_of(run.tables.block) if run.measure else {},
        tick_hz=Clock().tick_hz,
        feed=seen | {"elapsed_s": elapsed_s if opened_s is None else opened_s},
        books={name: book_counts(book) for name, book in run.books.items()},
        marks=run.marks,
        **more,
    )


def stages_of(block: Block) -> dict[str, Any]:
    """The histograms of the loop's steps, by their names."""
    row = block["stages"][0]["histograms"]
    return {name: row[number] for number, name in enumerate(STAGES)}


def book_counts(book: Any) -> dict[str, int]:
    """What a venue's books hold at the end."""
    head = book.head
    counts = {name: int(head[name]) for name in ("live_orders", "live_levels", "changes")}
    faults: dict[str, int] = book.faults()
    return counts | faults
