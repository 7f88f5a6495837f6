"""What passive orders never do, whatever the market, the parameters and the orders that stand."""

from __future__ import annotations

from typing import Any

from dark_rig import CENT, DOLLAR, ONE, PENDING_CANCEL, PENDING_REPLACE
from hypothesis import given, settings
from hypothesis import strategies as st
from posting_rig import PostRig

from feedhandler.actions import BUY, SELL
from router.routing.learning import Settings
from router.routing.parameters import OFFSET_TICKS, PATIENCE_NS, PEG, REPOST_TICKS
from router.tables import CANCEL, DAY, ENTER, REPLACE, TAKES

BASE = 10 * DOLLAR
NEW, PARTIAL, PENDING_NEW, SUSPENDED, UNKNOWN = 2, 3, 1, 11, 13
STATES = [NEW, NEW, PARTIAL, PENDING_NEW, PENDING_CANCEL, PENDING_REPLACE, SUSPENDED, UNKNOWN]
VENUES = 3

levels = st.one_of(st.none(), st.tuples(st.integers(-4, 4), st.integers(1, 900), st.integers(1, 9)))
orders = st.tuples(
    st.sampled_from(STATES),
    st.integers(0, VENUES - 1),
    st.integers(-6, 6),  # price in half ticks
    st.integers(1, 900),
    st.integers(0, 500),  # executed
    st.sampled_from([0, 0, 0, TAKES]),
)


@st.composite
def scenes(draw: Any) -> dict[str, Any]:
    """A market, a parent with orders that stand, and a wish."""
    return {
        "side": draw(st.sampled_from([BUY, SELL])),
        "levels": [draw(levels) for _ in range(VENUES)],
        "orders": draw(st.lists(orders, max_size=6)),
        "parameters": {
            PEG: draw(st.integers(0, 2)),
            OFFSET_TICKS: draw(st.integers(0, 5)),
            REPOST_TICKS: draw(st.integers(0, 3)),
            PATIENCE_NS: draw(st.sampled_from([0, 10**18])),
        },
        "quantity": draw(st.integers(0, 5000)),
        "limit": draw(st.one_of(st.just(0), st.integers(-5, 5).map(lambda t: BASE + t * CENT))),
        "shown": draw(st.one_of(st.just(0), st.integers(1, 900))),
        "executed": draw(st.lists(st.integers(0, 5000), min_size=VENUES, max_size=VENUES)),
        "whole": draw(st.integers(0, 5000)),
    }


def set_scene(rig: PostRig, scene: dict[str, Any]) -> None:
    """Makes the tables what the scene says."""
    side = scene["side"]
    rig.parent(side, quantity=scene["whole"])
    rig.parameters(scene["parameters"])
    for venue, level in enumerate(scene["levels"]):
        if level is not None:
            at, shares, width = level
            bid = BASE + at * CENT
            rig.quote(venue, (bid, shares), (bid + width * CENT, shares))
        rig.trade(venue, side, BASE, scene["executed"][venue])
    for number, (state, venue, half_ticks, leaves, cum, flags) in enumerate(scene["orders"], 1):
        price = BASE + half_ticks * CENT // 2
        quantity, heard = leaves + cum, 0 if state == PENDING_NEW else rig.now
        rig.stand(
            number, venue, quantity, price,
            state=state, leaves=leaves, cum=cum, flags=flags, heard_ns=heard,
        )  # fmt: skip


def after(rig: PostRig, intents: list[dict[str, int]]) -> int:
    """Shares that can stand at most while the intents are on their way."""
    children = rig.tables.children[1:8]
    passive = sum(int(row["leaves"]) for row in children if not row["flags"] & TAKES)
    return passive + sum(i["quantity"] for i in intents if i["kind"] == ENTER)


def check_price(rig: PostRig, scene: dict[str, Any], price: int) -> None:
    """On the grid, within the limit, and short of everything that is shown on the other side."""
    record, sign = rig.market.record(ONE), 1 if scene["side"] == BUY else -1
    assert price > 0
    assert price % CENT == 0
    if scene["limit"]:
        assert price * sign <= scene["limit"] * sign
    for name in ("offer", "national_offer") if sign == 1 else ("bid", "national_bid"):
        if record[f"{name}_quantity"]:
            assert price * sign < int(record[name]) * sign


@settings(deadline=None, max_examples=250)
@given(scenes())
def test_what_passive_orders_never_do(scene: dict[str, Any]) -> None:
    with PostRig(VENUES, 0, Settings(pause_ns=1)) as rig:
        set_scene(rig, scene)
        rig.post(scene["quantity"], scene["limit"], scene["shown"])
        intents = rig.intents()
        children = rig.tables.children
        touched = [i["child"] for i in intents if i["kind"] != ENTER]
        assert len(touched) == len(set(touched))
        for child in touched:
            assert children[child]["state"] in (NEW, PARTIAL)
            assert not children[child]["flags"] & TAKES
        before, total = after(rig, []), after(rig, intents)
        cap = min(scene["quantity"], scene["shown"] or scene["quantity"], scene["whole"])
        assert total <= max(before, cap)
        assert total + sum(int(c["leaves"]) for c in children if c["flags"] & TAKES) <= max(
            scene["whole"], int(rig.tables.parents[ONE]["open"])
        )
        for intent in intents:
            if intent["kind"] == CANCEL:
                continue
            if intent["kind"] == ENTER:
                assert (intent["tif"], intent["parent"]) == (DAY, ONE)
                assert intent["quantity"] > 0
                check_price(rig, scene, intent["price"])
                continue
            row = children[intent["child"]]
            assert intent["kind"] == REPLACE
            assert int(row["cum"]) < intent["quantity"] <= int(row["quantity"])
            if intent["price"] != row["price"]:
                check_price(rig, scene, intent["price"])
        sign = 1 if scene["side"] == BUY else -1
        for number, row in enumerate(children[1:8], 1):
            beyond = scene["limit"] and int(row["price"]) * sign > scene["limit"] * sign
            if beyond and row["state"] in (NEW, PARTIAL) and not row["flags"] and row["leaves"]:
                assert number in touched
