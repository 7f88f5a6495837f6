"""Channel maps: the file form, what is refused, and the look-up by address and VLAN."""

import datetime
from ipaddress import IPv4Address

import pytest

from feedhandler.channelfile import ChannelMap, load_channels, sample_channels_path
from nic.configfile import ConfigError, parse

ONE = '[[channels]]\nname = "a"\nfeed = "nasdaq_itch50"\ngroup = "233.54.12.111"\nport = 26477\n'
TWO = ONE.replace("26477", "26478") + 'line = "B"\n'


def test_a_map_is_read(tmp_path):
    path = tmp_path / "map.toml"
    path.write_text("date = 2024-03-01\n" + ONE + "vlan = 7\n" + TWO + "date = 2024-07-01\n")
    made = load_channels(path)
    first, second = made.channels
    assert (first.name, first.port, first.vlan, first.line) == ("a", 26477, 7, "A")
    assert first.feeds[0].full_name == "nasdaq_itch50@5.0"
    assert (made.date, second.date) == (datetime.date(2024, 3, 1), datetime.date(2024, 7, 1))
    # midnight in New York, in winter and in summer
    assert made.midnight_ns(first) == 1_709_269_200 * 10**9
    assert made.midnight_ns(second) == 1_719_806_400 * 10**9


def test_without_a_date_midnight_is_unknown():
    made = parse(ONE, ChannelMap, "map.toml")
    assert made.midnight_ns(made.channels[0]) == 0


def test_a_channel_with_the_vlan_comes_before_one_for_any():
    made = parse(ONE + TWO + ONE + "vlan = 5\n", ChannelMap, "map.toml")
    address = int(IPv4Address("233.54.12.111"))
    assert made.find(address, 26477, 0) is made.channels[0]
    assert made.find(address, 26477, 4) is made.channels[0]
    assert made.find(address, 26477, 5) is made.channels[2]
    assert made.find(address, 26478, 5) is made.channels[1]
    assert made.find(address, 26479, 0) is None
    assert made.find(address + 1, 26477, 0) is None


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("26477", '"x"', 'channels[0].port: expected int, found "x"'),
        ("26477", "0", "channels[0].port: expected int >= 1, found 0"),
        ("26477", "65536", "channels[0].port: expected int <= 65535, found 65536"),
        ("port", "prot", "channels[0].prot: unknown key, did you mean port?"),
        ("233.54.12.111", "233.54.12", "channels[0].group: expected an IPv4 address"),
        ("233.54.12.111", "0.0.0.0", "channels[0].group: expected an IPv4 address other than"),
        ("nasdaq_itch50", "nasdaq", "channels[0].feed: no feed 'nasdaq'"),
        ("nasdaq_itch50", "nasdaq_itch50@4", "channels[0].feed: feed 'nasdaq_itch50' has no"),
        ("port = 26477", "", "channels[0].port: missing"),
        ("port = 26477", "port = 1\nvlan = 4095", "channels[0].vlan: expected int <= 4094"),
        ("port = 26477", 'port = 1\nline = "C"', 'channels[0].line: expected "A" or "B"'),
        ("[[channels]]", "[channels]", "channels: expected array, found a table"),
    ],
)
def test_what_is_refused(old, new, said):
    with pytest.raises(ConfigError) as caught:
        parse(ONE.replace(old, new), ChannelMap, "map.toml")
    assert str(caught.value).startswith(f"map.toml: {said}")


def test_one_address_has_one_channel():
    with pytest.raises(
        ConfigError, match=r"channels\[1\] and channels\[0\] are both 233.54.12.111"
    ):
        parse(ONE + ONE, ChannelMap, "map.toml")


def test_an_empty_map_is_refused(tmp_path):
    path = tmp_path / "map.toml"
    path.write_text("channels = []\n")
    with pytest.raises(ConfigError, match="expected at least one"):
        load_channels(path)


def test_the_shipped_map_is_good():
    path = sample_channels_path()
    if path is None:
        pytest.skip("no sample captures in this checkout")
    assert load_channels(path).channels
