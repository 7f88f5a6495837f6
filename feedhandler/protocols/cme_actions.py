"""The compiled decoder of CME MDP 3.0: which kernel a template is for."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit

from feedhandler.protocols.cme_entries import book, reset_channel, trades
from feedhandler.protocols.cme_images import image, image_by_tcp
from feedhandler.protocols.cme_mdp3 import CME_MDP3, CME_TCP
from feedhandler.protocols.cme_names import define, is_definition
from feedhandler.protocols.cme_states import security_status
from feedhandler.wire.sbecheck import checker

CHANNEL_RESET, SECURITY_STATUS = 4, 30


@njit(nogil=True)
def rare(code, address, sequence, context, out):
    """What is neither a book message nor a trade."""
    if code == SECURITY_STATUS:
        return security_status(address, sequence, context, out)
    if is_definition(code):
        return define(code, address, sequence, context, out)
    if code in (38, 52, 69):
        return image(code, address, sequence, context, out)
    if code in (61, 68):
        return image_by_tcp(code, address, sequence, context, out)
    if code == CHANNEL_RESET:
        return reset_channel(address, sequence, context, out)
    return np.int64(0)


def decoder(check: Any) -> Any:
    """A message kernel behind a check of the message, see `wire.sbecheck`."""

    @njit(nogil=True)
    def message(address: Any, length: Any, sequence: Any, context: Any, out: Any) -> Any:
        code = check(address, length)
        if code == 32 or code == 46 or code == 64:
            return book(code, address, sequence, context, out)
        if code == 42 or code == 48 or code == 65 or code == 36:
            return trades(code, address, sequence, context, out)
        if code < 0:
            return code
        return rare(code, address, sequence, context, out)

    return message


by_price = decoder(checker(CME_MDP3))
by_price_tcp = decoder(checker(CME_TCP))
