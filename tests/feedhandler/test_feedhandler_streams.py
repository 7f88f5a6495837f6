"""TCP flows put back together: straddling, repeated, early and missing segments, garbage."""

from __future__ import annotations

import random
from collections.abc import Sequence

import pytest

from feedhandler.datagrams import Datagram
from feedhandler.protocols import ouch42, ouch50
from feedhandler.reasons import Reason
from feedhandler.registry import FEEDS, versions
from feedhandler.streams import HOLD_SEGMENTS, StreamCounts, StreamDecoder, ahead
from feedhandler.transports.soupbintcp import SOUPBINTCP, wrap

OUCH = versions("nasdaq_ouch50")
FIRST = 1000


def cancel(number: int) -> bytes:
    return wrap("S", ouch50.OUTBOUND["C"].encode(user_ref_num=number))


def segment(sequence: int, payload: bytes, source_port: int = 8000) -> Datagram:
    place = memoryview(payload)
    return Datagram(1, 0, Reason.TCP, place, 1, 2, source_port, 42000, 0, sequence % (1 << 32))


def read(decoder: StreamDecoder, pieces: Sequence[tuple[int, bytes]]) -> list[int]:
    """The order numbers in the order they were decoded, the held ones last."""
    decoded = [decoder.segment(segment(sequence, payload)) for sequence, payload in pieces]
    decoded += decoder.finish().values()
    return [int(m.values["user_ref_num"]) for part in decoded for m in part.messages]


def only_counts(decoder: StreamDecoder) -> StreamCounts:
    (counts,) = decoder.counts.values()
    return counts


def test_a_message_comes_out_with_the_segment_that_completes_it() -> None:
    stream = cancel(1) + cancel(2)
    for cut in range(len(stream) + 1):
        decoder = StreamDecoder(OUCH)
        first = decoder.segment(segment(FIRST, stream[:cut]))
        second = decoder.segment(segment(FIRST + cut, stream[cut:]))
        assert len(first.messages) == cut // len(cancel(1))
        assert len(first.messages) + len(second.messages) == 2
        assert first.faults + second.faults == []


def test_a_stream_byte_by_byte_reads_like_the_whole() -> None:
    stream = b"".join(map(cancel, range(5)))
    pieces = [(FIRST + at, stream[at : at + 1]) for at in range(len(stream))]
    assert read(StreamDecoder(OUCH), pieces) == [0, 1, 2, 3, 4]


def test_repeated_and_overlapping_bytes_are_read_once() -> None:
    stream = b"".join(map(cancel, range(4)))
    pieces = [(0, 30), (0, 30), (10, 30), (10, 50), (60, 84), (0, 84), (80, 84)]
    decoder = StreamDecoder(OUCH)
    assert read(decoder, [(FIRST + a, stream[a:b]) for a, b in pieces[:4]]) == [0, 1]
    assert only_counts(decoder).repeated_bytes == 30 + 20 + 20
    whole = StreamDecoder(OUCH)
    pieces.insert(4, (50, 60))
    assert read(whole, [(FIRST + a, stream[a:b]) for a, b in pieces]) == [0, 1, 2, 3]
    assert only_counts(whole).gaps == 0


def test_segments_out_of_order_are_read_in_order() -> None:
    stream = b"".join(map(cancel, range(20)))
    spans = [(at, at + 70) for at in range(0, len(stream), 70)]
    shuffle = random.Random(7)
    for _ in range(50):
        rest = spans[1:]
        shuffle.shuffle(rest)
        decoder = StreamDecoder(OUCH)
        pieces = [(FIRST + a, stream[a:b]) for a, b in [spans[0], *rest]]
        assert read(decoder, pieces) == list(range(20))
        counts = only_counts(decoder)
        assert (counts.gaps, counts.dropped_bytes, counts.repeated_bytes) == (0, 0, 0)


def test_sequence_numbers_wrap_around() -> None:
    start = (1 << 32) - 30
    stream = b"".join(map(cancel, range(4)))
    pieces = [(start + at, stream[at : at + 11]) for at in range(0, len(stream), 11)]
    pieces[3], pieces[4] = pieces[4], pieces[3]
    decoder = StreamDecoder(OUCH)
    assert read(decoder, pieces) == [0, 1, 2, 3]
    assert only_counts(decoder).resets == 0
    assert (ahead(5, (1 << 32) - 5), ahead((1 << 32) - 5, 5)) == (10, -10)


def test_a_gap_costs_the_broken_message_and_reading_goes_on() -> None:
    size = len(cancel(0))
    lost = [(FIRST, cancel(0) + cancel(1)[:10])]
    lost += [(FIRST + n * size, cancel(n)) for n in range(3, 4 + HOLD_SEGMENTS)]
    decoder = StreamDecoder(OUCH)
    assert read(decoder, lost) == [0, *range(3, 4 + HOLD_SEGMENTS)]
    counts = only_counts(decoder)
    assert (counts.gaps, counts.gap_bytes, counts.dropped_bytes) == (1, 2 * size - 10, 10)


def test_without_holding_a_gap_is_taken_at_once() -> None:
    size = len(cancel(0))
    decoder = StreamDecoder(OUCH, hold_segments=0)
    decoder.segment(segment(FIRST, cancel(0)))
    after = decoder.segment(segment(FIRST + 2 * size, cancel(2)))
    assert [m.values["user_ref_num"] for m in after.messages] == [2]
    assert only_counts(decoder).gaps == 1


def test_at_the_end_every_hole_is_a_gap() -> None:
    size = len(cancel(0))
    pieces = [(FIRST + n * size, cancel(n)) for n in (0, 2, 4, 5)]
    decoder = StreamDecoder(OUCH)
    assert read(decoder, pieces) == [0, 2, 4, 5]
    assert only_counts(decoder).gaps == 2
    assert decoder.finish() == {}


def test_another_connection_on_the_same_ports_starts_afresh() -> None:
    decoder = StreamDecoder(OUCH)
    pieces = [(FIRST, cancel(1)[:9]), (FIRST + (1 << 30), cancel(2))]
    assert read(decoder, pieces) == [2]
    assert (only_counts(decoder).resets, only_counts(decoder).dropped_bytes) == (1, 9)


def test_each_direction_is_a_flow_of_its_own() -> None:
    decoder = StreamDecoder(OUCH)
    one, two = segment(FIRST, cancel(1)[:5]), segment(FIRST, cancel(2), source_port=8001)
    assert decoder.segment(one).messages == []
    assert len(decoder.segment(two).messages) == 1
    assert set(decoder.counts) == {one.flow, two.flow}


@pytest.mark.parametrize("garbage", [b"GET / HTTP/1.1\r\n", b"\xff" * 40, bytes(7), b"\x00\x30S?"])
def test_after_garbage_reading_goes_on_at_the_next_segment(garbage: bytes) -> None:
    decoder = StreamDecoder(OUCH)
    bad = decoder.segment(segment(FIRST, cancel(1) + garbage))
    assert [m.values["user_ref_num"] for m in bad.messages] == [1]
    after = FIRST + len(cancel(1)) + len(garbage)
    if garbage == bytes(7):  # three empty packets, and a byte that may yet become a length
        assert [fault.reason for fault in bad.faults] == ["short_message"] * 3
        return
    assert bad.faults
    assert only_counts(decoder).dropped_bytes == len(garbage)
    good = decoder.segment(segment(after, cancel(2)))
    assert [m.values["user_ref_num"] for m in good.messages] == [2]


def test_random_bytes_never_raise_and_never_pile_up() -> None:
    noise = random.Random(11)
    for feeds in ([f] for f in FEEDS if f.transport.stream):
        decoder = StreamDecoder(feeds)
        at = 0
        for _ in range(60):
            payload = noise.randbytes(noise.randrange(1, 1500))
            decoder.segment(segment(at + noise.choice((0, 0, 0, 7, -9)), payload))
            at += len(payload)
        decoder.finish()
        assert only_counts(decoder).segments == 60


def test_a_flow_keeps_the_feed_that_reads_it() -> None:
    feeds = [*versions("nasdaq_ouch42"), *OUCH]
    decoder = StreamDecoder(feeds)
    first = segment(FIRST, cancel(1))
    assert decoder.feed_of(first.flow) is None
    decoder.segment(first)
    assert decoder.feed_of(first.flow) == OUCH[0]
    beat = decoder.segment(segment(FIRST + len(cancel(1)), SOUPBINTCP["H"].encode()))
    assert [m.record.name for m in beat.messages] == ["server heartbeat packet"]
    assert decoder.feed_of(first.flow) == OUCH[0]


def test_the_older_version_is_recognised_by_its_lengths() -> None:
    payload = wrap("S", ouch42.OUTBOUND["A"].encode(shares=4))
    decoder = StreamDecoder([*OUCH, *versions("nasdaq_ouch42")])
    (message,) = decoder.segment(segment(FIRST, payload)).messages
    assert message.record.name == "accepted"


def test_segments_without_payload_say_nothing() -> None:
    decoder = StreamDecoder(OUCH)
    assert decoder.segment(segment(FIRST, b"")).messages == []
    assert decoder.counts == {}


def test_only_feeds_that_come_by_tcp_are_streams() -> None:
    with pytest.raises(ValueError, match=r"comes by TCP, got: nasdaq_itch50@5\.0"):
        StreamDecoder(versions("nasdaq_itch50"))
