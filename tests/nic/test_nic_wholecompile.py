"""Kernels compiled as part of another: the same results from the top and from inside, either way.

Each case is a process of its own, with a tree of three kernels in a file, so that what is compiled
when is known: outer calls middle, middle calls inner.
"""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import Any

import pytest

TREE = """
import numpy as np
from numba import cfunc, njit, types
from nic.raw import load_i64le
from nic.kernelref import KernelRef
from nic import kernelcache

@njit(nogil=True)
def inner(x):
    return 3 * x + 1

@njit(nogil=True{middle})
def middle(x):
    return inner(x) * inner(x + 1)

@njit(nogil=True, cache=True)
def outer(x):
    return middle(x) - inner(x)

@njit(nogil=True, cache=True)
def through(call, x):
    return call(x) + 1

INNER = KernelRef(inner)

@njit(nogil=True, cache=True)
def by_reference(x):
    return through(INNER, x)

@njit(nogil=True)
def wrong(x):
    return inner(x).nothing

@njit(nogil=True)
def calls_wrong(x):
    return wrong(x)
"""
CACHED = ", cache=True"


def python_outer(x: int) -> int:
    """What the tree computes."""
    return python_middle(x) - (3 * x + 1)


def python_middle(x: int) -> int:
    """What the middle of the tree computes."""
    return (3 * x + 1) * (3 * x + 4)


class Tree:
    """The module in a folder, and processes that use it."""

    def __init__(self, folder: Path, *, middle_cached: bool = False) -> None:
        self.folder = folder
        (folder / "tree.py").write_text(TREE.format(middle=CACHED if middle_cached else ""))

    def run(self, script: str) -> list[str]:
        """The lines that a script prints, with all names of the tree at hand."""
        hidden = ("SWEEPWIRE_CHECKED", "NUMBA_CACHE_DIR")
        environment = {name: value for name, value in os.environ.items() if name not in hidden}
        environment["SWEEPWIRE_CACHE"] = str(self.folder / "cache")
        path = [str(self.folder), environment.get("PYTHONPATH", "")]
        environment["PYTHONPATH"] = os.pathsep.join(part for part in path if part)
        text = "from tree import *\n" + textwrap.dedent(script)
        command = [sys.executable, "-c", text]
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout.splitlines()

    def kept(self) -> set[str]:
        """Kernels of the tree with machine code in the cache folder."""
        files = (self.folder / "cache").rglob("tree.*.nbc")
        return {path.name.split(".")[1].partition("-")[0] for path in files}


@pytest.fixture
def tree(tmp_path: Path) -> Tree:
    return Tree(tmp_path)


CASES = [
    ("outer middle inner", False),
    ("inner middle outer", True),
    ("middle outer inner", False),
    ("outer inner middle", True),
]


@pytest.mark.parametrize(("order", "middle_cached"), CASES)
def test_results_are_the_same_whichever_is_called_first(
    tmp_path: Path, order: str, middle_cached: bool
) -> None:
    tree = Tree(tmp_path, middle_cached=middle_cached)
    script = f"""
        for name in {order.split()}:
            kernel = globals()[name]
            print(name, *(kernel(x) for x in (0, 5, -7)), kernel(0.5))
    """
    said = {line.split()[0]: line.split()[1:] for line in tree.run(script)}
    for name, of in (
        ("outer", python_outer),
        ("middle", python_middle),
        ("inner", lambda x: 3 * x + 1),
    ):
        numbers: tuple[Any, ...] = (0, 5, -7, 0.5)
        assert said[name] == [str(of(x)) for x in numbers]


def test_a_part_keeps_its_place_in_later_trees(tree: Tree) -> None:
    script = """
        @njit(nogil=True)
        def another(x):
            return outer(x) + middle(x)
        print(outer(4), another(4), middle(4), another(5), outer(5))
    """
    outer4, middle4, outer5 = python_outer(4), python_middle(4), python_outer(5)
    expected = [outer4, outer4 + middle4, middle4, outer5 + python_middle(5), outer5]
    assert tree.run(script) == [" ".join(map(str, expected))]


def test_only_what_is_compiled_in_full_is_kept(tmp_path: Path) -> None:
    tree = Tree(tmp_path, middle_cached=True)
    assert tree.run("print(outer(4))") == [str(python_outer(4))]
    assert tree.kept() == {"outer"}
    assert tree.run("print(middle(4))") == [str(python_middle(4))]
    assert tree.kept() == {"outer", "middle"}
    assert tree.run("inner(4); by_reference(4)") == []
    assert tree.kept() == {"outer", "middle", "by_reference"}


def test_what_is_kept_is_loaded_and_right(tree: Tree) -> None:
    script = """
        seen = []
        with kernelcache.compiling(lambda name, seconds: seen.append(name)):
            print(outer(4), middle(4))
        print(len(seen) > 0)
    """
    values = f"{python_outer(4)} {python_middle(4)}"
    assert tree.run(script) == [values, "True"]
    again = tree.run(script.replace(", middle(4)", ""))
    assert again == [str(python_outer(4)), "False"]


def test_a_kernel_from_the_cache_can_be_a_part(tmp_path: Path) -> None:
    tree = Tree(tmp_path, middle_cached=True)
    tree.run("middle(4)")
    assert tree.kept() == {"middle"}
    expected = f"{python_middle(4)} {python_outer(4)} {python_middle(5)}"
    assert tree.run("print(middle(4), outer(4), middle(5))") == [expected]


def test_a_function_with_an_address_at_the_top(tree: Tree) -> None:
    script = """
        import ctypes
        @cfunc(types.int64(types.int64))
        def entry(x):
            return middle(x) + inner(x)
        kind = ctypes.CFUNCTYPE(ctypes.c_int64, ctypes.c_int64)
        print(kind(entry.address)(6), entry.ctypes(6), middle(6), inner(6))
    """
    value = python_middle(6) + 19
    assert tree.run(script) == [f"{value} {value} {python_middle(6)} 19"]


@pytest.mark.parametrize("order", ["inner by_reference outer", "outer by_reference inner"])
def test_a_kernel_as_an_argument(tree: Tree, order: str) -> None:
    script = f"print({{name: globals()[name](8) for name in {order.split()}}})"
    values = {"inner": 25, "by_reference": 26, "outer": python_outer(8)}
    assert tree.run(script) == [str({name: values[name] for name in order.split()})]


def test_wrong_types_are_named_from_the_top_and_from_inside(tree: Tree) -> None:
    script = """
        from numba.core.errors import TypingError
        for kernel in (calls_wrong, wrong):
            try:
                kernel(1)
            except TypingError as error:
                print("Unknown attribute 'nothing' of type int64" in str(error))
        print(outer(4), inner(4))
    """
    assert tree.run(script) == ["True", "True", f"{python_outer(4)} 13"]
