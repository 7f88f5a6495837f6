"""NYSE refreshes: symbol index mappings and images of single symbols, for the refresh multicast.

A symbol's refresh is a series of packets, each with a refresh header first; it has the mapping, the
security status, and the orders by arrival. Which messages a refresh holds beside the orders is
general knowledge; that an order's time in it is that of the image is the simulator's.
"""

from __future__ import annotations

from typing import Final

from feedhandler import actions as a
from feedhandler.lines.repack import MOST_BYTES
from feedhandler.protocols.nyse_control import REFRESH_HEADER, SECURITY_STATUS_MESSAGE
from feedhandler.protocols.nyse_integrated_25 import NYSE_INTEGRATED_25
from feedhandler.transports import xdp
from feedhandler.transports.packets import write_packet
from feedhandler.wire.record import Value, Values
from simulator.publishing.dialects import pillar
from simulator.publishing.dialects.dialect import Listing, Moment
from simulator.services.still import Still, sides, written

WORD: Final = 1 << 32
BILLION: Final = 1_000_000_000
MOST_MESSAGES: Final = 255
ADD_REFRESH: Final = NYSE_INTEGRATED_25[106]


class RefreshChannel:
    """The refresh multicast of a channel: its packets, numbered in a space of their own."""

    def __init__(self) -> None:
        self._next = 1

    def packet(self, flag: int, messages: list[bytes], now_ns: int) -> bytes:
        """One packet."""
        seconds, part = divmod(now_ns, BILLION)
        header: dict[str, Value] = {"delivery_flag": flag, "seq_num": self._next % WORD}
        header |= {"seconds": seconds % WORD, "nanoseconds": part}
        self._next += len(messages)
        return write_packet(xdp.TRANSPORT, messages, header)

    def mapping(self, number: int, listing: Listing, now_ns: int) -> bytes:
        """The packet with a symbol's index mapping."""
        return self.packet(xdp.REFRESH_ONLY, mapping_of(number, listing), now_ns)

    def refresh(self, still: Still, number: int, listing: Listing, now_ns: int) -> list[bytes]:
        """The packets with a symbol's book."""
        parts = parted(messages_of(still, number, listing))
        total = len(parts)
        made = []
        for place, messages in enumerate(parts, 1):
            head = REFRESH_HEADER.encode(
                current_refresh_pkt=place,
                total_refresh_pkts=total,
                last_seq_num=still.sequence % WORD,
                last_symbol_seq_num=int(still.instruments["count"][number]) % WORD,
            )
            made.append(self.packet(flag_of(place, total), [head, *messages], now_ns))
        return made


def flag_of(place: int, total: int) -> int:
    """The delivery flag of a packet by its number in the series."""
    if total == 1:
        return xdp.REFRESH_ONLY
    return {1: xdp.REFRESH_START, total: xdp.REFRESH_END}.get(place, xdp.REFRESH_PART)


def mapping_of(number: int, listing: Listing) -> list[bytes]:
    """A symbol's index mapping, as the day began with it."""
    return pillar.opening(Moment(0, 0, [(number, listing)]))


def messages_of(still: Still, number: int, listing: Listing) -> list[bytes]:
    """A symbol's mapping, its status, its orders."""
    orders = still.orders_of(number)
    seconds, part = divmod(still.time_ns, BILLION)
    timed: Values = {"source_time": seconds, "source_time_ns": part, "symbol_index": number}
    timed["symbol_seq_num"] = int(still.instruments["count"][number]) % WORD
    columns = {
        "order_id": orders["wire"],
        "price": orders["price"] // still.instruments["scale"][number],
        "volume": orders["quantity"],
        "side": sides(orders, "B", "S"),
    }
    made = mapping_of(number, listing)
    if still.states.get(number):
        made.append(status_of(still, number, timed))
    return made + written(ADD_REFRESH, columns, len(orders), timed)


def status_of(still: Still, number: int, timed: Values) -> bytes:
    """A symbol's trading state and price test."""
    state = still.states.get(number, a.STATUS_UNKNOWN)
    return SECURITY_STATUS_MESSAGE.encode(
        timed,
        security_status=pillar.SECURITY_STATUS[state],
        halt_condition=pillar.HALT_CONDITION[state],
        market_state=pillar.MARKET_STATE[state],
        session_state="O",
        ssr_state="E" if still.instruments["restricted"][number] else "~",
    )


def parted(messages: list[bytes]) -> list[list[bytes]]:
    """Messages by packet; all packets have room for a refresh header."""
    room = MOST_BYTES - xdp.HEADER.size - REFRESH_HEADER.size
    made: list[list[bytes]] = [[]]
    left = room
    for message in messages:
        if len(message) > left or len(made[-1]) == MOST_MESSAGES - 1:
            made.append([])
            left = room
        made[-1].append(message)
        left -= len(message)
    return made
