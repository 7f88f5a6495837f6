"""The systemd unit: its rights by kind of port, and that systemd takes it."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from nic.tuning.knob import TuneError
from nic.tuning.unit import UnitWish, capabilities, unit_text

ALL = ("socket", "packet", "xdp", "dpdk", "efvi")


def settings(text: str) -> dict[str, list[str]]:
    """Values by name, comments and sections left out."""
    found: dict[str, list[str]] = {}
    for line in text.splitlines():
        name, equals, value = line.partition("=")
        if equals and not line.startswith("#"):
            found.setdefault(name, []).append(value)
    return found


@pytest.mark.parametrize(
    ("backends", "fifo", "wanted"),
    [
        (("socket",), False, ["CAP_IPC_LOCK"]),
        (("socket",), True, ["CAP_IPC_LOCK", "CAP_SYS_NICE"]),
        (("packet",), False, ["CAP_IPC_LOCK", "CAP_NET_RAW"]),
        (("packet", "xdp"), False, ["CAP_IPC_LOCK", "CAP_NET_RAW", "CAP_NET_ADMIN", "CAP_BPF"]),
        (("dpdk", "efvi"), False, ["CAP_IPC_LOCK"]),
    ],
)
def test_a_loop_may_do_what_its_ports_need(
    backends: tuple[str, ...], fifo: bool, wanted: list[str]
) -> None:
    wish = UnitWish(backends=backends, fifo=fifo)
    assert list(capabilities(wish)) == wanted
    found = settings(unit_text(wish))
    assert found["AmbientCapabilities"] == found["CapabilityBoundingSet"] == [" ".join(wanted)]
    assert found["RestrictRealtime"] == ["no" if fifo else "yes"]
    assert ("bpf" in found["SystemCallFilter"][0].split()) == ("xdp" in backends)
    assert ("AF_PACKET" in found["RestrictAddressFamilies"][0]) == ("packet" in backends)
    assert ("char-vfio rw" in found["DeviceAllow"]) == ("dpdk" in backends)
    assert ("/dev/onload rw" in found["DeviceAllow"]) == ("efvi" in backends)


def test_the_loop_is_no_root_and_behind_walls() -> None:
    found = settings(unit_text(UnitWish()))
    assert found["User"] == ["sweepwire"] and found["LimitMEMLOCK"] == ["infinity"]
    assert found["ExecStart"] == ["/usr/local/bin/sweepwire run --config /etc/sweepwire/live.toml"]
    assert found["ProtectSystem"] == ["strict"] and found["NoNewPrivileges"] == ["yes"]
    assert found["MemoryDenyWriteExecute"] == ["no"]  # compiled kernels
    assert "CPUAffinity" not in found


def test_control_threads_stay_off_the_loop_s_core() -> None:
    wish = UnitWish(loop=frozenset({3}), housekeeping=frozenset({0, 1, 5}))
    text = unit_text(wish)
    assert settings(text)["CPUAffinity"] == ["0-1 5"]
    assert "# (3)" in text


@pytest.mark.parametrize(
    ("change", "line"),
    [
        ({"backends": ("token",)}, "backend 'token': expected one of socket"),
        ({"config": Path("live.toml")}, "config 'live.toml': expected an absolute path"),
        ({"command": Path("/a b")}, "command '/a b': expected an absolute path"),
        ({"user": "x\nExecStartPre=/bin/sh"}, "expected a user's name"),
    ],
)
def test_a_unit_that_would_not_work_is_refused(change: dict[str, object], line: str) -> None:
    with pytest.raises(TuneError, match=line):
        UnitWish(**change)  # type: ignore[arg-type]


def test_the_unit_in_the_folder_is_the_one_that_is_made(repository: Path) -> None:
    shipped = repository / "nic/tuning/systemd/sweepwire.service"
    assert shipped.read_text() == unit_text(UnitWish())


@pytest.mark.parametrize("fifo", [False, True])
def test_systemd_takes_the_unit(tmp_path: Path, fifo: bool) -> None:
    if shutil.which("systemd-analyze") is None:
        pytest.skip("no systemd-analyze here")
    wish = UnitWish(
        loop=frozenset({1}),
        housekeeping=frozenset({0}),
        backends=ALL,
        fifo=fifo,
        command=Path(sys.executable).resolve(),
    )
    unit = tmp_path / "sweepwire.service"
    unit.write_text(unit_text(wish))
    done = subprocess.run(
        ["systemd-analyze", "verify", str(unit)], capture_output=True, text=True, check=False
    )
    own = [line for line in done.stderr.splitlines() if "sweepwire" in line]
    assert own == [], done.stderr
