"""The compiled decoder of MEMOIR Depth 1.3."""

from __future__ import annotations

from numba import njit

from feedhandler.actions import SYMBOL, TEST_SYMBOL, emit, head
from feedhandler.faults import BAD_LENGTH, UNKNOWN_VALUE
from feedhandler.protocols.memoir13 import MEMOIR13, SBE_BYTES
from feedhandler.protocols.memoir13_acts import ROWS
from feedhandler.wire.access import SPACES, load_key, load_price, loads
from feedhandler.wire.interpreter import interpreter

INSTRUMENT = MEMOIR13[1]
block_length, security_id, timestamp, round_lot, is_test_symbol = loads(
    INSTRUMENT, "block_length", "security_id", "timestamp", "round_lot", "is_test_symbol"
)
symbol, symbol_sfx = load_key(INSTRUMENT, "symbol"), load_key(INSTRUMENT, "symbol_sfx")
mpv = load_price(INSTRUMENT, "mpv")


@njit(nogil=True)
def directory(code, address, length, sequence, context, out):
    """The instrument directory: symbol and suffix text go into the record, no suffix as 0."""
    suffix = symbol_sfx(address)
    rest = 0 if suffix & ~SPACES == 0 else suffix  # spaces or NULs alone
    flags = TEST_SYMBOL if is_test_symbol(address) != 0 else 0
    first, key = head(SYMBOL, 0, flags), security_id(address)
    unit, lot, time_ns = mpv(address), round_lot(address), timestamp(address)
    return emit(out, first, key, symbol(address), unit, lot, rest, time_ns, sequence)


of_block = interpreter(ROWS, special=directory)


@njit(nogil=True, forceinline=True)
def message(address, length, sequence, context, out):
    """One message, as long as its block length says: what newer versions append is not read."""
    size = block_length(address) + SBE_BYTES if length >= SBE_BYTES else length
    made = of_block(address, min(size, length), sequence, context, out)
    if size > length and (made >= 0 or made == -UNKNOWN_VALUE):
        return -BAD_LENGTH
    return made
