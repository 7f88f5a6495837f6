"""`sweepwire auction` over made captures of four venues."""

from __future__ import annotations

import json

import pytest
from console_made import START_NS, channel_map, mold, udp_frame, write

from captures import PcapWriter
from console.main import run
from feedhandler.registry import versions
from feedhandler.transports.packets import write_packet

CENT = 100
SECOND = START_NS // 10**9
MIDNIGHT = 34_200_000_000_000  # ns of a day at half past nine
VENUES = {
    "nasdaq": ("nasdaq_itch50", "233.0.0.1"),
    "nyse": ("nyse_imbalances@2.5", "233.0.0.2"),
    "bzx": ("cboe_pitch", "233.0.0.3"),
    "iex": ("iex_tops", "233.0.0.4"),
}
MORE = {
    "nyse": {"seq_num": 1},
    "bzx": {"unit": 1, "sequence": 1},
    "iex": {"first_message_sequence_number": 1},
}


def packet_of(venue, sequence, messages):
    """The messages of a venue in one packet."""
    feed = versions(VENUES[venue][0])[0]
    said = [feed.protocol[code].encode(values) for code, values in messages]
    if venue == "nasdaq":
        return mold(sequence, said)
    (name,) = MORE[venue].keys() & {"seq_num", "sequence", "first_message_sequence_number"}
    return write_packet(feed.transport, said, {**feed.header, **MORE[venue], name: sequence})


NASDAQ = [
    ("R", {"stock_locate": 5, "stock": "IBM", "round_lot_size": 100, "authenticity": "P"}),
    (
        "I",
        {
            "stock_locate": 5,
            "timestamp": MIDNIGHT,
            "stock": "IBM",
            "paired_shares": 1_000,
            "imbalance_shares": 400,
            "imbalance_direction": "S",
            "far_price": 4_990 * CENT,
            "near_price": 4_995 * CENT,
            "current_reference_price": 5_000 * CENT,
            "cross_type": "C",
        },
    ),
    (
        "Q",
        {
            "stock_locate": 5,
            "timestamp": MIDNIGHT + 5,
            "stock": "IBM",
            "cross_shares": 1_400,
            "cross_price": 4_998 * CENT,
            "cross_type": "C",
        },
    ),
]
NYSE = [
    (3, {"symbol_index": 9, "symbol": "IBM", "price_scale_code": 4, "system_id": 1}),
    (
        105,
        {
            "source_time": SECOND,
            "source_time_ns": 7,
            "symbol_index": 9,
            "reference_price": 5_000 * CENT,
            "paired_qty": 90_000,
            "total_imbalance_qty": 12_000,
            "market_imbalance_qty": 3_000,
            "auction_type": "C",
            "imbalance_side": "B",
            "continuous_book_clearing_price": 5_010 * CENT,
            "auction_interest_clearing_price": 5_020 * CENT,
            "indicative_match_price": 5_005 * CENT,
        },
    ),
]
BZX = [
    (0x20, {"time": 34_200}),
    (
        0x95,
        {
            "time_offset": 3,
            "symbol_extended": "IBM",
            "auction_type": "C",
            "reference_price": 5_000 * CENT,
            "buy_shares": 300,
            "sell_shares": 100,
            "indicative_price": 5_001 * CENT,
        },
    ),
    (
        0x96,
        {
            "time_offset": 4,
            "symbol_extended": "IBM",
            "auction_opening_type": "C",
            "price": 5_001 * CENT,
            "shares_contracts": 100,
        },
    ),
]
IEX = [
    (
        "A",
        {
            "timestamp": START_NS + 4,
            "auction_type": "C",
            "symbol": "IBM",
            "paired_shares": 55,
            "reference_price": 5_000 * CENT,
            "indicative_clearing_price": 5_002 * CENT,
            "imbalance_shares": 6,
            "imbalance_side": "B",
            "auction_book_clearing_price": 5_003 * CENT,
        },
    ),
    ("A", {"timestamp": START_NS + 9, "symbol": "MSFT", "auction_type": "O"}),
]


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A capture of all four venues' packets, and its channel map."""
    folder = tmp_path_factory.mktemp("auction")
    with PcapWriter(folder / "close.pcap") as out:
        for step, (venue, said) in enumerate(
            {"nasdaq": NASDAQ, "nyse": NYSE, "bzx": BZX, "iex": IEX}.items()
        ):
            frame = udp_frame(packet_of(venue, 1, said), VENUES[venue][1])
            out.write(START_NS + 1_000 * step, frame)
    rows = "".join(
        f'[[channels]]\nname = "{venue}"\nfeed = "{feed}"\ngroup = "{group}"\nport = 26477\n'
        for venue, (feed, group) in VENUES.items()
    )
    (folder / "channels.toml").write_text(rows)
    return [str(folder / "close.pcap"), "--channels", str(folder / "channels.toml")]


def spoken(capsys, *arguments):
    code = run(["auction", *arguments])
    return code, capsys.readouterr()


def test_json_lines_of_all_venues_in_time(made, capsys):
    code, out = spoken(capsys, "IBM", *made, "--json")
    rows = [json.loads(line) for line in out.out.splitlines()]
    assert (code, out.err) == (0, "")
    assert [(row["venue"], row["kind"]) for row in rows] == [
        ("nasdaq", "update"),
        ("nasdaq", "result"),
        ("nyse", "update"),
        ("bzx", "update"),
        ("bzx", "result"),
        ("iex", "update"),
    ]
    assert {row["symbol"] for row in rows} == {"IBM"}
    assert {row["auction"] for row in rows if row["kind"] == "update"} == {"closing"}
    nasdaq, cross, nyse, bzx, summary, iex = rows
    assert (nasdaq["side"], nasdaq["imbalance"], nasdaq["paired"]) == ("sell", 400, 1_000)
    assert (nasdaq["reference"], nasdaq["near"], nasdaq["far"]) == ("50.00", "49.95", "49.90")
    assert (cross["price"], cross["shares"]) == ("49.98", 1_400)
    assert (nyse["side"], nyse["market_imbalance"], nyse["indicative"]) == ("buy", 3_000, "50.05")
    assert (nyse["near"], nyse["far"], nyse["ts_ns"]) == ("50.10", "50.20", SECOND * 10**9 + 7)
    assert (bzx["side"], bzx["paired"], bzx["imbalance"], bzx["far"]) == ("buy", 100, 200, None)
    assert (summary["price"], summary["shares"]) == ("50.01", 100)
    assert (iex["near"], iex["far"], iex["indicative"]) == ("50.02", "50.03", None)


def test_tables_for_people_with_what_each_auction_traded(made, capsys):
    code, out = spoken(capsys, "IBM", *made)
    lines = [line.split() for line in out.out.splitlines()]
    assert code == 0
    assert lines[0] == ["IBM:", "4", "updates"]
    finals = lines[lines.index(["final"]) + 2 :]
    assert [line[:2] for line in finals] == [
        ["nasdaq", "closing"],
        ["bzx", "closing"],
        ["nyse", "closing"],
        ["iex", "closing"],
    ]
    assert finals[0][-7:] == ["49.98", "1,400", "1,000", "400", "sell", "50.00", "49.95"]
    assert finals[2][2:] == ["90,000", "12,000", "buy", "50.00", "50.10"]


def test_a_symbol_of_which_no_auction_is_told(made, capsys, tmp_path):
    code, out = spoken(capsys, "ZZZ", *made)
    assert code == 2
    assert "no venue in these captures names ZZZ" in out.err
    quiet = write(tmp_path / "quiet.pcap", [udp_frame(packet_of("nasdaq", 1, NASDAQ[:1]))])
    channels = channel_map(tmp_path / "channels.toml")
    code, out = spoken(capsys, "IBM", str(quiet), "--channels", str(channels))
    assert (code, out.out) == (1, "IBM: no auction in these captures\n")
