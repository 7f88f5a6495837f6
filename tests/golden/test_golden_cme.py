"""CME captures against an independent decoder: every field of every message, and encoded back."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from real_decodes import captured, expected_packets

from feedhandler.feed import Message, decode
from feedhandler.registry import versions
from feedhandler.transports.packets import enclose, write_packet
from feedhandler.wire.sbe import groups_of

LARGE = "omi_Cme.Mdp3.Sbe.v1.8.pcap.gz"
LARGE_PACKETS = 10_000
ENCODED_EVERY = 5
LARGE_MESSAGES = {12: 12, 30: 198, 32: 9796, 35: 358, 37: 114, 42: 120}
# The other decoder's names tell the types of versions apart and ours do not.
TYPES = re.compile(r"(_optional|_ex|_short|_unsigned|_book|_daily|_statistics|_legacy)+$")
NAMES = {
    "md_trade_entry": "md_trade_entry_id",
    "tcp_message_size": "message_size",
    "reject_reason_or_type": "reject_reason",
    "underlying_product_optional": "underlying_product",
}
NEWER = ("md_entry_size", "md_trade_entry_id", "tradeable_size")  # padding in older versions
GROUPS = {
    "events_groups": "events",
    "feed_types_groups": "feed_types",
    "inst_attrib_groups": "inst_attrib",
    "lot_type_rules_groups": "lot_type_rules",
    "legs_groups": "legs",
    "security_group_entries": "security_groups",
    "security_id_entries": "security_ids",
}


def name_of(theirs: str) -> str:
    """Our name of a field."""
    if theirs.startswith("padding_"):
        return "padding"
    name = TYPES.sub("", theirs)
    return NAMES.get(name, name)


def group_name(theirs: str) -> str:
    """Our name of a group."""
    return GROUPS.get(theirs) or ("order_id_entries" if "order_id" in theirs else "md_entries")


def scaled(value: Any, decimals: int | None) -> Any:
    """What they show, as the integer that is on the wire; None where there is no value."""
    if isinstance(value, dict):
        return value["_raw"]
    if decimals is not None and isinstance(value, str):
        whole, _, part = value.partition(".")
        return int(whole + part.ljust(decimals, "0"))
    return value


def field_differences(table: Any, ours: dict[str, Any], theirs: dict[str, Any]) -> Iterator[str]:
    """What differs in a root block or an entry. `ours` loses what was compared."""
    fields = {field.name: field for field in table.fields}
    fields |= {f.name: f for tail in table.tails for f in getattr(tail, "fields", ())}
    for key, shown in theirs.items():
        if isinstance(shown, dict) and "_raw" not in shown:  # a structure: its fields stand alone
            yield from field_differences(table, ours, shown)
            continue
        field = fields.get(name_of(key))
        if field is None:
            yield f"{key}: no field"
            continue
        found, wanted = ours.pop(field.name, "absent"), scaled(shown, field.decimals)
        if wanted is None and field.values.get(found) == "null":
            continue
        if field.name == "padding" and not isinstance(found, int):
            bigger = key.removeprefix("padding_") != str(field.width)
            if bigger and str(wanted).endswith(found):  # what newer versions use is zero
                for newer in NEWER:
                    ours.pop(newer, None)
                continue
        if found != wanted:
            yield f"{key}: {found!r} != {wanted!r}"


def group_differences(group: Any, values: dict[str, Any], theirs: Any) -> Iterator[str]:
    """What differs in a group with its dimensions. `values` loses what was compared."""
    ours = values.pop(group.name, "absent")
    if isinstance(theirs, list):  # of the messages that were read by hand
        if [next(iter(entry.values())) for entry in ours] != theirs:
            yield f"{group.name}: {ours} != {theirs}"
        return
    size = next(value for name, value in theirs.items() if name.startswith("group_size"))
    rest = [value for name, value in theirs.items() if not name.startswith("group_size")]
    entries = rest[0] if rest else []
    stride = values.pop(group.length_name, group.most_bytes)
    padding = values.pop(group.padding_name, "00" * group.padding)
    if (stride, len(ours)) != (size["block_length"], size["num_in_group"]):
        yield f"{group.name}: {len(ours)} entries of {stride}, not {size}"
    if group.padding and padding != size["padding_5"]:
        yield f"{group.name}: padding {padding}, not {size['padding_5']}"
    for number, (mine, entry) in enumerate(zip(ours, entries, strict=True)):
        left = dict(mine)
        for line in field_differences(group.entry, left, entry):
            yield f"{group.name}[{number}].{line}"
        if left:
            yield f"{group.name}[{number}]: {sorted(left)} are not theirs"


def differences(message: Message, wanted: dict[str, Any]) -> Iterator[str]:
    """What differs between our decode of one message and the other decoder's."""
    values = dict(message.values)
    if message.record.code != wanted["header"]["template_id"]:
        yield f"code {message.record.code!r}"
        return
    yield from field_differences(message.record, values, wanted["header"])
    groups = {group.name: group for group in groups_of(message.record)}
    for name, value in wanted["fields"].items():
        if name.endswith(("_groups", "_entries")):
            yield from group_differences(groups[group_name(name)], values, value)
        else:
            yield from field_differences(message.record, values, {name: value})
    if values:
        yield f"{sorted(values)} are not theirs"


def feed_of(packet: dict[str, Any]) -> Any:
    """The feed of a packet by what carries it."""
    return versions("cme_tcp" if packet["l4"]["proto"] == "tcp" else "cme_mdp3")[0]


def check_packet(payload: bytes, packet: dict[str, Any]) -> Counter[int]:
    """Compares a packet with the other decoder's; gives the messages by code."""
    feed = feed_of(packet)
    decoded = decode(feed, payload)
    assert decoded.faults == []
    header = decoded.messages[0].envelope or decoded.packet.header
    assert header == packet["packet_header"]
    assert decoded.packet.consumed == len(payload)
    for message, wanted in zip(decoded.messages, packet["messages"], strict=True):
        found = list(differences(message, wanted))
        assert not found, f"frame {packet['frame']}: {message.record}: {found[:5]}"
    return Counter(int(message.record.code) for message in decoded.messages)


def written(payload: bytes, packet: dict[str, Any]) -> bytes:
    """The packet encoded from its decode."""
    feed = feed_of(packet)
    decoded = decode(feed, payload)
    raw = []
    for message in decoded.messages:
        encoded = message.record.encode(message.values)
        if message.envelope:
            (outer,) = feed.protocol.records
            encoded = enclose(outer, encoded, message.envelope)
        raw.append(encoded)
    return write_packet(feed.transport, raw, decoded.packet.header)


def captures_of(folder: Path) -> list[Path]:
    found = sorted((folder / "cme_mdp3").glob("*.pcap"))
    assert found
    return found


def test_every_capture_reads_as_the_independent_decoder_read_it(real_captures: Path) -> None:
    codes: Counter[int] = Counter()
    for capture in captures_of(real_captures):
        for datagram, packet in zip(captured(capture), expected_packets(capture), strict=True):
            codes += check_packet(bytes(datagram.payload), packet)
    assert set(codes) == {27, 29, 32, 35, 37, 42, 64, 65, 68, 206, 208, 209, 210}


def test_every_captured_packet_encodes_back_to_its_bytes(real_captures: Path) -> None:
    for capture in captures_of(real_captures):
        for datagram, packet in zip(captured(capture), expected_packets(capture), strict=True):
            payload = bytes(datagram.payload)
            assert written(payload, packet) == payload, capture.name


def test_the_large_capture_reads_the_same(real_captures: Path) -> None:
    """All packets field by field; every fifth one encoded back as well."""
    capture = real_captures / "large" / LARGE
    if not capture.exists():
        pytest.skip(f"{LARGE} is not there")
    codes: Counter[int] = Counter()
    packets = zip(captured(capture), expected_packets(capture), strict=True)
    for number, (datagram, packet) in enumerate(packets):
        payload = bytes(datagram.payload)
        codes += check_packet(payload, packet)
        if number % ENCODED_EVERY == 0:
            assert written(payload, packet) == payload
    assert number + 1 == LARGE_PACKETS
    assert codes == LARGE_MESSAGES
