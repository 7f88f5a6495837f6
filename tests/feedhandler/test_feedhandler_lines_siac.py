"""Lines of SIAC's blocks: one whose checksum is wrong never came, so the other line brings it."""

from __future__ import annotations

from lines_rig import Arrival, LinesRig

from feedhandler.lines.layout import LIVE, STALE, WAITING
from feedhandler.lines.setup import LineOptions
from feedhandler.registry import versions
from feedhandler.transports.packets import write_packet

A, B = 0, 1
(CTS,) = versions("siac_cts")
QUICK = LineOptions(window_ns=100, window_packets=4)


def block(sequence, count=1, *, broken=False):
    """Trades from a sequence on; a broken block has one bit turned."""
    trade = CTS.protocol["TL"].encode(security_symbol="IBM", trade_volume=1)
    header = {**CTS.header, "block_sequence_number": sequence}
    made = bytearray(write_packet(CTS.transport, [trade] * count, header))
    made[60] ^= int(broken)
    return bytes(made)


def after(*arrivals):
    """A rig that took (time, line, block)."""
    rig = LinesRig(CTS, QUICK)
    rig.feed_in([Arrival(*one) for one in arrivals])
    return rig


def said(rig):
    return rig.actions["sequence"].tolist()


def test_a_broken_block_is_delivered_by_the_other_line():
    rig = after(
        (10, A, block(1, 2)),
        (12, B, block(1, 2)),
        (20, A, block(3, broken=True)),
        (25, B, block(3)),
        (30, A, block(4)),
    )
    assert said(rig) == [1, 2, 3, 4]
    assert rig.stream()["state"] == LIVE


def test_it_may_come_after_what_is_behind_it():
    rig = after((10, A, block(1)), (20, A, block(2, broken=True)), (30, A, block(3)))
    assert said(rig) == [1]
    assert rig.stream()["state"] == WAITING
    rig.feed_in([Arrival(40, B, block(2))])
    assert said(rig) == [1, 2, 3]


def test_broken_on_both_lines_it_is_lost():
    rig = after(
        (10, A, block(1)),
        (20, A, block(2, broken=True)),
        (21, B, block(2, broken=True)),
        (30, A, block(3)),
        (200, B, block(3)),
    )
    assert said(rig) == [1, 3]
    assert rig.stream()["state"] == STALE
