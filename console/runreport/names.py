"""What the numbers in tables and log are called."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from router.tables import STYLES

CHILD_FLAGS: Final = (
    "ISO", "post only", "hidden", "midpoint", "short", "short exempt", "located", "dark",
    "takes", "closes",
)  # fmt: skip
ASCII: Final = range(0x21, 0x7F)


def clean(text: str) -> str:
    """A name that any screen and any file can show: what has no picture becomes a question mark."""
    return "".join(letter if letter.isprintable() else "?" for letter in text)


def name_of(names: Sequence[str] | Mapping[int, str], number: int, what: str) -> str:
    """A name by number; "what 7" where there is none."""
    found = names.get(number, "") if isinstance(names, Mapping) else ""
    if not isinstance(names, Mapping) and 0 <= number < len(names):
        found = names[number]
    return clean(found) or f"{what} {number}"


def bits_named(bits: int, names: Sequence[str]) -> list[str]:
    """Names of the bits that are set; those without one by their number."""
    found = range(max(bits, 0).bit_length())
    return [name_of(names, bit, "bit") for bit in found if bits >> bit & 1]


@dataclass(frozen=True, slots=True)
class CandidateNames:
    """What the flags and the last two words of a style's candidates mean.

    Attributes:
        flags: of each bit, the lowest first.
        reasons: the bits that say why a candidate was not chosen.
        first, second: of the two words; "" where the style leaves them alone.
    """

    flags: Sequence[str] = ()
    reasons: int = 0
    first: str = ""
    second: str = ""


@dataclass(frozen=True, slots=True)
class Names:
    """Names by number; a number without one is shown as it is.

    Attributes:
        instruments: symbols.
        states: of parents and children, as `router.orders.states` numbers them.
        gate_reasons: why the gate stopped an order.
        parent_reasons: why a parent ended.
        child_events: of the log's CHILD records.
        venue_codes: (venue number, code) of a venue's reject: its words.
        candidates: by style, what is in the candidates of its decisions.
        venues, accounts: by number; by default as the tables name them.
    """

    instruments: Mapping[int, str] = field(default_factory=dict)
    states: Sequence[str] = ()
    gate_reasons: Sequence[str] = ()
    parent_reasons: Sequence[str] = ()
    child_events: Sequence[str] = ()
    venue_codes: Mapping[tuple[int, int], str] = field(default_factory=dict)
    candidates: Mapping[int, CandidateNames] = field(default_factory=dict)
    venues: Sequence[str] | Mapping[int, str] = ()
    accounts: Sequence[str] | Mapping[int, str] = ()

    def instrument(self, number: int) -> str:
        """Its symbol."""
        return name_of(self.instruments, number, "instrument")

    def venue(self, number: int) -> str:
        """A venue's name."""
        return name_of(self.venues, number, "venue")

    def account(self, number: int) -> str:
        """An account's name."""
        return name_of(self.accounts, number, "account")

    def state(self, number: int) -> str:
        """A state's name."""
        return name_of(self.states, number, "state")

    def refusal(self, venue: int, code: int) -> str:
        """Which venue refused, and why; codes without words as the venue wrote them."""
        said = self.venue_codes.get((venue, code), "")
        if not said:
            said = f"code {chr(code)}" if code in ASCII else f"code {code}"
        return f"{self.venue(venue)}: {clean(said)}"

    def of_style(self, style: int) -> CandidateNames:
        """What is in the candidates of a style's decisions."""
        return self.candidates.get(style, CandidateNames())


def style_name(style: int) -> str:
    """What a decision was asked for."""
    return name_of(STYLES, style, "style")


def table_names(rows: NDArray[np.void]) -> tuple[str, ...]:
    """The names in a table of the router, by row; "" where a row has none."""
    return tuple(text_of(name) for name in rows["name"])


def text_of(raw: Any) -> str:
    """The text of a name in a table."""
    return clean(bytes(raw).decode("utf-8", "replace"))
