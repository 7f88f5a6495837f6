"""Fixtures of the tests of ef_vi ports over the double."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from efvi_double import EfviRig, EfviX3Rig

from nic.layout import DESCRIPTOR_DTYPE
from nic.port import Port


def _made(kind: type[EfviRig], folder: Path) -> Iterator[EfviRig]:
    reason = kind.why_not()
    if reason is not None:
        pytest.skip(reason)
    rig = kind(folder)
    try:
        yield rig
    finally:
        rig.close()


@pytest.fixture
def ef10(tmp_path: Path) -> Iterator[EfviRig]:
    """A rig with an X2."""
    yield from _made(EfviRig, tmp_path)


@pytest.fixture
def x3(tmp_path: Path) -> Iterator[EfviRig]:
    """A rig with an X3."""
    yield from _made(EfviX3Rig, tmp_path)


@pytest.fixture(params=(EfviRig, EfviX3Rig), ids=lambda kind: kind.label)
def nic(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[EfviRig]:
    """A rig with either."""
    yield from _made(request.param, tmp_path)


def burst(port: Port, count: int) -> np.ndarray:
    """Up to `count` frames of one poll, unreleased."""
    descriptors = np.zeros(count, DESCRIPTOR_DTYPE)
    return descriptors[: max(port.rx_burst(descriptors), 0)]
