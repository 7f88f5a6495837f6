"""What the log says of a sweep: each level that was looked at, and why it was left."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
from sweep_rig import DOLLAR, Sweep, SweepRig, Venue

from router.log import CANDIDATE_DTYPE
from router.routing import layout
from router.routing.layout import FLAGS

CENT, MIL, TEN = DOLLAR // 100, DOLLAR // 10_000, 10 * DOLLAR


@pytest.fixture(scope="module")
def rig() -> Iterator[SweepRig]:
    made = SweepRig(3)
    yield made
    made.close()


def said(sweep: Sweep) -> list[tuple[object, ...]]:
    """Venue, price, shares, fee or None, chosen, first, second and flags of each candidate."""
    lines = np.frombuffer(sweep.decision.more, CANDIDATE_DTYPE)
    made: list[tuple[object, ...]] = []
    for venue, price, shares, effective, chosen, flags, first, second in lines.tolist():
        words = [word for bit, word in enumerate(FLAGS) if flags >> bit & 1]
        fee = effective - price if effective else None
        made.append((venue, price, shares, fee, chosen, first, second, words))
    return made


def test_a_sweep_is_told_level_by_level(rig: SweepRig) -> None:
    given = [
        Venue([(TEN, 100), (TEN + CENT, 300)], fee=30 * MIL),
        Venue([(TEN, 200)], fee=-2 * MIL, flight=50),
        Venue([(TEN + 2 * CENT, 100)], down=1),
    ]
    rig.set_up(given, "buy")
    assert said(rig.take(300, TEN + CENT)) == [
        (0, TEN, 100, 30 * MIL, 100, 100, 0, ["protected", "ISO"]),
        (1, TEN, 200, -2 * MIL, 150, 150, 50, ["protected", "ISO"]),
        (2, TEN + 2 * CENT, 100, None, 0, 0, 0, ["down"]),
        (0, TEN + CENT, 300, 30 * MIL, 50, 100, 0, ["ISO"]),
    ]


def test_a_sellers_fee_is_a_fee_too(rig: SweepRig) -> None:
    rig.set_up([Venue([(TEN, 100)], fee=30 * MIL)], "sell")
    _, price, _, fee, chosen, *_ = said(rig.take(60, side="sell"))[0]
    assert (price, fee, chosen) == (TEN, -30 * MIL, 60)


def test_what_could_not_be_taken_is_told(rig: SweepRig) -> None:
    far = Venue([(TEN, 100)])
    rig.set_up([Venue([(TEN + CENT, 100)]), Venue(live=False), Venue(), far], "buy")
    rows = said(rig.take(60))
    assert [row[0] for row in rows] == [0, 1, 2, -4]  # the last is one that there is no way to
    assert [row[-1] for row in rows] == [
        ["protected", "would trade through"],
        ["not live"],
        ["shows nothing"],
        ["protected", "no route"],
    ]


def test_every_flag_has_a_word() -> None:
    flags = [value for name, value in vars(layout).items() if name.isupper() and is_flag(value)]
    assert FLAGS[layout.BOUNDED.bit_length() - 1] == "search bounded"
    assert len(FLAGS) == layout.BOUNDED.bit_length() <= len(flags)


def is_flag(value: object) -> bool:
    """Whether a constant is a single bit."""
    return isinstance(value, int) and value > 0 and value & (value - 1) == 0
