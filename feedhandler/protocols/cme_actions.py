"""The compiled decoder of CME MDP 3.0: which kernel a template is for."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit

from feedhandler.protocols.cme_entries import book, book_of, reset_channel, trades
from feedhandler.protocols.cme_images import image, image_by_tcp
from feedhandler.protocols.cme_limits import changed_limits
from feedhandler.protocols.cme_mdp3 import CME_MDP3, CME_TCP
from feedhandler.protocols.cme_names import define, is_definition
from feedhandler.protocols.cme_orders import image_of_orders, orders_alone, orders_behind
from feedhandler.protocols.cme_states import security_status
from feedhandler.wire.access import code_loader
from feedhandler.wire.protocol import Protocol
from feedhandler.wire.sbecheck import checker, message_checker

CHANNEL_RESET, SECURITY_STATUS, LEVELS = 4, 30, 46


@njit(nogil=True)
def for_all(code, address, sequence, context, out):
    """What means the same to books by price and by order; nothing else means anything here."""
    if code == 42 or code == 48 or code == 65 or code == 36:
        return trades(code, address, sequence, context, out)
    if code == SECURITY_STATUS:
        return security_status(address, sequence, context, out)
    if is_definition(code):
        return define(code, address, sequence, context, out)
    if code == 50 or code == 34:
        return changed_limits(code, address, sequence, context, out)
    if code == CHANNEL_RESET:
        return reset_channel(address, sequence, context, out)
    return np.int64(0)


@njit(nogil=True)
def images(code, address, sequence, context, out):
    """Snapshots of books by price, and what is for all."""
    if code in (38, 52, 69):
        return image(code, address, sequence, context, out)
    if code in (61, 68):
        return image_by_tcp(code, address, sequence, context, out)
    return for_all(code, address, sequence, context, out)


def decoder(protocol: Protocol) -> Any:
    """A message kernel for books by price behind a check of the message, see `wire.sbecheck`.

    Most messages are of one template, which is checked and read by kernels made for it.
    """
    check, check_levels = checker(protocol), message_checker(protocol, LEVELS)
    code_end, load_code = protocol.code_offset + protocol.code_width, code_loader(protocol)

    @njit(nogil=True)
    def others(address: Any, length: Any, sequence: Any, context: Any, out: Any) -> Any:
        code = check(address, length)
        if code < 0:
            return code
        if code == 32 or code == 64:
            return book_of(code, address, sequence, context, out)
        return images(code, address, sequence, context, out)

    @njit(nogil=True)
    def message(address: Any, length: Any, sequence: Any, context: Any, out: Any) -> Any:
        if length < code_end or load_code(address) != LEVELS:
            return others(address, length, sequence, context, out)
        fault = check_levels(address, length)
        return fault if fault < 0 else book(address, sequence, context, out)

    return message


by_price, by_price_tcp = decoder(CME_MDP3), decoder(CME_TCP)
check_udp = checker(CME_MDP3)


@njit(nogil=True)
def by_order(address, length, sequence, context, out):
    """A message for books by order."""
    code = check_udp(address, length)
    if code == 32 or code == 46 or code == 64:
        return orders_behind(code, address, length, sequence, context, out)
    if code == 43 or code == 47:
        return orders_alone(code, address, sequence, context, out)
    if code == 44 or code == 53:
        return image_of_orders(code, address, sequence, context, out)
    return code if code < 0 else for_all(code, address, sequence, context, out)
