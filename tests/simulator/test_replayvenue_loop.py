"""A compiled loop that calls replayed venues by address, as the router's does."""

from __future__ import annotations

import numpy as np
from numba import njit
from replayvenue_rig import CENT, B, Floor, S

from feedhandler import actions as a
from nic.call import call_kernel, call_release, call_rx_burst, call_tx
from nic.layout import DESCRIPTOR_BYTES, DESCRIPTOR_DTYPE
from nic.raw import load_i64le, load_n32le, store_u64le
from nic.regions import allowed
from router.tables import IOC
from simulator.replay import layout


@njit(nogil=True)
def small_loop(words, message, length, descriptors):
    """Sends one message, then takes answers as they come; bytes and number of them.

    `words`: sim, due, now, step, port, tx, rx_burst, release, time to send at.
    """
    sim, due, now = load_i64le(words), load_i64le(words + 8), load_i64le(words + 16)
    step, port = load_i64le(words + 24), load_i64le(words + 32)
    tx, rx, release = load_i64le(words + 40), load_i64le(words + 48), load_i64le(words + 56)
    store_u64le(now, load_i64le(words + 64))
    if call_tx(tx, port, message, length, 0) != 0:
        return -1, -1
    total, count = 0, 0
    while load_i64le(due) < layout.NEVER:
        if call_kernel(step, sim, layout.NEVER - 1, 0, 0, 0) == 0:
            break
        got = call_rx_burst(rx, port, descriptors, 2)
        for number in range(got):
            total += load_n32le(descriptors + DESCRIPTOR_BYTES * number + 8)
        call_release(release, port, descriptors, got)
        count += got
    return total, count


def test_a_loop_reaches_the_venues_through_ports() -> None:
    with Floor() as floor:
        floor.add(0, S, 1001, 100)
        floor.add(0, S, 1002, 100)
        port, row = floor.sim.ports[0], np.zeros(1, layout.REQUEST_DTYPE)
        order = {"kind": layout.ENTER, "token": 1, "instrument": 1, "side": B, "quantity": 300}
        for name, value in {**order, "price": 1002 * CENT, "tif": IOC}.items():
            row[name] = value
        ops = [port.ops[name] for name in ("tx", "rx_burst", "release")]
        sim = floor.sim
        words = np.array(
            [sim.address, sim.due_address, sim.now_address, sim.step_address, port.handle, *ops,
             floor.now_ns],
            np.int64,
        )  # fmt: skip
        descriptors = np.zeros(2, DESCRIPTOR_DTYPE)
        with allowed(*sim.blocks(), *floor.memory, row, words, descriptors):
            given = (int(item.ctypes.data) for item in (words, row))
            total, count = small_loop(*given, row.nbytes, int(descriptors.ctypes.data))
        assert (total, count) == (4 * layout.ANSWER_BYTES, 4)
        assert sim.counters["executed"] == 200


def test_packets_of_other_venues_are_not_noted() -> None:
    with Floor() as floor:
        batch = np.zeros(1, a.ACTION_DTYPE)
        assert [floor.sim.note(venue, batch, 1, floor.memory) for venue in (0, 1, 2, -1, 99)] == [
            1, 1, 0, 0, 0,
        ]  # fmt: skip
