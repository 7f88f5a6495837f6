"""A live run while it goes on: ports, memory, the loop's thread, and the turns beside it."""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

from console import statefile
from console.compiling import Kernel
from console.live.control import Control
from console.live.ending import dump_tables, end_cleanly, join, kill_blindly, kill_by_hand
from console.live.events import Events
from console.live.run import LiveRun
from console.live.sent import LiveCollector
from console.live.setup import LiveSetup, is_injected
from console.loops import NamedPort, make_state
from console.plan import Plan
from console.routed.facts import facts_of
from console.routed.replaying import WORDS, names_of
from console.runreport.results import Results
from console.runreport.write import write_results
from console.sharded.pieces import Part
from feedhandler.commands import Commands, Ticker
from feedhandler.state import STOP_FAULT
from feedhandler.stateblock import LoopOptions, Wait, stop
from nic.block import Block
from nic.clock import Clock
from nic.handoff import SessionLoop
from nic.injectport import InjectPort
from nic.kernelref import address_of
from nic.port import Port, open_port
from nic.regions import allowed
from nic.thread import PinnedThread

if TYPE_CHECKING:
    from console.live.command import Came

STEP_S: Final = 0.002
JOIN_S: Final = 5.0
BURST: Final = 64
FAULT: Final = 3
UNCLEAN: Final = 1
WAITS: Final = {"spin": Wait.SPIN, "pause": Wait.PAUSE, "sleep": Wait.SLEEP}


class Ended(NamedTuple):
    """How a loop ended.

    Attributes:
        code: 0, 1 with orders still open, 3 after a fault.
        results: what it did, written already.
    """

    code: int
    results: Results


def going(
    setup: LiveSetup, plan: Plan, kernels: Sequence[Kernel], came: Came, part: Part | None = None
) -> Ended:
    """Runs until it is told to stop.

    `part`: of several loops, which this is.
    """
    results = setup.path.parent / setup.live.results
    with ExitStack() as stack:
        events = stack.enter_context(Events(results, name=part.name if part is not None else ""))
        live = stack.enter_context(Live(setup, plan, kernels, events, part))
        return live.go_on(came, results)


def join_groups(ports: Sequence[Port], plan: Plan) -> None:
    """The ports join the groups of all lines but those that nobody sends to. Raises PortError."""
    for port in ports:
        for channel in plan.channels:
            address = channel.address
            if address is not None and not is_injected(address):
                port.join(address.group, address.udp_port, address.vlan)


class Live:
    """Everything that is open.

    Raises PortError, OSError or ConfigError where something cannot be had.
    """

    def __init__(
        self,
        setup: LiveSetup,
        plan: Plan,
        kernels: Sequence[Kernel],
        events: Events,
        part: Part | None = None,
    ) -> None:
        self._setup, self._kernels, self._events = setup, kernels, events
        self._part = part
        self._stack = ExitStack()
        try:
            self._open(setup, plan)
        except BaseException:
            self._stack.close()
            raise

    def __enter__(self) -> Live:
        return self

    def __exit__(self, *_exception: object) -> None:
        self._stack.close()

    def _open(self, setup: LiveSetup, plan: Plan) -> None:
        live, stack = setup.live, self._stack
        loop, *functions = self._kernels
        run = self.run = stack.enter_context(LiveRun(setup, plan, self._part))
        run.connect(*(address_of(kernel.dispatcher, WORDS) for kernel in functions))
        self.ports = [stack.enter_context(open_port(port.uri)) for port in live.ports]
        join_groups(self.ports, plan)
        inject = InjectPort(time.time_ns)
        every: list[Port | InjectPort] = [*self.ports, inject]
        block = self.block = self._state(plan, every)
        self._commands = Commands(block)
        names = names_of(run, run.setup.venues)
        self.collector = LiveCollector(run.tables, names, len(setup.venues))
        self.control = Control(
            run,
            block,
            self._commands,
            inject,
            self.collector,
            self._events.say,
            self._events.show,
            apart=self._session_loop(),
        )
        stack.callback(self.control.close_socket)
        regions = [region for port in every for region in port.regions]
        stack.enter_context(allowed(block, *run.memory(), *regions))
        self.thread = PinnedThread(
            loop.dispatcher, (np.uint64(block.address),), core=live.core, ports=self.ports
        )

    def _session_loop(self) -> SessionLoop | None:
        """The thread that serves order sessions beside the loop, where one is asked for."""
        live = self._setup.live
        if live.session_core is None:
            return None
        loop = SessionLoop(core=live.session_core, idle=live.session_wait)
        return self._stack.enter_context(loop)

    def _state(self, plan: Plan, ports: Sequence[NamedPort]) -> Block:
        live, run = self._setup.live, self.run
        options = LoopOptions(burst_max=BURST, wait=WAITS[live.wait], measure=live.measure)
        statefile.remove_stale()
        path = (
            self._setup.path.parent / live.state
            if live.state
            else statefile.path_of(str(os.getpid()))
        )
        heads = {n: run.book_address(channel) for n, channel in enumerate(plan.channels)}
        hz, rows = Clock().tick_hz, run.venue_rows()
        block = make_state(plan, ports, options, path, hz, heads, rows, run.lines)
        self._stack.callback(block.close)
        if not live.state:
            self._stack.callback(path.unlink, missing_ok=True)
        run.prepare(block)
        return block

    def go_on(self, came: Came, results: Path) -> Ended:
        """Starts the loop and looks after it. Raises what the control side did."""
        began_s = time.perf_counter()
        clean, fault, trouble = True, "", None
        with Ticker(self._commands, time.time_ns):
            self.thread.start()
            self._events.say(f"{self._setup.live.name}: the loop runs")
            try:
                clean = self._turns(came)
            except Exception as error:
                clean, trouble = False, error
                self._events.say(f"the control side failed: {error!r}")
                kill_blindly(self.control)
            stop(self.block)
            failure = join(self.thread, JOIN_S)
        if failure is not None or trouble is not None or self._stopped_by_fault():
            fault = f"{failure or trouble or 'an impossible input'}"
            clean = self._after_fault(fault, results)
        if self.thread.running:  # its memory cannot be given back
            self._events.say("the loop does not return")
            came.before_exit()
            os._exit(FAULT)
        self.control.close()
        made = self._write(results, time.perf_counter() - began_s, fault, bool(came.stops))
        if trouble is not None:
            raise trouble
        return Ended(FAULT if fault else 0 if clean else UNCLEAN, made)

    def _turns(self, came: Came) -> bool:
        """Looks after the loop until it is over or somebody says stop; whether nothing is open."""
        control = self.control
        while self.thread.running and not came.stops and not self._over():
            if came.reload:
                came.reload, control.watch.asked = False, True
            control.step()
            time.sleep(STEP_S)
        if not self.thread.running:
            return False
        control.close_socket()
        hurried = max(came.stops, 1) + 1
        stop_s = self._setup.live.stop_s
        return end_cleanly(control, stop_s, lambda: came.stops >= hurried, self._events.say)

    def _over(self) -> bool:
        """Whether trading is over for today."""
        close = self._setup.live.stop_at_close
        return close and time.time_ns() >= self._setup.hours.close_ns

    def _stopped_by_fault(self) -> bool:
        return int(self.block["control"]["stop"][0]) == STOP_FAULT

    def _after_fault(self, why: str, results: Path) -> bool:
        """What is left to do when the loop is gone: keep what it left, cancel what is open."""
        say = self._events.say
        say(f"the loop ended: {why}")
        blocks = {"loop": self.block, "router": self.run.tables.block}
        for path in dump_tables(results, blocks):
            say(f"its memory: {path}")
        if self.thread.running:
            return False  # nobody else may touch the sessions
        _, act, take_answers = self._kernels
        left = kill_by_hand(self.run, self.control, act, take_answers, time.time_ns)
        say(f"{left} orders are still open" if left else "no order is open")
        return left == 0

    def _write(self, folder: Path, elapsed_s: float, fault: str, interrupted: bool) -> Results:
        facts = facts_of(
            self.run,
            self.block,
            self._setup.live.name,
            elapsed_s,
            notes=(f"The loop ended: {fault}",) if fault else (),
            failed=fault,
            interrupted=interrupted,
        )
        made = self.collector.finish(facts)
        for line in write_results(folder, made):
            self._events.say(line)
        return made
