"""Sessions on the control side: their rows, forms and templates, made before the loop starts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import msgspec
import numpy as np
from numpy.typing import NDArray

from feedhandler.context import CONTEXT_DTYPE
from feedhandler.registry import versions
from feedhandler.stateblock import LinkPort
from nic.block import aligned
from router.entry.forms import ORDERS, Constants, Form
from router.entry.layout import DOWN, LISTED_BYTES, SESSION_DTYPE, UNITS, UP
from router.entry.protocols import PROTOCOLS, Protocol
from router.entry.specialise import NUMBERS
from router.tables import DOWN_SESSION
from router.tablespace import RouterTables

Section = tuple[str, np.dtype[Any], int]
OUT_BYTES: Final = 256
HELD_BYTES: Final = 1 << 17  # more than any protocol's length field can state
BEAT_BYTES: Final = 64
BYTES: Final = np.dtype("u1")
WORD: Final = np.dtype("i8")


class Listing(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a venue calls an instrument.

    Attributes:
        symbol: its text, at most 8 characters.
        number: its number at the venue, where orders name it by number (Pillar).
    """

    symbol: str
    number: int = 0


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """One session.

    Attributes:
        name: of at most 16 characters.
        venue: number in the router's table of venues.
        protocol: a name in `PROTOCOLS`.
        listings: by number of the instrument; the venue does not trade the others.
        constants: what its messages have in common; the symbol is filled in.
        midnight_ns: of the session's date in the venue's zone, epoch; OUCH times count from it.
    """

    name: str
    venue: int
    protocol: str
    listings: Mapping[int, Listing]
    constants: Constants = Constants()
    midnight_ns: int = 0


class _Made:
    """The forms of a session, and where their templates stand among those of an instrument."""

    def __init__(self, settings: Settings) -> None:
        if settings.protocol not in PROTOCOLS:
            known = ", ".join(PROTOCOLS)
            raise ValueError(f"{settings.name}: no protocol {settings.protocol!r}; known: {known}")
        self.settings, self.protocol = settings, PROTOCOLS[settings.protocol]
        forms = self.protocol.order_forms(settings.constants)
        self.forms: list[Form] = [forms[name] for name in ORDERS]
        self.places: list[int] = []
        at = LISTED_BYTES
        for form in self.forms:
            self.places.append(at)
            at += aligned(form.length, 8)
        self.stride = aligned(at)

    def templates(self, instruments: int) -> NDArray[np.uint8]:
        """[instrument, byte]: all templates, with their symbols."""
        made = np.zeros((instruments, self.stride), np.uint8)
        listings = self.settings.listings
        rows = np.array(sorted(listings), np.int64)
        if len(rows) == 0:
            return made
        if not 0 < rows[0] <= rows[-1] < instruments:
            raise ValueError(f"{self.settings.name}: instruments are 1 to {instruments - 1}")
        words = [self.protocol.symbol(listings[n].symbol, listings[n].number) for n in rows]
        symbols = np.array(words, "<u8").view(np.uint8).reshape(len(rows), 8)
        made[rows, 0] = 1
        for form, at in zip(self.forms, self.places, strict=True):
            made[rows, at : at + form.length] = np.frombuffer(form.template, np.uint8)
            if form.symbol is not None:
                place, width = form.symbol
                made[rows, at + place : at + place + width] = symbols[:, :width]
        return made


class Sessions:
    """The sessions of a router: first their sections, then their rows.

        sessions = Sessions([...], instruments=sizes.instruments + 1)
        tables = RouterTables(sizes, sessions.sections())
        sessions.install(tables)
        sessions.connect(0, port)

    Args:
        settings: in the order of their numbers.
        instruments: that the router has room for, with the unused number 0.

    Raises:
        ValueError: a protocol that there is not, an instrument or symbol that does not fit.
    """

    def __init__(self, settings: Sequence[Settings], instruments: int) -> None:
        self.settings = list(settings)
        self._made = [_Made(item) for item in settings]
        self._instruments = instruments
        self._tables: RouterTables | None = None

    def sections(self) -> list[Section]:
        """The sections that `RouterTables` has to be made with."""
        count = max(1, len(self._made))
        forms = sum(aligned(len(form.image)) for made in self._made for form in made.forms)
        templates = sum(made.stride for made in self._made) * self._instruments
        return [
            ("sessions", SESSION_DTYPE, count),
            ("session_contexts", CONTEXT_DTYPE, count),
            ("session_out", BYTES, OUT_BYTES * count),
            ("session_held", BYTES, HELD_BYTES * count),
            ("session_units", WORD, UNITS * count),
            ("session_beats", BYTES, BEAT_BYTES * count),
            ("session_forms", BYTES, max(1, forms)),
            ("session_templates", BYTES, max(1, templates)),
        ]

    def install(self, tables: RouterTables) -> None:
        """Fills in the rows, forms and templates; all sessions are down."""
        block, forms_at, templates_at = tables.block, 0, 0
        self._tables = tables
        tables.head["session_count"] = len(self._made)
        for number, made in enumerate(self._made):
            row = block["sessions"][number]
            addresses = []
            for form in made.forms:
                block["session_forms"][forms_at : forms_at + len(form.image)] = form.image
                addresses.append(block.section_address("session_forms", forms_at))
                forms_at += aligned(len(form.image))
            row["forms"], row["places"] = addresses, made.places
            templates = made.templates(self._instruments)
            row["templates"] = block.section_address("session_templates", templates_at)
            row["template_bytes"] = made.stride
            block["session_templates"][templates_at : templates_at + templates.size] = (
                templates.ravel()
            )
            templates_at += templates.size
            self._fill(number, row, made)

    def _fill(self, number: int, row: np.void, made: _Made) -> None:
        assert self._tables is not None
        block, settings = self._tables.block, made.settings
        feed = versions(made.protocol.feed)[0]
        framing = feed.transport.framing
        row["name"], row["venue"] = settings.name.encode(), settings.venue
        row["protocol"] = NUMBERS[settings.protocol]
        row["out"] = block.section_address("session_out", OUT_BYTES * number)
        row["held"] = block.section_address("session_held", HELD_BYTES * number)
        row["out_bytes"], row["held_bytes"] = OUT_BYTES - 8, HELD_BYTES
        row["context"] = block.section_address("session_contexts", number)
        block["session_contexts"][number]["midnight_ns"] = settings.midnight_ns
        row["length_at"], row["length_big"] = framing.offset, framing.big
        row["length_plus"], row["length_least"] = framing.plus, max(framing.body, framing.least)
        row["request"] = made.protocol.request
        row["shows_all"] = made.protocol.shows_all
        row["rising"] = made.protocol.rising
        if made.protocol.by_unit:
            row["units"] = block.section_address("session_units", UNITS * number)
        self._tables.venues[settings.venue]["session"] = number
        self.set_state(number, DOWN)

    @property
    def rows(self) -> NDArray[np.void]:
        """The rows, by number."""
        if self._tables is None:
            raise ValueError("the sessions are not installed")
        return self._tables.block["sessions"]

    def protocol_of(self, number: int) -> Protocol:
        """The protocol of a session."""
        return self._made[number].protocol

    def connect(self, number: int, port: LinkPort, cookie: int = 0) -> None:
        """Gives a session its port, anew: what was cut is forgotten. It is down until it is up.

        cookie: a `datagram_cookie` where the venue takes orders over UDP and the port is of
        datagrams, so that each message leaves as one; 0 on a connection.
        """
        row, ops = self.rows[number], port.ops
        row["handle"], row["tx"], row["cookie"] = port.handle, ops["tx"], cookie
        row["rx_burst"], row["release"] = ops["rx_burst"], ops["release"]
        row["held_count"] = 0
        self.set_state(number, DOWN)

    def relist(self, number: int, listings: Mapping[int, Listing]) -> None:
        """Names the instruments of a session anew, while it is down.

        Raises ValueError as the class does.
        """
        assert self._tables is not None
        settings = msgspec.structs.replace(self.settings[number], listings=dict(listings))
        made = _Made(settings)
        self.settings[number], self._made[number] = settings, made
        templates = made.templates(self._instruments).ravel()
        block = self._tables.block
        at = int(self.rows[number]["templates"]) - block.section_address("session_templates")
        block["session_templates"][at : at + templates.size] = templates

    def set_beats(self, number: int, beat: bytes, beat_ns: int, silence_ns: int) -> None:
        """What the loop says when a live session was silent, and how silent its venue may be."""
        assert self._tables is not None
        block, row = self._tables.block, self.rows[number]
        block["session_beats"][BEAT_BYTES * number :][: len(beat)] = np.frombuffer(beat, np.uint8)
        row["beat"] = block.section_address("session_beats", BEAT_BYTES * number)
        row["beat_bytes"], row["beat_ns"], row["silence_ns"] = len(beat), beat_ns, silence_ns

    def set_state(self, number: int, state: int) -> None:
        """Lets orders go to a session's venue (UP) or no longer, while the loop does not run."""
        assert self._tables is not None
        row = self.rows[number]
        row["state"] = state
        venue = self._tables.venues[int(row["venue"])]
        down = int(venue["down"]) & ~DOWN_SESSION
        venue["down"] = down if state == UP else down | DOWN_SESSION
