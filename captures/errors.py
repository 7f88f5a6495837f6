"""The one exception of this package."""

from __future__ import annotations


class CaptureError(Exception):
    """What is wrong with a capture: in which file, at which byte, and what was expected there.

    Attributes: `name` (path, or how a stream is called), `offset_bytes` (from the start of the file
    as it lies on disk or comes from the pipe; None where no place can be named) and `reason`.
    """

    def __init__(self, name: str, offset_bytes: int | None, reason: str) -> None:
        self.name = name
        self.offset_bytes = offset_bytes
        self.reason = reason
        where = "" if offset_bytes is None else f" at byte {offset_bytes}"
        super().__init__(f"{name}: {reason}{where}")

    def __reduce__(self) -> tuple[type[CaptureError], tuple[str, int | None, str]]:
        return CaptureError, (self.name, self.offset_bytes, self.reason)
