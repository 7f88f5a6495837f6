"""One TCP connection to a venue's recovery service, without the socket: what all of them share."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from feedhandler.lines.image import Image
from feedhandler.transports.transport import Transport, read_packet
from feedhandler.wire.errors import WireError
from feedhandler.wire.tails import integer

SECOND_NS = 1_000_000_000
WORD = 1 << 32


@dataclass(frozen=True)
class Timing:
    """How long to wait.

    Attributes:
        beat_ns: of our own silence, before a heartbeat.
        silence_ns: of the server's silence, before it counts as gone.
        deadline_ns: from the start to the whole image; 0: no limit.
    """

    beat_ns: int = SECOND_NS
    silence_ns: int = 15 * SECOND_NS
    deadline_ns: int = 120 * SECOND_NS


def widened(word: int, near: int) -> int:
    """The 64-bit count with these low 32 bits that is nearest to another, and not below 0.

    Args:
        word: as on the wire.
        near: a count of the same stream, less than 2^31 away.
    """
    half = WORD // 2
    made = near + (word - near + half) % WORD - half
    return made if made >= 0 else made + WORD


def whole_packets(transport: Transport, data: bytes) -> tuple[list[bytes], int]:
    """The whole packets at the start of a stream of packets with a header, and their bytes.

    Raises:
        WireError: "bad_header" for a stated length that is less than the header's.
    """
    header = transport.header
    assert header is not None and transport.length is not None
    name, addend = transport.length
    packets, at = [], 0
    while len(data) - at >= header.size:
        stated = integer(header.decode(data, at), name) + addend
        if stated < header.size:
            raise WireError("bad_header", f"{name} states {stated} bytes", at)
        if stated > len(data) - at:
            break
        packets.append(data[at : at + stated])
        at += stated
    return packets, at


class Session:
    """A connection's pieces, silences and end; the messages are the venue's.

    A subclass gives `_hello` and `_message`, which may raise WireError: the connection then fails.

    Args:
        transport: of bare messages, or of packets with a header.
        heartbeat: what says that we are there; b"" where the protocol has nothing for it.

    Attributes:
        image, images, failed: see `SnapshotClient`.
    """

    def __init__(self, transport: Transport, heartbeat: bytes, timing: Timing) -> None:
        self.transport, self.heartbeat, self.timing = transport, heartbeat, timing
        self.image: Image | None = None
        self.images: dict[int | None, Image] = {}
        self.failed: str | None = None
        self._pending = b""
        self._now_ns = 0
        self._began_ns: int | None = None
        self._heard_ns = self._sent_ns = 0

    def _hello(self) -> list[bytes]:
        """Forgets the last connection's state; the first packets of a new one."""
        raise NotImplementedError

    def _message(self, data: bytes, start: int, end: int) -> list[bytes]:
        """Takes one message, or one packet where packets have a header; what to send back."""
        raise NotImplementedError

    @property
    def over(self) -> bool:
        """Whether there is nothing to wait for any more."""
        return self.image is not None or self.failed is not None

    def start(self, now_ns: int) -> list[bytes]:
        """The connection stands: what to send first."""
        self.image, self.failed, self._pending = None, None, b""
        self.images = {}
        self._now_ns = self._began_ns = self._heard_ns = now_ns
        return self._sent(self._hello())

    def on_bytes(self, data: bytes, now_ns: int) -> list[bytes]:
        """Takes TCP bytes in any pieces; what to send back."""
        if self._began_ns is None or self.over or not data:
            return []
        self._now_ns = self._heard_ns = now_ns
        made: list[bytes] = []
        try:
            self._read(self._pending + bytes(data), made)
        except WireError as error:
            self.fail(f"bytes that are no message of the service: {error.reason}")
        return self._sent(made)

    def _read(self, data: bytes, made: list[bytes]) -> None:
        if self.transport.header is None:
            packet = read_packet(self.transport, data)
            spans, consumed = packet.spans, packet.consumed
            faults = [reason for reason, _ in packet.faults]
        else:
            packets, consumed = whole_packets(self.transport, data)
            spans, faults, at = [], [], 0
            for one in packets:
                spans.append((at, at + len(one)))
                at += len(one)
        self._pending = data[consumed:]
        for start, end in spans:
            made += self._message(data, start, end)
            if self.over:
                return
        if faults:
            self.fail(f"bytes that are no message of the service: {faults[0]}")

    def tick(self, now_ns: int) -> list[bytes]:
        """What to send because of the time; see `SnapshotClient`."""
        if self._began_ns is None or self.over:
            return []
        self._now_ns = now_ns
        timing = self.timing
        if timing.deadline_ns and now_ns - self._began_ns >= timing.deadline_ns:
            self.fail(f"no whole image within {timing.deadline_ns / SECOND_NS:g} s")
        elif now_ns - self._heard_ns >= timing.silence_ns:
            self.fail(f"the service was silent for {timing.silence_ns / SECOND_NS:g} s")
        elif self.heartbeat and now_ns - self._sent_ns >= timing.beat_ns:
            return self._sent([self.heartbeat])
        return []

    def closed(self, now_ns: int) -> None:
        """The other side closed the connection: what is not whole by now never will be."""
        self._now_ns = now_ns
        self.fail("the service closed the connection")

    def fail(self, reason: str) -> None:
        """Gives the connection up, once; nothing is left of what it brought but whole images."""
        if not self.over:
            self.failed, self._pending = reason, b""

    def _done(self, image: Image) -> None:
        self.images[image.key] = image
        self.image, self._pending = image, b""

    def _sent(self, packets: list[bytes]) -> list[bytes]:
        if packets:
            self._sent_ns = self._now_ns
        return packets


def refusal(service: str, code: object, meanings: Callable[[str], str | None]) -> str:
    """Why a service refused, in words where the layout has some."""
    meaning = meanings(str(code))
    return f"{service}: {meaning or 'refused'} ({code})"
