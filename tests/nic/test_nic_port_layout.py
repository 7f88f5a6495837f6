"""The numpy mirrors of C structs, and the constants, are what the C compiler made."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from nic import layout
from nic._core import ffi, lib
from nic.build_core import declarations
from nic.port import PortStats


@pytest.mark.parametrize(
    ("dtype", "name"),
    [
        (layout.DESCRIPTOR_DTYPE, "swp_descriptor"),
        (layout.STATS_DTYPE, "swp_stats"),
        (layout.CLOCK_DTYPE, "swp_clock"),
    ],
)
def test_records_mirror_the_struct(dtype: np.dtype, name: str) -> None:
    fields = [(field, info.offset) for field, info in ffi.typeof(name).fields]
    assert fields == [(field, dtype.fields[field][1]) for field in dtype.names]
    assert dtype.itemsize == ffi.sizeof(name)


def test_constants_mirror_the_header() -> None:
    assert layout.DESCRIPTOR_BYTES == ffi.sizeof("swp_descriptor") == 32
    assert (layout.RX_END, layout.RX_ERROR) == (lib.SWP_END, lib.SWP_ERROR)
    for flag in ("HW_TIMESTAMP", "CLOCK_IN_SYNC", "BAD_FRAME", "TRUNCATED"):
        assert getattr(layout, f"FLAG_{flag}") == getattr(lib, f"SWP_FLAG_{flag}")
    for source in ("REALTIME", "TSC"):
        assert getattr(layout, f"CLOCK_{source}") == getattr(lib, f"SWP_CLOCK_{source}")


def test_counters_have_the_struct_s_names() -> None:
    assert PortStats._fields == layout.STATS_DTYPE.names


def test_a_header_without_the_lines_is_refused(tmp_path: Path) -> None:
    header = tmp_path / "odd.h"
    header.write_text("int x;")
    with pytest.raises(ValueError, match=r"odd\.h: expected the lines"):
        declarations(header)
