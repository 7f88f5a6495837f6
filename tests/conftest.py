"""What every test may ask for."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import settings

# No test asserts how long something takes: the first example may compile a kernel.
settings.register_profile("house", deadline=None)
settings.load_profile("house")

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="session")
def repository() -> Path:
    """The root of the checkout."""
    return ROOT


@pytest.fixture(scope="session")
def real_captures() -> Path:
    """The folder of real exchange captures; skips where it is absent."""
    folder = ROOT.parent / "shared" / "real"
    if not (folder / "manifest.json").is_file():
        pytest.skip("no folder of real captures beside the checkout")
    return folder
