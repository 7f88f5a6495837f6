"""Writing classic pcap with nanosecond times, one packet at a time or in bulk."""

from __future__ import annotations

import contextlib
import os
import struct
import tempfile
from pathlib import Path
from types import TracebackType
from typing import IO, Final, Self

import numpy as np
import numpy.typing as npt

from captures._capture import ffi, lib
from captures.image import Bytes
from captures.reader import Packets
from captures.records import LINK_ETHERNET, PACKET_DTYPE

_NSEC_MAGIC: Final = 0xA1B23C4D
_NS_PER_S: Final = 1_000_000_000
_RECORD: Final = struct.Struct("<IIII")
_BUFFER_BYTES: Final = 1 << 20
_LATEST_NS: Final = (1 << 32) * _NS_PER_S
_SNAPLEN_BYTES: Final = 262_144


class PcapWriter:
    """A little-endian ns pcap of one link type.

    `target` is a path or a binary stream. A path is written under a temporary name beside it and
    takes its place on `close`, whole or not at all; leaving a `with` block by an exception removes
    it. A stream is flushed on close and stays open.
    """

    def __init__(
        self, target: str | os.PathLike[str] | IO[bytes], link_type: int = LINK_ETHERNET
    ) -> None:
        self.link_type = link_type
        self.packet_count = 0
        self._final_path: Path | None = None
        self._buffer = np.empty(_BUFFER_BYTES, dtype=np.uint8)
        if isinstance(target, (str, os.PathLike)):
            self._final_path = Path(target)
            handle, name = tempfile.mkstemp(
                prefix=f".{self._final_path.name}.", dir=self._final_path.parent
            )
            self._part_path = Path(name)
            self._file: IO[bytes] = os.fdopen(handle, "wb", buffering=_BUFFER_BYTES)
        else:
            self._file = target
        header = struct.pack("<IHHiIII", _NSEC_MAGIC, 2, 4, 0, 0, _SNAPLEN_BYTES, link_type)
        self._file.write(header)

    def write(
        self, timestamp_ns: int, data: bytes | memoryview, wire_bytes: int | None = None
    ) -> None:
        """Appends one packet. `wire_bytes` is its full length where `data` was cut.

        Raises ValueError for a time that pcap cannot hold or a packet above 262,144 bytes.
        """
        if not 0 <= timestamp_ns < _LATEST_NS:
            raise ValueError(f"timestamp_ns {timestamp_ns}: expected 0 to {_LATEST_NS - 1}")
        if len(data) > _SNAPLEN_BYTES:
            raise ValueError(f"packet of {len(data)} bytes: expected at most {_SNAPLEN_BYTES}")
        seconds, nanoseconds = divmod(timestamp_ns, _NS_PER_S)
        wire = len(data) if wire_bytes is None else wire_bytes
        self._file.write(_RECORD.pack(seconds, nanoseconds, len(data), wire))
        self._file.write(data)
        self.packet_count += 1

    def write_packets(self, packets: Packets, data: Bytes, origin: int = 0) -> None:
        """Appends PACKET_DTYPE packets whose bytes lie in `data`, a window from `origin` on.

        Raises ValueError where a packet is of another link type, or its bytes are not in `data`.
        """
        offsets = packets["offset"]
        if len(packets):
            ends = offsets + packets["caplen_bytes"]
            if int(offsets.min()) < origin or int(ends.max()) > origin + len(data):
                raise ValueError(f"packets outside of the window of {len(data)} bytes at {origin}")
        base = (data.ctypes.data - origin) % (1 << 64)
        self.write_addressed(packets, offsets + np.uint64(base))

    def write_addressed(self, packets: Packets, addresses: npt.NDArray[np.uint64]) -> None:
        """Appends packets whose bytes lie at `addresses` (see MergedCapture.addresses)."""
        if len(packets) == 0:
            return
        if np.any(packets["link_type"] != self.link_type):
            raise ValueError(f"a packet of another link type: the file's is {self.link_type}")
        if int(packets["timestamp_ns"].max()) >= _LATEST_NS:
            raise ValueError(f"a time after 2106: expected below {_LATEST_NS} ns")
        if int(packets["caplen_bytes"].max()) > _SNAPLEN_BYTES:
            raise ValueError(f"a packet above {_SNAPLEN_BYTES} bytes")
        placed = np.array(packets, dtype=PACKET_DTYPE)
        placed["offset"] = addresses
        records = ffi.from_buffer("swc_packet[]", placed)
        out = ffi.from_buffer("uint8_t[]", self._buffer)
        used = ffi.new("uint64_t *")
        done = 0
        while done < len(placed):
            done += lib.swc_pack(
                ffi.NULL, 0, records + done, len(placed) - done, out, _BUFFER_BYTES, used
            )
            self._file.write(self._buffer.data[: used[0]])
        self.packet_count += len(placed)

    def close(self) -> None:
        """Puts the file in its place, once it is on the disk."""
        if self._file.closed:
            return
        self._file.flush()
        if self._final_path is None:
            return
        os.fsync(self._file.fileno())
        self._file.close()
        with contextlib.suppress(OSError):  # mkstemp made it private; a capture is an ordinary file
            self._part_path.chmod(0o666 & ~_umask())
        self._part_path.replace(self._final_path)

    def discard(self) -> None:
        """Gives up what was written; a file that was there before stays as it was."""
        if self._final_path is not None and not self._file.closed:
            self._file.close()
            self._part_path.unlink(missing_ok=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if kind is None:
            self.close()
        else:
            self.discard()


def _umask() -> int:
    """The process's file mode mask, from /proc because os.umask cannot ask without setting."""
    status = Path("/proc/self/status").read_text()
    lines = (line.split()[1] for line in status.splitlines() if line.startswith("Umask:"))
    return int(next(lines, "022"), 8)
