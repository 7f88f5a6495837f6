"""Decisions in words."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
from sweep_rig import DOLLAR, Sweep, SweepRig, Venue

from feedhandler.actions import BUY, SELL
from router import log
from router.logreader import Record
from router.routing import layout
from router.routing.explain import Decision, explain, flag_words, money, read_decision, table_rows
from router.tables import DARK_FIRST

CENT, MIL, TEN = DOLLAR // 100, DOLLAR // 10_000, 10 * DOLLAR
NAMES = ("ALFA", "BRAVO", "COCA")


@pytest.fixture(scope="module")
def rig() -> Iterator[SweepRig]:
    made = SweepRig(3)
    yield made
    made.close()


def read(sweep: Sweep, side: int = BUY) -> Decision:
    """A sweep's record with our names."""
    return read_decision(sweep.decision, side, NAMES, market=("a", "b", "c", "DELTA"))


def test_a_sweep_is_told_level_by_level(rig: SweepRig) -> None:
    given = [
        Venue([(TEN, 100), (TEN + CENT, 300)], fee=30 * MIL),
        Venue([(TEN, 200)], fee=-2 * MIL, flight=50),
        Venue([(TEN + 2 * CENT, 100)], down=1),
    ]
    rig.set_up(given, "buy")
    text = explain(read(rig.take(300, TEN + CENT)), "XYZ", BUY)
    number = int(rig.tables.head["decision_count"])
    assert text.splitlines() == [
        f"decision {number} at 1000000 ns, take: buy 300 XYZ for parent 1, limit 10.01",
        "venue  price  shares      fee  effective  chosen  why",
        "ALFA   10.00     100    0.003     10.003     100  taken; protected, 100 to sweep; by ISO",
        "BRAVO  10.00     200  -0.0002     9.9998     150  "
        "taken; protected, 150 to sweep; by ISO; 50 asked for already",
        "COCA   10.02     100        -          -       0  down",
        "ALFA   10.01     300    0.003     10.013      50  taken; by ISO",
        "300 of 300 shares on ALFA, BRAVO, 10.00306666 a share after fees",
    ]


def test_a_sellers_fee_is_a_fee_too(rig: SweepRig) -> None:
    rig.set_up([Venue([(TEN, 100)], fee=30 * MIL)], "sell")
    decision = read(rig.take(60, side="sell"), SELL)
    assert (decision.candidates[0].fee, decision.chosen) == (30 * MIL, 60)
    assert explain(decision, "XYZ", SELL).startswith(f"decision {decision.number} at ")


def test_what_could_not_be_taken_is_told(rig: SweepRig) -> None:
    far = Venue([(TEN, 100)])
    rig.set_up([Venue([(TEN + CENT, 100)]), Venue(live=False), Venue(), far], "buy")
    decision = read(rig.take(60))
    assert [row[0] for row in table_rows(decision)] == ["ALFA", "BRAVO", "COCA", "DELTA"]
    assert [row[-1] for row in table_rows(decision)] == [
        "protected, 100 to sweep; would trade through", "not live", "shows nothing",
        "protected, 100 to sweep; no route",
    ]  # fmt: skip
    assert explain(decision, "XYZ", BUY).endswith("nothing chosen")


def test_styles_without_words_number_their_flags() -> None:
    line = np.zeros(1, log.CANDIDATE_DTYPE)
    line["venue"], line["flags"], line["chosen"], line["effective"] = 7, 5, 10, 12
    record = Record(log.DECISION, 5, (1, 2, DARK_FIRST, 10, 0, 1), line.tobytes())
    assert read_decision(record, BUY, NAMES).candidates[0].flags == ("flag 0", "flag 2")
    named = read_decision(record, BUY, NAMES, flags={DARK_FIRST: ("hidden",)})
    assert named.candidates[0].flags == ("hidden", "flag 2")
    assert named.candidates[0].venue == "venue 7"
    with pytest.raises(ValueError, match="kind 3: expected a decision, 5"):
        read_decision(record._replace(kind=log.FILL), BUY, NAMES)


def test_every_flag_has_a_word() -> None:
    flags = [value for name, value in vars(layout).items() if name.isupper() and is_flag(value)]
    assert flag_words(layout.BOUNDED) == ("search bounded",)
    assert len(layout.FLAGS) == layout.BOUNDED.bit_length() <= len(flags)


def is_flag(value: object) -> bool:
    """Whether a constant is a single bit."""
    return isinstance(value, int) and value > 0 and value & (value - 1) == 0


@pytest.mark.parametrize(
    ("amount", "text"),
    [(TEN, "10.00"), (-MIL, "-0.0001"), (1, "0.00000001"), (1_050_000_000, "10.50")],
)
def test_money_has_two_decimals_at_least(amount: int, text: str) -> None:
    assert money(amount) == text
