"""What people read: exact prices by the symbol's own scale, meanings of bits, wall clocks."""

import pytest
from console_made import START_NS, udp_frame, write

from console.fieldtext import PriceScales, fields_text, time_of_day
from console.main import run
from console.people import time_text
from console.screen import size
from feedhandler.feed import Message
from feedhandler.registry import versions
from feedhandler.transports.packets import write_packet


@pytest.mark.parametrize(
    ("time_ns", "said"),
    [
        (1_709_303_400_000_000_123, "2024-03-01 09:30:00.000000123 EST"),
        (1_719_840_600_999_999_999, "2024-07-01 09:30:00.999999999 EDT"),
        (0, "1969-12-31 19:00:00.000000000 EST"),
    ],
)
def test_capture_times_are_the_venues_wall_clock(time_ns, said):
    assert time_text(time_ns, "America/New_York") == said


def test_time_of_day_keeps_every_nanosecond():
    assert time_of_day(34_200_000_000_001) == "09:30:00.000000001"
    assert time_of_day(86_399_999_999_999) == "23:59:59.999999999"


def said(feed, code, decimals=None, **values):
    record = feed.protocol[code]
    return fields_text(feed, record, record.decode(record.encode(**values)), decimals)


def test_prices_are_exact_decimals():
    feed = versions("nasdaq_itch50")[0]
    assert " price=0.0001" in said(feed, "A", price=1)
    assert " price=429496.7295" in said(feed, "A", price=2**32 - 1)
    assert " level_1=0.00000001 " in said(feed, "V", level_1=1)


def test_bits_are_named():
    text = said(versions("cboe_pitch")[0], 34, add_order_flags=1)
    assert "add_order_flags=0x1 (display)" in text
    assert "add_order_flags=0x0" in said(versions("cboe_pitch")[0], 34)


def test_epoch_times_are_shown_as_wall_clock():
    text = said(versions("iex_deep")[0], "8", timestamp=START_NS)
    assert f"timestamp={START_NS} (09:30:00.000000123)" in text


def test_prices_take_the_scale_that_the_symbol_was_announced_with():
    feed = versions("nyse_integrated@2.5")[0]
    mapping = next(r for r in feed.protocol.records if "price_scale_code" in r.by_name)
    add = feed.protocol[100]
    scales = PriceScales()
    order = Message(add, add.decode(add.encode(symbol_index=9, price=12345)), 0)
    assert scales.of(feed, order) is None
    announced = mapping.decode(mapping.encode(symbol_index=9, price_scale_code=4))
    scales.learn(feed, Message(mapping, announced, 0))
    assert scales.of(feed, order) == 4
    other = Message(add, add.decode(add.encode(symbol_index=8)), 0)
    assert scales.of(feed, other) is None
    assert " price=1.2345 " in fields_text(feed, add, order.values, 4)
    assert " price=12345 (scale unknown) " in fields_text(feed, add, order.values, None)


def test_the_scale_is_learned_from_the_capture_itself(capsys, tmp_path):
    feed = versions("nyse_integrated@2.5")[0]
    mapping = next(r for r in feed.protocol.records if "price_scale_code" in r.by_name)
    messages = [
        mapping.encode(symbol_index=9, price_scale_code=6),
        feed.protocol[100].encode(symbol_index=9, price=12_345_678),
    ]
    frames = [udp_frame(write_packet(feed.transport, [m], feed.header)) for m in messages]
    capture = write(tmp_path / "nyse.pcap", frames)
    assert run(["decode", str(capture), "--feed", "nyse_integrated@2.5"]) == 0
    assert " price=12.345678 " in capsys.readouterr().out


def test_groups_are_shown_as_lists():
    feed = versions("cboe_boe")[0]
    record = feed.protocol[55]
    values = {"g": [{"unit": 1}, {"unit": 2}], "n": [1, 2], "username": "ABC"}
    assert fields_text(feed, record, values, None) == (
        "g=[{unit=1}, {unit=2}] n=[1, 2] username=ABC"
    )


@pytest.mark.parametrize(
    ("value", "said"),
    [(0, "0 B"), (999, "999 B"), (1000, "1.00 kB"), (1.5e9, "1.50 GB"), (5e18, "5000000.00 TB")],
)
def test_sizes_have_decimal_prefixes(value, said):
    assert size(value) == said
