"""A feed's packets to actions, one at a time, on the control side: the loop's own kernels."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from feedhandler.actions import ACTION_DTYPE
from feedhandler.context import CONTEXT_DTYPE, SYMBOL_DTYPE
from feedhandler.faults import FAULTS
from feedhandler.feed import Feed
from feedhandler.specialise import kernel_pairs, symbol_rows
from feedhandler.wire.record import Buffer
from feedhandler.wire.walk import BATCH
from nic import kernelcache
from nic.regions import allowed

SOURCE: Final = '''"""The packets of {name}. Written by feedhandler.packetactions; never edited."""

from numba import njit

from nic.kernelref import KernelRef
from {walk_module} import {walk} as walk
from {message_module} import {message} as message

MESSAGE = KernelRef(message)


@njit(nogil=True, cache=True)
def run(payload, length, context, out):
    return walk(payload, length, context, out, MESSAGE)
'''


class PacketActions:
    """The packets of one channel of a feed as action records.

    Args:
        feed: a feed that comes in datagrams.
        midnight_ns: of the session, epoch; 0 when unknown.

    Attributes:
        context: the channel's context row, with counters and faults.
    """

    def __init__(self, feed: Feed, midnight_ns: int = 0) -> None:
        ((walk, message),) = kernel_pairs([feed])
        parts = dict(zip(("walk_module", "walk"), walk.split(":"), strict=True))
        parts |= zip(("message_module", "message"), message.split(":"), strict=True)
        text = SOURCE.format(name=feed.full_name, **parts)
        self._run = kernelcache.generated_module("packets", text).run
        self._contexts = np.zeros(1, CONTEXT_DTYPE)
        self._out = np.zeros(BATCH, ACTION_DTYPE)
        self.context: np.void = self._contexts[0]
        self.context["midnight_ns"] = midnight_ns
        self._memory: list[NDArray[np.void]] = [self._contexts, self._out]
        if feed.keeps_symbols:
            symbols = np.zeros(symbol_rows([feed]), SYMBOL_DTYPE)
            self.context["symbols_address"] = symbols.ctypes.data
            self.context["symbols_count"] = len(symbols)
            self._memory.append(symbols)
        self._places = self._contexts.ctypes.data, self._out.ctypes.data

    def read(self, payload: Buffer, timestamp_ns: int = 0) -> NDArray[np.void]:
        """The actions of one packet; good until the next call."""
        if len(payload) == 0:
            return self._out[:0]
        data = np.frombuffer(payload, np.uint8)
        self.context["capture_ns"] = timestamp_ns
        with allowed(data, *self._memory):
            made = self._run(data.ctypes.data, len(data), *self._places)
        return self._out[:made]

    def faults(self) -> dict[str, int]:
        """The faults counted so far, by name; those at 0 are left out."""
        counts = self.context["faults"].tolist()
        return {name: n for name, n in zip(FAULTS, counts, strict=False) if n}
