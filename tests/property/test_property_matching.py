"""Any sequence of commands leaves a venue as the slow one has it, and what must hold holds."""

from __future__ import annotations

import pytest
from slow_venue import SlowVenue
from venue_rig import REPORT_NAMES, Floor, as_dict
from venue_traffic import MODELS, Ledger, traffic

ROOMS = {"orders": 40, "slices": 30, "owners": 4}
SEEDS = range(12)
COMMANDS = 250


def same_records(floor: Floor, slow: SlowVenue) -> None:
    """The last command's records are the slow venue's, in its order; empties those."""
    assert floor.public.tolist() == slow.out.public
    assert floor.reports[list(REPORT_NAMES)].tolist() == slow.out.reports
    slow.out.public.clear()
    slow.out.reports.clear()


@pytest.mark.parametrize("name", MODELS)
@pytest.mark.parametrize("seed", SEEDS)
def test_every_command_does_what_the_slow_venue_does(name: str, seed: int) -> None:
    model = MODELS[name]
    slow, ledger = SlowVenue(model, 2, **ROOMS), Ledger()
    with Floor(model, **ROOMS) as floor:
        rows = traffic(seed, COMMANDS, model.kind == "conditional")
        for number in range(len(rows)):
            one = rows[number : number + 1]
            floor.submit(one)
            slow.submit(as_dict(one))
            try:
                same_records(floor, slow)
            except AssertionError as error:
                raise AssertionError(f"at command {number}: {as_dict(one)}") from error
            ledger.read(floor.reports)
            assert ledger.open == {key: order.leaves for key, order in slow.orders.items()}
