"""Symbols of instruments that are nowhere listed: letters by number, some with a class."""

from __future__ import annotations

from typing import Final

from feedhandler.symbology import Security

CONSONANTS: Final = "BDKLMNPRSTVZ"
VOWELS: Final = "AEOU"
SHORT: Final = len(CONSONANTS) ** 2 * len(VOWELS)  # roots of three letters
STRIDE: Final = 131  # shares no factor with SHORT
CLASS_EVERY: Final = 25  # one instrument in so many is a share of class A


def root_of(number: int) -> str:
    """Consonant, vowel, consonant, and more such pairs where those are used up; from 0 on."""
    made, rest = "", number
    while True:
        rest, place = divmod(rest, len(CONSONANTS))
        made = CONSONANTS[place] + made
        if not rest and len(made) >= 3:
            return made
        rest, place = divmod(rest, len(VOWELS))
        made = VOWELS[place] + made


def security(number: int) -> Security:
    """The instrument with a number, from 1 on."""
    letter = "A" if number % CLASS_EVERY == 0 else ""
    place = number * STRIDE % SHORT if number <= SHORT else number - 1
    return Security(root_of(place), letter=letter)


def made_symbols(count: int) -> list[str]:
    """Symbols of so many instruments in this house's spelling."""
    return [security(number).spell() for number in range(1, count + 1)]
