"""Compressed captures: gzip, xz and zstd, told by their magic and never by a file's name.

All are expanded piece by piece. A stream that ends early or is damaged raises CaptureError after
everything that could be expanded was handed out.
"""

from __future__ import annotations

import lzma
import tempfile
import zlib
from collections.abc import Callable, Iterator
from typing import IO, Final, Protocol

import zstandard

from captures.errors import CaptureError

Read = Callable[[int], bytes]

_MAGICS: Final = {b"\x1f\x8b": "gzip", b"\xfd7zXZ\x00": "xz", b"\x28\xb5\x2f\xfd": "zstd"}
MAGIC_BYTES: Final = 6

_INPUT_BYTES: Final = 1 << 16
_OUTPUT_BYTES: Final = 1 << 20
_XZ_MEMORY_BYTES: Final = 1 << 28  # `xz -9` needs 65 MiB; a made-up header may ask for 4 GiB
# A zstd block of 4 bytes can stand for 128 KiB, and its decoder takes no output limit: this much
# input is 16 MiB at worst.
_ZSTD_INPUT_BYTES: Final = 512


class _Member(Protocol):
    """One gzip member, xz stream or zstd frame: they all may be followed by another."""

    @property
    def eof(self) -> bool: ...

    @property
    def unused_data(self) -> bytes: ...

    def pieces(self, data: bytes) -> Iterator[bytes]: ...


class _Gzip:
    def __init__(self) -> None:
        self._decoder = zlib.decompressobj(wbits=31)

    @property
    def eof(self) -> bool:
        return self._decoder.eof

    @property
    def unused_data(self) -> bytes:
        return self._decoder.unused_data

    def pieces(self, data: bytes) -> Iterator[bytes]:
        while True:
            piece = self._decoder.decompress(data, _OUTPUT_BYTES)
            data = self._decoder.unconsumed_tail
            if piece:
                yield piece
            if self.eof or (not data and len(piece) < _OUTPUT_BYTES):
                return


class _Xz:
    def __init__(self) -> None:
        self._decoder = lzma.LZMADecompressor(lzma.FORMAT_XZ, memlimit=_XZ_MEMORY_BYTES)

    @property
    def eof(self) -> bool:
        return self._decoder.eof

    @property
    def unused_data(self) -> bytes:
        return self._decoder.unused_data

    def pieces(self, data: bytes) -> Iterator[bytes]:
        while True:
            piece = self._decoder.decompress(data, _OUTPUT_BYTES)
            data = b""
            if piece:
                yield piece
            if self.eof or self._decoder.needs_input:
                return


class _Zstd:
    def __init__(self) -> None:
        self._decoder = zstandard.ZstdDecompressor().decompressobj()
        self.eof = False
        self.unused_data = b""

    def pieces(self, data: bytes) -> Iterator[bytes]:
        for at in range(0, len(data), _ZSTD_INPUT_BYTES):
            if piece := self._decoder.decompress(data[at : at + _ZSTD_INPUT_BYTES]):
                yield piece
            if self._decoder.eof:
                self.eof = True
                self.unused_data = self._decoder.unused_data + data[at + _ZSTD_INPUT_BYTES :]
                return


_MEMBERS: Final[dict[str, Callable[[], _Member]]] = {"gzip": _Gzip, "xz": _Xz, "zstd": _Zstd}


def compression_of(head: bytes) -> str | None:
    """`gzip`, `xz`, `zstd`, or None for a file that begins with these bytes (MAGIC_BYTES do)."""
    return next((name for magic, name in _MAGICS.items() if head.startswith(magic)), None)


def _after_padding(data: bytes, read: Read) -> tuple[bytes, int]:
    """Skips zeros, which are allowed between and after members. Returns what follows, and how many.

    What follows is b"" at the end of the file.
    """
    skipped_bytes = 0
    while True:
        rest = data.lstrip(b"\0")
        skipped_bytes += len(data) - len(rest)
        if rest:
            return rest, skipped_bytes
        data = read(_INPUT_BYTES)
        if not data:
            return b"", skipped_bytes


def expand(read: Read, compression: str, name: str) -> Iterator[bytes]:
    """Yields the expanded bytes of a compressed stream, in pieces of 1 MiB at most (zstd: 16 MiB).

    `read(n)` returns compressed bytes, b"" at the end. Raises CaptureError with the offset in the
    compressed stream where it ends early or is damaged.
    """
    offset = 0
    data = read(_INPUT_BYTES)
    while data:
        member = _MEMBERS[compression]()
        while True:
            try:
                yield from member.pieces(data)
            except (zlib.error, lzma.LZMAError, zstandard.ZstdError) as error:
                raise CaptureError(name, offset, f"damaged {compression} data ({error})") from None
            offset += len(data)
            if member.eof:
                break
            data = read(_INPUT_BYTES)
            if not data:
                reason = f"truncated {compression} data: expected more after the end of the file"
                raise CaptureError(name, offset, reason)
        offset -= len(member.unused_data)
        data, skipped_bytes = _after_padding(member.unused_data, read)
        offset += skipped_bytes


def expand_to_file(
    read: Read, compression: str, name: str
) -> tuple[IO[bytes], CaptureError | None]:
    """Expands into an unlinked temporary file (in TMPDIR), with a piece in memory at a time.

    Returns the file and, where the compressed data ends early, what is wrong with it.
    """
    file = tempfile.TemporaryFile(prefix="sweepwire-")  # noqa: SIM115  (given to the caller)
    damage = None
    try:
        for piece in expand(read, compression, name):
            file.write(piece)
        file.flush()
    except CaptureError as error:
        damage = error
        file.flush()
    except OSError as error:
        file.close()
        where = tempfile.gettempdir()
        raise CaptureError(name, None, f"cannot expand into {where}: {error.strerror}") from None
    return file, damage
