"""What is asked for, and what a planner looks at to see how far the machine is from it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from nic.tuning.catalog import KINDS
from nic.tuning.coremask import cores_text, mask_cores, mask_text
from nic.tuning.cores import core_set
from nic.tuning.knob import Group, Knob, writable
from nic.tuning.places import Places
from nic.tuning.topology import Topology

NORMAL_PAGE_KIB = 2048


@dataclass(frozen=True, slots=True)
class Wish:
    """What somebody wants of a machine.

    cores: the loop's; empty lets the plan choose. pages: huge pages of `page_kib` on the loop's
    node; None leaves them. channels: queues of the NIC; None leaves them. fifo: the loop runs under
    SCHED_FIFO, which alone turns the knob `rt-runtime`. risky: the other risky knobs as well.
    groups: which knobs at all.
    """

    cores: frozenset[int] = frozenset()
    interface: str | None = None
    pages: int | None = None
    page_kib: int = NORMAL_PAGE_KIB
    channels: int | None = None
    fifo: bool = False
    risky: bool = False
    groups: frozenset[Group] = frozenset(Group)


@dataclass(slots=True)
class Look:
    """A planner's view: the wish with its cores chosen, the machine, and what to tell about it."""

    wish: Wish
    topology: Topology
    places: Places
    loop: frozenset[int]
    housekeeping: frozenset[int]
    node: int | None
    notes: list[str] = field(default_factory=list)

    def knob(
        self, name: str, place: str, wanted: str | Callable[[str], str], label: str = ""
    ) -> Iterator[Knob]:
        """The knob at a place, or nothing where the machine has no such place.

        wanted: a value, or what makes one of the value found.
        """
        kind = KINDS[name]
        if kind.group not in self.wish.groups:
            return
        try:
            found = self.places.read(place)
        except OSError as error:
            self.notes.append(f"{name} {label}".rstrip() + f": {place}: {error.strerror}")
            return
        if found is None:
            return
        value = writable(kind.form, wanted if isinstance(wanted, str) else wanted(found))
        asked = self.wish.fifo if name == "rt-runtime" else self.wish.risky
        yield Knob(kind, place, found, value, label, asked or not kind.risky)

    @property
    def quiet(self) -> frozenset[int]:
        """Cores that nothing else should come to: the loop's, and their siblings with them."""
        return self.topology.online - self.housekeeping

    def paths(self, pattern: str) -> list[str]:
        """Places of files below the root that match, in order of their numbers."""
        root = self.places.sysroot
        found = [str(path.relative_to(root)) for path in root.glob(pattern)]
        return sorted(found, key=lambda path: [int(d) for d in _digits(path)])


def _digits(text: str) -> list[str]:
    return "".join(c if c.isdigit() else " " for c in text).split()


def mask_without(cores: frozenset[int], otherwise: frozenset[int]) -> Callable[[str], str]:
    """Makes of a mask the same without `cores`; `otherwise` where none would be left."""

    def wanted(found: str) -> str:
        now = mask_cores(found)
        return found if not now & cores else mask_text(now - cores or otherwise)

    return wanted


def at_least(minimum: int) -> Callable[[str], str]:
    """Makes of a number itself, or the minimum where it is less."""

    def wanted(found: str) -> str:
        return found if found.isdigit() and int(found) >= minimum else str(minimum)

    return wanted


def cores_within(allowed: frozenset[int]) -> Callable[[str], str]:
    """Makes of a core list what of it is allowed; all that is allowed where nothing is left."""

    def wanted(found: str) -> str:
        now = core_set(found)
        return found if now and now <= allowed else cores_text(now & allowed or allowed)

    return wanted
