"""Receives a stream that `console.streambridge` publishes, on this machine or another.

    with StreamClient("tcp://feedhost:5600") as client:
        while True:
            for record in client.receive(timeout_ms=1000):
                ...

Needs pyzmq, the optional extra "stream".
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from console.streambridge import zeromq
from feedhandler.consolidated.streamformat import GAP, STREAM_DTYPE, SYMBOL
from feedhandler.consolidated.streamwire import DIRECTORY, Message, name_in, unpack

RECEIVE_MARK: Final = 10_000


class StreamClient:
    """One connection to a publisher.

    Attributes:
        names: canonical symbols by instrument number, as far as the directory has told.
        venues: venue names by number.
        lost_count: records lost on the way or at the publisher's ring.
        restarts: how often the publisher began a new stream.
    """

    def __init__(self, endpoint: str, receive_mark: int = RECEIVE_MARK) -> None:
        zmq = zeromq()
        self._context = zmq.Context()
        self._socket = self._context.socket(zmq.SUB)
        self._socket.set_hwm(receive_mark)
        self._socket.setsockopt(zmq.SUBSCRIBE, b"")
        self._socket.connect(endpoint)
        self.names: dict[int, str] = {}
        self.venues: dict[int, str] = {}
        self.lost_count = self.restarts = 0
        self._stream: int | None = None
        self._next = 0  # sequence of the next record; 0 before the first

    def receive(self, timeout_ms: int = 1000) -> NDArray[np.void]:
        """The records of the next message; none after the timeout or for a directory.

        A loss on the way is told as the publisher tells its own: by a gap record in its place.
        Raises ValueError for a message that is not of the stream.
        """
        if not self._socket.poll(timeout_ms):
            return np.zeros(0, STREAM_DTYPE)
        return self.take(unpack(self._socket.recv()))

    def take(self, message: Message) -> NDArray[np.void]:
        """What a message brings; see `receive`."""
        if message.stream != self._stream:
            self.restarts += self._stream is not None
            self._stream, self._next = message.stream, 0
        if message.topic == DIRECTORY:
            self._learn(message.records)
            return np.zeros(0, STREAM_DTYPE)
        if not len(message.records):
            return message.records
        told = message.records[message.records["kind"] == GAP]
        self.lost_count += int(told["words"][:, 0].sum())
        first = int(message.records["sequence"][0])
        at_ring = int(message.records["words"][0, 0]) if message.records["kind"][0] == GAP else 0
        missing = first - at_ring - self._next if self._next else 0
        self._next = int(message.records["sequence"][-1]) + 1
        if missing <= 0:
            return message.records
        self.lost_count += missing
        gap = np.zeros(1, STREAM_DTYPE)
        gap["kind"], gap["sequence"] = GAP, first - at_ring - 1
        gap["time_ns"], gap["words"][0, 0] = message.records["time_ns"][0], missing
        return np.concatenate([gap, message.records])

    def _learn(self, records: NDArray[np.void]) -> None:
        for record in records:
            if record["kind"] == SYMBOL:
                self.names[int(record["instrument"])] = name_in(record)
            else:
                self.venues[int(record["venue"])] = name_in(record)

    def close(self) -> None:
        """Leaves."""
        self._context.destroy(linger=0)

    def __enter__(self) -> StreamClient:
        return self

    def __exit__(self, *_exception: object) -> None:
        self.close()
