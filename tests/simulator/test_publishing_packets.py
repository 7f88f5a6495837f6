"""How messages become packets: sequences, windows, sizes, heartbeats, the day's two ends."""

from __future__ import annotations

import numpy as np
import pytest
from event_rig import DAY, LISTINGS, MIDNIGHT_NS, events_of
from msgspec.structs import replace
from publishing_rig import BEGIN_NS, BILLION, PROTOCOLS, whole_day

from feedhandler import actions as a
from feedhandler.registry import decode
from feedhandler.transports.kinds import END_OF_SESSION
from simulator.publishing.layout import DATA, END, HEARTBEAT
from simulator.publishing.packets import Packets, join
from simulator.publishing.publisher import Publisher
from simulator.publishing.retained import Retained
from simulator.publishing.venues import VENUES, VenueFeed

EVENTS = events_of(21, 3_000)
DENSE = events_of(22, 3_000, most_gap_ns=4_000)


def publisher(venue: str, **changes: int) -> Publisher:
    """A publisher of a venue with some of its settings changed."""
    return Publisher(replace(VENUES[venue], **changes), LISTINGS, DAY)


def of_unit(packets: Packets, unit: int) -> Packets:
    """The packets of one unit."""
    return packets.take(np.flatnonzero(packets.rows["unit"] == unit))


@pytest.mark.parametrize("venue", VENUES)
def test_sequences_are_continuous_in_every_unit(venue: str) -> None:
    made = publisher(venue)
    day = whole_day(made, EVENTS, cuts=7)
    for unit in made.units:
        rows = of_unit(day, unit.number).rows
        ends = rows["sequence"] + rows["count"]
        assert rows["sequence"][0] == 1
        assert rows["sequence"][1:].tolist() == ends[:-1].tolist()
        assert ends[-1] == unit.next_sequence == unit.retained.next > 100


@pytest.mark.parametrize("venue", PROTOCOLS)
def test_headers_say_what_the_rows_say(venue: str) -> None:
    made = publisher(venue)
    day, transport = whole_day(made, EVENTS), made.feed.transport
    offset = 0
    for row, (time_ns, payload) in zip(day.rows, day, strict=True):
        decoded = decode(made.feed, payload)
        header = decoded.packet.header
        assert not decoded.faults and len(decoded.messages) == row["count"]
        assert header[transport.sequence] == row["sequence"]
        if transport.unit:
            assert header[transport.unit] == row["unit"]
        if transport.sent == ("send_time",):
            assert header["send_time"] == time_ns
        elif transport.sent:
            assert (header["seconds"], header["nanoseconds"]) == divmod(time_ns, BILLION)
        if "stream_offset" in header:
            assert header["stream_offset"] == offset
            offset += int(header["payload_length"])  # type: ignore[arg-type]


@pytest.mark.parametrize("venue", PROTOCOLS)
def test_the_same_seed_gives_the_same_bytes_however_the_events_are_cut(venue: str) -> None:
    whole = whole_day(publisher(venue), DENSE)
    for cuts in (1, 13, 700):
        again = whole_day(publisher(venue), DENSE, cuts)
        assert list(again) == list(whole)
        names = ["time_ns", "sequence", "count", "length", "unit", "kind"]
        assert again.rows[names].tolist() == whole.rows[names].tolist()
    other = Publisher(venue, LISTINGS, DAY, seed=1)
    assert (list(whole_day(other, DENSE)) == list(whole)) == (venue == "nasdaq")


@pytest.mark.parametrize("venue", PROTOCOLS)
def test_messages_wait_for_others_no_longer_than_the_window(venue: str) -> None:
    window, limit = 40_000, 256
    made = publisher(venue, coalesce_ns=window, packet_bytes=limit, units=1)
    day = join([made.publish(DENSE), made.flush()])
    (retained,) = made.retained
    times = np.concatenate([rows["time_ns"] for rows, _ in retained.chunks])
    lengths = np.concatenate([rows["length"] for rows, _ in retained.chunks])
    prefix = made.feed.transport.framing.body
    full = 0
    for row in day.rows[day.rows["kind"] == DATA]:
        first = row["sequence"] - 1
        behind = first + row["count"]
        assert row["length"] <= limit
        assert times[behind - 1] <= times[first] + window
        assert times[behind - 1] <= row["time_ns"] <= times[first] + window
        if row["time_ns"] < times[first] + window:
            full += 1
            assert row["length"] + prefix + lengths[behind] > limit
        elif behind < len(times) and times[behind] <= times[first] + window:
            assert row["length"] + prefix + lengths[behind] > limit
    assert full > 100 and day.rows["count"].max() > 5


def test_a_count_of_one_byte_bounds_the_packet() -> None:
    event = events_of(1, 1)
    events = np.repeat(event, 700)
    events["kind"], events["flags"], events["order_id"] = a.ADD, 0, np.arange(1, 701)
    made = publisher("bzx", packet_bytes=8_900, units=1)
    packets = join([made.publish(events), made.flush()])
    assert packets.rows["count"].tolist() == [255, 255, 191]  # and a time message


@pytest.mark.parametrize("venue", PROTOCOLS)
def test_heartbeats_come_after_silence_and_only_then(venue: str) -> None:
    every = 100_000_000
    made = publisher(venue, heartbeat_ns=every, units=1)
    first = join([made.begin(BEGIN_NS), made.publish(EVENTS[:500])])
    quiet_ns = int(EVENTS["time_ns"][499]) + 1_050_000_000
    day = join([first, made.heartbeats(quiet_ns)])
    times, kinds = day.rows["time_ns"], day.rows["kind"]
    beats = np.flatnonzero(kinds == HEARTBEAT)
    assert len(beats) >= 15  # a second before the first event, another behind the last
    assert (np.diff(times) >= 0).all() and (np.diff(times) <= every).all()
    assert (times[beats] - times[beats - 1] == every).all()
    assert quiet_ns - every <= times[-1] < quiet_ns
    for beat in beats.tolist():
        decoded = decode(made.feed, day.payload(beat))
        assert not decoded.messages and not decoded.faults
        before = day.rows[beat - 1]
        assert day.rows[beat]["sequence"] == before["sequence"] + before["count"]


def test_hours_of_silence_have_all_their_heartbeats() -> None:
    made = publisher("iex")
    made.begin(BEGIN_NS)
    made.flush()
    packets = made.heartbeats(BEGIN_NS + 3 * 3600 * BILLION)
    assert (packets.rows["kind"] == HEARTBEAT).all() and len(packets) == 3 * 3600 - 1


@pytest.mark.parametrize("venue", PROTOCOLS)
def test_the_day_begins_with_the_directory_and_ends_with_its_end(venue: str) -> None:
    made = publisher(venue)
    opening = join([made.begin(BEGIN_NS), made.flush()])
    names = [m.record.name for _, raw in opening for m in decode(made.feed, raw).messages]
    directory = {"nasdaq": "stock directory", "nyse": "symbol index mapping"}
    directory |= {"memx": "instrument directory", "iex": "security directory"}
    states = {"nasdaq": "stock trading action", "nyse": "security status"}
    states |= {"memx": "security trading status"}
    assert names.count(directory.get(venue, "")) == (len(LISTINGS) if venue != "bzx" else 0)
    assert names.count(states.get(venue, "trading status")) == len(LISTINGS)
    closing = made.end(BEGIN_NS + 1_000)
    names = [m.record.name for _, raw in closing for m in decode(made.feed, raw).messages]
    last = {"nasdaq": "system event", "bzx": "end of session", "nyse": "security status"}
    last |= {"memx": "trading session status", "iex": "system event"}
    assert names[-1] == last[venue]
    ends = END_OF_SESSION in made.feed.transport.signals[1].values()  # type: ignore[index]
    assert (closing.rows["kind"][-1] == END) == ends


def test_times_count_from_the_venues_midnight() -> None:
    made = publisher("nasdaq")
    assert made.midnight_ns == MIDNIGHT_NS
    events = EVENTS[:1].copy()
    (payload,) = [raw for _, raw in join([made.publish(events), made.flush()])]
    (message,) = decode(made.feed, payload).messages
    assert message.values["timestamp"] == events["time_ns"][0] - MIDNIGHT_NS


@pytest.mark.parametrize("venue", PROTOCOLS)
def test_what_was_sent_is_retained_by_sequence(venue: str) -> None:
    made = publisher(venue)
    day = whole_day(made, EVENTS, cuts=5)
    for unit in made.units:
        sent: list[bytes] = []
        for _, payload in of_unit(day, unit.number):
            for start, end in decode(made.feed, payload).packet.spans:
                sent.append(payload[start:end])
        retained = unit.retained
        assert len(retained) == len(sent) and retained.first == 1
        assert retained.messages(1, len(sent) + 9) == sent
        assert retained.message(57) == sent[56]
        assert retained.messages(100, 3) == sent[99:102]
        assert retained.messages(len(sent) + 1, 1) == []


def test_retained_messages_are_forgotten_oldest_first() -> None:
    made = Publisher("memx", LISTINGS, DAY, retain=1_000)
    for part in np.array_split(EVENTS, 30):
        made.publish(part)
    (retained,) = made.retained
    assert 1_000 <= len(retained) < 1_300 and retained.first > 1_500
    assert len(retained.message(retained.first)) > 0
    with pytest.raises(KeyError, match="sequence 1: "):
        retained.message(1)
    with pytest.raises(KeyError):
        Retained().message(1)


def test_a_venue_that_cannot_be_is_refused() -> None:
    with pytest.raises(ValueError, match="feed: no feed 'xyz'"):
        replace(VENUES["iex"], feed="xyz")
    with pytest.raises(ValueError, match="is decoded but not published"):
        replace(VENUES["iex"], feed="iex_deep@1.0")
    assert isinstance(VENUES["iex"], VenueFeed)
