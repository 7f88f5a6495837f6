"""Planned for cores: what the kernel runs where, and what it stops a core for."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from nic.tuning import cpuset
from nic.tuning.coremask import cores_text
from nic.tuning.cores import core_set
from nic.tuning.fact import read_text
from nic.tuning.files import UNSET
from nic.tuning.knob import Group, Knob
from nic.tuning.topology import nic_interrupts
from nic.tuning.wish import Look, at_least, cores_within, mask_without

_CPU = "sys/devices/system/cpu"
_IRQ = "proc/irq"
_BALANCER_FILES = ("etc/default/irqbalance", "etc/sysconfig/irqbalance")  # Debian's, Red Hat's
_BANNED = "IRQBALANCE_BANNED_CPULIST"
STAT_INTERVAL_S = 120


def interrupt_knobs(look: Look) -> Iterator[Knob]:
    """Where interrupts go. New ones first: a NIC that is changed later asks for new ones."""
    avoid = mask_without(look.quiet, look.housekeeping)
    yield from look.knob("default-irq-affinity", f"{_IRQ}/default_smp_affinity", avoid)
    for file in _BALANCER_FILES:
        yield from look.knob("irqbalance", f"line:{file}#{_BANNED}", _banned_with(look.quiet))
    if Group.IRQS in look.wish.groups and _runs(look, "irqbalance"):
        look.notes.append("irqbalance runs and moves interrupts back: stop it, or restart it then")
    for place in look.paths("sys/class/net/*/queues/rx-*/rps_cpus"):
        parts = place.split("/")
        without = mask_without(look.quiet, frozenset())
        yield from look.knob("rps", place, without, f"{parts[3]} {parts[5]}")


def _runs(look: Look, program: str) -> bool:
    """Whether a process of that name is there."""
    processes = (look.places.sysroot / "proc").glob("[0-9]*/comm")
    return any(read_text(path) == program for path in processes)


def queue_knobs(look: Look) -> Iterator[Knob]:
    """The interrupts there are. Those of the NIC stay on its node."""
    name = look.wish.interface
    own = nic_interrupts(look.places.sysroot, name) if name is not None else frozenset()
    near = look.housekeeping & look.topology.on_node(look.node) or look.housekeeping
    close, anywhere = cores_within(near), cores_within(look.housekeeping)
    for place in look.paths(f"{_IRQ}/[0-9]*/smp_affinity_list"):
        number = int(place.split("/")[2])
        wanted = close if number in own else anywhere
        yield from look.knob("irq-affinity", place, wanted, _irq_label(look, number))


def _irq_label(look: Look, number: int) -> str:
    folder = look.places.sysroot / _IRQ / str(number)
    names = sorted(path.name for path in folder.glob("*") if path.is_dir())
    return f"{number} ({', '.join(names)})" if names else str(number)


def _banned_with(quiet: frozenset[int]) -> Callable[[str], str]:
    def wanted(found: str) -> str:
        now = frozenset() if found == UNSET else core_set(found)
        return found if quiet <= now else cores_text(now | quiet)

    return wanted


def core_knobs(look: Look) -> Iterator[Knob]:
    """What else comes to a core."""
    avoid = mask_without(look.quiet, look.housekeeping)
    yield from look.knob("workqueue", "sys/devices/virtual/workqueue/cpumask", avoid)
    if cpuset.offered(look.places.sysroot):
        place = f"cpuset:{cpuset.ROOT}/{cpuset.GROUP}"
        yield from look.knob("cpuset", place, f"{cores_text(look.loop)} isolated")
    interval = at_least(STAT_INTERVAL_S)
    yield from look.knob("stat-interval", "proc/sys/vm/stat_interval", interval)
    yield from look.knob("timer-migration", "proc/sys/kernel/timer_migration", "0")
    yield from look.knob("rt-runtime", "proc/sys/kernel/sched_rt_runtime_us", "-1")
    yield from look.knob("nmi-watchdog", "proc/sys/kernel/nmi_watchdog", "0")
    for place in look.paths(f"{_CPU}/cpu[0-9]*/cpufreq/scaling_governor"):
        core = place.split("/")[4].removeprefix("cpu")
        yield from look.knob("governor", place, "performance", f"core {core}")
