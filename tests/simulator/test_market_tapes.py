"""The tapes of a made market: beside the same captures, in the tables that the decoder reads."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import pytest
from made_markets import payloads, small_plan

from console.main import run
from feedhandler import actions as a
from feedhandler.channelfile import load_channels
from feedhandler.feed import Message, decode
from feedhandler.registry import versions
from feedhandler.sipquotes import READERS
from simulator.market.make import CHANNELS, make_market
from simulator.market.manifest import MANIFEST, Manifest
from simulator.market.tapes import TapePlan
from simulator.publishing.tapes import TAPES, Side, TapeFeed, TapePublisher

PLAN = small_plan(seed=11, stop_s=1.0)
DELAY_NS = 250_000
DELAY_OF_LINE_B_NS = 400
JITTER_NS = 20_000


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Manifest]:
    """A market with tapes."""
    folder = tmp_path_factory.mktemp("tapes")
    return folder, make_market(PLAN, folder, tapes=TapePlan(DELAY_NS))


def messages(folder: Path, name: str, line: str = "a") -> list[tuple[int, Message]]:
    """Arrival and content of all that a tape said; its tables find no fault in it."""
    feed, said, expected = versions(TAPES[name][0].feed)[0], [], 1
    for time_ns, raw in payloads(folder / f"{name}-{line}.pcap"):
        found = decode(feed, raw)
        assert not found.faults
        assert found.packet.header[feed.transport.sequence] == expected
        expected += len(found.messages)
        said += [(time_ns, message) for message in found.messages]
    return said


def test_the_venues_send_the_same_with_and_without_tapes(
    made: tuple[Path, Manifest], tmp_path: Path
) -> None:
    folder, manifest = made
    bare = make_market(PLAN, tmp_path)
    names = {path.name for path in tmp_path.iterdir()}
    for name in names - {CHANNELS, MANIFEST}:
        assert (tmp_path / name).read_bytes() == (folder / name).read_bytes()
    assert list(manifest.venues[: len(bare.venues)]) == list(bare.venues)
    assert [venue.name for venue in manifest.venues[len(bare.venues) :]] == list(TAPES)


def test_the_same_plan_gives_the_same_tapes(made: tuple[Path, Manifest], tmp_path: Path) -> None:
    make_market(PLAN, tmp_path, tapes=TapePlan(DELAY_NS))
    for path in made[0].iterdir():
        assert (tmp_path / path.name).read_bytes() == path.read_bytes()


def test_manifest_and_channel_map_have_them(made: tuple[Path, Manifest]) -> None:
    folder, manifest = made
    mapped = {(c.name, c.line): c.feed for c in load_channels(folder / CHANNELS).channels}
    for venue in manifest.venues[-len(TAPES) :]:
        assert venue.messages == len(messages(folder, venue.name)) > 20
        for file in venue.files:
            raw = (folder / file.name).read_bytes()
            assert hashlib.sha256(raw).hexdigest() == file.sha256 and len(raw) == file.bytes
            assert mapped[venue.name, file.line] == venue.feed


def said_ns(name: str, message: Message) -> int:
    """When the processor said it."""
    values: Any = message.values
    if name == "utp":
        return int(values["sip_timestamp"])
    return int(values["seconds"]) * 10**9 + int(values["nanoseconds"])


@pytest.mark.parametrize("line", ["a", "b"])
@pytest.mark.parametrize("name", list(TAPES))
def test_they_are_as_late_as_they_were_asked_to_be(
    made: tuple[Path, Manifest], name: str, line: str
) -> None:
    least = DELAY_NS + (DELAY_OF_LINE_B_NS if line == "b" else 0)
    for time_ns, message in messages(made[0], name, line):
        assert time_ns - said_ns(name, message) >= least
    late = [t - said_ns(name, message) for t, message in messages(made[0], name, line)]
    assert sorted(late)[len(late) // 2] <= least + JITTER_NS


def test_each_symbol_is_on_one_tape_with_its_directory_first(made: tuple[Path, Manifest]) -> None:
    found: dict[str, str] = {}
    for name, code, field in (("utp", "AB", "symbol"), ("cta", "AS", "security_symbol")):
        said = [message for _, message in messages(made[0], name)]
        listed = [str(m.values[field]) for m in said if m.record.code == code]
        assert [str(m.record.code) for m in said[: len(listed)]] == [code] * len(listed)
        found |= dict.fromkeys(listed, name)
        feed = versions(TAPES[name][0].feed)[0].name
        quoted = {side.symbol for message in said for side in READERS[feed](message)}
        assert quoted <= set(listed) and quoted
    assert set(found) == set(PLAN.symbols)


@pytest.mark.parametrize("name", list(TAPES))
def test_quotes_with_one_side_or_none_are_read_as_they_were_meant(name: str) -> None:
    tape = TapePublisher(name)
    bid, offer, none = Side(10 * 10**8, 300, "Q"), Side(1001 * 10**6, 200, "Z"), Side()
    read = READERS[tape.feed.name]
    for best in ((bid, offer), (bid, none), (none, offer), (none, none)):
        raw = tape.payload([tape.dialect.quote(1, "ABC", (bid, offer), best)])
        (message,) = decode(tape.feed, raw).messages
        sides = [(side.price, side.size) for side in read(message)]
        assert sides == [(side.price if side.size else 0, side.size) for side in best]


def test_a_tape_tells_of_halts_and_of_nothing_else() -> None:
    for name in TAPES:
        dialect = TapePublisher(name).dialect
        for status in (a.STATUS_HALTED, a.STATUS_PAUSED, a.STATUS_TRADING):
            assert dialect.state(1, "ABC", status)
        assert dialect.state(1, "ABC", a.STATUS_AUCTION) is None


def test_a_venues_feed_is_no_tape() -> None:
    given = {"group_a": "239.1.1.1", "group_b": "239.1.1.2", "source_a": "10.0.0.1"}
    with pytest.raises(ValueError, match="no consolidated tape"):
        TapeFeed(name="x", feed="iex_deepplus@1.0", source_b="10.0.0.2", **given)


def test_the_command(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    small = ["market", "make", "--duration", "1s", "--symbols", "2", "--venues", "nasdaq,iex"]
    assert run([*small, "--tapes"]) == 2
    assert "--tapes needs --out" in " ".join(capfd.readouterr().err.split())
    assert run([*small, "-o", str(tmp_path), "--tapes", "--tape-delay", "100"]) == 0
    assert "siac_cqs" in capfd.readouterr().out
    assert (tmp_path / "utp-a.pcap").stat().st_size > 24
