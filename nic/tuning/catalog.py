"""The table of all knobs: what each does and what it costs. The page of this folder shows it."""

from __future__ import annotations

from nic.tuning.knob import Form, Group, Kind

_C, _I, _M, _H, _N, _D = (
    Group.CORES,
    Group.IRQS,
    Group.MEMORY,
    Group.HUGEPAGES,
    Group.NETWORK,
    Group.NIC,
)

_ROWS = (
    Kind(
        "default-irq-affinity", _I, "new interrupts start on housekeeping cores",
        "a NIC that comes later begins with fewer cores", Form.MASK,
    ),
    Kind(
        "irqbalance", _I, "irqbalance leaves the loop's cores alone, from its next start on",
        "none; restart irqbalance, or stop it: `systemctl stop irqbalance`", Form.CORES,
        persistent=True,
    ),
    Kind(
        "irq-affinity", _I, "interrupts stay off the loop's cores, those of the NIC on its node",
        "housekeeping cores take all interrupts", Form.CORES, may_stay=True,
    ),
    Kind(
        "rps", _I, "received packets are not handed to the loop's cores for processing",
        "fewer cores share the kernel's receive work", Form.MASK,
    ),
    Kind(
        "workqueue", _C, "the kernel's unbound work runs on housekeeping cores",
        "writeback and the like queue up on fewer cores", Form.MASK,
    ),
    Kind(
        "cpuset", _C, "a cpuset partition takes the cores out of the scheduler's hands",
        "only what is moved into the cgroup may use the cores, and the control threads of what is "
        "moved have to fit there too: give it a core more; systemd may take the partition away",
        risky=True,
    ),
    Kind(
        "stat-interval", _C, "the kernel sums its memory counters every 120 s",
        "vmstat and /proc/meminfo lag by as much",
    ),
    Kind(
        "timer-migration", _C, "timers stay where they were set, not where a core is busy",
        "idle cores wake for their own timers: more power",
    ),
    Kind(
        "rt-runtime", _C, "a SCHED_FIFO loop is not stopped for 5 % of each second",
        "a FIFO loop that never sleeps starves everything else on its core, kernel threads too: "
        "only a reboot helps; without FIFO leave it alone", risky=True,
    ),
    Kind(
        "nmi-watchdog", _C, "no periodic non-maskable interrupt",
        "a core that hangs hard is not reported any more",
    ),
    Kind(
        "governor", _C, "cores stay at their highest frequency",
        "power and heat; a hot package leaves less turbo for the loop's core",
    ),
    Kind(
        "transparent-hugepages", _M, "huge pages only where a program asks for them",
        "programs that never ask miss the TLB more often", Form.CHOICE,
    ),
    Kind(
        "khugepaged", _M, "no daemon moves pages together behind the loop's back",
        "memory that could not be huge at first stays in small pages",
    ),
    Kind(
        "numa-balancing", _M, "pages are not unmapped to see who touches them",
        "memory on the wrong node stays there: start programs on the right one",
    ),
    Kind(
        "ksm", _M, "equal pages are no longer merged (a merged page faults when written)",
        "virtual machines use more memory",
    ),
    Kind(
        "hugepages", _H, "huge pages are kept for DPDK, Onload and large tables",
        "that memory is nobody else's; late on a long day there may be too few to take",
    ),
    Kind(
        "busy-poll", _N, "poll and select look at the NIC for 50 us before they sleep",
        "every program that waits burns a core for as long; only socket ports gain",
    ),
    Kind(
        "busy-read", _N, "reads of new sockets look at the NIC for 50 us before they sleep",
        "the same; a port's own `busy_poll=` does it for that port alone",
    ),
    Kind(
        "rmem-max", _N, "a socket may ask for 8 MiB of buffer",
        "any program may then hold as much kernel memory a socket",
    ),
    Kind(
        "nic-channels", _D, "the NIC has as many queues as asked for",
        "the link goes down for a moment and its packets are lost; queues and IRQs are new",
        risky=True,
    ),
    Kind(
        "nic-ring", _D, "the NIC's rings hold as many frames as they can",
        "most drivers take the link down for a moment; a ring beyond the cache is slower to read",
        risky=True,
    ),
    Kind(
        "nic-adaptive", _D, "the NIC does not choose by itself how long to hold interrupts back",
        "more interrupts under load",
    ),
    Kind(
        "nic-coalesce", _D, "the NIC interrupts at once for each packet",
        "an interrupt a packet on the housekeeping core; ports that poll gain nothing",
    ),
    Kind(
        "pci-driver", _D, "a PCI device goes to another driver (`tune bind`), DPDK's for one",
        "its interface is gone for the kernel, and every connection over it", risky=True,
    ),
)  # fmt: skip

KINDS = {kind.name: kind for kind in _ROWS}
