"""What a loop holds while it runs; what the boot loader and Onload are told."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from tuning_tree import plant

from nic.tuning.boot import (
    PARAMETERS,
    booted_with,
    cpu_vendor,
    grub_line,
    tuned_profile,
    wanted_parameters,
)  # fmt: skip
from nic.tuning.dma_latency import DEVICE, dma_latency
from nic.tuning.knob import TuneError
from nic.tuning.onload import (
    SETTINGS,
    find_onload,
    onload_command,
    onload_environment,
    onload_script,
)  # fmt: skip

LOCKING = """
from pathlib import Path
from nic.tuning.memlock import lock_memory, unlock_memory

def locked_kib():
    lines = Path("/proc/self/status").read_text().splitlines()
    return int(next(line.split()[1] for line in lines if line.startswith("VmLck")))

reason = lock_memory()
during = locked_kib()
unlock_memory()
print(reason is None, during > 0, locked_kib())
"""


def test_cores_are_kept_awake_while_the_file_is_open(tmp_path: Path) -> None:
    device = tmp_path / "cpu_dma_latency"
    device.touch()
    with dma_latency(7, device) as reason:
        assert reason is None
        assert device.read_bytes() == (7).to_bytes(4, "little")


def test_a_loop_without_the_device_runs_on(tmp_path: Path) -> None:
    with dma_latency(device=tmp_path / "none") as reason:
        assert reason == f"{tmp_path / 'none'}: No such file or directory"
    with dma_latency(device=Path("/dev/full")) as reason:
        assert reason == "/dev/full: No space left on device"


def test_an_error_in_the_loop_comes_through(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match="mine"), dma_latency(device=tmp_path):
        raise RuntimeError("mine")


def test_the_machine_s_own_device_is_held_or_says_why() -> None:
    with dma_latency(10_000) as reason:  # a limit that changes nothing
        assert reason is None or reason.startswith(str(DEVICE))


def test_memory_is_locked_or_it_is_said_why() -> None:
    done = subprocess.run(
        [sys.executable, "-c", LOCKING], capture_output=True, text=True, check=True
    )
    locked, some, after = done.stdout.split()
    assert locked == some and after == "0"


def test_memory_is_not_locked_up_to_a_limit(tmp_path: Path) -> None:
    status = tmp_path / "proc/self/status"
    status.parent.mkdir(parents=True)
    status.write_text("CapEff:\t0000000000000000\n")
    script = (
        "import resource, sys; from pathlib import Path; resource.setrlimit("
        "resource.RLIMIT_MEMLOCK, (65536, 65536)); from nic.tuning.memlock import lock_memory; "
        "print(lock_memory(Path(sys.argv[1])))"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, str(tmp_path)], capture_output=True, text=True, check=True
    )
    assert done.stdout.startswith("RLIMIT_MEMLOCK is 65536 bytes")


def test_boot_parameters_name_the_cores(tmp_path: Path) -> None:
    plain = wanted_parameters(frozenset({2, 3, 5}))
    texts = [parameter.text for parameter in plain]
    assert "isolcpus=managed_irq,domain,2-3,5" in texts and "nohz_full=2-3,5" in texts
    assert not any(parameter.risky for parameter in plain)
    line = grub_line(plain)
    assert line.startswith("GRUB_CMDLINE_LINUX_DEFAULT=") and " ".join(texts) in line
    assert f"cmdline_sweepwire={' '.join(texts)}\n" in tuned_profile(frozenset({2}), plain)
    assert all(parameter.what and parameter.cost for parameter in PARAMETERS)
    assert booted_with(plant(tmp_path)) == {"BOOT_IMAGE=/vmlinuz", "quiet"}


def test_one_vendor_s_parameters_are_not_another_s(tmp_path: Path) -> None:
    intel = {p.key for p in wanted_parameters(frozenset({1}), risky=True, vendor="GenuineIntel")}
    amd = {p.key for p in wanted_parameters(frozenset({1}), risky=True, vendor="AuthenticAMD")}
    assert intel - amd == {"intel_idle.max_cstate", "intel_pstate"}
    assert cpu_vendor(plant(tmp_path)) == "GenuineIntel" and cpu_vendor(tmp_path / "none") == ""


def test_onload_s_settings_each_say_what_they_cost() -> None:
    assert all(setting.what and setting.cost for setting in SETTINGS)
    calm, risky = onload_environment({}), onload_environment({}, risky=True)
    assert set(risky) - set(calm) == {"EF_CTPIO_MODE"}
    text = onload_script(calm, onload_command(["prog", "a b"]))
    assert text.endswith("onload --profile=latency prog 'a b'")
    assert "\nexport EF_INT_DRIVEN=0\n" in text
    lines = text.splitlines()[:-1]
    assert all(a.startswith("# ") for a in lines[::2]) and len(lines) == 2 * len(calm)


def test_a_setting_given_wins() -> None:
    found = onload_environment({"EF_RXQ_SIZE": "512", "EF_NAME": "it's"})
    assert found["EF_RXQ_SIZE"][0] == "512"
    assert "export EF_NAME='it'\"'\"'s'" in onload_script(found, ["x"])
    for name in ("PATH", "EF_x", "EF_A;B=C d"):
        with pytest.raises(TuneError, match="expected a variable of Onload's"):
            onload_environment({name: "1"})


def test_onload_that_is_not_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(TuneError, match="onload is not on the PATH"):
        find_onload(str(tmp_path))
    with pytest.raises(TuneError, match="no command given"):
        onload_command([])
    program = tmp_path / "onload"
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    assert find_onload(str(tmp_path)) == str(program)
