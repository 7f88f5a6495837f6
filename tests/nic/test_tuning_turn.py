"""Turning knobs and turning them back: nothing of before is ever lost, and what fails says so."""

from __future__ import annotations

import errno
import json
import os
import stat
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tuning_tree import (
    CPU,
    IRQBALANCE,
    THP,
    WISH,
    KernelLike,
    MadeNic,
    contents,
    made_machine,
    memory_folder,
    plant,
)  # fmt: skip

from nic.tuning import turn
from nic.tuning.coremask import cores_text, mask_text
from nic.tuning.knob import TuneError, same
from nic.tuning.plan import make_plan
from nic.tuning.saved import default_path
from nic.tuning.tune import tune
from nic.tuning.turn import State
from nic.tuning.wish import Wish


@pytest.fixture
def tmp_path() -> Iterator[Path]:
    """A folder in memory, in the place of pytest's."""
    with memory_folder() as folder:
        yield folder


def places_planned() -> list[str]:
    """The places of every knob of the made-up machine that has something to turn."""
    with memory_folder() as root:
        return [knob.place for knob in make_plan(WISH, made_machine(root)).changes]


class Stubborn(KernelLike):
    """A kernel that refuses or ignores writes to one place."""

    place = ""
    error: int | None = None

    def write(self, place: str, value: str) -> None:
        """Refuses with `error`, or does nothing where there is none."""
        if place != self.place:
            super().write(place, value)
        elif self.error is not None:
            raise OSError(self.error, "the kernel says no")


def stubborn(root: Path, place: str, error: int | None) -> Stubborn:
    """A planted machine with one place that cannot be written."""
    places = Stubborn(plant(root), MadeNic())
    places.place, places.error = place, error
    return places


def applied(root: Path, places: KernelLike, wish: Wish = WISH) -> list[turn.Outcome]:
    """All changes of the plan, made."""
    return turn.apply(make_plan(wish, places).changes, places, default_path(root))


def saved_values(root: Path) -> dict[str, str]:
    """What is in the file of saved settings."""
    values = json.loads(default_path(root).read_text())["values"]
    return {value["place"]: value["value"] for value in values}


def entry(place: str, kind: str = "stat-interval") -> str:
    """A file of saved settings with one place in it."""
    value = {"place": place, "kind": kind, "label": "", "value": "x", "persistent": True}
    return json.dumps({"version": 1, "boot": "one", "values": [value]})


@pytest.mark.parametrize("place", places_planned())
def test_a_knob_is_turned_and_turned_back(tmp_path: Path, place: str) -> None:
    places = made_machine(tmp_path)
    (knob,) = (knob for knob in make_plan(WISH, places).changes if knob.place == place)
    before, files = places.read(place), contents(tmp_path)
    (outcome,) = turn.apply([knob], places, default_path(tmp_path))
    assert outcome.state == State.DONE, outcome.why
    now = places.read(place)
    assert now is not None and same(knob.kind.form, now, knob.wanted) and now != before
    assert list(saved_values(tmp_path)) == [place]
    (back,) = turn.restore(places, default_path(tmp_path))
    assert back.state == State.DONE, back.why
    assert places.read(place) == before and contents(tmp_path) == files
    assert not default_path(tmp_path).exists()


def test_the_whole_plan_is_turned_and_turned_back(tmp_path: Path) -> None:
    places = made_machine(tmp_path)
    before, nic = contents(tmp_path), MadeNic().numbers
    outcomes = applied(tmp_path, places)
    assert {outcome.state for outcome in outcomes} == {State.DONE}
    assert make_plan(WISH, places).changes == ()
    assert places.nics.numbers != nic
    back = turn.restore(places, default_path(tmp_path))
    assert [o.place for o in back] == [o.place for o in reversed(outcomes)]
    assert contents(tmp_path) == before and places.nics.numbers == nic


def test_what_was_there_is_safe_before_the_first_write(tmp_path: Path) -> None:
    seen = []

    class Watching(KernelLike):
        def write(self, place: str, value: str) -> None:
            seen.append(len(saved_values(tmp_path)))
            super().write(place, value)

    places = Watching(plant(tmp_path), MadeNic())
    count = len(applied(tmp_path, places))
    assert seen == [count] * count
    assert stat.S_IMODE(default_path(tmp_path).stat().st_mode) == 0o600
    assert stat.S_IMODE(default_path(tmp_path).parent.stat().st_mode) == 0o700


def test_nothing_is_written_where_nothing_can_be_saved(tmp_path: Path) -> None:
    places = made_machine(tmp_path, {"var/lib/sweepwire": "a file, not a folder"})
    before = contents(tmp_path)
    with pytest.raises(OSError):
        applied(tmp_path, places)
    assert contents(tmp_path) == before


def test_a_second_apply_keeps_the_first_values(tmp_path: Path) -> None:
    places = made_machine(tmp_path)
    before = contents(tmp_path)
    applied(tmp_path, places)
    first = saved_values(tmp_path)
    assert applied(tmp_path, places) == []
    other = replace(WISH, cores=frozenset({2}), pages=128)
    assert applied(tmp_path, places, other)
    later = saved_values(tmp_path)
    assert {place: later[place] for place in first} == first
    assert set(later) - set(first) <= {"proc/irq/41/smp_affinity_list"}
    turn.restore(places, default_path(tmp_path))
    assert contents(tmp_path) == before


@pytest.mark.parametrize("place", places_planned())
def test_a_place_that_refuses_is_named_and_the_others_are_turned(
    tmp_path: Path, place: str
) -> None:
    places = stubborn(tmp_path, place, errno.EACCES)
    (knob,) = (knob for knob in make_plan(WISH, places).changes if knob.place == place)
    outcomes = applied(tmp_path, places)
    (failed,) = (outcome for outcome in outcomes if outcome.state != State.DONE)
    assert failed.state == State.REFUSED
    assert failed.why.startswith(f"{knob.name}: {place}: ") and "run as root" in failed.why
    assert place not in saved_values(tmp_path)
    assert all(o.state == State.DONE for o in turn.restore(places, default_path(tmp_path)))


def test_a_kernel_that_ignores_a_value_is_found_out(tmp_path: Path) -> None:
    place = "proc/sys/vm/stat_interval"
    outcomes = applied(tmp_path, stubborn(tmp_path, place, None))
    (failed,) = (outcome for outcome in outcomes if outcome.state != State.DONE)
    assert failed.state == State.IGNORED
    assert failed.why == f"stat-interval: {place}: the kernel took 120 and has 1"


def test_an_interrupt_that_its_driver_manages_is_no_failure(tmp_path: Path) -> None:
    places = stubborn(tmp_path, "proc/irq/24/smp_affinity_list", errno.EIO)
    (outcome,) = (o for o in applied(tmp_path, places) if o.state != State.DONE)
    assert outcome.state == State.STAYS and "its driver manages it" in outcome.why


def test_a_half_taken_value_is_put_back(tmp_path: Path) -> None:
    class Short(KernelLike):
        def write(self, place: str, value: str) -> None:
            super().write(place, "5" if value == "64" else value)

    places = Short(plant(tmp_path), MadeNic())
    (failed,) = (o for o in applied(tmp_path, places) if o.state != State.DONE)
    assert "the kernel took 64 and has 5" in failed.why
    assert failed.place in saved_values(tmp_path)
    turn.restore(places, default_path(tmp_path))
    assert places.read(failed.place) == "0"


def test_a_place_that_went_away_is_passed_over(tmp_path: Path) -> None:
    places = made_machine(tmp_path)
    knobs = make_plan(WISH, places).changes
    (tmp_path / "proc/irq/24/smp_affinity_list").unlink()
    outcomes = turn.apply(knobs, places, default_path(tmp_path))
    assert [o.place for o in outcomes if o.state == State.GONE] == ["proc/irq/24/smp_affinity_list"]
    (tmp_path / f"{CPU}/cpu3/cpufreq/scaling_governor").unlink()
    back = turn.restore(places, default_path(tmp_path))
    gone = [o.name for o in back if o.state == State.GONE]
    assert gone == ["governor core 3"]
    assert not (tmp_path / "proc/irq/24/smp_affinity_list").exists()
    assert not default_path(tmp_path).exists()


def test_what_cannot_be_put_back_is_kept_for_another_try(tmp_path: Path) -> None:
    places = stubborn(tmp_path, "", None)
    before = contents(tmp_path)
    applied(tmp_path, places)
    places.place, places.error = "proc/sys/vm/stat_interval", errno.EACCES
    back = turn.restore(places, default_path(tmp_path))
    assert [o.name for o in back if o.state == State.REFUSED] == ["stat-interval"]
    assert saved_values(tmp_path) == {"proc/sys/vm/stat_interval": "1"}
    places.place = ""
    turn.restore(places, default_path(tmp_path))
    assert contents(tmp_path) == before


def test_after_a_reboot_only_what_outlives_it_is_put_back(tmp_path: Path) -> None:
    places = made_machine(tmp_path)
    applied(tmp_path, places)
    (tmp_path / "proc/sys/kernel/random/boot_id").write_text("two\n")
    back = turn.restore(places, default_path(tmp_path))
    assert [outcome.name for outcome in back] == ["irqbalance"]
    assert (tmp_path / IRQBALANCE).read_text() == "# how irqbalance starts\nIRQBALANCE_ONESHOT=0\n"
    assert places.read("proc/sys/vm/stat_interval") == "120"


def test_values_of_an_earlier_boot_do_not_count_as_the_first(tmp_path: Path) -> None:
    places = made_machine(tmp_path)
    applied(tmp_path, places)
    plant(tmp_path, {"proc/sys/kernel/random/boot_id": "two\n", "proc/sys/vm/stat_interval": "7\n"})
    applied(tmp_path, places)
    assert saved_values(tmp_path)["proc/sys/vm/stat_interval"] == "7"


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("{", "not a file of saved settings"),
        ('{"version": 1, "boot": "one"}', "not a file of saved settings"),
        ('{"version": 2, "boot": "one", "values": []}', "version 2, expected 1"),
        (entry("proc/../etc/passwd"), "proc/../etc/passwd: no place that is ever tuned"),
        (entry("line:etc/passwd#root"), "line:etc/passwd#root: no place"),
        (entry("proc/sys/vm/x", kind="nonsense"), "proc/sys/vm/x: unknown knob 'nonsense'"),
    ],
)
def test_a_file_that_is_none_stops_everything(tmp_path: Path, text: str, line: str) -> None:
    places = made_machine(tmp_path)
    default_path(tmp_path).parent.mkdir(parents=True)
    default_path(tmp_path).write_text(text)
    before = contents(tmp_path)
    with pytest.raises(TuneError, match=line):
        applied(tmp_path, places)
    with pytest.raises(TuneError, match=line):
        turn.restore(places, default_path(tmp_path))
    assert contents(tmp_path) == before and default_path(tmp_path).read_text() == text


def test_two_at_a_time_are_one_too_many(tmp_path: Path) -> None:
    places = made_machine(tmp_path)

    class Second(KernelLike):
        def write(self, _place: str, _value: str) -> None:
            turn.restore(places, default_path(tmp_path))

    with pytest.raises(TuneError, match="somebody else is tuning"):
        applied(tmp_path, Second(tmp_path, MadeNic()))


class Growing(MadeNic):
    """A NIC that asks for another interrupt when its channels change."""

    def __init__(self, root: Path) -> None:
        super().__init__()
        self.folder = root / "proc/irq/42"

    def write(self, interface: str, section: str, name: str, value: str) -> None:
        """Sets one number; a new interrupt goes wherever it likes."""
        super().write(interface, section, name, value)
        if section == "channels":
            self.folder.mkdir(exist_ok=True)
            (self.folder / "smp_affinity_list").write_text("0-7\n")


def test_interrupts_that_a_change_of_the_nic_brings_are_placed_too(tmp_path: Path) -> None:
    places = KernelLike(plant(tmp_path), Growing(tmp_path))
    plan = make_plan(WISH, places)
    outcomes = tune(plan, WISH, places, default_path(tmp_path))
    assert outcomes[-1].name == "irq-affinity 42" and outcomes[-1].state == State.DONE
    assert len(outcomes) == len(plan.changes) + 1
    assert places.read("proc/irq/42/smp_affinity_list") == "0-2,4-6"
    calm = replace(WISH, interface=None)
    assert tune(make_plan(calm, places), calm, places, default_path(tmp_path)) == []
    names = [outcome.name for outcome in turn.restore(places, default_path(tmp_path))]
    assert names.index("irq-affinity 42") < names.index("nic-channels eth0 combined")


def test_putting_back_without_a_file_does_nothing(tmp_path: Path) -> None:
    assert turn.restore(made_machine(tmp_path), default_path(tmp_path)) == []
    assert not default_path(tmp_path).parent.exists()


def test_a_file_that_others_could_write_is_refused(tmp_path: Path) -> None:
    places = made_machine(tmp_path)
    applied(tmp_path, places)
    default_path(tmp_path).chmod(0o620)
    with pytest.raises(TuneError, match="others could have written this"):
        turn.restore(places, default_path(tmp_path))
    default_path(tmp_path).chmod(0o600)
    if os.geteuid() == 0:
        os.chown(default_path(tmp_path), 12345, -1)
        with pytest.raises(TuneError, match="others could have written this"):
            turn.restore(places, default_path(tmp_path))


def number(low: int, high: int) -> st.SearchStrategy[str]:
    """A number as text."""
    return st.integers(low, high).map(str)


CORES = st.frozensets(st.integers(0, 7), min_size=1)
START = st.fixed_dictionaries(
    {
        "proc/irq/default_smp_affinity": CORES.map(mask_text),
        "proc/irq/24/smp_affinity_list": CORES.map(cores_text),
        "proc/irq/40/smp_affinity_list": CORES.map(cores_text),
        "sys/class/net/eth0/queues/rx-0/rps_cpus": CORES.map(mask_text) | st.just("0"),
        "sys/devices/virtual/workqueue/cpumask": CORES.map(mask_text),
        "proc/sys/vm/stat_interval": number(1, 1000),
        "proc/sys/kernel/timer_migration": number(0, 1),
        "proc/sys/kernel/sched_rt_runtime_us": number(-1, 1_000_000),
        "proc/sys/kernel/nmi_watchdog": number(0, 1),
        f"{THP}/enabled": st.sampled_from(
            ["[always] madvise never", "always [madvise] never", "always madvise [never]"]
        ),
        "sys/kernel/mm/ksm/run": number(0, 2),
        "proc/sys/net/core/busy_poll": number(0, 100),
        "proc/sys/net/core/rmem_max": number(0, 1 << 30),
        f"{CPU}/cpu2/cpufreq/scaling_governor": st.sampled_from(["powersave", "performance"]),
    }
)
LINES = st.lists(
    st.sampled_from(
        [
            "", "# words", "IRQBALANCE_ARGS='-x'", 'IRQBALANCE_BANNED_CPULIST="1-3"',
            'IRQBALANCE_BANNED_CPULIST=""', "#IRQBALANCE_BANNED_CPULIST=7",
        ]
    ),
    max_size=5,
)  # fmt: skip


@settings(max_examples=50)
@given(START, LINES, CORES, st.booleans())
def test_putting_back_undoes_any_apply(
    start: dict[str, str], lines: list[str], loop: frozenset[int], risky: bool
) -> None:
    if len(loop) == 8:
        loop = frozenset({7})
    with memory_folder() as root:
        texts = {place: text + "\n" for place, text in start.items()}
        places = made_machine(root, {**texts, IRQBALANCE: "\n".join(lines)})
        wish = replace(WISH, cores=loop, risky=risky)
        before = contents(root)
        for again in (wish, replace(wish, pages=3, interface=None)):
            assert all(o.state == State.DONE for o in applied(root, places, again))
            assert not make_plan(again, places).changes
        turn.restore(places, default_path(root))
        assert contents(root) == before and places.nics.numbers == MadeNic().numbers


def test_an_unknown_knob_in_the_file_is_refused(tmp_path: Path) -> None:
    places = made_machine(tmp_path)
    applied(tmp_path, places)
    path = default_path(tmp_path)
    path.write_text(path.read_text().replace('"stat-interval"', '"nonsense"'))
    before = contents(tmp_path)
    with pytest.raises(TuneError, match="unknown knob 'nonsense'"):
        turn.restore(places, path)
    assert contents(tmp_path) == before
