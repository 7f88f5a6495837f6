"""`sweepwire decode -`: packets are printed while the capture is still being written."""

import json
import os
import select
import subprocess

import pytest
from console_made import COMMAND, ROOT, delete_order, mold, sweepwire, udp_frame, write

WAIT_S = 60  # only reached when nothing is printed


def line_while_open(process):
    """The first line of a process whose input is still open."""
    ready, _, _ = select.select([process.stdout], [], [], WAIT_S)
    assert ready, "no line came before the writer closed"
    return json.loads(process.stdout.readline())


def start(source, **pipes):
    arguments = [*COMMAND, "decode", source, "--jsonl"]
    return subprocess.Popen(arguments, cwd=ROOT, stdout=subprocess.PIPE, **pipes)


@pytest.fixture
def pieces(tmp_path):
    """A capture of two packets, cut behind the first."""
    frames = [udp_frame(mold(n, [delete_order(n)])) for n in (1, 2)]
    data = write(tmp_path / "whole.pcap", frames).read_bytes()
    size = (len(data) - 24) // 2
    return data[: 24 + size], data[24 + size :]


def test_standard_input_is_decoded_as_it_comes(pieces):
    with start("-", stdin=subprocess.PIPE) as process:
        process.stdin.write(pieces[0])
        process.stdin.flush()
        first = line_while_open(process)
        process.stdin.write(pieces[1])
        process.stdin.close()
        second = json.loads(process.stdout.readline())
        assert process.stdout.readline() == b""
    assert process.returncode == 0
    assert [m["fields"]["order_reference_number"] for m in first["messages"]] == [1]
    assert [m["fields"]["order_reference_number"] for m in second["messages"]] == [2]
    assert (first["frame"], second["frame"]) == (1, 2)


def test_a_named_pipe_is_decoded_as_it_comes(pieces, tmp_path):
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    with start(str(fifo)) as process, fifo.open("wb", buffering=0) as writer:
        writer.write(pieces[0])
        assert line_while_open(process)["frame"] == 1
        writer.write(pieces[1])
        assert line_while_open(process)["frame"] == 2
        writer.close()
        process.wait(WAIT_S)
    assert process.returncode == 0


def test_a_reader_that_goes_away_ends_it_quietly(tmp_path):
    frames = [udp_frame(mold(n, [delete_order(n)] * 20)) for n in range(2000)]
    capture = write(tmp_path / "long.pcap", frames)
    arguments = [*COMMAND, "decode", str(capture), "--jsonl", "--feed", "nasdaq_itch50"]
    with subprocess.Popen(
        arguments, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        process.stdout.readline()
        process.stdout.close()
        said = process.stderr.read()
    assert said == b""
    assert process.returncode == 141


def test_text_on_standard_input_is_refused_in_one_line():
    done = sweepwire("decode", "-", stdin=b"this is no capture, only text\n" * 4)
    assert done.returncode == 2
    assert done.stderr.count(b"\n") == 1
    assert done.stderr.startswith(b"sweepwire: ")
