"""Tuning a machine: plan, turn, and look again where turning brought new things to turn."""

from __future__ import annotations

from pathlib import Path

from nic.tuning import turn
from nic.tuning.knob import Group
from nic.tuning.places import Places
from nic.tuning.plan import Plan, make_plan
from nic.tuning.turn import Outcome, State
from nic.tuning.wish import Wish


def tune(plan: Plan, wish: Wish, places: Places, path: Path) -> list[Outcome]:
    """Makes the plan's changes; what was there is saved in the file at `path`.

    A NIC whose queues changed has new interrupts, so the machine is looked at once more then.
    Raises TuneError, OSError where nothing can be saved: then nothing was written.
    """
    outcomes = turn.apply(plan.changes, places, path)
    nic = {knob.place for knob in plan.changes if knob.kind.group == Group.NIC}
    if not any(o.place in nic and o.state == State.DONE for o in outcomes):
        return outcomes
    tried = {outcome.place for outcome in outcomes}
    new = [knob for knob in make_plan(wish, places).changes if knob.place not in tried]
    return outcomes + turn.apply(new, places, path)
