"""The documentation page of a wire format, made from the tables that decode it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from feedhandler.transports.transport import Transport
from feedhandler.wire.field import Field, Kind, Part, Role
from feedhandler.wire.framing import Framing
from feedhandler.wire.protocol import Protocol
from feedhandler.wire.record import Record

TYPES: Mapping[Kind, str] = {
    Kind.UINT: "unsigned integer",
    Kind.INT: "signed integer",
    Kind.BITS: "bits",
    Kind.ALPHA: "text",
    Kind.DIGITS: "number in text",
    Kind.BYTES: "bytes",
}


def page(title: str, transport: Transport, tables: list[tuple[str, Protocol]]) -> str:
    """One page of Markdown.

    Args:
        title: the feed's.
        transport: its transport.
        tables: (outer message or "", protocol), as `feedhandler.feed.protocols` gives them.
    """
    lines = [f"# {title}", "", *_transport(transport)]
    for outer, protocol in tables:
        lines += _protocol(outer, protocol)
    return "\n".join(lines).rstrip() + "\n"


def field_type(field: Field) -> str:
    """What a field's bytes are, in words."""
    if field.kind in (Kind.PRICE, Kind.SIGNED_PRICE):
        sign = "signed price" if field.kind is Kind.SIGNED_PRICE else "price"
        scale = "the symbol's scale" if field.decimals is None else f"{field.decimals} decimals"
        return f"{sign}, {scale}"
    return TYPES[field.kind]


def part_text(part: Part) -> str:
    """Where a packed value stands and what it can be."""
    last = part.shift + part.width - 1
    place = f"bit {part.shift}" if part.width == 1 else f"bits {last} to {part.shift}"
    codes = ", ".join(f"`{value}` {meaning}" for value, meaning in part.values.items())
    return f"{place} {part.name}: {codes}" if codes else f"{place} {part.name}"


def field_values(field: Field) -> str:
    """What a field can hold: code meanings, bit meanings, the fixed value, the note."""
    parts = [f"`{value}` {meaning}" for value, meaning in field.values.items()]
    parts += [f"`{mask:#x}` {meaning}" for mask, meaning in field.bits.items()]
    parts += [part_text(part) for part in field.parts]
    if field.role is Role.LENGTH:
        parts.insert(0, f"length of the message less {field.less}" if field.less else "length")
    if field.fixed is not None and not parts:
        parts.append(f"always `{field.fixed}`")
    if field.note:
        parts.append(field.note)
    return "; ".join(parts)


def record_table(record: Record) -> Iterator[str]:
    """A record's fields as a Markdown table, its variable parts at the end."""
    yield "| offset | bytes | name | type | values |"
    yield "|---:|---:|---|---|---|"
    for field in record.fields:
        cells = (field.offset, field.width, f"`{field.name}`", field_type(field))
        yield _row(*cells, field_values(field))
    for tail in record.tails:
        for name, kind, note in tail.rows():
            yield _row("", "", f"`{name}`", kind, note)
    yield ""


def _row(*cells: object) -> str:
    return "| " + " | ".join(str(cell).replace("|", "\\|") for cell in cells) + " |"


def _framing(framing: Framing) -> str:
    order = "big" if framing.big else "little"
    place = f"{framing.width} bytes, {order}-endian, at offset {framing.offset}"
    step = f"length + {framing.plus}" if framing.plus else "the length"
    return f"Messages: a length in front of each ({place}); {step} leads to the next."


def _transport(transport: Transport) -> Iterator[str]:
    kind = "byte stream (TCP)" if transport.stream else "datagrams (UDP)"
    yield f"## Transport: {transport.title}"
    yield ""
    yield f"Carried in {kind}. {_framing(transport.framing)}"
    if transport.sequence:
        what = "the packet" if transport.by_packet else "the first message"
        yield f"`{transport.sequence}` numbers {what}, counted per {transport.scope}."
    yield ""
    if transport.header is not None:
        yield from _record("###", "packet header", transport.header)
    for request in transport.requests:
        yield from _record("###", request.name, request)


def _protocol(outer: str, protocol: Protocol) -> Iterator[str]:
    inside = f" (inside {outer})" if outer else ""
    yield f"## Messages: {protocol.title}{inside}"
    yield ""
    size = "1 byte"
    if protocol.code_width > 1:
        order = "big" if protocol.code_big else "little"
        size = f"{protocol.code_width} bytes, {order}-endian"
    place = f"offset {protocol.code_offset}, {size}"
    longer = "may be longer than its table" if protocol.extensible else "has its table's length"
    yield f"The message code stands at {place}. A message {longer}."
    if protocol.source:
        yield f"Source: {protocol.source}."
    yield ""
    for record in protocol.records:
        yield from _record("###", f"`{record.code}` {record.name}", record)


def _record(level: str, heading: str, record: Record) -> Iterator[str]:
    yield f"{level} {heading}, {record.size} bytes"
    yield ""
    if record.note:
        yield record.note[0].upper() + record.note[1:] + "."
        yield ""
    yield from record_table(record)
