"""Keeping cores awake: /dev/cpu_dma_latency, which holds for as long as somebody has it open."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

DEVICE = Path("/dev/cpu_dma_latency")


@contextmanager
def dma_latency(limit_us: int = 0, device: Path = DEVICE) -> Iterator[str | None]:
    """No core of the machine sleeps so deep that waking takes longer than `limit_us`.

    Yields None while that holds, or the reason why it does not: the caller runs on without. Costs
    power and heat on all cores, and turbo where idle cores would have lent theirs. The kernel takes
    the limit back when the file is closed, also by a crash.
    """
    try:
        descriptor = os.open(device, os.O_WRONLY | os.O_CLOEXEC)
    except OSError as error:
        yield f"{device}: {error.strerror}"
        return
    try:
        os.write(descriptor, limit_us.to_bytes(4, "little", signed=True))
        reason = None
    except OSError as error:
        reason = f"{device}: {error.strerror}"
    try:
        yield reason
    finally:
        os.close(descriptor)
