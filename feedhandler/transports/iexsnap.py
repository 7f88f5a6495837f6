"""The stream of IEX's snapshot service: messages with a length in front, over TCP.

Source: IEX SNAP specification 1.05, after the public dissector.
"""

from __future__ import annotations

from feedhandler.transports.transport import Transport
from feedhandler.wire.framing import COUNTED_U16_LE

TRANSPORT = Transport(
    name="iexsnap",
    title="IEX SNAP",
    header=None,
    framing=COUNTED_U16_LE,
    scope="session",
    stream=True,
)
