"""Bytes that no client sends: no service raises, none harms another client's conversation."""

from __future__ import annotations

import random

import pytest
from recovery_rig import PROTOCOLS
from service_rig import Caller, Desk, S
from test_services_refusals import (
    CBOE_GRP,
    CBOE_SPIN,
    IEX_SNAP,
    MEMX_TCP,
    SOUPBINTCP,
    cboe_login,
    iex,
    memx_login,
    soup,
    unit_packet,
)

from feedhandler.protocols.nyse_control import REQUESTS
from feedhandler.transports import iexsnap, moldudp64, xdp
from feedhandler.transports.packets import write_packet
from feedhandler.wire.record import Value

OTHER_LOGIN = {"bzx": cboe_login("other", "0002", "TWO")}


def whole_ones(desk: Desk) -> dict[str, list[bytes]]:
    """By service, packets that mean something, to be cut, mixed and damaged; the first is right."""
    venue = desk.publisher.venue.name
    if venue == "nasdaq":
        mold = moldudp64.REQUEST.encode(session="2603160001", requested_message_count=9)
        return {"snapshot": [soup(), *(one.encode() for one in SOUPBINTCP.records)], "udp": [mold]}
    if venue == "bzx":
        gaps = [cboe_login(), *(unit_packet(one.encode()) for one in CBOE_GRP.records)]
        spins = [cboe_login(), *(unit_packet(one.encode()) for one in CBOE_SPIN.records)]
        return {"gap": gaps, "snapshot": spins}
    if venue == "nyse":
        about: dict[str, Value] = {"source_id": "FIRM", "product_id": 1, "channel_id": 1}
        asked = [one.encode(about) for one in REQUESTS if "product_id" in one.by_name]
        header: dict[str, Value] = {"delivery_flag": xdp.ORIGINAL}
        return {"gap": [write_packet(xdp.TRANSPORT, [one], header) for one in asked]}
    if venue == "memx":
        memx = [memx_login(), *(one.encode() for one in MEMX_TCP.records)]
        return {"gap": memx, "snapshot": memx}
    ranges = [iex(desk, (1, 2)), iex(desk, (5, 1), (9, 100))]
    snap = iexsnap.TRANSPORT.framing.wrap(IEX_SNAP["r"].encode(authentication_token="hunter2xyz"))
    return {"gap_stream": ranges, "udp": ranges, "snapshot": [snap]}


def damaged(chance: random.Random, packets: list[bytes]) -> bytes:
    """Some packets, cut, with other bytes here and there; or noise."""
    if chance.random() < 0.2:
        return chance.randbytes(chance.randint(1, 300))
    data = bytearray(b"".join(chance.choices(packets, k=chance.randint(1, 4))))
    for _ in range(chance.choice((0, 1, 1, 2, 8))):
        data[chance.randrange(len(data))] = chance.choice((0, 1, 2, 255, chance.randrange(256)))
    if chance.random() < 0.3:
        del data[chance.randrange(len(data)) :]
    return bytes(data)


@pytest.mark.parametrize("venue", PROTOCOLS)
def test_no_service_falls_over_bytes_and_the_others_go_on(venue: str) -> None:
    chance = random.Random(f"{venue} bytes")
    with Desk(venue, count=150) as desk:
        given = whole_ones(desk)
        for service, packets in given.items():
            if service == "udp":
                for _ in range(100):
                    desk.ask(damaged(chance, packets))
                continue
            bystander = desk.dial(service)
            bystander.say(OTHER_LOGIN.get(venue, packets[0]))
            before, callers = len(bystander.got), list[Caller]()
            for _ in range(120):
                if not callers or chance.random() < 0.4:
                    callers.append(desk.dial(service))
                caller = chance.choice(callers)
                caller.say(damaged(chance, packets))
                if caller.closed or chance.random() < 0.1:
                    caller.end.close()
                    callers.remove(caller)
            for caller in callers:
                caller.end.close()
            desk.serve(8)
            good = desk.dial(service)
            good.say(packets[0])
            bystander.hear(2, S)
            assert good.got
            if venue != "iex":  # of which a client hears nothing unasked
                assert len(bystander.got) > before > 0
                assert not bystander.closed
