"""A whole run with orders: what every table says at its end, added up again from the log."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator

import pytest
from routed_checks import CHECKS, SENT, rows_of
from routed_rig import Desk, a_desk, write_files
from routed_wire import READERS

from router import log
from router.tables import CANCEL, ENTER, REPLACE


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    """A run that is over: sweeps, dark orders, schedules and orders that rest."""
    files = write_files(tmp_path_factory.mktemp("books"))
    with a_desk(files, burst=64) as made:
        made.finish()
        yield made


def test_the_run_did_something_of_everything(desk: Desk) -> None:
    kinds = Counter(row["kind"] for row in rows_of(desk, log.SENT, SENT))
    assert min(kinds[ENTER], kinds[REPLACE], kinds[CANCEL]) > 0
    assert {
        READERS[desk.run.setup.venues[row["session"]].protocol]
        for row in rows_of(desk, log.SENT, SENT)
    } == set(READERS.values())
    assert desk.count("fill_count") > 3
    assert desk.tables.log.lost == 0


@pytest.mark.parametrize("check", CHECKS, ids=[check.__name__ for check in CHECKS])
def test_the_books_are_right(desk: Desk, check: Callable[[Desk], None]) -> None:
    check(desk)
