"""What every test may ask for."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import settings

# No test asserts how long something takes: the first example may compile a kernel.
settings.register_profile("house", deadline=None)
settings.load_profile("house")

ROOT = Path(__file__).resolve().parent.parent
# Tests run in several processes, the tests of a file in one. These files join groups on the
# loopback interface, where each would hear the others: they run by themselves, see the Makefile.
ON_LOOPBACK = frozenset(
    f"test_{name}"
    for name in (
        "nic_port", "nic_port_call", "nic_port_dpdk", "nic_port_socket", "nic_port_thread",
        "entry_datagrams", "recovery_multicast_live", "recovery_cme_live", "live_market",
        "console_venue", "run_in_namespaces",
    )
)  # fmt: skip


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Marks the tests that may not run beside each other."""
    for item in items:
        if item.path.stem in ON_LOOPBACK:
            item.add_marker(pytest.mark.loopback)


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
