"""`sweepwire decode`: the messages in captures, for people or as JSON Lines."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from itertools import chain, islice
from pathlib import Path
from typing import Annotated, Any

import msgspec
import typer

from captures import CaptureError, MergedCapture, merge_captures
from console.flows import Flows, Found
from console.jsonlines import packet_object
from console.main import complain
from console.options import feed_versions, given_channels, shipped_channels
from console.people import PacketText
from console.tally import Tally
from feedhandler.datagrams import Datagram, datagrams
from feedhandler.reasons import Reason

app = typer.Typer(add_completion=False)
WRITE_BYTES = 1 << 18
LOOK_AHEAD_PACKETS = 20_000

Show = Callable[[Datagram, Found | None, str | None], bytes]


@app.command()
def decode(
    files: Annotated[list[str], typer.Argument(help="Captures, merged by time; - is stdin.")],
    feed: Annotated[
        str, typer.Option(help="All packets are of this feed: NAME or NAME@VERSION.")
    ] = "",
    channels: Annotated[
        Path | None, typer.Option(help="Channel map (TOML): which feed comes where.")
    ] = None,
    jsonl: Annotated[
        bool, typer.Option("--jsonl", help="One JSON object a packet, raw wire values.")
    ] = False,
    stats: Annotated[
        bool, typer.Option("--stats", help="Only counts, by feed and message type.")
    ] = False,
    limit: Annotated[int, typer.Option(min=0, help="Stop after this many packets; 0: all.")] = 0,
) -> int:
    """Print the messages in captures, as they come: tcpdump -w - | sweepwire decode -

    Without --feed and --channels the feed of each flow is guessed, and said on stderr.
    """
    if feed and channels is not None:
        raise typer.BadParameter("--feed and --channels exclude each other")
    stated = feed_versions(feed) if feed else []
    mapped = given_channels(channels)
    hints = shipped_channels() if not feed and mapped is None else None
    flows = Flows(stated, mapped, hints, complain)
    with merge_captures([_source(name) for name in files]) as merged:
        live = _live(files)
        packets = _read(merged, flows, live=live)
        names = files if len(files) > 1 else None
        if stats:
            tally = _count(packets, limit)
            _write_tally(tally, jsonl)
        elif jsonl:
            _write(packets, _jsonl(names), limit, live=live)
        else:
            text = PacketText(names)
            _write(packets, text.show, limit, live=live)
            line = text.skipped_line()
            if line is not None:
                complain(line)
        return _complain_of(merged.errors)


def _source(name: str) -> Any:
    return sys.stdin.buffer if name == "-" else name


def _live(files: list[str]) -> bool:
    """Whether packets may still be on their way while earlier ones are shown."""
    return any(name == "-" or not Path(name).is_file() for name in files)


def _read(
    merged: MergedCapture, flows: Flows, *, live: bool
) -> Iterator[tuple[Datagram, Found | None, str | None]]:
    """Packets with what the tables read, or why there is nothing to read."""
    packets = datagrams(merged)
    if not live:  # a flow that begins with heartbeats shows further on what it is
        ahead = list(islice(packets, LOOK_AHEAD_PACKETS))
        for datagram in ahead:
            flows.look(datagram)
        packets = chain(ahead, packets)
    for datagram in packets:
        if datagram.reason > Reason.TCP:
            yield datagram, None, datagram.reason.name.lower()
            continue
        found = flows.read(datagram)
        yield datagram, found, flows.outside(datagram) if found is None else None
    for datagram, rest in flows.finish():
        yield datagram, rest, None


def _jsonl(names: list[str] | None) -> Show:
    encode = msgspec.json.Encoder().encode

    def show(datagram: Datagram, found: Found | None, skipped: str | None) -> bytes:
        file = names[datagram.capture] if names else None
        return encode(packet_object(datagram, found, skipped, file)) + b"\n"

    return show


def _write(
    packets: Iterator[tuple[Datagram, Found | None, str | None]],
    show: Show,
    limit: int,
    *,
    live: bool,
) -> None:
    """Writes packets in large pieces, or one by one where somebody waits for each."""
    out = sys.stdout.buffer
    pieces: list[bytes] = []
    held_bytes = 0
    for shown, packet in enumerate(packets, 1):
        piece = show(*packet)
        pieces.append(piece)
        held_bytes += len(piece)
        if live or held_bytes >= WRITE_BYTES:
            out.write(b"".join(pieces))
            out.flush()
            pieces, held_bytes = [], 0
        if shown == limit:
            break
    out.write(b"".join(pieces))
    out.flush()


def _count(packets: Iterator[tuple[Datagram, Found | None, str | None]], limit: int) -> Tally:
    tally = Tally()
    for shown, (_, found, skipped) in enumerate(packets, 1):
        tally.add(found, skipped)
        if shown == limit:
            break
    return tally


def _write_tally(tally: Tally, as_json: bool) -> None:
    if as_json:
        typer.echo(msgspec.json.encode(tally.as_object()).decode())
    else:
        tally.show()


def _complain_of(errors: list[CaptureError]) -> int:
    """Says what ended a capture early; what came before it was shown. The exit code."""
    for error in errors:
        complain(str(error))
    return 1 if errors else 0
