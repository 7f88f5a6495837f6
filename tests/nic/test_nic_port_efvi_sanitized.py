"""The C of the ef_vi backend under the address and undefined-behaviour sanitizers."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest
from efvi_double import CSRC, DOUBLES, c_sources
from test_nic_port_sanitized import FLAGS, MEMORY


def test_no_access_goes_astray_whatever_the_nic_does(tmp_path: Path) -> None:
    compiler = shutil.which("gcc") or shutil.which("clang")
    if compiler is None:
        pytest.skip("no C compiler on this machine")
    binary = tmp_path / "efvi_driver"
    sources = [Path(__file__).with_name("efvi_driver.c"), *c_sources()]
    command = [compiler, *FLAGS, *MEMORY, f"-I{CSRC}", f"-I{DOUBLES}", *map(str, sources)]
    built = subprocess.run([*command, "-o", binary], capture_output=True, text=True, check=False)
    if built.returncode and "asan" in built.stderr and "cannot find" in built.stderr:
        pytest.skip("the compiler has no sanitizer libraries")
    assert (built.returncode, built.stderr) == (0, "")
    run = subprocess.run(
        [binary],
        capture_output=True,
        text=True,
        check=False,
        env=os.environ | {"ASAN_OPTIONS": "detect_leaks=1"},
    )
    assert (run.returncode, run.stderr) == (0, "")
