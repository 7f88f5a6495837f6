"""`sweepwire replay`: captures or live ports through the hot loop, and what it saw or traded."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Annotated, Any, NamedTuple

import msgspec
import numpy as np
import typer

from console import statefile
from console.compiling import Kernel, compile_all
from console.linestats import lines_of
from console.loops import loop_kernel, make_state
from console.main import INTERRUPTED, complain
from console.options import feed_versions, given_channels, shipped_channels
from console.plan import (
    Plan,
    counting_plan,
    first_time_ns,
    guessed_plan,
    mapped_plan,
    replay_uri,
    single_plan,
)
from console.report import tables
from console.routed import options as orders
from console.screen import console, size
from console.signals import signals_kept
from console.snapshot import snapshot
from feedhandler.channels import NO_CHANNEL
from feedhandler.commands import Commands, Ticker
from feedhandler.stateblock import LoopOptions, Wait, stop
from nic.block import Block
from nic.clock import Clock
from nic.port import BACKENDS, Port, open_port
from nic.regions import allowed
from nic.replay import find_files
from nic.thread import PinnedThread, check_cores
from nic.uri import parse_uri, read_options

app = typer.Typer(add_completion=False)
JOIN_S = 0.2


class Sources(NamedTuple):
    """Addresses of the ports, and the captures behind those that replay some."""

    uris: list[str]
    captures: list[Path]


@app.command()
def replay(
    sources: Annotated[
        list[str] | None,
        typer.Argument(help="Captures (merged by time) and ports: replay:FILE, socket:eth0."),
    ] = None,
    sample: Annotated[
        bool, typer.Option("--sample", help="Five seconds of a made market that come along.")
    ] = False,
    market: orders.Market = False,
    parents: orders.Parents = None,
    limits: orders.LimitsFile = None,
    venues: orders.Venues = None,
    seed: orders.Seed = orders.USUAL_SEED,
    out: orders.Out = None,
    assume_trading: orders.AssumeTrading = False,
    assume_whole: orders.AssumeWhole = False,
    shards: orders.ShardsFile = None,
    channels: Annotated[
        Path | None, typer.Option(help="Channel map (TOML): which feed comes where.")
    ] = None,
    feed: Annotated[str, typer.Option(help="Every datagram is of this feed.")] = "",
    speed: Annotated[
        str, typer.Option(help="max, or capture seconds a second: 1 is real time.")
    ] = "max",
    core: Annotated[int | None, typer.Option(help="Pin the loop to this core, and spin.")] = None,
    burst: Annotated[int, typer.Option(help="Packets taken at a time.", min=1, max=256)] = 64,
    state: Annotated[Path | None, typer.Option(help="Keep the counters in this file.")] = None,
    json_file: Annotated[
        Path | None, typer.Option("--json", help="Write the report as JSON; - is stdout.")
    ] = None,
    measure: Annotated[
        bool, typer.Option(help="Measure the time of each packet (11 ns a packet).")
    ] = True,
) -> int:
    """Run captures or live ports through the hot loop and report what it saw.

    With parents (--parents and --limits, or those of --sample and --market) orders are routed,
    checked and sent to simulated venues, which answer, and the report says what it cost.
    With --shards several loops, each on a core, keep the books of their symbols.
    Without --channels and --feed the channels are guessed from the first packets.
    """
    named = list(sources or [])
    asked = orders.Asked(
        parents, limits, venues, seed, out, sample, market, assume_trading, shards, assume_whole
    )
    mapped, live = bool(feed) or channels is not None, core is not None or state is not None
    asked.check(sources=bool(named), mapped=mapped, live=live)
    if feed and channels is not None:
        raise typer.BadParameter("--feed excludes --channels")
    pace = orders.Pace(speed, burst, measure)
    if asked.orders:
        return _with_orders(asked, pace, named, channels, feed, json_file)
    if shards is not None:
        return _in_shards(asked, pace, named, channels, feed, json_file)
    if core is not None:
        check_cores((core,))
    given = _sources(named, speed)
    plan = _plan(given, channels, feed)
    paced = len(given.captures) == 0 or speed != "max"
    options = LoopOptions(
        burst_max=burst,
        wait=Wait.SLEEP if paced and core is None else Wait.SPIN,
        measure=measure,
        default_channel=0 if plan.catch_all else NO_CHANNEL,
    )
    kernel = loop_kernel(plan.feeds, lines=lines_of(plan) is not None)
    compile_all([kernel])
    return _run(kernel, plan, given.uris, options, core, state, json_file)


def _with_orders(
    asked: orders.Asked,
    pace: orders.Pace,
    sources: list[str],
    channels: Path | None,
    feed: str,
    json_file: Path | None,
) -> int:
    """The replay with orders; its modules are imported for it alone."""
    from console.routed.command import inputs_of, run_with_orders

    live = [text for text in sources if _is_uri(text)]
    if live:
        raise typer.BadParameter(f"{live[0]}: with orders only captures can be named, no ports")
    if asked.brought:  # a wrong speed is said before a market is made for it
        read_options(parse_uri(replay_uri(["captures"], pace.speed)), BACKENDS["replay"].options)
    captures = [] if asked.brought else _sources(sources, pace.speed).captures
    return run_with_orders(inputs_of(asked, captures, channels, feed), asked, pace, json_file)


def _in_shards(
    asked: orders.Asked,
    pace: orders.Pace,
    sources: list[str],
    channels: Path | None,
    feed: str,
    json_file: Path | None,
) -> int:
    """The replay in several loops without orders; its modules are imported for it alone."""
    from console.sharded.command import replay_books

    assert asked.shards is not None
    live = [text for text in sources if _is_uri(text)]
    if live:
        raise typer.BadParameter(f"{live[0]}: with --shards only captures can be named, no ports")
    captures = _sources(sources, pace.speed).captures
    trading = asked.assume_trading
    return replay_books(
        captures, channels, feed, asked.shards, pace, assume_trading=trading, json_file=json_file
    )


def _sources(sources: list[str], speed: str) -> Sources:
    """What was named on the command line as port addresses."""
    if not sources:
        raise typer.BadParameter("name captures or ports, or give --sample or --market")
    uris = [text for text in sources if _is_uri(text)]
    paths = [text for text in sources if text not in uris]
    if paths:
        uris.insert(0, replay_uri(paths, speed))
    parsed = [parse_uri(uri) for uri in uris]
    for uri in parsed:  # before anything is compiled for it
        if uri.scheme in BACKENDS:
            read_options(uri, BACKENDS[uri.scheme].options)
    captures = [path for uri in parsed if uri.scheme == "replay" for path in find_files(uri)]
    return Sources(uris, captures)


def _is_uri(text: str) -> bool:
    return text.partition(":")[0] in BACKENDS and ":" in text and not Path(text).exists()


def _plan(given: Sources, channels: Path | None, feed: str) -> Plan:
    first_ns = first_time_ns(given.captures) if given.captures else time.time_ns()
    mapped = given_channels(channels)
    if mapped is not None:
        plan = mapped_plan(mapped, first_ns)
        if not plan.channels:
            raise typer.BadParameter("the channel map has no datagram channel for the loop")
        return plan
    if feed:
        chosen = feed_versions(feed)[0]
        if chosen.transport.stream:
            raise typer.BadParameter(f"{chosen.full_name} comes by TCP, not in datagrams")
        return single_plan(chosen, first_ns)
    if not given.captures:
        raise typer.BadParameter("live ports want --channels, which names the groups to join")
    plan = guessed_plan(given.captures, shipped_channels(), complain)
    if not plan.feeds:
        complain("no known feed in the first packets: datagrams are counted, not decoded")
        return counting_plan()
    return plan


def _run(
    kernel: Kernel,
    plan: Plan,
    uris: Sequence[str],
    options: LoopOptions,
    core: int | None,
    state: Path | None,
    json_file: Path | None,
) -> int:
    clock = Clock()
    statefile.remove_stale()
    path = state or statefile.path_of(str(os.getpid()))
    with ExitStack() as stack:
        ports = [stack.enter_context(open_port(uri)) for uri in uris]
        _join(ports, plan)
        block = make_state(plan, ports, options, path, clock.tick_hz, lines=lines_of(plan))
        stack.callback(block.close)
        if state is None:
            stack.callback(path.unlink, missing_ok=True)
        stack.enter_context(allowed(block, *(region for port in ports for region in port.regions)))
        if _live(ports):  # silence tells no time there, and a replay's packets tell their own
            stack.enter_context(Ticker(Commands(block), time.time_ns))
        seconds, interrupted = _poll(kernel, block, ports, core)
        seen = snapshot(block) | {"elapsed_s": seconds}
        failed = [_trouble(*pair) for pair in zip(ports, seen["links"], strict=True)]
    _report(seen, json_file)
    if interrupted:
        return INTERRUPTED
    return 1 if any(failed) else 0


def _live(ports: Sequence[Port]) -> bool:
    """Whether packets have the times of now."""
    return not any(port.uri.startswith("replay:") for port in ports)


def _join(ports: Sequence[Port], plan: Plan) -> None:
    """Live ports join the channels' groups; a replay has all there is."""
    for port in ports:
        if port.uri.startswith("replay:"):
            continue
        for address in (channel.address for channel in plan.channels):
            if address is not None:
                port.join(address.group, address.udp_port, address.vlan)


def _poll(
    kernel: Kernel, block: Block, ports: Sequence[Port], core: int | None
) -> tuple[float, bool]:
    """Runs the loop to its end; seconds it took, and whether it was interrupted."""
    thread = PinnedThread(
        kernel.dispatcher, (np.uint64(block.address),), core=core, ports=ports, name="loop"
    )
    with signals_kept(lambda: stop(block)) as told:
        started_s = time.perf_counter()
        thread.start()
        while True:
            try:
                thread.join(JOIN_S)
                return time.perf_counter() - started_s, bool(told)
            except TimeoutError:
                continue


def _trouble(port: Port, link: dict[str, Any]) -> bool:
    """Adds the port's own counters to its link, and says what ended it early."""
    link["port"] = port.stats()._asdict()
    wrong = bool(link["status"] == "failed" or link["port"]["rx_errors"])
    if wrong:
        complain(port.last_error or f"{port.uri}: the port failed")
    return wrong


def _report(seen: dict[str, Any], json_file: Path | None) -> None:
    if json_file is not None:
        text = msgspec.json.format(msgspec.json.encode(seen), indent=1) + b"\n"
        if str(json_file) == "-":
            sys.stdout.write(text.decode())
            return
        json_file.write_bytes(text)
    out = console()
    out.print(tables(seen))
    seconds = max(seen["elapsed_s"], 1e-9)
    rates = (size(seen[key] / seconds, unit) for key, unit in _RATES)
    out.print(f"\n{seconds:.3f} s: {', '.join(rates)}")


_RATES = (("packets", "packets/s"), ("messages", "messages/s"), ("bytes", "B/s"))
