"""Planned for memory and the network: pages, socket buffers, busy polling."""

from __future__ import annotations

from collections.abc import Iterator

from nic.tuning.fact import chosen_word
from nic.tuning.knob import Knob
from nic.tuning.wish import Look, at_least

BUSY_US = 50
RMEM_BYTES = 8 * 1024**2
_MM = "sys/kernel/mm"


def memory_knobs(look: Look) -> Iterator[Knob]:
    """What the kernel does to pages behind a program's back."""
    transparent = f"{_MM}/transparent_hugepage"
    yield from look.knob("transparent-hugepages", f"{transparent}/enabled", _not_always)
    yield from look.knob("khugepaged", f"{transparent}/khugepaged/defrag", "0")
    yield from look.knob("numa-balancing", "proc/sys/kernel/numa_balancing", "0")
    yield from look.knob("ksm", f"{_MM}/ksm/run", lambda found: "0" if found == "1" else found)


def _not_always(found: str) -> str:
    word = chosen_word(found)
    return "madvise" if word == "always" else word


def hugepage_knobs(look: Look) -> Iterator[Knob]:
    """Huge pages on the loop's node."""
    wish = look.wish
    if wish.pages is None:
        return
    file = f"hugepages/hugepages-{wish.page_kib}kB/nr_hugepages"
    node = look.node if look.node is not None else look.topology.cores[max(look.loop)].node
    place, label = f"sys/devices/system/node/node{node}/{file}", f"node {node}"
    if not (look.places.sysroot / place).exists():  # a kernel without NUMA
        place, label = f"{_MM}/{file}", ""
    found = list(look.knob("hugepages", place, str(wish.pages), label))
    if not found:
        look.notes.append(f"hugepages: this kernel has none of {wish.page_kib} KiB")
    yield from found


def _or_us(found: str) -> str:
    return found if found not in ("", "0") else str(BUSY_US)


def network_knobs(look: Look) -> Iterator[Knob]:
    """How sockets wait, and how much they may hold."""
    net = "proc/sys/net/core"
    yield from look.knob("busy-poll", f"{net}/busy_poll", _or_us)
    yield from look.knob("busy-read", f"{net}/busy_read", _or_us)
    yield from look.knob("rmem-max", f"{net}/rmem_max", at_least(RMEM_BYTES))
