"""One mapped region that holds every table of a loop, readable from another process by name.

File: a 64-byte header, the sections (each on a 64-byte boundary), then a JSON table that names each
section with its offset, size, row count and numpy dtype. A reader needs this file only, not the
code that wrote it. Kernels get the address of the block and add section and field offsets to it.
"""

from __future__ import annotations

import ast
import hashlib
import json
import mmap
import os
import struct
from collections import namedtuple
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

ALIGNMENT_BYTES = 64
HEADER_BYTES = 64
MAGIC = b"SWPBLOCK"
VERSION = 1
PAGE_BYTES = mmap.PAGESIZE

# magic, version, header bytes, total bytes, table offset, table bytes, layout hash (16 bytes)
_HEADER = struct.Struct("<8sIIQQQ16s")


@dataclass(frozen=True, slots=True)
class Section:
    """`count` rows of `dtype`, `offset` bytes from the start of the block."""

    name: str
    dtype: np.dtype[Any]
    count: int
    offset: int

    @property
    def size_bytes(self) -> int:
        """Bytes of all rows."""
        return self.dtype.itemsize * self.count


def aligned(size_bytes: int, to_bytes: int = ALIGNMENT_BYTES) -> int:
    """`size_bytes` rounded up to a multiple of `to_bytes`."""
    return -(-size_bytes // to_bytes) * to_bytes


def field_offset(dtype: np.dtype[Any], name: str) -> int:
    """Bytes from the start of a row to a field, as a plain int (a constant for kernels)."""
    if dtype.fields is None or name not in dtype.fields:
        raise KeyError(f"no field {name!r} in {dtype.names}")
    return int(dtype.fields[name][1])


def constants(names: Iterable[str], values: Iterable[int]) -> Any:
    """Integers by name that kernels read as constants: `STATE.filled`."""
    make: Any = namedtuple  # a type checker cannot follow names that are data
    return make("Constants", tuple(names))(*values)


def offsets_of(dtype: np.dtype[Any]) -> Any:
    """Offsets of a row's fields by name, constants in kernels: `offsets_of(ROW_DTYPE).price`."""
    names = dtype.names or ()
    return constants(names, (field_offset(dtype, name) for name in names))


class Layout:
    """Names and places of the sections of a block, in the order given.

    The first section starts at HEADER_BYTES, so the offsets of leading sections of fixed size are
    constants. Raises ValueError on a repeated name, an empty section or a dtype with objects.
    """

    def __init__(self, sections: Iterable[tuple[str, np.dtype[Any], int]]) -> None:
        self.sections: dict[str, Section] = {}
        offset = HEADER_BYTES
        for name, dtype, count in sections:
            if name in self.sections:
                raise ValueError(f"section {name!r} is declared twice")
            if count < 1 or dtype.itemsize == 0 or dtype.hasobject:
                raise ValueError(f"section {name!r}: expected one or more rows of a plain dtype")
            section = Section(name, dtype, count, offset)
            self.sections[name] = section
            offset = aligned(offset + section.size_bytes)
        self.table_offset = offset
        self.table = json.dumps(
            [
                [s.name, s.offset, s.size_bytes, s.count, _description(s.dtype)]
                for s in self.sections.values()
            ]
        ).encode()
        self.size_bytes = aligned(offset + len(self.table), PAGE_BYTES)
        self.hash = hashlib.sha256(self.table).digest()[:16]

    def offset(self, name: str) -> int:
        """Bytes from the start of the block to a section."""
        return self.sections[name].offset

    def header(self) -> bytes:
        """The header of a block with this layout."""
        sizes = (self.size_bytes, self.table_offset, len(self.table))
        return _HEADER.pack(MAGIC, VERSION, HEADER_BYTES, *sizes, self.hash)


def _description(dtype: np.dtype[Any]) -> str:
    """A dtype as text that `_described` reads back, field offsets and padding included."""
    if dtype.fields is None:
        return repr(dtype.descr[0][1]) if dtype.subdtype is None else repr(_subarray(dtype))
    return repr(_fields(dtype))


def _subarray(dtype: np.dtype[Any]) -> tuple[Any, tuple[int, ...]]:
    assert dtype.subdtype is not None
    base, shape = dtype.subdtype
    return (_fields(base) if base.fields else base.str, shape)


def _fields(dtype: np.dtype[Any]) -> dict[str, Any]:
    assert dtype.fields is not None and dtype.names is not None
    formats: list[Any] = []
    for name in dtype.names:
        kind = dtype.fields[name][0]
        if kind.subdtype is not None:
            formats.append(_subarray(kind))
        else:
            formats.append(_fields(kind) if kind.fields else kind.str)
    offsets = [int(dtype.fields[name][1]) for name in dtype.names]
    names = list(dtype.names)
    return {"names": names, "formats": formats, "offsets": offsets, "itemsize": dtype.itemsize}


def _described(text: str) -> np.dtype[Any]:
    dtype: np.dtype[Any] = np.dtype(ast.literal_eval(text))
    return dtype


class Block:
    """A mapped block. `block["name"]` is a numpy array over a section, shared by all mappings.

    `address` is valid while the block or one of those arrays is alive: keep it while kernels run.
    """

    def __init__(self, memory: mmap.mmap, sections: dict[str, Section], path: Path | None) -> None:
        self._memory = memory
        self._bytes: np.ndarray[Any, Any] | None = np.frombuffer(memory, np.uint8)
        self.sections = sections
        self.path = path
        self.address = int(self._bytes.ctypes.data)
        self.size_bytes = len(memory)

    def __getitem__(self, name: str) -> np.ndarray[Any, Any]:
        if self._bytes is None:
            raise ValueError("the block is closed")
        section = self.sections.get(name)
        if section is None:
            raise KeyError(f"no section {name!r}; the block has {', '.join(self.sections)}")
        raw = self._bytes[section.offset : section.offset + section.size_bytes]
        return raw.view(section.dtype)

    def __iter__(self) -> Iterator[str]:
        return iter(self.sections)

    def __enter__(self) -> Block:
        return self

    def __exit__(self, *_exception: object) -> None:
        self.close()

    def offset(self, name: str) -> int:
        """Bytes from the block's address to a section."""
        return self.sections[name].offset

    def section_address(self, name: str, row: int = 0) -> int:
        """Address of a row of a section, for kernels."""
        section = self.sections[name]
        if not 0 <= row < section.count:
            raise IndexError(f"section {name!r} has {section.count} rows, asked for row {row}")
        return self.address + section.offset + row * section.dtype.itemsize

    def close(self) -> None:
        """Unmaps the block, or leaves that to the last numpy view that is still in use."""
        self._bytes = None
        with suppress(BufferError):
            self._memory.close()


def create(
    sections: Sequence[tuple[str, np.dtype[Any], int]],
    path: Path | None = None,
    *,
    hugepages: bool = False,
) -> Block:
    """A new zeroed block, every page present: a file at `path` (say in /dev/shm), or anonymous.

    The file is its owner's alone (mode 0600). It appears under its name only when it is whole, and
    replaces an older one; processes that had the old one mapped keep it. `hugepages` asks for
    transparent ones and costs nothing if the kernel refuses. Raises OSError when there is no room.
    """
    layout = Layout(sections)
    unfinished = None
    if path is None:
        # Private memory gets huge pages on request; shared memory only where the system says so.
        memory = mmap.mmap(-1, layout.size_bytes, mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
    else:
        unfinished = path.with_name(f".{path.name}.{os.getpid()}")
        memory = _map_new_file(unfinished, layout.size_bytes)
    if hugepages and hasattr(mmap, "MADV_HUGEPAGE"):
        with suppress(OSError):
            memory.madvise(mmap.MADV_HUGEPAGE)
    pages = np.frombuffer(memory, np.uint8)[::PAGE_BYTES]
    pages[:] = 0  # a write to each page now, not a page fault in the loop later
    memory[layout.table_offset : layout.table_offset + len(layout.table)] = layout.table
    header = layout.header()
    memory[: len(header)] = header
    if path is not None and unfinished is not None:
        unfinished.replace(path)
    return Block(memory, layout.sections, path)


def _map_new_file(path: Path, size_bytes: int) -> mmap.mmap:
    # The folder may be everybody's: what already has the name, a link above all, is not written to.
    path.unlink(missing_ok=True)
    flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    descriptor = os.open(path, flags, 0o600)
    try:
        os.posix_fallocate(descriptor, 0, size_bytes)  # a full file system says so here, not later
        return mmap.mmap(descriptor, size_bytes, mmap.MAP_SHARED)
    except OSError as error:
        path.unlink()
        raise OSError(error.errno, f"{path}: no room for a block of {size_bytes} bytes") from error
    finally:
        os.close(descriptor)


def attach(path: Path, *, writable: bool = False, expected: Layout | None = None) -> Block:
    """Maps an existing block, read-only unless `writable`.

    Raises ValueError when the file is no block, is damaged, or is not laid out as `expected`.
    """
    access = mmap.ACCESS_WRITE if writable else mmap.ACCESS_READ
    with path.open("r+b" if writable else "rb") as file:
        if os.fstat(file.fileno()).st_size < HEADER_BYTES:
            raise ValueError(f"{path}: shorter than the {HEADER_BYTES}-byte header of a block")
        memory = mmap.mmap(file.fileno(), 0, access=access)
    try:
        sections = _read_sections(memory, path, expected)
    except ValueError:
        memory.close()
        raise
    return Block(memory, sections, path)


def _read_sections(memory: mmap.mmap, path: Path, expected: Layout | None) -> dict[str, Section]:
    magic, version, _, total, offset, size, digest = _HEADER.unpack_from(memory, 0)
    if magic != MAGIC:
        raise ValueError(f"{path}: offset 0: expected magic {MAGIC!r}, found {magic!r}")
    if version != VERSION:
        raise ValueError(f"{path}: offset 8: expected block version {VERSION}, found {version}")
    if total != len(memory) or offset + size > total:
        raise ValueError(f"{path}: offset 16: header says {total} bytes, file has {len(memory)}")
    table = memory[offset : offset + size]
    if hashlib.sha256(table).digest()[:16] != digest:
        raise ValueError(f"{path}: offset {offset}: section table does not match its hash")
    if expected is not None and expected.hash != digest:
        raise ValueError(f"{path}: laid out differently from what this version expects; remake it")
    try:
        made = [
            Section(str(name), _described(description), int(count), int(start))
            for name, start, _, count, description in json.loads(table)
        ]
    except (TypeError, ValueError, SyntaxError, MemoryError, RecursionError) as error:
        raise ValueError(f"{path}: offset {offset}: section table cannot be read") from error
    for item in made:
        whole = item.count > 0 and HEADER_BYTES <= item.offset <= offset - item.size_bytes
        if not whole or item.dtype.hasobject:
            raise ValueError(f"{path}: section {item.name!r} does not lie inside the block")
    return {item.name: item for item in made}
