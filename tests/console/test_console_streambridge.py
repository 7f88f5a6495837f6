"""The stream over a real ZeroMQ socket on the loopback."""

from __future__ import annotations

import time

import numpy as np
import pytest

pytest.importorskip("zmq", reason="pyzmq, the extra `stream`, is not installed")

from market_rig import Rig

from console.streambridge import StreamBridge
from console.streamclient import StreamClient
from feedhandler.actions import BUY, STATUS_TRADING
from feedhandler.consolidated.slow import SlowVenue
from feedhandler.consolidated.streamformat import KINDS, STREAM_DTYPE
from feedhandler.consolidated.streamwire import BATCH, Message
from feedhandler.consolidated.subscriptions import Subscription
from nic.configfile import ConfigError

WAIT_S = 20


@pytest.fixture
def rig():
    made = Rig([SlowVenue(), SlowVenue()])
    made.market.set_instrument(1, "BRK.A")
    for venue in range(2):
        made.status(venue, 1, STATUS_TRADING)
    yield made
    made.close()


def wait_for_directory(bridge, client):
    """PUB forgets what is sent before a receiver has joined: until it has, nothing is asked."""
    deadline = time.monotonic() + WAIT_S
    while not client.names:
        bridge._told_s = -1e9
        bridge.poll()
        client.receive(20)
        assert time.monotonic() < deadline, "the receiver never joined"


def test_records_come_through_a_socket_with_their_names(rig):
    subscription = Subscription(rig.market)
    bridge = StreamBridge(rig.market, subscription, "tcp://127.0.0.1:*")
    with bridge, StreamClient(bridge.endpoint) as client:
        wait_for_directory(bridge, client)
        assert (client.names, client.venues) == ({1: "BRK.A"}, {0: "v0", 1: "v1"})
        rig.level(1, 1, BUY, 1000, 200)
        assert bridge.poll() == 3
        records = client.receive(WAIT_S * 1000)
        assert [KINDS[r["kind"]] for r in records] == ["quote", "best", "national"]
        assert records["words"][1].tolist() == [1000, 0, 200, 0, 2]
        assert client.lost_count == 0


def test_an_endpoint_that_is_taken_is_one_clear_error(rig):
    subscription = Subscription(rig.market)
    bridge = StreamBridge(rig.market, subscription, "tcp://127.0.0.1:*")
    with bridge, pytest.raises(ConfigError, match=bridge.endpoint):
        StreamBridge(rig.market, subscription, bridge.endpoint)


def batch(stream, *sequences, gap=0):
    records = np.zeros(len(sequences), STREAM_DTYPE)
    records["sequence"], records["kind"] = sequences, KINDS.index("quote")
    if gap:
        records["kind"][0], records["words"][0, 0] = KINDS.index("gap"), gap
    return Message(BATCH, stream, 0, records)


def test_a_loss_on_the_way_becomes_a_gap_record():
    with StreamClient("tcp://127.0.0.1:9") as client:
        assert client.take(batch(1, 5, 6))["sequence"].tolist() == [5, 6]
        records = client.take(batch(1, 9, 10))
        assert [KINDS[r["kind"]] for r in records] == ["gap", "quote", "quote"]
        assert records["words"][0].tolist() == [2, 0, 0, 0, 0]
        assert client.lost_count == 2


def test_what_the_publisher_lost_is_counted_once():
    with StreamClient("tcp://127.0.0.1:9") as client:
        client.take(batch(1, 5, 6))
        assert len(client.take(batch(1, 10, 11, gap=3))) == 2
        assert client.lost_count == 3


def test_a_new_stream_is_no_loss():
    with StreamClient("tcp://127.0.0.1:9") as client:
        client.take(batch(1, 5))
        assert len(client.take(batch(2, 1))) == 1
        assert (client.lost_count, client.restarts) == (0, 1)
