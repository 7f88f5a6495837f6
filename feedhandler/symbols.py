"""The symbol master: which instrument each venue's key is.

Fed by the venues' SYMBOL actions and by keys that are text themselves. The same security has one
number at all venues, given in the order of first appearance from 1. Test securities get none: when
the directory, the spelling or the known list says so, at any venue, they are left out at all.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final

import numpy as np
from numpy.typing import NDArray

from feedhandler.actions import SYMBOL, TEST_SYMBOL
from feedhandler.books.filterlayout import Owner
from feedhandler.books.views import BookViews
from feedhandler.consolidated.layout import LEFT_OUT, NO_INSTRUMENT
from feedhandler.consolidated.market import MarketShard
from feedhandler.feed import Feed
from feedhandler.symbology import Convention, canonical, parse
from feedhandler.wire.access import symbol_of

# By the first word of a feed's name; the others use Nasdaq's spelling.
CONVENTIONS: Final = {
    "nyse": Convention.NYSE,
    "memx": Convention.CMS,
    "siac": Convention.CQS,
    "cme": Convention.PLAIN,
}
# Securities that exchanges list for tests alone, for feeds that do not mark them.
TEST_SYMBOLS: Final = frozenset(
    "ZAZZT ZBZZT ZCZZT ZJZZT ZVZZT ZWZZT ZXZZT ZVZZC ZXYZ.A ATEST CTEST MTEST NTEST PTEST"
    " ZEXIT ZIEXT ZXIET".split()
)


def convention_of(feed: Feed) -> Convention:
    """How a feed spells securities."""
    return CONVENTIONS.get(feed.name.partition("_")[0], Convention.NASDAQ)


def text_of(order_id: int, aux: int, convention: Convention) -> str:
    """The text that a SYMBOL action carries: 8 bytes and the rest, or root and suffix (CMS)."""
    first, rest = symbol_of(order_id), symbol_of(aux)
    if not rest:
        return first
    if convention is Convention.CMS:
        return f"{first} {rest}"
    whole = b"".join((word & ((1 << 64) - 1)).to_bytes(8, "little") for word in (order_id, aux))
    return whole.decode("latin-1").rstrip(" \0")


@dataclass
class Instrument:
    """One security.

    Attributes:
        number: everywhere in this process; LEFT_OUT for a test security.
        name: its canonical symbol.
        lot: shares in a round lot, 0 while nobody has said.
        keys: (venue, key) by which venues name it.
    """

    number: int
    name: str
    lot: int = 0
    keys: set[tuple[int, int]] = field(default_factory=set)


class SymbolMaster:
    """All instruments, by number, name and venue key.

    Args:
        room: the highest number given out; a security beyond it is counted in `refused`.
        test_symbols: names that are left out although nobody marks them.
        owner: whose symbols books are told of; others are left out there. None: all are.
    """

    def __init__(
        self,
        room: int = 16_384,
        test_symbols: Iterable[str] = TEST_SYMBOLS,
        owner: Owner | None = None,
    ) -> None:
        self.room, self.owner = room, owner
        self.refused = 0
        self._tests = set(test_symbols)
        self._by_name: dict[str, Instrument] = {}
        self._by_key: dict[tuple[int, int], Instrument] = {}
        self._by_number: list[Instrument] = [Instrument(NO_INSTRUMENT, "")]
        self._conventions: dict[int, Convention] = {}

    def __len__(self) -> int:
        return len(self._by_number) - 1

    def add_venue(self, venue: int, convention: Convention) -> None:
        """Says how a venue spells."""
        self._conventions[venue] = convention

    def add(self, name: str) -> int:
        """Gives a symbol in canonical spelling its number before any venue names it; 0: no room."""
        found = self._by_name.get(name) or self._new(name)
        return NO_INSTRUMENT if found is None else found.number

    def number_of(self, name: str) -> int:
        """The number of a symbol in canonical spelling; NO_INSTRUMENT when nobody trades it."""
        found = self._by_name.get(name)
        return found.number if found is not None else NO_INSTRUMENT

    def find(self, text: str) -> int:
        """The number of a symbol in whatever spelling: "BRK.A", "BRK A" or "BRK/A"."""
        number = self.number_of(text.strip())
        if number != NO_INSTRUMENT:
            return number
        names = [canonical(text, way) for way in (Convention.CMS, Convention.CQS)]
        numbers = [n for n in map(self.number_of, names) if n != NO_INSTRUMENT]
        return numbers[0] if numbers else NO_INSTRUMENT

    def name_of(self, number: int) -> str:
        """The canonical symbol of an instrument."""
        return self._by_number[number].name

    def owns(self, number: int) -> bool:
        """Whether an instrument is this owner's."""
        return self.owner is None or self.owner.owns(self.name_of(number))

    def instrument(self, number: int) -> Instrument:
        """An instrument by its number."""
        return self._by_number[number]

    def by_key(self, venue: int, key: int) -> int:
        """The number of a venue's key; NO_INSTRUMENT while it is unknown, LEFT_OUT for tests."""
        found = self._by_key.get((venue, key))
        return found.number if found is not None else NO_INSTRUMENT

    def learn(self, venue: int, key: int, text: str, *, lot: int = 0, test: bool = False) -> int:
        """Takes a venue's spelling of a key; the instrument's number, or LEFT_OUT.

        A key without a spelling, or with one that is too long for its record, is its own name.
        A round lot that venues state differently stays as it was stated last.
        """
        convention = self._conventions.get(venue, Convention.NASDAQ)
        text = text or str(key)
        name, parsed = canonical(text, convention), parse(text, convention)
        is_test = test or name in self._tests or (parsed is not None and parsed.is_test)
        if is_test:
            self._leave_out(name)
        found = self._by_name.get(name) or self._new(name)
        if found is None:
            self.refused += 1
            return NO_INSTRUMENT
        if lot > 0:
            found.lot = lot
        moved = self._by_key.get((venue, key))
        if moved is not None and moved is not found:
            moved.keys.discard((venue, key))
        self._by_key[venue, key] = found
        found.keys.add((venue, key))
        return found.number

    def learn_key(self, venue: int, key: int) -> int:
        """Takes a key that is text itself; a negative one is not: a long symbol, folded."""
        known = self.by_key(venue, key)
        if known != NO_INSTRUMENT or key < 0:
            return known
        return self.learn(venue, key, symbol_of(key))

    def learn_actions(self, venue: int, actions: NDArray[np.void]) -> int:
        """Takes the SYMBOL records among a venue's actions; how many there were."""
        rows = actions[actions["kind"] == SYMBOL]
        convention = self._conventions.get(venue, Convention.NASDAQ)
        for row in rows:
            text = text_of(int(row["order_id"]), int(row["aux"]), convention)
            test = bool(row["flags"] & TEST_SYMBOL)
            self.learn(venue, int(row["key"]), text, lot=int(row["quantity"]), test=test)
        return len(rows)

    def _new(self, name: str) -> Instrument | None:
        if len(self._by_number) > self.room:
            return None
        made = Instrument(len(self._by_number), name)
        self._by_number.append(made)
        self._by_name[name] = made
        return made

    def _leave_out(self, name: str) -> None:
        self._tests.add(name)
        found = self._by_name.get(name)
        if found is None:
            self._by_name[name] = Instrument(LEFT_OUT, name)
        elif found.number != LEFT_OUT:
            found.number = LEFT_OUT  # its number stays taken: nobody is given it again

    def fill(self, market: MarketShard, venue: int, books: BookViews) -> int:
        """Writes what is known of a venue into the market's tables; how many keys it maps.

        Args:
            market: its maps and instruments are written.
            venue: number of the venue in the market and here.
            books: the venue's, which give the keys their own numbers.
        """
        made = 0
        for (of, key), instrument in self._by_key.items():
            own = books.instrument(key) if of == venue else None
            if own is not None and own < market.maps.shape[1]:
                ours = instrument.number <= 0 or self.owns(instrument.number)
                market.map(venue, own, instrument.number if ours else LEFT_OUT)
                made += 1
        for instrument in self._by_number[1:]:
            if instrument.number > 0:
                market.set_instrument(instrument.number, instrument.name, lot=instrument.lot)
        return made
