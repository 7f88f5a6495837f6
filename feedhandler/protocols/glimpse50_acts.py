"""What GLIMPSE 5.0 messages mean to a book: the rows of ITCH 5.0, less what its kernel fills in.

A message has only the 3 bytes of its packet's header in front of it, too few for a row to read the
stock locate code: `glimpse50_actions` puts the key into the records.
"""

from __future__ import annotations

from dataclasses import replace

from feedhandler.protocols.glimpse50 import GLIMPSE50
from feedhandler.protocols.itch50_acts import ROWS as ITCH_ROWS
from feedhandler.transports.soupbintcp import HEADER_BYTES
from feedhandler.wire.acts import Rows

ROWS = Rows(
    GLIMPSE50,
    {
        code: tuple(replace(act, key=None) for act in ITCH_ROWS.acts[code])
        for code in ("A", "F", "H", "Y", "S")
    },
    bytes_in_front=HEADER_BYTES,
)
