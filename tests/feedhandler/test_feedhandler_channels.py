"""Channel look-up against a dict."""

from ipaddress import IPv4Address

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numba import njit

from feedhandler.channelmap import ChannelAddress, fill, slot_count
from feedhandler.channels import NO_CHANNEL, SLOT_DTYPE, TABLE_DTYPE, find_channel
from nic import regions
from nic.block import create

GROUPS = st.integers(int(IPv4Address("224.0.0.0")), int(IPv4Address("224.0.0.20")))
PORTS = st.integers(20000, 20004)
VLANS = st.sampled_from([0, 0, 7, 4094])
ADDRESSES = st.builds(
    lambda group, port, vlan: ChannelAddress(str(IPv4Address(group)), port, vlan),
    GROUPS,
    PORTS,
    VLANS,
)


@njit
def find(table, group, udp_port, vlan):
    return find_channel(table, group, udp_port, vlan)


def table_of(addresses, default=NO_CHANNEL):
    slots = slot_count(max(1, len(addresses)))
    block = create([("table", TABLE_DTYPE, 1), ("slots", SLOT_DTYPE, slots)])
    fill(block["table"], block["slots"], addresses, default_channel=default)

    def look_up(group, udp_port, vlan=0):
        number = np.uint64(int(IPv4Address(group)))
        with regions.allowed(block):
            table = np.uint64(block.section_address("table"))
            return find(table, number, np.uint64(udp_port), np.uint64(vlan))

    return look_up


@settings(max_examples=60, deadline=None)
@given(
    st.lists(ADDRESSES, unique=True, max_size=40),
    st.lists(st.tuples(GROUPS, PORTS, VLANS), max_size=20),
    st.sampled_from([NO_CHANNEL, 3]),
)
def test_look_up_is_that_of_a_dict(addresses, others, default):
    look_up = table_of(addresses, default)
    model = {(a.group, a.udp_port, a.vlan): channel for channel, a in enumerate(addresses)}
    wanted = [*model, *((str(IPv4Address(group)), port, vlan) for group, port, vlan in others)]
    for group, port, vlan in wanted:
        on_any_vlan = model.get((group, port, 0), default)
        expected = model.get((group, port, vlan), on_any_vlan)
        assert look_up(group, port, vlan) == expected


def test_a_channel_on_any_vlan_takes_tagged_and_untagged_frames():
    look_up = table_of([ChannelAddress("233.54.12.111", 26477)])
    assert look_up("233.54.12.111", 26477) == 0
    assert look_up("233.54.12.111", 26477, vlan=99) == 0
    assert look_up("233.54.12.111", 26478) == NO_CHANNEL


def test_a_thousand_channels_are_all_found():
    addresses = [ChannelAddress(f"224.0.{i // 250}.{i % 250}", 30000 + i) for i in range(1000)]
    look_up = table_of(addresses)
    assert [look_up(a.group, a.udp_port) for a in addresses] == list(range(1000))


@pytest.mark.parametrize(
    ("address", "message"),
    [
        (ChannelAddress("0.0.0.0", 1), "group 0.0.0.0"),
        (ChannelAddress("224.0.0.1", 0), "udp_port 0"),
        (ChannelAddress("224.0.0.1", 70000), "udp_port 70000"),
        (ChannelAddress("224.0.0.1", 1, 4095), "vlan 4095"),
        (ChannelAddress("224.0.0", 1), "224.0.0"),
    ],
)
def test_a_wrong_address_is_named(address, message):
    with pytest.raises(ValueError, match=message):
        table_of([address])


def test_repeated_addresses_and_small_tables_are_refused():
    address = ChannelAddress("224.0.0.1", 1)
    with pytest.raises(ValueError, match="channels 0 and 1"):
        table_of([address, address])
    with pytest.raises(ValueError, match="2 slots"):
        fill(np.zeros(1, TABLE_DTYPE), np.zeros(2, SLOT_DTYPE), [address] * 3)
