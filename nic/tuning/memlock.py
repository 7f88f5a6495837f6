"""Locking a process's memory, so that the loop never waits for a page."""

from __future__ import annotations

import ctypes
import os
import resource
from pathlib import Path

from nic.tuning.backends import has_capability

_CAP_IPC_LOCK = 14
_MCL_CURRENT, _MCL_FUTURE = 1, 2


def lock_memory(sysroot: Path = Path("/")) -> str | None:
    """Locks all memory this process has and will have. None, or the reason why it is not locked.

    Costs as much memory as the process has mapped: what was never touched becomes real too. With a
    limit (RLIMIT_MEMLOCK) and without CAP_IPC_LOCK nothing is locked, for the first mapping beyond
    the limit would fail in the middle of the day.
    """
    limit, _ = resource.getrlimit(resource.RLIMIT_MEMLOCK)
    if limit != resource.RLIM_INFINITY and not has_capability(sysroot, _CAP_IPC_LOCK):
        return f"RLIMIT_MEMLOCK is {limit} bytes: LimitMEMLOCK=infinity or CAP_IPC_LOCK lifts it"
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.mlockall(_MCL_CURRENT | _MCL_FUTURE) != 0:
        return f"mlockall: {os.strerror(ctypes.get_errno())}"
    return None


def unlock_memory() -> None:
    """Takes all locks back."""
    ctypes.CDLL(None).munlockall()
