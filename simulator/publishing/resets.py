"""A venue that counts from 1 again: the headers of its packets rewritten."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from feedhandler.feed import Feed
from feedhandler.transports import kinds
from feedhandler.transports.packets import write_packet
from feedhandler.transports.transport import Transport
from feedhandler.wire.field import Field
from simulator.publishing.layout import DATA, PACKET_DTYPE
from simulator.publishing.packets import Packets, join

RESET_MESSAGE: Final = 1  # of NYSE's feeds
BILLION: Final = 1_000_000_000


class Reset:
    """One reset of a feed, on one line.

    The session changes where the transport has one and does not start again within it. Where a
    packet says that sequences start again (NYSE), that one comes first, as number 1.
    """

    def __init__(self, feed: Feed) -> None:
        self.feed = feed
        self.transport: Transport = feed.transport
        signals = self.transport.signals
        values = signals[1] if signals is not None else {}
        self._flag = next((v for v, kind in values.items() if kind == kinds.RESET), None)
        self._bases: dict[int, int] = {}  # by unit: what is taken off every sequence

    def apply(
        self, packets: Packets, sent_ns: NDArray[np.int64], behind: NDArray[np.bool_]
    ) -> tuple[Packets, NDArray[np.int64]]:
        """Packets with the sequences they have now, and which of the given ones each comes from.

        Args:
            packets: with their times of arrival.
            sent_ns: when the venue sent each.
            behind: which of them it sent after the reset.
        """
        places = np.arange(len(packets))
        if not behind.any():
            return packets, places
        rows, data = packets.rows.copy(), packets.data.copy()
        extra: list[tuple[int, Packets]] = []
        for unit in np.unique(rows["unit"][behind]).tolist():
            mine = np.flatnonzero(behind & (rows["unit"] == unit))
            if unit not in self._bases:
                first = rows[mine[0]]
                self._bases[unit] = int(first["sequence"]) - 1
                if self._flag is not None:
                    extra.append((int(mine[0]), self._announcement(first, int(sent_ns[mine[0]]))))
                    self._bases[unit] -= 1
            rows["sequence"][mine] -= self._bases[unit]
        hit = np.flatnonzero(behind)
        self._write(data, rows, hit)
        made = Packets(rows, data)
        for place, packet in reversed(extra):
            parts = [made.take(places[:place]), packet, made.take(places[place:])]
            made = join(parts)
            places = np.insert(places, place, places[place])
        return made, places

    def _write(
        self, data: NDArray[np.uint8], rows: NDArray[np.void], hit: NDArray[np.int64]
    ) -> None:
        header = self.transport.header
        assert header is not None
        starts = rows["offset"][hit]
        field = header.by_name[self.transport.sequence]
        put(data, starts, field, rows["sequence"][hit])
        name = self.transport.session
        if name and not self.transport.restarts:
            field = header.by_name[name]
            last = starts + field.offset + (field.width - 1 if field.big else 0)
            data[last] += np.uint8(1)

    def _announcement(self, row: np.void, sent_ns: int) -> Packets:
        """The packet that says so, which arrives with `row`."""
        seconds, part = divmod(sent_ns, BILLION)
        message = self.feed.protocol[RESET_MESSAGE].encode(source_time=seconds, source_time_ns=part)
        assert self.transport.signals is not None
        header: dict[str, Any] = {self.transport.signals[0]: self._flag, self.transport.sequence: 1}
        header |= dict(zip(self.transport.sent, (seconds, part), strict=False))
        payload = write_packet(self.transport, [message], header)
        rows = np.zeros(1, PACKET_DTYPE)
        rows[0] = int(row["time_ns"]), 0, 1, len(payload), 1, int(row["unit"]), DATA
        return Packets(rows, np.frombuffer(payload, np.uint8).copy())


def put(
    data: NDArray[np.uint8], starts: NDArray[np.int64], field: Field, values: NDArray[np.int64]
) -> None:
    """Writes an integer field of many headers."""
    for byte in range(field.width):
        shift = 8 * (field.width - 1 - byte if field.big else byte)
        data[starts + field.offset + byte] = (values >> shift & 0xFF).astype(np.uint8)
