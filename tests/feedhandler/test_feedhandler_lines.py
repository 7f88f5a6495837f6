"""Lines A and B of a stream, as sentences: what arrives, what is said, in which state."""

from __future__ import annotations

import random

import pytest
from lines_rig import Arrival, LinesRig
from lines_traffic import feed_of, packet

from captures import merge_captures
from feedhandler.datagrams import datagrams
from feedhandler.lines.layout import (
    BEGUN,
    GAP,
    LIVE,
    LOST,
    RECOVERED,
    RECOVERING,
    STALE,
    TELL_CLEAR,
    TELL_LIVE,
    TELL_STALE,
    UNKNOWN,
    WAITING,
)
from feedhandler.lines.setup import LineOptions, Lines
from feedhandler.reasons import Reason
from feedhandler.transports.xdp import ORIGINAL, RETRANSMISSION_ONLY, SEQUENCE_RESET

A, B, ASKED = 0, 1, 2
ITCH, PITCH, NYSE, MEMX = "nasdaq_itch50", "cboe_pitch", "nyse_integrated", "memx_memoir"
QUICK = LineOptions(window_ns=100, window_packets=4)
ASKING = LineOptions(window_ns=100, window_packets=4, recovery_ns=10_000, slots=8)


def said(rig: LinesRig) -> list[int]:
    """The numbers of the messages delivered so far."""
    numbers: list[int] = rig.actions["order_id"].tolist()
    return numbers


def after(name, *arrivals, options=QUICK):
    """A rig that took (time, line, sequence, count, header values) packets of a feed."""
    rig = LinesRig(feed_of(name), options)
    take(rig, *arrivals)
    return rig


def take(rig, *arrivals):
    """Gives a rig more packets."""
    made = []
    for time_ns, line, sequence, count, *more in arrivals:
        payload = packet(rig.feed.name, sequence, count, **(more[0] if more else {}))
        made.append(Arrival(time_ns, line, payload))
    rig.feed_in(made)


def events(rig):
    """(kind, first missing, first not missing) of each event."""
    return [(int(e["kind"]), *map(int, e["words"][3:5])) for e in rig.drain()]


def test_the_first_copy_is_said_and_the_second_is_not():
    rig = after(ITCH, (10, A, 1, 2), (17, B, 1, 2), (20, B, 3, 1), (90, A, 3, 1))
    assert said(rig) == [1, 2, 3]
    lines = rig.stream()["lines"]
    assert lines["first"].tolist()[:2] == [1, 1] and lines["duplicates"].tolist()[:2] == [1, 1]
    assert lines["lead_ns"].tolist()[:2] == [7, 70]
    assert lines["lead_histogram"][A][2] == 1 and lines["lead_histogram"][B][6] == 1


def test_a_late_copy_on_the_other_line_fills_the_hole_and_nothing_is_said_before():
    rig = after(ITCH, (10, A, 1, 1), (20, A, 4, 1))
    assert said(rig) == [1] and rig.stream()["state"] == WAITING
    take(rig, (50, B, 2, 2))
    assert said(rig) == [1, 2, 3, 4] and rig.stream()["state"] == LIVE
    assert events(rig) == [] and rig.tells == []


def test_a_hole_is_given_up_when_the_window_is_over_and_the_books_are_told():
    rig = after(ITCH, (10, A, 1, 1), (20, A, 4, 1), (119, B, 1, 1))
    assert said(rig) == [1] and rig.tells == []
    take(rig, (120, B, 1, 1))
    assert said(rig) == [1, 4] and rig.tells == [TELL_STALE]
    assert rig.stream()["state"] == STALE and rig.stream()["lost"] == 2
    assert events(rig) == [(GAP, 2, 4), (LOST, 2, 4)]
    take(rig, (130, A, 2, 2), (140, A, 5, 1))
    assert said(rig) == [1, 4, 5] and rig.stream()["late"] == 1
    assert rig.stream()["state"] == STALE


def test_a_hole_is_given_up_when_more_packets_wait_than_the_window_takes():
    waiting = [(20 + n, A, 4 + n, 1) for n in range(4)]
    rig = after(ITCH, (10, A, 1, 1), *waiting)
    assert said(rig) == [1]
    take(rig, (30, A, 8, 1))
    assert said(rig) == [1, 4, 5, 6, 7, 8]


@pytest.mark.parametrize("name", [ITCH, PITCH, NYSE, MEMX])
def test_a_heartbeat_shows_what_was_lost_at_the_end(name):
    beat = {ITCH: {}, PITCH: {}, NYSE: {"delivery_flag": 1}, MEMX: {"message_type": 0}}[name]
    rig = after(name, (10, A, 1, 2), (20, A, 5, 0, beat))
    unit = 1 if name == PITCH else 0
    assert rig.stream(unit)["state"] == WAITING
    take(rig, (30, B, 3, 2))
    assert said(rig) == [1, 2, 3, 4] and rig.stream(unit)["state"] == LIVE
    take(rig, (40, A, 8, 0, beat), (140, B, 8, 0, beat))
    assert rig.stream(unit)["state"] == STALE and rig.stream(unit)["lost"] == 3


def test_the_end_of_a_session_shows_a_gap_as_a_heartbeat_does():
    end = {"message_count": 0xFFFF}
    rig = after(ITCH, (10, A, 1, 2), (20, A, 4, 0, end))
    assert rig.stream()["ended"] == 1 and rig.stream()["state"] == WAITING
    take(rig, (30, B, 3, 1), (40, B, 4, 0, end))
    assert said(rig) == [1, 2, 3] and rig.stream()["state"] == LIVE


def test_a_new_session_starts_at_1_and_late_packets_of_the_old_one_are_dropped():
    new = {"session": "0000000002"}
    rig = after(ITCH, (10, A, 1, 2), (20, A, 5, 1), (30, A, 1, 1, new), (40, B, 3, 2))
    take(rig, (50, B, 1, 1, new), (60, B, 2, 1, new))
    assert said(rig) == [1, 2, 1, 2] and rig.tells == [TELL_CLEAR]
    stream = rig.stream()
    assert (stream["old"], stream["lives"], stream["state"]) == (1, 1, LIVE)
    assert events(rig) == [(BEGUN, 1, 0)]


def at_s(seconds, flag=ORIGINAL):
    """Header values of a NYSE packet sent at a second."""
    return {"delivery_flag": flag, "seconds": seconds}


def test_a_sequence_reset_starts_again_once_for_both_lines():
    reset = at_s(9, SEQUENCE_RESET)
    rig = after(NYSE, (10, A, 1, 3, at_s(1)), (20, A, 1, 1, reset), (30, A, 2, 1, at_s(10)))
    take(rig, (40, B, 1, 3, at_s(1)), (50, B, 1, 1, reset), (60, B, 2, 2, at_s(10)))
    assert said(rig) == [1, 2, 3, 1, 2, 3]
    stream = rig.stream()
    assert (stream["lives"], stream["old"], stream["overlaps"]) == (1, 1, 1)
    assert stream["state"] == LIVE and stream["expected"] == 4


def test_an_answer_fills_a_gap_that_both_lines_have_and_the_stream_is_live_right_then():
    rig = after(NYSE, (10, A, 1, 1), (20, A, 4, 1), (200, B, 5, 1), options=ASKING)
    assert rig.stream()["state"] == RECOVERING and said(rig) == [1]
    assert rig.tells == [TELL_STALE] and events(rig) == [(GAP, 2, 4)]
    answer = {"delivery_flag": RETRANSMISSION_ONLY}
    take(rig, (900, ASKED, 2, 1, answer))
    assert said(rig) == [1, 2] and rig.stream()["state"] == RECOVERING
    take(rig, (950, ASKED, 3, 1, answer))
    assert said(rig) == [1, 2, 3, 4, 5] and rig.stream()["state"] == LIVE
    assert rig.tells == [TELL_STALE, TELL_LIVE] and events(rig) == [(RECOVERED, 6, 0)]


def test_an_answer_that_does_not_come_in_time_is_given_up():
    rig = after(ITCH, (10, A, 1, 1), (20, A, 4, 1), (200, A, 5, 1), options=ASKING)
    take(rig, (10_199, A, 6, 1))
    assert said(rig) == [1]
    take(rig, (10_200, A, 7, 1))
    assert said(rig) == [1, 4, 5, 6, 7] and rig.stream()["state"] == STALE


def test_without_a_slot_left_the_hole_is_given_up_and_nothing_more_is_lost():
    waiting = [(200 + n, A, 4 + n, 1) for n in range(12)]
    rig = after(ITCH, (10, A, 1, 1), (20, A, 3, 1), *waiting, options=ASKING)
    assert said(rig) == [1, *range(3, 16)] and rig.stream()["full"] == 1
    assert rig.stream()["lost"] == 1 and rig.stream()["held"] == 0


def test_a_packet_too_large_to_wait_is_not_lost():
    small = LineOptions(window_ns=100, slot_bytes=64)
    rig = after(ITCH, (10, A, 1, 1), (20, A, 3, 9), options=small)
    assert said(rig) == [1, *range(3, 12)] and rig.stream()["full"] == 1


def test_whoever_joins_late_is_told_so_and_never_live():
    rig = after(ITCH, (10, A, 1000, 1), (15, B, 999, 1))
    assert rig.stream()["state"] == UNKNOWN and said(rig) == []
    take(rig, (120, A, 1001, 1))
    assert said(rig) == [999, 1000, 1001]
    stream = rig.stream()
    assert (stream["joined_at"], stream["lost"], stream["state"]) == (999, 0, STALE)
    assert rig.tells == [TELL_STALE]


def test_32_bit_sequences_run_on_behind_their_highest():
    rig = LinesRig(feed_of(NYSE), QUICK)
    top = (1 << 32) - 3
    stream = rig.block["streams"]
    stream["expected"], stream["top"], stream["state"] = top, top, LIVE
    stream["started"] = 1
    take(rig, (10, A, top, 2), (20, A, 1, 1, {"first": 5}), (30, B, top + 2, 1))
    assert said(rig) == [top, top + 1, top + 2]
    take(rig, (40, B, 0, 1, {"first": 4}), (50, B, 1, 1, {"first": 5}))
    assert said(rig) == [top, top + 1, top + 2, 4, 5] or said(rig)[-1] == 5
    assert rig.stream()["expected"] == (1 << 32) + 2 and rig.stream()["state"] == LIVE


def test_units_of_a_channel_count_on_their_own():
    one, two = {"unit": 1}, {"unit": 2}
    rig = after(PITCH, (10, A, 1, 1, one), (20, A, 1, 1, two), (30, A, 3, 1, one))
    take(rig, (40, B, 2, 1, two))
    assert rig.actions["unit"].tolist() == [1, 2, 2]
    assert rig.stream(1)["state"] == WAITING and rig.stream(2)["state"] == LIVE


def test_what_has_no_sequence_is_passed_on_as_it_comes():
    rig = after(PITCH, (10, A, 1, 1), (20, A, 0, 1), (30, B, 0, 1))
    assert said(rig) == [1, 0, 0] and rig.stream(1)["duplicates"] == 0


def test_a_cut_header_is_counted_and_moves_nothing():
    rig = LinesRig(feed_of(ITCH), QUICK)
    rig.feed_in([Arrival(10, A, packet(ITCH, 1, 1)[:19]), Arrival(20, A, packet(ITCH, 1, 1))])
    assert said(rig) == [1]
    assert rig.block["contexts"]["faults"][0][1] == 1


def test_one_channel_is_on_one_line_of_a_stream():
    with pytest.raises(ValueError, match="the same line"):
        Lines({0: (0, 0), 1: (0, 0)})
    with pytest.raises(ValueError, match="line 4"):
        Lines({0: (0, 4)})


def deep_packets(real_captures):
    """(time, payload) of every datagram of the capture whose feed starts again eleven times."""
    path = real_captures / "large" / "goiex_DEEP10.pcap.gz"
    if not path.is_file():
        pytest.skip(f"no {path.name}")
    with merge_captures([path]) as merged:
        for one in datagrams(merged):
            if one.reason is Reason.OK:
                yield one.timestamp_ns, bytes(one.payload)


def test_a_feed_that_starts_again_within_its_session_is_followed_on_both_lines(real_captures):
    whole = [Arrival(t, A, p) for t, p in deep_packets(real_captures)]
    chance = random.Random(5245)
    lossy = []
    for one in whole[:40_500]:
        kept = chance.choice(((A,), (B,), (A, B)))
        lossy += [Arrival(one.time_ns + chance.randint(0, 400), n, one.payload) for n in kept]
    rigs = []
    for arrivals in (whole[:40_500], sorted(lossy, key=lambda a: a.time_ns)):
        rig = LinesRig(feed_of("iex_deep"), LineOptions(window_ns=400_000_000))
        made = []
        for start in range(0, len(arrivals), 1500):
            rig.feed_in(arrivals[start : start + 1500])
            made.append(rig.actions.tobytes())
            rig.block["rig"]["count"] = 0
        stream = rig.stream()
        assert (stream["lives"], stream["gaps"], stream["lost"]) == (11, 0, 0)
        assert rig.tells == [TELL_CLEAR] * 11
        rigs.append(b"".join(made))
    assert rigs[0] == rigs[1]
