"""Made captures of both lines through the compiled loop: what one line lost, the other brings."""

from __future__ import annotations

from pathlib import Path

from event_rig import DAY, LISTINGS, events_of
from publishing_rig import BILLION, PROTOCOLS, whole_day

from console.bookplan import book_plan
from console.bookrun import BookRun
from feedhandler import actions as a
from feedhandler.books.slow import SlowBooks
from simulator.publishing.faults import Fault, FaultPlan
from simulator.publishing.lines import LineCapture, capture_path, channel_map, lines_of
from simulator.publishing.linestream import LineStream
from simulator.publishing.publisher import Publisher
from simulator.publishing.venues import VENUES

FAULTS = FaultPlan(
    faults=[
        Fault(kind="loss", line="A", rate=0.03),
        Fault(kind="duplicate", rate=0.02),
        Fault(kind="reorder", line="B", rate=0.02, count=2),
        Fault(kind="delay", line="B", rate=0.001, delay_ns=50_000),
    ]
)


def write_day(venue: str, seed: int, folder: Path) -> tuple[Publisher, SlowBooks]:
    """Captures of both lines; gives the publisher and the books of its events."""
    events, truth = events_of(seed, 2_000), SlowBooks()
    truth.apply(events)
    publisher = Publisher(venue, LISTINGS, DAY)
    day = whole_day(publisher, events)
    for line in lines_of(publisher.venue):
        stream = LineStream(line, FAULTS, publisher.midnight_ns)
        with LineCapture(capture_path(folder, line), line) as capture:
            capture.write(stream.carry(day))
            capture.write(stream.flush())
    return publisher, truth


def test_books_behind_the_arbiter_are_those_of_the_events(tmp_path: Path) -> None:
    channels = tmp_path / "channels.toml"
    channels.write_text(channel_map([VENUES[name] for name in PROTOCOLS], DAY))
    made = {name: write_day(name, n, tmp_path) for n, name in enumerate(PROTOCOLS, 51)}
    files = sorted(tmp_path.glob("*.pcap"))
    assert len(files) == 2 * len(PROTOCOLS)
    with BookRun(book_plan(files, channels, ""), files) as run:
        run.run()
        assert run.last_ns > events_of(51, 2_000)["time_ns"][-1] + BILLION
        for name, (publisher, truth) in made.items():
            book, levels = run.books[name], 0
            assert book.faults() == {}
            for number in range(1, len(LISTINGS) + 1):
                found = book.instrument(publisher.key(number))
                assert found is not None
                for side in (a.BUY, a.SELL):
                    wanted = [tuple(level) for level in truth.ladder(number, side)]
                    assert book.ladder(found, side).tolist() == wanted
                    levels += len(wanted)
            assert levels > 50
