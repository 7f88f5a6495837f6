"""NYSE Order Imbalances, XDP 2.1 and Pillar 2.5: what an auction of one market would do now.

Both have the Integrated Feed's imbalance message of their time and no order. The 2.1 form was
checked against a capture; that 2.5 has the Integrated Feed's form is general knowledge.

Source: XDP Imbalances Feed Client Specification 2.1, after the public dissector of revision f.
"""

from __future__ import annotations

from feedhandler.protocols.nyse_control import CONTROL
from feedhandler.protocols.nyse_integrated_21 import NYSE_INTEGRATED_21
from feedhandler.protocols.nyse_integrated_25 import NYSE_INTEGRATED_25
from feedhandler.wire.protocol import Protocol

IMBALANCE = 105

NYSE_IMBALANCES_25 = Protocol(
    "nyse_imbalances_25",
    "NYSE Order Imbalances 2.5",
    [*CONTROL, NYSE_INTEGRATED_25[IMBALANCE]],
    code_offset=2,
    code_width=2,
    source="NYSE Integrated Feed Client Specification 2.5, imbalance message",
)
NYSE_IMBALANCES_21 = Protocol(
    "nyse_imbalances_21",
    "NYSE Order Imbalances 2.1",
    [*CONTROL, NYSE_INTEGRATED_21[IMBALANCE]],
    code_offset=2,
    code_width=2,
    source="NYSE XDP Imbalances Feed Client Specification 2.1",
)
