"""What is planned for a made-up machine: every knob's wanted value, the choice of cores, notes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from tuning_tree import CPU, NODE, WISH, MadeNic, made_machine, memory_folder, plant

from nic.tuning.catalog import KINDS
from nic.tuning.knob import Group, Knob, TuneError
from nic.tuning.places import Places
from nic.tuning.plan import make_plan
from nic.tuning.topology import nic_interrupts, nic_node, read_topology
from nic.tuning.wish import Wish

WANTED = {
    "default-irq-affinity": "77",
    "irqbalance": "3,7",
    "rps eth0 rx-0": "77",
    "nic-channels eth0 combined": "1",
    "nic-ring eth0 rx": "4096",
    "nic-ring eth0 tx": "4096",
    "nic-adaptive eth0 adaptive-rx": "0",
    "nic-coalesce eth0 rx-usecs": "0",
    "nic-coalesce eth0 tx-usecs": "0",
    "irq-affinity 24": "0-2,4-6",
    "irq-affinity 25": "0-2,4-6",
    "irq-affinity 40": "2,6",
    "irq-affinity 41 (eth0-rx-1)": "2,6",
    "workqueue": "77",
    "cpuset": "3 isolated",
    "stat-interval": "120",
    "timer-migration": "0",
    "rt-runtime": "-1",
    "nmi-watchdog": "0",
    "governor core 2": "performance",
    "governor core 3": "performance",
    "transparent-hugepages": "madvise",
    "khugepaged": "0",
    "numa-balancing": "0",
    "ksm": "0",
    "hugepages node 1": "64",
    "busy-poll": "50",
    "busy-read": "50",
    "rmem-max": "8388608",
}


@pytest.fixture
def tmp_path() -> Iterator[Path]:
    """A folder in memory, in the place of pytest's."""
    with memory_folder() as folder:
        yield folder


def planned(wish: Wish, places: Places) -> dict[str, Knob]:
    """Knobs by name."""
    return {knob.name: knob for knob in make_plan(wish, places).knobs}


def test_every_knob_of_the_machine_is_planned(tmp_path: Path) -> None:
    knobs = planned(WISH, made_machine(tmp_path))
    assert {name: knob.wanted for name, knob in knobs.items()} == WANTED
    assert {knob.kind.name for knob in knobs.values()} == set(KINDS) - {"pci-driver"}
    assert all(knob.chosen for knob in knobs.values())
    assert [name for name, knob in knobs.items() if knob.settled] == ["nic-ring eth0 tx"]


def test_new_interrupts_are_planned_before_the_nic_and_old_ones_behind(tmp_path: Path) -> None:
    order = [knob.kind.name for knob in make_plan(WISH, made_machine(tmp_path)).knobs]
    assert order.index("default-irq-affinity") < order.index("nic-channels")
    assert order.index("nic-channels") < order.index("irq-affinity")
    assert order.index("nic-adaptive") < order.index("nic-coalesce")


def test_risky_knobs_are_left_unless_asked_for(tmp_path: Path) -> None:
    places = made_machine(tmp_path)
    calm = make_plan(replace(WISH, risky=False, fifo=False), places)
    assert {knob.kind.name for knob in calm.knobs if not knob.chosen} == {
        "cpuset", "rt-runtime", "nic-channels", "nic-ring",
    }  # fmt: skip
    assert not any(knob.kind.risky for knob in calm.changes)
    fifo = {k.kind.name for k in make_plan(replace(WISH, risky=False), places).changes}
    assert "rt-runtime" in fifo and "cpuset" not in fifo
    risky = {k.kind.name for k in make_plan(replace(WISH, fifo=False), places).changes}
    assert "rt-runtime" not in risky and "cpuset" in risky


@pytest.mark.parametrize("group", list(Group))
def test_a_group_is_planned_alone(tmp_path: Path, group: Group) -> None:
    knobs = make_plan(replace(WISH, groups=frozenset({group})), made_machine(tmp_path)).knobs
    assert knobs and {knob.kind.group for knob in knobs} == {group}


def test_what_is_well_set_is_left_as_it_is(tmp_path: Path) -> None:
    well = {
        "proc/irq/24/smp_affinity_list": "0,4\n",
        "proc/irq/default_smp_affinity": "00000003\n",
        "proc/sys/net/core/rmem_max": "99999999\n",
        "proc/sys/net/core/busy_poll": "20\n",
        "proc/sys/vm/stat_interval": "300\n",
        "sys/kernel/mm/transparent_hugepage/enabled": "always madvise [never]\n",
        "sys/kernel/mm/ksm/run": "2\n",
        "etc/default/irqbalance": "IRQBALANCE_BANNED_CPULIST='3,7'\n",
    }
    knobs = planned(WISH, made_machine(tmp_path, well))
    names = (
        "irq-affinity 24", "default-irq-affinity", "rmem-max", "busy-poll", "stat-interval",
        "transparent-hugepages", "ksm", "irqbalance",
    )  # fmt: skip
    assert all(knobs[name].settled for name in names)


def test_what_a_machine_does_not_have_is_not_planned(tmp_path: Path) -> None:
    (tmp_path / CPU).mkdir(parents=True)
    (tmp_path / CPU / "online").write_text("0-3\n")
    plan = make_plan(Wish(pages=8), Places(tmp_path))
    assert plan.knobs == () and plan.loop == {3} and plan.housekeeping == {0, 1, 2}
    assert "hugepages: this kernel has none of 2048 KiB" in plan.notes


def test_a_nic_without_sections_says_so(tmp_path: Path) -> None:
    places = Places(plant(tmp_path), MadeNic(absent=("ring", "coalesce")))
    plan = make_plan(WISH, places)
    assert [note for note in plan.notes if "does not have it" in note] == [
        "eth0 ring: the device does not have it",
        "eth0 coalesce: the device does not have it",
    ]
    assert not any(knob.kind.name == "nic-ring" for knob in plan.knobs)


def test_huge_pages_without_nodes(tmp_path: Path) -> None:
    places = made_machine(
        tmp_path,
        {
            f"{NODE}/node1/hugepages/hugepages-2048kB/nr_hugepages": None,
            "sys/kernel/mm/hugepages/hugepages-2048kB/nr_hugepages": "0\n",
        },
    )
    assert planned(WISH, places)["hugepages"].place.startswith("sys/kernel/mm/hugepages")


@pytest.mark.parametrize(
    ("changes", "interface", "loop"),
    [
        ({}, None, {7}),  # the last core; its sibling 3 stays idle
        ({}, "eth0", {7}),
        ({f"{NODE}/node1/cpulist": "2,6\n", f"{NODE}/node0/cpulist": "0-1,3-5,7\n"}, "eth0", {6}),
        ({f"{CPU}/isolated": "2-3\n"}, "eth0", {2, 3}),
    ],
)
def test_cores_are_chosen(
    tmp_path: Path, changes: dict[str, str], interface: str | None, loop: set[int]
) -> None:
    plan = make_plan(Wish(interface=interface), made_machine(tmp_path, changes))
    assert plan.loop == loop
    assert plan.housekeeping == plan.topology.online - plan.topology.with_siblings(plan.loop)


@pytest.mark.parametrize(
    ("wish", "changes", "line"),
    [
        (Wish(cores=frozenset({9})), {}, "core 9 is not online; there are 0-7"),
        (Wish(cores=frozenset(range(8))), {}, "cores 0-7: no core is left"),
        (Wish(interface="eth9"), {}, "no interface 'eth9'; there are eth0"),
        (replace(WISH, channels=9), {}, "eth0: 9 channels: expected 1 to 8"),
        (Wish(), {f"{CPU}/online": "0\n"}, "one core only"),
        (Wish(), {f"{CPU}/online": None}, "expected a list of cores"),
    ],
)
def test_a_wish_that_does_not_fit_is_refused(
    tmp_path: Path, wish: Wish, changes: dict[str, str | None], line: str
) -> None:
    with pytest.raises(TuneError, match=line):
        make_plan(wish, made_machine(tmp_path, changes))


def test_what_no_knob_mends_is_said(tmp_path: Path) -> None:
    places = made_machine(tmp_path)
    notes = make_plan(replace(WISH, cores=frozenset({1, 5})), places).notes
    assert any("core 1,5 is not on the NIC's node 1" in note for note in notes)
    assert any("core 1 shares its physical core with 5" in note for note in notes)
    assert "core 3: leave its sibling 7 idle" in make_plan(WISH, places).notes
    assert any("is not isolated" in note for note in notes)


def test_a_running_irqbalance_is_told_of(tmp_path: Path) -> None:
    places = made_machine(tmp_path, {"proc/77/comm": "irqbalance\n", "proc/78/comm": "sh\n"})
    assert any("irqbalance runs" in note for note in make_plan(WISH, places).notes)
    (tmp_path / "proc/77/comm").unlink()
    assert not any("irqbalance runs" in note for note in make_plan(WISH, places).notes)


def test_where_things_are(tmp_path: Path) -> None:
    topology = read_topology(plant(tmp_path))
    assert topology.online == set(range(8)) and topology.cores[6].node == 1
    assert topology.cores[1].siblings == {1, 5} and topology.cores[1].shared[3] == set(range(8))
    assert nic_node(tmp_path, "eth0") == 1 and nic_interrupts(tmp_path, "eth0") == {40, 41}
    assert nic_node(tmp_path, "lo") is None and nic_interrupts(tmp_path, "lo") == frozenset()


def test_a_virtual_nic_has_its_interrupts_one_floor_up(tmp_path: Path) -> None:
    device = tmp_path / "sys/devices/pci0/virtio3"
    (device / "net").mkdir(parents=True)
    (device.parent / "msi_irqs").mkdir()
    (device.parent / "msi_irqs/41").touch()
    (device.parent / "numa_node").write_text("0\n")
    interface = tmp_path / "sys/class/net/eth0"
    interface.mkdir(parents=True)
    (interface / "device").symlink_to(device)
    assert nic_interrupts(tmp_path, "eth0") == {41} and nic_node(tmp_path, "eth0") == 0
