"""Forms: messages that are encoded once and then patched with an order's words.

A form is made from a protocol's own encoder and table. Which bytes a field takes is found by
encoding it twice with different values, so offsets are written down nowhere but in the table. What
comes out is one array (`Form.image`) that kernels work on, wherever it lies:

    protocol = PROTOCOLS["ouch50"]                                 # of router.entry.protocols
    forms = protocol.order_forms(Constants(symbol="AAPL", firm="FIRM"))     # by name
    image = forms["enter"].image                                   # keep it alive
    words = np.zeros(1, WORDS_DTYPE)                               # token, side, quantity, price...
    length = fill(image.ctypes.data, words.ctypes.data, out)       # 0: the protocol cannot say it

Whoever reads such messages (a simulated venue) uses the same forms the other way round, and answers
with `reply_forms`:

    replies = protocol.reply_forms(Constants())
    number = recognise(addresses_of_forms, count, data, length, words)    # which form, words read
    length = fill(replies["accepted"].image.ctypes.data, words.ctypes.data, out)

The order forms are "enter", "enter full" (with a minimum and shown quantity), "replace", "replace
full" and "cancel"; the replies "accepted", "executed", "canceled", "rejected", "replaced",
"replace rejected" and "cancel rejected". In replaces and cancels `old_token` is the order that is
meant. Orders have their symbol as a constant; it is read into the word `symbol` as the wire has it
(`Protocol.symbol`), and replies take it from there. A message has its transport around it
(SoupBinTCP packet, BOE header, Pillar sequenced message); the sequence number of BOE and Pillar
messages is the word `sequence`. `protocols.PROTOCOLS` has all four protocols, and the codes that
the word `reason` takes.

Prices that the wire has no unit for, numbers that do not fit and orders without letters are not
written: `fill` gives 0.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

import msgspec
import numpy as np
from numpy.typing import NDArray

from feedhandler.actions import BUY, SELL
from feedhandler.prices import multiplier
from feedhandler.wire.field import Field, Part
from feedhandler.wire.record import Value, pack
from router.entry import formlayout as f

Values = dict[str, Value]
Encode = Callable[[Values], bytes]
Letters = Callable[["Choice"], Values | None]
WORD_BYTES: Final = 8
ORDERS: Final = ("enter", "enter full", "replace", "replace full", "cancel")
REPLIES: Final = (
    "accepted", "executed", "canceled", "rejected", "replaced", "replace rejected",
    "cancel rejected",
)  # fmt: skip


class Constants(msgspec.Struct, frozen=True, kw_only=True):
    """What all messages of a session (orders: in an instrument) have in common.

    Attributes:
        symbol: the text on the wire; of orders only.
        symbol_id: Pillar's number of the instrument; of orders only.
        firm: OUCH 4.2's firm, Pillar's MPID.
        capacity: A agency, P principal, R riskless principal.
        account: BOE's.
        clearing_firm: BOE's.
        stream: high and low word of the id of the Pillar stream that messages are written to.
        unit: BOE's matching unit; of replies only.
    """

    symbol: str = ""
    symbol_id: int = 0
    firm: str = ""
    capacity: str = "P"
    account: str = ""
    clearing_firm: str = ""
    stream: tuple[int, int] = (0, 0)
    unit: int = 0


@dataclass(frozen=True)
class Choice:
    """What the letters of an order hang on."""

    side: int
    tif: int
    flags: int
    market: bool

    def has(self, flag: int) -> bool:
        """Whether a flag of `router.tables` is set."""
        return self.flags & flag != 0


@dataclass(frozen=True)
class Move:
    """How one field follows from one word.

    Attributes:
        kind: of `formlayout`.
        zero: of a PRICE: what a price of 0 is on the wire.
        high: greatest value that the protocol allows, where the field holds more.
        digits: of DIGITS.
        codes: of a CODE: the field's value by the word's.
        written, is_read: False for what is only read, or only written.
    """

    field: str
    word: str
    kind: int = f.NUMBER
    zero: int = 0
    high: int = f.GREATEST
    digits: int = 0
    codes: Sequence[Value] = ()
    written: bool = True
    is_read: bool = True


def number(name: str, word: str, **more: int) -> Move:
    """A field that is a word as it is."""
    return Move(name, word, **more)  # type: ignore[arg-type]


def price(name: str = "price", word: str = "price", **more: int) -> Move:
    """A field that is a price, in the field's scale."""
    return Move(name, word, f.PRICE, **more)  # type: ignore[arg-type]


def digits(name: str, word: str, count: int) -> Move:
    """A text field that is a word in so many decimal digits."""
    return Move(name, word, f.DIGITS, high=10**count - 1, digits=count)


def code(name: str, word: str, codes: Sequence[Value], *, is_read: bool = True) -> Move:
    """A field that is chosen by a small word."""
    return Move(name, word, f.CODE, high=len(codes) - 1, codes=codes, is_read=is_read)


@dataclass(frozen=True)
class Form:
    """One message with its places to patch.

    Attributes:
        name: of the message.
        length: bytes.
        template: the message with all words 0.
        image: what kernels work on, see `formlayout`; the template is its end.
        fields: names of the fields that are patched or chosen, in order.
        symbol: (first byte, bytes) of the symbol in orders; None where there is none.
    """

    name: str
    length: int
    template: bytes
    image: NDArray[np.uint8] = field(repr=False)
    fields: tuple[str, ...]
    symbol: tuple[int, int] | None = None

    @property
    def address(self) -> int:
        """Of the image; valid while the form is kept."""
        return int(self.image.ctypes.data)


def choice_of(number: int) -> Choice:
    """The choice with a number, see `formkernels.choice_number`."""
    side = SELL if number >> f.SELLS_BIT & 1 else BUY
    market = bool(number >> f.MARKET_BIT & 1)
    return Choice(side, number >> f.TIF_BIT & 3, number & f.CHOICE_FLAGS, market)


def symbol_word(text: str, *, padding: str = " ") -> int:
    """The word `symbol` of a symbol; BOE pads with NULs. ValueError: longer than 8 characters."""
    if not 0 < len(text) <= WORD_BYTES:
        raise ValueError(f"symbol {text!r}: expected 1 to {WORD_BYTES} characters")
    return int.from_bytes(text.encode("latin-1").ljust(WORD_BYTES, padding.encode()), "little")


def width_of(raws: Sequence[int | None]) -> int:
    """Bytes (1, 2, 4 or 8) at a field's start that have all in which its values differ."""
    known = [raw for raw in raws if raw is not None]
    differ = 0
    for raw in known:
        differ |= raw ^ known[0]
    return next(n for n in (1, 2, 4, 8) if differ < 1 << 8 * n)


class Builder:
    """Puts a form together. Raises ValueError naming the field that cannot be patched."""

    def __init__(self, name: str, encode: Encode, fields: Mapping[str, Field]) -> None:
        self.name, self._encode, self._fields = name, encode, fields
        self.template = encode({})
        self._patches: list[tuple[int, ...]] = []
        self._readings: list[tuple[int, ...]] = []
        self._tables: list[list[int]] = []  # each behind the other; rows point to them by number
        self._choices: list[int] | None = None
        self._names: list[str] = []
        self._symbol: tuple[int, int] | None = None

    def field(self, name: str) -> Field:
        """What the protocol's table says of a field."""
        found = self._fields.get(name)
        if found is None:
            raise ValueError(f"{self.name}: no field {name!r}")
        return found

    def place(self, name: str) -> int:
        """Where a field stands in the message: the first byte that changes with its value."""
        item = self.field(name)
        low: Value = 0 if item.is_integer else ""
        high: Value = item.high if item.is_integer else "\x01" * item.width
        first, second = self._encode({name: low}), self._encode({name: high})
        places = [n for n, (a, b) in enumerate(zip(first, second, strict=True)) if a != b]
        if not places or places != list(range(places[0], places[0] + item.width)):
            raise ValueError(f"{self.name}: {name} is not {item.width} bytes of the message")
        return places[0]

    def raw(self, name: str, value: Value) -> int:
        """The bytes of a field's value as a little-endian number."""
        return int.from_bytes(pack(self.field(name), value), "little")

    def _table(self, values: list[int]) -> int:
        self._tables.append(values)
        return len(self._tables)

    def move(self, given: Move) -> None:
        """One field that follows from a word."""
        item, at, more, count = self.field(given.field), self.place(given.field), 0, 0
        width = -item.width if item.is_integer and item.big else item.width
        limit = item.high if item.is_integer else (1 << 8 * item.width) - 1
        high = min(given.high, limit)
        if given.kind not in (f.DIGITS, f.CODE) and item.width not in (1, 2, 4, 8):
            raise ValueError(f"{self.name}: {given.field} has {item.width} bytes")
        table = 0
        if given.kind == f.PRICE:
            assert item.decimals is not None
            more, count = multiplier(item.decimals), given.zero
        elif given.kind == f.DIGITS:
            more = given.digits
        elif given.kind == f.CODE:
            raws = [self.raw(given.field, value) for value in given.codes]
            width = min(width_of(raws), item.width)  # behind it all codes are alike
            raws = [raw & ((1 << 8 * width) - 1) for raw in raws]
            table, count, high = self._table(raws), len(raws), len(raws) - 1
        row = (given.kind, getattr(f.WORD, given.word), at, width, high, more, count, table)
        self._names.append(given.field)
        if given.written:
            self._patches.append(row)
        elif given.word == "symbol":
            self._symbol = at, item.width
        if given.is_read:
            self._readings.append(row)

    def letters(self, letters: Letters, names: Sequence[str]) -> None:
        """The fields that are chosen by side, time in force and flags."""
        chosen = [letters(choice_of(number)) for number in range(f.CHOICES)]
        table, shift = [0] * f.CHOICES, 0
        for name in names:
            item = self.field(name)
            raws = [None if c is None else self.raw(name, c[name]) for c in chosen]
            width = width_of(raws)
            least = [(raw or 0) & ((1 << 8 * width) - 1) for raw in raws]
            table = [known | raw << shift for known, raw in zip(table, least, strict=True)]
            self._patches.append((f.CHOICE, 0, self.place(name), width, 0, shift, 0, 0))
            for part in item.parts or (Part(name, 0, 8 * width),):
                self._read_letters(name, part, width, raws)
            shift += 8 * width
            self._names.append(name)
        if shift > 8 * WORD_BYTES:
            raise ValueError(f"{self.name}: {', '.join(names)} do not fit 8 bytes")
        said = [f.CANNOT_SAY if c is None else v for c, v in zip(chosen, table, strict=True)]
        self._choices = said

    def unsaid(self, word: str) -> None:
        """A word that the message has no place for: anything but 0 cannot be said."""
        self._patches.append((f.NUMBER, getattr(f.WORD, word), 0, 0, 0, 0, 0, 0))

    def _read_letters(self, name: str, part: Part, width: int, raws: Sequence[int | None]) -> None:
        """What each value of a field says for sure: the bits that all its choices share."""
        shared: dict[int, int] = {}
        said = f.SIDE_SAID if "side" in part.name or part.name.startswith("buy_sell") else 0
        for number_, raw in enumerate(raws):
            if raw is not None:
                value = part.of(raw)
                shared[value] = shared.get(value, f.CHOICES - 1) & number_
        if len(shared) < 2 and not said:
            return
        pairs = [word for value, bits in shared.items() for word in (value, bits | said)]
        mask = (1 << part.width) - 1
        table = self._table(pairs)
        at = self.place(name)
        self._readings.append((f.LETTERS, part.shift, at, width, mask, 0, len(shared), table))

    def shape(self, *ranges: tuple[int, int]) -> None:
        """Bytes (first, behind last) that tell this message from others."""
        for at, end in ranges:
            while at < end:
                width = next(n for n in (8, 4, 2, 1) if n <= end - at)
                raw = int.from_bytes(self.template[at : at + width], "little", signed=width == 8)
                self._readings.insert(0, (f.SHAPE, 0, at, width, raw, 0, 0, 0))
                at += width

    def build(self) -> Form:
        """The form."""
        rows = len(self._patches) + len(self._readings)
        behind = f.FORM_BYTES + f.PATCH_BYTES * rows
        places, words = [0], list[int]()
        for table in self._tables:
            places.append(behind + WORD_BYTES * len(words))
            words += table
        choices = behind + WORD_BYTES * len(words) if self._choices is not None else 0
        words += self._choices or []
        template = behind + WORD_BYTES * len(words)
        padded = self.template.ljust(-(-len(self.template) // 64) * 64, b"\0")
        image = np.zeros(template + len(padded), np.uint8)
        head = image[: f.FORM_BYTES].view(f.FORM_DTYPE)[0]
        head["length"], head["template"], head["choices"] = len(self.template), template, choices
        head["patches"], head["readings"] = len(self._patches), len(self._readings)
        head["reading"] = f.FORM_BYTES + f.PATCH_BYTES * len(self._patches)
        made = image[f.FORM_BYTES : behind].view(f.PATCH_DTYPE)
        for row, given in enumerate(self._patches + self._readings):
            plain, which = list(given[:-1]), given[-1]
            plain[5] = places[which] if which else plain[5]
            made[row] = tuple(plain)
        image[behind:template] = np.array(words, np.int64).view(np.uint8)
        image[template:] = np.frombuffer(padded, np.uint8)
        names = tuple(self._names)
        return Form(self.name, len(self.template), self.template, image, names, self._symbol)


def make_form(
    name: str,
    encode: Encode,
    fields: Mapping[str, Field],
    moves: Sequence[Move],
    shape: Sequence[tuple[int, int]],
    letters: tuple[Letters, Sequence[str]] | None = None,
    unsaid: Sequence[str] = (),
) -> Form:
    """A form.

    Args:
        name: of the message, for errors.
        encode: the plain encoder with the transport around it; takes values by field name, and
            has the constants and the blank values of all others itself.
        fields: by name, what the protocol's table says.
        moves: the fields that follow from words.
        shape: bytes (first, behind last) that tell the message from others.
        letters: what gives the values of the named fields by the order's choices.
        unsaid: words that the message has no place for; they have to be 0.

    Raises:
        ValueError: naming a field that cannot be patched.
    """
    builder = Builder(name, encode, fields)
    for given in moves:
        builder.move(given)
    if letters is not None:
        builder.letters(*letters)
    for word in unsaid:
        builder.unsaid(word)
    builder.shape(*shape)
    return builder.build()
