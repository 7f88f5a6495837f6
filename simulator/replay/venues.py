"""Venues in a replay, on the control side: made from models, connected by ports, looked at.

The loop calls them by address, in this order for each packet of the capture:

    while due_ns <= time of the packet:        # `due_address`
        ready = step(sim, time of the packet)  # bits of the ports that have answers now
        for each of them: rx_burst(port), handle the answers at their times, `release` does nothing
    if watched >> venue & 1:                   # `watched_address`, market venue of the packet
        note(sim, venue, actions, count, time)
    apply the packet

and, before it sends, writes its time to `now_address`; then `tx(port, message, length, 0)`. A
message goes to the venue of the port, an answer comes at the router's time in its descriptor. At
the end of the capture `step(sim, NEVER)` as long as it gives something brings what is under way.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from types import MappingProxyType
from typing import Any, Final, NamedTuple

import msgspec
import numpy as np
from numpy.typing import NDArray

from nic.block import Block, create
from nic.dueheap import DUE_DTYPE
from nic.layout import DESCRIPTOR_DTYPE
from nic.regions import CHECKED, allowed
from simulator.matching.model import VenueModel
from simulator.matching.sampler import Way
from simulator.matching.speed import CHANCES, SPEED_DTYPE
from simulator.replay import entries, layout
from simulator.replay.models import ReplayVenue
from simulator.replay.wires import enter_symbol
from simulator.replay.wiring import Forms, make_forms, numbered, reason_codes, symbol_words

LAST_NS: Final = layout.NEVER - 1
COUNTERS: Final = (
    "arrived", "answered", "executed", "unread", "ignored", "unsaid", "unsent", "full", "untaken",
    "order_count", "execution_count",
)  # fmt: skip
WORD_MASK: Final = (1 << 64) - 1


class Sizes(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Room for rows; each table is full at that many and counts what it refuses."""

    orders: int = 65_536
    events: int = 16_384  # messages on their way, and midpoint orders that wait
    answers: int = 4096  # on their way, a session; a power of two


class Port(NamedTuple):
    """A session's port as the loop knows ports.

    Attributes:
        ops: addresses of `rx_burst`, `release`, `tx` and `thread_init`.
    """

    name: str
    handle: int
    ops: Mapping[str, int]


class Answer(NamedTuple):
    """One answer of a venue, at the time it is at the router."""

    time_ns: int
    data: bytes


OPS: Final = MappingProxyType(
    {
        "rx_burst": entries.venue_rx_burst.address,
        "release": entries.venue_release.address,
        "tx": entries.venue_tx.address,
        "thread_init": entries.venue_thread_init.address,
    }
)


class ReplayVenues:
    """Venues that take orders while captures are replayed.

    Args:
        venues: what they are.
        market: address of the consolidated book that the capture's packets go into.
        symbols: name of each instrument of it that can be traded.
        seed: of all that is drawn.
        midnight_ns: of the day, in the venues' zone.
        forget_ns: how long shares of a level that we took are remembered as ours.
        sizes: room.

    Attributes:
        address: of the head, for kernels.
        ports: one a session, the venues' in order.
        step_address, note_address: of the functions; see above.

    Raises ValueError for more than 62 sessions, or two venues with the same quotes.
    """

    def __init__(
        self,
        venues: Sequence[ReplayVenue],
        market: int,
        symbols: Mapping[int, str],
        *,
        seed: int = 1,
        midnight_ns: int = 0,
        forget_ns: int = 1_000_000_000,
        sizes: Sizes | None = None,
    ) -> None:
        self.venues, self.sizes = tuple(venues), sizes or Sizes()
        self._check()
        self._instruments, self._symbols = max(symbols, default=0) + 1, dict(symbols)
        self._forms = [self._forms_of(venue) for venue in self.venues]
        self._block = create(self._sections(), hugepages=True)
        self.head: np.void = self._block["head"][0]
        self.orders: NDArray[np.void] = self._block["orders"]
        self.address = self._block.section_address("head")
        self.step_address: int = entries.venue_step.address
        self.note_address: int = entries.venue_note.address
        self._seed = seed
        self._fill_head(market, forget_ns)
        self._hidden_used = 0
        for number, venue in enumerate(self.venues):
            self._fill_venue(number, venue)
            self._fill_wire(number, venue)
        self.ports = tuple(self._fill_sessions(midnight_ns))
        self._descriptors = np.zeros(64, DESCRIPTOR_DTYPE)

    def _check(self) -> None:
        quotes = [venue.quotes for venue in self.venues if venue.quotes >= 0]
        if len(set(quotes)) != len(quotes):
            raise ValueError("venues: two of them have the same number in the consolidated book")
        if not 1 <= sum(venue.sessions for venue in self.venues) <= 62:
            raise ValueError("venues: expected 1 to 62 sessions in all")
        answers = self.sizes.answers
        if answers & (answers - 1) or answers < 4:
            raise ValueError(f"answers: expected a power of two of at least 4, got {answers}")

    def _sections(self) -> list[tuple[str, np.dtype[Any], int]]:
        sizes, count = self.sizes, len(self.venues)
        sessions = sum(venue.sessions for venue in self.venues)
        unseen = sum(venue.unseen is not None for venue in self.venues)
        words = np.dtype("i8")
        return [
            ("head", layout.HEAD_DTYPE, 1),
            ("venues", layout.VENUE_DTYPE, count),
            ("sessions", layout.SESSION_DTYPE, sessions),
            ("orders", layout.ORDER_DTYPE, sizes.orders + 2),
            ("tokens", layout.TOKEN_DTYPE, token_slots(sizes)),
            ("events", DUE_DTYPE, sizes.events),
            ("messages", layout.MESSAGE_DTYPE, sizes.events + 1),
            ("answers", layout.SENT_DTYPE, sessions * sizes.answers),
            ("taken", layout.TAKEN_DTYPE, count * layout.MOST_TAKEN),
            ("speeds", SPEED_DTYPE, 3 * count),
            ("wires", layout.WIRE_DTYPE, count),
            ("forms", np.dtype("u1"), max(1, sum(item.memory.nbytes for item in self._forms))),
            ("words", words, count * self._instruments),
            ("symbols", layout.SYMBOL_DTYPE, symbol_slots(count * self._instruments)),
            ("draws", words, 2 * layout.DRAWS * max(unseen, 1)),
            ("hidden", layout.HIDDEN_DTYPE, 2 * self._instruments * max(unseen, 1)),
        ]

    def _fill_head(self, market: int, forget_ns: int) -> None:
        head, block, sizes = self.head, self._block, self.sizes
        for name in ("venues", "sessions", "orders", "tokens", "events", "messages", "symbols"):
            head[name] = block.section_address(name)
        head["market"], head["due_ns"], head["forget_ns"] = market, layout.NEVER, forget_ns
        head["venue_count"], head["session_count"] = len(self.venues), len(block["sessions"])
        head["instrument_count"], head["most_orders"] = self._instruments, sizes.orders + 1
        head["token_mask"], head["most_events"] = token_slots(sizes) - 1, sizes.events
        head["most_tokens"] = 2 * sizes.orders
        head["symbol_mask"] = len(block["symbols"]) - 1
        mixed = (self._seed * 0x9E3779B97F4A7C15) & WORD_MASK
        head["seed"] = mixed - (1 << 64 if mixed >> 63 else 0)
        head["market_to_venue"] = -1
        head["free_message"] = 1  # slot 0 stands for none
        block["messages"]["next"][1:-1] = np.arange(2, sizes.events + 1)

    def _fill_venue(self, number: int, venue: ReplayVenue) -> None:
        row, block, model = self._block["venues"][number], self._block, venue.model
        row["name"], row["number"], row["quotes"] = venue.name.encode(), number, venue.quotes
        row["rules"], row["most_shares"] = venue.rules, model.most_shares
        row["reject_chance"] = round(model.troubles.reject_chance * CHANCES)
        row["tick_count"] = len(model.ticks)
        for place, band in enumerate(model.ticks):
            row["ticks"][2 * place : 2 * place + 2] = band.from_price, band.tick
        self._fill_speeds(number, model)
        for place, name in enumerate(("inbound", "outbound", "troubles")):
            row[name] = block.section_address("speeds", 3 * number + place)
        row["taken"] = block.section_address("taken", number * layout.MOST_TAKEN)
        row["cancels_ahead"] = round(venue.cancels_ahead * 1024)
        if venue.quotes >= 0:
            self.head["market_to_venue"][venue.quotes] = number
        if venue.unseen is not None:
            used, draws = self._hidden_used, block["draws"]
            at = 2 * layout.DRAWS * used
            draws[at : at + layout.DRAWS] = venue.unseen.size_table()
            draws[at + layout.DRAWS : at + 2 * layout.DRAWS] = venue.unseen.wait_table()
            row["sizes"] = block.section_address("draws", at)
            row["waits"] = block.section_address("draws", at + layout.DRAWS)
            row["hidden"] = block.section_address("hidden", 2 * self._instruments * used)
            self._hidden_used += 1

    def _fill_speeds(self, number: int, model: VenueModel) -> None:
        seed = 3 * (1 + number + 64 * self._seed)
        ways = (
            Way(model.inbound, seed, model.messages_per_second),
            Way(model.outbound, seed + 1),
            Way(VenueModel(name="").inbound, seed + 2),
        )
        for place, way in enumerate(ways):
            self._block["speeds"][3 * number + place] = way.state[0]

    def _forms_of(self, venue: ReplayVenue) -> Forms:
        if venue.protocol == "words":
            return Forms(np.zeros(0, np.uint8), (), ())
        return make_forms(venue.protocol, venue.constants)

    def _fill_wire(self, number: int, venue: ReplayVenue) -> None:
        if venue.protocol == "words":
            return
        row, block, forms = self._block["wires"][number], self._block, self._forms[number]
        first = sum(item.memory.nbytes for item in self._forms[:number])
        block["forms"][first : first + forms.memory.nbytes] = forms.memory
        at = block.section_address("forms", first)
        row["orders"] = [at + place for place in forms.orders]
        row["replies"] = [at + place for place in forms.replies]
        row["numbered"] = numbered(venue.protocol)
        row["cancel_codes"] = reason_codes(venue.protocol, cancels=True)
        row["reject_codes"] = reason_codes(venue.protocol, cancels=False)
        row["symbols"] = block.section_address("words", number * self._instruments)
        words = block["words"].reshape(-1, self._instruments)
        with allowed(block):
            for instrument, word in symbol_words(venue.protocol, self._symbols):
                words[number, instrument] = word
                enter_symbol(self.address, number, word, instrument)

    def _fill_sessions(self, midnight_ns: int) -> list[Port]:
        ports: list[Port] = []
        for number, venue in enumerate(self.venues):
            for _ in range(venue.sessions):
                place = len(ports)
                row = self._block["sessions"][place]
                row["sim"], row["number"], row["midnight_ns"] = self.address, place, midnight_ns
                row["venue"] = self._block.section_address("venues", number)
                if venue.protocol != "words":
                    row["wire"] = self._block.section_address("wires", number)
                row["answers"] = self._block.section_address("answers", place * self.sizes.answers)
                row["answer_mask"] = self.sizes.answers - 1
                handle = self._block.section_address("sessions", place)
                ports.append(Port(venue.name, handle, OPS))
        return ports

    def _word(self, name: str) -> int:
        return self.address + int(getattr(layout.HEAD, name))

    @property
    def due_address(self) -> int:
        """Of the time of the next thing that happens here."""
        return self._word("due_ns")

    @property
    def watched_address(self) -> int:
        """Of the market venues, as bits, whose packets `note` wants to see."""
        return self._word("watched")

    @property
    def now_address(self) -> int:
        """Of the loop's time, to be written before it sends."""
        return self._word("now_ns")

    @property
    def due_ns(self) -> int:
        """When the next thing happens; `layout.NEVER`."""
        return int(self.head["due_ns"])

    def blocks(self) -> tuple[Block, ...]:
        """The memory, for `nic.regions.allowed`."""
        return (self._block,)

    @property
    def counters(self) -> dict[str, int]:
        """What happened so far."""
        return {name: int(self.head[name]) for name in COUNTERS}

    def venue_row(self, number: int) -> np.void:
        """A venue's row, with its counters."""
        row: np.void = self._block["venues"][number]
        return row

    # What the loop does, for control code and tests.

    def _call(self, function: Any, *given: int, more: Sequence[Any] = ()) -> int:
        with allowed(*self.blocks(), *more) if CHECKED else nullcontext():
            return int(function.ctypes(*given) or 0)

    def send(self, port: int, data: bytes, now_ns: int, more: Sequence[Any] = ()) -> int:
        """Sends a message at a time: 0 or -errno. `more`: memory as for `nic.regions.allowed`."""
        memory = np.frombuffer(data, np.uint8).copy()
        self.head["now_ns"] = now_ns
        given = self.ports[port].handle, int(memory.ctypes.data), len(data), 0
        return self._call(entries.venue_tx, *given, more=(memory, *more))

    def step(self, until_ns: int = LAST_NS, more: Sequence[Any] = ()) -> int:
        """As the function: bits of the ports with answers. `more` is the memory of the market."""
        return self._call(entries.venue_step, self.address, until_ns, 0, 0, 0, more=more)

    def note(
        self, venue: int, actions: NDArray[np.void], now_ns: int, more: Sequence[Any] = ()
    ) -> int:
        """As the function, for a packet's ACTION_DTYPE records of a market venue."""
        given = self.address, venue, int(actions.ctypes.data), len(actions), now_ns
        return self._call(entries.venue_note, *given, more=(actions, *more))

    def answers(self, port: int) -> list[Answer]:
        """The answers of a port that are at the router since the last step."""
        out, made = self._descriptors, list[Answer]()
        handle = self.ports[port].handle
        while True:
            given = handle, int(out.ctypes.data), len(out)
            count = self._call(entries.venue_rx_burst, *given, more=(out,))
            for row in out[:count]:
                offset = int(row["address"]) - self._block.address
                made.append(Answer(int(row["timestamp_ns"]), self._bytes(offset, row)))
            if count < len(out):
                return made

    def _bytes(self, offset: int, row: np.void) -> bytes:
        section = self._block.sections["answers"]
        raw = self._block["answers"].view(np.uint8)
        start = offset - section.offset
        return raw[start : start + int(row["length_bytes"])].tobytes()

    def close(self) -> None:
        """Gives the memory back. No kernel may use it any more."""
        self.head, self.orders = self.head.copy(), self.orders[:0].copy()
        self._block.close()

    def __enter__(self) -> ReplayVenues:
        return self

    def __exit__(self, *_exception: object) -> None:
        self.close()


def token_slots(sizes: Sizes) -> int:
    """Slots of the token table: a power of two, at most half of them ever full."""
    return max(16, 1 << (4 * sizes.orders - 1).bit_length())


def symbol_slots(count: int) -> int:
    """Slots of the symbol table: a power of two, at most half of them ever full."""
    return max(16, 1 << (2 * count - 1).bit_length())
