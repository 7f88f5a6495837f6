"""`sweepwire book` and `sweepwire verify-books` over the sample captures."""

from console_made import ROOT, add_order, delete_order, mold, udp_frame, write

from console.main import run
from feedhandler.books.slow import SlowBooks
from feedhandler.protocols.itch50 import ITCH50

SAMPLES = ROOT / "captures" / "samples"
CHANNELS = ["--channels", str(SAMPLES / "channels.toml")]


def samples(*names):
    return [str(SAMPLES / f"{name}.pcap") for name in names]


def spoken(capsys, *arguments):
    code = run([str(argument) for argument in arguments])
    out = capsys.readouterr()
    return code, out.out, out.err


def words(text):
    return [line.split() for line in text.splitlines()]


def test_the_ladder_of_a_symbol_at_a_moment(capsys):
    arguments = ["--venue", "nyse", "--at", "09:30:02.5", "--depth", 2, "--orders"]
    code, out, _ = spoken(capsys, "book", "BRK A", *samples("nyse-a"), *CHANNELS, *arguments)
    assert code == 0
    assert words(out) == [
        "BRK A at 2026-03-16 09:30:02.500000000 EDT".split(),
        "nyse (live)".split(),
        "orders bid size bid offer offer size orders".split(),
        "3 300 72649.99 72650.02 15 1".split(),
        "2 340 72649.97 72650.03 72 3".split(),
        "side price size queue sequence order".split(),
        "bid 72649.99 100 1 211 1212".split(),
        "bid 72649.99 100 2 282 1304".split(),
        "bid 72649.99 100 3 295 1312".split(),
        "bid 72649.97 300 1 170 1183".split(),
        "bid 72649.97 40 2 230 1234".split(),
        "offer 72650.02 15 1 287 1306".split(),
        "offer 72650.03 17 1 251 1261".split(),
        "offer 72650.03 40 2 266 1283".split(),
        "offer 72650.03 15 3 271 1290".split(),
    ]


def test_venues_side_by_side_whatever_way_they_key_the_symbol(capsys):
    files = samples("nasdaq-a", "nasdaq-b", "bzx-a", "nyse-a", "memx-a", "iex-a")
    code, out, _ = spoken(capsys, "book", "AAPL", *files, *CHANNELS, "--depth", 1)
    assert code == 0
    lines = out.splitlines()
    assert [word for word in lines[1].split() if word != "(live)"] == [
        "nasdaq",
        "bzx",
        "nyse",
        "memx",
        "iex",
    ]
    # one line a venue: orders, size, bid, offer, size, orders
    assert lines[3].split()[:6] == ["1", "300", "213.99", "214.01", "104", "1"]


def test_before_the_first_packet_there_is_no_book(capsys):
    arguments = ["--at", "2026-03-16T09:29:59"]
    code, out, _ = spoken(capsys, "book", "SPY", *samples("iex-a"), *CHANNELS, *arguments)
    assert code == 0
    assert "no book yet" in out


def test_what_cannot_be_shown_is_said_in_one_line(capsys):
    files = samples("iex-a")
    for arguments, line in (
        (["NOSUCH"], "no venue in these captures names NOSUCH"),
        (["SPY", "--venue", "moon"], "--venue moon: there are "),
        (["SPY", "--at", "noon"], "--at noon: expected 09:30:01.5 or a date and time"),
        (["SPY", "--at", "09:30:00.x"], "expected at most 9 digits of a second"),
        (["SPY", "--feed", "iex_deepplus"], "--feed excludes --channels"),
    ):
        code, out, err = spoken(capsys, "book", *arguments, *files, *CHANNELS)
        assert (code, out) == (2, "")
        assert line in err
        assert err.count("\n") == 1


def test_samples_are_rebuilt_without_a_difference(capsys):
    files = samples("nasdaq-a", "nasdaq-b", "bzx-a", "nyse-a", "memx-a", "iex-a")
    code, out, err = spoken(capsys, "verify-books", *files, *CHANNELS, "--every", 50)
    assert (code, err) == (0, "")
    assert words(out)[0] == "venue packets actions orders levels faults differences".split()
    assert words(out)[1] == ["nasdaq", "150", "384", "61", "40", "none", "0"]
    assert [line[-1] for line in words(out)[1:]] == ["0"] * 5


def test_a_difference_is_told_and_fails(capsys, monkeypatch):
    monkeypatch.setattr(SlowBooks, "_take", lambda *_: None)  # a model that ignores executions
    code, out, err = spoken(capsys, "verify-books", *samples("memx-a"), *CHANNELS)
    assert code == 1
    assert "memx: instrument" in err
    found = {line[0]: int(line[-1]) for line in words(out)[1:]}
    assert found.pop("memx") > 0
    assert set(found.values()) == {0}


def test_strict_stops_at_the_first_impossible_action(capsys, tmp_path):
    packets = [mold(1, [add_order(7)]), mold(2, [delete_order(8)]), mold(3, [delete_order(7)])]
    file = write(tmp_path / "some.pcap", map(udp_frame, packets))
    arguments = ["verify-books", file, "--feed", "nasdaq_itch50"]
    code, out, _ = spoken(capsys, *arguments)
    assert (code, words(out)[1][-3:]) == (0, ["1", "unknown_order", "0"])
    code, out, err = spoken(capsys, *arguments, "--strict")
    assert code == 1
    assert err == ("sweepwire: packet 2: nasdaq_itch50: unknown_order (its actions: delete)\n")
    assert words(out)[1][1] == "2"


TWO_LINES = """
[[channels]]
name = "nasdaq"
feed = "nasdaq_itch50"
group = "233.54.12.111"
port = 26477
line = "A"

[[channels]]
name = "nasdaq"
feed = "nasdaq_itch50"
group = "233.54.12.112"
port = 26477
line = "B"
"""


def test_book_and_bbo_stop_there_too(capsys, tmp_path):
    about = {"stock": "AAPL", "round_lot_size": 100, "authenticity": "P"}
    listed = ITCH50["R"].encode(stock_locate=5, **about)
    packets = [mold(1, [listed, add_order(7)]), mold(3, [delete_order(8)]), mold(4, [])]
    file = write(tmp_path / "some.pcap", map(udp_frame, packets))
    lines = tmp_path / "lines.toml"
    lines.write_text(TWO_LINES)
    told = "sweepwire: packet 2: nasdaq: unknown_order\n"
    for command in (["book", "AAPL"], ["bbo"]):
        arguments = [*command, file, "--channels", lines]
        code, out, err = spoken(capsys, *arguments)
        assert code == 0, err
        assert "packet 2" not in err
        code, out, err = spoken(capsys, *arguments, "--strict")
        assert (code, err.endswith(told)) == (1, True)
        assert "AAPL at" not in out
