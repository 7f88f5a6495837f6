"""What has been learnt is kept in a file, and settings out of range are refused."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from dark_rig import ONE, SMALL, Rig

from feedhandler.actions import BUY, SELL
from router.routing.learning import Learning, Settings, learning_sections
from router.tablespace import RouterTables

SYMBOLS = {1: "AAPL", 2: "MSFT"}


def test_a_day_is_kept_by_names_of_venues_and_symbols(tmp_path: Path) -> None:
    path = tmp_path / "learnt.npz"
    with Rig(1, 2) as rig:
        rig.observe(1, 5, 3)
        rig.observe(2, 5, 5, side=SELL)
        rig.trade(0, BUY, 10**9, 500)
        kept = rig.learning.pool(1, ONE, BUY).copy(), rig.learning.flows[0, ONE, 0].copy()
        assert rig.learning.save(path, SYMBOLS) == 3
    with Rig(1, 3) as rig:  # one venue more, and the numbers of symbols have changed
        assert rig.learning.load(path, {1: "MSFT", 2: "AAPL"}) == 3
        assert rig.learning.pool(1, 2, BUY) == kept[0]
        assert rig.learning.flows[0, 2, 0] == kept[1]
        assert rig.learning.pool(2, 2, SELL)["risk"][4] > 0
        assert not any(rig.learning.pools[:, ONE].tobytes())


def test_what_is_not_here_is_left_out(tmp_path: Path) -> None:
    path = tmp_path / "learnt.npz"
    with Rig(1, 2) as rig:
        rig.observe(1, 5, 3)
        rig.observe(2, 5, 3)
        assert rig.learning.save(path, {7: "X"}) == 0
        assert rig.learning.save(path, SYMBOLS) == 2
        rig.tables.venues[1]["name"] = b"OTHER"
        assert rig.learning.load(path, {1: "AAPL"}) == 1
        assert rig.learning.load(path, {1: "IBM"}) == 0


def test_a_file_of_another_kind_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "other.npz"
    np.savez(path, values=np.zeros(3))
    with Rig(1, 1) as rig, pytest.raises(ValueError, match="no file of what routing has learnt"):
        rig.learning.load(path, SYMBOLS)


@pytest.mark.parametrize(
    ("name", "value"),
    [("known_observations", 0), ("least_tail", 1.5), ("half_life_ns", 0), ("horizon_ns", 1 << 51)],
)
def test_settings_out_of_range_are_refused(name: str, value: float) -> None:
    with Rig(1, 1) as rig, pytest.raises(ValueError, match=f"learning: {name}: expected"):
        Learning(rig.tables, Settings(**{name: value}))


def test_there_is_room_for_so_many_dark_venues() -> None:
    sections = learning_sections(SMALL.instruments, SMALL.venues, SMALL.parents, dark_venues=1)
    with RouterTables(SMALL, sections) as tables:
        tables.venues["dark"][:2] = 1
        with pytest.raises(ValueError, match="2 dark venues: learning has room for 1"):
            Learning(tables)
