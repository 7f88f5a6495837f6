"""The encoders are the inverse of the decoder, and refuse what cannot be said."""

from __future__ import annotations

import random
from itertools import pairwise

import numpy as np
import pytest
from event_rig import DAY, LISTINGS, START_NS, events_of
from msgspec.structs import replace
from numpy.typing import NDArray
from publishing_rig import PROTOCOLS, Rig
from slow_feed import Heard, SlowFeed

from feedhandler import actions as a
from feedhandler.registry import decode, versions
from simulator.publishing.forms import Forms
from simulator.publishing.layout import ALL_SLOT
from simulator.publishing.publisher import Publisher
from simulator.publishing.unit import PublishError
from simulator.publishing.venues import DIALECTS, VENUES

QUIET = (a.CLOCK, a.SYMBOL, a.END, a.SESSION)


def heard(actions: NDArray[np.void]) -> list[tuple[Heard, int]]:
    """What the slow feed says of actions, and their times."""
    made = []
    for row in actions.tolist():
        kind, _, flags, _, key, order, price, quantity, aux, time_ns, _ = row
        if kind not in QUIET and not flags & (a.ALL | a.TYPED):
            order = 0 if kind == a.STATUS else order
            made.append(((a.KINDS[kind], key, order, price, quantity, aux), time_ns))
    return made


def first_difference(events: NDArray[np.void], venue: str, seed: int) -> str:
    """Where decoder and slow feed say different things of the same events; "" when nowhere."""
    alone = replace(VENUES[venue], units=1)  # units send in an order of their own
    with Rig(alone, seed=seed) as rig:
        rig.keep, publisher = True, rig.publisher
        slow = SlowFeed(publisher.feed.protocol.name, publisher.order_id, publisher.key)
        rig.publish(events)
        ours = iter(heard(np.concatenate(rig.actions)))
        for row in events.tolist():
            for wanted in slow.hear(row):
                found = next(ours, None)
                if found != (wanted, row[9]):
                    return f"{row}: {found} != {wanted} at {row[9]}"
        left = next(ours, None)
        return "" if left is None else f"{left} was never said"


@pytest.mark.parametrize("seed", [1, 2, 3])
@pytest.mark.parametrize("venue", PROTOCOLS)
def test_the_decoder_hears_what_happened(venue: str, seed: int) -> None:
    assert first_difference(events_of(seed, 3_000), venue, seed) == ""


MOST_PRICE = {"nasdaq": (1 << 32) - 1, "nyse": (1 << 31) - 1}  # in 1e-4; else what 63 bits hold
MOST_SHARES = (1 << 32) - 1


def edges(venue: str, seed: int) -> NDArray[np.void]:
    """Orders at the ends of what fields hold, or anywhere between: small, short, long, largest."""
    chance = random.Random(seed)
    most_price = MOST_PRICE.get(venue, ((1 << 63) - 1) // 10_000)
    references: list[int] = []

    def number(most: int) -> int:
        """Often an end of a field of 1, 2 or 4 bytes, or of them all."""
        ends = [1, 255, 256, 65_535, 65_536, 6_553_500, 6_553_600, most - 1, most]
        return min(most, chance.choice([*ends, chance.randint(1, most)]))

    rows = []
    for count in range(1, 600):
        reference, side = number((1 << 61) - 1) ^ count << 20, chance.choice((a.BUY, a.SELL))
        if reference in references:
            continue
        references.append(reference)
        shares, aux = number(MOST_SHARES), number((1 << 32) - 1)
        price = 10_000 * number(most_price)
        head = START_NS + count * 1_000_003
        rows.append((a.ADD, side, 0, 0, 1, reference, price, shares, 0, head, 0))
        kind = chance.choice((a.EXECUTE, a.EXECUTE_PRICE, a.REDUCE, a.MODIFY, a.DELETE))
        quantity = chance.choice((shares, 1, chance.randint(1, shares)))
        price = 10_000 * number(most_price) if kind in (a.EXECUTE_PRICE, a.MODIFY) else 0
        aux = aux if kind in (a.EXECUTE, a.EXECUTE_PRICE) else 0
        rows.append((kind, 0, 0, 0, 1, reference, price, quantity, aux, head + 7, 0))
    return np.array(rows, a.ACTION_DTYPE)


@pytest.mark.parametrize("seed", [1, 2])
@pytest.mark.parametrize("venue", PROTOCOLS)
def test_the_ends_of_what_fields_hold_come_through(venue: str, seed: int) -> None:
    assert first_difference(edges(venue, seed), venue, seed) == ""


@pytest.mark.parametrize("venue", PROTOCOLS)
def test_every_message_of_the_dialect_was_said(venue: str) -> None:
    """What the other tests compare covers every form, but those that no venue's day has often."""
    rare = {"nasdaq": {"S"}, "bzx": {0x97}, "nyse": {32, 113}, "memx": {5, 16, 18}}
    rare["iex"] = {"S", "C", "O"}
    publisher = Publisher(VENUES[venue], [*LISTINGS, "ABCD.EFG"], DAY)
    events = np.concatenate([events_of(5, 6_000), long_symbol()])
    seen = set()
    for packets in (publisher.publish(events), publisher.flush()):
        for _, payload in packets:
            seen |= {message.record.code for message in decode(publisher.feed, payload).messages}
    wanted = {said.code for said in publisher.venue.dialect.messages}
    assert wanted - seen == rare[venue]


def long_symbol() -> NDArray[np.void]:
    """An order and a trade of an instrument whose symbol has 8 letters, the sixth in the list."""
    events = events_of(1, 2)
    events["kind"], events["key"], events["flags"] = [a.ADD, a.TRADE], 6, 0
    events["order_id"], events["time_ns"] = 1 << 40, START_NS + 10**12
    events["side"], events["price"], events["quantity"] = a.BUY, 10**9, 100
    return events


def test_forms_are_the_rows_backwards() -> None:
    """Every row with a form under its own kind, whose places lie where the table has the field."""
    for venue in PROTOCOLS:
        dialect = VENUES[venue].dialect
        forms = Forms(dialect.rows, dialect.messages)
        for said in dialect.messages:
            acts = said.acts or dialect.rows.acts[said.code]
            for act in acts:
                slot = act.kind + (ALL_SLOT if act.flags & a.ALL else 0)
                assert forms.said >> slot & 1
                assert said in [given for given, _ in forms.by_slot[slot]]


def one(kind: int, **more: int) -> NDArray[np.void]:
    """One event of the first instrument."""
    event = np.zeros(1, a.ACTION_DTYPE)
    given = {"kind": kind, "key": 1, "time_ns": START_NS, "sequence": 1, **more}
    for name, value in given.items():
        event[name] = value
    return event


ADD = {"order_id": 1, "side": a.BUY, "price": 10**10, "quantity": 100}
REFUSED = {
    "the key is no instrument's": [one(a.ADD, **{**ADD, "key": 9})],
    "the order is not shown": [one(a.DELETE, order_id=5)],
    "the reference is shown already": [one(a.ADD, **ADD), one(a.ADD, **ADD)],
    "the quantity cannot be": [one(a.ADD, **ADD), one(a.REDUCE, order_id=1, quantity=101)],
    "the protocol has no message into which it fits": [one(a.ADD, **{**ADD, "price": 12_345})],
}


@pytest.mark.parametrize("why", REFUSED)
@pytest.mark.parametrize("venue", PROTOCOLS)
def test_what_a_book_needs_and_cannot_be_said_is_refused(venue: str, why: str) -> None:
    publisher = Publisher(venue, LISTINGS, DAY)
    *before, last = REFUSED[why]
    for event in before:
        publisher.publish(event)
    with pytest.raises(PublishError, match=why):
        publisher.publish(last)


def test_a_price_goes_out_at_the_scale_of_its_symbol() -> None:
    with Rig("nyse") as rig:
        rig.publish(one(a.ADD, **{**ADD, "key": 2, "price": 12_345_600}))
        assert rig.ladder(2, a.BUY) == [(12_345_600, 100, 1)]
        with pytest.raises(PublishError):
            rig.publisher.publish(one(a.ADD, **{**ADD, "order_id": 2, "price": 12_345_600}))


def test_dense_ids_count_and_scattered_ones_look_random() -> None:
    dense, scattered = Publisher("nasdaq", LISTINGS, DAY), Publisher("memx", LISTINGS, DAY)
    assert [dense.order_id(n) for n in (1, 2, 3)] == [1, 2, 3]
    ids = [scattered.order_id(n) for n in range(1, 20_001)]
    assert len(set(ids)) == len(ids) and min(ids) > 0 and max(ids) < 1 << 62
    assert sum(x < y for x, y in pairwise(ids)) == pytest.approx(10_000, rel=0.05)
    other = Publisher("memx", LISTINGS, DAY, seed=1)
    assert other.order_id(1) != scattered.order_id(1)


def test_the_order_table_grows_and_forgets() -> None:
    count = 70_000
    events = np.repeat(one(a.ADD, **ADD), count)
    events["order_id"] = np.arange(1, count + 1)
    publisher = Publisher("iex", LISTINGS, DAY)
    publisher.publish(events)
    (unit,) = publisher.units
    assert unit.shown_orders["reference"].tolist() == list(range(1, count + 1))
    wire = [publisher.order_id(n) for n in range(1, 1_000)]
    assert unit.shown_orders["wire"][:999].tolist() == wire
    events["kind"] = a.DELETE
    publisher.publish(events[::-1].copy())
    assert len(unit.shown_orders) == 0


def test_a_feed_that_is_not_published_is_no_venue() -> None:
    with pytest.raises(ValueError, match="no venue 'xnas': there are nasdaq, bx"):
        Publisher("xnas", LISTINGS, DAY)
    assert {versions(venue.feed)[0].protocol.name for venue in VENUES.values()} == set(DIALECTS)
