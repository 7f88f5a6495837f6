"""The feed handler's README: its toy protocol runs as printed, its tables name what there is."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import numpy as np
import pytest
from action_rig import faults, run_packet

import feedhandler.feeds
import feedhandler.protocols
from feedhandler import actions, registry
from feedhandler.actions import ADD, BUY, DELETE, KINDS
from feedhandler.channelfile import ChannelMap
from feedhandler.feed import decode, load_object, protocols
from feedhandler.shards.config import Shards
from feedhandler.transports.packets import write_packet
from feedhandler.wire.page import page
from nic.configfile import parse

ROOT = Path(__file__).resolve().parents[2]
README = (ROOT / "feedhandler" / "README.md").read_text()
MODULES = ("protocols.toy", "protocols.toy_acts", "protocols.toy_actions", "feeds.toy")
MIDNIGHT_NS = 1_709_269_200_000_000_000
TIME_NS = 34_200_000_000_001
ORDER = {"instrument": 7, "timestamp": TIME_NS, "order_id": (1 << 63) + 5}


@pytest.fixture(scope="module")
def toy(tmp_path_factory):
    """The feed of the four files in the README, which are put beside those of the packages."""
    folder = tmp_path_factory.mktemp("toy")
    blocks = re.findall(r"```python\n# (feedhandler/\S+)\n(.*?)```", README, re.DOTALL)
    assert len(blocks) == len(MODULES)
    for name, text in blocks:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    packages = {"protocols": feedhandler.protocols, "feeds": feedhandler.feeds}
    for name, package in packages.items():
        package.__path__.append(str(folder / "feedhandler" / name))
    yield load_object("feedhandler.feeds.toy:FEEDS")[0]
    for package in packages.values():
        package.__path__.pop()
    for name in MODULES:
        sys.modules.pop(f"feedhandler.{name}", None)


def packet(feed):
    add = {**ORDER, "side": "B", "shares": 300, "price": 12_345_678}
    messages = [
        feed.protocol["A"].encode(add),
        feed.protocol["N"].encode(text="hello"),
        feed.protocol["D"].encode(ORDER),
        b"?" + bytes(16),
        feed.protocol["D"].encode(ORDER)[:-1],
    ]
    return write_packet(feed.transport, messages, {**feed.header, "sequence_number": 40})


def test_the_toy_protocol_is_read_by_the_tools(toy):
    decoded = decode(toy, packet(toy))
    assert [message.record.name for message in decoded.messages] == ["add", "news", "delete"]
    assert [message.sequence for message in decoded.messages] == [40, 41, 42]
    assert decoded.messages[0].values["price"] == 12_345_678
    assert decoded.messages[1].values["text"] == "hello"
    assert [fault.reason for fault in decoded.faults] == ["unknown_message", "short_message"]


def test_the_toy_protocol_runs_in_the_compiled_loop(toy):
    made, context = run_packet(*toy.kernels(), packet(toy), midnight_ns=MIDNIGHT_NS)
    assert made["kind"].tolist() == [ADD, DELETE]
    assert made["sequence"].tolist() == [40, 42]
    assert made["key"].tolist() == [7, 7]
    assert made["time_ns"].tolist() == [MIDNIGHT_NS + TIME_NS] * 2
    assert made["order_id"].view(np.uint64).tolist() == [(1 << 63) + 5] * 2
    add = made[0]
    assert (add["side"], add["price"], add["quantity"]) == (BUY, 123_456_780_000, 300)
    assert faults(context) == {"unknown_message": 1, "short_message": 1}
    assert (context["messages"], context["next_sequence"]) == (5, 45)


def test_the_toy_protocol_has_a_page_and_a_place_in_the_registry(toy, monkeypatch):
    text = page("Toy", toy.transport, protocols(toy))
    assert "order_id" in text and "sell" in text
    monkeypatch.setattr(registry, "FEEDS", (*registry.FEEDS, toy))
    assert registry.versions("toy@1.0") == [toy]
    clean = write_packet(toy.transport, [toy.protocol["D"].encode(ORDER)], toy.header)
    found = registry.guess(clean, stream=False)
    assert found is not None and found[0] is toy


def test_reading_a_capture_with_plain_python_works_as_printed(capsys, monkeypatch):
    monkeypatch.chdir(ROOT)
    (code,) = re.findall(r"```python\n(from captures.*?)```", README, re.DOTALL)
    exec(compile(code, "README.md", "exec"), {})
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 384
    assert lines[0].startswith("1 system event {'message_type': 'S'")


def test_every_action_kind_and_flag_is_in_the_tables():
    missing = [kind for kind in KINDS[1:] if f"\n| `{kind}` |" not in README]
    first, last = (list(vars(actions)).index(name) for name in ("HIDDEN", "TYPED"))
    flags = list(vars(actions))[first : last + 1]
    assert len(flags) >= 15
    missing += [flag for flag in flags if f"`{flag}`" not in README]
    assert missing == []
    named = re.findall(r"\n\| `(\w+)` \|", README.partition("## Actions")[2])
    known = {*KINDS, *flags, "epoch", "midnight"}
    assert [name for name in named if name not in known] == []


def test_the_files_on_the_page_are_what_they_are_called():
    shards, text = re.findall(r"```toml\n(.*?)```", README, re.DOTALL)
    assert [shard.name for shard in parse(shards, Shards, "README.md").shards] == ["east", "west"]
    assert parse(text, ChannelMap, "README.md").channels[0].name == "itch"
