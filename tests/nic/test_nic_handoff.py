"""Hand-offs: a hot end and a real port, joined by two rings and a session loop."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tcp_rig import LOOPBACK, Venue, burst, poll_until_over, read_port

from nic.handoff import Handoff, SessionLoop
from nic.layout import DESCRIPTOR_DTYPE, FLAG_TRUNCATED, RX_END, RX_ERROR
from nic.port import PortError, copy_frame, datagram_cookie, open_port

GROUP, UDP_PORT = "239.192.7.9", 31_009
SMALL = 1024


@pytest.fixture
def venue() -> Iterator[Venue]:
    with Venue() as made:
        yield made


def message(number: int, size_bytes: int) -> bytes:
    return bytes((number + at) & 0xFF for at in range(size_bytes))


# --- with a loop on a thread of its own


@pytest.mark.parametrize("idle", ["spin", "pause", "sleep"])
def test_messages_and_chunks_pass_both_ways(venue: Venue, idle: str) -> None:
    sent = [message(number, 20 + number % 70) for number in range(300)]
    with venue.connect() as real, Handoff(real) as pair:
        with SessionLoop([pair], idle=idle) as loop:
            for one in sent:
                assert pair.hot.send(one) == 0
            assert venue.read(sum(map(len, sent))) == b"".join(sent)
            venue.peer.sendall(b"".join(sent))
            assert read_port(pair.hot, sum(map(len, sent))) == b"".join(sent)
            assert loop.running
        assert not loop.running
        assert pair.hot.stats()[5:] == (300, sum(map(len, sent)), 0)
        assert pair.hot.stats().rx_bytes == real.stats().rx_bytes == sum(map(len, sent))


def test_one_loop_serves_several_sessions() -> None:
    with Venue() as one, Venue() as two, one.connect() as first, two.connect() as second:
        pairs = [Handoff(first), Handoff(second)]
        with SessionLoop(pairs, idle="sleep", core=min(os.sched_getaffinity(0))):
            for number, pair in enumerate(pairs):
                pair.hot.send(bytes([number]) * 8)
            assert [one.read(8), two.read(8)] == [bytes(8), b"\1" * 8]
        for pair in pairs:
            pair.close()


def test_sessions_come_and_go_while_the_loop_runs() -> None:
    with SessionLoop(idle="sleep", room=2) as loop:
        for number in range(5):
            with Venue() as venue, venue.connect() as real, Handoff(real) as pair:
                loop.add(pair)
                pair.hot.send(bytes([number]) * 40)
                loop.remove(pair)
                assert venue.read(40) == bytes([number]) * 40
                pair.hot.send(b"nobody moves this")
                assert real.send(b"ours again") == 0
                assert venue.read(10) == b"ours again"


def test_a_loop_has_room_for_so_many_sessions(venue: Venue) -> None:
    with venue.connect() as real, Handoff(real) as pair:
        loop = SessionLoop([pair], room=1)
        with pytest.raises(ValueError, match="room for 1 hand-offs"):
            loop.add(pair)
        loop.remove(pair)
        loop.add(pair)
        with pytest.raises(ValueError, match="1 hand-offs: there is room for 0"):
            SessionLoop([pair], room=0)


def test_what_was_sent_before_the_stop_is_moved(venue: Venue) -> None:
    with venue.connect() as real, Handoff(real) as pair:
        loop = SessionLoop([pair], idle="sleep", sleep_us=20_000).start()
        for number in range(100):
            pair.hot.send(message(number, 50))
        assert loop.stop() == 100
        assert venue.read(5000) == b"".join(message(number, 50) for number in range(100))


# --- round by round


def test_a_slow_venue_pushes_back_and_loses_nothing() -> None:
    with (
        Venue(rcvbuf_bytes=2304) as venue,
        venue.connect(sndbuf=4608, pending=1000) as real,
        Handoff(real, out_bytes=4096) as pair,
    ):
        sent, taken, refused = b"", b"", 0
        for number in range(2000):
            one = message(number, 200)
            result = pair.hot.send(one)
            assert result in (0, -errno.EAGAIN)
            refused += result != 0
            sent += one if result == 0 else b""
            pair.step()
        assert pair.hot.stats()[5:] == (2000 - refused, len(sent), refused) and 0 < refused < 2000
        assert pair.hot.last_error == "tx: the ring to the session loop is full"
        while len(taken) < len(sent):
            pair.step()
            taken += venue.peer.recv(65_536)
        assert taken == sent


def test_the_end_comes_behind_the_last_chunk(venue: Venue) -> None:
    with venue.connect(frame=64) as real, Handoff(real) as pair:
        venue.peer.sendall(bytes(200))
        venue.hang_up()
        with SessionLoop([pair], idle="sleep"):
            assert poll_until_over(pair.hot) == (RX_END, bytes(200))
        assert [burst(pair.hot)[0] for _ in range(3)] == [RX_END] * 3
        assert pair.hot.stats().rx_errors == 0


def test_an_error_comes_through_with_its_words(venue: Venue) -> None:
    with venue.connect() as real, Handoff(real) as pair:
        venue.peer.sendall(b"last words")
        with SessionLoop([pair], idle="sleep"):
            assert read_port(pair.hot, 10) == b"last words"
            venue.reset()
            assert poll_until_over(pair.hot) == (RX_ERROR, b"")
        assert pair.hot.last_error == "recv: Connection reset by peer"
        assert pair.hot.send(b"order") == -errno.ENOTCONN
        assert pair.hot.stats()[4:] == (1, 0, 0, 1)


def test_sends_that_fail_at_the_real_port_are_told() -> None:
    with open_port("socket:lo") as real, Handoff(real) as pair:
        forbidden = datagram_cookie("255.255.255.255", UDP_PORT)
        assert [pair.hot.send(b"order", forbidden) for _ in range(3)] == [0, 0, 0]
        assert pair.hot.stats().tx_failed == 0
        pair.step()
        assert burst(pair.hot) == (0, [])
        assert pair.hot.stats().tx_failed == real.stats().tx_failed == 3
        assert pair.hot.last_error == "sendto: Permission denied"


def test_datagrams_keep_their_destination_and_frames_their_link_type() -> None:
    with open_port("socket:lo") as real, Handoff(real) as pair:
        real.join(GROUP, UDP_PORT)
        assert pair.hot.send(b"order", datagram_cookie(GROUP, UDP_PORT)) == 0
        moved = 0
        while moved < 2:
            moved += pair.step()
        (frame,) = burst(pair.hot)[1]
        assert (frame.data[42:], frame.link_type, frame.flags) == (b"order", 1, 0)
        assert frame.timestamp_ns > 0


def test_a_frame_longer_than_half_of_the_ring_is_cut_and_says_so() -> None:
    with open_port("socket:lo") as real, Handoff(real, in_bytes=SMALL) as pair:
        real.join(GROUP, UDP_PORT)
        real.send(bytes(900), datagram_cookie(GROUP, UDP_PORT))
        while pair.step() == 0:
            pass
        (frame,) = burst(pair.hot)[1]
        assert (len(frame.data), frame.flags) == (SMALL // 2 - 16, FLAG_TRUNCATED)
        assert pair.hot.stats().rx_truncated == 1


def test_a_chunk_longer_than_half_of_the_ring_comes_in_parts(venue: Venue) -> None:
    sent = message(1, 3000)
    with venue.connect(frame=4096) as real, Handoff(real, in_bytes=SMALL) as pair:
        venue.peer.sendall(sent)
        taken = b""
        while len(taken) < len(sent):
            pair.step()
            taken += b"".join(frame.data for frame in burst(pair.hot, most=1)[1])
        assert taken == sent and pair.hot.stats().rx_truncated == 0


def test_chunks_that_the_hot_side_keeps_hold_the_real_port_back(venue: Venue) -> None:
    with venue.connect(frame=128, ring=4) as real, Handoff(real, in_bytes=SMALL) as pair:
        venue.peer.sendall(message(0, 4000))
        for _ in range(50):
            pair.step()
        assert real.stats().rx_bytes < 2000
        held = np.zeros(16, DESCRIPTOR_DTYPE)
        count = pair.hot.rx_burst(held)
        first = b"".join(copy_frame(chunk).data for chunk in held[:count])
        assert pair.step() == 0
        pair.hot.release(held[1:2])
        assert pair.hot.stats().rx_errors == 1 and "out of order" in pair.hot.last_error
        pair.hot.release(held[:count])
        while len(first) < 4000:
            pair.step()
            first += b"".join(frame.data for frame in burst(pair.hot)[1])
        assert first == message(0, 4000)


moves = st.lists(
    st.one_of(
        st.tuples(st.just("send"), st.integers(1, 496)),
        st.tuples(st.just("step"), st.just(0)),
        st.tuples(st.just("far sends"), st.integers(1, 700)),
        st.tuples(st.just("poll"), st.integers(1, 5)),
    ),
    max_size=80,
)


@settings(max_examples=60, deadline=None)
@given(moves)
def test_any_order_of_moves_keeps_both_streams(moves: list[tuple[str, int]]) -> None:
    ours, far, at_us = b"", b"", b""
    with (
        Venue() as venue,
        venue.connect(frame=200, ring=4) as real,
        Handoff(real, out_bytes=SMALL, in_bytes=SMALL) as pair,
    ):
        for number, (what, size) in enumerate(moves):
            if what == "send":
                ours += message(number, size) if pair.hot.send(message(number, size)) == 0 else b""
            elif what == "step":
                pair.step()
            elif what == "poll":
                at_us += b"".join(frame.data for frame in burst(pair.hot, size)[1])
            else:
                venue.peer.sendall(message(number, size))
                far += message(number, size)
        while len(at_us) < len(far):
            pair.step()
            at_us += b"".join(frame.data for frame in burst(pair.hot)[1])
        pair.step()
        assert venue.read(len(ours)) == ours
    assert at_us == far


# --- what is refused


@pytest.mark.parametrize(("size", "code"), [(0, errno.EINVAL), (513, errno.EMSGSIZE)])
def test_what_is_no_message_is_refused(venue: Venue, size: int, code: int) -> None:
    with venue.connect() as real, Handoff(real, out_bytes=SMALL) as pair:
        assert pair.hot.send(bytes(size)) == -code
        assert pair.hot.stats().tx_failed == 1 and pair.hot.last_error.startswith("tx: ")


@pytest.mark.parametrize("size", [0, 512, 1500, 1 << 30])
def test_rings_have_sizes(venue: Venue, size: int) -> None:
    with venue.connect() as real:
        with pytest.raises(PortError, match=f"{LOOPBACK}.*rings of a power of two from 1024"):
            Handoff(real, out_bytes=size)
        with pytest.raises(PortError, match="rings of a power of two"):
            Handoff(real, in_bytes=size)


def test_joins_are_the_real_port_s(venue: Venue) -> None:
    with venue.connect() as real, Handoff(real) as pair:
        with pytest.raises(PortError, match="to be asked of the real port"):
            pair.hot.join(GROUP, UDP_PORT)
        pair.hot.thread_init()
        assert len(set(pair.hot.ops.values())) == len(pair.hot.ops) == 8


def test_an_idle_that_there_is_not_is_refused() -> None:
    with pytest.raises(ValueError, match="idle 'doze': expected spin or pause or sleep"):
        SessionLoop([], idle="doze")
