"""What CME's trading states mean to a book. Messages have groups, so kernels read all of them."""

from __future__ import annotations

from feedhandler.actions import (
    STATUS_AUCTION,
    STATUS_CLOSED,
    STATUS_HALTED,
    STATUS_PREOPEN,
    STATUS_TRADING,
    STATUS_UNKNOWN,
)
from feedhandler.protocols.cme_mdp3 import CME_MDP3, CME_TCP
from feedhandler.wire.acts import Rows

NO_CHANGE, NOT_IN_LAYOUT = -1, -2
STATUSES = {
    2: STATUS_HALTED,
    4: STATUS_CLOSED,
    15: STATUS_AUCTION,  # new price indication
    17: STATUS_TRADING,
    18: STATUS_CLOSED,  # not available for trading
    20: STATUS_UNKNOWN,
    21: STATUS_PREOPEN,
    24: STATUS_AUCTION,  # pre-cross
    25: STATUS_AUCTION,
    26: STATUS_CLOSED,
    103: NO_CHANGE,
    201: STATUS_TRADING,  # workups of BrokerTec
    202: STATUS_TRADING,
    255: NO_CHANGE,
}
ROWS = Rows(CME_MDP3, {})
TCP_ROWS = Rows(CME_TCP, {})
