"""Addresses of ports: `replay:captures/*.pcap?speed=max`, `socket:eth0?rcvbuf=8MiB`.

A `%XX` in the target or a value stands for that byte, so a file name may hold `?`, `&` or `,`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote

OptionReader = Callable[[str], Any]

_SIZE_UNITS = {"": 1, "k": 1024, "m": 1024**2, "g": 1024**3}


class UriError(ValueError):
    """An address of a port that cannot be read: the message names the address and the part."""


@dataclass(frozen=True, slots=True)
class PortUri:
    """An address in its parts. `target` is still quoted; `options` are as written."""

    text: str
    scheme: str
    target: str
    options: Mapping[str, str]

    def fail(self, what: str) -> UriError:
        """An error that names this address."""
        return UriError(f"{self.text}: {what}")


def parse_uri(text: str) -> PortUri:
    """Splits `scheme:target[?name=value[&name=value…]]`. Raises UriError."""
    scheme, colon, rest = text.partition(":")
    if not colon or not scheme.isidentifier():
        raise UriError(f"{text}: expected scheme:target, as in replay:file.pcap or socket:eth0")
    target, question, query = rest.partition("?")
    options: dict[str, str] = {}
    for part in query.split("&") if question else ():
        name, equals, value = part.partition("=")
        if not (name and equals):
            raise UriError(f"{text}: option {part!r}: expected name=value")
        if name in options:
            raise UriError(f"{text}: option {name} is given twice")
        options[name] = unquote(value)
    if not target:
        raise UriError(f"{text}: nothing after {scheme}:")
    return PortUri(text, scheme, target, options)


def read_options(uri: PortUri, readers: Mapping[str, OptionReader]) -> dict[str, Any]:
    """The options that are given, read; UriError names the unknown ones and wrong values."""
    for name in uri.options:
        if name not in readers:
            known = ", ".join(sorted(readers)) or "none"
            raise uri.fail(f"unknown option {name}; {uri.scheme} has {known}")
    values = {}
    for name, text in uri.options.items():
        try:
            values[name] = readers[name](text)
        except ValueError as error:
            raise uri.fail(f"option {name}={text}: {error}") from None
    return values


def integer(lowest: int, highest: int) -> OptionReader:
    """A reader of a decimal integer from `lowest` to `highest`."""

    def read(text: str) -> int:
        if not (text.isascii() and text.isdigit()) or not lowest <= int(text) <= highest:
            raise ValueError(f"expected an integer from {lowest} to {highest}")
        return int(text)

    return read


def power_of_two(highest: int) -> OptionReader:
    """A reader of a power of two up to `highest`."""

    def read(text: str) -> int:
        value = int(text) if text.isascii() and text.isdigit() else 0
        if value < 1 or value > highest or value & (value - 1):
            raise ValueError(f"expected a power of two up to {highest}")
        return value

    return read


def size_bytes(highest: int) -> OptionReader:
    """A reader of a size in bytes with an optional k, m or g (or KiB, MiB, GiB)."""

    def read(text: str) -> int:
        lower = text.lower().removesuffix("ib")
        unit = lower[-1:] if lower[-1:] in ("k", "m", "g") else ""
        digits = lower.removesuffix(unit) if unit else lower
        value = int(digits) * _SIZE_UNITS[unit] if digits.isascii() and digits.isdigit() else -1
        if not 0 <= value <= highest:
            raise ValueError(f"expected a size up to {highest} bytes, as in 262144 or 8MiB")
        return value

    return read


def choice(values: Mapping[str, Any]) -> OptionReader:
    """A reader of one of a few words."""

    def read(text: str) -> Any:
        if text not in values:
            raise ValueError(f"expected {' or '.join(values)}")
        return values[text]

    return read
