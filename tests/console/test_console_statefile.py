"""Blocks of killed loops go away, and nothing else does."""

import os
import subprocess
import sys

import numpy as np
import pytest

from console import statefile
from nic.block import create


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.setattr(statefile, "SHARED_MEMORY", tmp_path)
    return tmp_path


@pytest.fixture
def gone_pid():
    """The id of a process that has ended."""
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    return process.pid


def make(path, pid, namespace=None):
    with create(statefile.sections(1, 1), path) as block:
        block["about"]["pid"] = pid
        own = statefile.pid_namespace()
        block["about"]["namespace"] = own if namespace is None else namespace
    return path


def test_the_block_of_a_killed_loop_is_removed(folder, gone_pid):
    left = make(statefile.path_of(str(gone_pid)), gone_pid)
    assert statefile.remove_stale() == [left]
    assert list(folder.iterdir()) == []


def test_what_is_in_use_or_named_or_not_ours_stays(folder, gone_pid):
    make(statefile.path_of(str(os.getpid())), os.getpid())
    make(statefile.path_of("mine"), gone_pid)
    make(statefile.path_of(str(gone_pid)), gone_pid, namespace=1)
    make(folder / "elsewhere", gone_pid)
    before = sorted(folder.iterdir())
    assert statefile.remove_stale() == []
    assert sorted(folder.iterdir()) == before


def test_links_and_other_files_are_left_alone(folder, gone_pid, tmp_path_factory):
    target = make(tmp_path_factory.mktemp("other") / "state", gone_pid)
    statefile.path_of(str(gone_pid)).symlink_to(target)
    statefile.path_of(str(gone_pid) + "0" * 9).write_bytes(b"no block")
    assert statefile.remove_stale() == []
    assert target.exists() and len(list(folder.iterdir())) == 2
    assert statefile.path_of(str(gone_pid)) not in statefile.blocks()


def test_a_block_that_lacks_what_names_its_owner_stays(folder, gone_pid):
    path = statefile.path_of(str(gone_pid))
    create([("plain", np.dtype("<u8"), 1)], path).close()
    assert statefile.remove_stale() == []
    assert path.exists()
