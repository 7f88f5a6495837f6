"""What a packet is, before any of its messages is read: the same few kinds for every transport."""

from __future__ import annotations

from typing import Final

MESSAGES: Final = 0
RETRANSMISSION: Final = 1  # messages that were asked for again
HEARTBEAT: Final = 2  # no message; the sequence is that of the next one
END_OF_SESSION: Final = 3  # no message; the sequence is that of the next one
RESET: Final = 4  # messages, and the sequence starts again with this packet's
UNSEQUENCED: Final = 5  # messages without a number
REFRESH: Final = 6  # part of a snapshot, numbered on its own
UNAVAILABLE: Final = 7  # says which messages can not be sent again
BAD: Final = 8  # its header is cut or impossible

KINDS: Final = (
    "messages retransmission heartbeat end_of_session reset unsequenced refresh unavailable bad"
).split()
