"""What goes into the loop beside packets: commands in their order, ticks, and who sends them."""

from __future__ import annotations

import random
import time

import numpy as np
import pytest
from lines_traffic import STEP_NS, Sent, on_lines
from loop_rig import ALONE, ITCH, LINE_A, LINE_B, Crowd, Running, contents, entered, packet, running

from feedhandler import specialise
from feedhandler.books.sizes import sizes_for
from feedhandler.books.venuebook import VenueBook
from feedhandler.commands import Commands, Ticker
from feedhandler.lines.layout import LIVE, RECOVERING, STALE, WAITING
from feedhandler.lines.setup import LineOptions
from feedhandler.loop import run as run_counting
from feedhandler.messages import TICK, UNKNOWN_COMMAND
from feedhandler.state import COMMAND_SLOTS, STOP_FAULT
from feedhandler.stateblock import LoopOptions, Wait, create_state, stop
from nic.regions import allowed
from nic.thread import PinnedThread

ROOM = {"orders": 512, "levels": 512, "instruments": 8}
LONG_S = 60.0
MOST = 64  # packets of a burst


@pytest.fixture(scope="module")
def loop():
    """The loop that all tests of this file run."""
    return specialise.build([ITCH], books=True, lines=True)


@pytest.fixture
def book():
    """Books with room for what these tests say."""
    with VenueBook(sizes_for(ITCH, **ROOM)) as made:
        yield made


def one(sequence: int) -> bytes:
    """A packet with one order."""
    return packet(sequence, [entered(sequence, 10_000 + sequence)])


HOLE = [(10, LINE_A, one(1)), (20, LINE_A, one(3))]


def test_a_tick_ends_the_window_of_a_hole_and_its_recovery(loop, book):
    options = LineOptions(window_ns=100, recovery_ns=1_000)
    with running(loop, HOLE, book, lines=options, end_code=0) as run:
        for _ in HOLE:
            run.round()
        seen = []
        for time_ns in (119, 120, 1_119, 1_120):
            run.commands.send(TICK, time_ns)
            run.round()
            seen.append((int(run.stream["state"]), book.trust(1), book.order_count()))
    assert seen == [
        (WAITING, "live", 1),
        (RECOVERING, "stale", 1),
        (RECOVERING, "stale", 1),
        (STALE, "stale", 2),
    ]
    assert run.block["control"]["commands"][0] == 4


def test_a_packet_of_a_channel_without_lines_ends_it_too(loop, book):
    packets = [*HOLE, (119, ALONE, packet(1, [])), (120, ALONE, packet(1, []))]
    with running(loop, packets, book, lines=LineOptions(window_ns=100)) as run:
        states = []
        for _ in packets:
            run.round()
            states.append(int(run.stream["state"]))
    assert states == [LIVE, WAITING, WAITING, STALE]


def test_a_loop_without_lines_takes_ticks_and_nothing_happens():
    block = create_state([], [])
    commands = Commands(block)
    commands.send(TICK, 5)
    block["control"]["open_links"], block["control"]["round_limit"] = 1, 1
    with allowed(block):
        run_counting(np.uint64(block.address))
    control = block["control"][0]
    assert (int(control["commands"]), int(control["unknown_commands"])) == (1, 0)


def inputs(seed: int) -> list[tuple[int, int, bytes | None]]:
    """Packets of two lines that lose, repeat and reorder; ticks between them have no payload."""
    chance = random.Random(seed)
    packets = Crowd(seed, instruments=7).packets(150)
    sent = [Sent(STEP_NS * (n + 1), 0, 0, payload) for n, (*_, payload) in enumerate(packets)]
    shares = (chance.uniform(0, 0.3), chance.uniform(0, 0.3))
    arrivals = on_lines(sent, chance, shares, bursts=True, complete=chance.random() < 0.3)
    made = [(a.time_ns, a.line, a.payload) for a in arrivals]
    last_ns = made[-1][0]
    ticks = [(chance.randrange(last_ns + 50 * STEP_NS), ALONE, None) for _ in range(120)]
    return sorted([*made, *ticks], key=lambda given: given[0])


def options_of(seed: int) -> LineOptions:
    """Windows from none to long ones, with and without somebody to ask."""
    chance = random.Random(seed)
    window_ns, recovery_ns = chance.choice([0, 5, 40]), chance.choice([0, 60])
    return LineOptions(window_ns=window_ns * STEP_NS, recovery_ns=recovery_ns * STEP_NS)


def outcome(run: Running, book: VenueBook):
    """All that came out: the stream's counters, events, books, what the channels decoded."""
    stream = run.stream
    names = [name for name in stream.dtype.names if name not in ("head", "tail", "next_waiting")]
    counters = {name: stream[name].tobytes() for name in names}
    decoded = run.block["contexts"][0]["actions"].tolist()
    return counters, run.events(), contents(book), book.faults(), decoded


def with_ticks(loop, given, lines, whole_bursts):
    """Ticks as commands, in their order; bursts are cut where one comes, or everywhere."""
    packets = [one for one in given if one[2] is not None]
    with VenueBook(sizes_for(ITCH, **ROOM)) as book:
        options = LoopOptions(command_rounds=0)
        with running(loop, packets, book, lines=lines, options=options, end_code=0) as run:
            waiting = 0
            for time_ns, _, payload in given:
                if payload is not None:
                    waiting += 1
                    if not whole_bursts or waiting == MOST:
                        waiting -= run.round(waiting)
                    continue
                if waiting:
                    waiting -= run.round(waiting)
                run.commands.send(TICK, time_ns)
                run.silent_round()
            if waiting:
                run.round(waiting)
            return outcome(run, book)


def with_packets(loop, given, lines):
    """Each tick as a packet without messages, of the channel without lines."""
    nothing = packet(1, [])
    packets = [(t, n, nothing if payload is None else payload) for t, n, payload in given]
    with (
        VenueBook(sizes_for(ITCH, **ROOM)) as book,
        running(loop, packets, book, lines=lines) as run,
    ):
        run.run()
        return outcome(run, book)


@pytest.mark.parametrize("seed", range(12))
def test_ticks_do_what_packets_do_wherever_bursts_are_cut(loop, seed):
    given, lines = inputs(seed), options_of(seed)
    wanted = with_packets(loop, given, lines)
    assert with_ticks(loop, given, lines, False) == wanted
    assert with_ticks(loop, given, lines, True) == wanted
    assert with_ticks(loop, given, lines, True) == wanted  # and the same inputs give the same again


def test_without_its_ticks_that_traffic_would_end_otherwise(loop):
    seeds = range(12)
    packets = [[one for one in inputs(seed) if one[2] is not None] for seed in seeds]
    differ = [
        with_packets(loop, some, options_of(seed))
        != with_packets(loop, inputs(seed), options_of(seed))
        for seed, some in zip(seeds, packets, strict=True)
    ]
    assert any(differ)


def test_an_unknown_command_is_counted_told_and_nothing_else(loop, book):
    with running(loop, HOLE, book) as run:
        run.commands.send(77, 5, [1, 2, 3])
        run.commands.send(TICK, 6)
        run.silent_round()
        run.silent_round()
        run.run()
        assert run.events() == [(UNKNOWN_COMMAND, 5, [77, 0, 0, 0, 0, 0])]
        control = run.block["control"][0]
        assert (int(control["commands"]), int(control["unknown_commands"])) == (2, 1)
        assert run.commands.waiting_count == 0
        assert book.order_count() == 1


def test_a_command_waits_for_a_round_without_packets_but_not_for_ever(loop, book):
    packets = [(n, LINE_A, one(n)) for n in range(1, 9)]
    with running(loop, packets, book, options=LoopOptions(command_rounds=3)) as run:
        taken = []
        run.commands.send(TICK, 1)
        for _ in range(5):
            run.round()
            taken.append(int(run.block["control"]["commands"][0]))
        run.commands.send(TICK, 2)
        run.silent_round()
        assert run.block["control"]["commands"][0] == 2
    assert taken == [0, 0, 0, 1, 1]


def test_what_the_ring_has_no_room_for_is_dropped(loop, book):
    now = [100]
    with running(loop, HOLE, book, end_code=0) as run:
        ticker = Ticker(run.commands, lambda: now[0])
        for _ in range(COMMAND_SLOTS):
            assert ticker.poll()
        assert not ticker.poll()
        assert (ticker.sent_count, ticker.dropped_count) == (COMMAND_SLOTS, 1)
        assert (run.commands.waiting_count, run.commands.refused_count) == (COMMAND_SLOTS, 1)
        for _ in range(COMMAND_SLOTS):
            run.silent_round()
        assert run.commands.waiting_count == 0
        for _ in HOLE:
            run.round()
        now[0] = 20 + 1_000_000
        assert ticker.poll()
        run.silent_round()
        assert run.stream["state"] == STALE


def test_a_ticker_beside_a_live_loop_ends_a_window_in_silence(loop, book):
    start_ns = time.time_ns()
    packets = [(start_ns, LINE_A, one(1)), (start_ns, LINE_B, one(3))]
    options = LoopOptions(wait=Wait.SLEEP, spin_rounds=10)
    with running(loop, packets, book, options=options, end_code=0) as run:
        thread = PinnedThread(loop, (np.uint64(run.block.address),)).start()
        try:
            with Ticker(run.commands, time.time_ns):
                until_s = time.monotonic() + LONG_S
                while run.stream["state"] != STALE and time.monotonic() < until_s:
                    time.sleep(0.001)
        finally:
            stop(run.block)
            thread.join(LONG_S)
        assert run.stream["state"] == STALE
        assert book.order_count() == 2


def test_what_ends_a_poller_comes_out_when_it_is_closed(loop, book):
    def broken() -> int:
        raise ValueError("no clock")

    with running(loop, HOLE, book) as run:
        ticker = Ticker(run.commands, broken, period_ns=1)
        ticker.start()
        with pytest.raises(ValueError, match="no clock"):
            while True:
                time.sleep(0.001)
                ticker.close()
                ticker.start()
        with pytest.raises(ValueError, match="expected more than 0"):
            Ticker(run.commands, time.time_ns, period_ns=0)


@pytest.mark.parametrize(("strict", "packets_taken"), [(True, 3), (False, 5)])
def test_a_strict_loop_stops_at_the_first_impossible_input(loop, book, strict, packets_taken):
    payloads = [one(1), one(2), packet(3, [entered(1, 10_000)]), one(4), one(5)]
    packets = [(n, LINE_A, payload) for n, payload in enumerate(payloads)]
    options = LoopOptions(strict=strict, burst_max=1)
    with running(loop, packets, book, options=options) as run:
        assert run.run() == packets_taken
        assert book.faults() == {"duplicate_order": 1}
        assert (run.block["control"]["stop"][0] == STOP_FAULT) == strict


def test_command_rounds_are_checked():
    with pytest.raises(ValueError, match="command_rounds -1"):
        LoopOptions(command_rounds=-1)
