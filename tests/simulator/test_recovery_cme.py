"""CME: lost books come back by snapshots and counts, and are never live while wrong."""

from __future__ import annotations

import random
from collections.abc import Callable

import pytest
from cme_recovery_rig import ORDERS, PACKET_NS, PRICE, Rig, nothing
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from console.recoveryclients import RecoverySettings
from console.recoverycme import NS_PER_S, SILENCE_S
from feedhandler.lines.cmerecoverer import IDLE
from feedhandler.lines.setup import LineOptions

BOTH = (PRICE, ORDERS)
LATER_NS = 5 * PACKET_NS


def some(seed: str, rate: float) -> Callable[[int], bool]:
    """Loses a share of the packets."""
    chance = random.Random(seed)
    return lambda _number: chance.random() < rate


def stale(rig: Rig, packets: int = 60) -> None:
    """Some packets, then two that no line brings, and their window is over."""
    rig.play(packets, nothing)
    for lost in (True, True, False):
        rig.change(lost=lost)
    rig.time_ns += LATER_NS
    rig.change()
    assert rig.state == "stale" and rig.stream["lost"] % 2 == 0


@pytest.mark.parametrize("name", BOTH)
def test_what_one_line_loses_the_other_brings(name: str) -> None:
    with Rig(name, f"one {name}") as rig:
        rig.play(200, some(name, 0.3), nothing)
        rig.finish()
        rig.check_whole()
        assert rig.stream["gaps"] == rig.stream["lost"] == rig.stream["images"] == 0


@pytest.mark.parametrize("name", BOTH)
def test_what_both_lines_lose_snapshots_replace(name: str) -> None:
    with Rig(name, f"both {name}") as rig:
        rig.play(400, lambda number: number % 100 in range(50, 56))
        rig.finish()
        rig.check_whole()
        assert rig.stream["lost"] >= 20 and rig.stream["images"] >= 4


@pytest.mark.parametrize("name", BOTH)
def test_a_consolidated_book_shows_what_is_live_and_nothing_else(name: str) -> None:
    with Rig(name, f"market {name}", market=True) as rig:
        rig.play(200, lambda number: number % 60 == 50)
        rig.say(rig.channel.reset())
        rig.play(60, nothing)
        rig.finish()
        rig.check_whole()
        assert rig.stream["lost"] >= 3


@pytest.mark.parametrize("name", BOTH)
def test_who_joins_late_has_directory_and_books_of_those_who_were_there(name: str) -> None:
    with Rig(name, f"late {name}", defined=True) as rig:
        for _ in range(150):
            rig.channel.change()
        rig.change()
        rig.time_ns += LATER_NS
        rig.change()
        assert rig.state == "stale" and rig.live == []
        rig.turns(2, changes=1)
        assert rig.stream["images"] == 0  # the directory comes first
        rig.define()
        directory = rig.driver.recoverer.directory
        assert directory.is_whole and len(directory.instruments) == 5
        rig.finish()
        rig.play(60, nothing)
        rig.check_whole()
        assert rig.stream["images"] >= 5 and rig.driver.recoverer.undefined == set()
        for security, book in rig.channel.books.items():
            assert directory.instruments[security].symbol == book.symbol


def test_the_directory_that_is_injected_names_books_and_leaves_states_alone() -> None:
    with Rig(PRICE, "names", defined=True) as rig:
        rig.play(80, nothing)
        states = {s: rig.books.tops["status"][rig.books.instrument(s)] for s in rig.live}
        for book in rig.channel.books.values():
            book.state = 4  # the loop of definitions says what is of no matter to who knows
        rig.define()
        for security, state in states.items():
            assert rig.books.tops["status"][rig.books.instrument(security)] == state
        assert rig.block["contexts"]["actions"][0][1] == 5  # symbols


@pytest.mark.parametrize("name", BOTH)
def test_definitions_that_never_come_keep_nobody_waiting_for_ever(name: str) -> None:
    with Rig(name, f"undefined {name}", defined=True, directory_ns=50 * PACKET_NS) as rig:
        stale(rig)
        rig.finish()
        rig.check_whole()


def test_an_instrument_that_lost_nothing_is_live_with_its_next_message() -> None:
    """The others wait for snapshots, of which there are none."""
    with Rig(PRICE, "natural", securities=12) as rig:
        rig.play(120, nothing)
        counts = {security: book.count for security, book in rig.channel.books.items()}
        rig.change(lost=True)
        touched = {s for s, book in rig.channel.books.items() if book.count != counts[s]}
        rig.change()
        rig.time_ns += LATER_NS
        rig.change()
        assert rig.state == "stale" and touched
        for _ in range(150):
            rig.change()
        assert set(rig.live) == set(rig.channel.books) - touched
        assert rig.stream["images"] == 0
        rig.turns(1)
        rig.finish()
        rig.check_whole()
        assert rig.stream["images"] < 12  # those that are right need none


@pytest.mark.parametrize("name", BOTH)
def test_a_quiet_channel_is_live_behind_one_turn(name: str) -> None:
    with Rig(name, f"quiet {name}") as rig:
        stale(rig)
        rig.turns(2)
        rig.drive()
        assert rig.state == "live" and rig.driver.recoverer.holds <= 3
        rig.check_whole()
        assert rig.driver.recoverer.state == IDLE


@pytest.mark.parametrize("name", BOTH)
@pytest.mark.parametrize("held", [False, True])
def test_a_channel_reset_makes_everything_right(name: str, held: bool) -> None:
    with Rig(name, f"reset {name}{held}") as rig:
        stale(rig)
        if held:
            rig.snapshot()
            assert rig.state == "snapshot"
        rig.say(rig.channel.reset())
        if not held:
            assert rig.state == "live" and rig.driver.recoverer.state == IDLE
            assert set(rig.live) == set(rig.channel.books)
        rig.play(60, nothing)
        rig.finish()
        rig.check_whole()


@pytest.mark.parametrize("name", BOTH)
def test_a_reset_that_is_lost_is_healed_like_any_loss(name: str) -> None:
    with Rig(name, f"lost reset {name}") as rig:
        rig.play(60, nothing)
        rig.say(rig.channel.reset(), lost=True)
        rig.play(60, nothing)
        rig.finish()
        rig.check_whole()
        assert rig.stream["lost"] == 1


@pytest.mark.parametrize("name", BOTH)
def test_a_new_week_starts_again_and_old_snapshots_are_of_the_past(name: str) -> None:
    with Rig(name, f"week {name}") as rig:
        stale(rig)
        old = list(rig.channel.snapshot_turn())
        rig.life += 1
        rig.channel.begin_week()
        rig.play(30, nothing)
        assert rig.state == "live" and rig.driver.recoverer.state == IDLE
        rig.check_whole()
        rig.change(lost=True)
        rig.change()
        rig.time_ns += LATER_NS
        rig.change()
        for payload in old:
            rig.driver.on_refresh(payload, rig.time_ns)
            rig.drive()
        assert rig.stream["images"] == 0
        rig.finish()
        rig.check_whole()


def test_chunks_that_are_lost_make_no_image() -> None:
    chance = random.Random("chunks")
    with Rig(ORDERS, "chunks") as rig:
        stale(rig, packets=150)
        snapshots = rig.driver.recoverer.snapshots
        for number in range(300):
            rig.change()
            rig.snapshot(lost=chance.random() < 0.25)
            if number == 100:
                assert snapshots.loop.packets > 50
        rig.finish()
        rig.check_whole()
        assert rig.stream["images"] >= 5 and snapshots.broken == 0


@pytest.mark.parametrize("name", BOTH)
def test_without_room_to_hold_much_recovery_takes_short_holds(name: str) -> None:
    with Rig(name, f"room {name}", securities=20, most_held=20, pause_ns=10 * PACKET_NS) as rig:
        rig.play(200, nothing)
        for lost in (True, False):
            rig.change(lost=lost)
        rig.time_ns += LATER_NS
        for _ in range(4):
            rig.turns(1, changes=2)
        rig.finish()
        rig.check_whole()
        assert rig.driver.recoverer.holds >= 2 and rig.stream["overflows"] == 0


@pytest.mark.parametrize("name", BOTH)
def test_a_hold_for_which_there_is_no_room_comes_to_nothing_and_is_tried_again(name: str) -> None:
    options = LineOptions(window_ns=600_000, slots=64)
    with Rig(name, f"overflow {name}", options=options, securities=12) as rig:
        stale(rig)
        rig.snapshot()
        for _ in range(80):
            rig.note()
            rig.give(0, rig.channel.change())
        assert rig.stream["overflows"] >= 1
        rig.finish()
        rig.check_whole()
        assert "overflowed" in rig.driver.recoverer.failures


@pytest.mark.parametrize("name", BOTH)
def test_a_loss_while_packets_are_held_is_told_and_recovered_too(name: str) -> None:
    with Rig(name, f"twice {name}", securities=8) as rig:
        stale(rig)
        rig.snapshot()
        assert rig.state == "snapshot"
        rig.change(lost=True)
        rig.change()
        rig.turns(2, changes=1)
        assert "failed" in rig.driver.recoverer.failures
        rig.finish()
        rig.check_whole()


def test_a_new_instrument_is_live_from_its_first_message() -> None:
    with Rig(PRICE, "listed") as rig:
        stale(rig)
        rig.say(rig.channel.list_new())
        rig.play(200, nothing)
        rig.finish()
        rig.check_whole()
        assert len(rig.channel.books) == 6


@pytest.mark.parametrize("name", BOTH)
def test_an_instrument_without_snapshots_is_right_only_if_it_is_empty(name: str) -> None:
    with Rig(name, f"expired {name}", defined=True) as rig:
        rig.channel._list()  # defined, and never traded
        rig.define()
        quiet = list(rig.channel.books)[-1]
        del rig.channel.books[quiet]
        stale(rig)
        gone = next(iter(rig.channel.books))
        assert any(rig.found(gone)[0]) or any(rig.found(gone)[1])
        rig.turns(2)
        rig.drive()
        assert rig.state == "live" and rig.trusted(quiet)
        del rig.channel.books[gone]
        stale(rig)
        rig.turns(3, changes=1)
        for _ in range(500):
            rig.change()
            rig.snapshot()
        assert rig.state == "stale" and not rig.trusted(gone)
        assert rig.trusted(quiet) and set(rig.live) == set(rig.channel.books)
        assert rig.driver.recoverer.holds < 20


def test_images_of_instruments_that_nobody_defined_are_counted() -> None:
    with Rig(PRICE, "who", defined=True) as rig:
        rig.define()
        rig.channel._list()
        stale(rig)
        rig.finish()
        assert rig.driver.recoverer.undefined == {list(rig.channel.books)[-1]}


@pytest.mark.parametrize("known", [False, True])
def test_silence_of_the_snapshots_is_told_now_and_then(known: bool) -> None:
    with Rig(PRICE, "silence") as rig:
        if known:
            rig.driver.settings = RecoverySettings(refresh=("233.1.1.1", 1))
        stale(rig)
        for _ in range(7):
            rig.time_ns += SILENCE_S * NS_PER_S // 3
            rig.drive()
        wanted = "no snapshot for 30 s" if known else "no group of snapshots"
        assert rig.driver.refused == [wanted] * 2
        rig.turns(2)
        rig.finish()
        rig.drive()
        assert len(rig.driver.refused) == 2


@st.composite
def scripts(draw: st.DrawFn) -> list[str]:
    """What happens, word by word."""
    words = ("say", "lose", "lose a", "snapshot", "lost snapshot", "late", "reset", "week")
    weights = (60, 5, 8, 25, 4, 4, 1, 1)
    bag = [word for word, count in zip(words, weights, strict=True) for _ in range(count)]
    return draw(st.lists(st.sampled_from(bag), min_size=60, max_size=160))


@pytest.mark.parametrize("name", BOTH)
@settings(
    max_examples=15,
    derandomize=True,
    suppress_health_check=list(HealthCheck),
    phases=[Phase.generate],  # a script is as long as a run: shrinking it takes minutes
)
@given(script=scripts(), seed=st.integers(0, 1 << 30), knows=st.booleans())
def test_books_are_right_whenever_they_are_live(
    name: str, script: list[str], seed: int, knows: bool
) -> None:
    with Rig(name, f"{seed}", knows_live=knows, hold_ns=60 * PACKET_NS) as rig:
        for word in script:
            if word == "snapshot" or word == "lost snapshot":
                rig.snapshot(lost=word != "snapshot")
            elif word == "late":
                rig.time_ns += LATER_NS
            elif word == "reset":
                rig.say(rig.channel.reset())
            elif word == "week" and rig.channel.sequence > 5:
                rig.life += 1
                rig.channel.begin_week()
                rig.change()
            elif word != "week":
                rig.change(lost=word == "lose", lost_b=word == "lose" or None)
                if word == "lose a":
                    rig.change(lost=True, lost_b=False)
        rig.finish()
        rig.play(20, nothing)
        rig.check_whole()
