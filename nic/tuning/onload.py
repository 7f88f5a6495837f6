"""The command line that runs a loop with TCP sessions under Onload, and what each setting costs."""

from __future__ import annotations

import re
import shlex
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from nic.tuning.knob import TuneError

PROFILE = "latency"
_NAME = re.compile(r"EF_[A-Z0-9_]+")


@dataclass(frozen=True, slots=True)
class OnloadSetting:
    """An EF_ variable. Those of the profile that are named again here are said for the reader."""

    name: str
    value: str
    what: str
    cost: str
    risky: bool = False


SETTINGS = (
    OnloadSetting(
        "EF_POLL_USEC", "100000",
        "blocking calls spin for 100 ms before they sleep",
        "a whole core for every thread that waits",
    ),
    OnloadSetting(
        "EF_TCP_FASTSTART_INIT", "0",
        "new connections send no extra acknowledgements",
        "the far end's window opens more slowly in the first kilobytes",
    ),
    OnloadSetting(
        "EF_TCP_FASTSTART_IDLE", "0",
        "nor do connections that were idle",
        "the same, after each pause",
    ),
    OnloadSetting(
        "EF_INT_DRIVEN", "0",
        "interrupts only where Onload thinks it needs them, as always while it spins",
        "outliers where a thread that spun falls asleep or is taken off its core",
    ),
    OnloadSetting(
        "EF_RX_TIMESTAMPING", "1",
        "hardware times of received packets where the NIC has them",
        "a longer prefix before each packet",
    ),
    OnloadSetting(
        "EF_USE_HUGE_PAGES", "1",
        "packet buffers in huge pages where there are any (`make hugepages`)",
        "those pages are nobody else's",
    ),
    OnloadSetting(
        "EF_RXQ_SIZE", "4096",
        "a receive ring that holds a burst",
        "8 MiB of buffers; a ring beyond the cache is slower to read",
    ),
    OnloadSetting(
        "EF_PREFAULT_PACKETS", "8192",
        "buffers are touched at the start, not at the first burst",
        "16 MiB and a slower start",
    ),
    OnloadSetting(
        "EF_CTPIO", "1",
        "frames go to the NIC by the CPU's own writes where it can",
        "the CPU is busy for the length of the frame",
    ),
    OnloadSetting(
        "EF_CTPIO_MODE", "ct",
        "the NIC begins to send before it has the whole frame",
        "a CPU that is interrupted leaves a poisoned frame on the wire; slower above 10 Gb/s",
        risky=True,
    ),
)  # fmt: skip


def onload_environment(
    given: Mapping[str, str], *, risky: bool = False
) -> dict[str, tuple[str, str]]:
    """Value and comment by variable: ours, then those given. Raises TuneError on a wrong name."""
    found = {
        setting.name: (setting.value, f"{setting.what}; costs: {setting.cost}")
        for setting in SETTINGS
        if risky or not setting.risky
    }
    for name, value in given.items():
        if _NAME.fullmatch(name) is None:
            raise TuneError(f"{name}: expected a variable of Onload's, EF_…")
        known = next((s for s in SETTINGS if s.name == name), None)
        found[name] = (value, f"given; {known.what}" if known is not None else "given")
    return found


def onload_command(command: Sequence[str]) -> list[str]:
    """The command line under Onload. Raises TuneError where there is no command."""
    if not command:
        raise TuneError("onload: no command given")
    return ["onload", f"--profile={PROFILE}", *command]


def find_onload(path: str | None = None) -> str:
    """Where the `onload` script is. Raises TuneError where it is not."""
    found = shutil.which("onload", path=path)
    if found is None:
        raise TuneError("onload is not on the PATH: install Onload, or run without it")
    return found


def onload_script(environment: Mapping[str, tuple[str, str]], command: Sequence[str]) -> str:
    """The same as a shell would be told, a comment before each variable."""
    lines = []
    for name, (value, comment) in environment.items():
        lines += [f"# {comment}", f"export {name}={shlex.quote(value)}"]
    return "\n".join([*lines, shlex.join(command)])
