"""`sweepwire replay` and `sweepwire top`: the loop's counters, from inside and from outside."""

import json
import select
import signal
import subprocess
import sys

import pytest
from console_made import (
    COMMAND,
    ROOT,
    START_NS,
    add_order,
    channel_map,
    delete_order,
    ethernet,
    mold,
    sweepwire,
    udp_frame,
    write,
)

from console import statefile
from console.main import run

WAIT_S = 120


@pytest.fixture
def capture(tmp_path):
    frames = [
        udp_frame(mold(1, [add_order(), delete_order()])),
        ethernet(bytes(60), 0x86DD),
        udp_frame(mold(3, [delete_order(8)])[:-3]),
        udp_frame(mold(4, [add_order(9)]), port=9999),
    ]
    return write(tmp_path / "itch.pcap", frames)


def report(capsys, *arguments):
    code = run(["replay", "--json", "-", *map(str, arguments)])
    return code, json.loads(capsys.readouterr().out)


def test_a_channel_map_is_followed(capsys, capture, tmp_path):
    mapped = channel_map(tmp_path / "map.toml", line="B")
    code, found = report(capsys, capture, "--channels", mapped)
    assert code == 0
    link, channel = found["links"][0], found["channels"][0]
    assert link["status"] == "ended"
    assert link["packets"] == found["packets"] == 4
    assert link["reasons"] == {"ok": 2, "ipv6": 1, "no_channel": 1}
    assert (channel["name"], channel["feed"], channel["line"]) == ("itch", "nasdaq_itch50@5.0", "B")
    assert (channel["packets"], channel["messages"]) == (2, 2)
    assert channel["faults"] == {"bad_length": 1}
    assert channel["last_packet_ns"] == START_NS + 2000
    assert found["feeds"] == {"nasdaq_itch50@5.0": 2}
    assert found["actions"] == {"add": 1, "delete": 1}
    latency = found["latency"]
    assert latency["count"] == 4
    assert 0 < latency["p50_ns"] <= latency["p99_ns"] <= latency["max_ns"]


def test_one_feed_for_everything(capsys, capture):
    code, found = report(capsys, capture, "--feed", "nasdaq_itch50", "--no-measure")
    assert code == 0
    assert found["channels"][0]["messages"] == found["messages"] == 3
    assert found["links"][0]["reasons"] == {"ok": 3, "ipv6": 1}
    assert found["latency"] is None


def test_channels_are_guessed_from_the_packets(capsys, capture):
    code, found = report(capsys, capture)
    assert code == 0
    assert [channel["address"] for channel in found["channels"]] == [
        "233.54.12.111:26477",
        "233.54.12.111:9999",
    ]
    assert found["messages"] == 3


def test_unknown_datagrams_are_counted(capsys, tmp_path):
    noise = write(tmp_path / "noise.pcap", [udp_frame(b"\xff" * 5)] * 3)
    assert run(["replay", str(noise), "--json", "-"]) == 0
    out = capsys.readouterr()
    found = json.loads(out.out)
    assert found["feeds"] == {"counted only": 3}
    assert "counted, not decoded" in out.err


def test_a_damaged_capture_is_said_and_its_packets_count(capsys, capture):
    capture.write_bytes(capture.read_bytes()[:-5])
    assert run(["replay", str(capture), "--feed", "nasdaq_itch50", "--json", "-"]) == 1
    out = capsys.readouterr()
    found = json.loads(out.out)
    assert found["links"][0]["packets"] == 3
    assert found["links"][0]["port"]["rx_errors"] == 1
    assert "truncated" in out.err


def test_two_ports_are_two_links(capsys, capture):
    code, found = report(capsys, capture, f"replay:{capture}", "--feed", "nasdaq_itch50")
    assert code == 0
    assert [link["packets"] for link in found["links"]] == [4, 4]
    assert found["messages"] == 6


def test_the_report_for_people(capsys, capture):
    assert run(["replay", str(capture), "--feed", "nasdaq_itch50", "--burst", "1"]) == 0
    out = capsys.readouterr().out
    assert "replay:itch.pcap" in out
    assert "nasdaq_itch50@5.0" in out
    assert "bad_length" in out
    assert "IPv6" in out
    assert "p99.9" in out
    assert "packets/s" in out


def test_the_report_and_the_state_go_where_asked(capsys, capture, tmp_path):
    state, file = tmp_path / "state", tmp_path / "report.json"
    arguments = ["--feed", "nasdaq_itch50", "--state", str(state), "--json", str(file)]
    assert run(["replay", str(capture), *arguments]) == 0
    assert json.loads(file.read_text())["packets"] == 4
    capsys.readouterr()
    assert run(["top", str(state), "--once", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["packets"] == 4
    assert found["running"] is False
    assert run(["top", str(state)]) == 0  # nothing runs, so it shows once and ends
    assert "ended" in capsys.readouterr().out


def test_top_refuses_what_is_no_state(capsys, capture):
    assert run(["top", str(capture)]) == 2
    said = capsys.readouterr().err
    assert capture.name in said
    assert said.count("\n") == 1


def test_warm_compiles_and_says_where(capsys, tmp_path):
    mapped = channel_map(tmp_path / "map.toml")
    assert run(["warm", "--channels", str(mapped)]) == 0
    out = capsys.readouterr().out
    assert "the loop for nasdaq_itch50@5.0" in out
    assert "kept in" in out
    assert run(["warm", "--feed", "nasdaq_itch50"]) == 0
    assert capsys.readouterr().out.count("from cache") == 3


def slow_replay(tmp_path, *more):
    """A replay that waits ten minutes of capture time for its second packet."""
    frames = [udp_frame(mold(n, [delete_order()])) for n in (1, 2)]
    capture = write(tmp_path / "slow.pcap", frames, step_ns=600 * 10**9)
    arguments = ["replay", str(capture), "--feed", "nasdaq_itch50", "--speed", "1", "--json", "-"]
    return subprocess.Popen(
        [*COMMAND, *arguments, *more], cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )


def when_first_packet_came(name):
    """What another process sees of a loop once it has counted a packet."""
    code = f"""
import json, pathlib, sys, time
from console import statefile
from console.snapshot import snapshot
from nic.block import attach
path = pathlib.Path({name!r}) if "/" in {name!r} else statefile.path_of({name!r})
limit_s = time.monotonic() + {WAIT_S}
while time.monotonic() < limit_s:
    if path.exists():
        with attach(path) as block:
            if snapshot(block)["packets"]:
                print("seen")
                sys.exit()
    time.sleep(0.05)
"""
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout == "seen\n", "the loop counted no packet"


@pytest.mark.parametrize("end", [signal.SIGINT, signal.SIGTERM])
def test_top_sees_a_running_loop_which_ends_tidily(tmp_path, end):
    with slow_replay(tmp_path) as process:
        try:
            name = str(process.pid)
            when_first_packet_came(name)
            done = sweepwire("top", name, "--once", "--json")
            assert done.returncode == 0, done.stderr
            found = json.loads(done.stdout)
            assert (found["pid"], found["alive"], found["running"]) == (process.pid, True, True)
            assert (found["packets"], found["messages"]) == (1, 1)
            done = sweepwire("top", "--once")
            assert b"running" in done.stdout
            assert statefile.path_of(name) in statefile.blocks()
            process.send_signal(end)
            out, said = process.communicate(timeout=WAIT_S)
        finally:
            process.kill()
    assert process.returncode == 130
    assert b"Traceback" not in said
    assert json.loads(out)["packets"] == 1
    assert not statefile.path_of(name).exists()


def test_top_says_that_a_loop_was_killed(capsys, tmp_path):
    state = tmp_path / "state"  # under a name of its own: other loops that start clean up
    with slow_replay(tmp_path, "--state", str(state)) as process:
        when_first_packet_came(str(state))
        process.kill()
        process.communicate()
    assert run(["top", str(state), "--once"]) == 0
    assert "killed: its process is gone" in capsys.readouterr().out


def test_top_follows_until_the_end(tmp_path):
    with slow_replay(tmp_path) as process:
        name = str(process.pid)
        when_first_packet_came(name)
        arguments = [*COMMAND, "top", name, "--json", "--interval", "0.05"]
        with subprocess.Popen(arguments, cwd=ROOT, stdout=subprocess.PIPE) as watching:
            assert json.loads(watching.stdout.readline())["running"] is True
            process.send_signal(signal.SIGINT)
            process.communicate(timeout=WAIT_S)
            ready, _, _ = select.select([watching.stdout], [], [], WAIT_S)
            assert ready
            lines = watching.stdout.read().splitlines()
        assert watching.returncode == 0
    assert json.loads(lines[-1])["running"] is False
