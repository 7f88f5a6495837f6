"""DPDK's environment (EAL): its arguments, and its one start in a process."""

from __future__ import annotations

import atexit
import os
import shlex
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from nic._core import lib as core
from nic.backend import PortError

ENVIRONMENT = "SWEEPWIRE_EAL"
_CORE_OPTIONS = ("-l", "-c", "-s", "-S")
_lock = threading.Lock()
_started: tuple[str, ...] | None = None


def read_arguments(text: str) -> tuple[str, ...]:
    """Arguments as a shell splits them, or those in the file that `@FILE` names (# comments).

    Raises ValueError.
    """
    if text.startswith("@"):
        try:
            text = Path(text[1:]).read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise ValueError(f"cannot be read: {error}") from None
    try:
        return tuple(shlex.split(text, comments=True))
    except ValueError as error:
        raise ValueError(f"not split into arguments: {error}") from None


def environment_arguments() -> tuple[str, ...] | None:
    """The arguments in SWEEPWIRE_EAL, None where it is not set. Raises PortError."""
    text = os.environ.get(ENVIRONMENT)
    try:
        return None if text is None else read_arguments(text)
    except ValueError as error:
        raise PortError(f"{ENVIRONMENT}={text}: {error}") from None


def full_arguments(arguments: Sequence[str]) -> list[str]:
    """The command line: with one core to its name and no telemetry, unless it says otherwise.

    The EAL starts a thread for each further core, which sleeps, and pins the one that starts it,
    which is undone: polling threads are pinned by `nic.thread`.
    """
    names = {argument.partition("=")[0] for argument in arguments}
    added = []
    if "--lcores" not in names and not any(name.startswith(_CORE_OPTIONS) for name in names):
        added.append(f"--lcores=0@({','.join(map(str, sorted(os.sched_getaffinity(0))))})")
    if "--telemetry" not in names:
        added.append("--no-telemetry")
    return ["sweepwire", *added, *arguments]


def _start(ffi: Any, lib: Any, arguments: Sequence[str]) -> None:
    texts = [ffi.new("char[]", argument.encode()) for argument in full_arguments(arguments)]
    pointers = ffi.new("char *[]", texts)
    reason = ffi.new("char[]", core.SWP_ERROR_TEXT_BYTES)
    shows_log = any(argument.startswith("--log-level") for argument in arguments)
    if lib.swp_dpdk_start(len(texts), pointers, shows_log, reason) < 0:
        words = ffi.string(reason).decode(errors="replace")
        raise PortError(f"EAL arguments {shlex.join(arguments)!r}: {words}")
    atexit.register(lib.swp_dpdk_end)  # does nothing where a port is still open


def start_once(ffi: Any, lib: Any, asked: tuple[str, ...] | None) -> None:
    """Starts the EAL, or sees that the one that runs is the one asked for. Raises PortError.

    ffi, lib: of `nic._dpdk`.
    asked: its arguments; None takes the one that runs, else those of the environment, else none.
    """
    global _started
    with _lock:
        if _started is not None:
            if asked is not None and asked != _started:
                raise PortError(
                    f"the EAL of this process runs with {shlex.join(_started)!r} and cannot be "
                    f"started again with {shlex.join(asked)!r}"
                )
            return
        arguments = environment_arguments() if asked is None else asked
        _start(ffi, lib, arguments or ())
        _started = arguments or ()
