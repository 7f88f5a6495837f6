"""Writing splice packets: an image of the books, ready to be injected on line S of its stream."""

from __future__ import annotations

from typing import Final

import numpy as np

from feedhandler.lines import splicewire as wire
from feedhandler.lines.image import Image

WORD: Final = 1 << 64
SIGN: Final = 1 << 63
MOST_INNER_BYTES: Final = 65507 - wire.SPLICE_BYTES  # what a UDP datagram has room for


def _packet(kind: int, serial: int, unit: int, **more: int) -> bytes:
    if serial < 1:
        raise ValueError(f"serial {serial}: expected 1 or more")
    row = np.zeros(1, wire.SPLICE_DTYPE)
    given = {"magic": wire.MAGIC, "kind": kind, "serial": serial, "unit": unit, **more}
    for name, value in given.items():
        row[name] = (value + SIGN) % WORD - SIGN
    return row.tobytes()


def hold(unit: int, serial: int, *, empty: bool = False) -> bytes:
    """What comes of the unit is held back from now on.

    Args:
        unit: as in the packet header; 0 where there is none.
        serial: of this attempt, above 0.
        empty: the books are emptied at once: images of all instruments follow one by one.
    """
    return _packet(wire.HOLD, serial, unit, flags=wire.EMPTY if empty else 0)


def splice_packets(image: Image, serial: int) -> list[bytes]:
    """BEGIN, the parts and END of an image.

    Raises ValueError when one of its datagrams has no room in a splice packet.
    """
    about = {"session": image.session, "sequence": image.sequence, "key": image.key or 0}
    if image.key is not None:
        about["flags"] = wire.ONE_KEY
    made = [_packet(wire.BEGIN, serial, image.unit, **about)]
    for number, inner in enumerate(image.datagrams):
        if len(inner) > MOST_INNER_BYTES:
            raise ValueError(f"datagram {number} of the image has {len(inner)} bytes")
        made.append(_packet(wire.PART, serial, image.unit, number=number, **about) + inner)
    return [*made, _packet(wire.END, serial, image.unit, **about, number=len(image.datagrams))]


def release(unit: int, serial: int, *, complete: bool, all_said: bool = False) -> bytes:
    """Behind images of single instruments: what is held follows.

    Args:
        unit, serial: as in `hold`.
        complete: every instrument of the unit has had its image.
        all_said: every instrument that has a book had one: the others are right if they are empty.
    """
    flags = (wire.COMPLETE if complete else 0) | (wire.ALL_SAID if all_said else 0)
    return _packet(wire.RELEASE, serial, unit, flags=flags)


def abort(unit: int, serial: int) -> bytes:
    """The hold or the image with this serial has come to nothing."""
    return _packet(wire.ABORT, serial, unit)


def about(unit: int, serial: int, datagram: bytes) -> bytes:
    """What is said of instruments beside their books: definitions. It is read at once.

    Raises ValueError when the datagram has no room in a splice packet.
    """
    if len(datagram) > MOST_INNER_BYTES:
        raise ValueError(f"a datagram about instruments has {len(datagram)} bytes")
    return _packet(wire.ABOUT, serial, unit) + datagram
