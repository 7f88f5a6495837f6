"""Where things are: which cores share a node, a core's threads, a cache; where a NIC is plugged."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from nic.tuning.coremask import cores_text
from nic.tuning.cores import core_set, isolated_cores
from nic.tuning.fact import read_integer, read_text
from nic.tuning.knob import TuneError

_CPU = "sys/devices/system/cpu"
_NODE = "sys/devices/system/node"
_NET = "sys/class/net"


@dataclass(frozen=True, slots=True)
class Core:
    """A core: its node, the threads of the same physical core (itself too), its caches.

    `shared` gives for each cache level above 1 the cores that share it.
    """

    number: int
    node: int
    siblings: frozenset[int]
    shared: dict[int, frozenset[int]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Topology:
    """The machine. `cpuset_isolated` are cores that a cpuset partition has taken."""

    cores: dict[int, Core]
    isolated: frozenset[int]
    tickless: frozenset[int]
    cpuset_isolated: frozenset[int]

    @property
    def online(self) -> frozenset[int]:
        """Cores that run."""
        return frozenset(self.cores)

    def on_node(self, node: int | None) -> frozenset[int]:
        """Cores of a NUMA node; all cores where the node is not known."""
        found = {number for number, core in self.cores.items() if core.node == node}
        return frozenset(found) or self.online

    def with_siblings(self, cores: frozenset[int]) -> frozenset[int]:
        """The cores and the other threads of their physical cores."""
        return frozenset().union(*(self.cores[core].siblings for core in cores)) & self.online

    def housekeeping(self, loop: frozenset[int]) -> frozenset[int]:
        """Cores for everything else: not the loop's, nor their siblings where others are left.

        Raises TuneError where the loop would have every core.
        """
        left = self.online - self.with_siblings(loop) or self.online - loop
        if not left:
            taken = cores_text(loop)
            raise TuneError(f"cores {taken}: no core is left for everything else; name fewer")
        return left


def read_topology(sysroot: Path) -> Topology:
    """What /sys says. Raises TuneError where it names no core."""
    numbers = core_set(read_text(sysroot / _CPU / "online"))
    if not numbers:
        raise TuneError(f"{sysroot / _CPU / 'online'}: expected a list of cores")
    nodes = _nodes(sysroot)
    return Topology(
        cores={number: _core(sysroot, number, nodes.get(number, 0)) for number in sorted(numbers)},
        isolated=isolated_cores(sysroot) & numbers,
        tickless=core_set(read_text(sysroot / _CPU / "nohz_full")) & numbers,
        cpuset_isolated=core_set(read_text(sysroot / "sys/fs/cgroup/cpuset.cpus.isolated")),
    )


def _nodes(sysroot: Path) -> dict[int, int]:
    """Node by core."""
    found = {}
    for folder in (sysroot / _NODE).glob("node[0-9]*"):
        for core in core_set(read_text(folder / "cpulist")):
            found[core] = int(folder.name.removeprefix("node"))
    return found


def _core(sysroot: Path, number: int, node: int) -> Core:
    folder = sysroot / _CPU / f"cpu{number}"
    siblings = core_set(read_text(folder / "topology/thread_siblings_list"))
    shared = {}
    for cache in sorted((folder / "cache").glob("index[0-9]*")):
        level = read_integer(cache / "level")
        if level is not None and level > 1:
            shared[level] = core_set(read_text(cache / "shared_cpu_list"))
    return Core(number, node, siblings | {number}, shared)


def nic_node(sysroot: Path, interface: str) -> int | None:
    """The NUMA node a NIC is plugged into; None where it has none or does not say."""
    device = sysroot / _NET / interface / "device"
    for folder in (device, device / ".."):  # virtio devices have the PCI device above them
        node = read_integer(folder / "numa_node")
        if node is not None and node >= 0:
            return node
    return None


def nic_interrupts(sysroot: Path, interface: str) -> frozenset[int]:
    """IRQ numbers of a NIC's queues; empty where the device has none of its own."""
    device = sysroot / _NET / interface / "device"
    for folder in (device / "msi_irqs", device / "../msi_irqs"):
        numbers = frozenset(int(path.name) for path in folder.glob("[0-9]*"))
        if numbers:
            return numbers
    return frozenset()


def check_interface(sysroot: Path, interface: str) -> None:
    """Raises TuneError where there is no such interface."""
    known = sorted(path.name for path in (sysroot / _NET).glob("*") if path.is_dir())
    if interface not in known:
        raise TuneError(f"no interface {interface!r}; there are {', '.join(known) or 'none'}")


def pick_cores(topology: Topology, node: int | None) -> frozenset[int]:
    """Cores for the loop where nobody named any: the isolated ones, else one.

    That one is the last of the node, with the fewest siblings to share with; never core 0's.
    Raises TuneError on a machine with one physical core.
    """
    if topology.isolated:
        return topology.isolated
    first = topology.with_siblings(frozenset((min(topology.online),)))
    candidates = topology.on_node(node) - first or topology.online - first or first
    candidates -= {min(topology.online)}
    if not candidates:
        raise TuneError("one core only: nothing is left to keep for a loop")
    return frozenset((max(candidates),))
