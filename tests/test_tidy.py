"""The style rules of the house, as tests: where imports may point, how long things may be."""

from __future__ import annotations

import ast
import re
import subprocess
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
RANKS = {
    name: rank
    for rank, name in enumerate(
        ("captures", "nic", "feedhandler", "router", "simulator", "console")
    )
}
LINE_WIDTH = 100
FILE_LINES = 500
FUNCTION_LINES = 70
BLOB_BYTES = 1_000_000
TEXT_SUFFIXES = (".py", ".c", ".h", ".toml", ".pyi", ".sh")
# Started by a person, a build or a test as a script, so nothing imports them.
SCRIPTS = {"setup.py"}


@cache
def tracked() -> list[Path]:
    """Files of the checkout that git tracks or would track."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"],
        cwd=ROOT,
        capture_output=True,
        check=False,
    )
    if listed.returncode != 0:
        pytest.skip("not a git checkout")
    names = listed.stdout.decode().split("\0")
    return [ROOT / name for name in names if name and (ROOT / name).is_file()]


def python_files(*, tests: bool = False) -> list[Path]:
    """Python files of the packages, with those of the tests if asked."""
    wanted = {*RANKS, "tests"} if tests else set(RANKS)
    files = [path for path in tracked() if path.suffix == ".py"]
    return [path for path in files if path.relative_to(ROOT).parts[0] in wanted]


@cache
def tree_of(path: Path) -> ast.Module:
    """The syntax tree of a file."""
    return ast.parse(path.read_text(), str(path))


def imports_of(path: Path) -> Iterator[str]:
    """Dotted names of the modules a file imports."""
    for node in ast.walk(tree_of(path)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def show(path: Path) -> str:
    """A path as messages name it."""
    return str(path.relative_to(ROOT))


def test_imports_point_to_the_same_or_a_lower_rank() -> None:
    wrong = []
    for path in python_files():
        own = RANKS[path.relative_to(ROOT).parts[0]]
        for name in imports_of(path):
            other = RANKS.get(name.partition(".")[0], -1)
            if other > own:
                wrong.append(f"{show(path)} imports {name}")
    assert wrong == []


def test_scapy_and_dpkt_are_never_imported_at_run_time() -> None:
    wrong = [
        f"{show(path)} imports {name}"
        for path in python_files()
        for name in imports_of(path)
        if name.partition(".")[0] in ("scapy", "dpkt")
    ]
    assert wrong == []


def test_lines_are_at_most_100_columns() -> None:
    wide = []
    for path in tracked():
        if path.suffix not in TEXT_SUFFIXES:
            continue
        for number, line in enumerate(path.read_text().splitlines(), 1):
            if len(line) > LINE_WIDTH:
                wide.append(f"{show(path)}:{number} has {len(line)}")
    assert wide == []


def test_files_are_at_most_500_lines() -> None:
    long = [
        f"{show(path)} has {count}"
        for path in tracked()
        if path.suffix in TEXT_SUFFIXES
        and (count := len(path.read_text().splitlines())) > FILE_LINES
    ]
    assert long == []


def test_functions_are_at_most_70_lines() -> None:
    long = []
    for path in python_files(tests=True):
        for node in ast.walk(tree_of(path)):
            if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
                lines = (node.end_lineno or node.lineno) - node.lineno + 1
                if lines > FUNCTION_LINES:
                    long.append(f"{show(path)}:{node.lineno} {node.name} has {lines}")
    assert long == []


def test_c_functions_are_at_most_70_lines() -> None:
    long = []
    for path in tracked():
        if path.suffix != ".c":
            continue
        start = 0
        for number, line in enumerate(path.read_text().splitlines(), 1):
            if line == "{" or re.match(r"^\w.*\)\s*\{$", line):
                start = number
            elif line == "}" and start and number - start > FUNCTION_LINES:
                long.append(f"{show(path)}:{start} has {number - start}")
    assert long == []


def test_no_print_outside_the_console() -> None:
    found = [
        f"{show(path)}:{node.lineno}"
        for path in python_files()
        if path.relative_to(ROOT).parts[0] != "console"
        for node in ast.walk(tree_of(path))
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Name)
        and node.func.id == "print"
    ]
    assert found == []


def test_no_blob_over_one_megabyte() -> None:
    large = [show(path) for path in tracked() if path.stat().st_size > BLOB_BYTES]
    assert large == []


def test_every_module_is_used() -> None:
    """A module that nothing imports, names as a string or starts as a script is dead."""
    files = python_files(tests=True)
    texts = {path: path.read_text() for path in files}
    settings = (ROOT / "pyproject.toml").read_text() + (ROOT / "setup.py").read_text()
    settings += (ROOT / "Makefile").read_text()
    imported = {name for path in files for name in imports_of(path)}
    dead = []
    for path in python_files():
        relative = path.relative_to(ROOT)
        module = ".".join(relative.with_suffix("").parts)
        if path.name == "__init__.py" or module in imported:
            continue
        ways = (f'"{module}', f"from {module} import")  # a registry row; generated source
        named = any(way in text for other, text in texts.items() if other != path for way in ways)
        if not named and module not in settings and str(relative) not in settings:
            dead.append(show(path))
    assert dead == []


def is_kernel_file(path: Path) -> bool:
    """Whether functions at the top level of a file are compiled by numba."""
    return any(
        isinstance(node, ast.FunctionDef) and decorators(node) & {"njit", "cfunc"}
        for node in tree_of(path).body
    )


def decorators(node: ast.FunctionDef) -> set[str]:
    """Names of a function's decorators, without their arguments."""
    names = set()
    for item in node.decorator_list:
        target = item.func if isinstance(item, ast.Call) else item
        names.add(target.id if isinstance(target, ast.Name) else ast.unparse(target))
    return names


def makes_kernels(node: ast.FunctionDef) -> bool:
    """Whether a plain function is there to make kernels: it holds some and returns."""
    return any(
        isinstance(part, ast.FunctionDef) and "njit" in decorators(part) for part in node.body
    )


def test_kernel_files_hold_kernels_only() -> None:
    """Constants, dtypes, kernels and what makes kernels: no class, no other function."""
    allowed = (ast.Import, ast.ImportFrom, ast.Assign, ast.AnnAssign, ast.FunctionDef, ast.Assert)
    wrong = []
    for path in filter(is_kernel_file, python_files()):
        for node in tree_of(path).body:
            if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
                continue
            if not isinstance(node, allowed):
                wrong.append(f"{show(path)}:{node.lineno} {type(node).__name__}")
            elif isinstance(node, ast.FunctionDef) and not (
                decorators(node) & {"njit", "cfunc", "intrinsic"} or makes_kernels(node)
            ):
                wrong.append(f"{show(path)}:{node.lineno} {node.name}")
    assert wrong == []


def test_every_public_module_and_function_says_what_it_is() -> None:
    silent = []
    for path in python_files():
        tree = tree_of(path)
        empty = not path.read_text().strip()
        if not empty and ast.get_docstring(tree) is None:
            silent.append(show(path))
        for node in tree.body:
            if not isinstance(node, (ast.FunctionDef, ast.ClassDef)):
                continue
            if not node.name.startswith("_") and ast.get_docstring(node) is None:
                silent.append(f"{show(path)}:{node.lineno} {node.name}")
    assert silent == []
