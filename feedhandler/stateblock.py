"""Making and reading the state block of a loop, on the control side."""

from __future__ import annotations

import ctypes
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import IntEnum
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from feedhandler import state
from feedhandler.channelmap import ChannelAddress, fill, slot_count
from feedhandler.channels import NO_CHANNEL, SLOT_DTYPE
from feedhandler.reasons import Reason
from nic.block import Block, create
from nic.ringview import Ring

NS_PER_S = 1_000_000_000


class Wait(IntEnum):
    """What the loop does while no port has packets.

    SPIN polls at once (lowest latency, needs its own core), PAUSE tells the core that it waits
    (about 25 ns, kinder to a sibling hyperthread), SLEEP gives the core away after some empty
    rounds (for machines with few cores; adds the sleep and the scheduler's slack to latency).
    """

    SPIN = state.WAIT_SPIN
    PAUSE = state.WAIT_PAUSE
    SLEEP = state.WAIT_SLEEP


class LinkPort(Protocol):
    """What the loop needs of a port: `nic.port.Port` and `nic.memoryport.MemoryPort` have it.

    `handle` is the first argument of the functions whose addresses `ops` has by name.
    """

    @property
    def handle(self) -> int: ...

    @property
    def ops(self) -> Mapping[str, int]: ...


@dataclass(frozen=True, slots=True)
class LoopOptions:
    """Configuration of a loop.

    `measure` fills the packet_cycles histogram, 11 ns a packet. A command waits for a round without
    packets, `command_rounds` busy ones at most. A `strict` loop stops behind the burst in which the
    books met an impossible input.
    """

    burst_max: int = 64
    wait: Wait = Wait.SPIN
    spin_rounds: int = 1000
    sleep_ns: int = 50_000
    round_limit: int = 0
    measure: bool = False
    default_channel: int = NO_CHANNEL
    command_rounds: int = 64
    strict: bool = False

    def __post_init__(self) -> None:
        if not 1 <= self.burst_max <= state.BURST_CAPACITY:
            limit = state.BURST_CAPACITY
            raise ValueError(f"burst_max {self.burst_max}: expected 1 to {limit}")
        if self.sleep_ns < 1 or self.spin_rounds < 0 or self.round_limit < 0:
            raise ValueError("sleep_ns: expected 1 or more; spin_rounds, round_limit: 0 or more")
        if self.command_rounds < 0:
            raise ValueError(f"command_rounds {self.command_rounds}: expected 0 or more")


def create_state(
    ports: Sequence[LinkPort],
    channels: Sequence[ChannelAddress],
    options: LoopOptions | None = None,
    *,
    path: Path | None = None,
    handler_sections: Sequence[tuple[str, np.dtype[Any], int]] = (),
) -> Block:
    """A state block ready for `feedhandler.loop.run(block.address)`.

    `channels[i]` is where channel i is sent. `handler_sections` (name, dtype, rows) are added for
    message kernels; the `handler_offset` field of `control` tells them where the first one starts.
    With `path` the block is a file that other processes can attach.
    """
    options = options or LoopOptions()
    default = options.default_channel
    rows = max(1, len(channels), default + 1)
    variable = [
        ("links", state.LINK_DTYPE, max(1, len(ports))),
        ("channels", state.CHANNEL_DTYPE, rows),
        ("channel_slots", SLOT_DTYPE, slot_count(max(1, len(channels)))),
        *handler_sections,
    ]
    block = create([*state.FIXED_SECTIONS, *variable], path)
    fill(block["channel_table"], block["channel_slots"], channels, default_channel=default)
    _write_control(block, options, len(ports), rows)
    if handler_sections:
        block["control"]["handler_offset"] = block.offset(handler_sections[0][0])
    for row, port in zip(block["links"], ports, strict=False):
        row["port"] = port.handle
        row["rx_burst"], row["release"] = port.ops["rx_burst"], port.ops["release"]
    for name in ("commands", "events"):
        Ring(block[name])  # writes the number of slots
    return block


def _write_control(block: Block, options: LoopOptions, link_count: int, channels: int) -> None:
    control = block["control"][0]
    control["burst_max"] = options.burst_max
    control["link_count"] = control["open_links"] = link_count
    control["channel_count"] = channels
    control["round_limit"] = options.round_limit
    control["wait_policy"] = options.wait
    control["spin_rounds"] = options.spin_rounds
    control["timespec_s"], control["timespec_ns"] = divmod(options.sleep_ns, NS_PER_S)
    control["nanosleep"] = ctypes.cast(ctypes.CDLL(None).nanosleep, ctypes.c_void_p).value
    control["measure"] = options.measure
    control["command_rounds"], control["strict"] = options.command_rounds, options.strict
    control["links_offset"] = block.offset("links")
    control["channels_offset"] = block.offset("channels")


def stop(block: Block) -> None:
    """Asks a running loop to return after its current round."""
    block["control"]["stop"] = state.STOP_ASKED


def reason_counts(block: Block, link: int) -> dict[Reason, int]:
    """How many frames of a link met each end; they add up to its packets."""
    counts = block["links"][link]["reasons"]
    return {reason: int(counts[reason]) for reason in Reason if counts[reason]}
