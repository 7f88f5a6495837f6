"""Tables of a plan and of what came of it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import groupby
from pathlib import Path

import typer

from console.screen import table_to_stdout
from nic.tuning.boot import PARAMETERS, BootParameter
from nic.tuning.catalog import KINDS
from nic.tuning.coremask import cores_text
from nic.tuning.knob import Knob, writable
from nic.tuning.plan import Plan
from nic.tuning.saved import SavedValue
from nic.tuning.turn import FAILED, Outcome, State

LABELS_CHARACTERS = 40
Row = tuple[str, ...]


def show_topology(plan: Plan) -> None:
    """A row a core: where it is, with whom it shares, what it is for."""
    topology = plan.topology
    rows = [
        (
            str(number),
            str(core.node),
            cores_text(core.siblings - {number}) or "-",
            cores_text(core.shared.get(2, frozenset()) - {number}) or "-",
            cores_text(core.shared.get(3, frozenset()) - {number}) or "-",
            ", ".join(_uses(plan, number)),
        )
        for number, core in topology.cores.items()
    ]
    columns = (">core", ">node", "siblings", "L2 with", "L3 with", "")
    table_to_stdout(columns, rows)


def _uses(plan: Plan, core: int) -> list[str]:
    topology = plan.topology
    said = {
        "loop": plan.loop,
        "housekeeping": plan.housekeeping,
        "isolated": topology.isolated,
        "no tick": topology.tickless,
        "in a partition": topology.cpuset_isolated,
    }
    return [word for word, cores in said.items() if core in cores]


def show_knobs(knobs: Iterable[Knob], plan: Plan | None = None) -> None:
    """A row for knobs of one kind that are and should be the same; a plan's boot parameters."""
    rows = [_knob_row(list(alike)) for _, alike in groupby(knobs, _likeness)]
    rows += [] if plan is None else [_boot_row(parameter, plan) for parameter in plan.boot]
    if not rows:
        return
    table_to_stdout(("", "knob", "now", "wanted", "costs"), rows)


def _likeness(knob: Knob) -> tuple[str, str, str, bool]:
    return knob.kind.name, knob.found, knob.wanted, knob.chosen


def _knob_row(alike: Sequence[Knob]) -> Row:
    knob = alike[0]
    state = "ok" if knob.settled else "turn" if knob.chosen else "risky"
    labels = ", ".join(other.label for other in alike if other.label)
    if len(labels) > LABELS_CHARACTERS:
        labels = f"{labels[:LABELS_CHARACTERS]}…"
    count = f"{len(alike)}: " if len(alike) > 1 else ""
    name = f"{knob.kind.name} {count}{labels}".rstrip()
    return state, name, writable(knob.kind.form, knob.found), knob.wanted, knob.kind.cost


def _boot_row(parameter: BootParameter, plan: Plan) -> Row:
    now = sorted(word for word in plan.booted if word.partition("=")[0] == parameter.key)
    state = "reboot" if parameter in plan.not_booted else "ok"
    name = f"boot {parameter.key}"
    return state, name, " ".join(now) or "-", parameter.text, parameter.cost


def show_notes(notes: Iterable[str]) -> None:
    """Lines for people."""
    for note in notes:
        typer.echo(f"note: {note}")


def show_dry_run(values: Iterable[tuple[str, str]], sysroot: Path) -> None:
    """What would be written where; nothing is."""
    count = 0
    for place, value in values:
        count += 1
        where = place if ":" in place.split("/")[0] else str(sysroot / place)
        typer.echo(f"would write {value} to {where}")
    typer.echo(f"dry run: {count} settings would change, nothing was written")


def show_outcomes(outcomes: Sequence[Outcome], verb: str) -> int:
    """What came of each knob; the exit code: 1 where one failed."""
    rows = [(outcome.state.value, outcome.name, outcome.value) for outcome in outcomes]
    if rows:
        table_to_stdout(("", "knob", "value"), rows)
    for outcome in outcomes:
        if outcome.why and outcome.state != State.GONE:
            typer.echo(outcome.why, err=True)
    done = sum(outcome.state == State.DONE for outcome in outcomes)
    failed = sum(outcome.state in FAILED for outcome in outcomes)
    typer.echo(f"{verb} {done} of {len(outcomes)} settings" + f", {failed} failed" * bool(failed))
    return 1 if failed else 0


def saved_pairs(values: Iterable[SavedValue]) -> list[tuple[str, str]]:
    """Place and value of saved settings."""
    return [(value.place, value.value) for value in values]


def knob_table() -> list[str]:
    """The table of all knobs in Markdown, as the page of nic/tuning has it."""
    head = ["| knob | `--only` | what it does | what it costs | risky | reboot |"]
    rows = [(k.name, k.group.value, k.what, k.cost, k.risky, "no") for k in KINDS.values()]
    rows += [(p.text, "boot", p.what, p.cost, p.risky, "yes") for p in PARAMETERS]
    return [
        *head,
        "|---|---|---|---|---|---|",
        *(
            f"| `{name}` | {group} | {what} | {cost} | {'yes' if risky else 'no'} | {reboot} |"
            for name, group, what, cost, risky, reboot in rows
        ),
    ]
