"""A real capture with orders: IEX DEEP of a day, its venue taking what its book shows."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from routed_rig import limits_text

from console.bookplan import book_plan, order_room
from console.plan import first_time_ns
from console.routed.replaying import How, replay_with_orders
from console.routed.setup import read_setup
from console.runreport.summary import summary_of
from router.venuefile import SHIPPED

CAPTURE = "large/goiex_DEEP10.pcap.gz"
PARENTS = """
[[parents]]
name = "takes"
symbol = "MSFT"
side = "buy"
quantity = 300
limit = "36.72"
strategy = "sweep"
account = "desk"
start = "11:30:00"

[[parents]]
name = "rests"
symbol = "IRS"
side = "buy"
quantity = 200
strategy = "post"
account = "desk"
start = "11:30:00"
end = "15:00:00"
"""


@pytest.fixture(scope="module")
def capture(real_captures: Path) -> Path:
    """The capture; skips where it is absent."""
    found = real_captures / CAPTURE
    if not found.is_file():
        pytest.skip(f"no {CAPTURE} among the real captures")
    return found


def summary(capture: Path, folder: Path, burst: int) -> dict[str, Any]:
    """What a run of the capture with the parents came to."""
    (folder / "parents.toml").write_text(PARENTS)
    limits = limits_text().replace("NEV = 10000\nVUS = 10000\n", "")
    (folder / "limits.toml").write_text(limits)
    files = [capture]
    first_ns = first_time_ns(files)
    assert first_ns is not None
    setup = read_setup(SHIPPED, folder / "limits.toml", folder / "parents.toml", first_ns, 1)
    how = How(
        name="real",
        files=files,
        plan=book_plan(files, None, ""),
        orders=order_room(files),
        burst=burst,
        unknown_trades=True,
    )
    return summary_of(replay_with_orders(how, setup))


def test_orders_meet_the_real_book(capture: Path, tmp_path: Path) -> None:
    found = summary(capture, tmp_path, 64)
    assert found["messages"] == 391_999
    takes, rests = found["parents"]
    assert takes["executed"] == 300
    assert float(takes["average_price"]) <= 36.72
    assert rests["executed"] == 200
    assert {venue["venue"] for venue in found["venues"] if venue["fills"]} == {"iex"}
    again = summary(capture, tmp_path, 7)
    assert again["order_stream_sha256"] == found["order_stream_sha256"]
