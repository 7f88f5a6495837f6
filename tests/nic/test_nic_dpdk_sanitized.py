"""The C of the DPDK backend under the address and undefined-behaviour sanitizers."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest
from dpdk_rig import DpdkRig
from port_rigs import numbered, pcap, udp_frame

from nic.build_dpdk import SOURCES, compiler_flags, pkg_config
from nic.tuning.backends import find_library

FOLDER = Path(__file__).parents[2] / "nic" / "csrc"
FLAGS = ["-std=gnu11", "-O1", "-g", "-fno-omit-frame-pointer", "-Wall", "-Wextra", "-Werror"]
# Calls that no virtual device answers: dpdk_nic.c does.
DOUBLED = [
    "rte_eth_dev_set_mc_addr_list",
    "rte_eth_allmulticast_enable",
    "rte_flow_isolate",
    "rte_flow_create",
    "rte_flow_destroy",
]
SANITIZERS = ["-fsanitize=address,undefined", "-fno-sanitize-recover=all"]


@pytest.fixture(scope="module")
def driver(tmp_path_factory: pytest.TempPathFactory) -> Path:
    reason = DpdkRig.why_not()
    compiler = shutil.which("gcc") or shutil.which("clang")
    if reason is not None or compiler is None:
        pytest.skip(reason or "no C compiler on this machine")
    if find_library(Path("/"), "librte_net_ring.so") is None or not pkg_config("--libs"):
        pytest.skip("no shared librte_net_ring, or no pkg-config")
    binary = tmp_path_factory.mktemp("sanitized") / "dpdk_driver"
    drivers = ("dpdk_driver.c", "dpdk_nic.c", "dpdk_leftovers.c")
    sources = [Path(__file__).with_name(name) for name in drivers]
    sources += [FOLDER / name for name in SOURCES]
    command = [compiler, *FLAGS, *SANITIZERS, f"-I{FOLDER}", *compiler_flags()]
    command += [*map(str, sources), *(f"-Wl,--wrap={name}" for name in DOUBLED)]
    command += ["-o", str(binary), *pkg_config("--libs"), "-lrte_net_ring"]
    built = subprocess.run(command, capture_output=True, text=True, check=False)
    if built.returncode and "asan" in built.stderr and "cannot find" in built.stderr:
        pytest.skip("the compiler has no sanitizer libraries")
    assert built.returncode == 0, built.stderr
    return binary


def test_no_access_goes_astray(driver: Path, tmp_path: Path) -> None:
    capture = tmp_path / "a.pcap"
    capture.write_bytes(pcap([udp_frame(payload) for payload in numbered(300)]))
    run = subprocess.run(
        [str(driver), str(capture)],
        capture_output=True,
        text=True,
        check=False,
        env=os.environ | {"ASAN_OPTIONS": "detect_leaks=1"},
    )
    assert (run.returncode, run.stderr) == (0, "")
