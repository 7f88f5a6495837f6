"""What a real NIC sends over ef_vi, seen at the other end of a cable (see `make efvi-check`)."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import dpkt
import pytest
from efvi_real import NicRig, is_asked_for
from port_rigs import GROUP, UDP_PORT, numbered

from nic.layout import FLAG_HW_TIMESTAMP
from nic.port import datagram_cookie


@pytest.fixture
def rig(tmp_path: Path) -> Iterator[NicRig]:
    if not is_asked_for():
        pytest.skip("no NIC is named: see make efvi-check")
    reason = NicRig.why_not()
    if reason is not None:
        pytest.skip(reason)
    made = NicRig(tmp_path)
    yield made
    made.close()


def test_sent_datagrams_arrive_with_true_checksums(rig: NicRig) -> None:
    payloads = numbered(300)
    with rig.open([]) as port:
        for payload in payloads:
            assert port.send(payload, datagram_cookie(GROUP, UDP_PORT)) == 0
        frames = rig.sent(len(payloads))
    for frame, payload in zip(frames, payloads, strict=True):
        packet = dpkt.ethernet.Ethernet(frame).data
        assert packet.data.data == payload
        given = (packet.sum, packet.data.sum)
        packet.sum = packet.data.sum = 0
        anew = dpkt.ip.IP(bytes(packet))
        assert (anew.sum, anew.data.sum) == given


def test_received_frames_have_the_nics_time(rig: NicRig) -> None:
    with rig.open(numbered(10)) as port:
        frames = port.receive(10)
    assert len(frames) == 10
    assert all(frame.flags & FLAG_HW_TIMESTAMP for frame in frames)
