"""Replayed venues in the bytes of the order protocols: written and read as the router does it."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import pytest
from replayvenue_rig import CENT, B, Floor, S, lit, model

from feedhandler.protocols.cboe_boe import CBOE_BOE
from feedhandler.protocols.ouch42 import OUTBOUND as OUCH42
from feedhandler.protocols.ouch50 import OUTBOUND as OUCH50
from feedhandler.transports.soupbintcp import HEADER_BYTES
from feedhandler.transports.transport import read_message
from nic.regions import allowed
from router.entry.formkernels import fill, recognise
from router.entry.formlayout import WORDS_DTYPE
from router.entry.forms import REPLIES, Constants
from router.entry.protocols import PROTOCOLS
from router.tables import DAY, IOC, REMOVED
from simulator.replay.models import ReplayVenue
from simulator.replay.wiring import reason_codes

MIDNIGHT_NS: Final = 400


class Client:
    """One session of the router's, by its own forms."""

    def __init__(self, protocol: str, floor: Floor) -> None:
        self.protocol, self.floor = PROTOCOLS[protocol], floor
        self.orders = self.protocol.order_forms(Constants(symbol="S1", symbol_id=1))
        replies = self.protocol.reply_forms(Constants(unit=1 if protocol == "boe" else 0))
        # Pillar says both by one message: it is an acceptance where it names no older order.
        last = "accepted" if protocol == "pillar" else ""
        self.names = sorted(REPLIES, key=lambda name: name == last)
        self.replies = [replies[name] for name in self.names]
        self.sequence = 0

    def send(self, name: str, **words: int) -> None:
        """A message by its form."""
        row, out = np.zeros(1, WORDS_DTYPE), np.zeros(512, np.uint8)
        self.sequence += 1
        for word, value in {"sequence": self.sequence, **words}.items():
            row[word] = value
        image = self.orders[name].image
        with allowed(image, row, out):
            length = int(fill(int(image.ctypes.data), int(row.ctypes.data), int(out.ctypes.data)))
        assert length > 0
        assert self.floor.sim.send(0, out[:length].tobytes(), self.floor.now_ns) == 0

    def told(self) -> list[tuple[str, dict[str, int]]]:
        """The answers so far: name of the form, words that are not 0."""
        self.floor.wait(1_000)
        return [self._read(data) for _, _, data in self.floor.raw]

    def _read(self, data: bytes) -> tuple[str, dict[str, int]]:
        addresses = np.array([form.address for form in self.replies], np.int64)
        memory, row = np.frombuffer(data, np.uint8).copy(), np.zeros(1, WORDS_DTYPE)
        images = [form.image for form in self.replies]
        with allowed(addresses, memory, row, *images):
            where: list[Any] = [addresses, memory, row]
            forms, at, words = (int(item.ctypes.data) for item in where)
            found = int(recognise(forms, len(addresses), at, len(data), words))
        assert found >= 0
        names = [name for name in WORDS_DTYPE.names or () if name != "unused"]
        said = {name: int(row[name][0]) for name in names if row[name][0]}
        name = self.names[found]
        return "accepted" if name == "replaced" and "old_token" not in said else name, said


def venue(protocol: str, **more: Any) -> ReplayVenue:
    """A venue of a protocol."""
    return lit(0, protocol=protocol, **more)


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_an_order_is_accepted_executed_replaced_and_canceled(protocol: str) -> None:
    with Floor([venue(protocol)], midnight_ns=MIDNIGHT_NS) as floor:
        client = Client(protocol, floor)
        floor.add(0, S, 1001, 100)
        terms = {"side": B, "tif": DAY}
        client.send("enter", token=7, quantity=300, price=1001 * CENT, **terms)
        floor.wait(500)
        client.send("replace", token=8, old_token=7, quantity=250, price=1000 * CENT, **terms)
        floor.wait(500)
        client.send("cancel", token=8, old_token=8)
        (accepted, of), (executed, fill_), (replaced, new), (canceled, gone) = client.told()
        assert (accepted, executed, replaced, canceled) == (
            "accepted",
            "executed",
            "replaced",
            "canceled",
        )
        assert of["token"] == fill_["token"] == 7
        assert new["token"] == gone["token"] == 8
        assert (fill_["quantity"], fill_["price"]) == (100, 1001 * CENT)
        assert new["price"] == 1000 * CENT
        assert new.get("leaves", 150) == 150
        assert fill_["execution"] == 1
        if protocol != "boe":
            assert fill_["liquidity"] == REMOVED
        assert gone.get("reason", 0) == PROTOCOLS[protocol].reasons["user"]


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_what_an_ioc_leaves_is_canceled_and_bad_orders_are_refused(protocol: str) -> None:
    with Floor([venue(protocol, model=model(most_shares=1000))]) as floor:
        client = Client(protocol, floor)
        client.send("enter", token=1, quantity=300, price=1001 * CENT, side=S, tif=IOC)
        client.send("enter", token=2, quantity=2000, price=1001 * CENT, side=S, tif=IOC)
        client.send("replace", token=4, old_token=3, quantity=250, price=1000 * CENT, side=S)
        names = [name for name, _ in client.told()]
        assert names[:2] == ["accepted", "canceled"]
        # OUCH and Pillar refuse a replace as they refuse an order.
        assert names[2:] == [
            "rejected",
            "replace rejected" if protocol in ("boe", "meo") else "rejected",
        ]
        assert [words["token"] for _, words in client.told()] == [1, 1, 2, 4]
        codes = reason_codes(protocol, cancels=False)
        assert client.told()[3][1]["reason"] == codes[5]


@pytest.mark.parametrize("protocol", ["boe", "pillar", "meo"])
def test_late_cancels_are_refused_where_the_protocol_answers_them(protocol: str) -> None:
    with Floor([venue(protocol)]) as floor:
        client = Client(protocol, floor)
        client.send("cancel", token=9, old_token=5)
        name, words = client.told()[0]
        assert name in ("cancel rejected", "rejected")
        assert words["token"] == (5 if protocol == "boe" else 9)


@pytest.mark.parametrize("protocol", ["ouch50", "ouch42"])
def test_late_cancels_are_not_answered_by_ouch(protocol: str) -> None:
    with Floor([venue(protocol)]) as floor:
        client = Client(protocol, floor)
        client.send("cancel", old_token=5)
        assert client.told() == []
        assert floor.sim.counters["ignored"] == 1


def test_the_numbers_of_a_stream_rise_by_one() -> None:
    with Floor([venue("pillar")]) as floor:
        client = Client("pillar", floor)
        floor.add(0, S, 1001, 100)
        client.send("enter", token=7, quantity=300, price=1001 * CENT, side=B, tif=IOC)
        assert [words["sequence"] for _, words in client.told()] == [1, 2, 3]


def test_refusals_of_boe_have_no_number() -> None:
    with Floor([venue("boe")]) as floor:
        client = Client("boe", floor)
        client.send("enter", token=7, quantity=1 << 21, price=1001 * CENT, side=B, tif=IOC)
        client.send("enter", token=8, quantity=100, price=1001 * CENT, side=B, tif=IOC)
        assert [words.get("sequence", 0) for _, words in client.told()] == [0, 1, 2]


def test_the_protocols_own_readers_understand_the_answers() -> None:
    readers = {"ouch50": (OUCH50, HEADER_BYTES), "ouch42": (OUCH42, HEADER_BYTES)}
    for protocol, (table, start) in {**readers, "boe": (CBOE_BOE, 0)}.items():
        with Floor([venue(protocol)], midnight_ns=MIDNIGHT_NS) as floor:
            client = Client(protocol, floor)
            floor.add(0, S, 1001, 100)
            client.send("enter", token=7, quantity=300, price=1001 * CENT, side=B, tif=DAY)
            client.told()
            data = floor.raw[-1][2]
            record, values = read_message(table, data, start, len(data))
            shares = {"ouch50": "quantity", "ouch42": "executed_shares", "boe": "last_shares"}
            assert "execut" in record.name
            assert values[shares[protocol]] == 100
            if protocol == "ouch50":
                arrived = floor.raw[-1][0] - 50
                assert values["timestamp"] == arrived - MIDNIGHT_NS


def test_what_is_no_order_is_counted() -> None:
    with Floor([venue("ouch50")]) as floor:
        assert floor.sim.send(0, b"\0\x01R", floor.now_ns) == 0
        assert Client("ouch50", floor).told() == []
        assert floor.sim.counters["unread"] == 1
