"""Several captures as one stream of packets in the order of time."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from types import TracebackType
from typing import Final, NamedTuple, Self

import numpy as np
import numpy.typing as npt

from captures._capture import ffi, lib
from captures.errors import CaptureError
from captures.reader import CHUNK_PACKETS, Capture, Packets, open_capture
from captures.records import MERGED_DTYPE, PACKET_DTYPE
from captures.source import Source
from captures.trailers import DEFAULT_WINDOW_S

LOOK_AHEAD_PACKETS: Final = 1024


class MergedFrame(NamedTuple):
    """One packet of a merge; `source` is the index of the capture it came from."""

    timestamp_ns: int
    data: memoryview
    link_type: int
    source: int


def merge_captures(
    sources: Sequence[Source],
    trailer: str | Iterable[str] | None = None,
    *,
    trailer_window_s: float = DEFAULT_WINDOW_S,
    strict: bool = False,
) -> MergedCapture:
    """Opens any number of captures (as `open_capture` does) and merges them by time.

    Equal times come out in the order of `sources`. A capture whose own times go back keeps its
    order. Memory is bounded: LOOK_AHEAD_PACKETS a capture. Raises CaptureError where one of the
    sources is no capture.
    """
    captures: list[Capture] = []
    try:
        for source in sources:
            captures.append(open_capture(source, trailer, trailer_window_s=trailer_window_s))
    except BaseException:
        for capture in captures:
            capture.close()
        raise
    return MergedCapture(captures, strict=strict)


class MergedCapture:
    """Captures being merged. A capture that fails ends there; the others go on (see `errors`)."""

    def __init__(self, captures: Sequence[Capture], *, strict: bool = False) -> None:
        self.captures = list(captures)
        self.strict = strict
        self._merge = ffi.new("swc_merge *")
        self._sources = ffi.new("swc_merge_source[]", max(len(self.captures), 1))
        self._heap = ffi.new("uint32_t[]", max(len(self.captures), 1))
        self._ahead = [np.empty(LOOK_AHEAD_PACKETS, dtype=PACKET_DTYPE) for _ in self.captures]
        for index, capture in enumerate(self.captures):
            slot = self._sources[index]
            slot.cursor = capture.cursor
            slot.ahead = ffi.from_buffer("swc_packet[]", self._ahead[index])
            slot.ahead_capacity = LOOK_AHEAD_PACKETS
            if capture.trailer_reader is not None:
                slot.trailer = capture.trailer_reader.state
        lib.swc_merge_open(self._merge, self._sources, self._heap, len(self.captures))

    @property
    def errors(self) -> list[CaptureError]:
        """What ended captures early, in the order of the sources."""
        return [capture.error for capture in self.captures if capture.error is not None]

    def packets(
        self, chunk_packets: int = CHUNK_PACKETS, *, reuse: bool = False
    ) -> Iterator[Packets]:
        """Yields arrays of MERGED_DTYPE, each of 1 to `chunk_packets` packets, in order of time.

        Every array is fresh unless `reuse`. The packets' bytes lie in the windows of
        `captures[source]` as they are until the next chunk is asked for; `addresses` finds them.
        With `strict`, the first error is raised at the end.
        """
        chunk = np.empty(chunk_packets, dtype=MERGED_DTYPE)
        while (count := self._next(chunk)) > 0:
            yield chunk[:count]
            if not reuse:
                chunk = np.empty(chunk_packets, dtype=MERGED_DTYPE)
        if self.strict and self.errors:
            raise self.errors[0]

    def addresses(self, merged: Packets) -> npt.NDArray[np.uint64]:
        """Where the bytes of each packet of the last chunk lie in memory."""
        bases = np.array(
            [(c.address - c.origin) % (1 << 64) for c in self.captures], dtype=np.uint64
        )
        found: npt.NDArray[np.uint64] = bases[merged["source"]] + merged["packet"]["offset"]
        return found

    def frames(self) -> Iterator[MergedFrame]:
        """Yields (timestamp_ns, data, link_type, source) of every packet in order of time."""
        for chunk in self.packets(4096):
            windows = [capture.data.data for capture in self.captures]
            origins = np.array([capture.origin for capture in self.captures], dtype=np.uint64)
            packet = chunk["packet"]
            begin = packet["offset"] - origins[chunk["source"]]
            for first, last, ns, link, source in zip(
                begin.tolist(),
                (begin + packet["caplen_bytes"]).tolist(),
                packet["timestamp_ns"].tolist(),
                packet["link_type"].tolist(),
                chunk["source"].tolist(),
                strict=True,
            ):
                yield MergedFrame(ns, windows[source][first:last], link, source)

    def _next(self, chunk: Packets) -> int:
        out = ffi.from_buffer("swc_merged[]", chunk)
        while (count := lib.swc_merge_next(self._merge, out, len(chunk))) == lib.SWC_WAIT:
            self.captures[self._merge.waiting].refill()
        if count == lib.SWC_END:
            for capture in self.captures:
                capture.finish()
        return int(count)

    def close(self) -> None:
        for capture in self.captures:
            capture.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()
