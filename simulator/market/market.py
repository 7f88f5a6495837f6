"""A market on the control side: run up to a time, asked what has come out, sent orders.

with Market(plan) as market:
    for output in market.run(until_ns):
        output.public, output.reports    # of each venue, in order
    market.send(venue, commands)         # orders of one's own
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, nullcontext
from types import TracebackType
from typing import Any, Final, NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

from feedhandler.actions import STATUS_PREOPEN
from nic.regions import CHECKED, allowed
from simulator.flow.flow import OrderFlow
from simulator.market import layout
from simulator.market.driving import drive, empty_buffers, send_commands, tell_all
from simulator.market.plan import MarketPlan
from simulator.matching.records import COMMAND_DTYPE
from simulator.matching.venue import Exchange

FIRST_OUTSIDE: Final = 1000  # owners below it are the flow's
OWNERS: Final = 4096
CAPACITY: Final = 4096  # commands of one step to one venue
PENDING: Final = 1 << 16
ROOMY: Final = 1 << 16  # records that come out of a venue before they are taken away
SKEW: Final = 4  # how many times its share of the open orders a venue may have at a time
OUTSIDE_ORDERS: Final = 10_000  # open at a venue, beside the flow's
Records = NDArray[np.void]


class Output(NamedTuple):
    """What came out of the venues: views that are good until the market goes on.

    Attributes:
        until_ns: up to when.
        public: ACTION_DTYPE of each venue.
        reports: REPORT_DTYPE of each venue, the flow's own among them.
    """

    until_ns: int
    public: list[Records]
    reports: list[Records]


class SwampedError(RuntimeError):
    """More commands are on their way to a venue than there is room for."""


class Market:
    """All venues of a plan and the order flow between them.

    Attributes:
        plan: as given.
        flow: who trades.
        names: of the venues, by number.
        exchanges: their matchings.

    Where runs are cut changes nothing. Raises OSError when there is no room.
    """

    def __init__(self, plan: MarketPlan) -> None:
        self.plan = plan
        self.names = [venue.name for venue in plan.settings.venues]
        self._stack = ExitStack()
        try:
            self._open(plan)
        except BaseException:
            self._stack.close()
            raise

    def _open(self, plan: MarketPlan) -> None:
        instruments = len(plan.symbols)
        self.flow = self._stack.enter_context(
            OrderFlow(instruments, plan.times, plan.seed, plan.settings, capacity=CAPACITY)
        )
        self.exchanges = [
            self._stack.enter_context(
                Exchange(
                    plan.model_of(name),
                    instruments,
                    self._orders_at(number),
                    owners=OWNERS,
                    status=STATUS_PREOPEN,
                    room=2 * ROOMY,
                )
            )
            for number, name in enumerate(self.names)
        ]
        self._head = np.zeros(1, layout.HEAD_DTYPE)
        self._venues = np.zeros(len(self.names), layout.VENUE_DTYPE)
        self._pending = np.zeros((len(self.names), PENDING + 1), COMMAND_DTYPE)
        self._given = np.zeros((len(self.names), 2), np.int64)  # records already given out
        self._fill()

    def _orders_at(self, venue: int) -> int:
        """Room for orders at a venue: far more than its share of the flow's."""
        venues = self.plan.settings.venues
        share = venues[venue].share / sum(one.share for one in venues)
        return min(self.flow.slots, round(SKEW * share * self.flow.slots)) + OUTSIDE_ORDERS

    def _fill(self) -> None:
        head, flow, start_ns = self._head[0], self.flow, self.plan.times.start_ns
        head["flow"], head["slots"] = flow.address, flow.slots
        head["commands"], head["counts"] = flow.commands.ctypes.data, flow.counts.ctypes.data
        head["capacity"], head["pending_room"], head["roomy"] = CAPACITY, PENDING, ROOMY
        head["venue_count"], head["venues"] = len(self.names), self._venues.ctypes.data
        head["slice_ns"], head["first_outside"] = layout.SLICE_NS, FIRST_OUTSIDE
        head["reached_ns"] = head["now_ns"] = start_ns
        for number, exchange in enumerate(self.exchanges):
            row = self._venues[number]
            row["exchange"], row["dark"] = exchange.address, exchange.model.dark
            row["public"], row["reports"] = exchange.buffers
            row["pending"] = self._pending[number].ctypes.data
        self.address = int(self._head.ctypes.data)
        self._call(empty_buffers)

    @property
    def now_ns(self) -> int:
        """Up to when all venues have worked."""
        return int(self._head[0]["now_ns"])

    def _call(self, kernel: Any, *more: int, memory: tuple[Any, ...] = ()) -> int:
        mine = (self._head, self._venues, self._pending, *self.flow.blocks, *memory)
        rest = [part for exchange in self.exchanges for part in exchange.memory]
        with allowed(*mine, *rest) if CHECKED else nullcontext():
            return int(kernel(self.address, *more) or 0)

    def run(self, until_ns: int) -> Iterator[Output]:
        """Runs up to a time; gives what comes out, piece by piece, the last piece maybe empty.

        Raises SwampedError.
        """
        while True:
            if self._emptiable():
                self._call(empty_buffers)
                self._given[:] = 0
            got = self._call(drive, until_ns)
            if got == layout.SWAMPED:
                raise SwampedError(f"more than {PENDING} commands are on their way to a venue")
            if got == layout.FULL:
                self._call(tell_all)
            yield self._output()
            if got == layout.ARRIVED:
                return

    def _emptiable(self) -> bool:
        """Whether the flow has heard all that is in the buffers."""
        for row, exchange in zip(self._venues, self.exchanges, strict=True):
            heard = (row["heard_public"], row["heard_reports"])
            if heard != (exchange.head["public"], exchange.head["report"]):
                return False
        return True

    def _output(self) -> Output:
        public, reports = [], []
        for number, exchange in enumerate(self.exchanges):
            made = exchange.written()
            before = self._given[number].tolist()
            public.append(made[0][before[0] :])
            reports.append(made[1][before[1] :])
            self._given[number] = len(made[0]), len(made[1])
        return Output(self.now_ns, public, reports)

    def send(self, venue: int, commands: Records) -> None:
        """Sends commands to a venue, to be there at their `time_ns`, not before the present.

        Raises ValueError for a time that is past or an owner of the flow's, SwampedError.
        """
        commands = np.ascontiguousarray(commands, COMMAND_DTYPE)
        if len(commands) == 0:
            return
        if int(commands["time_ns"].min()) < self.now_ns:
            raise ValueError(f"a command at {commands['time_ns'].min()}: it is {self.now_ns} now")
        if int(commands["owner"].min()) < FIRST_OUTSIDE:
            raise ValueError(f"owners below {FIRST_OUTSIDE} are the order flow's")
        address, count = int(commands.ctypes.data), len(commands)
        if not self._call(send_commands, venue, address, count, memory=(commands,)):
            raise SwampedError(f"more than {PENDING} commands are on their way to a venue")

    def close(self) -> None:
        """Gives the memory back."""
        self._stack.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()
