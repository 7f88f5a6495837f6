"""Reading one capture: `open_capture`, packets in bulk, frames one at a time."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from types import TracebackType
from typing import Any, Final, NamedTuple, Self

import numpy as np
import numpy.typing as npt

from captures._capture import ffi, lib
from captures.errors import CaptureError
from captures.image import Bytes
from captures.records import PACKET_DTYPE, TRAILER_DTYPE
from captures.source import Source, name_of, open_image
from captures.trailers import DEFAULT_WINDOW_S, TrailerReader, replace_times

CHUNK_PACKETS: Final = 65_536

Packets = npt.NDArray[np.void]


class Frame(NamedTuple):
    """One packet for tools: the captured bytes are a view into the file, not a copy."""

    timestamp_ns: int
    data: memoryview
    link_type: int


def open_capture(
    source: Source,
    trailer: str | Iterable[str] | None = None,
    *,
    trailer_window_s: float = DEFAULT_WINDOW_S,
    strict: bool = False,
) -> Capture:
    """Opens a pcap, pcapng or ERF capture, also compressed with gzip, xz or zstd.

    `source` is a path or a binary stream (`sys.stdin.buffer`, a pipe, a socket's file); "-" is the
    standard input. With `trailer` (a name of `trailers.KINDS`, or several) packet times are those
    of the hardware trailers found. With `strict`, an error inside the capture is raised once all
    before it was read; otherwise it is left in `Capture.error`.

    Raises CaptureError where there is no capture: no such file, empty, text, unknown format.
    """
    if source == "-":
        source = sys.stdin.buffer
    return Capture(source, trailer, trailer_window_s=trailer_window_s, strict=strict)


class Capture:
    """One capture, read once from front to back. Use `open_capture`, and `with` to close it.

    `format` is one of pcap-usec-LE, pcap-usec-BE, pcap-nsec-LE, pcap-nsec-BE, pcapng, erf.
    `error` is what ended the reading early, if anything did; `packet_count` counts packets so far.
    """

    def __init__(
        self,
        source: Source,
        trailer: str | Iterable[str] | None = None,
        *,
        trailer_window_s: float = DEFAULT_WINDOW_S,
        strict: bool = False,
    ) -> None:
        self.name = name_of(source)
        self.error: CaptureError | None = None
        self.strict = strict
        self.trailer_reader = None if trailer is None else TrailerReader(trailer, trailer_window_s)
        self.trailers: npt.NDArray[np.void] = np.empty(0, dtype=TRAILER_DTYPE)
        self.cursor = ffi.new("swc_cursor *")
        self.image, self._damage = open_image(source, self.name)
        try:
            self._detect()
        except BaseException:
            self.close()
            raise

    def _detect(self) -> None:
        image, cursor = self.image, self.cursor
        lib.swc_open(cursor, ffi.from_buffer(image.data), len(image.data), image.final)
        lib.swc_next(cursor, ffi.NULL, 0)
        while cursor.format == lib.SWC_FORMAT_UNKNOWN and not cursor.error:
            self.refill()
            lib.swc_next(cursor, ffi.NULL, 0)
        if cursor.error:
            raise self._what_went_wrong()

    @property
    def format(self) -> str:
        return str(ffi.string(lib.swc_format_name(self.cursor.format)), "ascii")

    @property
    def packet_count(self) -> int:
        return int(self.cursor.packet_count)

    @property
    def skipped_count(self) -> int:
        """Records that are no packets: statistics, names, padding, unknown blocks."""
        return int(self.cursor.skipped_count)

    @property
    def data(self) -> Bytes:
        """The window of the file that the last chunk's packets lie in (uint8, read-only)."""
        return self.image.data

    @property
    def origin(self) -> int:
        """Where `data` begins in the file: a packet's bytes are at data[offset - origin:]."""
        return self.image.origin

    @property
    def address(self) -> int:
        """The address of `data`, for kernels: a packet is at address + offset - origin."""
        return int(self.image.data.ctypes.data)

    def packets(
        self, chunk_packets: int = CHUNK_PACKETS, *, reuse: bool = False
    ) -> Iterator[Packets]:
        """Yields arrays of PACKET_DTYPE, each of 1 to `chunk_packets` packets.

        Every array is fresh and stays good, unless `reuse` asks for one array to be filled again
        and again. `data`, `origin`, `address` and `trailers` (TRAILER_DTYPE, one entry a packet,
        when `trailer` was asked for) belong to the chunk just yielded. From a pipe a chunk comes as
        soon as there is a packet. Ends at the capture's end or first error: see `error`.
        """
        chunk = np.empty(chunk_packets, dtype=PACKET_DTYPE)
        while True:
            count = self._next(chunk)
            if count < 0:
                break
            if self.trailer_reader is not None:
                self.trailers = self.trailer_reader.read(chunk[:count], self.data, self.origin)
                replace_times(chunk[:count], self.trailers)
            yield chunk[:count]
            if not reuse:
                chunk = np.empty(chunk_packets, dtype=PACKET_DTYPE)
        if self.error is not None and self.strict:
            raise self.error

    def frames(self) -> Iterator[Frame]:
        """Yields (timestamp_ns, data, link_type) of every packet, for tools that look at each.

        `data` is the frame as captured, with whatever padding or trailer follows the datagram. It
        stays good as long as it is held.
        """
        for chunk in self.packets(4096):
            window = self.data.data
            begin = (chunk["offset"] - np.uint64(self.origin)).tolist()
            end = (chunk["offset"] - np.uint64(self.origin) + chunk["caplen_bytes"]).tolist()
            times = chunk["timestamp_ns"].tolist()
            for first, last, ns, link in zip(
                begin, end, times, chunk["link_type"].tolist(), strict=True
            ):
                yield Frame(ns, window[first:last], link)

    def _next(self, chunk: Packets) -> int:
        out = ffi.from_buffer("swc_packet[]", chunk)
        while (count := lib.swc_next(self.cursor, out, len(chunk))) == lib.SWC_WAIT:
            self.refill()
        if count < 0:
            self.finish()
        return int(count)

    def finish(self) -> None:
        """Sets `error` once the cursor has come to its end."""
        self.error = self._what_went_wrong() if self.cursor.error else self._damage

    def refill(self) -> None:
        """Gets the cursor the next window of a stream; waits for it."""
        image = self.image
        image.advance(self.cursor.position)
        lib.swc_window(
            self.cursor, ffi.from_buffer(image.data), image.origin, len(image.data), image.final
        )
        self._damage = getattr(image, "damage", None) or self._damage

    def _what_went_wrong(self) -> CaptureError:
        """A compressed file that ends early explains a truncated record better than the record."""
        cursor = self.cursor
        cut = cursor.error in (lib.SWC_ERROR_TRUNCATED, lib.SWC_ERROR_EMPTY)
        if self._damage is not None and cut:
            return self._damage
        return error_of(self.name, cursor)

    def close(self) -> None:
        """Gives the file up. Frames and windows that are still held stay readable."""
        self.image.close()
        cursor = self.cursor
        cursor.base, cursor.origin, cursor.size_bytes = ffi.NULL, cursor.position, 0
        cursor.final = 1

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()


def error_of(name: str, cursor: Any) -> CaptureError:
    """The cursor's error in words, with what was found and expected."""
    reason = str(ffi.string(lib.swc_error_text(cursor.error)), "ascii")
    value, limit = int(cursor.error_value), int(cursor.error_limit)
    detail = {
        lib.SWC_ERROR_UNKNOWN_FORMAT: f" (begins with {value.to_bytes(8, 'little')[:4].hex()})",
        lib.SWC_ERROR_VERSION: (
            f" {value >> 16}.{value & 0xFFFF}, expected {limit >> 16}.{limit & 0xFFFF}"
        ),
        lib.SWC_ERROR_TRUNCATED: f": {value} of {limit} bytes are there",
        lib.SWC_ERROR_LENGTH: f": {value}, expected at most or exactly {limit}",
        lib.SWC_ERROR_INTERFACE: f": interface {value}, {limit} are described",
    }.get(cursor.error, "")
    return CaptureError(name, int(cursor.error_offset), reason + detail)
