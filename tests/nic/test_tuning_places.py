"""Settings that are more than a file: lines of a file, cgroups, PCI drivers; and NICs for real."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from tuning_tree import IRQBALANCE, PCI_DEVICE, made_machine, memory_folder, plant

from nic.tuning import cpuset, files, pcibind, turn
from nic.tuning.catalog import KINDS
from nic.tuning.files import UNSET
from nic.tuning.knob import Knob, TuneError
from nic.tuning.places import Places
from nic.tuning.saved import default_path

ADDRESS = "0000:03:00.0"
LINE = f"line:{IRQBALANCE}#NAME"


@pytest.fixture
def tmp_path() -> Iterator[Path]:
    """A folder in memory, in the place of pytest's."""
    with memory_folder() as folder:
        yield folder


@pytest.mark.parametrize(
    ("text", "value", "set_text"),
    [
        ("", UNSET, 'NAME="3"\n'),
        ("\n", UNSET, '\nNAME="3"\n'),
        ("A=1", UNSET, 'A=1\nNAME="3"'),
        ("A=1\n", UNSET, 'A=1\nNAME="3"\n'),
        ("#NAME=2\n", UNSET, '#NAME=2\nNAME="3"\n'),
        ("NAME=2\nA=1\n", "2", 'NAME="3"\nA=1\n'),
        ("NAME=1\n NAME='2'\n", "2", 'NAME=1\nNAME="3"\n'),
        ('NAME=""\n', "", 'NAME="3"\n'),
    ],
)
def test_one_line_of_a_file_is_set(tmp_path: Path, text: str, value: str, set_text: str) -> None:
    places = made_machine(tmp_path, {IRQBALANCE: text})
    path = tmp_path / IRQBALANCE
    path.chmod(0o640)
    assert places.read(LINE) == value
    places.write(LINE, "3")
    assert path.read_text() == set_text and places.read(LINE) == "3"
    places.write(LINE, UNSET)
    places.write(LINE, UNSET)
    assert places.read(LINE) in (UNSET, "1")
    assert path.stat().st_mode & 0o777 == 0o640
    assert [p.name for p in path.parent.iterdir()] == [path.name]


def test_a_file_that_is_not_there_has_no_lines(tmp_path: Path) -> None:
    assert files.read_assignment(tmp_path / "none", "NAME") is None


def test_bytes_that_are_no_text_survive(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"# caf\xe9\r\nA=1\r\n")
    files.write_assignment(path, "NAME", "3")
    files.write_assignment(path, "NAME", UNSET)
    assert path.read_bytes() == b"# caf\xe9\r\nA=1\r\n"


def test_a_file_that_is_not_there_is_never_made(tmp_path: Path) -> None:
    places = Places(plant(tmp_path))
    with pytest.raises(FileNotFoundError):
        places.write("proc/sys/vm/nothing", "1")
    assert not (tmp_path / "proc/sys/vm/nothing").exists()
    assert places.read("proc/sys/vm/nothing") is None


def test_a_partition_is_made_and_removed(tmp_path: Path) -> None:
    changes = {"sys/fs/cgroup/cgroup.subtree_control": "cpu\n"}
    places = made_machine(tmp_path, changes)
    place = f"cpuset:{cpuset.ROOT}/{cpuset.GROUP}"
    assert places.read(place) == cpuset.ABSENT
    places.write(place, "2-3 isolated")
    assert places.read(place) == "2-3 isolated"
    control = tmp_path / "sys/fs/cgroup/cgroup.subtree_control"
    assert control.read_text() == "+cpuset\n"  # as the kernel takes it
    places.write(place, cpuset.ABSENT)
    places.write(place, cpuset.ABSENT)
    assert not (tmp_path / cpuset.ROOT / cpuset.GROUP).exists()


def test_a_hierarchy_of_the_old_kind_has_no_partition(tmp_path: Path) -> None:
    assert not cpuset.offered(plant(tmp_path, {"sys/fs/cgroup/cgroup.controllers": "cpu io\n"}))
    assert not cpuset.offered(tmp_path / "nothing")


class PciKernel(Places):
    """Places of a machine whose kernel binds and unbinds PCI devices as it is told."""

    def __init__(self, root: Path) -> None:
        super().__init__(plant(root))
        for driver in ("ixgbe", "vfio-pci"):
            folder = root / pcibind.PCI / "drivers" / driver
            folder.mkdir(parents=True)
            (folder / "unbind").touch()
        (root / pcibind.PCI / "drivers_probe").touch()
        (root / "sys/kernel/iommu_groups/7").mkdir(parents=True)
        self.device = root / PCI_DEVICE
        (self.device / "net/eth2").mkdir(parents=True)
        (self.device / "net/eth2/flags").write_text("0x1002\n")
        (self.device / "driver_override").write_text("(null)\n")
        self.bind_to("ixgbe")

    def bind_to(self, driver: str) -> None:
        """What a driver's probe does."""
        target = self.sysroot / pcibind.PCI / "drivers" / driver
        (self.device / "driver").symlink_to(target)

    def react(self, path: Path, text: str) -> None:
        """What the kernel does on a write."""
        if path.name == "driver_override" and not text:
            path.write_text("(null)\n")
        elif path.name == "unbind":
            assert text == ADDRESS
            (self.device / "driver").unlink()
        elif path.name == "drivers_probe":
            override = (self.device / "driver_override").read_text().strip()
            self.bind_to("ixgbe" if override == "(null)" else override)


@pytest.fixture
def pci(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> PciKernel:
    """A machine with one PCI NIC, which ixgbe has."""
    kernel = PciKernel(tmp_path)

    def write(path: Path, text: str) -> None:
        files.write_file(path, text)
        kernel.react(path, text)

    monkeypatch.setattr(pcibind, "write_file", write)
    return kernel


def bound(places: PciKernel, wanted: str) -> turn.Outcome:
    """The device given to a driver."""
    found = places.read(f"pci:{ADDRESS}")
    assert found is not None
    knob = Knob(KINDS["pci-driver"], f"pci:{ADDRESS}", found, wanted)
    (outcome,) = turn.apply([knob], places, default_path(places.sysroot))
    return outcome


def test_a_device_goes_to_another_driver_and_back(pci: PciKernel) -> None:
    assert pci.read(f"pci:{ADDRESS}") == "ixgbe -"
    assert bound(pci, "vfio-pci vfio-pci").state == turn.State.DONE
    assert pci.read(f"pci:{ADDRESS}") == "vfio-pci vfio-pci"
    (back,) = turn.restore(pci, default_path(pci.sysroot))
    assert back.state == turn.State.DONE, back.why
    assert pci.read(f"pci:{ADDRESS}") == "ixgbe -"


def test_a_device_without_a_driver_gets_none_back(pci: PciKernel) -> None:
    (pci.device / "driver").unlink()
    assert pci.read(f"pci:{ADDRESS}") == "none -"
    assert bound(pci, "vfio-pci vfio-pci").state == turn.State.DONE
    turn.restore(pci, default_path(pci.sysroot))
    assert pci.read(f"pci:{ADDRESS}") == "none -"


def test_a_driver_that_does_not_take_the_device_is_found_out(
    pci: PciKernel, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pcibind, "write_file", files.write_file)  # a kernel that does nothing
    outcome = bound(pci, "vfio-pci vfio-pci")
    assert outcome.state == turn.State.IGNORED
    assert "took vfio-pci vfio-pci and has ixgbe vfio-pci" in outcome.why


@pytest.mark.parametrize(
    ("address", "driver", "line"),
    [
        ("3:0", "vfio-pci", "PCI address '3:0': expected one like"),
        ("../../etc", "vfio-pci", "expected one like"),
        ("04:00.0", "vfio-pci", "PCI device 0000:04:00.0 is not there"),
        ("03:00.0", "uio", "driver uio is not loaded: modprobe uio"),
    ],
)
def test_a_device_that_cannot_be_bound(
    pci: PciKernel, address: str, driver: str, line: str
) -> None:
    with pytest.raises(TuneError, match=line):
        pcibind.check_bind(pci.sysroot, address, driver, risky=False)


def test_an_interface_that_is_up_is_not_taken_away(pci: PciKernel) -> None:
    assert pcibind.check_bind(pci.sysroot, "03:00.0", "vfio-pci", risky=False) == ADDRESS
    (pci.device / "net/eth2/flags").write_text("0x1003\n")
    with pytest.raises(TuneError, match="is eth2, which is up"):
        pcibind.check_bind(pci.sysroot, "03:00.0", "vfio-pci", risky=False)
    assert pcibind.check_bind(pci.sysroot, "03:00.0", "vfio-pci", risky=True) == ADDRESS
    (pci.sysroot / "sys/kernel/iommu_groups/7").rmdir()
    with pytest.raises(TuneError, match="wants an IOMMU"):
        pcibind.check_bind(pci.sysroot, "03:00.0", "vfio-pci", risky=True)


IN_NAMESPACE = """
import json, sys
from pathlib import Path
from nic.tuning import turn
from nic.tuning.ethtool import Ethtool
from nic.tuning.places import Places
from nic.tuning.plan import make_plan
from nic.tuning.knob import Group
from nic.tuning.wish import Wish

nic = Ethtool()
absent = [nic.read_section("veth0", "ring"), nic.read_section("lo", "channels")]
places = Places(nics=nic)
wish = Wish(interface="veth0", channels=1, risky=True, groups=frozenset({Group.NIC}))
plan, path = make_plan(wish, places), Path(sys.argv[1])
notes = plan.notes
before = nic.read_section("veth0", "channels")
states = [o.state for o in turn.apply(plan.changes, places, path)]
during = nic.read_section("veth0", "channels")
back = [o.state for o in turn.restore(places, path)]
try:
    nic.write("veth0", "channels", "rx", "99")
except OSError as error:
    refused = error.errno
after = nic.read_section("veth0", "channels")
mask = Path("/sys/class/net/veth0/queues/rx-0/rps_cpus")
mask.write_text("3")
plan = make_plan(Wish(cores=frozenset({1}), groups=frozenset({Group.IRQS})), places)
rps = [knob for knob in plan.knobs if knob.label == "veth0 rx-0"]
masks = [int(mask.read_text(), 16)]
for turned in (lambda: turn.apply(rps, places, path), lambda: turn.restore(places, path)):
    states += [o.state for o in turned()]
    masks.append(int(mask.read_text(), 16))
print(json.dumps([absent, before, during, after, states, back, refused, notes, masks]))
"""


def namespaced(script: str, *arguments: str) -> str:
    """Output of a Python script in a network namespace of its own, with a pair of veth devices."""
    if os.geteuid() != 0 or shutil.which("unshare") is None or shutil.which("ip") is None:
        pytest.skip("needs root, unshare and ip for a network namespace")
    devices = "ip link add veth0 numrxqueues 2 numtxqueues 2 type veth peer name veth1"
    shell = f'mount -t sysfs tuning /sys && {devices} && exec "$@"'
    command = ["unshare", "--net", "--mount", "sh", "-c", shell, "sh"]
    done = subprocess.run(
        [*command, sys.executable, "-c", script, *arguments],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    if done.returncode != 0 and "Operation not permitted" in done.stderr.splitlines()[-1]:
        pytest.skip(f"no namespace here: {done.stderr.splitlines()[-1]}")
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_a_real_device_s_settings_are_set_and_put_back(tmp_path: Path) -> None:
    if not {0, 1} <= os.sched_getaffinity(0):
        pytest.skip("needs the cores 0 and 1")
    found = json.loads(namespaced(IN_NAMESPACE, str(tmp_path / "state/tuning.json")))
    absent, before, during, after, states, back, refused, notes, masks = found
    assert absent == [None, None]
    assert before == after and before["rx"] == before["tx"] == 2
    assert during["rx"] == during["tx"] == 1
    assert states == ["done"] * 4 and back == ["done"] * 2
    assert masks == [0b11, 0b01, 0b11]
    assert refused == 22
    assert "veth0 ring: the device does not have it" in notes
