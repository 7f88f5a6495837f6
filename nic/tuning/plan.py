"""The plan: every knob of this machine, what it is, what it should be."""

from __future__ import annotations

from dataclasses import dataclass, replace

from nic.tuning.boot import BootParameter, booted_with, cpu_vendor, wanted_parameters
from nic.tuning.coremask import cores_text
from nic.tuning.knob import Knob, TuneError
from nic.tuning.places import Places
from nic.tuning.plancores import core_knobs, interrupt_knobs, queue_knobs
from nic.tuning.planmemory import hugepage_knobs, memory_knobs, network_knobs
from nic.tuning.plannic import nic_knobs
from nic.tuning.topology import Topology, check_interface, nic_node, pick_cores, read_topology
from nic.tuning.wish import Look, Wish

# Interrupts behind the NIC: it asks for new ones when its channels change.
_PLANNERS = (
    interrupt_knobs,
    nic_knobs,
    queue_knobs,
    core_knobs,
    memory_knobs,
    hugepage_knobs,
    network_knobs,
)


@dataclass(frozen=True, slots=True)
class Plan:
    """Knobs in the order in which they are turned, and boot parameters, which want a reboot.

    booted: the words of the running kernel's command line. notes: lines for people.
    """

    loop: frozenset[int]
    housekeeping: frozenset[int]
    node: int | None
    topology: Topology
    knobs: tuple[Knob, ...]
    boot: tuple[BootParameter, ...]
    booted: frozenset[str]
    notes: tuple[str, ...]

    @property
    def changes(self) -> tuple[Knob, ...]:
        """Knobs that will be turned."""
        return tuple(knob for knob in self.knobs if knob.chosen and not knob.settled)

    @property
    def not_booted(self) -> tuple[BootParameter, ...]:
        """Boot parameters that the running kernel was not given: they want a reboot."""
        given = {word.partition("=")[0] for word in self.booted}
        return tuple(parameter for parameter in self.boot if parameter.key not in given)


def make_plan(wish: Wish, places: Places) -> Plan:
    """Looks at the machine; writes nothing. Raises TuneError where the wish does not fit it."""
    sysroot = places.sysroot
    topology = read_topology(sysroot)
    node = None
    if wish.interface is not None:
        check_interface(sysroot, wish.interface)
        node = nic_node(sysroot, wish.interface)
    notes = []
    loop = wish.cores
    if not loop:
        loop = pick_cores(topology, node)
        why = "isolated" if topology.isolated else "nobody named one"
        notes.append(f"loop on core {cores_text(loop)} ({why}); --cores names others")
    if absent := loop - topology.online:
        there = cores_text(topology.online)
        raise TuneError(f"core {cores_text(absent)} is not online; there are {there}")
    housekeeping = topology.housekeeping(loop)
    notes += _warnings(topology, loop, node)
    look = Look(replace(wish, cores=loop), topology, places, loop, housekeeping, node, notes)
    knobs = tuple(knob for planner in _PLANNERS for knob in planner(look))
    boot = wanted_parameters(loop, risky=wish.risky, vendor=cpu_vendor(sysroot))
    booted = booted_with(sysroot)
    return Plan(loop, housekeeping, node, topology, knobs, tuple(boot), booted, tuple(notes))


def _warnings(topology: Topology, loop: frozenset[int], node: int | None) -> list[str]:
    """What no knob mends."""
    found = []
    far = loop - topology.on_node(node)
    if far:
        found.append(f"core {cores_text(far)} is not on the NIC's node {node}: use others")
    for core in sorted(loop):
        others = topology.cores[core].siblings & topology.online - {core}
        if others & loop:
            found.append(f"core {core} shares its physical core with {cores_text(others & loop)}")
        elif others:
            found.append(f"core {core}: leave its sibling {cores_text(others)} idle")
    if not loop <= topology.isolated | topology.cpuset_isolated:
        found.append(f"core {cores_text(loop)} is not isolated: see `sweepwire tune boot`")
    return found
