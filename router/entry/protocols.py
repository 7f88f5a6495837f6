"""The protocols by name, with the codes that a venue's answers need."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from typing import Final, NamedTuple

from feedhandler.protocols import cboe_boe, miax_meo, ouch42, ouch50
from router.entry import boeforms, meoforms, ouch42forms, ouch50forms, pillarforms
from router.entry.forms import Constants, Form, symbol_word

Forms = Callable[[Constants], dict[str, Form]]


def once(forms: Forms) -> Forms:
    """Gives the same forms for the same constants: how to write one is found out by trying."""
    return functools.cache(forms)


class Protocol(NamedTuple):
    """What is needed of an order protocol.

    Attributes:
        name: as sessions have it.
        feed: name of the feed whose walk and messages read what the venue says.
        order_forms, reply_forms: see `router.entry.forms`.
        most_token: the highest number that an order can have.
        padding: what fills up a symbol's text; "" where symbols are numbers.
        shows_all: orders cannot show only a part.
        rising: an order is passed over whose number is not above all before it on the session.
        reasons: codes for the word `reason`: of cancels "user" and "ioc", of rejects "refused" and
            "unknown" (no such order, or too late).
        reject_words: what its codes of rejects mean, where the wire format says so.
        request: in the ids of requests that are no orders; 0 where they have none.
        by_unit: what it says is numbered by matching unit.
    """

    name: str
    feed: str
    order_forms: Forms
    reply_forms: Forms
    most_token: int
    padding: str
    shows_all: bool
    rising: bool
    reasons: Mapping[str, int]
    reject_words: Mapping[int, str]
    request: int = 0
    by_unit: bool = False

    def symbol(self, text: str, number: int) -> int:
        """The word `symbol` of an instrument with that text and number at the venue.

        Raises:
            ValueError: a text of more than 8 characters, or no number where there has to be one.
        """
        if self.padding:
            return symbol_word(text, padding=self.padding)
        if number < 1:
            raise ValueError(
                f"symbol {text!r}: {self.name} names instruments by number; none given"
            )
        return number


OUCH50: Final = Protocol(
    "ouch50",
    "nasdaq_ouch50",
    once(ouch50forms.order_forms),
    once(ouch50forms.reply_forms),
    (1 << 32) - 1,
    " ",
    False,
    True,
    {"user": ord("U"), "ioc": ord("I"), "refused": 15, "unknown": 21},
    ouch50.REJECTED_ORDER_REASON,
)
OUCH42: Final = Protocol(
    "ouch42",
    "nasdaq_ouch42",
    once(ouch42forms.order_forms),
    once(ouch42forms.reply_forms),
    10**14 - 1,
    " ",
    True,
    False,
    {"user": ord("U"), "ioc": ord("I"), "refused": ord("O"), "unknown": ord("O")},
    {ord(letter): words for letter, words in ouch42.REJECTED_ORDER_REASON.items()},
)
BOE: Final = Protocol(
    "boe",
    "cboe_boe",
    once(boeforms.order_forms),
    once(boeforms.reply_forms),
    10**boeforms.TOKEN_DIGITS - 1,
    "\0",
    False,
    False,
    {"user": ord("U"), "ioc": ord("N"), "refused": ord("Z"), "unknown": ord("J")},
    {ord(letter): words for letter, words in cboe_boe.REASON.items()},
    by_unit=True,
)
PILLAR: Final = Protocol(
    "pillar",
    "nyse_gateway",
    once(pillarforms.order_forms),
    once(pillarforms.reply_forms),
    pillarforms.REQUEST - 1,
    "",
    False,
    False,
    {"user": 0, "ioc": 4, "refused": 21, "unknown": 9},
    {},  # published apart from the layouts
    pillarforms.REQUEST,
)
MEO: Final = Protocol(
    "meo",
    "miax_meo",
    once(meoforms.order_forms),
    once(meoforms.reply_forms),
    meoforms.REQUEST - 1,
    "",
    False,
    False,
    {"user": ord("U"), "ioc": ord("I"), "refused": ord("L"), "unknown": ord("T")},
    {ord(letter): words for letter, words in miax_meo.ORDER_STATUS.items()},
    meoforms.REQUEST,
    by_unit=True,
)
PROTOCOLS: Final = {item.name: item for item in (OUCH50, OUCH42, BOE, PILLAR, MEO)}
