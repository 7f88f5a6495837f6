"""Opening: from a path or a stream to an image, with compression taken off on the way."""

from __future__ import annotations

import io
import os
import select
import stat
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, Any

from captures.compressed import MAGIC_BYTES, compression_of, expand, expand_to_file
from captures.errors import CaptureError
from captures.image import Image, MappedImage
from captures.stream import READ_BYTES, StreamImage, reader_of

Source = str | os.PathLike[str] | IO[bytes]


def name_of(source: Source) -> str:
    """How errors call a source: its path, or what the stream says of itself."""
    if isinstance(source, (str, os.PathLike)):
        return os.fspath(source)
    name = getattr(source, "name", None)
    return name if isinstance(name, str) else "stream"


def open_image(source: Source, name: str) -> tuple[Image, CaptureError | None]:
    """The bytes of a capture, expanded. The error is of a compressed file that ends early.

    Regular files are mapped; anything else is read as it comes. Raises CaptureError where the
    source cannot be opened.
    """
    if not isinstance(source, (str, os.PathLike)):
        return _open_stream(source, name, None), None
    try:
        file = Path(source).open("rb", buffering=0)  # noqa: SIM115  (a pipe stays open)
        status = os.fstat(file.fileno())
        if not stat.S_ISREG(status.st_mode):
            return _open_stream(file, name, file.close), None
        with file:
            return _open_regular(file, status.st_size, name)
    except OSError as error:
        raise CaptureError(name, None, f"cannot open: {error.strerror}") from None


def _open_regular(file: io.FileIO, size_bytes: int, name: str) -> tuple[Image, CaptureError | None]:
    compression = compression_of(os.pread(file.fileno(), MAGIC_BYTES, 0))
    if compression is None:
        return MappedImage(file.fileno(), size_bytes), None
    expanded, damage = expand_to_file(_read_function(file), compression, name)
    with expanded:
        descriptor = expanded.fileno()
        return MappedImage(descriptor, os.fstat(descriptor).st_size), damage


def _open_stream(stream: Any, name: str, close: Callable[[], None] | None) -> StreamImage:
    read = _read_function(stream)
    head = b""
    while len(head) < MAGIC_BYTES and (more := read(READ_BYTES)):
        head += more
    compression = compression_of(head)
    read = _with_head(head, read)
    if compression:
        read = reader_of(expand(read, compression, name))
    return StreamImage(read, close)


def _with_head(head: bytes, read: Callable[[int], bytes]) -> Callable[[int], bytes]:
    """Gives back what was read to tell the compression."""
    pieces: Iterator[bytes] = iter([head] if head else [])

    def read_on(size_bytes: int) -> bytes:
        return next(pieces, None) or read(size_bytes)

    return read_on


def _read_function(stream: Any) -> Callable[[int], bytes]:
    """One system call a read where the stream allows it, so that packets appear as they arrive."""
    read = getattr(stream, "read1", None) or stream.read

    def read_some(size_bytes: int) -> bytes:
        while True:
            data: bytes | None = read(size_bytes)
            if data is not None:
                return data
            _wait_readable(stream)

    return read_some


def _wait_readable(stream: Any) -> None:
    """A stream in non-blocking mode answers None when it has nothing."""
    select.select([stream], [], [])
