"""TOML files read into typed models, with one clear line for whatever is wrong in them.

A model is a msgspec.Struct. Errors name the file, the key as one would write it
(`channels[2].port`), what was expected there and what was found.
"""

from __future__ import annotations

import difflib
import tomllib
from collections.abc import Mapping
from pathlib import Path
from types import NoneType, UnionType
from typing import Any, Literal, TypeVar, Union, get_args, get_origin

import msgspec

Model = TypeVar("Model")
_SHOWN_CHARACTERS = 60
_FILE_BYTES_MAX = 1 << 24  # a device or a capture named by mistake is not read into memory


class ConfigError(ValueError):
    """A configuration that cannot be used; the message is the line to show."""


def load(path: Path, model: type[Model]) -> Model:
    """The file at `path` as a `model`. Raises ConfigError."""
    try:
        with path.open("rb") as file:
            raw = file.read(_FILE_BYTES_MAX + 1)
        if len(raw) > _FILE_BYTES_MAX:
            raise ConfigError(f"{path}: expected a TOML file of at most {_FILE_BYTES_MAX} bytes")
        text = raw.decode("utf-8")
    except OSError as error:
        raise ConfigError(f"{path}: cannot open: {error.strerror}") from None
    except UnicodeDecodeError as error:
        raise ConfigError(f"{path}: byte {error.start}: expected UTF-8 text") from None
    return parse(text, model, str(path))


def parse(text: str, model: type[Model], name: str) -> Model:
    """TOML text as a `model`; `name` stands for the file in errors. Raises ConfigError."""
    try:
        table = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{name}: not TOML: {error}") from None
    except RecursionError:
        raise ConfigError(f"{name}: arrays or tables nested too deeply") from None
    wrong = _first_wrong(table, model, "")
    if wrong is not None:
        raise ConfigError(f"{name}: {wrong}")
    return msgspec.convert(table, model, strict=True)


def _first_wrong(value: Any, kind: Any, key: str) -> str | None:
    """What is wrong at or below `key`, innermost first; None when all fits.

    msgspec names no list index in its errors, so the way down is walked here.
    """
    kind = _one_kind(kind)
    if _is_struct(kind) and isinstance(value, Mapping):
        inner = _first_wrong_field(value, kind, key)
    elif get_origin(kind) in (list, tuple) and isinstance(value, list):
        each = get_args(kind)[0]
        found = (_first_wrong(item, each, f"{key}[{i}]") for i, item in enumerate(value))
        inner = next((line for line in found if line is not None), None)
    elif get_origin(kind) is dict and isinstance(value, Mapping):
        each = get_args(kind)[1]
        below = (_first_wrong(item, each, _join(key, name)) for name, item in value.items())
        inner = next((line for line in below if line is not None), None)
    else:
        inner = None
    return inner or _wrong_here(value, kind, key)


def _one_kind(kind: Any) -> Any:
    """The type of an optional value, when it is there."""
    arms = [arm for arm in get_args(kind) if arm is not NoneType]
    is_union = get_origin(kind) in (Union, UnionType)
    return arms[0] if is_union and len(arms) == 1 else kind


def _is_struct(kind: Any) -> bool:
    return isinstance(kind, type) and issubclass(kind, msgspec.Struct)


def _first_wrong_field(table: Mapping[str, Any], model: Any, key: str) -> str | None:
    fields = {field.encode_name: field for field in msgspec.structs.fields(model)}
    for name in table:
        if name not in fields:
            return _unknown(name, list(fields), key)
    for name, field in fields.items():
        if name not in table:
            if field.required:
                return f"{_join(key, name)}: missing, expected {_kind_name(field.type)}"
            continue
        line = _first_wrong(table[name], field.type, _join(key, name))
        if line is not None:
            return line
    return None


def _unknown(name: str, known: list[str], key: str) -> str:
    close = difflib.get_close_matches(name, known, 1)
    hint = f"did you mean {close[0]}?" if close else f"expected one of {', '.join(known)}"
    return f"{_join(key, name)}: unknown key, {hint}"


def _wrong_here(value: Any, kind: Any, key: str) -> str | None:
    try:
        msgspec.convert(value, kind, strict=True)
    except msgspec.ValidationError as error:
        said = str(error).partition(" - at `")[0].replace("`", "")
        return _worded(said, value, kind, key)
    return None


def _worded(said: str, value: Any, kind: Any, key: str) -> str:
    lead = f"{key}: " if key else ""
    if get_origin(kind) is Literal:
        choices = " or ".join(_shown(choice) for choice in get_args(kind))
        return f"{lead}expected {choices}, found {_shown(value)}"
    if said.startswith(("Expected", "Invalid")):
        expected = said[0].lower() + said[1:].partition(", got ")[0]
        return f"{lead}{expected}, found {_shown(value)}"
    named = _is_struct(kind) and said.partition(":")[0] in kind.__struct_fields__
    return _join(key, said) if named else lead + said  # a model's own check, in its own words


def _join(key: str, name: str) -> str:
    return f"{key}.{name}" if key else name


def _kind_name(kind: Any) -> str:
    return getattr(kind, "__name__", None) or str(kind)


def _shown(value: Any) -> str:
    """A value as TOML would roughly have it, cut where it is long."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Mapping):
        return "a table"
    if isinstance(value, list):
        return "an array"
    text = f'"{value}"' if isinstance(value, str) else str(value)
    return text if len(text) <= _SHOWN_CHARACTERS else text[:_SHOWN_CHARACTERS] + "…"
