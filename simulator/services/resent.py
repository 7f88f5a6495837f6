"""Messages that have left already, as a unit keeps them."""

from __future__ import annotations

from simulator.publishing.unit import UnitStream


def are_kept(unit: UnitStream, first: int) -> bool:
    """Whether messages from a sequence on are still kept."""
    return first >= unit.retained.first


def sent_messages(unit: UnitStream, first: int, last: int) -> list[bytes]:
    """The messages of a range that have left and are still kept, from its first one on."""
    return unit.retained.messages(first, min(last + 1, unit.next_sequence) - first)
