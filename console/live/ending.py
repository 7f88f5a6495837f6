"""How a live run ends: cleanly, at once, or after a fault of the loop."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

import numpy as np

from console.compiling import Kernel
from console.live.control import Control
from console.live.run import LiveRun
from feedhandler.state import COMMAND_DTYPE
from nic.block import Block
from nic.port import PortError
from nic.regions import allowed
from nic.thread import PinnedThread
from router.loop.acting import ON_COMMAND
from router.parentcommands import KILL, KILL_ALL

STEP_S: Final = 0.001
LET_GO_S: Final = 1.0
ANSWERS_S: Final = 1.0
DUMP: Final = "fault-{name}.npz"
NS_PER_S: Final = 1e9


def end_cleanly(
    control: Control, stop_s: float, hurried: Callable[[], bool], say: Callable[[str], None]
) -> bool:
    """Cancels what is open, waits for the answers, and takes the sessions back from the loop.

    The loop must run. Whether nothing was open in the end; `hurried` says to wait no longer.
    """
    say(f"stopping: {control.open_orders} open orders, {control.working_parents} parents")
    for command in (control.parents.end_day, control.parents.kill):
        _send(command, control)
    until_s = time.monotonic() + stop_s
    while control.open_orders and time.monotonic() < until_s and not hurried():
        control.step(files=False)
        time.sleep(STEP_S)
    left = control.open_orders
    if left:
        say(f"{left} orders are still open at venues, or nobody knows: look there")
    for desk in control.desks:
        desk.ask_down()
    until_s = time.monotonic() + LET_GO_S
    while any(desk.is_up for desk in control.desks) and time.monotonic() < until_s:
        time.sleep(STEP_S)
    return left == 0


def _send(command: Callable[[], bool], control: Control) -> None:
    until_s = time.monotonic() + LET_GO_S
    while not command() and time.monotonic() < until_s:
        control.step(files=False)


def kill_blindly(control: Control) -> None:
    """Cancels what is open through the loop, the control side having failed: nothing else works."""
    until_s = time.monotonic() + ANSWERS_S
    sent = False
    while time.monotonic() < until_s and not (sent and control.open_orders == 0):
        sent = sent or control.parents.kill()
        time.sleep(STEP_S)


def join(thread: PinnedThread, timeout_s: float) -> BaseException | None:
    """Waits for the loop; what it failed with."""
    try:
        thread.join(timeout_s)
    except Exception as failure:
        return failure
    return None


def dump_tables(folder: Path, blocks: dict[str, Block]) -> list[Path]:
    """Writes all sections of the loop's and the router's memory, as they are after a fault."""
    folder.mkdir(parents=True, exist_ok=True)
    made = []
    for name, block in blocks.items():
        path = folder / DUMP.format(name=name)
        sections: dict[str, Any] = {section: block[section] for section in block.sections}
        np.savez_compressed(path, allow_pickle=False, **sections)
        made.append(path)
    return made


def kill_by_hand(
    run: LiveRun, control: Control, act: Kernel, take_answers: Kernel, now_ns: Callable[[], int]
) -> int:
    """Cancels what is open with the loop's own kernels, the loop having ended; what is still open.

    Raises nothing: this is the last that can be done.
    """
    record = np.zeros(1, COMMAND_DTYPE)
    record["kind"], record["timestamp_ns"] = KILL, now_ns()
    record["words"][0, :3] = KILL_ALL, 0, 1
    router = run.tables.address
    with allowed(*run.memory(), record):
        act.dispatcher(router, ON_COMMAND, record.ctypes.data, now_ns(), 0)
        until_s = time.monotonic() + ANSWERS_S
        while control.open_orders and time.monotonic() < until_s:
            for desk in control.desks:
                for piece in _pieces(desk.port):
                    data = np.frombuffer(piece, np.uint8)
                    given = desk.number, data.ctypes.data, len(data), now_ns()
                    with allowed(data):
                        take_answers.dispatcher(router, *given)
            time.sleep(STEP_S)
    return control.open_orders


def _pieces(port: Any) -> list[bytes]:
    with suppress(PortError):
        return [frame.data for frame in port.poll()] if port is not None else []
    return []
