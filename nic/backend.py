"""What a backend brings to the table of `nic.port`, and what it hands over when it is opened."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from nic._core import ffi
from nic.uri import OptionReader, PortUri


class PortError(OSError):
    """A port that cannot be opened or used; the message says which and why."""


@dataclass(frozen=True, slots=True)
class OpenBackend:
    """A port as C knows it.

    `regions` are the (address, size in bytes) of memory that its frames lie in. `keep` holds what
    must live as long as the port: memory maps, configuration, the clock.
    """

    ops: Any
    handle: Any
    regions: tuple[tuple[int, int], ...] = ()
    keep: list[Any] = field(default_factory=list)

    @classmethod
    def at(
        cls,
        ops_address: int,
        handle_address: int,
        regions: tuple[tuple[int, int], ...] = (),
        keep: list[Any] | None = None,
    ) -> OpenBackend:
        """A port of an extension of its own, which gives addresses as integers."""
        ops, handle = ffi.cast("swp_ops *", ops_address), ffi.cast("void *", handle_address)
        return cls(ops, handle, regions, keep or [])


@dataclass(frozen=True, slots=True)
class Backend:
    """One row of the table: how a scheme is opened, or why it cannot be on this machine.

    `missing` takes the root of the file system (tests have a fake one) and gives the reason.
    """

    scheme: str
    summary: str
    missing: Callable[[Path], str | None]
    open: Callable[[PortUri], OpenBackend] | None = None
    options: Mapping[str, OptionReader] = field(default_factory=dict)
