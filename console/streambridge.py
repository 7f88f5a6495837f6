"""The stream for other machines: a subscriber that passes it on over ZeroMQ PUB.

Needs pyzmq, the optional extra "stream". PUB never waits: a receiver that is too slow loses
messages, and sees it by the sequence of the records.
"""

from __future__ import annotations

import time
from typing import Any, Final

from feedhandler.consolidated.market import MarketShard
from feedhandler.consolidated.streamwire import (
    BATCH,
    DIRECTORY,
    MOST_RECORDS,
    Message,
    directory,
    pack,
)
from feedhandler.consolidated.subscriptions import Subscription
from nic.configfile import ConfigError

DIRECTORY_S: Final = 1.0
SEND_MARK: Final = 10_000  # messages that wait for a receiver before it loses some
LINGER_MS: Final = 1000


def zeromq() -> Any:
    """The zmq package. Raises ConfigError when it is not installed."""
    try:
        import zmq
    except ImportError:
        wanted = 'pip install "sweepwire[stream]"'
        raise ConfigError(f"the stream for other machines needs pyzmq: {wanted}") from None
    return zmq


class StreamBridge:
    """Publishes a market's stream.

    Args:
        market: whose.
        subscription: the bridge's own; it drains it.
        endpoint: where to listen, for example "tcp://*:5600"; port "*" takes a free one.

    Attributes:
        endpoint: where it listens, with the port that was taken.

    Raises:
        ConfigError: without pyzmq, or when the endpoint cannot be had.
    """

    def __init__(self, market: MarketShard, subscription: Subscription, endpoint: str) -> None:
        zmq = zeromq()
        self._market, self._subscription = market, subscription
        self._context = zmq.Context()
        self._socket = self._context.socket(zmq.PUB)
        self._socket.set_hwm(SEND_MARK)
        try:
            self._socket.bind(endpoint)
        except zmq.ZMQError as error:
            self._context.destroy(linger=0)
            raise ConfigError(f"{endpoint}: {error}") from None
        self.endpoint = self._socket.getsockopt_string(zmq.LAST_ENDPOINT)
        self._stream, self._number = time.time_ns(), 0
        self._told_s = -DIRECTORY_S

    def poll(self) -> int:
        """Passes on what waits, and the directory when it is its time; records passed on."""
        now_s = time.monotonic()
        if now_s - self._told_s >= DIRECTORY_S:
            self._told_s = now_s
            self._send(DIRECTORY, directory(self._market))
        passed = 0
        while len(records := self._subscription.read()):
            self._send(BATCH, records)
            passed += len(records)
        return passed

    def _send(self, topic: bytes, records: Any) -> None:
        for start in range(0, len(records), MOST_RECORDS):
            part = records[start : start + MOST_RECORDS]
            self._socket.send(pack(Message(topic, self._stream, self._number, part)))
            self._number += 1

    def close(self) -> None:
        """Sends what waits for up to a second and closes."""
        self._context.destroy(linger=LINGER_MS)

    def __enter__(self) -> StreamBridge:
        return self

    def __exit__(self, *_exception: object) -> None:
        self.close()
