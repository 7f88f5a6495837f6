"""The two lines: addresses, times, frames with right checksums, captures and their channel map."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import dpkt
import numpy as np
import pytest
from event_rig import DAY, LISTINGS, events_of
from publishing_rig import PROTOCOLS, whole_day
from scapy.layers.inet import IP, UDP
from scapy.layers.l2 import Ether

from captures import merge_captures, open_capture
from feedhandler.channelfile import load_channels
from feedhandler.datagrams import datagrams
from feedhandler.registry import decode
from simulator.publishing.layout import PACKET_DTYPE
from simulator.publishing.lines import Framer, LineCapture, capture_path, channel_map, lines_of
from simulator.publishing.linestream import LineStream
from simulator.publishing.packets import Packets, join
from simulator.publishing.publisher import Publisher
from simulator.publishing.venues import VENUES

EVENTS = events_of(31, 1_500)


def captured(venue: str, folder: Path, seed: int = 0, cuts: int = 1) -> dict[str, Packets]:
    """Both lines of a day as captures in a folder; gives what arrived, by line."""
    publisher = Publisher(venue, LISTINGS, DAY, seed=seed)
    day, made = whole_day(publisher, EVENTS), {}
    for line in lines_of(publisher.venue):
        stream = LineStream(line, seed=seed)
        with LineCapture(capture_path(folder, line), line) as capture:
            parts = np.array_split(np.arange(len(day)), cuts)
            arrived = [stream.carry(day.take(part)) for part in parts]
            for packets in arrived:
                capture.write(packets)
        made[line.name] = join(arrived)
    return made


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Captures of a day of each protocol."""
    made = tmp_path_factory.mktemp("made")
    for venue in PROTOCOLS:
        captured(venue, made)
    text = channel_map([VENUES[name] for name in PROTOCOLS], DAY)
    (made / "channels.toml").write_text(text)
    return made


def frames_of(path: Path) -> list[tuple[int, bytes]]:
    """(time, frame) of a capture."""
    with open_capture(path) as capture:
        return [(frame.timestamp_ns, bytes(frame.data)) for frame in capture.frames()]


@pytest.mark.parametrize("venue", PROTOCOLS)
@pytest.mark.parametrize("number", [0, 1])
def test_dpkt_agrees_on_addresses_lengths_and_checksums(
    folder: Path, venue: str, number: int
) -> None:
    line = lines_of(VENUES[venue])[number]
    with capture_path(folder, line).open("rb") as file:
        packets = list(dpkt.pcap.Reader(file))
    assert len(packets) > 1_000
    for _, raw in packets:
        ether = dpkt.ethernet.Ethernet(raw)
        ip, udp = ether.data, ether.data.data
        assert len(raw) >= 60 and ip.len == 28 + len(udp.data) and udp.ulen == 8 + len(udp.data)
        assert (ip.src, ip.dst) == (packed(line.source), packed(line.group))
        assert (udp.sport, udp.dport) == (line.port, line.port)
        assert ether.dst == b"\x01\x00\x5e" + bytes([ip.dst[1] & 0x7F]) + ip.dst[2:]
        assert dpkt.in_cksum(bytes(raw[14:34])) == 0
        pseudo = ip.src + ip.dst + bytes([0, 17]) + udp.ulen.to_bytes(2, "big")
        assert udp.sum != 0 and dpkt.in_cksum(pseudo + raw[34 : 34 + udp.ulen]) == 0


@pytest.mark.parametrize("venue", PROTOCOLS)
def test_scapy_computes_the_same_frames(folder: Path, venue: str) -> None:
    line = lines_of(VENUES[venue])[0]
    for _, raw in frames_of(capture_path(folder, line))[::40]:
        packet = Ether(raw)
        assert packet[IP].dst == line.group and packet[UDP].dport == line.port
        for layer, names in ((IP, ("len", "chksum")), (UDP, ("len", "chksum"))):
            for name in names:
                packet[layer].delfieldval(name)
        assert bytes(packet) == raw


@pytest.mark.parametrize("venue", PROTOCOLS)
def test_tshark_finds_nothing_malformed(folder: Path, venue: str) -> None:
    tshark = shutil.which("tshark")
    if tshark is None:
        pytest.skip("tshark is not installed")
    for line in lines_of(VENUES[venue]):
        checks = ["-o", "ip.check_checksum:TRUE", "-o", "udp.check_checksum:TRUE"]
        wrong = "_ws.malformed || ip.checksum.status == 0 || udp.checksum.status == 0"
        if venue == "nasdaq":  # the one transport of these that tshark knows by name
            checks += ["-d", f"udp.port=={line.port},moldudp64"]
        path = str(capture_path(folder, line))
        found = subprocess.run(
            [tshark, "-r", path, *checks, "-Y", wrong], capture_output=True, text=True, check=True
        )
        assert found.stdout == ""


@pytest.mark.parametrize("venue", VENUES)
def test_both_lines_bring_the_same_payloads_b_a_little_later(venue: str, tmp_path: Path) -> None:
    lines = captured(venue, tmp_path)
    one, two = lines["A"], lines["B"]
    assert [raw for _, raw in one] == [raw for _, raw in two]
    behind = two.rows["time_ns"] - one.rows["time_ns"]
    model = VENUES[venue]
    assert abs(np.median(behind) - model.lag_ns) <= model.jitter_ns
    assert len(np.unique(behind)) > 50  # jitter
    for name, packets in lines.items():
        path = tmp_path / f"{venue}-{name.lower()}.pcap"
        assert [time_ns for time_ns, _ in frames_of(path)] == packets.rows["time_ns"].tolist()
        assert (np.diff(packets.rows["time_ns"]) >= 0).all()


@pytest.mark.parametrize("venue", PROTOCOLS)
def test_the_same_seed_gives_the_same_captures(folder: Path, venue: str, tmp_path: Path) -> None:
    captured(venue, tmp_path, cuts=17)
    for line in lines_of(VENUES[venue]):
        again = capture_path(tmp_path, line).read_bytes()
        assert again == capture_path(folder, line).read_bytes()
    captured(venue, tmp_path, seed=1)
    line = lines_of(VENUES[venue])[0]
    assert capture_path(tmp_path, line).read_bytes() != again


def test_the_channel_map_finds_every_packet_its_feed(folder: Path) -> None:
    channels = load_channels(folder / "channels.toml")
    assert channels.date == DAY and len(channels.channels) == 2 * len(PROTOCOLS)
    for venue in PROTOCOLS:
        for line in lines_of(VENUES[venue]):
            with merge_captures([capture_path(folder, line)]) as capture:
                for datagram in datagrams(capture):
                    channel = channels.find(datagram.destination_ip, datagram.destination_port, 0)
                    assert channel is not None
                    assert (channel.name, channel.line) == (venue, line.name)
                    assert not decode(channel.feeds[0], datagram.payload).faults


def packed(address: str) -> bytes:
    """An IPv4 address as 4 bytes."""
    return bytes(map(int, address.split(".")))


def test_a_checksum_of_zero_is_sent_as_ones() -> None:
    """0 says that there is none: a payload that makes the sum all ones gets the other zero."""
    rows = np.zeros(1, PACKET_DTYPE)
    rows["length"] = 2
    framer = Framer(lines_of(VENUES["iex"])[0])
    blank = framer.frames(Packets(rows, np.zeros(2, np.uint8)))
    checksum = blank.data[40:42].copy()
    assert checksum.any()
    assert framer.frames(Packets(rows, checksum)).data[40:44].tobytes() == b"\xff\xff" + bytes(
        checksum
    )
