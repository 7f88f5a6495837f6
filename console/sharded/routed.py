"""Captures through several loops with orders: each has its parents, sessions and part of limits."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

from console.compiling import Kernel, compile_all
from console.plan import Plan, replay_uri
from console.routed.replaying import (
    WORDS,
    How,
    drive,
    names_of,
    notes_of,
    protocols_of,
    routed_kernels,
    tapes_seen,
)
from console.routed.run import RoutedRun
from console.routed.setup import Setup, check_symbols
from console.runreport.collect import Collector
from console.runreport.results import Results, RunFacts
from console.sharded.merging import merged
from console.sharded.pieces import Part, parts_of
from console.sharded.threads import Job, run_together
from console.signals import signals_kept
from console.siptimelines import DirectWatch, tape_feeds
from feedhandler.shards.config import Shards
from nic.kernelref import address_of


def sharded_kernels(plans: Sequence[Plan], protocols: Sequence[str]) -> list[tuple[Kernel, ...]]:
    """The loop, the work and the answers of each shard; those with the same feeds share them."""
    return [routed_kernels(plan, protocols, owned=True) for plan in plans]


def setup_of(setup: Setup, shards: Shards, number: int) -> Setup:
    """The setup of one shard: the parents in its symbols."""
    mine = [order for order in setup.parents if shards.owners.owner(order.symbol) == number]
    return replace(setup, parents=tuple(mine))


def replay_sharded(
    how: How,
    setup: Setup,
    shards: Shards,
    place: Path,
    *,
    scout: RoutedRun | None = None,
    pinned: bool = True,
) -> tuple[Results, list[Results]]:
    """Runs captures with orders in several loops: the results of all, and those of each.

    Args:
        shards: `place` is their file.
        scout: a run that has learnt the symbols; None: one more run over the captures does.
        pinned: whether each loop stays on its core.

    Raises ConfigError for a symbol or a channel that does not fit, PortError where a capture cannot
    be read.
    """
    with ExitStack() as stack:
        learnt = scout or stack.enter_context(_scout(how, setup))
        check_symbols(setup, learnt.master)
        _, parts = parts_of(
            how.plan, shards, place, stack, unknown_trades=how.unknown_trades, pinned=pinned
        )
        kernels = sharded_kernels([part.plan for part in parts], protocols_of(setup.venues))
        compile_all([kernel for each in kernels for kernel in each])
        runs = [
            stack.enter_context(_run_of(part, how, setup_of(setup, shards, n), learnt))
            for n, part in enumerate(parts)
        ]
        for run, (_, *functions) in zip(runs, kernels, strict=True):
            run.connect(*(address_of(kernel.dispatcher, WORDS) for kernel in functions))
        loops = [loop for loop, *_ in kernels]
        each = _go(how, parts, runs, loops)
        names = [learnt.master.name_of(n) for n in range(1, len(learnt.master) + 1)]
    owners = [0, *(shards.owners.owner(name) for name in names)]
    return merged(each, shards.names, owners, how.name), each


def _scout(how: How, setup: Setup) -> RoutedRun:
    kernels = routed_kernels(how.plan, protocols_of(setup.venues))
    compile_all(kernels)
    made = RoutedRun(how.plan, how.orders)
    made.learn(kernels[0], replay_uri(how.files))
    return made


def _run_of(part: Part, how: How, setup: Setup, scout: RoutedRun) -> RoutedRun:
    return RoutedRun(
        part.plan,
        how.orders,
        setup,
        scout,
        strict=how.strict,
        measure=how.measure,
        piece=part.piece,
        market=part.market,
        part=part.share,
    )


def _go(
    how: How, parts: Sequence[Part], runs: Sequence[RoutedRun], kernels: Sequence[Kernel]
) -> list[Results]:
    uri = replay_uri(how.files, how.speed)
    told: list[int] = []
    collectors = [Collector(run.tables, names_of(run, run.setup.venues)) for run in runs]
    watches = [DirectWatch(run.market) for run in runs] if tape_feeds(how.plan) else []
    with ExitStack() as stack:
        jobs = []
        for n, (part, run, kernel) in enumerate(zip(parts, runs, kernels, strict=True)):
            step = stack.enter_context(run.opened(kernel, uri, burst=how.burst))
            watch = watches[n] if watches else None
            work = _driven(run, step, collectors[n], how, told, watch)
            jobs.append(Job(part.name, part.core, work, lambda: told.append(1)))
        with signals_kept(lambda: told.append(1)):
            facts = run_together(jobs)
    seen = tapes_seen(runs[0].master, watches, how, max(run.last_ns for run in runs))
    return [
        collector.finish(replace(fact, tapes=seen, notes=notes_of(run), failed=run.failed))
        for run, collector, fact in zip(runs, collectors, facts, strict=True)
    ]


def _driven(
    run: RoutedRun,
    step: Callable[[int], bool],
    collector: Collector,
    how: How,
    told: Sequence[int],
    watch: DirectWatch | None,
) -> Callable[[], RunFacts]:
    return lambda: drive(run, step, collector, how, told, watch)
