"""What the compiled decoders make of random messages is what a slow judge reads from the rows."""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np
import pytest
from action_rig import faults, run_packet
from feed_packets import BY_NAME, DATAGRAM_FEEDS, STREAM_FEEDS, carried, packet_of, rows_of
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from nyse_rig import Symbols
from slow_actions import Known, expected, unscaled
from wire_values import values_of

from feedhandler.actions import ACCEPTED, ACTION_DTYPE, CANCEL_REJECTED, KINDS, RESTATED, SESSION
from feedhandler.context import UNITS
from feedhandler.feed import Feed
from feedhandler.wire.record import Record, Values

CME_KERNELS: set[int | str] = {4, 27, 29, 30, 32, 36, 38, 41, 42, 46, 48, 52, *range(54, 59)}
CME_KERNELS |= {34, 50, 43, 44, 47, 53, 61, 63, 64, 65, 68, 69}
CME_SILENT: set[int | str] = {12, 15, 16, 33, 35, 37, 39, 49, 51, 59, 60}
CME_SILENT |= {62, 66, 67}
NYSE_SHORT = ("nyse_bbo_25", "nyse_bbo_24", "nyse_imbalances_25", "nyse_imbalances_21")
# Codes whose records a kernel of the protocol makes; the protocol's own tests are about these.
KERNELS: dict[str, set[int | str]] = {
    "itch50": {"R"},
    "glimpse50": {"R", "G"},
    "iex_snap": {"e"},
    "cboe_pitch": {0x20, 0x24, 0x2F, 0x95},
    "cboe_spin": {0x20, 0x2F},
    "memoir13": {1},
    "uqdf15": {"AB", "AE", "AH", "AP", "AV"},
    "cts211": {"ML", "TC", "TE", "TH", "TL", "TR", "TS", "TT", "TX"},
    "cqs210": {"AS", "ML", "QA", "QL", "QS"},
    "nyse_integrated_25": {2, 3, 34},
    "nyse_integrated_21": {2, 3, 34},
    **{name: {2, 3, 34} for name in NYSE_SHORT},
    "miax_meo": {"CR", "E1", "MN", "MR", "NR", "O1", "SU", "XN"},
    "pillar_gateway": {0x0232, 0x0260, 0x0271},
    "cme_mdp3": CME_KERNELS,
    "cme_tcp": CME_KERNELS,
}
# Codes that mean nothing to a book or an order's state.
SILENT: dict[str, set[int | str]] = {
    "itch50": {"L", "V", "W", "K", "h", "N", "O"},
    "glimpse50": {"h", "N"},
    "iex_snap": {"r", "d"},
    "cboe_pitch": {0x98},
    "cboe_spin": {0x01, 0x81},
    "cboe_grp": {0x01, 0x03},
    "uqdf15": {"AA", "AC", "AK", "AR", "CJ", "CP", "QE", "QF", "QM"},
    "cts211": {
        *("AC", "AD", "CC", "CL", "CM", "CN", "CO", "CP", "CT", "MK"),
        *("PE", "PR", "SA", "SB", "SP", "ST"),
    },
    "cqs210": {"CC", "CL", "CM", "CN", "CO", "CP", "CT", "MK", "QQ"},
    "iex_deep": {"I", "E", "X"},
    "iex_deepplus": {"I", "E"},
    "iex_tops16": {"I", "X"},
    "iex_tops15": {"E", "X"},
    "nyse_integrated_25": {10, 11, 12, 13, 15, 31, 35, 114, 223},
    "nyse_integrated_21": {10, 11, 12, 13, 15, 31, 35, 114, 223},
    **{name: {10, 11, 12, 13, 15, 31, 35} for name in NYSE_SHORT},
    "miax_meo": {"CO", "CQ", "CX", "M1", "N1", "PU", "RA", "XQ", "XR"},
    "pillar_gateway": {0x0240, 0x0270, 0x0280, 0x0281},
    "cboe_boe": {0x02, 0x03, 0x09, 0x37, 0x38, 0x39, 0x3A, 0x47},
    "cme_mdp3": CME_SILENT,
    "cme_tcp": {*CME_SILENT, 206, 208, 209, 210},
}
# Fields that a kernel fills in behind the rows, by code (None: by every code).
COMPLETED: dict[str, dict[int | str | None, set[str]]] = {
    "nasdaq_glimpse": {None: {"key"}},
    "nasdaq_ouch50": {"A": {"key"}, "U": {"key"}, "E": {"unit"}},
    "nasdaq_ouch42": {
        None: {"order_id"},
        "A": {"key"},
        "U": {"key", "aux"},
        "E": {"unit"},
        "G": {"unit"},
    },
    "nyse_gateway": {0x0290: {"unit"}},
    "cboe_boe": {
        None: {"order_id"},
        0x25: {"price", "quantity"},
        0x27: {"price", "quantity", "aux"},
        0x28: {"price", "quantity"},
        0x2C: {"unit"},
        0x2D: {"flags"},
    },
}
# Kinds that market data never makes.
ORDER_ENTRY = {*range(ACCEPTED, SESSION + 1), *range(CANCEL_REJECTED, RESTATED + 1)}
SYMBOL_COUNT = 16
TIMES = st.sampled_from([0, 1_700_000_000_000_000_000, 1])


def records_with_rows(feed: Feed) -> list[Record]:
    """The messages that rows make records of."""
    rows = rows_of(feed)
    return [rows.protocol[code] for code in rows.acts]


def message_with_rows(feed: Feed) -> st.SearchStrategy[tuple[Record, Values]]:
    """A message with rows and its values; symbol indexes are often in the table of symbols."""
    small = st.fixed_dictionaries({"symbol_index": st.integers(0, SYMBOL_COUNT)})

    def of(record: Record) -> st.SearchStrategy[tuple[Record, Values]]:
        values = values_of(record)
        if rows_of(feed).by_symbol and "symbol_index" in record.by_name:
            values = values | st.builds(lambda one, two: {**one, **two}, values, small)
        return values.map(lambda given: (record, given))

    return st.sampled_from(records_with_rows(feed)).flatmap(of)


def known_of(feed: Feed) -> st.SearchStrategy[Known]:
    """Random knowledge: dates, seconds and symbols that are known, or not."""
    clocks = st.dictionaries(st.integers(0, 3), TIMES, max_size=4)
    rows = st.tuples(st.sampled_from([0, 1, 100, 10**8]), st.integers(0, 4))
    symbols = st.dictionaries(st.integers(0, SYMBOL_COUNT - 1), rows)
    suh = feed.transport.name.startswith("suh")
    units = st.integers(0, 3) if suh else st.just(feed.header.get("channel_id", 0))
    return st.builds(Known, st.just(feed.time_base), TIMES, units, clocks, symbols)


def own_values(feed: Feed, values: Values, sequence: int, known: Known) -> tuple[int, Known]:
    """Sequence and unit where a message carries its own (BOE), or has none (IEX SNAP)."""
    if feed.name == "iex_snap":
        return 0, known
    if feed.name != "cboe_boe":
        return sequence, known
    unit, own = values.get("matching_unit", 0), values.get("sequence_number", 0)
    assert isinstance(unit, int) and isinstance(own, int)
    return own, Known(unit=unit)


def run(
    feed: Feed, chosen: list[tuple[Record, Values]], known: Known, first: int
) -> tuple[np.ndarray[Any, np.dtype[np.void]], np.void]:
    """Records and context of one packet with these messages."""
    raw = [carried(feed, r.encode(v), first + n) for n, (r, v) in enumerate(chosen)]
    header = {"unit": known.unit} if feed.transport.name.startswith("suh") else {}
    symbols = Symbols(SYMBOL_COUNT)
    for index, row in known.symbols.items():
        symbols.table[index] = row
    clocks = np.zeros(UNITS, np.int64)
    for unit, second_ns in known.seconds_ns.items():
        clocks[unit] = second_ns
    given: dict[str, Any] = {"midnight_ns": known.midnight_ns, "clock_ns": clocks}
    packet = packet_of(feed, raw, first, **header)
    walk, message = feed.kernels()
    return run_packet(walk, message, packet, next_sequence=first, **symbols.given(), **given)


def judged(
    feed: Feed, chosen: list[tuple[Record, Values]], known: Known, first: int
) -> tuple[list[tuple[Record, list[Values]]], dict[str, int]]:
    """The records of each message by the slow judge, and the faults of values."""
    rows, wrong = rows_of(feed), Counter[str]()
    made: list[tuple[Record, list[Values]]] = []
    for number, (record, values) in enumerate(chosen):
        message = record.encode(values)
        unsequenced = feed.transport.unsequenced is not None and first == 0
        sequence, own = own_values(feed, values, 0 if unsequenced else first + number, known)
        records = expected(rows, record, message, sequence, own)
        wrong["unknown_value"] += records is None
        wrong["unknown_symbol"] += unscaled(rows, record, message, own, records)
        made.append((record, records or []))
    return made, {name: n for name, n in wrong.items() if n}


def compared(feed: Feed, record: Record) -> list[str]:
    """The fields of a record that rows alone fill."""
    later = COMPLETED.get(feed.name, {})
    skipped = later.get(None, set()) | later.get(record.code, set())
    return [name for name in ACTION_DTYPE.names or () if name not in skipped]


def dead_orders(feed: Feed, record: Record, values: Values) -> int:
    """Records behind those of the rows: an order dead on arrival is canceled as well."""
    ouch = feed.name.startswith("nasdaq_ouch") and record.code in ("A", "U")
    return int(ouch and values.get("order_state") == "D")


@pytest.mark.parametrize("name", [*DATAGRAM_FEEDS, *STREAM_FEEDS])
@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_the_walk_makes_what_the_rows_say(name: str, data: st.DataObject) -> None:
    feed = BY_NAME[name]
    if not rows_of(feed).acts:
        pytest.skip("kernels make all of its records")
    chosen = data.draw(st.lists(message_with_rows(feed), max_size=6))
    known = data.draw(known_of(feed))
    first = data.draw(st.sampled_from([0, 1, 7, (1 << 32) - 7]))
    found, row = run(feed, chosen, known, first)
    wanted, wrong = judged(feed, chosen, known, first)
    assert faults(row) == wrong
    place = 0
    for (record, values), (_, records) in zip(chosen, wanted, strict=True):
        for want in records:
            have = found[place]
            place += 1
            names = compared(feed, record)
            assert {n: int(have[n]) for n in names} == {n: want[n] for n in names}, record
        place += dead_orders(feed, record, values) if records else 0
    assert place == len(found)


@pytest.mark.parametrize("name", [*DATAGRAM_FEEDS, *STREAM_FEEDS])
def test_every_code_has_rows_or_a_kernel_or_is_silent(name: str) -> None:
    rows = rows_of(BY_NAME[name])
    codes = {record.code for record in rows.protocol.records}
    kernels = KERNELS.get(rows.protocol.name, set())
    silent = SILENT.get(rows.protocol.name, set())
    assert sorted([*rows.acts, *kernels, *silent], key=str) == sorted(codes, key=str)


@pytest.mark.parametrize("name", [*DATAGRAM_FEEDS, *STREAM_FEEDS])
@settings(max_examples=20, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_silent_messages_make_no_record(name: str, data: st.DataObject) -> None:
    feed = BY_NAME[name]
    protocol = rows_of(feed).protocol
    for code in sorted(SILENT.get(protocol.name, set()), key=str):
        chosen = [(protocol[code], data.draw(values_of(protocol[code])))]
        found, row = run(feed, chosen, Known(), 1)
        assert len(found) == 0
        assert faults(row) == {}


@pytest.mark.parametrize("name", [*DATAGRAM_FEEDS, *STREAM_FEEDS])
@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_books_hear_of_known_kinds_only(name: str, data: st.DataObject) -> None:
    """Rows and kernels alike: every record is an action, on a side, of a listed kind."""
    feed = BY_NAME[name]
    protocol = rows_of(feed).protocol
    record = data.draw(st.sampled_from(protocol.records))
    chosen = [(record, data.draw(values_of(record)))]
    found, _ = run(feed, chosen, data.draw(known_of(feed)), 1)
    kinds = {int(kind) for kind in found["kind"]}
    assert kinds <= set(range(1, len(KINDS))) - (set() if feed.transport.stream else ORDER_ENTRY)
    assert all(0 <= side <= 2 for side in found["side"])
