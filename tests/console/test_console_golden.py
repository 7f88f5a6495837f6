"""`sweepwire decode --jsonl` of every real capture against the independent decode of it."""

import gzip
import json
import subprocess
from subprocess import PIPE

from console_made import COMMAND, ROOT

from console.main import run
from feedhandler.registry import names

HEARTBEATS_ONLY = {  # nothing in them tells one feed of a transport from another
    "iex_deep/Deep.IexTp.v1.0__Heartbeat.pcap",
    "memx_memoir/Equities.MemiorDepth.v1.3__Heartbeat.pcap",
}


LIKE_INTEGRATED = {  # what the feeds of a NYSE market share, the imbalance included
    "nyse_bbo/Bbo.Xdp.v2.3a__SequenceNumberResetMessage.pcap",
    "nyse_bbo/Bbo.Xdp.v2.3a__SymbolIndexMappingMessage.pcap",
    "nyse_imbalances/ImbalancesFeed.Xdp.v2.1.f__ImbalanceMessage.pcap",
    "nyse_imbalances/ImbalancesFeed.Xdp.v2.1.f__SequenceResetMessage.pcap",
}
# The other decoder's versions differ in their names of fields: see tests/golden.
OTHER_NAMES = ("nasdaq_uqdf", "siac_cqs", "siac_cts", "cme_mdp3")


def captures_of(folder):
    rows = json.loads((folder / "manifest.json").read_text())
    return [row for row in rows if row["venue"] in names()]


def feed_of(row):
    """The feed of a capture: one folder has packets of UDP and of TCP."""
    by_tcp = (row["venue"] == "cme_mdp3" and "Tcp" in row["name"]) or "LongQty" in row["name"]
    return "cme_tcp" if by_tcp else row["venue"]


def decoded(capsys, *arguments):
    code = run(["decode", "--jsonl", *map(str, arguments)])
    out = capsys.readouterr()
    return code, [json.loads(line) for line in out.out.splitlines()], out.err


def check_packet(found, expected):
    assert found["frame"] == expected["frame"]
    assert found["ts_ns"] == expected["ts_ns"]
    assert "faults" not in found
    assert "skipped" not in found
    for name, value in expected["packet_header"].items():
        if isinstance(value, int | str) and name in found["header"]:
            assert found["header"][name] == value, name
    assert len(found["messages"]) == len(expected["messages"])
    for ours, theirs in zip(found["messages"], expected["messages"], strict=True):
        check_message(ours, theirs)


def check_message(ours, theirs):
    assert ours["code"] == theirs.get("code", theirs["header"].get("message_type"))
    raw = theirs.get("raw", {})
    assert {name for name in theirs["fields"] if not name.startswith("_")} == set(ours["fields"])
    for name, value in ours["fields"].items():
        stated = theirs["fields"][name]
        if isinstance(stated, dict):
            stated = stated["_raw"]
        wire = raw.get(name, stated)
        if isinstance(value, int) and isinstance(wire, int):
            assert value == wire, name
        elif isinstance(value, int) and name.startswith("reserved"):
            assert value == int.from_bytes(bytes.fromhex(wire), "little"), name
        elif isinstance(value, str):
            assert value in (wire, stated) or value == str(stated).rstrip(), name


def test_every_capture_by_its_feed(capsys, real_captures):
    for row in captures_of(real_captures):
        file = real_captures / row["file"]
        code, found, complaints = decoded(capsys, file, "--feed", feed_of(row))
        assert (code, complaints) == (0, ""), file
        expected = json.loads(file.with_suffix(".json").read_text())["packets"]
        assert len(found) == len(expected), file
        for ours, theirs in zip(found, expected, strict=True):
            if row["venue"] not in OTHER_NAMES:
                check_packet(ours, theirs)
            else:
                assert "faults" not in ours, file
                assert len(ours["messages"]) == len(theirs["messages"]), file


def test_every_capture_without_saying_its_feed(capsys, real_captures):
    for row in captures_of(real_captures):
        file = real_captures / row["file"]
        code, found, _ = decoded(capsys, file)
        assert code == 0, file
        guessed = {packet["feed"].split("@")[0] for packet in found if packet["feed"]}
        venue = "nyse_integrated" if row["file"] in LIKE_INTEGRATED else feed_of(row)
        assert guessed == (set() if row["file"] in HEARTBEATS_ONLY else {venue}), file


def test_the_large_capture_whole(real_captures, tmp_path):
    file = real_captures / "large" / "goiex_DEEP10.pcap.gz"
    lines, messages = tmp_path / "deep.jsonl", 0
    arguments = [*COMMAND, "decode", "--jsonl", str(file), "--feed", "iex_deep"]
    with lines.open("wb") as out:
        done = subprocess.run(arguments, cwd=ROOT, stdout=out, stderr=PIPE, check=False)
    assert done.returncode == 1  # its last record is cut
    assert b"truncated" in done.stderr
    expected = file.with_name("goiex_DEEP10.pcap.ndjson.gz")
    with lines.open() as ours, gzip.open(expected, "rt") as theirs:
        for one, other in zip(ours, theirs, strict=True):
            packet = json.loads(one)
            check_packet(packet, json.loads(other))
            messages += len(packet["messages"])
    assert packet["frame"] == 121_314
    assert messages == 391_999
