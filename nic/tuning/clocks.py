"""Facts about clocks: the counter, who disciplines the system's time, hardware clocks."""

from __future__ import annotations

import ctypes
import os
from dataclasses import dataclass
from pathlib import Path

from nic.tuning.fact import Fact, Grade, read_text

_STA_UNSYNC = 0x0040
_STA_NANO = 0x2000
_WARN_ERROR_US = 1000


class _Timex(ctypes.Structure):
    """struct timex of <sys/timex.h> on 64-bit Linux."""

    _fields_ = (
        ("modes", ctypes.c_uint),
        ("offset", ctypes.c_long),
        ("freq", ctypes.c_long),
        ("maxerror", ctypes.c_long),
        ("esterror", ctypes.c_long),
        ("status", ctypes.c_int),
        ("constant", ctypes.c_long),
        ("precision", ctypes.c_long),
        ("tolerance", ctypes.c_long),
        ("time", ctypes.c_long * 2),
        ("tick", ctypes.c_long),
        ("ppsfreq", ctypes.c_long),
        ("jitter", ctypes.c_long),
        ("shift", ctypes.c_int),
        ("stabil", ctypes.c_long),
        ("jitcnt", ctypes.c_long),
        ("calcnt", ctypes.c_long),
        ("errcnt", ctypes.c_long),
        ("stbcnt", ctypes.c_long),
        ("tai", ctypes.c_int),
        ("reserved", ctypes.c_int * 11),
    )


@dataclass(frozen=True, slots=True)
class Discipline:
    """How the kernel's clock is kept (adjtimex)."""

    synchronised: bool
    offset_ns: int
    frequency_ppm: float
    max_error_us: int
    tai_offset_s: int


def read_discipline() -> Discipline | None:
    """What adjtimex says of this machine; None where it may not be asked."""
    timex = _Timex()
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.adjtimex(ctypes.byref(timex)) < 0:
        return None
    offset_ns = timex.offset if timex.status & _STA_NANO else timex.offset * 1000
    return Discipline(
        synchronised=not timex.status & _STA_UNSYNC,
        offset_ns=offset_ns,
        frequency_ppm=timex.freq / 65536,
        max_error_us=timex.maxerror,
        tai_offset_s=timex.tai,
    )


def discipline_fact(found: Discipline | None) -> Fact:
    """The state of NTP or PTP as one row."""
    if found is None:
        return Fact("clock discipline", "unknown", Grade.MISSING, "adjtimex was refused")
    state = "synchronised" if found.synchronised else "free running"
    value = (
        f"{state}, offset {found.offset_ns} ns, {found.frequency_ppm:+.3f} ppm, "
        f"error at most {found.max_error_us} us"
    )
    if not found.synchronised:
        advice = "run ptp4l with phc2sys, or chronyd: times from two machines cannot be compared"
        return Fact("clock discipline", value, Grade.WARN, advice)
    if found.max_error_us > _WARN_ERROR_US:
        advice = "the time source is far or unsteady: prefer PTP, or a nearer NTP server"
        return Fact("clock discipline", value, Grade.WARN, advice)
    return Fact("clock discipline", value, Grade.OK)


def _hardware_clocks(sysroot: Path) -> Fact:
    names = []
    for folder in sorted((sysroot / "sys/class/ptp").glob("ptp*")):
        device = sysroot / "dev" / folder.name
        usable = device.exists() and os.access(device, os.R_OK)
        kind = read_text(folder / "clock_name") or "unnamed"
        names.append(f"{folder.name} ({kind}{'' if usable else ', not readable'})")
    if names:
        return Fact("PTP hardware clocks", ", ".join(names), Grade.OK)
    advice = "receive times are the kernel's: a NIC with a hardware clock gives them to the ns"
    return Fact("PTP hardware clocks", "none", Grade.WARN, advice)


def _counter(sysroot: Path) -> Fact:
    flags: set[str] = set()
    for line in (read_text(sysroot / "proc/cpuinfo") or "").splitlines():
        if line.startswith("flags"):
            flags = set(line.partition(":")[2].split())
            break
    if {"constant_tsc", "nonstop_tsc"} <= flags:
        return Fact("invariant TSC", "yes", Grade.OK)
    advice = "clocks fall back to CLOCK_REALTIME calls, some 20 to 50 ns each"
    return Fact("invariant TSC", "no", Grade.WARN, advice)


def _source(sysroot: Path) -> Fact:
    path = sysroot / "sys/devices/system/clocksource/clocksource0/current_clocksource"
    name = read_text(path)
    if name is None:
        return Fact("clock source", "unknown", Grade.MISSING)
    if name in ("tsc", "kvm-clock", "arch_sys_counter"):
        return Fact("clock source", name, Grade.OK)
    advice = "boot with tsc=reliable clocksource=tsc: reading the time is a system call now"
    return Fact("clock source", name, Grade.WARN, advice)


def clock_facts(sysroot: Path) -> list[Fact]:
    """Facts about clocks. adjtimex asks the running kernel, so only at the real root."""
    facts = [_counter(sysroot), _source(sysroot), _hardware_clocks(sysroot)]
    if sysroot == Path("/"):
        facts.insert(2, discipline_fact(read_discipline()))
    return facts
