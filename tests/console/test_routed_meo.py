"""A replay with orders in which one venue speaks MEO, and trades as it does in OUCH."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from routed_rig import the_day, write_files

from router.venuefile import SHIPPED, load_venues

VENUE = "memx"


def venues_text(protocol: str) -> str:
    """The shipped venues with another protocol at one of them."""
    head, *parts = SHIPPED.read_text().split("[[venues]]\n")
    changed = [
        part.replace('protocol = "ouch50"', f'protocol = "{protocol}"')
        if f'name = "{VENUE}"' in part
        else part
        for part in parts
    ]
    return head + "".join("[[venues]]\n" + part for part in changed)


def test_the_same_orders_trade_the_same_whatever_the_venue_speaks(tmp_path: Path) -> None:
    day, made = the_day(), {}
    for protocol in ("ouch50", "meo"):
        folder = tmp_path / protocol
        folder.mkdir()
        made[protocol] = day.replay(write_files(folder, venues=venues_text(protocol)))
    ours, usual = made["meo"], made["ouch50"]
    for name in ("positions", "accounts"):
        one, other = getattr(ours, name), getattr(usual, name)
        assert one.tobytes() == other.tobytes(), name
    # MEO answers what OUCH does not, which draws other latencies: times are not the same
    for field in ("child", "shares", "price", "fee", "liquidity"):
        assert ours.fills[field].tolist() == usual.fills[field].tolist(), field
    number = [venue.name for venue in load_venues()].index(VENUE)
    at = ours.children_of(ours.fills["child"])["venue"]
    assert np.count_nonzero(at == number) > 0
    assert ours.counts.sha256 != usual.counts.sha256
