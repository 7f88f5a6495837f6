"""A made-up machine to tune: eight cores on two nodes, two threads each, a NIC on node 1."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from nic.tuning.places import Places
from nic.tuning.wish import Wish

LOOP = frozenset({3})
WISH = Wish(cores=LOOP, interface="eth0", pages=64, channels=1, fifo=True, risky=True)
CPU = "sys/devices/system/cpu"
NODE = "sys/devices/system/node"
THP = "sys/kernel/mm/transparent_hugepage"
IRQBALANCE = "etc/default/irqbalance"
PCI_DEVICE = "sys/bus/pci/devices/0000:03:00.0"

TREE: dict[str, str] = {
    "proc/cmdline": "BOOT_IMAGE=/vmlinuz quiet\n",
    "proc/cpuinfo": "processor : 0\nvendor_id\t: GenuineIntel\n",
    "proc/sys/kernel/random/boot_id": "one\n",
    f"{CPU}/online": "0-7\n",
    f"{CPU}/isolated": "\n",
    f"{CPU}/nohz_full": "(null)\n",
    f"{NODE}/node0/cpulist": "0-1,4-5\n",
    f"{NODE}/node1/cpulist": "2-3,6-7\n",
    f"{NODE}/node1/hugepages/hugepages-2048kB/nr_hugepages": "0\n",
    "proc/irq/default_smp_affinity": "ff\n",
    "proc/irq/24/smp_affinity_list": "0-7\n",
    "proc/irq/25/smp_affinity_list": "3\n",
    "proc/irq/40/smp_affinity_list": "0-7\n",
    "proc/irq/41/smp_affinity_list": "0-1\n",
    "proc/irq/41/eth0-rx-1/.keep": "",
    "sys/class/net/eth0/queues/rx-0/rps_cpus": "ff\n",
    "sys/class/net/eth0/device/numa_node": "1\n",
    "sys/class/net/eth0/device/msi_irqs/40": "msix\n",
    "sys/class/net/eth0/device/msi_irqs/41": "msix\n",
    "sys/devices/virtual/workqueue/cpumask": "ff\n",
    "sys/fs/cgroup/cgroup.controllers": "cpuset cpu io\n",
    "sys/fs/cgroup/cgroup.subtree_control": "cpuset cpu\n",
    "proc/sys/vm/stat_interval": "1\n",
    "proc/sys/kernel/timer_migration": "1\n",
    "proc/sys/kernel/sched_rt_runtime_us": "950000\n",
    "proc/sys/kernel/nmi_watchdog": "1\n",
    "proc/sys/kernel/numa_balancing": "1\n",
    f"{THP}/enabled": "[always] madvise never\n",
    f"{THP}/khugepaged/defrag": "1\n",
    "sys/kernel/mm/ksm/run": "1\n",
    "proc/sys/net/core/busy_poll": "0\n",
    "proc/sys/net/core/busy_read": "0\n",
    "proc/sys/net/core/rmem_max": "212992\n",
    IRQBALANCE: "# how irqbalance starts\nIRQBALANCE_ONESHOT=0\n",
    **{f"{CPU}/cpu{n}/topology/thread_siblings_list": f"{n % 4},{n % 4 + 4}\n" for n in range(8)},
    **{f"{CPU}/cpu{n}/cache/index3/level": "3\n" for n in range(8)},
    **{f"{CPU}/cpu{n}/cache/index3/shared_cpu_list": "0-7\n" for n in range(8)},
    **{f"{CPU}/cpu{n}/cpufreq/scaling_governor": "powersave\n" for n in (2, 3)},
}
NIC_NUMBERS = {
    "ring": {"rx-max": 4096, "tx-max": 4096, "rx": 512, "tx": 4096},
    "channels": {"combined-max": 8, "combined": 4},
    "coalesce": {"rx-usecs": 8, "tx-usecs": 16, "rx-frames": 0, "adaptive-rx": 1},
}


class MadeNic:
    """A NIC without a device: numbers by section. `absent` sections are not there."""

    def __init__(self, absent: tuple[str, ...] = ()) -> None:
        self.numbers = {k: dict(v) for k, v in NIC_NUMBERS.items() if k not in absent}

    def read_section(self, _interface: str, section: str) -> dict[str, int] | None:
        """All numbers of a section."""
        return self.numbers.get(section)

    def read(self, _interface: str, section: str, name: str) -> str | None:
        """One number."""
        found = self.numbers.get(section, {}).get(name)
        return None if found is None else str(found)

    def write(self, _interface: str, section: str, name: str, value: str) -> None:
        """Sets one number."""
        self.numbers[section][name] = int(value)


class KernelLike(Places):
    """Places under a made-up root that answer as the kernel does: a choice shows all its words."""

    def write(self, place: str, value: str) -> None:
        """Writes; a word of a choice is put in brackets among the others."""
        if place == f"{THP}/enabled":
            words = (f"[{w}]" if w == value else w for w in ("always", "madvise", "never"))
            value = " ".join(words)
        super().write(place, value)


@contextmanager
def memory_folder() -> Iterator[Path]:
    """A folder for many small files that are synced each: in memory where there is such a place."""
    memory = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
    with tempfile.TemporaryDirectory(prefix="tuning-tree-", dir=memory) as folder:
        yield Path(folder)


def plant(root: Path, changes: Mapping[str, str | None] | None = None) -> Path:
    """Writes the tree below `root` (None leaves a file out); gives `root`."""
    for name, text in (TREE | dict(changes or {})).items():
        if text is not None:
            path = root / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
    return root


def made_machine(root: Path, changes: Mapping[str, str | None] | None = None) -> KernelLike:
    """The places of a machine planted below `root`."""
    return KernelLike(plant(root, changes), MadeNic())


def contents(root: Path) -> dict[str, bytes]:
    """Every file below `root` by name, but for what is kept of before."""
    files = (path for path in root.rglob("*") if path.is_file())
    found = {str(path.relative_to(root)): path.read_bytes() for path in files}
    return {name: data for name, data in found.items() if not name.startswith("var/lib")}
