"""How far the machine is from the plan, as rows of `sweepwire doctor`: one a kind of knob."""

from __future__ import annotations

from itertools import groupby
from pathlib import Path

from nic.tuning.fact import Fact, Grade
from nic.tuning.knob import Knob, TuneError, writable
from nic.tuning.places import Places
from nic.tuning.plan import Plan, make_plan
from nic.tuning.wish import Wish


def plan_facts(sysroot: Path) -> list[Fact]:
    """Rows for every kind of knob that is not risky, for the cores a plan would choose."""
    try:
        plan = make_plan(Wish(), Places(sysroot))
    except TuneError as error:
        return [Fact("tuning plan", "none", Grade.WARN, str(error))]
    chosen = [knob for knob in plan.knobs if knob.chosen]
    kinds = groupby(sorted(chosen, key=_kind_name), _kind_name)
    rows = {name: _row(list(knobs)) for name, knobs in kinds}
    in_order = dict.fromkeys(knob.kind.name for knob in chosen)
    return [*(rows[name] for name in in_order), *_boot_facts(plan)]


def _kind_name(knob: Knob) -> str:
    return knob.kind.name


def _row(knobs: list[Knob]) -> Fact:
    """One kind: the first place that is not as planned stands for all."""
    name, off = f"tune {knobs[0].kind.name}", [knob for knob in knobs if not knob.settled]
    shown = (off or knobs)[0]
    value = writable(shown.kind.form, shown.found)
    if len(knobs) > 1:
        value = f"{len(off)} of {len(knobs)} to turn" if off else f"all {len(knobs)} as planned"
    if not off:
        return Fact(name, value, Grade.OK)
    advice = f"make tune sets {shown.wanted}: {shown.kind.what}; costs: {shown.kind.cost}"
    return Fact(name, value, Grade.WARN, advice)


def _boot_facts(plan: Plan) -> list[Fact]:
    if not plan.booted:
        return []
    absent = plan.not_booted
    if not absent:
        return [Fact("boot parameters", "as planned", Grade.OK)]
    value = f"{len(absent)} of {len(plan.boot)} not given"
    words = " ".join(parameter.text for parameter in absent)
    return [Fact("boot parameters", value, Grade.WARN, f"sweepwire tune boot: {words}")]
