"""A small made market, and tapes that say what a test has them say, through the whole loop."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import msgspec
from console_made import udp_frame
from routed_rig import PROTOCOLS, Desk, Files, limits_text

from captures import PcapWriter
from console.bookplan import book_plan, order_room
from console.compiling import Kernel, compile_all
from console.plan import Plan, replay_uri
from console.routed.replaying import WORDS, How, replay_with_orders, routed_kernels
from console.routed.run import RoutedRun
from console.routed.setup import read_setup
from console.runreport.results import Results
from feedhandler.registry import versions
from feedhandler.transports.packets import write_packet
from nic.kernelref import address_of
from nic.regions import reset, violations
from simulator.flow.settings import load_settings
from simulator.market.make import make_market
from simulator.market.plan import MarketPlan, with_venues
from simulator.market.symbols import made_symbols
from simulator.market.tapes import TapePlan
from simulator.publishing.tapes import TAPES, TapePublisher

VENUES = ("nasdaq", "bzx")
SECOND = 1_000_000_000
DELAY_NS = 500_000
PORT = 30_001
CTS_GROUP = "233.210.33.1"
CTS = versions("siac_cts")[0]
CTS_CHANNEL = f"""
[[channels]]
name = "cts"
feed = "{CTS.full_name}"
group = "{CTS_GROUP}"
port = {PORT}
"""
KEPT = TemporaryDirectory(prefix="sweepwire-tapes-")  # until the process ends
Said = Sequence[tuple[float, str, bytes]]  # seconds after the open, the tape, a message


def plan() -> MarketPlan:
    """Four instruments at two venues, left three seconds after the opening."""
    settings = with_venues(load_settings(), VENUES)
    activity = msgspec.structs.replace(settings.activity, new_orders_per_s=150.0)
    settings = msgspec.structs.replace(settings, activity=activity)
    return MarketPlan(
        seed=20260317,
        seconds=10.0,
        before_s=0.5,
        stop_s=3.0,
        symbols=made_symbols(4),
        settings=settings,
    )


@dataclass(frozen=True)
class TapedDay:
    """The market's folder, its plan of channels and the compiled loop."""

    folder: Path
    plan: Plan
    open_ns: int
    kernels: tuple[Kernel, ...]

    @property
    def direct(self) -> list[Path]:
        """The captures of the venues."""
        return sorted(path for name in VENUES for path in self.folder.glob(f"{name}-*.pcap"))

    @property
    def tapes(self) -> list[Path]:
        """The captures of the tapes that the market was made with."""
        return sorted(path for name in TAPES for path in self.folder.glob(f"{name}-*.pcap"))

    def dialect(self, tape: str) -> Any:
        """The messages of a tape."""
        return TapePublisher(tape).dialect

    def told(self, path: Path, said: Said) -> Path:
        """A capture of tapes that say this and nothing else, the directory first."""
        symbols = [(-0.4, tape, self.dialect(tape).directory(self.open_ns - SECOND, name, 100))
                   for tape in TAPES for name in plan().symbols]  # fmt: skip
        publishers, sequence = {name: TapePublisher(name) for name in TAPES}, 1
        with PcapWriter(path) as out:
            for seconds, tape, message in sorted([*symbols, *said], key=lambda row: row[0]):
                if tape == "cts":
                    header = {**CTS.header, "block_sequence_number": sequence}
                    payload, group = write_packet(CTS.transport, [message], header), CTS_GROUP
                    sequence += 1
                else:
                    payload = publishers[tape].payload([message])
                    group = TAPES[tape][0].group_a
                time_ns = self.open_ns + round(seconds * SECOND)
                out.write(time_ns, udp_frame(payload, group, PORT))
        return path

    def replay(self, files: Files, tapes: Sequence[Path], burst: int = 64) -> Results:
        """The market with some tapes, with orders."""
        captures = [*self.direct, *tapes]
        setup = read_setup(files.venues, files.limits, files.parents, self.open_ns, 1)
        how = How("taped", captures, self.plan, order_room(captures), burst=burst)
        return replay_with_orders(how, setup)

    @contextmanager
    def desk(self, files: Files, tapes: Sequence[Path]) -> Iterator[Desk]:
        """The same, stepped by a test's hand, a packet at a time."""
        captures = [*self.direct, *tapes]
        orders, uri = order_room(captures), replay_uri(captures)
        setup = read_setup(files.venues, files.limits, files.parents, self.open_ns, 1)
        with RoutedRun(self.plan, orders) as scout:
            scout.learn(self.kernels[0], uri)
            run = RoutedRun(self.plan, orders, setup, scout)
        with run:
            run.connect(*(address_of(kernel.dispatcher, WORDS) for kernel in self.kernels[1:]))
            reset()
            with run.opened(self.kernels[0], uri, burst=1) as step:
                yield Desk(run, step)
            assert violations().count == 0, violations()


def limits() -> str:
    """Limits that hold nothing back, with shares located in every instrument."""
    more = "".join(f"{name} = 100000\n" for name in plan().symbols if name not in ("NEV", "VUS"))
    return limits_text().replace("[locates]\n", f"[locates]\n{more}")


@cache
def taped_day() -> TapedDay:
    """Made once for all tests."""
    folder, made = Path(KEPT.name), plan()
    make_market(made, folder, tapes=TapePlan(DELAY_NS))
    channels = folder / "channels.toml"
    channels.write_text(channels.read_text() + CTS_CHANNEL)
    captures = sorted(folder.glob("*.pcap"))
    planned = book_plan(captures, channels, "")
    kernels = routed_kernels(planned, PROTOCOLS)
    compile_all(kernels)
    return TapedDay(folder, planned, made.times.open_ns, kernels)
