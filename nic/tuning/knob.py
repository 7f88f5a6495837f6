"""A knob: one setting of the machine, what it is set to, what it should be, what that costs."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from nic.tuning.coremask import mask_cores
from nic.tuning.cores import core_set
from nic.tuning.fact import chosen_word


class TuneError(ValueError):
    """A machine that cannot be tuned as asked; the message is the line to show."""


class Group(StrEnum):
    """Knobs that are turned together: the word behind `--only`."""

    CORES = "cores"
    IRQS = "irqs"
    MEMORY = "memory"
    HUGEPAGES = "hugepages"
    NETWORK = "network"
    NIC = "nic"


class Form(StrEnum):
    """How the kernel writes a value, so that two spellings of one value are known as such."""

    TEXT = "text"
    CHOICE = "choice"  # always [madvise] never
    CORES = "cores"  # 0-3,6
    MASK = "mask"  # 0000004f


@dataclass(frozen=True, slots=True)
class Kind:
    """A row of the table of knobs.

    risky: off unless asked for. persistent: the value outlives a reboot. may_stay: the kernel
    rightly refuses some of these (interrupts that a driver manages), which is no failure.
    """

    name: str
    group: Group
    what: str
    cost: str
    form: Form = Form.TEXT
    risky: bool = False
    persistent: bool = False
    may_stay: bool = False


@dataclass(frozen=True, slots=True)
class Knob:
    """One place on this machine. `chosen` is False where it is risky and nobody asked for it."""

    kind: Kind
    place: str
    found: str
    wanted: str
    label: str = ""
    chosen: bool = True

    @property
    def name(self) -> str:
        """Name for people: the kind, and which one of them."""
        return f"{self.kind.name} {self.label}".rstrip()

    @property
    def settled(self) -> bool:
        """Whether it is as wanted already."""
        return same(self.kind.form, self.found, self.wanted)


def same(form: Form, left: str, right: str) -> bool:
    """Whether two values mean the same."""
    return canonical(form, left) == canonical(form, right)


def canonical(form: Form, text: str) -> object:
    """The meaning of a value, to compare; text that does not read as its form stands for itself."""
    if form == Form.CHOICE:
        return chosen_word(text)
    if form == Form.CORES:
        return core_set(text) or text
    if form == Form.MASK:
        try:
            return mask_cores(text)
        except ValueError:
            return text
    return text


def writable(form: Form, text: str) -> str:
    """The value as it has to be written to have it again: of a choice the chosen word alone."""
    return chosen_word(text) if form == Form.CHOICE else text
