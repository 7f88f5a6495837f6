"""Random values for the tables: hypothesis strategies made from the fields themselves."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from feedhandler.wire.addons import AddOns
from feedhandler.wire.field import Field, Kind, Role
from feedhandler.wire.presence import Presence
from feedhandler.wire.record import Record
from feedhandler.wire.sbe import Appended, SbeGroup
from feedhandler.wire.tails import Appendage, Choice, Group, Integers, OnlyWhen, Text

# Text as it comes back: no padding at its end, nothing that is not one byte.
TEXT = st.characters(min_codepoint=0x20, max_codepoint=0x7E)

OPAQUE = st.binary(max_size=12).map(bytes.hex)


def text_of(width: int) -> st.SearchStrategy[str]:
    """Text of at most `width` bytes without padding at its end."""
    return st.text(TEXT, max_size=width).map(lambda value: value.rstrip(" "))


def value_of(field: Field) -> st.SearchStrategy[Any]:
    """Any value a field can hold, its extremes and those of the layout often."""
    if field.is_integer:
        known = [value for value in field.values if isinstance(value, int)]
        often = st.sampled_from([field.low, field.high, 0, 1, *known])
        return often | st.integers(field.low, field.high)
    if field.kind is Kind.ALPHA:
        known_texts = [value.rstrip(" \0") for value in field.values if isinstance(value, str)]
        anything = text_of(field.width)
        return st.sampled_from(known_texts) | anything if known_texts else anything
    if field.kind is Kind.DIGITS:
        return st.integers(0, 10**field.width - 1)
    return st.binary(min_size=field.width, max_size=field.width).map(bytes.hex)


def derived(record: Record) -> set[str]:
    """Fields that the encoder fills in from the variable parts."""
    return {name for tail in record.tails for name in tail.derive({})}


def values_of(record: Record, *, tails: bool = True) -> st.SearchStrategy[dict[str, Any]]:
    """Values of every field of a record that a sender chooses."""
    skipped = derived(record)
    chosen = {
        field.name: value_of(field)
        for field in record.fields
        if field.role is not Role.LENGTH and field.fixed is None and field.name not in skipped
    }
    made = st.fixed_dictionaries(chosen)
    for tail in record.tails if tails else ():
        made = st.builds(lambda one, two: {**one, **two}, made, tail_values(tail))
    return made


def tail_values(tail: Any) -> st.SearchStrategy[dict[str, Any]]:
    """Values of a variable part."""
    if isinstance(tail, Group):
        return st.fixed_dictionaries({tail.name: st.lists(entry_values(tail), max_size=3)})
    if isinstance(tail, Choice):
        cases = [
            values_of(case).map(lambda values, on=on: {**values, tail.on: on})
            for on, case in tail.cases.items()
        ]
        return st.one_of(cases) if cases else st.fixed_dictionaries({tail.other: OPAQUE})
    if isinstance(tail, Integers):
        return st.fixed_dictionaries({tail.name: st.lists(value_of(tail.each), max_size=8)})
    if isinstance(tail, Presence):
        fields = {item.field.name: value_of(item.field) for item in tail.fields}
        return st.fixed_dictionaries({}, optional=fields)
    if isinstance(tail, AddOns):
        parts = {part.name: values_of(part) for part in tail.parts}
        return st.fixed_dictionaries({}, optional=parts)
    if isinstance(tail, Text):
        return st.fixed_dictionaries({tail.name: text_of(20)})
    if isinstance(tail, OnlyWhen):
        return only_when(tail)
    if isinstance(tail, Appendage):
        cases = [
            values_of(case).map(lambda values, on=on: {**values, tail.on: on})
            for on, case in tail.cases.items()
        ]
        return st.one_of(st.just({tail.on: ""}), *cases)
    if isinstance(tail, SbeGroup):
        return st.fixed_dictionaries({tail.name: st.lists(values_of(tail.entry), max_size=3)})
    if isinstance(tail, Appended):
        return appended(tail)
    raise TypeError(f"no values for a {type(tail).__name__}")


def entry_values(group: Group) -> st.SearchStrategy[dict[str, Any]]:
    """Values of one entry of a group; its own length is the encoder's."""
    sized = group.sized[0] if group.sized else ""
    return values_of(group.entry).map(
        lambda values: {name: value for name, value in values.items() if name != sized}
    )


def appended(tail: Appended) -> st.SearchStrategy[dict[str, Any]]:
    """The fields of newer versions as far as one of these goes."""
    known = range(len(tail.fields) + 1)
    versions = [{f.name: value_of(f) for f in tail.fields[:count]} for count in known]
    return st.one_of([st.fixed_dictionaries(version) for version in versions])


def only_when(tail: OnlyWhen) -> st.SearchStrategy[dict[str, Any]]:
    """The conditional fields with a value that makes them appear."""
    there = st.sampled_from(sorted(tail.values, key=str)).map(lambda value: {tail.on: value})
    return st.builds(lambda one, two: {**one, **two}, values_of(tail.record), there)
