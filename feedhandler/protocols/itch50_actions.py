"""The compiled decoder of TotalView-ITCH 5.0."""

from __future__ import annotations

from numba import njit

from feedhandler.actions import SYMBOL, TEST_SYMBOL, emit, head
from feedhandler.context import since_midnight
from feedhandler.protocols.itch50 import ITCH50
from feedhandler.protocols.itch50_acts import ROWS
from feedhandler.wire.access import load_key, loads
from feedhandler.wire.clocks import from_midnight
from feedhandler.wire.interpreter import interpreter

R = ITCH50["R"]
locate, timestamp, lot, authenticity = loads(
    R, "stock_locate", "timestamp", "round_lot_size", "authenticity"
)
stock = load_key(R, "stock")


@njit(nogil=True)
def directory(code, address, length, sequence, context, out):
    """The stock directory: the symbol's text goes into the record."""
    if code != ord("R"):
        return 0
    flags = 0 if authenticity(address) == ord("P") else TEST_SYMBOL
    time_ns = since_midnight(context, timestamp(address))
    first, key, text = head(SYMBOL, 0, flags), locate(address), stock(address)
    return emit(out, first, key, text, 0, lot(address), 0, time_ns, sequence)


message = interpreter(ROWS, clock=from_midnight, special=directory)
