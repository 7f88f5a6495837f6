"""The cache folder follows the sources of every kernel, also those a kernel only calls."""

import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

from nic import kernelcache

ROOT = Path(__file__).resolve().parents[2]
CALLEE = "from numba import njit\nFACTOR = 3\n\n@njit\ndef scaled(x):\n    return x * FACTOR\n"
CALLER = """
from numba import njit
import nic.raw
from feedhandler.callee import scaled

@njit(cache=True)
def entry(x):
    return scaled(x)
"""
SCRIPT = """
from nic import kernelcache
from feedhandler.caller import entry
seen = []
with kernelcache.compiling(lambda name, seconds: seen.append((name, seconds))):
    print(entry(7))
print(len(seen), kernelcache.folder().name)
"""


@pytest.fixture
def tree(tmp_path):
    """A copy of what kernels need, with a kernel in one file that calls one in another."""
    for name in ("__init__", "kernelcache", "raw"):
        target = tmp_path / "nic" / f"{name}.py"
        target.parent.mkdir(exist_ok=True)
        shutil.copyfile(ROOT / "nic" / f"{name}.py", target)
    package = tmp_path / "feedhandler"
    package.mkdir()
    (package / "__init__.py").write_text("")
    (package / "callee.py").write_text(CALLEE)
    (package / "caller.py").write_text(CALLER)
    return tmp_path


def run(tree):
    hidden = ("SWEEPWIRE_CHECKED", "NUMBA_CACHE_DIR", "PYTHONPATH")
    environment = {name: value for name, value in os.environ.items() if name not in hidden}
    environment["SWEEPWIRE_CACHE"] = str(tree / "cache")
    command = [sys.executable, "-c", SCRIPT]
    done = subprocess.run(
        command, cwd=tree, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    result, compiled, folder = done.stdout.split()
    return int(result), int(compiled), folder


def test_a_change_in_a_called_kernel_shows_in_the_next_process(tree):
    result, compiled, first = run(tree)
    assert (result, compiled > 0) == (21, True)
    assert run(tree) == (21, 0, first), "the second process should find the first one's code"
    (tree / "feedhandler" / "callee.py").write_text(CALLEE.replace("= 3", "= 9"))
    result, compiled, second = run(tree)
    assert (result, compiled > 0) == (63, True)
    assert first != second


def test_sources_are_kernels_and_all_they_import(tree):
    package = tree / "feedhandler"
    (package / "numbers.py").write_text("from .deeper import LIMIT\n")
    (package / "deeper.py").write_text("LIMIT = 5\n")
    (package / "unrelated.py").write_text("X = 1\n")
    (package / "callee.py").write_text("from feedhandler import (\n    numbers,\n)\n" + CALLEE)
    found = {path.name for path in kernelcache.kernel_sources(tree)}
    assert {"callee.py", "caller.py", "raw.py", "numbers.py", "deeper.py"} <= found
    assert "unrelated.py" not in found


def test_sources_of_a_package_are_its_own_and_what_they_import(tree):
    package = tree / "simulator"
    package.mkdir()
    (package / "__init__.py").write_text("")
    (package / "made.py").write_text("from feedhandler.callee import callee\n")
    found = {path.name for path in kernelcache.kernel_sources(tree, "simulator")}
    assert {"made.py", "callee.py"} <= found and "caller.py" not in found
    first = kernelcache.sources_hash(tree, "simulator")
    (tree / "feedhandler" / "caller.py").write_text(CALLER + "# changed\n")
    assert kernelcache.sources_hash(tree, "simulator") == first
    (tree / "feedhandler" / "callee.py").write_text(CALLEE.replace("= 3", "= 9"))
    assert kernelcache.sources_hash(tree, "simulator") != first


def test_hash_changes_with_an_imported_constant_and_with_the_checked_build(tree, monkeypatch):
    monkeypatch.delenv("SWEEPWIRE_CHECKED", raising=False)
    first = kernelcache.sources_hash(tree)
    assert kernelcache.sources_hash(tree) == first
    monkeypatch.setenv("SWEEPWIRE_CHECKED", "1")
    assert kernelcache.sources_hash(tree) != first
    monkeypatch.setenv("SWEEPWIRE_CHECKED", "0")
    assert kernelcache.sources_hash(tree) == first
    (tree / "feedhandler" / "__init__.py").write_text("# a comment\n")
    (tree / "feedhandler" / "caller.py").write_text(CALLER + "# changed\n")
    assert kernelcache.sources_hash(tree) != first


def test_only_the_newest_folders_stay(tmp_path):
    now = time.time()
    for age in range(7):
        path = tmp_path / f"kernels-{age}"
        path.mkdir()
        (path / "code.nbi").write_text("x")
        os.utime(path, (now - age, now - age))
    (tmp_path / "other").mkdir()
    gone = kernelcache.prune(tmp_path, tmp_path / "kernels-6")
    assert {path.name for path in gone} == {"kernels-3", "kernels-4", "kernels-5"}
    left = {path.name for path in tmp_path.iterdir()}
    assert left == {"kernels-0", "kernels-1", "kernels-2", "kernels-6", "other"}


def test_a_folder_that_others_can_write_to_is_told(tmp_path):
    for mode, told in ((0o700, False), (0o755, False), (0o775, False), (0o777, True)):
        tmp_path.chmod(mode)
        assert kernelcache.writable_by_others(tmp_path) is told


def test_cache_root_follows_the_environment(monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "shared"))
    monkeypatch.delenv("SWEEPWIRE_CACHE", raising=False)
    assert kernelcache.cache_root() == tmp_path / "shared" / "sweepwire"
    monkeypatch.setenv("SWEEPWIRE_CACHE", str(tmp_path / "own"))
    assert kernelcache.cache_root() == tmp_path / "own"


def test_a_generated_module_is_written_once_and_named_by_its_content():
    source = "ANSWER = 42\n"
    module = kernelcache.generated_module("test", source)
    assert module.ANSWER == 42
    assert kernelcache.generated_module("test", source) is module
    assert Path(module.__file__).parent == kernelcache.folder()
    assert kernelcache.generated_module("test", "ANSWER = 43\n").ANSWER == 43
    with pytest.raises(SyntaxError):
        kernelcache.generated_module("test", "def (")
