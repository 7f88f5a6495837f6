"""Pinned threads and lists of cores."""

from __future__ import annotations

import os
import signal
import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nic.port import open_port
from nic.thread import CoreError, PinnedThread, check_cores, online_cores, parse_cores

CORE = min(os.sched_getaffinity(0))


def test_the_thread_runs_on_its_core_and_no_other_thread_moves() -> None:
    before = os.sched_getaffinity(0)
    thread = PinnedThread(lambda: os.sched_getaffinity(0), core=CORE, name="pinned").start()
    assert thread.join(10) == {CORE}
    assert os.sched_getaffinity(0) == before


def test_the_result_and_the_arguments_pass_through() -> None:
    assert PinnedThread(lambda a, b: a * b, (6, 7)).start().join(10) == 42


def test_a_failure_comes_out_of_join() -> None:
    def fail() -> None:
        raise ZeroDivisionError("in the kernel")

    thread = PinnedThread(fail, core=CORE).start()
    with pytest.raises(ZeroDivisionError, match="in the kernel"):
        thread.join(10)
    assert not thread.running


def test_a_thread_that_goes_on_is_reported() -> None:
    stop = threading.Event()
    thread = PinnedThread(stop.wait, name="poller").start()
    try:
        assert thread.running
        with pytest.raises(TimeoutError, match="poller still runs after"):
            thread.join(0.01)
    finally:
        stop.set()
    thread.join(10)


def test_a_join_that_was_interrupted_does_not_take_the_thread_for_ended() -> None:
    stop, main = threading.Event(), threading.get_ident()
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    thread = PinnedThread(stop.wait, name="poller").start()
    try:
        threading.Timer(0.05, signal.pthread_kill, (main, signal.SIGINT)).start()
        with pytest.raises(KeyboardInterrupt):
            thread.join(10)
        assert thread.running
        with pytest.raises(TimeoutError, match="poller still runs"):
            thread.join(0.01)
    finally:
        signal.signal(signal.SIGINT, before)
        stop.set()
    assert thread.join(10) is True
    assert not thread.running


def test_a_thread_that_was_never_started_cannot_be_waited_for() -> None:
    thread = PinnedThread(lambda: None)
    assert not thread.running
    with pytest.raises(RuntimeError, match="was not started"):
        thread.join(1)


def test_ports_are_made_ready_on_the_thread() -> None:
    with open_port("socket:lo") as port:
        assert PinnedThread(lambda: "ran", ports=[port]).start().join(10) == "ran"
    with pytest.raises(OSError, match="the port is closed"):
        PinnedThread(lambda: "never", ports=[port]).start().join(10)


def test_a_core_that_is_not_there_is_refused_before_the_thread_exists() -> None:
    with pytest.raises(CoreError, match="core 5000 is not online; there are 0"):
        PinnedThread(lambda: None, core=5000)


@given(st.lists(st.integers(0, 500), min_size=1, max_size=8))
def test_lists_of_cores_read_as_written(cores: list[int]) -> None:
    assert parse_cores(",".join(map(str, cores))) == tuple(cores)


def test_ranges_of_cores_are_filled() -> None:
    assert parse_cores("2, 4-6,9") == (2, 4, 5, 6, 9)


@pytest.mark.parametrize("text", ["", "a", "1,,2", "3-1", "-1", "1-", "1-2-3", "0-9999999", "²"])
def test_what_is_no_list_of_cores_is_refused(text: str) -> None:
    with pytest.raises(CoreError, match="expected"):
        parse_cores(text)


def test_cores_must_exist_and_differ() -> None:
    assert check_cores((3, 1), range(4)) == (3, 1)
    assert check_cores((CORE,)) == (CORE,) and CORE in online_cores()
    for cores, reason in (((4,), "not online"), ((1, 2, 1), "named twice"), ((), "no core given")):
        with pytest.raises(CoreError, match=reason):
            check_cores(cores, range(4))
