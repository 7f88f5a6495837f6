"""Receiving over ef_vi: what the NIC calls bad, its clock, its buffers, shared ones."""

from __future__ import annotations

import random
import time

import numpy as np
import pytest
from efvi_double import EfviRig
from efvi_fixtures import burst, ef10, nic, x3
from port_rigs import GROUP, UDP_PORT, numbered, payload_of, udp_frame

from nic.layout import (
    DESCRIPTOR_DTYPE,
    FLAG_BAD_FRAME,
    FLAG_CLOCK_IN_SYNC,
    FLAG_HW_TIMESTAMP,
    FLAG_TRUNCATED,
    RX_ERROR,
)
from nic.port import Port, PortError, copy_frame

__all__ = ["ef10", "nic", "x3"]

OTHER_GROUP = "239.192.7.2"
FIRST_DOUBLE_NS = 1_700_000_000_000_000_000
CLOCK_SET, CLOCK_IN_SYNC = 1, 2
EVENT_OVERFLOW, EVENT_RESET = 6, 12


def payloads_of(port: Port) -> list[bytes]:
    """The payloads of all that is there, released."""
    return [payload_of(frame.data) for frame in port.receive(idle_s=0)]


def tagged(frame: bytes, vlan: int) -> bytes:
    return frame[:12] + b"\x81\x00" + vlan.to_bytes(2, "big") + frame[12:]


# --- bad frames ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fault", "words"),
    [("BAD_CHECKSUM", "checksum"), ("BAD_CRC", "Ethernet CRC"), ("TRUNCATED", "truncated")],
)
def test_a_bad_frame_is_counted_and_stays_out(nic: EfviRig, fault: str, words: str) -> None:
    with nic.open([b"one"]) as port:
        nic.inject(udp_frame(b"bad"), fault)
        nic.send(b"two")
        assert payloads_of(port) == [b"one", b"two"]
        stats = port.stats()
        assert (stats.rx_packets, stats.rx_errors, stats.rx_dropped) == (2, 1, 0)
        assert f"bad frame: {words}" in port.last_error or words in port.last_error


@pytest.mark.parametrize(
    ("fault", "words", "dropped"), [("RIGHTS", "another owner", 0), ("EVENT_LOST", "was lost", 1)]
)
def test_errors_that_only_ef10_has(ef10: EfviRig, fault: str, words: str, dropped: int) -> None:
    with ef10.open([]) as port:
        ef10.inject(udp_frame(b"bad"), fault)
        assert payloads_of(port) == []
        assert (port.stats().rx_errors, port.stats().rx_dropped) == (1, dropped)
        assert words in port.last_error


def test_bad_frames_come_out_flagged_where_they_are_asked_for(nic: EfviRig) -> None:
    with nic.open_with("bad_frames=1") as port:
        port.join(GROUP, UDP_PORT)
        nic.inject(udp_frame(b"bad"), "BAD_CHECKSUM")
        nic.inject(udp_frame(b"good"))
        bad, good = port.receive(2)
        assert (payload_of(bad.data), bad.flags) == (b"bad", FLAG_BAD_FRAME)
        assert good.flags & FLAG_BAD_FRAME == 0
        assert port.stats().rx_errors == 1


def test_bad_frames_do_not_use_buffers_up(nic: EfviRig) -> None:
    with nic.open([]) as port:
        for number in range(5000):
            assert nic.inject(udp_frame(b"bad"), "BAD_CRC")
            if number % 50 == 49:
                assert burst(port, 64).size == 0
        nic.send(b"good")
        assert payloads_of(port) == [b"good"]
        assert port.stats().rx_errors == 5000


def test_a_bad_frame_of_another_line_is_not_ours(x3: EfviRig) -> None:
    x3.set(SHARES_QUEUE=1)
    with x3.open([]) as port:
        x3.inject(udp_frame(b"other", OTHER_GROUP), "BAD_CHECKSUM")
        x3.inject(b"\xff" * 64, "BAD_CRC")  # whose was it?
        assert payloads_of(port) == []
        assert port.stats().rx_errors == 1


# --- time ------------------------------------------------------------------------------------


def test_times_are_the_nics_and_say_whether_its_clock_is_in_sync(nic: EfviRig) -> None:
    with nic.open([b"one"]) as port:
        nic.set(CLOCK_FLAGS=CLOCK_SET | CLOCK_IN_SYNC)
        (synced,) = port.receive(1)
        nic.set(CLOCK_FLAGS=CLOCK_SET)
        nic.send(b"two")
        (adrift,) = port.receive(1)
    assert synced.flags == FLAG_HW_TIMESTAMP | FLAG_CLOCK_IN_SYNC
    assert adrift.flags == FLAG_HW_TIMESTAMP
    assert synced.timestamp_ns >= FIRST_DOUBLE_NS
    assert adrift.timestamp_ns - synced.timestamp_ns == 1000


@pytest.mark.parametrize(
    "settings",
    [{"CLOCK_FLAGS": 0}, {"TIME_ERROR": 42}, {"TIME_ERROR": 61}],
    ids=["never set", "ENOMSG", "ENODATA"],
)
def test_without_a_time_of_the_nics_it_is_the_systems(
    nic: EfviRig, settings: dict[str, int]
) -> None:
    nic.set(**settings)
    with nic.open([b"one"]) as port:
        before_ns = time.time_ns()
        (frame,) = port.receive(1)
        assert frame.flags == 0
        assert before_ns <= frame.timestamp_ns <= time.time_ns()


@pytest.mark.parametrize("option", ["timestamps=0", ""])
def test_times_may_be_off_or_missing(nic: EfviRig, option: str) -> None:
    nic.set(HAS_TIMESTAMPS=int(bool(option)))
    with nic.open_with(option) as port:
        port.join(GROUP, UDP_PORT)
        nic.send(b"one")
        (frame,) = port.receive(1)
        assert frame.flags == 0
        assert nic.features(port) & nic.lib.SWP_EFVI_TIMESTAMPS == 0


# --- buffers ---------------------------------------------------------------------------------


def test_single_polls_lose_nothing_of_what_came_along(nic: EfviRig) -> None:
    payloads = numbered(101)
    with nic.open(payloads) as port:
        seen = []
        while (frames := burst(port, 1)).size:
            seen.append(payload_of(copy_frame(frames[0]).data))
            port.release(frames)
        assert seen == payloads
        assert port.stats().rx_packets == 101


def test_frames_of_many_buffers_stay_in_one_piece_around_the_pools_end(ef10: EfviRig) -> None:
    sizes = random.Random(7)
    with ef10.open_with("ring=8&rx_queue=512") as port:
        port.join(GROUP, UDP_PORT)
        times = []
        for number in range(900):
            payload = number.to_bytes(4, "big") * sizes.randrange(10, 2250)
            ef10.inject(udp_frame(payload))
            frames = burst(port, 1)
            while frames.size == 0:  # a poll takes two events, and a frame may have five
                frames = burst(port, 1)
            frame = copy_frame(frames[0])
            assert payload_of(frame.data) == payload
            times.append(frame.timestamp_ns)
            port.release(frames)
        assert times == sorted(set(times))
        assert port.stats().rx_errors == 0


def test_a_long_frame_is_cut_at_the_length_that_was_asked_for(ef10: EfviRig) -> None:
    with ef10.open_with("frame=3000&ring=8&rx_queue=512") as port:
        port.join(GROUP, UDP_PORT)
        for _ in range(400):
            ef10.inject(udp_frame(b"x" * 8000))
            (frame,) = port.receive(1)
            assert len(frame.data) == 3000 and set(frame.data[42:]) == {ord("x")}
            assert frame.flags & FLAG_TRUNCATED
        assert port.stats().rx_truncated == 400


def test_a_frame_that_runs_out_of_buffers_is_dropped_and_counted(ef10: EfviRig) -> None:
    payloads = numbered(103, 9000)  # five buffers each, of 504
    with ef10.open(payloads, rcvbuf_bytes=0) as port:
        assert payloads_of(port) == payloads[:100]
        stats = port.stats()
        assert (stats.rx_packets, stats.rx_dropped, stats.rx_errors) == (100, 3, 0)
        ef10.send(b"later")
        assert payloads_of(port) == [b"later"]


def test_without_buffers_frames_are_dropped_and_counted_until_some_come_back(nic: EfviRig) -> None:
    payloads = numbered(3000)
    with nic.open(payloads[:512], ring=512, rcvbuf_bytes=0) as port:
        held = burst(port, 512)
        while held.size < 504:
            held = np.concatenate([held, burst(port, 512)])
        for payload in payloads[512:]:
            nic.inject(udp_frame(payload))
        nic.write_drops()
        expected = payloads[: held.size]
        assert [payload_of(copy_frame(frame).data) for frame in held] == expected
        assert port.stats().rx_dropped > 1000
        port.release(held)
        later = payloads_of(port)
        stats = port.stats()
        assert stats.rx_packets + stats.rx_dropped == 3000 and stats.rx_packets == 512 + len(
            later
        ) - (512 - held.size)
        nic.send(b"again")
        assert payloads_of(port) == [b"again"]


@pytest.mark.parametrize(
    ("event", "words"), [(EVENT_OVERFLOW, "overflowed"), (EVENT_RESET, "was reset")]
)
def test_a_queue_that_broke_says_so_for_ever(nic: EfviRig, event: int, words: str) -> None:
    with nic.open([b"before"]) as port:
        nic.lib.ciul_raise(event)
        nic.send(b"after")
        room = np.zeros(4, DESCRIPTOR_DTYPE)
        assert port.rx_burst(room) == 2  # what came with it is good
        assert [port.rx_burst(room) for _ in range(2)] == [RX_ERROR] * 2
        assert words in port.last_error
        with pytest.raises(PortError, match="open the port anew"):
            port.poll()


def test_an_event_queue_that_is_too_small_overflows(ef10: EfviRig) -> None:
    ef10.set(EVENTS_MAX=32)
    with ef10.open(numbered(100)) as port:
        assert len(burst(port, 64)) == 32
        assert port.rx_burst(np.zeros(4, DESCRIPTOR_DTYPE)) == RX_ERROR
        assert "event queue overflowed" in port.last_error


def test_an_event_of_an_unknown_type_is_counted(nic: EfviRig) -> None:
    with nic.open([]) as port:
        nic.lib.ciul_raise(11)
        assert payloads_of(port) == []
        assert port.stats().rx_errors == 1
        assert "unknown type 11" in port.last_error


# --- poison, copies, shared queues -----------------------------------------------------------


@pytest.mark.parametrize("option", ["", "&bad_frames=1"])
def test_no_buffer_is_used_after_its_release(ef10: EfviRig, option: str) -> None:
    ef10.set(EXPECTS_POISON=1)
    sizes = random.Random(3)
    with ef10.open_with(f"poison=1&ring=16&rx_queue=512{option}") as port:
        port.join(GROUP, UDP_PORT)
        for number in range(2000):
            fault = "BAD_CRC" if number % 7 == 0 else "GOOD"
            ef10.inject(udp_frame(b"p" * sizes.choice((10, 100, 5000))), fault)
            frames = burst(port, 4)
            port.release(frames)
        ef10.send(b"last")
        frames = burst(port, 4)
        address = int(frames[-1]["address"])
        memory = ef10.ffi.buffer(ef10.ffi.cast("char *", address), 46)
        assert memory[42:46] == b"last"
        port.release(frames)
        assert memory[:] == b"\xdb" * 46
    assert ef10.violation() == ""


def test_the_check_for_poison_finds_a_port_without_it(ef10: EfviRig) -> None:
    ef10.set(EXPECTS_POISON=1)
    with ef10.open_with("ring=16&rx_queue=512") as port:
        port.join(GROUP, UDP_PORT)
        for _ in range(1000):
            ef10.inject(udp_frame(b"clean"))
            port.release(burst(port, 4))
    assert "without poison" in ef10.violation()
    ef10.lib.ciul_reset()


def test_poison_on_an_x3_needs_copies(x3: EfviRig) -> None:
    with pytest.raises(PortError, match=r"poison=1 would overwrite .* needs copy=1"):
        x3.open_with("poison=1")
    with x3.open_with("poison=1&copy=1") as port:
        port.join(GROUP, UDP_PORT)
        x3.send(b"last")
        frames = burst(port, 4)
        memory = x3.ffi.buffer(x3.ffi.cast("char *", int(frames[0]["address"])), 46)
        assert memory[42:46] == b"last"
        port.release(frames)
        assert memory[:] == b"\xdb" * 46


@pytest.mark.parametrize("copy", [0, 1])
def test_held_frames_keep_shared_buffers_and_copies_do_not(x3: EfviRig, copy: int) -> None:
    x3.set(SUPERBUFS=2, SUPERBUF_FRAMES=16)
    payloads = numbered(320)
    with x3.open_with(f"copy={copy}&ring=512") as port:
        port.join(GROUP, UDP_PORT)
        held = np.zeros(0, DESCRIPTOR_DTYPE)
        for payload in payloads:
            x3.inject(udp_frame(payload))
            held = np.concatenate([held, burst(port, 4)])
        x3.write_drops()
        assert held.size == (320 if copy else 32)
        assert port.stats().rx_dropped == 320 - held.size
        seen = [payload_of(copy_frame(frame).data) for frame in held]
        assert seen == payloads[: held.size]
        port.release(held)
        x3.send(b"again")
        assert payloads_of(port) == [b"again"]


def test_frames_for_others_on_a_shared_queue_are_given_back_at_once(x3: EfviRig) -> None:
    x3.set(SHARES_QUEUE=1, SUPERBUFS=2, SUPERBUF_FRAMES=16)
    arp = bytes.fromhex("ffffffffffff00010203040508060001") + bytes(44)
    with x3.open([]) as port:
        for _ in range(200):
            x3.inject(udp_frame(b"other", OTHER_GROUP))
            x3.inject(udp_frame(b"other", GROUP, UDP_PORT + 1))
            x3.inject(tagged(udp_frame(b"other"), 5))
            x3.inject(arp)
            assert burst(port, 4).size == 0
        x3.send(b"ours")
        assert payloads_of(port) == [b"ours"]
        assert port.stats()[:5] == (1, 46, 0, 0, 0)


def test_much_traffic_for_others_does_not_keep_the_loop(x3: EfviRig) -> None:
    x3.set(SHARES_QUEUE=1)
    with x3.open([]) as port:
        for _ in range(400):
            x3.inject(udp_frame(b"other", OTHER_GROUP))
        x3.send(b"ours")
        polls = 0
        while not burst(port, 4).size:
            polls += 1
        assert polls > 5


# --- any order -------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(3))
def test_whatever_the_order_of_calls_frames_come_whole_and_in_order(
    nic: EfviRig, seed: int
) -> None:
    chance = random.Random(seed)
    nic.set(SHARES_QUEUE=1, SUPERBUFS=8, SUPERBUF_FRAMES=16)
    sent: list[bytes] = []
    seen: list[bytes] = []
    held = np.zeros(0, DESCRIPTOR_DTYPE)
    with nic.open_with(f"ring=32&rx_queue=512&copy={seed % 2}") as port:
        port.join(GROUP, UDP_PORT)
        for number in range(1500):
            size = chance.choice((20, 64, 900, nic.longest_bytes - 100))
            payload = number.to_bytes(4, "big") * (size // 4)
            if chance.random() < 0.1:
                nic.inject(udp_frame(payload), "BAD_CRC")
            elif nic.inject(udp_frame(payload)):
                sent.append(payload)
            held = np.concatenate([held, burst(port, chance.randrange(0, 6))])
            count = chance.randrange(0, held.size + 1)
            seen += [payload_of(copy_frame(frame).data) for frame in held[:count]]
            port.release(held[:count])
            held = held[count:]
        seen += [payload_of(copy_frame(frame).data) for frame in held]
        port.release(held)
        assert seen + payloads_of(port) == sent
