"""Facts about the cores: which are kept free, what still interrupts them, how fast they may go."""

from __future__ import annotations

from pathlib import Path

from nic.thread import CoreError, parse_cores
from nic.tuning.fact import Fact, Grade, read_integer, read_text

_CPU = "sys/devices/system/cpu"


def core_set(text: str | None) -> frozenset[int]:
    """A kernel core list as a set; empty for nothing, `(null)` or what cannot be read."""
    try:
        return frozenset(parse_cores(text)) if text else frozenset()
    except CoreError:
        return frozenset()


def isolated_cores(sysroot: Path) -> frozenset[int]:
    """Cores that the scheduler leaves alone."""
    return core_set(read_text(sysroot / _CPU / "isolated"))


def _isolation(sysroot: Path) -> Fact:
    text = read_text(sysroot / _CPU / "isolated") or ""
    if core_set(text):
        return Fact("isolated cores", text, Grade.OK)
    advice = "boot with isolcpus=managed_irq,domain,LIST: other tasks interrupt the loop otherwise"
    return Fact("isolated cores", "none", Grade.WARN, advice)


def _tickless(sysroot: Path) -> Fact:
    text = read_text(sysroot / _CPU / "nohz_full") or ""
    uncovered = isolated_cores(sysroot) - core_set(text)
    if core_set(text) and not uncovered:
        return Fact("nohz_full cores", text, Grade.OK)
    named = ",".join(map(str, sorted(uncovered))) or "LIST"
    advice = f"boot with nohz_full={named} rcu_nocbs={named}: the timer ticks on these cores"
    return Fact("nohz_full cores", text if core_set(text) else "none", Grade.WARN, advice)


def interrupts_on(sysroot: Path, cores: frozenset[int]) -> list[int]:
    """IRQ numbers that the kernel may deliver to one of these cores."""
    found = []
    for folder in (sysroot / "proc/irq").glob("[0-9]*"):
        where = read_text(folder / "effective_affinity_list")
        where = where or read_text(folder / "smp_affinity_list")
        if core_set(where) & cores:
            found.append(int(folder.name))
    return sorted(found)


def _interrupts(sysroot: Path) -> Fact:
    cores = isolated_cores(sysroot)
    if not cores:
        return Fact("IRQs on isolated cores", "no isolated core", Grade.WARN, "isolate cores first")
    numbers = interrupts_on(sysroot, cores)
    if not numbers:
        return Fact("IRQs on isolated cores", "none", Grade.OK)
    listed = ",".join(map(str, numbers))
    advice = "write a housekeeping core to /proc/irq/N/smp_affinity_list for each"
    return Fact("IRQs on isolated cores", listed, Grade.WARN, advice)


def _governors(sysroot: Path) -> Fact:
    paths = sorted((sysroot / _CPU).glob("cpu[0-9]*/cpufreq/scaling_governor"))
    names = sorted({text for path in paths if (text := read_text(path))})
    if not names:
        return Fact("governor", "none (fixed frequency or virtual machine)", Grade.OK)
    if names == ["performance"]:
        return Fact("governor", "performance", Grade.OK)
    advice = "set every core to performance: frequency changes cost microseconds"
    return Fact("governor", ",".join(names), Grade.WARN, advice)


def _siblings(sysroot: Path) -> Fact:
    active = read_integer(sysroot / _CPU / "smt/active")
    if active == 1:
        advice = "leave the sibling of each loop's core idle, or turn SMT off"
        return Fact("SMT", "on", Grade.WARN, advice)
    return Fact("SMT", "off" if active == 0 else "none", Grade.OK)


def core_facts(sysroot: Path) -> list[Fact]:
    """Facts about the cores, from /sys and /proc/irq."""
    return [
        _isolation(sysroot),
        _tickless(sysroot),
        _interrupts(sysroot),
        _governors(sysroot),
        _siblings(sysroot),
    ]
