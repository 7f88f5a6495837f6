"""The ef_vi backend's own source over a double of libciul, and rigs that offer traffic through it.

The extension is compiled once a test session, into a temporary folder.
"""

from __future__ import annotations

import importlib.util
import shutil
import tempfile
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any, ClassVar

from cffi import FFI
from port_rigs import GROUP, HEADERS_BYTES, UDP_PORT, Rig, udp_frame

from nic.build_core import declarations
from nic.build_efvi import SOURCES
from nic.efvi import open_efvi
from nic.port import Port
from nic.uri import parse_uri

REPOSITORY = Path(__file__).parents[2]
CSRC = REPOSITORY / "nic" / "csrc"
DOUBLES = Path(__file__).with_name("doubles")
DOUBLE_SOURCES = ("ciul.c", "ciul_vi.c", "ciul_rx.c", "ciul_tx.c")
PEER = "127.0.0.1"
PEER_MAC = "02:00:00:00:00:09"
X3_MTU_BYTES = 1980


def c_sources() -> list[Path]:
    """The backend's files and those of the double."""
    return [CSRC / name for name in SOURCES] + [DOUBLES / name for name in DOUBLE_SOURCES]


@cache
def load_double() -> Any:
    """The module: `ffi`, and a `lib` with the backend (swp_efvi_*) and the double (ciul_*)."""
    folder = Path(tempfile.mkdtemp(prefix="sweepwire-efvi-"))
    builder = FFI()
    builder.cdef(declarations(CSRC / "efvi.h"))
    builder.cdef(declarations(DOUBLES / "ciul_control.h"))
    builder.set_source(
        "_efvi_double",
        '#include "efvi.h"\n#include "ciul_control.h"\n',
        sources=list(map(str, c_sources())),
        include_dirs=[str(CSRC), str(DOUBLES)],
        extra_compile_args=["-std=gnu11", "-O1", "-Wall", "-Wextra"],
    )
    try:
        path = builder.compile(tmpdir=str(folder))
        spec = importlib.util.spec_from_file_location("_efvi_double", path)
        assert spec is not None and spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
    finally:
        shutil.rmtree(folder)  # what is loaded stays mapped
    return module


class EfviRig(Rig):
    """Offers the traffic to an EF10 NIC (X2, SFN8000) that the double plays.

    Attributes:
        drops_path: what the interface's counter of lost frames is for the port.
    """

    scheme = "efvi"
    label = "efvi-ef10"
    kind: ClassVar[str] = "CIUL_EF10"
    mtu_bytes: ClassVar[int] = 9018 + HEADERS_BYTES

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        module = load_double()
        self.module, self.ffi, self.lib = module, module.ffi, module.lib
        self.drops_path = folder / "rx_dropped"
        self.lib.ciul_reset()
        self.set(KIND=getattr(self.lib, self.kind), MTU_BYTES=self.mtu_bytes)
        self.write_drops()

    @classmethod
    def why_not(cls) -> str | None:
        return None if shutil.which("gcc") or shutil.which("cc") else "no C compiler"

    def set(self, **settings: int) -> None:
        """Sets CIUL_* of the double."""
        for name, value in settings.items():
            self.lib.ciul_set(getattr(self.lib, f"CIUL_{name}"), value)

    def open_with(self, options: str = "", *, device: str = "lo", source: bool = True) -> Port:
        """A port with these options, joined to nothing."""
        parts = [f"source={PEER}&to={PEER}@{PEER_MAC}"] if source else []
        parts += [options] if options else []
        uri = f"efvi:{device}" + ("?" if parts else "") + "&".join(parts)
        return Port(uri, open_efvi(parse_uri(uri), self.module, str(self.drops_path)))

    def open(
        self,
        payloads: Sequence[bytes],
        *,
        ring: int = 4096,
        keep_bytes: int | None = None,
        rcvbuf_bytes: int = 1 << 22,
    ) -> Port:
        queue = 512 if rcvbuf_bytes < 1 << 20 else 2048
        kept = f"&frame={HEADERS_BYTES + keep_bytes}" if keep_bytes is not None else ""
        port = self.open_with(f"ring={ring}&rx_queue={queue}{kept}")
        port.join(GROUP, UDP_PORT)
        for payload in payloads:
            self.inject(udp_frame(payload))
        self.write_drops()
        return port

    def send(self, payload: bytes) -> None:
        self.inject(udp_frame(payload))
        self.write_drops()

    def inject(self, frame: bytes, fault: str = "GOOD") -> int:
        """A frame comes in; the number of queues that took it."""
        code = getattr(self.lib, f"CIUL_{fault}")
        return int(self.lib.ciul_inject(frame, len(frame), code))

    def write_drops(self) -> None:
        """What the kernel would show as statistics/rx_dropped."""
        self.drops_path.write_text(f"{100 + self.lib.ciul_drops()}\n")

    def sent(self) -> list[bytes]:
        """The frames on the wire."""
        out = self.ffi.new("unsigned char[]", 16384)
        frames = []
        for index in range(self.lib.ciul_sent_count()):
            length = self.lib.ciul_sent(index, out, len(out))
            frames.append(bytes(self.ffi.buffer(out, length)))
        return frames

    def features(self, port: Port) -> int:
        """OR of SWP_EFVI_*."""
        return int(self.lib.swp_efvi_features(port.handle))

    def violation(self) -> str:
        """What the port did against the interface's contract, "" for nothing."""
        return str(self.ffi.string(self.lib.ciul_violation()).decode())

    def close(self) -> None:
        left = int(self.lib.ciul_live())
        violation = self.violation()
        self.lib.ciul_reset()
        assert (violation, left) == ("", 0)


class EfviX3Rig(EfviRig):
    """The same with an X3: shared receive buffers, CTPIO alone."""

    label = "efvi-x3"
    kind = "CIUL_X3"
    mtu_bytes = X3_MTU_BYTES
    longest_bytes = 1900
