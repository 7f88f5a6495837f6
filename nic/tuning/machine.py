"""Everything `sweepwire doctor` says about a machine."""

from __future__ import annotations

from pathlib import Path

from nic.port import BACKENDS
from nic.tuning.clocks import clock_facts
from nic.tuning.cores import core_facts
from nic.tuning.fact import Fact, Grade
from nic.tuning.memory import memory_facts, network_facts
from nic.tuning.planfacts import plan_facts

__all__ = ["Fact", "Grade", "backend_facts", "facts"]


def backend_facts(sysroot: Path) -> list[Fact]:
    """One row a backend: there, or missing and why."""
    rows = []
    for backend in BACKENDS.values():
        reason = backend.missing(sysroot)
        name = f"backend {backend.scheme}"
        if reason is None:
            rows.append(Fact(name, backend.summary, Grade.OK))
        else:
            rows.append(Fact(name, backend.summary, Grade.MISSING, reason))
    return rows


def facts(sysroot: Path = Path("/")) -> list[Fact]:
    """All rows, backends first. Reads only; `sysroot` is prefixed to every path (for tests)."""
    return [
        *backend_facts(sysroot),
        *core_facts(sysroot),
        *memory_facts(sysroot),
        *network_facts(sysroot),
        *clock_facts(sysroot),
        *plan_facts(sysroot),
    ]
