"""What only the boot loader can set: printed for a person to write, never written."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from nic.tuning.coremask import cores_text
from nic.tuning.fact import read_text

_LIST = "LIST"


@dataclass(frozen=True, slots=True)
class BootParameter:
    """A word of the kernel's command line; `LIST` in it stands for the loop's cores."""

    text: str
    what: str
    cost: str
    risky: bool = False
    vendor: str = ""

    @property
    def key(self) -> str:
        """The name before the equals sign."""
        return self.text.partition("=")[0]


PARAMETERS = (
    BootParameter(
        "isolcpus=managed_irq,domain,LIST",
        "the scheduler and drivers' own interrupts leave these cores alone",
        "only what asks for them runs there: the cores idle when no loop does",
    ),
    BootParameter("nohz=on", "idle cores have no timer tick", "none: the kernel's default"),
    BootParameter(
        "nohz_full=LIST",
        "no timer tick on these cores while one thread runs there",
        "system calls from there take longer (about 100 ns); core 0 keeps the time",
    ),
    BootParameter(
        "rcu_nocbs=LIST",
        "deferred kernel work of these cores runs on others",
        "more of it on the housekeeping cores",
    ),
    BootParameter(
        "skew_tick=1",
        "timer ticks of the cores are spread out, so they do not meet at one lock",
        "a little power",
    ),
    BootParameter(
        "nosoftlockup",
        "no watchdog thread looks whether a core still schedules",
        "a core that hangs in the kernel is not reported",
    ),
    BootParameter(
        "tsc=reliable",
        "the time stamp counter is the clock, without a check against others",
        "a counter that does go wrong is believed",
    ),
    BootParameter(
        "processor.max_cstate=1",
        "no deep sleep on any core",
        "power, heat, less turbo; /dev/cpu_dma_latency does it while a loop runs",
        risky=True,
    ),
    BootParameter(
        "intel_idle.max_cstate=0",
        "no deep sleep on any core, Intel's own driver off",
        "the same",
        risky=True,
        vendor="GenuineIntel",
    ),
    BootParameter(
        "intel_pstate=disable",
        "frequencies by the older driver, which keeps what the governor says",
        "no hardware-chosen turbo steps: often less peak frequency",
        risky=True,
        vendor="GenuineIntel",
    ),
)


def wanted_parameters(
    loop: frozenset[int], *, risky: bool = False, vendor: str = ""
) -> list[BootParameter]:
    """The parameters for these cores. `vendor` is the CPU's; others' parameters are left out."""
    cores = cores_text(loop)
    return [
        BootParameter(p.text.replace(_LIST, cores), p.what, p.cost, p.risky, p.vendor)
        for p in PARAMETERS
        if (risky or not p.risky) and p.vendor in ("", vendor)
    ]


def cpu_vendor(sysroot: Path) -> str:
    """`GenuineIntel`, `AuthenticAMD` or what else /proc/cpuinfo says; empty where it does not."""
    for line in (read_text(sysroot / "proc/cpuinfo") or "").splitlines():
        if line.startswith("vendor_id"):
            return line.partition(":")[2].strip()
    return ""


def booted_with(sysroot: Path) -> frozenset[str]:
    """The words of the running kernel's command line."""
    return frozenset((read_text(sysroot / "proc/cmdline") or "").split())


def grub_line(parameters: Sequence[BootParameter]) -> str:
    """For /etc/default/grub (or a file in grub.d); then update-grub and a reboot."""
    words = " ".join(parameter.text for parameter in parameters)
    return f'GRUB_CMDLINE_LINUX_DEFAULT="$GRUB_CMDLINE_LINUX_DEFAULT {words}"'


def tuned_profile(loop: frozenset[int], parameters: Sequence[BootParameter]) -> str:
    """A profile of the tuned daemon: /etc/tuned/sweepwire/tuned.conf."""
    words = " ".join(parameter.text for parameter in parameters)
    return (
        "[main]\n"
        f"summary=sweepwire: core {cores_text(loop)} for the loop\n"
        "include=network-latency\n"
        "\n"
        "[bootloader]\n"
        f"cmdline_sweepwire={words}\n"
    )
