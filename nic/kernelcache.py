"""Where compiled kernels are kept, and a name for that place that changes when any kernel does.

numba's own cache looks at the file of the compiled function only: a change in a kernel or constant
that it imports from another file leaves the old machine code in place. So the cache folder carries
a hash over every kernel source, what those import from this project, the CPU and the libraries.

`nic.raw` imports this module, and no kernel file can do without `nic.raw`: all of them are covered.
"""

from __future__ import annotations

import contextlib
import errno
import functools
import hashlib
import importlib.util
import os
import re
import shutil
import stat
import sys
import time
from collections.abc import Callable, Iterator
from importlib.metadata import version
from pathlib import Path
from types import ModuleType
from typing import Any

PROJECT_PACKAGES = ("captures", "nic", "feedhandler", "router", "simulator", "console")
FOLDER_PREFIX = "kernels-"
KEPT_FOLDERS_COUNT = 4

_KERNEL_MARK = re.compile(r"\bnjit\b|\bintrinsic\b")
_IMPORT_LINE = re.compile(
    r"^[ \t]*(?:from[ \t]+([\w.]+)[ \t]+import[ \t]+(\([^)]*\)|[^\n]+)|import[ \t]+([^\n]+))", re.M
)
_NAME = re.compile(r"\w+")


def checked_build() -> bool:
    """Whether this process compiles kernels with every memory access checked."""
    return os.environ.get("SWEEPWIRE_CHECKED", "") not in ("", "0")


def cache_root() -> Path:
    """The folder that holds one folder of machine code for each state of the sources."""
    chosen = os.environ.get("SWEEPWIRE_CACHE")
    if chosen:
        return Path(chosen)
    shared = os.environ.get("XDG_CACHE_HOME")
    return (Path(shared) if shared else Path.home() / ".cache") / "sweepwire"


def _source_files(root: Path) -> dict[str, Path]:
    """Dotted module name to file, for all of the project's packages under `root`."""
    found = {}
    for package in PROJECT_PACKAGES:
        for path in sorted((root / package).rglob("*.py")):
            parts = path.relative_to(root).with_suffix("").parts
            found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


def _imported_modules(module: str, is_package: bool, text: str) -> Iterator[str]:
    """Every dotted name that an import line of `text` may mean; callers drop what is no module."""
    for match in _IMPORT_LINE.finditer(text):
        origin, names, plain = match.groups()
        if plain is not None:
            for item in plain.split("#")[0].split(","):
                if item.strip():
                    yield item.split()[0]
            continue
        dots = len(origin) - len(origin.lstrip("."))
        if dots:
            up = dots - 1 if is_package else dots
            parents = module.split(".")
            base = ".".join(parents[: len(parents) - up])
            origin = ".".join(part for part in (base, origin[dots:]) if part)
        yield origin
        for name in _NAME.findall(names):
            yield f"{origin}.{name}"


def kernel_sources(root: Path, package: str = "") -> list[Path]:
    """Files under `root` with kernels in them, and every project module they import, sorted.

    With a package: its own files, and what those import.
    """
    modules = _source_files(root)
    texts = {name: path.read_text("utf-8", "replace") for name, path in modules.items()}
    if package:
        pending = [name for name in modules if f"{name}.".startswith(f"{package}.")]
    else:
        pending = [name for name, text in texts.items() if _KERNEL_MARK.search(text)]
    seen: set[str] = set()
    while pending:
        name = pending.pop()
        if name in seen or name not in modules:
            continue
        seen.add(name)
        is_package = modules[name].name == "__init__.py"
        pending.extend(_imported_modules(name, is_package, texts[name]))
    return sorted(modules[name] for name in seen)


def sources_hash(root: Path, package: str = "") -> str:
    """Hex digest over kernel sources, CPU, library versions and the checked flag (16 digits).

    With a package: over `kernel_sources` of it.
    """
    from llvmlite import binding

    digest = hashlib.sha256()
    features = binding.get_host_cpu_features().flatten()
    libraries = [f"{name} {version(name)}" for name in ("numba", "llvmlite", "numpy")]
    facts = (sys.version, binding.get_host_cpu_name(), features, *libraries, checked_build())
    digest.update(repr(facts).encode())
    for path in kernel_sources(root, package):
        digest.update(path.relative_to(root).as_posix().encode() + b"\0")
        digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()[:16]


def prune(root: Path, current: Path) -> list[Path]:
    """Removes all but the most recently used cache folders; returns what went."""
    folders = [path for path in root.glob(FOLDER_PREFIX + "*") if path.is_dir()]
    folders.sort(key=lambda path: path.stat().st_mtime_ns, reverse=True)
    old = [path for path in folders if path != current][KEPT_FOLDERS_COUNT - 1 :]
    for path in old:
        shutil.rmtree(path, ignore_errors=True)
    return old


def writable_by_others(path: Path) -> bool:
    """Whether somebody who is neither this user nor root could have put machine code there."""
    info = path.stat()
    stranger = os.getuid() != 0 and info.st_uid not in (0, os.getuid())
    return stranger or bool(info.st_mode & stat.S_IWOTH)


@functools.cache
def folder() -> Path:
    """The cache folder of this process, made and marked as used. Points numba at it.

    Raises OSError when the folder cannot be made, or when others could put code into it.
    """
    root = cache_root()
    current = root / (FOLDER_PREFIX + sources_hash(Path(__file__).resolve().parents[1]))
    try:
        current.mkdir(mode=0o700, parents=True, exist_ok=True)
        os.utime(current)
    except OSError as error:
        hint = "set SWEEPWIRE_CACHE to a folder that can be written"
        raise OSError(error.errno, f"{current}: no place for compiled kernels; {hint}") from error
    if writable_by_others(current):
        hint = "set SWEEPWIRE_CACHE to a folder of your own"
        raise PermissionError(errno.EPERM, f"{current}: others can write there; {hint}")
    with contextlib.suppress(OSError):  # another process may be pruning the same folders
        prune(root, current)
    os.environ["NUMBA_CACHE_DIR"] = str(current)
    config = sys.modules.get("numba.core.config")
    if config is not None:  # numba was imported first and has already read its environment
        config.CACHE_DIR = str(current)  # type: ignore[attr-defined]
    return current


def generated_module(name: str, source: str) -> ModuleType:
    """Imports `source` as a module written into the cache folder, so that numba can cache it.

    The file is named by its content: the same configuration finds the same machine code again.
    """
    digest = hashlib.sha256(source.encode()).hexdigest()[:16]
    module_name = f"sweepwire_{name}_{digest}"
    if module_name in sys.modules:
        return sys.modules[module_name]
    path = folder() / f"{module_name}.py"
    if not path.exists():
        unfinished = path.with_suffix(f".{os.getpid()}.tmp")
        unfinished.write_text(source, "utf-8")
        unfinished.replace(path)
    spec = importlib.util.spec_from_file_location(module_name, path)
    if spec is None or spec.loader is None:
        raise ImportError(f"{path}: expected a Python source file")
    module = importlib.util.module_from_spec(spec)
    sys.modules[module_name] = module
    try:
        spec.loader.exec_module(module)
    except BaseException:
        del sys.modules[module_name]
        raise
    return module


@contextlib.contextmanager
def compiling(report: Callable[[str, float | None], None]) -> Iterator[None]:
    """Calls `report(name, None)` when numba begins a kernel and `report(name, seconds)` at its end.

    A kernel that comes from the cache is not reported. A callee ends before its caller does.
    """
    from numba.core import event

    class Progress(event.Listener):  # type: ignore[misc]
        def __init__(self) -> None:
            self.started_s: list[float] = []

        def on_start(self, item: Any) -> None:
            self.started_s.append(time.perf_counter())
            report(_kernel_name(item), None)

        def on_end(self, item: Any) -> None:
            report(_kernel_name(item), time.perf_counter() - self.started_s.pop())

    with event.install_listener("numba:compile", Progress()):
        yield


def _kernel_name(item: Any) -> str:
    function = item.data["dispatcher"].py_func
    return f"{function.__module__}.{function.__qualname__}"


folder()
