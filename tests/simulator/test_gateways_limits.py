"""Accounts at their limits, orders that take when they are replaced, reports that come late."""

from __future__ import annotations

import random
from typing import Any

import boe_rig
import meo_rig
import ouch_rig
import pillar_rig
import pytest
import test_gateways_boe_rebuilt as boe_rebuilt
import test_gateways_meo_rebuilt as meo_rebuilt
import test_gateways_ouch_rebuilt as ouch_rebuilt
import test_gateways_pillar_rebuilt as pillar_rebuilt
from boe_rig import PURGE, boe
from gateway_rig import CENT, Venue
from ouch_rig import ouch
from pillar_rig import BULK, pillar

from feedhandler.actions import BUY, SELL
from simulator.gateways.boe import BoeGateway
from simulator.gateways.boesession import CANCEL_REJECTED, CANCELED, EXECUTION, MASS_CANCELED
from simulator.gateways.meo import MeoGateway
from simulator.gateways.ouch import OuchGateway
from simulator.gateways.pillar import PillarGateway
from simulator.matching import records as r

WORDS = {"ALFA": "secret", "BETA": "hush"}


class Late(Venue):
    """A venue whose matching works at once and whose reports are heard when `hear_some` says."""

    def __init__(self, make: Any, **more: Any) -> None:
        self.reports: list[Any] = []
        super().__init__(make, **more)

    def submit(self, commands: Any) -> None:
        """As `Venue.submit`."""
        _public, reports = self.exchange.submit(commands.copy())
        self.reports.append(reports.copy())

    def hear_some(self, count: int) -> None:
        """The gateway hears so many batches of reports."""
        while self.reports and count:
            count -= 1
            self.gateway.hear(self.reports.pop(0))

    def deliver(self) -> None:
        """As `Venue.deliver`: the gateway hears all, and what it sends for that."""
        while self.reports:
            self.hear_some(len(self.reports))


def test_an_ouch_account_at_its_limit_takes_its_orders_off() -> None:
    with ouch(most_orders=2) as venue:
        client = ouch_rig.entered(venue)
        client.order("S", 200, 10_00)
        client.order("S", 100, 10_01)
        assert client.order("S", 100, 10_02)[0][0] == "SJ"
        assert client.replace(2, 100, 10_03)[0][0] == "SJ"
        assert client.cancel(1, 150)[0][1]["quantity"] == 50
        assert client.send("M", user_ref_num=1, side="S", quantity=100)[0][0] == "SM"
        assert client.cancel(1)[0][0] == "SC"
        assert venue.shown() == [(1, SELL, 1_001 * CENT, 100)]
        assert client.order("S", 100, 10_04)[0][0] == "SA"


def test_an_ouch_replace_to_what_was_executed_is_a_cancel_at_the_limit_too() -> None:
    with ouch(most_orders=1) as venue:
        client = ouch_rig.entered(venue)
        client.order("B", 300, 10_00)
        venue.rests(SELL, 100, 10_00)
        client.came()
        assert [code for code, _ in client.replace(1, 100, 10_00)] == ["SC"]
        assert venue.shown() == []


def test_a_boe_account_at_its_limit_takes_its_orders_off() -> None:
    with boe(most_orders=2) as venue:
        client = boe_rig.entered(venue)
        for cents in (10_00, 10_01):
            client.order("2", 100, cents)
        assert [code for code, _ in client.cancel(1)] == [CANCELED]
        client.order("2", 100, 10_02)
        came = [code for code, _ in client.send(PURGE)]
        assert came == [CANCELED, CANCELED, MASS_CANCELED]
        assert venue.shown() == []


def test_a_pillar_account_at_its_limit_takes_its_orders_off() -> None:
    with pillar(most_orders=2) as venue:
        client = pillar_rig.entered(venue)
        for cents in (10_00, 10_01):
            client.order(2, 100, cents)
        assert [(code, v["ack_type"]) for code, v in client.cancel(1)] == [(0x0271, 11)]
        client.order(2, 100, 10_02)
        came = client.send(BULK, bulk_cancel_type=2)
        assert [(code, v["ack_type"]) for code, v in came] == [(0x0271, n) for n in (11, 11, 4)]
        assert venue.shown() == []


def test_a_pillar_order_that_loses_shares_unasked_states_its_new_quantity() -> None:
    with pillar(self_trade=r.STP_DECREMENT) as venue:
        client = pillar_rig.entered(venue)
        client.order(1, 500, 10_00)
        venue.rests(SELL, 100, 10_00)
        client.came()
        came = [v for code, v in client.order(2, 100, 10_00) if code == 0x0271]
        (less,) = (v for v in came if v["orig_cl_ord_id"] == 1)
        assert (less["ack_type"], less["reason_code"]) == (9, r.SELF_TRADE)
        assert (less["order_qty"], less["leaves_qty"]) == (400, 300)
        assert venue.shown() == [(1, BUY, 1_000 * CENT, 300)]


def test_requests_without_an_answer_are_bounded_whatever_the_orders() -> None:
    with boe(most_orders=2) as venue:
        client = boe_rig.entered(venue)
        client.order("2", 100, 10_00)
        venue.held = True
        assert client.cancel(1) == client.cancel(1) == []
        assert [code for code, _ in client.cancel(1)] == [CANCEL_REJECTED]
        venue.deliver()
        assert client.codes() == [CANCELED, CANCEL_REJECTED]
        assert [code for code, _ in client.cancel(1)] == [CANCEL_REJECTED]
    with ouch(most_orders=2) as venue:
        other = ouch_rig.entered(venue)
        other.order("B", 100, 10_00)
        venue.held = True
        for _ in range(3):
            other.cancel(1)
        assert len(venue.commands) == 2
        venue.deliver()
        assert other.codes() == "SC"


def with_midpoint_seller(venue: Venue) -> None:
    """A seller waits at the midpoint, 10.00."""
    venue.rests(BUY, 100, 9_90)
    venue.rests(SELL, 100, 10_10)
    venue.other(r.REFERENCE, price=9_90 * CENT, cap=10_10 * CENT)
    venue.rests(SELL, 100, 0, type=r.MIDPOINT_PEG)
    venue.step()


def test_an_order_that_takes_at_the_midpoint_when_it_is_replaced_removes_liquidity() -> None:
    with ouch() as venue:
        with_midpoint_seller(venue)
        client = ouch_rig.entered(venue)
        client.order("B", 100, 9_95, display="M")
        replaced, fill = client.replace(1, 100, 10_05, display="M")
        assert (replaced[0], fill[0], fill[1]["liquidity_flag"]) == ("SU", "SE", "m")
    with boe() as venue:
        with_midpoint_seller(venue)
        other = boe_rig.entered(venue)
        other.order("1", 100, 9_95, ord_type="P", exec_inst="M")
        _, (code, values) = other.modify(1, 100, 10_05)
        assert (code, values["base_liquidity_indicator"]) == (EXECUTION, "R")


def test_an_order_that_stands_after_a_replace_adds_at_the_midpoint() -> None:
    with ouch() as venue:
        with_midpoint_seller(venue)
        client = ouch_rig.entered(venue)
        client.order("B", 300, 9_95, display="M")
        client.replace(1, 200, 9_96, display="M")
        venue.step()
        venue.other(r.REFERENCE, price=9_80 * CENT, cap=10_10 * CENT)
        venue.step()
        venue.rests(SELL, 100, 0, type=r.MIDPOINT_PEG)
        flags = {v["liquidity_flag"] for code, v in client.came() if code == "SE"}
        assert flags == {"k"}


def lives(rebuilt: Any, venue: Late, clients: dict[str, Any], rng: random.Random) -> None:
    """Clients act and come back while reports are late."""
    for _ in range(250):
        name = rng.choice(list(clients))
        rebuilt.act(clients[name], rng)
        if rng.random() < 0.02:
            word = (WORDS[name],) if rebuilt is ouch_rebuilt else ()
            clients[name] = rebuilt.back(venue, name, *word, clients[name])
        venue.hear_some(rng.randrange(4))


GATEWAYS: dict[str, tuple[Any, Any, Any, dict[str, int]]] = {
    "ouch": (OuchGateway, ouch_rig, ouch_rebuilt, {}),
    "boe": (BoeGateway, boe_rig, boe_rebuilt, {"units": 2}),
    "pillar": (PillarGateway, pillar_rig, pillar_rebuilt, {}),
    "meo": (MeoGateway, meo_rig, meo_rebuilt, {"engines": 2}),
}


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("protocol", list(GATEWAYS))
def test_late_reports_leave_each_order_one_end(protocol: str, seed: int) -> None:
    gateway, rig, rebuilt, more = GATEWAYS[protocol]
    with Late(gateway, **more) as venue:
        clients = {name: rig.entered(venue, name, word) for name, word in WORDS.items()}
        lives(rebuilt, venue, clients, random.Random(seed))
        venue.deliver()
        rebuilt.compare(venue)
        venue.end_of_day()
        venue.deliver()
        for one in rebuilt.compare(venue).values():
            assert one.accepted and one.open == {}
            assert one.ends == dict.fromkeys(one.accepted, 1)
