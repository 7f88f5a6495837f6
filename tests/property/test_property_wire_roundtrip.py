"""Every message of every table comes back from its bytes as it went in, at all extremes."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from wire_values import derived, values_of

from feedhandler.feed import protocols
from feedhandler.registry import FEEDS
from feedhandler.wire.field import Kind, Role
from feedhandler.wire.record import Record


def all_records() -> dict[str, Record]:
    """Every table that any feed uses, by a name that a test report can show."""
    made = {}
    for feed in FEEDS:
        transport = feed.transport
        headers = [transport.header] if transport.header else []
        for record in (*headers, *transport.requests):
            made[f"{transport.name}-{record.name}"] = record
        for _, protocol in protocols(feed):
            for record in protocol.records:
                if not any(record is known for known in made.values()):  # protocols may share it
                    made[f"{protocol.name}-{record.code}-{record.name}"] = record
    return made


RECORDS = all_records()


def found(back: dict[str, Any], name: str) -> Any:
    """A value by its field's name, also inside the structures that a layout nests fields in."""
    if name in back:
        return back[name]
    inside = (found(part, name) for part in back.values() if isinstance(part, dict))
    return next((value for value in inside if value is not None), None)


def same(given: Any, back: Any) -> bool:
    """Whether all that was given came back; the encoder adds counts, lengths and codes."""
    if isinstance(given, dict):
        return all(same(value, found(back, name)) for name, value in given.items())
    if isinstance(given, list):
        return len(given) == len(back) and all(map(same, given, back))
    return bool(given == back)


@pytest.mark.parametrize("name", RECORDS)
@settings(max_examples=30, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_what_is_encoded_decodes_to_the_same_values(name: str, data: st.DataObject) -> None:
    record = RECORDS[name]
    values = data.draw(values_of(record))
    raw = record.encode(values)
    back = record.decode(raw)
    assert same(values, back)
    assert record.encode(back) == raw


@pytest.mark.parametrize("name", RECORDS)
@pytest.mark.parametrize("end", ["low", "high"])
def test_the_extremes_of_every_field_survive(name: str, end: str) -> None:
    record = RECORDS[name]
    skipped = derived(record)
    values = {
        field.name: getattr(field, end)
        for field in record.fields
        if field.is_integer and field.fixed is None and field.name not in skipped
        if field.role is not Role.LENGTH
    }
    back = record.decode(record.encode(values))
    assert {key: back[key] for key in values} == values


@pytest.mark.parametrize("name", RECORDS)
def test_text_of_full_width_survives(name: str) -> None:
    record = RECORDS[name]
    values = {
        field.name: "Z" * field.width
        for field in record.fields
        if field.kind is Kind.ALPHA and field.fixed is None
    }
    back = record.decode(record.encode(values))
    assert {key: back[key] for key in values} == values
