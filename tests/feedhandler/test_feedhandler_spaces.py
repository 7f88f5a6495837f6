"""Padding made one, also where the compiler knows some of the text's bits."""

from __future__ import annotations

import numpy as np
import pytest
from numba import njit

from feedhandler.wire.access import loader
from feedhandler.wire.spaces import rest, spaced
from nic.regions import allowed

FILL = 0x2020202020000000  # behind 3 letters
three = loader(0, 3, False, False, FILL)


@njit(nogil=True)
def of_three(address):
    return spaced(three(address)), rest(three(address))


@njit(nogil=True)
def of_eight(text):
    return spaced(text), rest(text)


def text_of(value):
    return (value & ((1 << 64) - 1)).to_bytes(8, "little")


@pytest.mark.parametrize("raw", [b"A  ", b"A\0\0", b"\0\0\0", b"   ", b"AbC", b"\xff\0\x80"])
def test_nuls_become_spaces_and_letters_stay(raw):
    data = np.frombuffer(raw, np.uint8)
    whole = raw.ljust(8)
    wanted = whole.replace(b"\0", b" ")
    with allowed(data):
        found = of_three(data.ctypes.data)
    number = int.from_bytes(whole, "little", signed=True)
    for text, more in (found, of_eight(number)):
        assert text_of(text) == wanted
        assert more == 0 if wanted == b" " * 8 else text_of(more) == wanted
