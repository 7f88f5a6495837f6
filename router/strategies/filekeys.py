"""One parent from the keys that a file has for it, whatever the file's form.

Values are text (CSV) or what TOML has; both are read the same. Every error is a ValueError that
names the key and what was expected.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

import msgspec

from router.strategies import exact
from router.strategies.hours import SessionHours
from router.strategies.parent import ParentOrder
from router.strategies.profiles import load_volumes
from router.strategies.settings import BY_NAME, KINDS, Strategy
from router.strategies.windows import check_contract, check_window

Parser = Callable[[Any], Any]
Record = Mapping[str, Any]


def text(value: Any) -> str:
    """Text that is not empty."""
    if not isinstance(value, str) or not value.strip():
        raise ValueError(f"expected text, found {exact.shown(value)}")
    return value.strip()


def strategy_name(value: Any) -> str:
    """The name of a strategy."""
    if value not in BY_NAME:
        listed = ", ".join(BY_NAME)
        raise ValueError(f"expected one of {listed}, found {exact.shown(value)}")
    return str(value)


def volumes(value: Any) -> tuple[int, ...]:
    """A volume profile: a list of whole numbers, or text with blanks between them."""
    items = value.split() if isinstance(value, str) else value
    if not isinstance(items, list):
        raise ValueError(f"expected a list of whole numbers, found {exact.shown(value)}")
    return tuple(exact.whole(item) for item in items)


ORDER_KEYS: Final[dict[str, Parser]] = {
    "name": text,
    "symbol": text,
    "side": text,
    "quantity": exact.whole,
    "account": text,
    "limit": exact.price,
    "tif": text,
    "located": exact.flag,
    "closes": exact.flag,
}
REQUIRED: Final = ("name", "symbol", "side", "quantity", "account", "strategy")
TIMES: Final = ("start", "end")
PARTS: Final = ("minimum", "jitter", "tolerance", "rate")
CHOICES: Final = ("peg", "finish")
OF_SESSION: Final = ("volumes_from_ns", "volumes_to_ns")  # no keys: the session's open and close


def parser_of(field: str, kind: Any) -> Parser:
    """What reads a field of a strategy."""
    if field.endswith("_ns"):
        return exact.milliseconds
    if field in PARTS:
        return exact.part
    if field in CHOICES:
        return text
    if field == "volumes":
        return volumes
    return exact.number if kind is float else exact.whole


def key_of(field: str) -> str:
    """The key in files of a field: times without their unit, lengths in milliseconds."""
    if not field.endswith("_ns"):
        return field
    stem = field.removesuffix("_ns")
    return stem if stem in TIMES or field in OF_SESSION else f"{stem}_ms"


def strategy_keys(kind: type[Strategy]) -> dict[str, tuple[str, Parser]]:
    """Field and parser of each key that a strategy has in files, but `volume_file`."""
    return {
        key_of(field.name): (field.name, parser_of(field.name, field.type))
        for field in msgspec.structs.fields(kind)
        if field.name not in OF_SESSION
    }


ALL_KEYS: Final = {"volume_file", *(key for kind in KINDS for key in strategy_keys(kind))}


def at_key(key: str, parser: Parser, value: Any) -> Any:
    """A value parsed; errors name the key."""
    try:
        return parser(value)
    except ValueError as error:
        raise ValueError(f"{key}: {error}") from None


def order_of(record: Record, hours: SessionHours, folder: Path) -> ParentOrder:
    """A parent from its keys; `folder` is what a `volume_file` is relative to.

    Raises ValueError, ConfigError for a volume file.
    """
    for key in REQUIRED:
        if key not in record:
            raise ValueError(f"{key}: missing, expected {_expected(key)}")
    kind = BY_NAME[at_key("strategy", strategy_name, record["strategy"])]
    keys = strategy_keys(kind)
    _check_keys(record, keys, kind)
    fields = {key: at_key(key, ORDER_KEYS[key], record[key]) for key in ORDER_KEYS if key in record}
    fields |= _times(record, hours, kind)
    chosen = {
        field: at_key(key, parser, record[key])
        for key, (field, parser) in keys.items()
        if key in record
    }
    for info in msgspec.structs.fields(kind):
        if info.required and info.name not in chosen:
            said = f"missing, expected a value with strategy {kind.name}"
            raise ValueError(f"{key_of(info.name)}: {said}")
    if "volumes" in keys:
        chosen |= _profile(record, hours, folder)
    try:
        made = ParentOrder(strategy=kind(**chosen), **fields)
    except ValueError as error:
        field, colon, rest = str(error).partition(": ")
        raise ValueError(f"{key_of(field)}{colon}{rest}") from None
    check_window(made, hours)
    check_contract(made, hours)
    return made


def _expected(key: str) -> str:
    if key == "strategy":
        return f"one of {', '.join(BY_NAME)}"
    return {"quantity": "a whole number", "side": "buy, sell or sell_short"}.get(key, "text")


def _check_keys(
    record: Record, keys: Mapping[str, tuple[str, Parser]], kind: type[Strategy]
) -> None:
    more = ["volume_file"] if "volumes" in keys else []
    known = [*ORDER_KEYS, "strategy", *TIMES, *keys, *more]
    for key in record:
        if key in known:
            continue
        close = [] if key in ALL_KEYS else difflib.get_close_matches(str(key), known, 1)
        listed = ", ".join([*keys, *more]) or "none"
        hint = f"did you mean {close[0]}?" if close else f"strategy {kind.name} has {listed}"
        raise ValueError(f"{key}: unknown key, {hint}")


def _times(record: Record, hours: SessionHours, kind: type[Strategy]) -> dict[str, int]:
    """Start and end: those of the file, of schedules otherwise those of the session."""
    times = {}
    for key, usual_ns in (("start", hours.open_ns), ("end", hours.close_ns)):
        if key in record:
            times[f"{key}_ns"] = at_key(key, hours.time_ns, record[key])
        elif kind.scheduled:
            times[f"{key}_ns"] = usual_ns
    return times


def _profile(record: Record, hours: SessionHours, folder: Path) -> dict[str, Any]:
    """What a VWAP's fields are beside the plain keys."""
    chosen: dict[str, Any] = {"volumes_from_ns": hours.open_ns, "volumes_to_ns": hours.close_ns}
    if "volume_file" in record:
        if "volumes" in record:
            raise ValueError("volume_file: expected either it or volumes, found both")
        named = at_key("volume_file", text, record["volume_file"])
        chosen["volumes"] = load_volumes(folder / named)
    return chosen
