"""The C of the AF_XDP port under the address and undefined-behaviour sanitizers."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from test_nic_port_sanitized import FLAGS, MEMORY, REPOSITORY
from veth import Link, inside
from xdp_rig import JUMBO_MTU_BYTES, PLAIN_MTU_BYTES, skip_without_jumbo, xdp_link

from nic.build_xdp import XDP_SOURCES

ATTACH = {"generic": 1, "native": 2}  # SWP_XDP_ATTACH_*


@pytest.fixture(scope="module")
def link() -> Iterator[Link]:
    with xdp_link() as made:
        yield made


@pytest.fixture(scope="module")
def driver(tmp_path_factory: pytest.TempPathFactory) -> Path:
    compiler = shutil.which("gcc") or shutil.which("clang")
    if compiler is None:
        pytest.skip("no C compiler on this machine")
    binary = tmp_path_factory.mktemp("sanitized") / "xdp_driver"
    folder = REPOSITORY / "nic" / "csrc"
    sources = [Path(__file__).with_name("xdp_driver.c"), *(folder / name for name in XDP_SOURCES)]
    command = [compiler, *FLAGS, *MEMORY, "-Wl,--wrap=sendto", f"-I{folder}"]
    command += [*map(str, sources), "-o", str(binary)]
    built = subprocess.run(command, capture_output=True, text=True, check=False)
    if built.returncode and "asan" in built.stderr and "cannot find" in built.stderr:
        pytest.skip("the compiler has no sanitizer libraries")
    assert built.returncode == 0, built.stderr
    return binary


@pytest.mark.parametrize("attach", list(ATTACH))
@pytest.mark.parametrize("mtu", [PLAIN_MTU_BYTES, JUMBO_MTU_BYTES])
def test_no_access_goes_astray(driver: Path, link: Link, attach: str, mtu: int) -> None:
    if mtu == JUMBO_MTU_BYTES:
        skip_without_jumbo(attach)
    link.set_mtu(mtu)

    def work() -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [str(driver), "rx0", str(sender.fileno()), str(ATTACH[attach]), str(mtu)],
            capture_output=True,
            text=True,
            check=False,
            pass_fds=[sender.fileno()],
            env=os.environ | {"ASAN_OPTIONS": "detect_leaks=1"},
        )

    with link.packet_socket() as sender:
        sender.setblocking(True)
        run = inside(link.receiver, work)
    assert (run.returncode, run.stderr) == (0, "")
