"""Fields announced by bits: order, unsupported bits, explicit bits, bounds."""

from __future__ import annotations

import pytest

from feedhandler.wire.errors import WireError
from feedhandler.wire.field import Fields
from feedhandler.wire.presence import Optional, Presence
from feedhandler.wire.record import Record

le = Fields(big=False, pad=b"\0")
PART = Presence(
    "bitfield",
    "count",
    (
        Optional(1, 0x01, le.u16("first")),
        Optional(1, 0x80, le.alpha("second", 4)),
        Optional(3, 0x02, le.signed_price("third", 8, 4)),
    ),
)
MESSAGE = Record("", "message", 1, [le.u8("count")], tails=[PART])


def fault_of(raw: bytes) -> str:
    with pytest.raises(WireError) as caught:
        MESSAGE.decode(raw)
    return caught.value.reason


def test_bits_and_count_follow_from_the_fields_given() -> None:
    raw = MESSAGE.encode(third=-1, first=0x0201)
    assert raw == b"\x03" + b"\x01\x00\x02" + b"\x01\x02" + b"\xff" * 8
    assert MESSAGE.decode(raw) == {
        "count": 3,
        "bitfield_1": 1,
        "bitfield_2": 0,
        "bitfield_3": 2,
        "first": 0x0201,
        "third": -1,
    }


def test_no_optional_field_means_no_bitfield() -> None:
    assert MESSAGE.encode() == b"\x00"
    assert MESSAGE.decode(b"\x00") == {"count": 0}


def test_given_bits_win_over_the_fields() -> None:
    raw = MESSAGE.encode(bitfield_1=0x80, first=7)
    assert raw == b"\x01\x80" + bytes(4)
    assert MESSAGE.encode(bitfield_2=0) == b"\x02\x00\x00"


def test_a_bit_without_a_field_contributes_no_bytes() -> None:
    raw = b"\x04" + b"\x7f\xff\xfd\xff" + b"\x05\x00"
    values = MESSAGE.decode(raw)
    assert (values["first"], values["bitfield_4"]) == (5, 255)
    assert MESSAGE.encode(values) == raw


def test_a_given_count_may_add_bitfields_but_not_drop_given_fields() -> None:
    assert MESSAGE.encode(count=2, first=1) == b"\x02\x01\x00\x01\x00"
    with pytest.raises(WireError, match="count = 2 leaves out"):
        MESSAGE.encode(count=2, third=1)


def test_bits_that_are_no_byte_are_refused() -> None:
    for value in (256, -1):
        with pytest.raises(WireError, match="bitfield_1"):
            MESSAGE.encode(bitfield_1=value)


def test_a_message_that_does_not_end_with_its_fields_is_a_fault() -> None:
    whole = MESSAGE.encode(first=1, second="ABCD")
    assert fault_of(whole + b"\0") == "long_message"
    assert fault_of(whole[:-1]) == "short_message"
    assert fault_of(whole[:3]) == "short_message"
    assert fault_of(b"\x02\x01") == "bad_count"


def test_fields_out_of_the_order_of_their_bits_are_refused() -> None:
    later, earlier = Optional(2, 0x01, le.u8("a")), Optional(1, 0x80, le.u8("b"))
    for fields in ((later, earlier), (later, later)):
        with pytest.raises(ValueError, match="not in the order of their bits"):
            Presence("bitfield", "count", fields)
