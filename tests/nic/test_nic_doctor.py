"""What the doctor knows of a machine, read from a made-up file system and from this one."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from nic.tuning import backends
from nic.tuning.clocks import Discipline, discipline_fact, read_discipline
from nic.tuning.fact import Fact, Grade, chosen_word, read_integer
from nic.tuning.machine import facts

ALL_CAPABILITIES = "000001ffffffffff"

WELL_SET = {
    "proc/sys/kernel/osrelease": "6.1.0-18-amd64\n",
    "proc/self/status": f"Name:\tx\nCapEff:\t{ALL_CAPABILITIES}\n",
    "usr/include/linux/if_xdp.h": "",
    "usr/lib/x86_64-linux-gnu/pkgconfig/libdpdk.pc": "",
    "usr/include/etherfabric/vi.h": "",
    "usr/lib64/libciul1.a": "",
    "sys/devices/system/cpu/online": "0-7\n",
    "sys/devices/system/cpu/isolated": "4-7\n",
    "sys/devices/system/cpu/nohz_full": "4-7\n",
    "sys/devices/system/cpu/smt/active": "0\n",
    "sys/devices/system/cpu/cpu0/cpufreq/scaling_governor": "performance\n",
    "sys/devices/system/cpu/cpu1/cpufreq/scaling_governor": "performance\n",
    "proc/irq/30/smp_affinity_list": "0-3\n",
    "proc/irq/30/effective_affinity_list": "1\n",
    "proc/irq/31/smp_affinity_list": "0-3\n",
    "sys/kernel/mm/hugepages/hugepages-2048kB/nr_hugepages": "512\n",
    "sys/kernel/mm/hugepages/hugepages-2048kB/free_hugepages": "500\n",
    "sys/kernel/mm/transparent_hugepage/enabled": "always [madvise] never\n",
    "proc/sys/kernel/numa_balancing": "0\n",
    "proc/swaps": "Filename\tType\n",
    "proc/sys/net/core/busy_poll": "50\n",
    "proc/sys/net/core/busy_read": "50\n",
    "proc/sys/net/core/rmem_max": "16777216\n",
    "proc/cpuinfo": "processor: 0\nflags\t\t: fpu tsc constant_tsc nonstop_tsc\n",
    "sys/devices/system/clocksource/clocksource0/current_clocksource": "tsc\n",
    "sys/class/ptp/ptp0/clock_name": "sfc\n",
    "proc/cmdline": "isolcpus=4-7 nohz=on nohz_full=4-7 rcu_nocbs=4-7 skew_tick=1 nosoftlockup "
    "tsc=reliable\n",
    "proc/irq/default_smp_affinity": "0f\n",
    "sys/devices/virtual/workqueue/cpumask": "0f\n",
    "proc/sys/vm/stat_interval": "120\n",
    "proc/sys/kernel/timer_migration": "0\n",
    "proc/sys/kernel/sched_rt_runtime_us": "950000\n",
    "proc/sys/kernel/nmi_watchdog": "0\n",
    "sys/kernel/mm/ksm/run": "0\n",
    "dev/ptp0": "",
}


@pytest.fixture
def machine(tmp_path: Path) -> Callable[..., dict[str, Fact]]:
    """Makes a file system (None takes a file away) and gives the facts by name."""

    def make(changes: dict[str, str | None] | None = None) -> dict[str, Fact]:
        for name, text in (WELL_SET | (changes or {})).items():
            if text is not None:
                path = tmp_path / name
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(text)
        return {fact.name: fact for fact in facts(tmp_path)}

    return make


def test_a_well_set_machine_needs_no_advice(machine: Callable[..., dict[str, Fact]]) -> None:
    rows = machine()
    not_built = {"backend xdp", "backend dpdk", "backend efvi"}
    assert {name for name, fact in rows.items() if fact.grade != Grade.OK} <= not_built
    assert all("is not built" in rows[name].advice for name in not_built if rows[name].advice)
    assert all(not fact.advice for name, fact in rows.items() if name not in not_built)
    assert rows["isolated cores"].value == "4-7"
    assert rows["hugepages"].value == "512 of 2048 KiB (500 free)"
    assert rows["PTP hardware clocks"].value == "ptp0 (sfc)"


@pytest.mark.parametrize(
    ("file", "text", "name", "value"),
    [
        ("sys/devices/system/cpu/isolated", "\n", "isolated cores", "none"),
        ("sys/devices/system/cpu/isolated", None, "isolated cores", "none"),
        ("sys/devices/system/cpu/nohz_full", "(null)\n", "nohz_full cores", "none"),
        ("sys/devices/system/cpu/nohz_full", "4-6\n", "nohz_full cores", "4-6"),
        ("proc/irq/30/effective_affinity_list", "5\n", "IRQs on isolated cores", "30"),
        ("proc/irq/31/smp_affinity_list", "0-7\n", "IRQs on isolated cores", "31"),
        (
            "sys/devices/system/cpu/cpu1/cpufreq/scaling_governor",
            "powersave\n",
            "governor",
            "performance,powersave",
        ),
        ("sys/devices/system/cpu/smt/active", "1\n", "SMT", "on"),
        ("sys/kernel/mm/hugepages/hugepages-2048kB/nr_hugepages", "0\n", "hugepages", "none"),
        (
            "sys/kernel/mm/transparent_hugepage/enabled",
            "[always] madvise never\n",
            "transparent hugepages",
            "always",
        ),
        ("proc/sys/kernel/numa_balancing", "1\n", "NUMA balancing", "on"),
        ("proc/swaps", "Filename\n/dev/sda2\n", "swap", "1 areas"),
        ("proc/sys/net/core/busy_poll", "0\n", "net.core.busy_poll", "off"),
        ("proc/sys/net/core/rmem_max", "212992\n", "net.core.rmem_max", "212992 bytes"),
        ("proc/cpuinfo", "flags: tsc constant_tsc\n", "invariant TSC", "no"),
        (
            "sys/devices/system/clocksource/clocksource0/current_clocksource",
            "hpet\n",
            "clock source",
            "hpet",
        ),
        ("proc/irq/default_smp_affinity", "ff\n", "tune default-irq-affinity", "ff"),
        ("proc/irq/31/smp_affinity_list", "2-4\n", "tune irq-affinity", "1 of 2 to turn"),
        ("sys/devices/virtual/workqueue/cpumask", "ff\n", "tune workqueue", "ff"),
        ("proc/sys/vm/stat_interval", "1\n", "tune stat-interval", "1"),
        ("proc/sys/kernel/timer_migration", "1\n", "tune timer-migration", "1"),
        ("proc/sys/kernel/nmi_watchdog", "1\n", "tune nmi-watchdog", "1"),
        ("sys/kernel/mm/ksm/run", "1\n", "tune ksm", "1"),
        (
            "sys/devices/system/cpu/cpu1/cpufreq/scaling_governor",
            "powersave\n",
            "tune governor",
            "1 of 2 to turn",
        ),
        ("proc/cmdline", "quiet isolcpus=4-7\n", "boot parameters", "6 of 7 not given"),
        ("sys/devices/system/cpu/online", None, "tuning plan", "none"),
    ],
)
def test_a_setting_that_costs_is_warned_of(
    machine: Callable[..., dict[str, Fact]], file: str, text: str | None, name: str, value: str
) -> None:
    fact = machine({file: text})[name]
    assert (fact.value, fact.grade) == (value, Grade.WARN)
    assert fact.advice


@pytest.mark.parametrize(
    ("scheme", "file", "text", "reason"),
    [
        ("xdp", "proc/sys/kernel/osrelease", "4.19.0\n", "kernel 4.19 is older than 5.4"),
        ("xdp", "usr/include/linux/if_xdp.h", None, "linux/if_xdp.h is missing"),
        ("xdp", "proc/self/status", "CapEff:\t0000000000000000\n", "CAP_BPF"),
        ("xdp", "proc/self/status", "CapEff:\t0000008000001000\n", "CAP_NET_RAW is missing"),
        ("dpdk", "usr/lib/x86_64-linux-gnu/pkgconfig/libdpdk.pc", None, "does not know libdpdk"),
        ("efvi", "usr/include/etherfabric/vi.h", None, "etherfabric/vi.h is missing"),
        ("efvi", "usr/lib64/libciul1.a", None, "libciul is missing"),
    ],
)
def test_a_missing_backend_says_why(
    machine: Callable[..., dict[str, Fact]], scheme: str, file: str, text: str | None, reason: str
) -> None:
    fact = machine({file: text})[f"backend {scheme}"]
    assert fact.grade == Grade.MISSING and reason in fact.advice


def test_pkg_config_s_own_search_path_counts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "opt/dpdk").mkdir(parents=True)
    (tmp_path / "opt/dpdk/libdpdk.pc").touch()
    assert backends.find_pkg_config(tmp_path, "libdpdk") is None
    monkeypatch.setenv("PKG_CONFIG_PATH", "/nowhere:/opt/dpdk")
    assert backends.find_pkg_config(tmp_path, "libdpdk") == tmp_path / "opt/dpdk/libdpdk.pc"


def test_an_empty_file_system_gives_every_row_without_failing(tmp_path: Path) -> None:
    rows = facts(tmp_path)
    assert len({fact.name for fact in rows}) == len(rows) > 15
    missing = {fact.name for fact in rows if fact.grade == Grade.MISSING}
    assert {"clock source", "net.core.busy_poll", "backend xdp"} <= missing


def test_this_machine_is_described() -> None:
    rows = {fact.name: fact for fact in facts()}
    assert rows["backend replay"].grade == rows["backend socket"].grade == Grade.OK
    assert "clock discipline" in rows
    assert all(fact.advice for fact in rows.values() if fact.grade == Grade.WARN)


def test_adjtimex_is_read() -> None:
    found = read_discipline()
    if found is None:
        pytest.skip("adjtimex is refused here")
    assert abs(found.frequency_ppm) <= 500 and found.max_error_us >= 0
    assert -100 <= found.tai_offset_s <= 1000


@pytest.mark.parametrize(
    ("found", "grade"),
    [
        (Discipline(True, -120, 3.5, 200, 37), Grade.OK),
        (Discipline(True, -120, 3.5, 50_000, 37), Grade.WARN),
        (Discipline(False, 0, 0.0, 16_000_000, 0), Grade.WARN),
        (None, Grade.MISSING),
    ],
)
def test_the_clock_s_discipline_is_graded(found: Discipline | None, grade: Grade) -> None:
    fact = discipline_fact(found)
    assert fact.grade == grade
    assert bool(fact.advice) is (grade != Grade.OK)


def test_small_readers(tmp_path: Path) -> None:
    (tmp_path / "word").write_text("many\n")
    assert read_integer(tmp_path / "word") is None and read_integer(tmp_path / "none") is None
    assert chosen_word("a [b] c") == "b" and chosen_word("never") == "never"


def test_the_plan_s_advice_says_what_is_set_and_what_it_costs(
    machine: Callable[..., dict[str, Fact]],
) -> None:
    fact = machine({"proc/sys/vm/stat_interval": "1\n"})["tune stat-interval"]
    assert fact.advice.startswith("make tune sets 120: ") and "; costs: " in fact.advice


def test_risky_knobs_are_no_advice(machine: Callable[..., dict[str, Fact]]) -> None:
    assert "tune rt-runtime" not in machine()
