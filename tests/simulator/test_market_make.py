"""Made captures: the same bytes from the same seed, right in every layer, and true."""

from __future__ import annotations

import hashlib
import random
import shutil
import subprocess
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import dpkt
import numpy as np
import pytest
from made_markets import FIVE, actions_of, payloads, small_plan
from scapy.all import IP, UDP, Ether

from console.bookplan import book_plan
from console.bookrun import BookRun
from feedhandler import actions as a
from feedhandler.books.sizes import sizes_for
from feedhandler.books.venuebook import VenueBook
from nic.configfile import ConfigError
from simulator.market.make import CHANNELS, make_market
from simulator.market.manifest import MANIFEST, Manifest, load_manifest
from simulator.market.market import Market
from simulator.market.outlets import publisher_of
from simulator.market.plan import SECOND_NS
from simulator.market.truth import BOOKS, books_of, load_books
from simulator.publishing.venues import VENUES

MOMENTS = 1_000
LEAST_FRAME_BYTES = 60
PLAN = small_plan(seed=7, stop_s=3.0)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Manifest]:
    """A made market, left in the middle of its session."""
    folder = tmp_path_factory.mktemp("market")
    shares: list[float] = []
    manifest = make_market(PLAN, folder, progress=shares.append)
    assert shares == sorted(shares) and shares[-1] == 1.0
    return folder, manifest


def files_of(folder: Path) -> dict[str, bytes]:
    """Contents of all files of a folder."""
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_the_same_plan_gives_the_same_bytes(made: tuple[Path, Manifest], tmp_path: Path) -> None:
    make_market(PLAN, tmp_path)
    assert files_of(tmp_path) == files_of(made[0])


def test_the_manifest_says_what_is_there(made: tuple[Path, Manifest]) -> None:
    folder, manifest = made
    assert load_manifest(folder) == manifest
    assert {file.name for file in manifest.files} | {CHANNELS, MANIFEST, BOOKS} == set(
        files_of(folder)
    )
    for venue in manifest.venues:
        for file in venue.files:
            raw = (folder / file.name).read_bytes()
            assert (len(raw), hashlib.sha256(raw).hexdigest()) == (file.bytes, file.sha256)
            assert file.packets == sum(1 for _ in payloads(folder / file.name)) == venue.packets
    assert manifest.messages > 3_000 and set(manifest.unsaid_kinds()) <= {"bands"}


def test_a_manifest_that_is_none_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"manifest\.json: cannot open"):
        load_manifest(tmp_path)
    (tmp_path / MANIFEST).write_text("{}")
    with pytest.raises(ConfigError, match=r"manifest\.json: not the manifest"):
        load_manifest(tmp_path)


def test_what_fails_leaves_no_captures_behind(tmp_path: Path) -> None:
    def fail(share: float) -> None:
        raise RuntimeError("no")

    with pytest.raises(RuntimeError, match="no"):
        make_market(PLAN, tmp_path, progress=fail)
    assert files_of(tmp_path) == {}


def ip_sum(data: bytes) -> int:
    """The ones' complement sum of 16-bit words, 0xFFFF where the checksum is right."""
    total = sum(int.from_bytes(data[at : at + 2].ljust(2, b"\0"), "big") for at in
                range(0, len(data), 2))  # fmt: skip
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return total


@pytest.mark.parametrize("line", ["a", "b"])
@pytest.mark.parametrize("venue", FIVE)
def test_dpkt_and_scapy_agree_on_every_layer(
    made: tuple[Path, Manifest], venue: str, line: str
) -> None:
    feed, path = VENUES[venue], made[0] / f"{venue}-{line}.pcap"
    group = feed.group_a if line == "a" else feed.group_b
    source = feed.source_a if line == "a" else feed.source_b
    with path.open("rb") as file:
        for number, (_, raw) in enumerate(dpkt.pcap.Reader(file)):
            ip = dpkt.ethernet.Ethernet(raw).data
            udp = ip.data
            assert isinstance(udp, dpkt.udp.UDP)
            assert len(raw) == max(LEAST_FRAME_BYTES, 14 + ip.len) and udp.ulen == ip.len - 20
            assert ip_sum(raw[14:34]) == 0xFFFF
            pseudo = raw[26:34] + bytes([0, 17]) + raw[38:40]
            assert ip_sum(pseudo + raw[34 : 34 + udp.ulen]) == 0xFFFF
            if number % 50 == 0:
                seen = Ether(raw)
                assert (seen[IP].src, seen[IP].dst) == (source, group)
                assert (seen[UDP].sport, seen[UDP].dport) == (feed.port, feed.port)
                assert seen[Ether].dst.startswith("01:00:5e")
                del seen[IP].chksum, seen[UDP].chksum
                assert bytes(seen) == raw  # with the checksums that scapy counts itself


@pytest.mark.skipif(shutil.which("tshark") is None, reason="tshark is not installed")
@pytest.mark.parametrize("venue", FIVE)
def test_tshark_finds_no_malformed_packet(made: tuple[Path, Manifest], venue: str) -> None:
    path = made[0] / f"{venue}-a.pcap"
    checks = ["-o", "ip.check_checksum:TRUE", "-o", "udp.check_checksum:TRUE"]
    wrong = "_ws.malformed || ip.checksum.status == 0 || udp.checksum.status == 0"
    found = subprocess.run(
        ["tshark", "-n", "-r", str(path), *checks, "-Y", wrong],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert found.stdout == ""


@cache
def moments() -> list[int]:
    """Random times in the session, in order; the last one is its end."""
    chance, times = random.Random(77), PLAN.times
    drawn = {chance.randrange(times.open_ns, PLAN.end_ns) for _ in range(MOMENTS - 1)}
    return [*sorted(drawn), PLAN.end_ns]


def ladders(market: Market) -> Iterator[tuple[str, int, int, list[tuple[int, ...]]]]:
    """Venue, instrument, side and levels of all books as the venues know them."""
    for name, exchange in zip(market.names, market.exchanges, strict=True):
        for instrument in range(1, len(PLAN.symbols) + 1):
            for side in (a.BUY, a.SELL):
                yield name, instrument, side, exchange.levels(instrument, side).tolist()


def test_books_of_the_captures_are_the_venues_own_at_a_thousand_random_moments(
    made: tuple[Path, Manifest],
) -> None:
    publishers = {name: publisher_of(PLAN, name) for name in FIVE}
    said = {name: actions_of(one, made[0] / f"{name}-a.pcap") for name, one in publishers.items()}
    done, levels = dict.fromkeys(FIVE, 0), dict.fromkeys(FIVE, 0)
    books = {name: VenueBook(sizes_for(one.feed, orders=8_192, levels=8_192))
             for name, one in publishers.items()}  # fmt: skip
    with Market(PLAN) as market:
        for moment in moments():
            for _ in market.run(moment):
                pass
            for name in FIVE:
                end = int(np.searchsorted(said[name]["time_ns"], moment))
                books[name].apply(said[name][done[name] : end])
                done[name] = max(end, done[name])
            for name, instrument, side, wanted in ladders(market):
                found = books[name].instrument(publishers[name].key(instrument))
                assert found is not None
                assert books[name].ladder(found, side).tolist() == wanted
                levels[name] += len(wanted)
    for book in books.values():
        assert book.faults() == {}
        book.close()
    assert min(levels.values()) > 5 * MOMENTS


def test_the_loop_ends_with_the_books_that_stand_beside_the_captures(
    made: tuple[Path, Manifest],
) -> None:
    folder, manifest = made
    wanted = load_books(folder)
    files = [folder / file.name for file in manifest.files]
    with BookRun(book_plan(files, folder / CHANNELS, ""), files) as run:
        run.run()
        for name, books in wanted.items():
            publisher, book = publisher_of(PLAN, name), run.books[name]
            for number, symbol in enumerate(PLAN.symbols, 1):
                found = book.instrument(publisher.key(number))
                assert found is not None
                for side, levels in ((a.BUY, books[symbol].bids), (a.SELL, books[symbol].offers)):
                    assert book.ladder(found, side).tolist() == levels
            assert book.faults() == {}
    assert sum(map(len, wanted.values())) > 20


def test_a_market_that_closes_leaves_empty_books_and_says_so(tmp_path: Path) -> None:
    plan = small_plan(seed=2, symbols=2, seconds=1.0)
    make_market(plan, tmp_path)
    assert all(not books for books in load_books(tmp_path).values())
    with Market(plan) as market:
        for _ in market.run(plan.times.open_ns + SECOND_NS // 2):
            pass
        assert any(books_of(market).values())
    publisher = publisher_of(plan, "nyse")
    said = actions_of(publisher, tmp_path / "nyse-a.pcap")
    closed = said[(said["kind"] == a.STATUS) & (said["aux"] & 0xFF == a.STATUS_CLOSED)]
    assert set(closed["key"].tolist()) == {1, 2}
