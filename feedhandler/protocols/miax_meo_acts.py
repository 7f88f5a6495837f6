"""What MEO's messages mean to an order, as rows and as what its letters mean.

All that names an order has a kernel, for ids are digits. `order_id` is the client order id; a
refused replace or cancel goes by the id of the request. A notification of a new order, which
repeats its response, is news about the order. Price updates and replenishments name the exchange's
id alone and mean nothing here; nor does what the client sends.
"""

from __future__ import annotations

from feedhandler.actions import BREAK, EXECUTED, SESSION
from feedhandler.protocols.liquidity import ADDED, ADDED_HIDDEN, AUCTION, MIDPOINT, REMOVED
from feedhandler.protocols.miax_meo import MIAX_MEO
from feedhandler.transports.esesm import HEADER_BYTES
from feedhandler.wire.acts import Act, Rows

EXECUTIONS = {"E": EXECUTED, "C": BREAK, "X": BREAK}
# MIAX publishes the indicators apart from the layout: these are the replayed venue's.
LIQUIDITY = {"A": ADDED, "R": REMOVED, "H": ADDED_HIDDEN, "M": MIDPOINT, "X": AUCTION}

ROWS = Rows(
    MIAX_MEO,
    {"SN": Act(SESSION, time="matching_engine_time", aux="system_status", order_id="session_id")},
    bytes_in_front=HEADER_BYTES,
)
