"""Kernels that a protocol chooses from: how its times count, where its price scales are."""

from __future__ import annotations

from numba import njit

from feedhandler.context import UNIT, get, since_midnight, since_second


@njit(nogil=True, forceinline=True)
def absolute(context, key, time):
    """Times that are epoch ns on the wire."""
    return time


@njit(nogil=True, forceinline=True)
def from_midnight(context, key, time):
    """Times that are ns since the venue's midnight."""
    return since_midnight(context, time)


@njit(nogil=True, forceinline=True)
def from_second(context, key, time):
    """Times that are ns since the last whole second the packet's unit announced."""
    return since_second(context, get(context, UNIT), time)


@njit(nogil=True, forceinline=True)
def own_scale(context, key, factor):
    """Prices whose scale is in the table."""
    return factor


@njit(nogil=True, forceinline=True)
def nothing(code, address, length, sequence, context, out):
    """For protocols whose rows say everything."""
    return 0
