"""The fields of a message in words: exact prices, the meaning of codes and bits, times of day."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import fields, is_dataclass
from functools import lru_cache
from typing import Any

from feedhandler.dates import BILLION, session_midnight_ns
from feedhandler.feed import Feed, Message
from feedhandler.prices import price_text
from feedhandler.wire.field import Field, Kind
from feedhandler.wire.record import Record

PRICES = frozenset({Kind.PRICE, Kind.SIGNED_PRICE})
SYMBOL_FIELD, SCALE_FIELD = "symbol_index", "price_scale_code"
DECIMALS_MOST = 18
DAY_NS = 86_400 * BILLION
PLAUSIBLE_NS = (10**18, 4 * 10**18)  # from 2001 to 2096; smaller values mean something else


class PriceScales:
    """Decimals of prices by symbol, for feeds that announce them in a message of their own."""

    def __init__(self) -> None:
        self._decimals: dict[tuple[str, Any], int] = {}

    def learn(self, feed: Feed, message: Message) -> None:
        """Remembers the scale of a symbol, where this message announces one."""
        scale = message.values.get(SCALE_FIELD)
        if isinstance(scale, int) and scale <= DECIMALS_MOST:
            self._decimals[feed.name, message.values.get(SYMBOL_FIELD)] = scale

    def of(self, feed: Feed, message: Message) -> int | None:
        """The decimals of the message's symbol; None where they were not announced."""
        return self._decimals.get((feed.name, message.values.get(SYMBOL_FIELD)))


def fields_text(feed: Feed, record: Record, values: Mapping[str, Any], decimals: int | None) -> str:
    """All fields as `name=value`, with what the value means behind it.

    Args:
        feed: says what times count from.
        record: the message's table.
        values: raw values.
        decimals: of the message's symbol; None: unknown.
    """
    known = table_fields(record)
    return " ".join(
        f"{name}={_value_text(feed, known, name, value, decimals)}"
        for name, value in values.items()
    )


@lru_cache(4096)
def table_fields(record: Record) -> dict[str, Field]:
    """The fields of a record and of all its variable parts, by name."""
    return {**{f.name: f for tail in record.tails for f in _fields_in(tail)}, **record.by_name}


def _fields_in(part: Any) -> Iterator[Field]:
    """The fields that a variable part is declared with, whichever kind of part it is."""
    if isinstance(part, Field):
        yield part
    elif isinstance(part, Record):
        yield from table_fields(part).values()
    elif isinstance(part, tuple | list):
        for item in part:
            yield from _fields_in(item)
    elif isinstance(part, Mapping):
        yield from _fields_in(list(part.values()))
    elif is_dataclass(part):
        for item in fields(part):
            yield from _fields_in(getattr(part, item.name))


def _value_text(
    feed: Feed, known: Mapping[str, Field], name: str, value: Any, decimals: int | None
) -> str:
    if isinstance(value, list):
        inner = (_value_text(feed, known, name, item, decimals) for item in value)
        return f"[{', '.join(inner)}]"
    if isinstance(value, dict):
        parts = (f"{k}={_value_text(feed, known, k, v, decimals)}" for k, v in value.items())
        return f"{{{' '.join(parts)}}}"
    field = known.get(name)
    if field is None:
        return str(value)
    return _field_text(feed, field, value, decimals)


def _field_text(feed: Feed, field: Field, value: Any, decimals: int | None) -> str:
    if field.kind in PRICES and isinstance(value, int):
        scale = decimals if field.decimals is None else field.decimals
        return f"{value} (scale unknown)" if scale is None else price_text(value, scale)
    meaning = field.values.get(value)
    if meaning is not None:
        return f"{value if value != '' else repr(value)} ({meaning})"
    if field.bits and isinstance(value, int):
        named = [what for mask, what in field.bits.items() if value & mask]
        return f"{value:#x} ({', '.join(named)})" if named else f"{value:#x}"
    clock = _clock(feed, field, value) if isinstance(value, int) else None
    return str(value) if clock is None else f"{value} ({clock})"


def _clock(feed: Feed, field: Field, value: int) -> str | None:
    """The wall clock at a time field; None where the field is no full time."""
    if field.width not in (6, 8) or not field.name.endswith(("time", "timestamp")):
        return None
    if feed.time_base == "midnight" and 0 <= value < DAY_NS:
        return time_of_day(value)
    if feed.time_base == "epoch" and PLAUSIBLE_NS[0] <= value < PLAUSIBLE_NS[1]:
        return time_of_day(value - session_midnight_ns(value, feed.zone))
    return None


def time_of_day(elapsed_ns: int) -> str:
    """Nanoseconds since midnight as hours to nanoseconds."""
    second, rest_ns = divmod(elapsed_ns, BILLION)
    return f"{second // 3600:02}:{second // 60 % 60:02}:{second % 60:02}.{rest_ns:09}"
