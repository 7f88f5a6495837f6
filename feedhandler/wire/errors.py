"""What can be wrong with a message, for the tools that decode and encode in plain Python."""

from __future__ import annotations


class WireError(ValueError):
    """A message that does not fit its table.

    Attributes:
        reason: the fault's name in `feedhandler.faults`.
        offset: of the byte at which reading or writing stopped, from the start of the record.
    """

    def __init__(self, reason: str, detail: str, offset: int = 0) -> None:
        super().__init__(f"{reason} at offset {offset}: {detail}")
        self.reason = reason
        self.offset = offset
