"""Real exchange captures through the whole loop: replay port, frame parser, decoder, actions.

The captures lie beside the checkout; where they are absent this bench has no rows.
"""

from __future__ import annotations

import gzip
import shutil
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

from console.loops import loop_kernel, make_state
from console.plan import first_time_ns, single_plan
from feedhandler.registry import versions
from feedhandler.stateblock import LoopOptions
from nic.port import open_port

LARGE = Path(__file__).resolve().parents[3] / "shared" / "real" / "large"
CAPTURES = (("goiex_DEEP10.pcap.gz", "iex_deep"),)
ROUNDS = 7


def one_pass(path: Path, feed_name: str) -> tuple[int, int, int]:
    """ns, packets and messages of one replay of a capture that is in memory."""
    plan = single_plan(versions(feed_name)[0], first_time_ns([path]))
    kernel = loop_kernel(plan.feeds).dispatcher
    with open_port(f"replay:{path}?preload=1") as port:
        options = LoopOptions(burst_max=64, default_channel=0)
        with make_state(plan, [port], options, None, 1e9) as block:
            started = time.perf_counter_ns()
            kernel(np.uint64(block.address))
            elapsed_ns = time.perf_counter_ns() - started
            packets, messages = block["control"]["packets"][0], block["channels"]["messages"][0]
            assert not block["contexts"]["faults"].any(), block["contexts"]["faults"]
            return elapsed_ns, int(packets), int(messages)


def run(quick: bool) -> list[dict[str, Any]]:
    """Rows of name, ns_per_message and ns_per_packet, the lowest of several passes."""
    rows = []
    for name, feed in CAPTURES:
        if not (LARGE / name).is_file():
            continue
        with tempfile.TemporaryDirectory() as folder:
            plain = Path(folder) / name.removesuffix(".gz")
            with gzip.open(LARGE / name) as packed, plain.open("wb") as out:
                shutil.copyfileobj(packed, out)
            passes = [one_pass(plain, feed) for _ in range(3 if quick else ROUNDS + 1)]
        elapsed_ns, packets, messages = min(passes[1:])  # the first one compiles
        row: dict[str, Any] = {"name": f"{feed}: {name}", "ns_per_message": elapsed_ns / messages}
        row |= {"ns_per_packet": elapsed_ns / packets, "messages": messages, "packets": packets}
        rows.append(row)
    return rows
