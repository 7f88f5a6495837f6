"""`sweepwire decode`: what it prints, for machines and for people."""

import json

import pytest
from console_made import (
    GROUP,
    PORT,
    START_NS,
    add_order,
    channel_map,
    delete_order,
    ethernet,
    mold,
    tcp_frame,
    udp_frame,
    write,
)

from console.main import run
from feedhandler.registry import versions
from feedhandler.transports.packets import write_packet

IPV6_FRAME = ethernet(bytes(60), 0x86DD)


def rows(capsys, *arguments):
    code = run(["decode", "--jsonl", *map(str, arguments)])
    out = capsys.readouterr()
    return code, [json.loads(line) for line in out.out.splitlines()], out.err


@pytest.fixture
def capture(tmp_path):
    frames = [
        udp_frame(mold(10, [])),
        udp_frame(mold(10, [add_order(), delete_order()])),
        IPV6_FRAME,
        udp_frame(mold(12, [delete_order(8)])[:-3]),
    ]
    return write(tmp_path / "itch.pcap", frames)


def test_jsonl_has_one_object_a_packet_with_raw_values(capsys, capture):
    code, found, complaints = rows(capsys, capture, "--feed", "nasdaq_itch50@5.0")
    assert code == 0
    assert complaints == ""
    assert list(found[1]) == ["frame", "ts_ns", "header", "messages"]
    assert found[1]["frame"] == 2
    assert found[1]["ts_ns"] == START_NS + 1000
    assert found[1]["header"] == {
        "session": "SESSION001",
        "sequence_number": 10,
        "message_count": 2,
    }
    assert found[1]["messages"][0] == {
        "code": "A",
        "name": "add order no mpid attribution",
        "fields": {
            "stock_locate": 5,
            "tracking_number": 0,
            "timestamp": 34_200_000_000_001,
            "order_reference_number": 7,
            "buy_sell_indicator": "B",
            "shares": 100,
            "stock": "AAPL",
            "price": 1_234_500,
        },
    }
    assert found[0] == {"frame": 1, "ts_ns": START_NS, "header": found[0]["header"], "messages": []}
    assert found[2]["skipped"] == "ipv6"
    assert found[3]["messages"] == []
    assert [fault["reason"] for fault in found[3]["faults"]] == ["bad_length"]
    assert found[3]["faults"][0]["offset"] == 20


def test_a_guess_is_said_once_and_named_in_each_object(capsys, capture):
    code, found, complaints = rows(capsys, capture)
    assert code == 0
    assert found[0]["feed"] == found[1]["feed"] == "nasdaq_itch50@5.0"
    assert complaints.count("guessed") == 1
    assert f"{GROUP}:{PORT}" in complaints
    assert "bx_itch50@5.0" in complaints  # the same tables: it could be any of the three


def test_packets_of_no_known_feed_are_shown_as_such(capsys, tmp_path):
    capture = write(tmp_path / "noise.pcap", [udp_frame(b"\xff" * 5, "239.1.2.3", 9)])
    code, found, complaints = rows(capsys, capture)
    assert (code, complaints) == (0, "")
    assert found[0]["feed"] is None
    assert found[0]["messages"] == []


def test_a_guess_is_taken_back_when_another_feed_fits(capsys, tmp_path):
    feed = versions("iex_deep")[0]
    message = feed.protocol["8"].encode(symbol="AAPL", size=100, price=1)
    header = {**feed.header, "version": 1, "message_protocol_id": 0x8004}
    packet = write_packet(feed.transport, [message], header)
    frames = [udp_frame(mold(1, [delete_order()])), udp_frame(packet), udp_frame(packet)]
    code, found, complaints = rows(capsys, write(tmp_path / "two.pcap", frames))
    assert code == 0
    assert found[0]["feed"] == "nasdaq_itch50@5.0"
    assert found[1]["feed"] == found[2]["feed"] == feed.full_name
    assert "no longer nasdaq_itch50@5.0" in complaints


def test_channel_map_names_the_feed_and_leaves_the_rest(capsys, tmp_path):
    frames = [
        udp_frame(mold(1, [delete_order()])),
        udp_frame(mold(1, [delete_order()]), port=PORT + 1),
    ]
    capture = write(tmp_path / "a.pcap", frames)
    mapped = channel_map(tmp_path / "map.toml")
    code, found, complaints = rows(capsys, capture, "--channels", mapped)
    assert (code, complaints) == (0, "")
    assert found[0]["messages"][0]["code"] == "D"
    assert found[0]["feed"] == "nasdaq_itch50@5.0"
    assert found[1]["skipped"] == "no_channel"


def test_several_files_are_merged_by_time_and_named(capsys, tmp_path):
    first = write(tmp_path / "a.pcap", [udp_frame(mold(n, [delete_order()])) for n in (1, 3)])
    second = write(tmp_path / "b.pcap", [udp_frame(mold(2, [delete_order()]))], step_ns=1)
    code, found, _ = rows(capsys, first, second, "--feed", "nasdaq_itch50")
    assert code == 0
    assert [row["frame"] for row in found] == [1, 2, 3]
    assert [row["file"] for row in found] == [str(first), str(second), str(first)]


def test_a_message_over_two_segments_is_in_the_packet_that_ends_it(capsys, tmp_path):
    feed = versions("nasdaq_ouch50")[0]
    outer = next(r for r in feed.protocol.records if r.code == "U")
    inner = feed.inner["U"]["X"].encode(user_ref_num=5, quantity=9)
    whole = outer.encode(packet_length=len(inner) + 1) + inner
    frames = [tcp_frame(whole[:4], 100), tcp_frame(b"", 104), tcp_frame(whole[4:], 104)]
    capture = write(tmp_path / "ouch.pcap", frames)
    code, found, _ = rows(capsys, capture, "--feed", "nasdaq_ouch50")
    assert code == 0
    assert [len(row["messages"]) for row in found] == [0, 0, 1]
    message = found[2]["messages"][0]
    assert message["code"] == "X"
    assert message["fields"] == {"user_ref_num": 5, "quantity": 9}
    assert message["envelope"]["packet_type"] == "U"
    assert not any("faults" in row for row in found)


def test_a_datagram_feed_does_not_read_tcp(capsys, tmp_path):
    capture = write(tmp_path / "tcp.pcap", [tcp_frame(mold(1, [delete_order()]), 1)])
    _, found, _ = rows(capsys, capture, "--feed", "nasdaq_itch50")
    assert found[0]["skipped"] == "tcp"


def test_limit_stops_after_so_many_packets(capsys, capture):
    _, found, _ = rows(capsys, capture, "--feed", "nasdaq_itch50", "--limit", "2")
    assert [row["frame"] for row in found] == [1, 2]


def test_lines_for_people(capsys, capture):
    assert run(["decode", str(capture), "--feed", "nasdaq_itch50"]) == 0
    out = capsys.readouterr()
    lines = out.out.splitlines()
    assert lines[1].startswith(
        "2 2024-03-01 09:30:00.000001123 EST nasdaq_itch50@5.0 #10 A add order"
    )
    assert "price=123.45" in lines[1]
    assert "buy_sell_indicator=B (buy)" in lines[1]
    assert "timestamp=34200000000001 (09:30:00.000000001)" in lines[1]
    assert lines[2].split()[5] == "#11"
    assert "! bad_length at byte 20" in lines[3]
    assert "1 of 4 packets not shown: 1 ipv6" in out.err


def test_stats_count_by_feed_and_type(capsys, capture):
    assert run(["decode", str(capture), "--feed", "nasdaq_itch50", "--stats", "--jsonl"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["packets"] == 4
    assert found["message_count"] == 2
    assert {(m["code"], m["count"]) for m in found["messages"]} == {("A", 1), ("D", 1)}
    assert found["faults"] == [{"feed": "nasdaq_itch50@5.0", "reason": "bad_length", "count": 1}]
    assert found["skipped"] == {"ipv6": 1}
    assert run(["decode", str(capture), "--feed", "nasdaq_itch50", "--stats"]) == 0
    assert "D order delete" in capsys.readouterr().out


def test_a_damaged_capture_is_shown_as_far_as_it_goes(capsys, capture):
    capture.write_bytes(capture.read_bytes()[:-5])
    code, found, complaints = rows(capsys, capture, "--feed", "nasdaq_itch50")
    assert code == 1
    assert len(found) == 3
    assert "truncated" in complaints
    assert capture.name in complaints
