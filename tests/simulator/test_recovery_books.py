"""Lost books come back whole over the venues' own services, and are never live while wrong."""

from __future__ import annotations

import random

import pytest
from event_rig import LISTINGS
from recovery_rig import PROTOCOLS, Rig, play


def some(seed: str, rate: float):
    """Loses a share of the packets."""
    chance = random.Random(seed)
    return lambda _number: chance.random() < rate


def nothing(_number: int) -> bool:
    """Loses nothing."""
    return False


@pytest.mark.parametrize("venue", PROTOCOLS)
def test_what_one_line_loses_the_other_brings(venue: str) -> None:
    with Rig(venue) as rig:
        play(rig, f"one {venue}", 150, some(venue, 0.3), nothing)
        assert rig.total("gaps") == rig.total("lost") == rig.total("images") == 0


@pytest.mark.parametrize("venue", PROTOCOLS)
def test_what_both_lines_lose_the_gap_service_brings(venue: str) -> None:
    with Rig(venue) as rig:
        play(rig, f"both {venue}", 250, lambda number: number % 50 in range(20, 25))
        assert rig.total("recovered") >= 3 and rig.total("lost") == rig.total("images") == 0


@pytest.mark.parametrize("venue", PROTOCOLS)
def test_what_the_gap_service_does_not_keep_any_more_an_image_replaces(venue: str) -> None:
    with Rig(venue, retain=1) as rig:
        play(rig, f"old {venue}", 250, lambda number: number in range(60, 110))
        assert rig.total("images") >= 1 and rig.total("recovered") == 0


@pytest.mark.parametrize("venue", PROTOCOLS)
def test_a_gap_that_is_too_long_is_not_asked_for(venue: str) -> None:
    with Rig(venue, most_missing=10) as rig:
        play(rig, f"long {venue}", 250, lambda number: number in range(60, 150))
        assert rig.total("images") >= 1 and rig.total("recovered") == 0


@pytest.mark.parametrize("venue", PROTOCOLS)
def test_who_joins_late_has_the_books_of_those_who_were_there(venue: str) -> None:
    with Rig(venue, most_missing=10) as rig:
        play(rig, f"late {venue}", 350, nothing, first=150)
        each = len(LISTINGS) if venue == "nyse" else len(rig.publisher.units)
        assert rig.total("images") == each and rig.driver.refused == []
