"""Runs the port tests on this machine's Solarflare or AMD NIC, or says why it cannot.

Started by `make efvi-check`.
"""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from efvi_real import why_no_check

TESTS = Path(__file__).parents[1]


def main() -> int:
    """The exit status: 0 all well, 1 a test failed, 2 there is no NIC to test."""
    reason = why_no_check()
    if reason is not None:
        sys.stderr.write(f"efvi-check: {reason}\n")
        return 2
    files = [TESTS / "nic" / "test_nic_port.py", TESTS / "live" / "test_nic_efvi_live.py"]
    return int(pytest.main([*map(str, files), "-k", "efvi-nic or efvi_live", "-rs"]))


if __name__ == "__main__":
    sys.exit(main())
