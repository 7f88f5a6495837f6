"""The same captures, files and seed give the same order messages, however they are fed."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from routed_rig import PARENTS, Files, limits_text, the_day, write_files

from console.plan import replay_uri
from console.routed.run import RoutedRun
from console.runreport.results import Results
from nic.configfile import ConfigError
from router.venuefile import SHIPPED

SMALL = 256  # orders of a venue that there is room for at first
SPEED = "50"  # 4.5 s of captures in a tenth of a second
FEEDS = [(64, "max"), (64, "max"), (1, "max"), (7, "max"), (256, "max"), (64, "max"),
         (64, SPEED), (7, SPEED), (256, SPEED)]  # fmt: skip


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Files:
    return write_files(tmp_path_factory.mktemp("same"))


@pytest.fixture(scope="module")
def first(files: Files) -> Results:
    return the_day().replay(files)


def same_rows(one: np.ndarray, other: np.ndarray) -> bool:
    """Whether tables are equal, byte for byte."""
    return one.dtype == other.dtype and one.tobytes() == other.tobytes()


@pytest.mark.parametrize(("burst", "speed"), FEEDS)
def test_the_order_stream_is_the_same(files: Files, first: Results, burst: int, speed: str) -> None:
    again = the_day().replay(files, burst=burst, speed=speed)
    assert again.counts == first.counts and again.counts.messages > 10
    for name in (
        "sent",
        "child_events",
        "fills",
        "gates",
        "decisions",
        "candidates",
        "parent_events",
        "children",
        "parents",
        "positions",
        "accounts",
        "venues",
    ):
        assert same_rows(getattr(again, name), getattr(first, name)), name


def test_where_tables_of_books_grow_changes_nothing(files: Files, first: Results) -> None:
    again = the_day().replay(files, orders=SMALL, burst=2)
    assert again.counts == first.counts


def test_a_step_ends_before_a_table_is_full() -> None:
    day = the_day()
    with RoutedRun(day.plan, SMALL) as run:
        with run.opened(day.kernels[0], replay_uri(day.captures), burst=2) as step:
            while step(1 << 20):  # all of the captures, if nothing ended it
                pass
        assert max(book.generation for book in run.books.values()) > 1
        assert run.faults() == {}


def test_another_seed_is_another_stream(files: Files, first: Results) -> None:
    other = the_day().replay(files, seed=2)
    assert other.counts.sha256 != first.counts.sha256
    assert the_day().replay(files, seed=2).counts.sha256 == other.counts.sha256


def test_other_orders_are_another_stream(tmp_path: Path, first: Results) -> None:
    files = write_files(tmp_path, PARENTS.replace("quantity = 500", "quantity = 499"))
    assert the_day().replay(files).counts.sha256 != first.counts.sha256


def test_times_in_the_log_never_go_back(first: Results) -> None:
    for rows in (first.sent, first.child_events, first.fills, first.decisions):
        assert (np.diff(rows["time_ns"]) >= 0).all()


GOOD_PARENT = PARENTS.split("[[parents]]\n")[1]
ONE = "[[parents]]\n" + GOOD_PARENT
PARENTS_WRONG = [
    ("", "parents.toml: expected at least one parent order"),
    ("[[parents]\n", "parents.toml: not TOML: "),
    ("[[parents]]\nname = 'a'\n", "parents.toml: parents[0] (a): symbol: missing"),
    (ONE.replace('"buy"', '"up"'), "parents.toml: parents[0] (sweep): side: "),
    (ONE + "colour = 1\n", "colour: unknown key"),
    (ONE.replace("KOZ", "NOPE"), "parents.toml: parent sweep: symbol 'NOPE': "),
    (ONE.replace("desk", "nobody"), "parent sweep: account 'nobody' has no limits in "),
    (2 * ONE, 'name: "sweep" is that of parents[0] (sweep) too'),
]
LIMITS_WRONG = [
    ("", "limits.toml: global: "),
    ("[global\n", "limits.toml: not TOML: "),
    (limits_text().replace("loss = 500000", "loss = -1"), "limits.toml: global.loss: "),
    (limits_text() + "[more]\n", "limits.toml: more: "),
    (
        limits_text(("nowhere",)),
        'limits.toml: venues[0].name: expected a venue that is traded here, found "nowhere"',
    ),
    (limits_text(("iex", "iex")), "limits.toml: venues[1].name: expected each once"),
    ('restricted = ["NOPE"]\n' + limits_text(), "limits.toml: restricted[0]: expected a symbol"),
]
VENUES_WRONG = [
    ("", "venues.toml: venues: "),
    ("venues = []\n", "venues.toml: venues: expected at least one"),
    ('[[venues]]\nname = "a"\nprotocol = "ouch50"\n', "venues.toml: "),
    (
        '[[venues]]\nname = "a"\nprotocol = "morse"\nquotes = "iex"\n',
        "venues.toml: venues[0].protocol: ",
    ),
]
BAD_FILES = [
    *[("parents", *case) for case in PARENTS_WRONG],
    *[("limits", *case) for case in LIMITS_WRONG],
    *[("venues", *case) for case in VENUES_WRONG],
]


@pytest.mark.parametrize(("which", "content", "line"), BAD_FILES)
def test_a_bad_file_is_one_line(tmp_path: Path, which: str, content: str, line: str) -> None:
    files = write_files(tmp_path, **{which: content})
    with pytest.raises(ConfigError) as caught:
        the_day().replay(files)
    said = str(caught.value)
    assert line in said and "\n" not in said
    assert said.startswith(str(tmp_path / f"{which}.toml"))


@pytest.mark.parametrize("which", ["parents", "limits", "venues"])
def test_a_file_that_is_not_there_is_one_line(tmp_path: Path, which: str) -> None:
    files = write_files(tmp_path, venues=SHIPPED.read_text())
    getattr(files, which).unlink()
    with pytest.raises(ConfigError, match=rf"{which}.toml: cannot open: No such file"):
        the_day().replay(files)
