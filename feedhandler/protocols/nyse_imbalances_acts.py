"""What NYSE's imbalances mean, as rows: those of the Integrated Feed."""

from __future__ import annotations

from feedhandler.protocols.nyse_acts import CONTROL_ACTS, imbalance
from feedhandler.protocols.nyse_imbalances import IMBALANCE, NYSE_IMBALANCES_21, NYSE_IMBALANCES_25
from feedhandler.wire.acts import Rows

ROWS_25 = Rows(
    NYSE_IMBALANCES_25, {**CONTROL_ACTS, IMBALANCE: imbalance("auction_interest_clearing_price")}
)
ROWS_21 = Rows(
    NYSE_IMBALANCES_21, {**CONTROL_ACTS, IMBALANCE: imbalance("closing_only_clearing_price")}
)
