"""The record writers: by vector instructions and a field at a time, both to the same results."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import pytest
from feed_packets import BY_NAME, carrier_of, rows_of
from guarded_memory import Guarded
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from numba import njit
from slow_actions import Known, expected
from wire_values import values_of

from feedhandler.actions import ACTION_DTYPE, ADD
from feedhandler.context import CONTEXT_DTYPE
from feedhandler.faults import UNKNOWN_VALUE
from feedhandler.wire import lanes
from feedhandler.wire.acts import LEAST_HEADER_BYTES, Act, Rows
from feedhandler.wire.clocks import absolute, own_scale
from feedhandler.wire.field import Fields, Role
from feedhandler.wire.interpreter import interpreter
from feedhandler.wire.lanes import lane_writer
from feedhandler.wire.protocol import Protocol
from feedhandler.wire.record import Record
from feedhandler.wire.scalar import scalar_writer
from feedhandler.wire.walk import ROOM
from nic.regions import allowed, reset, violations

le, be = Fields(big=False), Fields(big=True)
needs_lanes = pytest.mark.skipif(
    not lanes.available(), reason="no AVX-512 VBMI here, or the build checks every access"
)
MOST_RECORDS = 4
GAPS = (0, 5, 6, 7, 60, 200)  # with a gap of 6 the first row's fields end at the 64th byte
PAST_BYTES = 40  # random bytes behind the fixed part, as appended fields of newer versions


def long_message(code: int, fields: Fields, gap_bytes: int) -> Record:
    """A message with some fields of every width on both sides of a gap."""
    made = [fields.u8("code", role=Role.CODE), fields.u8("side"), fields.raw("first", 6)]
    made += [fields.uint(f"near_{width}", width) for width in (1, 2, 3, 4, 5, 6, 7, 8)]
    made += [fields.raw("gap", gap_bytes)] if gap_bytes else []
    made += [fields.price("price", 6, 0), fields.signed_price("band", 8, 4)]
    made += [fields.uint(f"far_{width}", width) for width in (8, 7, 6, 5, 4, 3, 2, 1)]
    size = sum(field.width for field in made)
    return Record(code, f"gap of {gap_bytes}", size, made)


def toy(fields: Fields, name: str) -> Rows:
    """Rows over messages below, around and above the 64 bytes of a register."""
    records = [long_message(n, fields, gap) for n, gap in enumerate(GAPS, 1)]

    def act(number: int) -> tuple[Act, ...]:
        near, far = number % 8 + 1, (3 * number) % 8 + 1
        given: dict[str, Any] = {
            "side": "side",
            "sides": {"B": 1, "S": 2, "\0": 0},
            "price": "price",
        }
        more = {"quantity": "band", "aux": f"near_{far}", "time": f"near_{near}"}
        one = Act(ADD, key=f"near_{near}", order_id="near_8", **given, **more)
        by_side: dict[str, Any] = {"flagged": ("side", {"B": 4}), "second": "near_4"}
        two = Act(ADD, key=f"far_{near}", order_id=f"far_{far}", aux="band", **by_side)
        return one, two

    protocol = Protocol(name, name, records, extensible=True)
    return Rows(protocol, {record.code: act(int(record.code)) for record in records})


def all_rows() -> dict[str, Rows]:
    """The rows of every protocol in the registry, and those of the toys."""
    made = {rows_of(feed).protocol.name: rows_of(feed) for feed in BY_NAME.values()}
    return {**made, "toy little": toy(le, "toy little"), "toy big": toy(be, "toy big")}


ROWS = all_rows()


@njit(nogil=True, forceinline=True)
def by_key(context: Any, key: Any, time: Any) -> Any:
    """A clock that hangs on the key, so that both writers have to hand it over."""
    return time ^ key


@njit(nogil=True, forceinline=True)
def by_hand(context: Any, key: Any, factor: Any) -> Any:
    """A scale that knows every symbol."""
    return 1000 if factor == 0 else factor


@cache
def entry(name: str, make_writer: Any, clock: Any = by_key) -> Any:
    """The compiled handling of one message with a writer, entered from Python."""
    rows = ROWS[name]
    scale = by_hand if rows.by_symbol else own_scale
    message = interpreter(rows, clock=clock, scale=scale, make_writer=make_writer)

    @njit(nogil=True)
    def run(address: Any, length: Any, context: Any, out: Any) -> Any:
        return message(address, length, 77, context, out)

    return run


def records_of(run: Any, address: int, length: int, in_front: int) -> tuple[int, bytes]:
    """What the kernel returns and writes for the message at an address."""
    context, out = np.zeros(1, CONTEXT_DTYPE), np.zeros(MOST_RECORDS, ACTION_DTYPE)
    context["unit"] = 5
    reset()
    with allowed((address - in_front, length + in_front), context, out):
        made = run(address, length, context.ctypes.data, out.ctypes.data)
    assert violations().count == 0, violations()
    return int(made), out[: max(made, 0)].tobytes()


def message_of(rows: Rows) -> st.SearchStrategy[tuple[Record, bytes]]:
    """Any message with rows, its bytes valid or not."""
    codes = st.sampled_from(list(rows.acts))

    def of(code: int | str) -> st.SearchStrategy[tuple[Record, bytes]]:
        record = rows.protocol[code]
        raw = values_of(record, tails=not record.block).map(record.encode)
        if rows.protocol.longer_allowed(record):
            raw = st.builds(lambda a, b: a + b, raw, st.binary(max_size=PAST_BYTES))
        return raw.map(lambda given: (record, given))

    return codes.flatmap(of)


@needs_lanes
@pytest.mark.parametrize(
    "name", [name for name, rows in ROWS.items() if rows.acts and not rows.by_symbol]
)
@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_both_writers_give_the_same_records(name: str, data: st.DataObject) -> None:
    rows = ROWS[name]
    _, message = data.draw(message_of(rows))
    front = rows.bytes_in_front
    raw = data.draw(st.binary(min_size=front, max_size=front)) + message
    memory = Guarded(len(raw))
    fast, slow = entry(name, lane_writer), entry(name, scalar_writer)
    at_end = memory.at_end(raw) + front
    wanted = records_of(slow, at_end, len(message), front)
    assert records_of(fast, at_end, len(message), front) == wanted
    at_start = memory.at_start(raw) + front
    assert records_of(fast, at_start, len(message), front) == wanted
    assert records_of(slow, at_start, len(message), front) == wanted


@pytest.mark.parametrize("name", ["toy little", "toy big", "memoir13"])
@settings(max_examples=100, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_long_messages_are_read_rightly(name: str, data: st.DataObject) -> None:
    rows = ROWS[name]
    record, message = data.draw(message_of(rows))
    memory = Guarded(len(message) + rows.bytes_in_front)
    run = entry(name, scalar_writer, absolute)
    address = memory.at_end(bytes(rows.bytes_in_front) + message) + rows.bytes_in_front
    made, raw = records_of(run, address, len(message), rows.bytes_in_front)
    wanted = expected(rows, record, message, 77, Known(unit=5))
    if wanted is None:
        assert made == -UNKNOWN_VALUE
        return
    found = np.frombuffer(raw, ACTION_DTYPE)
    names = ACTION_DTYPE.names or ()
    assert [{n: int(row[n]) for n in names} for row in found] == wanted


@needs_lanes
def test_what_lies_beyond_a_register_is_left_to_the_other_writer() -> None:
    table = lanes.lane_table(ROWS["toy little"])
    usable = [bool(row[lanes.USABLE_AT]) for row in table[1:]]
    assert usable[::2] == [gap <= 6 for gap in GAPS]
    assert usable[1::2] == [False] * len(GAPS)


@pytest.mark.parametrize("name", BY_NAME)
def test_rows_ask_for_no_more_in_front_than_the_transport_has(name: str) -> None:
    feed = BY_NAME[name]
    transport, carrier = feed.transport, carrier_of(feed)
    there = transport.framing.body
    there += transport.header.size if transport.header is not None else 0
    there += carrier.size if carrier is not None else 0
    assert rows_of(feed).bytes_in_front <= there


def short_rows(bytes_in_front: int, **more: Any) -> Rows:
    """Rows over a message of 5 bytes with a number in its bytes 1 and 2."""
    record = Record(1, "short", 5, [le.u8("code"), le.u16("number"), le.u16("last")])
    act = Act(ADD, **more)
    return Rows(Protocol("toy", "toy", [record]), {1: act}, bytes_in_front)


def test_a_field_is_refused_when_its_load_begins_before_what_may_be_read() -> None:
    assert short_rows(5, key="number").bytes_in_front == 5
    with pytest.raises(ValueError, match=r"short\.number: needs 5 readable bytes, there are 4"):
        short_rows(4, key="number")
    with pytest.raises(ValueError, match=r"short\.last: needs 3 readable bytes, there are 2"):
        short_rows(2, key="last")
    with pytest.raises(ValueError, match="short without key: needs 3 readable bytes"):
        short_rows(2, order_id="last")
    assert short_rows(LEAST_HEADER_BYTES).bytes_in_front == LEAST_HEADER_BYTES


def test_a_flag_is_either_constant_or_chosen() -> None:
    record = Record(1, "flagged", 9, [le.u8("code"), le.raw("gap", 7), le.u8("why")])
    protocol = Protocol("toy", "toy", [record])
    with pytest.raises(ValueError, match="both constant and chosen"):
        Rows(protocol, {1: Act(ADD, flags=3, flagged=("why", {0: 2}))})


def test_a_narrow_price_that_leaves_63_bits_is_no_price() -> None:
    assert ROWS["toy little"].wide
    fields = [le.u8("code"), le.raw("gap", 7), le.price("price", 6, 0)]
    protocol = Protocol("toy", "toy", [Record(1, "dear", 14, fields)])
    assert Rows(protocol, {1: Act(ADD, price="price")}).wide


def test_a_price_by_symbol_fits_whatever_the_scale() -> None:
    fields = [le.u8("code"), le.raw("gap", 7), le.price("price", 8, None)]
    protocol = Protocol("toy", "toy", [Record(1, "dear", 16, fields)])
    with pytest.raises(ValueError, match=r"dear\.price: too wide for a scale that the symbol says"):
        Rows(protocol, {1: Act(ADD, price="price")})


def test_a_message_makes_no_more_records_than_a_batch_has_room_for() -> None:
    act = Act(ADD)
    protocol = Protocol("toy", "toy", [Record(1, "busy", 9, [le.u8("code"), le.raw("gap", 8)])])
    assert Rows(protocol, {1: (act,) * ROOM}).first[1] == 1
    with pytest.raises(ValueError, match="busy: 5 records, the batch has room for 4"):
        Rows(protocol, {1: (act,) * (ROOM + 1)})
