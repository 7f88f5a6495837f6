"""A live run's memory and the compiled loop, stepped by a test's hand, with ports in memory."""

from __future__ import annotations

import re
from collections.abc import Mapping
from contextlib import ExitStack
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
from routed_rig import PROTOCOLS, SAMPLES, the_day
from wire_kernels import (
    COMING,
    COUNT,
    DATA_AT,
    END_CODE,
    RELEASED,
    SEND_ERROR,
    SENT,
    wire_release,
    wire_rx_burst,
    wire_tx,
)

from console.compiling import Kernel, compile_all
from console.live.run import LiveRun
from console.live.setup import LiveSetup, read_live
from console.loops import make_state
from console.routed.replaying import WORDS, routed_kernels
from feedhandler.commands import Commands
from feedhandler.messages import TICK
from feedhandler.stateblock import LoopOptions
from nic.injectport import InjectPort
from nic.kernelref import address_of
from nic.memoryport import pack_frames
from nic.regions import allowed, reset, violations
from router import log
from router.orders.control import Orders
from router.orders.states import STATES
from router.parentcommands import ParentCommands
from router.sessioncommands import SessionCommands
from router.venuefile import SHIPPED

REHEARSAL = Path(__file__).resolve().parents[2] / "console" / "live" / "rehearsal"
ENVIRONMENT = {"ALFA_PASSWORD": "secret"}
START = 1_773_673_200_000_000_000  # 2026-03-16, 11:00 in New York
SECOND, MS = 1_000_000_000, 1_000_000
WIRE_BYTES = 1 << 16
CENT = 1_000_000
BUY = 1
ROUNDS = 6


@cache
def kernels(protocols: tuple[str, ...] = PROTOCOLS) -> tuple[Kernel, ...]:
    """The loop, routing and answers: those of the replays' tests, which may be compiled already."""
    made = routed_kernels(the_day().plan, protocols, lines=True)
    compile_all(made)
    return made


def venues_speaking(speaks: Mapping[str, str]) -> str:
    """The file of venues that comes along, with other protocols at some."""
    head, *parts = SHIPPED.read_text().split("[[venues]]\n")
    for number, part in enumerate(parts):
        for name, protocol in speaks.items():
            if f'name = "{name}"' in part:
                parts[number] = re.sub(r'protocol = "\w+"', f'protocol = "{protocol}"', part)
    return head + "".join("[[venues]]\n" + part for part in parts)


def rehearsal(folder: Path, **changes: str) -> LiveSetup:
    """The settings that come along, in a folder of a test's own."""
    for path in REHEARSAL.glob("*.toml"):
        text = path.read_text()
        for old, new in changes.items():
            text = text.replace(old, new)
        (folder / path.name).write_text(text)
    (folder / "channels.toml").write_text((SAMPLES / "channels.toml").read_text())
    (folder / "parents.toml").write_text("")
    return read_live(folder / "live.toml", START, ENVIRONMENT)


class WirePort:
    """A session's port: see wire_kernels."""

    def __init__(self) -> None:
        self.memory = np.zeros(WIRE_BYTES, np.uint8)
        self.words = self.memory[:DATA_AT].view(np.int64)
        self.handle = int(self.memory.ctypes.data)
        ops = {"tx": wire_tx, "rx_burst": wire_rx_burst, "release": wire_release}
        self.ops = MappingProxyType({name: one.address for name, one in ops.items()})
        self._kept: list[Any] = []

    def sent(self) -> bytes:
        """What was sent since the last time."""
        made = self.memory[DATA_AT : DATA_AT + int(self.words[SENT])].tobytes()
        self.words[SENT] = 0
        return made

    def says(self, *pieces: tuple[int, bytes]) -> None:
        """Pieces of the stream, with their times, for the next polls."""
        rows, memory = pack_frames(pieces)
        self._kept = [rows, memory]
        self.words[COMING], self.words[COUNT] = rows.ctypes.data, len(rows)

    def ends(self, code: int) -> None:
        """From now on the port has ended."""
        self.words[END_CODE] = code

    def refuses(self, error: int) -> None:
        """Sends fail from now on; 0: no longer."""
        self.words[SEND_ERROR] = error

    @property
    def released(self) -> int:
        """Pieces given back."""
        return int(self.words[RELEASED])

    def regions(self) -> list[Any]:
        """Its memory."""
        return [self.memory, *self._kept]


class LoopRig:
    """See the module.

    Args:
        folder: fresh.
        speaks: protocols by venue, where they are not the usual ones.
        changes: texts of the settings by the texts that they take the place of.

    Attributes:
        now_ns: the time of what is sent next.
    """

    def __init__(
        self, folder: Path, speaks: Mapping[str, str] = MappingProxyType({}), **changes: str
    ) -> None:
        self.now_ns = START
        self._stack = ExitStack()
        (folder / "venues.toml").write_text(venues_speaking(speaks))
        setup = rehearsal(
            folder, **{"channels = ": 'venues = "venues.toml"\nchannels = '}, **changes
        )
        plan = setup.plan(START)
        self.run = self._stack.enter_context(LiveRun(setup, plan))
        self.loop, *functions = kernels(tuple(sorted({*PROTOCOLS, *speaks.values()})))
        self.run.connect(*(address_of(kernel.dispatcher, WORDS) for kernel in functions))
        self.inject = InjectPort(lambda: self.now_ns)
        options = LoopOptions(command_rounds=0)
        heads = {n: self.run.book_address(channel) for n, channel in enumerate(plan.channels)}
        rows, lines = self.run.venue_rows(), self.run.lines
        self.block = make_state(plan, [self.inject], options, None, 0.0, heads, rows, lines)
        self._stack.callback(self.block.close)
        self.run.prepare(self.block)
        self.tables = self.run.tables
        self.plain = Commands(self.block)
        self.commands = SessionCommands(self.plain, self.tables, lambda: self.now_ns)
        self.parents = ParentCommands(self.plain, self.tables, lambda: self.now_ns)
        self.orders = Orders(self.tables, *self.run.market.blocks)
        self.ports = {name: WirePort() for name in self.run.venue_numbers}
        self.records: list[log.Any] = []

    def __enter__(self) -> LoopRig:
        reset()
        return self

    def __exit__(self, *_exception: object) -> None:
        self._stack.close()
        assert violations().count == 0, violations()

    def step(self, rounds: int = ROUNDS) -> None:
        """So many rounds of the loop."""
        self.block["control"]["round_limit"] = rounds
        memory = [region for port in self.ports.values() for region in port.regions()]
        with allowed(self.block, *self.run.memory(), *self.inject.regions, *memory):
            self.loop.dispatcher(np.uint64(self.block.address))
        self.records += list(self.tables.log.read())

    def tick(self, later_ns: int = 0) -> None:
        """It is so much later."""
        self.now_ns += later_ns
        assert self.plain.send(TICK, self.now_ns)
        self.step()

    def session(self, venue: str) -> np.void:
        """A session's row."""
        row: np.void = self.tables.block["sessions"][self.run.venue_numbers[venue]]
        return row

    def number(self, venue: str) -> int:
        """Of a venue, and of its session."""
        return self.run.venue_numbers[venue]

    def up(self, venue: str, sequence: int = 0) -> WirePort:
        """A session comes up, with a fresh port."""
        port = self.ports[venue] = WirePort()
        assert self.commands.up(self.number(venue), port, sequence)  # type: ignore[arg-type]
        self.step()
        assert self.commands.is_up(self.number(venue))
        return port

    def order(self, venue: str, parent: int = 0, **fields: int) -> int:
        """An order of 100 shares that has left for a venue; its number."""
        child = self.waiting(venue, parent, **fields)
        self.tables.children[child]["sent_ns"] = self.now_ns
        return child

    def waiting(self, venue: str, parent: int = 0, **fields: int) -> int:
        """An order that was decided and has not left."""
        given = {"instrument": 1, "account": 1, "side": BUY, "quantity": 100, "price": 100 * CENT}
        given |= {"venue": self.number(venue), "parent": parent, **fields}
        return self.orders.order(self.now_ns, **given)

    def parent(self, quantity: int = 1000) -> int:
        """A parent that works; its number."""
        number = int(self.tables.head["parent_count"]) + 1
        row = self.tables.parents[number]
        given = {"instrument": 1, "account": 1, "side": BUY, "quantity": quantity, "strategy": 1}
        for name, value in given.items():
            row[name] = value
        row["name"], row["state"] = f"parent {number}".encode(), STATES.index("new")
        self.tables.head["parent_count"] = number
        self.tables.block["curves"][0]["used_parents"] = number
        assert self.orders.start_parent(number, self.now_ns) == 1
        return number

    def state(self, child: int) -> str:
        """An order's state."""
        return STATES[int(self.tables.children[child]["state"])]

    def token(self, child: int) -> int:
        """What its venue knows it by."""
        return int(self.tables.children[child]["token"])

    def told(self) -> list[tuple[int, int, int]]:
        """Session, event and orders of the SESSION records so far."""
        return [r.words[:3] for r in self.records if r.kind == log.SESSION]  # type: ignore[misc]
