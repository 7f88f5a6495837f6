"""Addresses of ports: what is understood, and how the rest is refused."""

from __future__ import annotations

import pytest

from nic.port import open_port
from nic.uri import UriError, choice, integer, parse_uri, power_of_two, read_options, size_bytes


def test_an_address_falls_into_its_parts() -> None:
    uri = parse_uri("replay:captures/*.pcap?speed=max&loop=2")
    assert (uri.scheme, uri.target) == ("replay", "captures/*.pcap")
    assert uri.options == {"speed": "max", "loop": "2"}


def test_values_are_unquoted_and_targets_are_not() -> None:
    uri = parse_uri("socket:a%2Cb?name=x%26y%3D1")
    assert uri.target == "a%2Cb" and uri.options == {"name": "x&y=1"}


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("eth0", "expected scheme:target"),
        ("", "expected scheme:target"),
        (":eth0", "expected scheme:target"),
        ("socket:", "nothing after socket:"),
        ("socket:?ring=1", "nothing after socket:"),
        ("socket:lo?ring", "option 'ring': expected name=value"),
        ("socket:lo?", "option '': expected name=value"),
        ("socket:lo?=3", "expected name=value"),
        ("socket:lo?ring=1&ring=2", "option ring is given twice"),
        ("serial:lo", "unknown scheme serial; known are replay, socket"),
        (
            "socket:lo?speed=max",
            "unknown option speed; socket has busy_poll, frame, poison, rcvbuf",
        ),
        ("socket:lo?ring=1000", "option ring=1000: expected a power of two"),
        ("socket:lo?ring=-4", "expected a power of two"),
        ("socket:lo?frame=0", "option frame=0: expected an integer from 1 to 65507"),
        ("socket:lo?rcvbuf=8XB", "option rcvbuf=8XB: expected a size"),
        ("socket:lo?rcvbuf=m", "expected a size"),
        ("replay:x?speed=fast", "option speed=fast: expected max, real or a factor"),
        ("replay:x?speed=0", "expected max, real or a factor"),
        ("replay:x?speed=nan", "expected max, real or a factor"),
        ("replay:x?speed=inf", "expected max, real or a factor"),
        ("replay:x?trailer=exa", "expected none or metawatch or exablaze"),
        ("replay:x?loop=-1", "option loop=-1: expected an integer"),
        ("replay:x?loop=²", "expected an integer"),
    ],
)
def test_a_wrong_address_is_named_with_its_part(text: str, part: str) -> None:
    with pytest.raises(UriError) as error:
        open_port(text)
    assert str(error.value).startswith(f"{text}: ")
    assert part in str(error.value)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("text", "value"),
    [("0", 0), ("512", 512), ("2k", 2048), ("8MiB", 8 << 20), ("1g", 1 << 30), ("4Kib", 4096)],
)
def test_sizes_have_units(text: str, value: int) -> None:
    assert size_bytes(1 << 30)(text) == value


def test_readers_check_their_bounds() -> None:
    assert integer(3, 5)("4") == 4
    assert power_of_two(64)("64") == 64
    assert choice({"on": True})("on") is True
    for reader, text in ((integer(3, 5), "6"), (power_of_two(64), "128"), (size_bytes(9), "10")):
        with pytest.raises(ValueError, match="expected"):
            reader(text)


def test_options_that_are_not_given_are_not_there() -> None:
    readers = {"a": integer(0, 9), "b": integer(0, 9)}
    assert read_options(parse_uri("x:y?b=3"), readers) == {"b": 3}
