"""The router's own sessions at replayed venues: its encoder, its decoder, both as they run."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
from entry_rig import LISTINGS, NUMBERS, Router, constants, kinds
from numpy.typing import NDArray
from replayvenue_rig import CENT, B, Floor, S, lit

from router import tables as t
from router.entry.layout import UP
from router.entry.protocols import PROTOCOLS

MIDNIGHT_NS = 500


@pytest.fixture(scope="module")
def router() -> Iterator[Router]:
    with Router() as made:
        yield made


class Line:
    """A session of the router's to one venue."""

    def __init__(self, router: Router, protocol: str, floor: Floor) -> None:
        self.router, self.protocol, self.floor = router, protocol, floor
        router.children = 0
        number = NUMBERS[protocol]
        router.sessions.connect(number, router.ports[number])  # type: ignore[arg-type]
        router.sessions.set_state(number, UP)

    def __call__(self, sent: int) -> NDArray[np.void]:
        """What comes of a message just sent, as actions."""
        data = self.router.taken(self.protocol)
        assert len(data) == sent > 0
        assert self.floor.sim.send(0, data, self.floor.now_ns) == 0
        return self.heard()

    def heard(self) -> NDArray[np.void]:
        """What the venue has said since the last time, as actions."""
        self.floor.raw.clear()
        self.floor.wait(1_000)
        return self.router.hear(self.protocol, b"".join(data for _, _, data in self.floor.raw))


@pytest.fixture(params=PROTOCOLS)
def line(router: Router, request: pytest.FixtureRequest) -> Iterator[Line]:
    protocol = request.param
    venue = lit(0, protocol=protocol, constants=constants(protocol))
    names = {number: listing.symbol for number, listing in LISTINGS.items()}
    with Floor([venue], midnight_ns=MIDNIGHT_NS, symbols=names) as floor:
        yield Line(router, protocol, floor)


def test_the_router_understands_what_replayed_venues_say(line: Line) -> None:
    line.floor.add(0, S, 1001, 100)
    router, protocol = line.router, line.protocol
    sent = router.enter(protocol, 7, side=B, quantity=300, price=1001 * CENT)
    accepted, executed = line(sent)
    assert kinds([accepted, executed]) == ["accepted", "executed"]
    assert (executed["order_id"], executed["quantity"], executed["price"]) == (7, 100, 1001 * CENT)
    assert executed["unit"] == t.REMOVED
    (replaced,) = line(router.replace(protocol, 1, 8, 250, 1000 * CENT))
    assert (kinds([replaced]), replaced["order_id"], replaced["aux"]) == (["replaced"], 8, 7)
    assert (replaced["quantity"], replaced["price"]) == (150, 1000 * CENT)
    line.floor.raw.clear()
    line.floor.trade(0, 1000, 50)
    line.floor.wait(1_000)
    (fill,) = router.hear(protocol, b"".join(data for _, _, data in line.floor.raw))
    assert (fill["order_id"], fill["quantity"], fill["unit"]) == (8, 50, t.ADDED)
    (canceled,) = line(router.cancel(protocol, 1))
    assert (kinds([canceled]), canceled["order_id"]) == (["canceled"], 8)
    assert canceled["quantity"] in (0, 100)
    assert router.faults(protocol) == {}


def test_refusals_are_understood(line: Line) -> None:
    router, protocol = line.router, line.protocol
    (refused,) = line(router.enter(protocol, 21, side=B, quantity=100, price=1001 * CENT + 10_000))
    assert (kinds([refused]), refused["order_id"]) == (["rejected"], 21)
    answers = line(router.cancel(protocol, 1))
    if protocol in ("ouch50", "ouch42"):
        assert len(answers) == 0
    else:
        assert (kinds(answers), answers[0]["order_id"]) == (["cancel_rejected"], 21)
    assert router.faults(protocol) == {}


def test_an_ioc_that_meets_nothing_is_canceled_and_understood(line: Line) -> None:
    sent = line.router.enter(line.protocol, 31, side=S, quantity=100, price=1000 * CENT, tif=t.IOC)
    assert kinds(line(sent)) == ["accepted", "canceled"]
