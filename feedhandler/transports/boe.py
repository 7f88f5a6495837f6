"""The byte stream of a Cboe BOE session: messages back to back, sequenced per matching unit.

Source: Cboe US Equities BOE specification 2.3.
"""

from __future__ import annotations

from feedhandler.transports.transport import Transport
from feedhandler.wire.framing import Framing

TRANSPORT = Transport(
    name="boe",
    title="Cboe BOE stream",
    header=None,
    framing=Framing(2, 2, False, 2, 0, marker=b"\xba\xba"),
    scope="unit",
    stream=True,
)
