"""Facts about memory and about how the kernel's network stack polls."""

from __future__ import annotations

from pathlib import Path

from nic.tuning.fact import Fact, Grade, chosen_word, read_integer, read_text

_WANTED_RMEM_BYTES = 8 * 1024**2


def _hugepages(sysroot: Path) -> Fact:
    parts, total = [], 0
    for folder in sorted((sysroot / "sys/kernel/mm/hugepages").glob("hugepages-*kB")):
        size_kib = int(folder.name.removeprefix("hugepages-").removesuffix("kB"))
        count = read_integer(folder / "nr_hugepages") or 0
        free = read_integer(folder / "free_hugepages") or 0
        total += count
        if count:
            parts.append(f"{count} of {size_kib} KiB ({free} free)")
    if total:
        return Fact("hugepages", ", ".join(parts), Grade.OK)
    advice = "set vm.nr_hugepages: DPDK and large tables miss the TLB without"
    return Fact("hugepages", "none", Grade.WARN, advice)


def _transparent(sysroot: Path) -> Fact:
    text = read_text(sysroot / "sys/kernel/mm/transparent_hugepage/enabled")
    if text is None:
        return Fact("transparent hugepages", "not in this kernel", Grade.OK)
    word = chosen_word(text)
    if word != "always":
        return Fact("transparent hugepages", word, Grade.OK)
    advice = "set to madvise or never: the kernel stops the loop to move pages"
    return Fact("transparent hugepages", word, Grade.WARN, advice)


def _numa_balancing(sysroot: Path) -> Fact:
    value = read_integer(sysroot / "proc/sys/kernel/numa_balancing")
    if not value:
        return Fact("NUMA balancing", "off" if value == 0 else "not in this kernel", Grade.OK)
    advice = "set kernel.numa_balancing=0: it unmaps pages to see who touches them"
    return Fact("NUMA balancing", "on", Grade.WARN, advice)


def _swap(sysroot: Path) -> Fact:
    lines = (read_text(sysroot / "proc/swaps") or "").splitlines()
    if len(lines) <= 1:
        return Fact("swap", "none", Grade.OK)
    return Fact("swap", f"{len(lines) - 1} areas", Grade.WARN, "swapoff, or lock the loop's memory")


def _busy_poll(sysroot: Path, name: str) -> Fact:
    value = read_integer(sysroot / "proc/sys/net/core" / name)
    if value is None:
        return Fact(f"net.core.{name}", "not in this kernel", Grade.MISSING)
    if value > 0:
        return Fact(f"net.core.{name}", f"{value} us", Grade.OK)
    advice = f"set net.core.{name}=50 for socket ports: reads then poll the NIC"
    return Fact(f"net.core.{name}", "off", Grade.WARN, advice)


def _receive_limit(sysroot: Path) -> Fact:
    value = read_integer(sysroot / "proc/sys/net/core/rmem_max")
    if value is None:
        return Fact("net.core.rmem_max", "unknown", Grade.MISSING)
    if value >= _WANTED_RMEM_BYTES:
        return Fact("net.core.rmem_max", f"{value} bytes", Grade.OK)
    advice = f"set net.core.rmem_max={_WANTED_RMEM_BYTES}: bursts overflow small socket buffers"
    return Fact("net.core.rmem_max", f"{value} bytes", Grade.WARN, advice)


def memory_facts(sysroot: Path) -> list[Fact]:
    """Facts about pages and swap."""
    checks = (_hugepages, _transparent, _numa_balancing, _swap)
    return [check(sysroot) for check in checks]


def network_facts(sysroot: Path) -> list[Fact]:
    """Facts about socket buffers and busy polling."""
    polls = [_busy_poll(sysroot, name) for name in ("busy_poll", "busy_read")]
    return [*polls, _receive_limit(sysroot)]
