"""The forms of a venue's protocol, put where the kernels find them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final, NamedTuple

import msgspec
import numpy as np
from numpy.typing import NDArray

from nic.block import aligned
from router.entry.forms import ORDERS, REPLIES, Constants, Form
from router.entry.protocols import PROTOCOLS, Protocol
from simulator.gateways import boeterms, ouchterms, pillarterms
from simulator.matching import records as r
from simulator.replay import layout

# What the matching of the simulated venues calls our reasons; its gateways know the codes.
OF_MATCHING: Final = {
    layout.BY_OWNER: r.BY_OWNER,
    layout.IOC_REMAINDER: r.IOC_REMAINDER,
    layout.FOK_NOT_FILLED: r.FOK_NOT_FILLED,
    layout.WOULD_TAKE: r.WOULD_TAKE,
    layout.UNKNOWN_ORDER: r.UNKNOWN_ORDER,
    layout.UNKNOWN_INSTRUMENT: r.UNKNOWN_INSTRUMENT,
    layout.DUPLICATE_TOKEN: r.DUPLICATE_TOKEN,
    layout.BAD_PRICE: r.BAD_PRICE,
    layout.BAD_QUANTITY: r.BAD_QUANTITY,
    layout.BAD_SIDE: r.BAD_TYPE,
    layout.HALTED: r.HALTED,
    layout.CLOSED: r.CLOSED,
    layout.NO_REFERENCE: r.NO_REFERENCE,
    layout.FULL: r.BOOK_FULL,
    layout.REFUSED: r.RISK,
}
FIRST_UNIT: Final = 1  # of BOE: what unit 0 says has no number
UNNUMBERED: Final = ("rejected", "replace rejected", "cancel rejected")  # of BOE


class Forms(NamedTuple):
    """A protocol's forms as one piece of memory.

    Attributes:
        memory: their images.
        orders, replies: where each begins in it, in the order of their names.
    """

    memory: NDArray[np.uint8]
    orders: tuple[int, ...]
    replies: tuple[int, ...]


def make_forms(protocol: str, constants: Constants) -> Forms:
    """All forms of a protocol, for messages with the constants of the router's session."""
    given = PROTOCOLS[protocol]
    answers = msgspec.structs.replace(constants, unit=constants.unit or FIRST_UNIT)
    orders, replies = given.order_forms(constants), given.reply_forms(answers)
    chosen: list[Form] = [*(orders[n] for n in ORDERS), *(replies[n] for n in REPLIES)]
    places = [0]
    for form in chosen:
        places.append(places[-1] + aligned(form.image.nbytes))
    memory = np.zeros(places[-1], np.uint8)
    for place, form in zip(places, chosen, strict=False):
        memory[place : place + form.image.nbytes] = form.image
    count = len(ORDERS)
    return Forms(memory, tuple(places[:count]), tuple(places[count:-1]))


def reason_codes(protocol: str, *, cancels: bool) -> list[int]:
    """The venue's code for each of our reasons, of cancels or of refusals."""
    usual = PROTOCOLS[protocol].reasons["ioc" if cancels else "refused"]
    return [_code(protocol, reason, cancels, usual) for reason in range(len(layout.REASONS))]


def _code(protocol: str, reason: int, cancels: bool, usual: int) -> int:
    named = PROTOCOLS[protocol].reasons
    if reason == layout.UNKNOWN_ORDER and not cancels:
        return named["unknown"]
    if reason == layout.BY_OWNER and cancels:
        return named["user"]
    known = OF_MATCHING.get(reason, r.NO_REASON)
    if protocol == "pillar":
        return int(pillarterms.REASONS[known]) if known else usual
    if protocol == "boe":
        rejects = {key: code for key, (code, _) in boeterms.REJECTS.items()}
        found: str | None = (boeterms.CANCELS if cancels else rejects).get(known)
        return ord(found) if found else usual
    if not protocol.startswith("ouch"):
        return usual
    if cancels:
        letter = ouchterms.CANCELS.get(known)
        return ord(letter) if letter else usual
    return ouchterms.REJECTS.get(known, usual) if protocol == "ouch50" else usual


def symbol_words(protocol: str, symbols: Mapping[int, str]) -> Iterable[tuple[int, int]]:
    """(instrument, its word on the wire) of all instruments; Pillar and MEO have our numbers."""
    given: Protocol = PROTOCOLS[protocol]
    return [(number, given.symbol(text, number)) for number, text in symbols.items()]


def numbered(protocol: str) -> list[bool]:
    """Which replies have a number in their stream."""
    return [protocol != "boe" or name not in UNNUMBERED for name in REPLIES]
