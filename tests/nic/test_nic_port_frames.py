"""The frames that ports write, byte for byte beside frames that are put together slowly."""

from __future__ import annotations

import pytest
from dpdk_rig import DpdkRig, device, dpdk_uri
from efvi_double import PEER, PEER_MAC, EfviRig
from efvi_fixtures import ef10, nic, x3
from port_rigs import GROUP, UDP_PORT
from slow_frames import Sender, expected_frames, group_mac, is_group, tried_sends, zero_sum_payload

from nic.port import Port, datagram_cookie, open_port

__all__ = ["ef10", "nic", "x3"]

FAR_MAC = "02:00:00:00:00:fe"
EFVI = Sender(
    address=PEER,
    udp_port=4444,
    mac=bytes.fromhex("000f53010203"),
    next_hop=bytes.fromhex(PEER_MAC.replace(":", "")),
    ttl=7,
    summed=True,
)
TAGS = [b"", b"\x81\x00\xe0\x64", b"\x88\xa8\x00\x05\x81\x00\x00\x64"]


def send_all(port: Port, sends: list[tuple[bytes, str, int]]) -> None:
    for payload, address, udp_port in sends:
        assert port.send(payload, datagram_cookie(address, udp_port)) == 0


@pytest.mark.parametrize("options", ["", "&ctpio=0"])
def test_ef_vi_sends_these_frames(nic: EfviRig, options: str) -> None:
    if options and nic.kind == "CIUL_X3":
        options = ""  # it has no other way
    sends = tried_sends(EFVI, PEER)
    with nic.open_with(f"source_port=4444&ttl=7{options}") as port:
        send_all(port, sends)
    assert nic.sent() == expected_frames(EFVI, sends)


@pytest.mark.parametrize("tags", TAGS)
@pytest.mark.parametrize("size", [18, 19, 100, 1401])
def test_ef_vi_fills_in_the_same_checksums_behind_tags(
    nic: EfviRig, tags: bytes, size: int
) -> None:
    payload = bytes((5 * at) & 0xFF for at in range(size))
    whole = EFVI.frame(payload, PEER, 9, tags=tags)
    ip_at = 14 + len(tags)
    blank = bytearray(whole)
    blank[ip_at + 10 : ip_at + 12] = b"\xaa\xbb"
    blank[ip_at + 26 : ip_at + 28] = b"\xcc\xdd"
    with nic.open_with() as port:
        assert port.send(bytes(blank)) == 0
    assert nic.sent() == [whole]


def test_a_sum_of_zero_is_on_the_wire_as_all_ones(nic: EfviRig) -> None:
    payload = zero_sum_payload(EFVI, GROUP, UDP_PORT, 64)
    with nic.open_with("source_port=4444&ttl=7") as port:
        assert port.send(payload, datagram_cookie(GROUP, UDP_PORT)) == 0
    assert nic.sent()[0][40:42] == b"\xff\xff"


@pytest.mark.skipif(DpdkRig.why_not() is not None, reason=str(DpdkRig.why_not()))
def test_dpdk_sends_these_frames() -> None:
    options = {"source": "10.0.0.1:4000", "gateway_mac": FAR_MAC, "filter": 0}
    with open_port(dpdk_uri(device("net_ring"), **options)) as port:
        assert port.send(bytes(60)) == 0
        assert port.send(b"x", datagram_cookie(GROUP, UDP_PORT)) == 0
        mac = port.receive(2)[1].data[6:12]  # the device has one of its own
        next_hop = bytes.fromhex(FAR_MAC.replace(":", ""))
        sender = Sender("10.0.0.1", 4000, mac, next_hop, unicast_ttl=1)
        sends = tried_sends(sender, "10.0.0.2")
        frames = []
        for begin in range(0, len(sends), 100):  # the device keeps some hundred
            batch = sends[begin : begin + 100]
            send_all(port, batch)
            frames += [frame.data for frame in port.receive(len(batch))]
    assert frames == expected_frames(sender, sends)


def test_scapy_builds_the_same_frames() -> None:
    scapy = pytest.importorskip("scapy.all")
    for payload, to, udp_port in tried_sends(EFVI, PEER)[:80]:
        group = is_group(to)
        made = (
            scapy.Ether(src=EFVI.mac, dst=group_mac(to) if group else EFVI.next_hop)
            / scapy.Dot1Q(vlan=100, prio=7)
            / scapy.IP(src=PEER, dst=to, id=0, ttl=7 if group else 64, flags="DF")
            / scapy.UDP(sport=4444, dport=udp_port)
            / payload
        )
        tagged = EFVI.frame(payload, to, udp_port, tags=TAGS[1])
        assert tagged == bytes(made).ljust(60, b"\0")
