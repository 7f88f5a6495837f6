"""The mapped block: layout, sharing between processes, refusals."""

import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from nic import block as block_module
from nic.block import ALIGNMENT_BYTES, Layout, attach, create, field_offset

INNER = np.dtype([("price", "<i8"), ("side", "u1")], align=True)
SECTIONS = [
    ("counters", np.dtype([("packets", "<u8"), ("reasons", "<u8", (3,))]), 2),
    ("levels", np.dtype([("best", INNER, (2, 2)), ("name", "S8")]), 5),
    ("plain", np.dtype("<u4"), 7),
]


def test_sections_are_aligned_zeroed_and_apart():
    with create(SECTIONS) as block:
        assert list(block) == ["counters", "levels", "plain"]
        end = 0
        for section in block.sections.values():
            assert section.offset % ALIGNMENT_BYTES == 0
            assert section.offset >= end
            end = section.offset + section.size_bytes
            assert not block[section.name].view(np.uint8).any()
            assert block.section_address(section.name) == block[section.name].ctypes.data
        assert end <= block.size_bytes


def test_another_process_reads_it_by_name_alone(tmp_path):
    path = tmp_path / "state"
    with create(SECTIONS, path) as block:
        block["counters"]["packets"] = [5, 6]
        block["levels"]["best"]["price"][4, 1, 1] = -9
        block["plain"][:] = range(7)
        script = (
            "import sys, pathlib; from nic.block import attach\n"
            "b = attach(pathlib.Path(sys.argv[1]))\n"
            "print(b['counters']['packets'].tolist(), b['levels']['best']['price'][4, 1, 1],"
            " b['plain'].sum(), 'numba' in sys.modules)"
        )
        command = [sys.executable, "-c", script, str(path)]
        root = Path(__file__).resolve().parents[2]
        found = subprocess.run(command, capture_output=True, text=True, check=True, cwd=root)
        assert found.stdout.split() == ["[5,", "6]", "-9", "21", "False"]


def test_attached_dtypes_equal_the_declared_ones(tmp_path):
    with create(SECTIONS, tmp_path / "state"), attach(tmp_path / "state") as seen:
        for name, dtype, count in SECTIONS:
            assert seen[name].dtype == dtype
            assert seen[name].shape == (count,)


def test_a_writer_is_seen_by_a_reader_that_cannot_write(tmp_path):
    with create(SECTIONS, tmp_path / "state") as block, attach(tmp_path / "state") as seen:
        block["plain"][3] = 77
        assert seen["plain"][3] == 77
        with pytest.raises(ValueError, match="read-only"):
            seen["plain"][3] = 1
        with attach(tmp_path / "state", writable=True) as other:
            other["plain"][3] = 78
        assert block["plain"][3] == 78


def test_a_new_block_replaces_the_file_and_spares_those_who_have_the_old(tmp_path):
    with create(SECTIONS, tmp_path / "state") as old:
        old["plain"][0] = 1
        with create(SECTIONS, tmp_path / "state") as new, attach(tmp_path / "state") as seen:
            new["plain"][0] = 2
            assert (old["plain"][0], seen["plain"][0]) == (1, 2)
    assert [path.name for path in tmp_path.iterdir()] == ["state"]


@pytest.mark.parametrize(
    ("offset", "message"),
    [(0, "expected magic"), (8, "block version"), (16, "header says"), (-60, "does not match")],
)
def test_a_damaged_file_is_refused_by_name_and_offset(tmp_path, offset, message):
    path = tmp_path / "state"
    create(SECTIONS, path).close()
    data = bytearray(path.read_bytes())
    if offset < 0:
        offset = Layout(SECTIONS).table_offset + 3
    data[offset] ^= 0x55
    path.write_bytes(data)
    with pytest.raises(ValueError, match=message) as error:
        attach(path)
    assert str(path) in str(error.value)


def test_the_file_is_its_owners_alone_and_never_written_through_a_link(tmp_path):
    victim = tmp_path / "victim"
    victim.write_text("precious")
    path = tmp_path / "state"
    path.symlink_to(victim)
    (tmp_path / f".state.{os.getpid()}").symlink_to(victim)
    with create(SECTIONS, path) as block:
        assert block.path == path and not path.is_symlink()
        assert path.stat().st_mode & 0o777 == 0o600
    assert victim.read_text() == "precious"


@pytest.mark.parametrize(
    ("row", "said"),
    [
        (["s", 64, 8, 1 << 40, repr("<u8")], "'s' does not lie inside"),
        (["s", 64, 8, -1, repr("<u8")], "'s' does not lie inside"),
        (["s", 0, 8, 1, repr("<u8")], "'s' does not lie inside"),
        (["s", 1 << 70, 8, 1, repr("<u8")], "'s' does not lie inside"),
        (["s", 64, 8, 1, repr("O")], "'s' does not lie inside"),
        (["s", 64, 8, 1, "(" * 5000], "cannot be read"),
        (["s", 64, 8, 1, "__import__('os')"], "cannot be read"),
        (["s", 64], "cannot be read"),
        (7, "cannot be read"),
    ],
)
def test_a_table_made_up_by_somebody_else_is_refused(tmp_path, row, said):
    path = tmp_path / "state"
    table = json.dumps([row]).encode()
    size_bytes = 128 + len(table)
    sizes = (size_bytes, 128, len(table), hashlib.sha256(table).digest()[:16])
    head = block_module._HEADER.pack(block_module.MAGIC, 1, 64, *sizes)
    path.write_bytes((head.ljust(128, b"\0") + table).ljust(size_bytes, b"\0"))
    with pytest.raises(ValueError, match=said):
        attach(path)


def test_short_file_and_other_layout_are_refused(tmp_path):
    path = tmp_path / "state"
    path.write_bytes(b"SWPBLOCK")
    with pytest.raises(ValueError, match="shorter than"):
        attach(path)
    create(SECTIONS, path).close()
    attach(path, expected=Layout(SECTIONS)).close()
    with pytest.raises(ValueError, match="laid out differently"):
        attach(path, expected=Layout(SECTIONS[:2]))


def test_wrong_declarations_name_the_section():
    with pytest.raises(ValueError, match="'plain' is declared twice"):
        Layout([SECTIONS[2], SECTIONS[2]])
    with pytest.raises(ValueError, match="'none'"):
        Layout([("none", np.dtype("<u8"), 0)])
    with pytest.raises(ValueError, match="'objects'"):
        Layout([("objects", np.dtype(object), 1)])


def test_names_and_rows_that_do_not_exist():
    with create(SECTIONS) as block:
        with pytest.raises(KeyError, match="counters, levels, plain"):
            block["missing"]
        with pytest.raises(IndexError, match="has 2 rows"):
            block.section_address("counters", 2)
    with pytest.raises(ValueError, match="closed"):
        block["plain"]
    with pytest.raises(KeyError, match="sides"):
        field_offset(INNER, "sides")


def test_offsets_by_name_are_those_of_the_fields():
    places = block_module.offsets_of(SECTIONS[0][1])
    assert (places.packets, places.reasons) == (0, 8)
    assert all(type(place) is int for place in places)
