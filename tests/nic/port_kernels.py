"""Kernels that poll a port through its addresses; also run by a fresh process in the cache test."""

from __future__ import annotations

import sys

from numba import njit

from nic.call import (
    call_clock,
    call_join,
    call_release,
    call_rx_burst,
    call_stats,
    call_thread_init,
    call_tx,
    read_tsc,
)
from nic.layout import RX_END, RX_ERROR
from nic.raw import load_u32le


@njit(nogil=True, cache=True)
def drain_port(rx_burst, release, port, descriptors, burst):
    """(frames, sum of lengths) until the port is over."""
    frames = 0
    total_bytes = 0
    while True:
        count = call_rx_burst(rx_burst, port, descriptors, burst)
        if count == RX_END:
            return frames, total_bytes
        if count == RX_ERROR:
            return -1, total_bytes
        for index in range(count):
            total_bytes += load_u32le(descriptors + 32 * index + 8)
        frames += count
        call_release(release, port, descriptors, count)


@njit(nogil=True, cache=True)
def send_times(tx, port, data, length_bytes, cookie, times):
    """Sum of the results of so many sends."""
    total = 0
    for _ in range(times):
        total += call_tx(tx, port, data, length_bytes, cookie)
    return total


@njit(nogil=True, cache=True)
def join_and_count(thread_init, join, stats, port, group, udp_port, vlan, out):
    """(result of thread_init, result of join), with the counters written at `out`."""
    ready = call_thread_init(thread_init, port)
    joined = call_join(join, port, group, udp_port, vlan)
    call_stats(stats, port, out)
    return ready, joined


@njit(nogil=True, cache=True)
def read_clock(now_ns, clock):
    """ns since the epoch."""
    return call_clock(now_ns, clock)


@njit(nogil=True, cache=True)
def read_ticks():
    """The time stamp counter."""
    return read_tsc()


def main(uri: str) -> None:
    """Drains a port and writes frames, bytes, cache hits and misses of the kernel."""
    import numpy as np

    from nic.port import DESCRIPTOR_DTYPE, open_port
    from nic.regions import allowed

    descriptors = np.zeros(64, DESCRIPTOR_DTYPE)
    with open_port(uri) as port, allowed(descriptors):
        ops = port.ops
        frames, total_bytes = drain_port(
            ops["rx_burst"], ops["release"], port.handle, descriptors.ctypes.data, 64
        )
    stats = drain_port.stats
    hits, misses = sum(stats.cache_hits.values()), sum(stats.cache_misses.values())
    sys.stdout.write(f"{frames} {total_bytes} {hits} {misses}")


if __name__ == "__main__":
    main(sys.argv[1])
