"""The wheel: what is in it, and that it works outside the checkout.

The wheel is built from a copy of the tracked files and installed beside the libraries of the
environment the tests run in, so nothing is fetched. `make wheel-check` installs it from the index.
"""

from __future__ import annotations

import os
import shutil
import site
import subprocess
import sys
import venv
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = {"captures", "nic", "feedhandler", "router", "simulator", "console"}
KINDS = {
    ".py", ".pyi", ".typed", ".so", ".h", ".md", ".toml", ".csv", ".pcap", ".gz", ".jsonl", ".json",
}  # fmt: skip
NEEDED = {
    "captures/_capture.abi3.so",
    "captures/csrc/capture.h",
    "captures/py.typed",
    "captures/samples/channels.toml",
    "captures/samples/market/channels.toml",
    "captures/samples/market/limits.toml",
    "captures/samples/market/parents.toml",
    "console/main.py",
    "console/py.typed",
    "console/routed/market-limits.toml",
    "console/routed/market-parents.csv",
    "feedhandler/README.md",
    "feedhandler/protocols/itch50.py",
    "feedhandler/py.typed",
    "nic/_core.abi3.so",
    "nic/_core.pyi",
    "nic/csrc/port.h",
    "nic/py.typed",
    "router/venues.toml",
}


def output(
    command: Sequence[str | Path], cwd: Path, environment: Mapping[str, str] | None = None
) -> str:
    """Standard output of a command that must end well."""
    done = subprocess.run(
        command, capture_output=True, text=True, check=False, cwd=cwd, env=environment
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def copy_of_sources(target: Path) -> None:
    """What git tracks, or would track, without the tests."""
    if not (ROOT / ".git").exists():
        pytest.skip("not a git checkout")
    listing = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"]
    for name in output(listing, cwd=ROOT).split("\0"):
        source = ROOT / name
        if name and not name.startswith("tests/") and source.is_file():
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(source, target / name)


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A wheel of this checkout."""
    pytest.importorskip("setuptools", minversion="77")
    folder = tmp_path_factory.mktemp("wheel")
    copy_of_sources(folder / "source")
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "wheel", "--quiet"]
    offline = ["--no-deps", "--no-build-isolation", "--no-index", "--wheel-dir", str(folder)]
    output([*pip, *offline, str(folder / "source")], cwd=folder)
    (made,) = folder.glob("*.whl")
    return made


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The bin folder of an environment with the wheel and, by a path file, our libraries."""
    home = tmp_path_factory.mktemp("installed")
    venv.create(home, symlinks=True)
    python = home / "bin" / "python"
    pip = [sys.executable, "-m", "pip", "--python", str(python), "--disable-pip-version-check"]
    output([*pip, "install", "--quiet", "--no-deps", "--no-index", str(wheel)], cwd=home)
    (packages,) = home.glob("lib/python*/site-packages")
    (packages / "libraries.pth").write_text("\n".join(site.getsitepackages()) + "\n")
    return home / "bin"


def run(installed: Path, *arguments: str | Path) -> str:
    """Output of the installed command, outside the checkout and with its own kernel cache."""
    folder = installed.parent / "work"
    folder.mkdir(exist_ok=True)
    environment = {**os.environ, "SWEEPWIRE_CACHE": str(folder / "kernels")}
    environment.pop("PYTHONPATH", None)
    return output([installed / "sweepwire", *arguments], cwd=folder, environment=environment)


def test_one_wheel_serves_all_python_versions(wheel: Path) -> None:
    assert wheel.name.split("-", 2)[2].startswith("cp311-abi3-linux")


def test_the_wheel_holds_what_belongs_and_nothing_else(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = {name for name in archive.namelist() if ".dist-info/" not in name}
    assert names >= NEEDED
    assert {name.partition("/")[0] for name in names} <= PACKAGES
    assert {Path(name).suffix for name in names} <= KINDS
    assert sorted(name for name in names if name.endswith(".pcap")), "no sample captures"
    assert not [name for name in names if "fuzz" in name or "test" in name]


def test_the_installed_package_is_the_wheels_own(installed: Path) -> None:
    code = "import captures, nic._core, sys; print(captures.__file__, nic._core.__file__)"
    found = output([installed / "python", "-c", code], cwd=installed)
    assert found.count(str(installed.parent)) == 2


def test_the_installed_command_knows_its_version_and_feeds(installed: Path) -> None:
    assert run(installed, "--version").startswith("sweepwire 0.")
    assert "nasdaq_itch50" in run(installed, "feeds")


def test_the_installed_command_decodes_and_replays_the_samples(installed: Path) -> None:
    (sample,) = installed.parent.glob("lib/python*/site-packages/captures/samples/nasdaq-a.pcap*")
    assert "add order" in run(installed, "decode", "--stats", sample)
    report = run(installed, "replay", sample, "--feed", "nasdaq_itch50", "--json", "-")
    assert '"ended"' in report
    with_map = run(installed, "decode", "--limit", "1", sample)
    assert "nasdaq_itch50@5.0" in with_map
