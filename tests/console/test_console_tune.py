"""`sweepwire tune` and its make targets, on a made-up machine and (dry) on this one."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from tuning_tree import PCI_DEVICE, contents, memory_folder, plant

from console import tuneextras
from console.main import run
from console.tuneshow import knob_table
from nic.tuning.boot import PARAMETERS
from nic.tuning.saved import default_path

ROOT = Path(__file__).resolve().parents[2]
WISH = ("--cores", "3", "-i", "eth0", "--pages", "64", "--fifo", "--risky")


@pytest.fixture
def tmp_path() -> Iterator[Path]:
    """A folder in memory, in the place of pytest's."""
    with memory_folder() as folder:
        yield folder


def tune(root: Path, *arguments: str) -> int:
    """The exit code of `sweepwire tune` below a made-up root."""
    command, *rest = arguments
    return run(["tune", command, *rest, "--sysroot", str(root)])


def complaint(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    """The one line of a command that cannot work."""
    assert run(["tune", *arguments]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    return line


@pytest.fixture
def machine(tmp_path: Path) -> Path:
    """The root of a made-up machine."""
    return plant(tmp_path / "root")


def test_the_plan_is_shown_with_what_it_costs(
    machine: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = contents(machine)
    assert tune(machine, "show", *WISH) == 0
    shown = capsys.readouterr().out
    assert "vmstat and /proc/meminfo lag by as much" in shown
    assert "irq-affinity 24" in shown and "0-2,4-6" in shown
    assert "note: core 3: leave its sibling 7 idle" in shown
    assert "isolcpus=managed_irq,domain,3" in shown
    assert contents(machine) == before


def test_the_plan_as_json(machine: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert tune(machine, "show", *WISH, "--json") == 0
    plan = json.loads(capsys.readouterr().out)
    knobs = {knob["kind"]["name"]: knob for knob in plan["knobs"]}
    assert plan["loop"] == [3] and plan["node"] == 1
    assert (knobs["rt-runtime"]["found"], knobs["rt-runtime"]["wanted"]) == ("950000", "-1")


def test_apply_and_restore(machine: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = contents(machine)
    assert tune(machine, "apply", *WISH) == 0
    assert "set 23 of 23 settings\n" in capsys.readouterr().out
    assert (machine / "proc/irq/24/smp_affinity_list").read_text() == "0-2,4-6\n"
    assert contents(machine) != before and default_path(machine).is_file()
    assert tune(machine, "restore") == 0
    assert "put back 23 of 23 settings\n" in capsys.readouterr().out
    assert not default_path(machine).exists()
    thp = "sys/kernel/mm/transparent_hugepage/enabled"  # a plain file has no brackets
    assert contents(machine) == before | {thp: b"always\n"}


def test_restoring_what_was_never_tuned(machine: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert tune(machine, "restore") == 0
    assert "nothing to put back" in capsys.readouterr().out


def test_a_dry_run_writes_nothing(machine: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = contents(machine)
    assert tune(machine, "apply", *WISH, "--dry-run") == 0
    shown = capsys.readouterr().out
    assert f"would write 120 to {machine}/proc/sys/vm/stat_interval" in shown
    assert "nothing was written" in shown
    assert contents(machine) == before and not (machine / "var").exists()
    tune(machine, "apply", "--only", "network", "--state", str(machine / "mine.json"))
    tuned = contents(machine)
    capsys.readouterr()
    assert tune(machine, "restore", "--dry-run", "--state", str(machine / "mine.json")) == 0
    assert "would write 212992" in capsys.readouterr().out
    assert contents(machine) == tuned


def test_boot_parameters_are_printed_or_written_where_one_says(
    machine: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert tune(machine, "boot", "--cores", "2,3", "--risky") == 0
    shown = capsys.readouterr().out
    assert all(p.key in shown for p in PARAMETERS) and "GRUB_CMDLINE_LINUX_DEFAULT=" in shown
    out = tmp_path / "tuned.conf"
    assert tune(machine, "boot", "--cores", "2", "--format", "tuned", "--out", str(out)) == 0
    assert out.read_text().startswith("[main]\n") and "nohz_full=2 " in out.read_text()


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (["show", "--cores", "2-"], "cores '2-': '2-': expected a number"),
        (["show", "--cores", "4000"], "core 4000 is not online"),
        (["apply", "-i", "no-such-nic", "--dry-run"], "no interface 'no-such-nic'"),
        (["apply", "--only", "everything"], "'everything' is not one of"),
        (["bind", "0000:99:99.9"], "expected one like 0000:03:00.0"),
        (["onload", "--set", "EF_X", "--", "true"], "--set EF_X: expected EF_NAME=VALUE"),
        (["onload", "--set", "X=1", "--", "true"], "X: expected a variable of Onload's"),
        (["unit", "--backend", "token"], "backend 'token': expected one of"),
    ],
)
def test_one_line_says_what_is_wrong(
    capsys: pytest.CaptureFixture[str], arguments: list[str], line: str
) -> None:
    assert line in complaint(capsys, *arguments)


def test_onload_is_shown_or_run(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    command = ["--set", "EF_RXQ_SIZE=512", "--", "sweepwire", "run", "--config", "live.toml"]
    assert run(["tune", "onload", "--dry-run", *command]) == 0
    shown = capsys.readouterr().out
    assert "export EF_RXQ_SIZE=512\n" in shown
    assert shown.endswith("onload --profile=latency sweepwire run --config live.toml\n")
    called = []
    monkeypatch.setattr(tuneextras, "find_onload", lambda: "/opt/onload")
    monkeypatch.setattr(tuneextras.os, "execve", lambda *arguments: called.append(arguments))
    assert run(["tune", "onload", *command]) == 0
    ((program, line, environment),) = called
    assert program == "/opt/onload" and line[:2] == ["onload", "--profile=latency"]
    assert environment["EF_RXQ_SIZE"] == "512" and environment["PATH"] == os.environ["PATH"]


def test_a_device_is_bound_dry_and_refusals_are_told(
    machine: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    device = machine / PCI_DEVICE
    device.mkdir(parents=True)
    (device / "driver_override").write_text("(null)\n")
    (machine / "sys/bus/pci/drivers/vfio-pci").mkdir(parents=True)
    (machine / "sys/bus/pci/drivers_probe").touch()
    (machine / "sys/kernel/iommu_groups/1").mkdir(parents=True)
    before = contents(machine)
    assert tune(machine, "bind", "03:00.0", "--dry-run") == 0
    assert "would write vfio-pci vfio-pci to pci:0000:03:00.0" in capsys.readouterr().out
    assert contents(machine) == before
    assert tune(machine, "bind", "03:00.0") == 1
    told = capsys.readouterr()
    assert "the kernel took vfio-pci vfio-pci and has none vfio-pci" in told.err
    assert tune(machine, "restore") == 0
    assert (device / "driver_override").read_text() == "\n"


def test_a_unit_is_printed_or_written(
    machine: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    wish = ["--core", "3", "--backend", "xdp", "--config", "/etc/x.toml", "--user", "trader"]
    assert tune(machine, "unit", *wish) == 0
    shown = capsys.readouterr().out
    assert "run --config /etc/x.toml\n" in shown and "CPUAffinity=0-2 4-6\n" in shown
    out = tmp_path / "sweepwire.service"
    assert tune(machine, "unit", *wish, "--out", str(out)) == 0
    assert out.read_text() == shown


def test_the_page_s_table_is_the_code_s(capsys: pytest.CaptureFixture[str]) -> None:
    page = (ROOT / "nic/tuning/README.md").read_text()
    assert "\n".join(knob_table()) in page, "run: sweepwire tune knobs"
    assert run(["tune", "knobs"]) == 0
    assert capsys.readouterr().out.splitlines() == knob_table()


def make(*arguments: str) -> subprocess.CompletedProcess[str]:
    """`make` in the checkout, with the programs of this environment."""
    if shutil.which("make") is None:
        pytest.skip("no make here")
    if not (Path(sys.executable).parent / "sweepwire").exists():
        pytest.skip("the command is not installed beside this Python")
    command = ["make", "--no-print-directory", f"BIN={Path(sys.executable).parent}", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False, cwd=ROOT)


def test_make_tune_runs_dry_on_this_machine() -> None:
    place = Path("/proc/sys/vm/stat_interval")
    before = place.read_text()
    if len(os.sched_getaffinity(0)) < 2:
        pytest.skip("one core: nothing is left to keep for a loop")
    done = make("tune", "DRYRUN=1")
    assert done.returncode == 0, done.stderr
    assert "nothing was written" in done.stdout
    assert place.read_text() == before


@pytest.mark.parametrize(
    ("arguments", "options"),
    [
        ("tune-show IFACE=eth0 PAGES=8", ["show --interface 'eth0' --pages '8'"]),
        ("tune RISKY=1 FIFO=1 STATE=f DRYRUN=1", ["apply --fifo --risky --dry-run --state 'f'"]),
        ("tune RISKY=0 DRYRUN=no SYSROOT=/r", ["apply --sysroot '/r'"]),
        ("untune DRYRUN=1 SYSROOT=/r", ["restore --dry-run --sysroot '/r'"]),
        ("isolate-cores CORES=2,3", ["apply --cores '2,3' --only cores", "boot --cores '2,3'"]),
        ("irq-affinity CORES=3", ["apply --cores '3' --only irqs"]),
        ("hugepages PAGES=5", ["apply --pages '5' --only hugepages"]),
        (
            "nic-tune IFACE=x CHANNELS=1",
            ["apply --interface 'x' --channels '1' --only nic --only network"],
        ),
        ("onload-run CMD=prog DRYRUN=1", ["onload --dry-run -- prog"]),
        (
            "dpdk-bind PCI=03:00.0 DRIVER=uio SYSROOT=/r",
            ["bind '03:00.0' --driver 'uio' --sysroot '/r'"],
        ),
    ],
)
def test_make_s_variables_become_options(arguments: str, options: list[str]) -> None:
    done = make("-n", *arguments.split())
    assert done.returncode == 0, done.stderr
    lines = [" ".join(line.split()) for line in done.stdout.replace("\\\n", "").splitlines()]
    assert [line.partition(" tune ")[2] for line in lines] == options


def test_make_tunes_a_made_up_machine_and_back(machine: Path) -> None:
    before = contents(machine)
    assert make("irq-affinity", "CORES=3", f"SYSROOT={machine}").returncode == 0
    assert (machine / "proc/irq/24/smp_affinity_list").read_text() == "0-2,4-6\n"
    assert make("untune", f"SYSROOT={machine}").returncode == 0
    assert contents(machine) == before


@pytest.mark.parametrize(
    ("target", "line"),
    [
        ("hugepages", "PAGES: how many huge pages?"),
        ("nic-tune", "IFACE: which interface?"),
        ("onload-run", "CMD: what to run?"),
        ("dpdk-bind", "PCI: which device"),
    ],
)
def test_make_says_what_a_target_wants(target: str, line: str) -> None:
    done = make(target, "DRYRUN=1")
    assert done.returncode == 2 and line in done.stderr
